#pragma once
// FlatMap: a map in one sorted piece of memory, for what is walked from end to end far more often
// than it grows: a thousand hosts are looked at for each placement, and a tree's nodes lie all over
// memory.

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <utility>
#include <vector>

#include "berth/base/ensure.h"

namespace berth::placement {

// The part of std::map's interface that we use, with its meaning. Adding and erasing move what lies
// behind; references do not survive them.
template <class Key, class Value>
class FlatMap {
 public:
  using key_type = Key;
  using mapped_type = Value;
  using value_type = std::pair<Key, Value>;
  using iterator = typename std::vector<value_type>::iterator;
  using const_iterator = typename std::vector<value_type>::const_iterator;

  FlatMap() = default;
  FlatMap(std::initializer_list<value_type> items) {
    for (value_type const& item : items) (*this)[item.first] = item.second;
  }

  [[nodiscard]] const_iterator begin() const { return items_.begin(); }
  [[nodiscard]] const_iterator end() const { return items_.end(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }

  [[nodiscard]] const_iterator find(Key const& key) const {
    const_iterator const at = std::ranges::lower_bound(items_, key, {}, &value_type::first);
    return at != items_.end() && at->first == key ? at : items_.end();
  }
  [[nodiscard]] bool contains(Key const& key) const { return find(key) != end(); }
  [[nodiscard]] Value const& at(Key const& key) const {
    const_iterator const found = find(key);
    ENSURE(found != end());
    return found->second;
  }
  Value& operator[](Key const& key) {
    iterator at = std::ranges::lower_bound(items_, key, {}, &value_type::first);
    if (at == items_.end() || at->first != key) at = items_.emplace(at, key, Value{});
    return at->second;
  }
  std::size_t erase(Key const& key) {
    const_iterator const found = find(key);
    if (found == end()) return 0;
    items_.erase(found);
    return 1;
  }

  bool operator==(FlatMap const&) const = default;

 private:
  std::vector<value_type> items_;  // ascending by key
};

}  // namespace berth::placement
