#pragma once
// EC2's filters: AND across names, OR within values, wildcards. A noun has a table of fields; the
// matching is here once.

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/result.h"
#include "daemon/core/input.h"

namespace berth::core {

// `*` any run, `?` one character, `\` takes the next character as it is. Linear in both lengths.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text);

// "The filter 'spam' is invalid", as EC2 says it; too many filters or values.
[[nodiscard]] Error unknown_filter(std::string_view name);
[[nodiscard]] Result<void> check_filter_limits(std::vector<Filter> const& filters);

// The values of tag:KEY, tag-key and tag-value; nullopt: not one of these names.
[[nodiscard]] std::optional<std::vector<std::string>> tag_values(Tags const& tags,
                                                                 std::string_view filter);

// One field of a noun: which values a record has for it. A field that we have no notion of has no
// values, so nothing matches it; a name that EC2 does not know is refused.
template <class Record>
struct FilterField {
  std::string_view name;
  std::function<std::vector<std::string>(Record const&)> values;
};

template <class Record>
class FilterSet {
 public:
  // `fields` and `filters` must outlive the set.
  static Result<FilterSet> make(std::span<FilterField<Record> const> fields,
                                std::vector<Filter> const& filters) {
    if (auto const ok = check_filter_limits(filters); !ok) return ok.error();
    FilterSet set;
    for (Filter const& filter : filters) {
      bool const is_tag =
          filter.name == "tag-key" || filter.name == "tag-value" || filter.name.starts_with("tag:");
      FilterField<Record> const* field = nullptr;
      for (FilterField<Record> const& f : fields) {
        if (f.name == filter.name) field = &f;
      }
      if (field == nullptr && !(is_tag && has_tags(fields))) return unknown_filter(filter.name);
      set.terms_.push_back({&filter, field});
    }
    return set;
  }

  // `tags`: of the record; nullptr for nouns without.
  [[nodiscard]] bool accepts(Record const& record, Tags const* tags) const {
    for (Term const& term : terms_) {
      std::vector<std::string> const values =
          term.field != nullptr
              ? term.field->values(record)
              : tag_values(*tags, term.filter->name).value_or(std::vector<std::string>{});
      bool found = false;
      for (std::string const& pattern : term.filter->values) {
        for (std::string const& value : values) found = found || matches(pattern, value);
      }
      if (!found) return false;
    }
    return true;
  }

 private:
  struct Term {
    Filter const* filter;
    FilterField<Record> const* field;  // nullptr: a tag filter
  };

  // A table says that its noun has tags by listing "tag".
  static bool has_tags(std::span<FilterField<Record> const> fields) {
    for (FilterField<Record> const& f : fields) {
      if (f.name == "tag") return true;
    }
    return false;
  }

  std::vector<Term> terms_;
};

}  // namespace berth::core
