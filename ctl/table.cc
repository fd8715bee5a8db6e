#include "ctl/table.h"

#include <algorithm>
#include <array>

namespace berth::ctl {
namespace {

// Characters, not bytes; wide ones count as one.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '/'; }) &&
         text.front() != '/';
}

// One long cell must not push the rest of its table off the screen; --output=json has it whole.
std::string shortened(std::string text) {
  constexpr std::size_t kCellMax = 60;
  if (width(text) <= kCellMax) return text;
  std::size_t cut = kCellMax - 3;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80)
    --cut;  // whole characters
  return text.substr(0, cut) + "...";
}

std::string shown_time(std::string text) {
  // 2026-01-02T03:04:05.678Z
  if (text.size() < 19 || text[10] != 'T') return text;
  text[10] = ' ';
  return text.substr(0, 19);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(out, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }, '?');
  return out;
}

std::string shown_bytes(std::int64_t bytes) {
  static constexpr std::array<char const*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  std::int64_t tenths = bytes * (bytes < INT64_MAX / 10 ? 10 : 1);
  while (tenths >= 10'240 && unit + 1 < kUnits.size()) {
    tenths /= 1'024;
    ++unit;
  }
  std::string out = std::to_string(tenths / 10);
  if (tenths % 10 != 0 && tenths < 1'000) out += "." + std::to_string(tenths % 10);
  return out + " " + kUnits[unit];
}

std::string cell(Column const& column, Document const& item) {
  switch (column.format) {
    case Format::text: return shortened(item.text(column.path));
    case Format::yes_no: return item.text(column.path) == "true" ? "yes" : "no";
    case Format::time: return shown_time(item.text(column.path));
    case Format::bytes: return shown_bytes(item.number(column.path).value_or(0));
    case Format::mib: return shown_bytes(item.number(column.path).value_or(0) * 1'048'576);
    case Format::used_of: return item.text(column.path) + "/" + item.text(column.path2);
    case Format::used_of_mib: break;
  }
  std::string const used = shown_bytes(item.number(column.path).value_or(0) * 1'048'576);
  return used + " of " + shown_bytes(item.number(column.path2).value_or(0) * 1'048'576);
}

std::string table(std::vector<std::string> const& titles,
                  std::vector<std::vector<std::string>> const& rows) {
  std::vector<std::size_t> widths;
  std::vector<bool> are_numbers;
  for (std::size_t c = 0; c < titles.size(); ++c) {
    widths.push_back(width(titles[c]));
    are_numbers.push_back(
        std::ranges::any_of(rows, [c](auto const& row) { return is_number(row[c]); }));
    for (auto const& row : rows) {
      widths[c] = std::max(widths[c], std::max<std::size_t>(1, width(row[c])));
      if (!row[c].empty() && !is_number(row[c])) are_numbers[c] = false;
    }
  }
  auto const line = [&](std::vector<std::string> const& cells) {
    std::string out;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      std::string const text = cells[c].empty() ? "-" : printable(cells[c]);
      std::string const pad(widths[c] - width(text), ' ');
      out += (c == 0 ? "" : "  ") + (are_numbers[c] ? pad + text : text + pad);
    }
    return out.substr(0, out.find_last_not_of(' ') + 1) + "\n";
  };
  std::string out = line(titles);
  for (auto const& row : rows) out += line(row);
  return out;
}

std::string table(std::span<Column const> columns, std::vector<Document> const& items) {
  std::vector<std::string> titles;
  for (Column const& column : columns) titles.emplace_back(column.title);
  std::vector<std::vector<std::string>> rows;
  for (Document const& item : items) {
    std::vector<std::string> row;
    for (Column const& column : columns) row.push_back(cell(column, item));
    rows.push_back(std::move(row));
  }
  return table(titles, rows);
}

std::string listing(Document const& document) {
  std::size_t longest = 0;
  auto const leaves = document.leaves();
  for (auto const& [name, value] : leaves) longest = std::max(longest, width(name));
  std::string out;
  for (auto const& [name, value] : leaves) {
    out += printable(name) + std::string(longest - width(name) + 2, ' ') +
           (value.empty() ? "-" : printable(value)) + "\n";
  }
  return out;
}

}  // namespace berth::ctl
