#pragma once
// Aligned text for people.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/document.h"
#include "ctl/verb.h"

namespace berth::ctl {

// Two blanks between columns, none at a line's end; a column with only numbers is set flush right;
// an empty cell shows "-". Control characters (a tenant's text may hold some) show as '?'.
[[nodiscard]] std::string table(std::vector<std::string> const& titles,
                                std::vector<std::vector<std::string>> const& rows);
[[nodiscard]] std::string table(std::span<Column const> columns,
                                std::vector<Document> const& items);
// One member a line, "used.vcpus  3".
[[nodiscard]] std::string listing(Document const& document);

[[nodiscard]] std::string shown_bytes(std::int64_t bytes);  // "1.4 GiB", "512 B"
[[nodiscard]] std::string cell(Column const& column, Document const& item);
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace berth::ctl
