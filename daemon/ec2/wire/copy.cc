// Struct to struct by the names of the service model. What a client may ask for and what it is told
// of it are often two shapes of the same members.

#include <algorithm>

#include "daemon/ec2/wire/codec.h"

namespace berth::ec2::wire {

namespace {

template <class T>
void assign(void const* from, void* to) {
  *static_cast<T*>(to) = *static_cast<T const*>(from);
}

template <template <class> class Held>
void assign_scalar(Kind kind, void const* from, void* to) {
  switch (kind) {
    case Kind::text:
    case Kind::blob: return assign<Held<std::string>>(from, to);
    case Kind::integer: return assign<Held<std::int64_t>>(from, to);
    case Kind::boolean: return assign<Held<bool>>(from, to);
    case Kind::real: return assign<Held<double>>(from, to);
    case Kind::time: return assign<Held<WallTime>>(from, to);
    case Kind::structure:
    case Kind::list: break;
  }
  std::abort();
}

template <class T>
using Optional = std::optional<T>;
template <class T>
using List = std::vector<T>;

void copy_members(Shape const& from, void const* source, Shape const& to, void* target);

void copy_structures(Member const& theirs, void const* from, Member const& ours, void* to) {
  Shape const& inner = shape(theirs.shape);
  Shape const& mine = shape(ours.shape);
  if (theirs.kind == Kind::structure) {
    void const* value = inner.value(from);
    if (value != nullptr) copy_members(inner, value, mine, mine.emplace(to));
    return;
  }
  Items const items = inner.items(from);
  for (std::size_t i = 0; i < items.count; ++i) {
    auto const* item = static_cast<std::byte const*>(items.data) + i * items.stride;
    copy_members(inner, item, mine, mine.append(to));
  }
}

void copy_members(Shape const& from, void const* source, Shape const& to, void* target) {
  for (Member const& theirs : from.members) {
    auto const ours = std::ranges::find(to.members, theirs.api_name, &Member::api_name);
    if (ours == to.members.end() || ours->kind != theirs.kind || ours->item != theirs.item) {
      continue;
    }
    void const* at = static_cast<std::byte const*>(source) + theirs.offset;
    void* place = static_cast<std::byte*>(target) + ours->offset;
    bool const is_list = theirs.kind == Kind::list;
    if (theirs.kind == Kind::structure || (is_list && theirs.item == Kind::structure)) {
      copy_structures(theirs, at, *ours, place);
    } else if (is_list) {
      assign_scalar<List>(theirs.item, at, place);
    } else {
      assign_scalar<Optional>(theirs.kind, at, place);
    }
  }
}

}  // namespace

void copy_shape(ShapeId from, void const* source, ShapeId to, void* target) {
  copy_members(shape(from), source, shape(to), target);
}

}  // namespace berth::ec2::wire
