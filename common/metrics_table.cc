// Tables of metrics as text: their labels' little language, their rules, their reference.

#include <algorithm>
#include <charconv>
#include <set>

#include "berth/base/ensure.h"
#include "berth/base/metrics.h"

namespace berth {

namespace {

// However many values the labels of a metric may have each, their product stays below.
constexpr std::size_t kSeriesMax = 2'000;
constexpr std::size_t kHistogramsMax = 200;  // each is some twenty lines

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    std::size_t const end = text.find(separator);
    std::string_view part = text.substr(0, end);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    out.push_back(part);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.front() >= 'a' && text.front() <= 'z' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

std::string_view name_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter: return "counter";
    case MetricKind::gauge: return "gauge";
    case MetricKind::histogram: return "histogram";
  }
  return "unknown";
}

std::string complaint_about(MetricRow const& row) {
  bool const is_total = row.name.ends_with("_total");
  if (!is_name(row.name)) return "a name is of small letters, digits and '_'";
  if (row.kind == MetricKind::counter && !is_total) return "a counter's name ends in _total";
  if (row.kind != MetricKind::counter && is_total) return "only a counter's name ends in _total";
  if (row.help.empty() || row.help.ends_with(".")) return "help is a phrase without a full stop";
  if (row.writer.empty()) return "the writer is missing";
  std::string const unit = "_" + std::string(row.unit);
  if (!row.unit.empty() && row.name.find(unit) == std::string_view::npos)
    return "the name says its unit";
  for (std::string_view const scaled :
       {"_ms", "_milliseconds", "_microseconds", "_minutes", "_hours", "_kib", "_mib", "_gib",
        "_megabytes", "_percent"}) {
    if (row.name.ends_with(scaled) || row.name.ends_with(std::string(scaled) + "_total"))
      return "base units only: seconds, bytes, ratios";
  }
  for (MetricLabel const& label : labels_of(row)) {
    if (label.name == "le" || label.name == "job" || label.name == "instance")
      return "the label '" + label.name + "' is Prometheus's own";
    if (label.name == "tenant" || label.name == "host")
      return "a label per " + label.name + " has no bound";
  }
  return "";
}

}  // namespace

std::vector<MetricLabel> labels_of(MetricRow const& row) {
  std::vector<MetricLabel> out;
  for (std::string_view const part : split(row.labels, ',')) {
    std::size_t const end = part.find_first_of("<=");
    ENSURE(end != std::string_view::npos && is_name(part.substr(0, end)));
    MetricLabel label{.name = std::string(part.substr(0, end)), .values = {}, .most = 0};
    if (part[end] == '=') {
      for (std::string_view const value : split(part.substr(end + 1), '|')) {
        label.values.emplace_back(value);
      }
      label.most = label.values.size();
    } else {
      ENSURE(part.substr(end, 2) == "<=");
      std::string_view const digits = part.substr(end + 2);
      auto const [rest, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), label.most);
      ENSURE(error == std::errc() && rest == digits.data() + digits.size());
    }
    ENSURE(label.most > 0);
    out.push_back(std::move(label));
  }
  return out;
}

std::size_t series_max(MetricRow const& row) {
  std::size_t const cap = row.kind == MetricKind::histogram ? kHistogramsMax : kSeriesMax;
  std::size_t product = 1;
  for (MetricLabel const& label : labels_of(row)) product = std::min(product * label.most, cap);
  return product;
}

std::vector<std::string> complaints_about(std::vector<MetricRow> const& rows) {
  std::vector<std::string> out;
  std::set<std::string_view> names;
  for (MetricRow const& row : rows) {
    std::string const problem =
        names.insert(row.name).second ? complaint_about(row) : "there is another of this name";
    if (!problem.empty()) out.push_back(std::string(row.name) + ": " + problem);
  }
  return out;
}

std::string reference_of(std::string_view title, std::vector<MetricRow> const& rows) {
  std::string out = "## " + std::string(title) +
                    "\n\n| metric | type | unit | labels | meaning | written by |\n"
                    "| --- | --- | --- | --- | --- | --- |\n";
  for (MetricRow const& row : rows) {
    std::string labels;
    for (MetricLabel const& label : labels_of(row)) {
      if (!labels.empty()) labels += "; ";
      labels += "`" + label.name + "`: ";
      if (label.values.empty()) labels += "at most " + std::to_string(label.most);
      for (std::string const& value : label.values) {
        labels += (value == label.values.front() ? "`" : ", `") + value + "`";
      }
    }
    out.append("| `").append(row.name).append("` | ").append(name_of(row.kind)).append(" | ");
    out.append(row.unit).append(" | ").append(labels).append(" | ").append(row.help);
    out.append(" | `").append(row.writer).append("` |\n");
  }
  return out;
}

}  // namespace berth
