#include "daemon/core/filter.h"

#include "berth/model/limits.h"

namespace berth::core {

bool matches(std::string_view pattern, std::string_view text) {
  // Greedy with one point to fall back to: the last `*`, and how much of the text it has eaten.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t eaten = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      eaten = t;
      continue;
    }
    if (p < pattern.size()) {
      bool const is_escaped = pattern[p] == '\\' && p + 1 < pattern.size();
      char const c = is_escaped ? pattern[p + 1] : pattern[p];
      if ((!is_escaped && c == '?') || c == text[t]) {
        p += is_escaped ? 2 : 1;
        ++t;
        continue;
      }
    }
    if (star == std::string_view::npos) return false;
    p = star + 1;
    t = ++eaten;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Error unknown_filter(std::string_view name) {
  return Error{Code::invalid, "filter", "The filter '" + std::string(name) + "' is invalid"};
}

Result<void> check_filter_limits(std::vector<Filter> const& filters) {
  if (filters.size() > limits::kFiltersPerRequestMax) {
    return Error{Code::invalid, "filter",
                 "The maximum number of filters is " +
                     std::to_string(limits::kFiltersPerRequestMax) + "; found " +
                     std::to_string(filters.size())};
  }
  for (Filter const& f : filters) {
    if (f.name.empty()) return Error{Code::invalid, "filter", "A filter must have a Name"};
    if (f.values.size() > limits::kFilterValuesMax) {
      return Error{Code::invalid, "filter",
                   "The maximum length for a filter value list is " +
                       std::to_string(limits::kFilterValuesMax) + "; found " +
                       std::to_string(f.values.size()) + " for '" + f.name + "'"};
    }
  }
  return {};
}

std::optional<std::vector<std::string>> tag_values(Tags const& tags, std::string_view filter) {
  std::vector<std::string> out;
  if (filter == "tag-key") {
    for (auto const& [key, value] : tags) out.push_back(key);
  } else if (filter == "tag-value") {
    for (auto const& [key, value] : tags) out.push_back(value);
  } else if (filter.starts_with("tag:")) {
    auto const it = tags.find(std::string(filter.substr(4)));
    if (it != tags.end()) out.push_back(it->second);
  } else {
    return std::nullopt;
  }
  return out;
}

}  // namespace berth::core
