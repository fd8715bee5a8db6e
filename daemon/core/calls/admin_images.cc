// Operators' calls on instance types, images and the instances of all tenants.

#include <algorithm>

#include "daemon/core/calls/calls.h"
#include "daemon/core/instance_state.h"
#include "daemon/core/names.h"

namespace berth::core {

namespace {

Result<void> check_type(InstanceType const& type) {
  std::string const& name = type.name.value;
  bool const is_plain = !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
  if (!is_plain || name.find('.') == std::string::npos) {
    return Error{Code::invalid, "name", "a type's name is like m5.large; found '" + name + "'"};
  }
  if (type.vcpus < 1 || type.vcpus > 1'024 || type.memory.value < 64 ||
      type.memory.value > std::int64_t{64} * 1'024 * 1'024 || type.threads_per_core < 1 ||
      type.vcpus % type.threads_per_core != 0) {
    return Error{
        Code::invalid, "parameter",
        "type '" + name + "' wants 1 to 1024 vCPUs in whole cores and 64 MiB to 64 TiB; found " +
            std::to_string(type.vcpus) + " vCPUs, " + std::to_string(type.memory.value) + " MiB"};
  }
  return {};
}

}  // namespace

Result<Decision> admin_call(State const& state, PutType const& ask, Context& context) {
  return admin_call(state, PutTypes{{ask.type}}, context);
}

Result<Decision> admin_call(State const& state, PutTypes const& ask, Context&) {
  if (state.types.size() + ask.types.size() > limits::kInstanceTypesMax) {
    return Error{
        Code::quota, "instance-type",
        "a region has at most " + std::to_string(limits::kInstanceTypesMax) + " instance types"};
  }
  Decision decision;
  Types reply;
  for (InstanceType const& type : ask.types) {
    TRY(check_type(type));
    reply.items.push_back(type);
    decision.changes.emplace_back(PutInstanceType{type});
  }
  decision.reply = std::move(reply);
  return decision;
}

Result<Decision> admin_call(State const& state, DeleteType const& ask, Context&) {
  if (!state.types.contains(TypeName(ask.name))) {
    return Error{Code::not_found, "instance-type",
                 "no instance type has the name '" + ask.name + "'"};
  }
  // Instances carry a copy of their shape; but clients look types up by name, so a used one stays.
  for (auto const& [id, instance] : state.instances) {
    if (instance.placement && instance.type.value == ask.name) {
      return Error{Code::conflict, "type-in-use",
                   "instance " + id.value + " is of type " + ask.name};
    }
  }
  Decision decision{.reply = Done{}};
  decision.changes.emplace_back(EraseInstanceType{TypeName(ask.name)});
  return decision;
}

Result<Decision> admin_call(State const& state, ListTypes const&, Context&) {
  Types reply;
  for (auto const& [name, type] : state.types) reply.items.push_back(type);
  return Decision{.reply = std::move(reply)};
}

Result<Decision> admin_call(State const& state, RegisterImage const& ask, Context& context) {
  if (ask.name.size() < 3 || ask.name.size() > 128 || !is_name(ask.name)) {
    return Error{Code::invalid, "name",
                 "an image's name is 3 to 128 letters, digits, spaces and ._-:/@+=(); found '" +
                     ask.name + "'"};
  }
  TenantId const owner(ask.owner);
  if (!ask.owner.empty() && !state.tenants.contains(owner)) {
    return Error{Code::not_found, "tenant", "no tenant has the id '" + ask.owner + "'"};
  }
  bool const is_hex = ask.digest.size() == 64 && std::ranges::all_of(ask.digest, [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                      });
  if (!is_hex) return Error{Code::invalid, "parameter", "an image's digest is 64 hex digits"};
  if (ask.virtual_size.value < 1 || ask.file_size.value < 1 ||
      ask.virtual_size > bytes(Gibibytes(limits::kImageVirtualGibMax))) {
    return Error{Code::invalid, "parameter",
                 "an image's virtual size is 1 byte to " +
                     std::to_string(limits::kImageVirtualGibMax) + " GiB; found " +
                     std::to_string(ask.virtual_size.value) + " bytes"};
  }
  std::int64_t owned = 0;
  for (auto const& [id, image] : state.images) {
    if (image.owner != owner) continue;
    ++owned;
    if (image.name == ask.name) {
      return Error{Code::exists, "image", "image '" + ask.name + "' exists as " + id.value};
    }
  }
  std::int64_t const limit = ask.owner.empty() ? static_cast<std::int64_t>(limits::kPublicImagesMax)
                                               : state.tenants.at(owner).quota.images;
  if (owned >= limit) {
    return Error{Code::quota, "image",
                 "the owner is at its limit of " + std::to_string(limit) + " images"};
  }
  Image image{.id = drawn<ImageId>("ami-", context.entropy),
              .owner = owner,
              .is_public = ask.is_public,
              .name = ask.name,
              .description = ask.description,
              .format = ask.format,
              .digest = ask.digest,
              .file_size = ask.file_size,
              .virtual_size = ask.virtual_size,
              .created = context.now.wall};
  Decision decision{.reply = Images{{image}}};
  decision.changes.emplace_back(PutImage{std::move(image)});
  return decision;
}

// The record goes; the file stays while an instance rests on its digest (the image store's affair).
Result<Decision> admin_call(State const& state, DeleteImage const& ask, Context&) {
  Image const* image = find(state.images, ImageId(ask.id));
  if (image == nullptr)
    return Error{Code::not_found, "image", "no image has the id '" + ask.id + "'"};
  if (std::int64_t const* users = find(state.derived.instances_of_image, image->id)) {
    return Error{Code::conflict, "image-in-use",
                 "image " + ask.id + " is used by " + std::to_string(*users) + " instances"};
  }
  Decision decision{.reply = Done{}};
  decision.changes.emplace_back(EraseImage{image->id});
  return decision;
}

Result<Decision> admin_call(State const& state, ListImages const&, Context&) {
  Images reply;
  for (auto const& [id, image] : state.images) reply.items.push_back(image);
  return Decision{.reply = std::move(reply)};
}

Result<Decision> admin_call(State const& state, ListInstances const& ask, Context& context) {
  std::optional<HostId> host;
  if (!ask.host.empty()) host = (*TRY(find_host(state, ask.host))).id;
  InstanceList reply;
  for (auto const& [id, instance] : state.instances) {
    if (!ask.tenant.empty() && instance.tenant.value != ask.tenant) continue;
    if (host && (!instance.placement || instance.placement->host != *host)) continue;
    if (!ask.state.empty() && name(instance_state(instance)) != ask.state) continue;
    reply.items.push_back(view(state, instance, context));
  }
  return Decision{.reply = std::move(reply)};
}

Result<Decision> admin_call(State const& state, ShowInstance const& ask, Context& context) {
  Instance const* instance = find(state.instances, InstanceId(ask.id));
  if (instance == nullptr) {
    return Error{Code::not_found, "instance", "no instance has the id '" + ask.id + "'"};
  }
  return Decision{.reply = InstanceList{{view(state, *instance, context)}}};
}

}  // namespace berth::core
