#include "ctl/table.h"

#include <gtest/gtest.h>

#include "ctl/progress.h"

namespace berth::ctl {
namespace {

TEST(Table, columns_line_up_and_numbers_stand_right) {
  EXPECT_EQ(table({"NAME", "COUNT", "NOTE"}, {{"a", "5", ""}, {"much longer", "12345678", "x"}}),
            "NAME            COUNT  NOTE\n"
            "a                   5  -\n"
            "much longer  12345678  x\n");
}

TEST(Table, no_rows_leave_the_titles) {
  EXPECT_EQ(table({"A", "B"}, {}), "A  B\n");
}

TEST(Table, width_counts_characters_not_bytes) {
  EXPECT_EQ(table({"N", "X"}, {{"\xc3\xa9\xc3\xa9", "a"}, {"abc", "b"}}),
            "N    X\n\xc3\xa9\xc3\xa9   a\nabc  b\n");
}

TEST(Table, a_tenants_text_cannot_drive_the_terminal) {
  EXPECT_EQ(table({"N"}, {{"a\x1b[2J\nb"}}), "N\na?[2J?b\n");
}

TEST(Table, cells_are_made_by_their_format) {
  Document const item = *Document::parse(
      R"({"a":{"b":3},"q":16,"on":true,"off":false,"t":"2026-01-02T03:04:05.678Z","n":null,"mib":1536,"list":["x","y"]})");
  EXPECT_EQ(cell({"", "a.b", Format::used_of, "q"}, item), "3/16");
  EXPECT_EQ(cell({"", "on", Format::yes_no}, item), "yes");
  EXPECT_EQ(cell({"", "off", Format::yes_no}, item), "no");
  EXPECT_EQ(cell({"", "t", Format::time}, item), "2026-01-02 03:04:05");
  EXPECT_EQ(cell({"", "n", Format::time}, item), "");
  EXPECT_EQ(cell({"", "mib", Format::mib}, item), "1.5 GiB");
  EXPECT_EQ(cell({"", "mib", Format::used_of_mib, "q"}, item), "1.5 GiB of 16 MiB");
  EXPECT_EQ(cell({"", "list"}, item), "x,y");
  EXPECT_EQ(cell({"", "a.missing.deep"}, item), "");
}

TEST(Table, a_long_cell_is_cut_between_characters) {
  std::string const exact(60, 'a');
  EXPECT_EQ(cell({"", "x"}, *Document::parse("{\"x\":\"" + exact + "\"}")), exact);
  EXPECT_EQ(cell({"", "x"}, *Document::parse("{\"x\":\"" + exact + "a\"}")),
            std::string(57, 'a') + "...");
  std::string accents;
  for (int i = 0; i < 70; ++i) accents += "\xc3\xa9";
  std::string const cut = cell({"", "x"}, *Document::parse("{\"x\":\"" + accents + "\"}"));
  EXPECT_EQ(cut.substr(0, cut.size() - 3), accents.substr(0, cut.size() - 3));
  EXPECT_EQ(cut.size() % 2, 1U);  // two bytes a character, and three dots
}

TEST(Table, bytes_are_shown_in_the_unit_that_fits) {
  EXPECT_EQ(shown_bytes(0), "0 B");
  EXPECT_EQ(shown_bytes(1'023), "1023 B");
  EXPECT_EQ(shown_bytes(1'024), "1 KiB");
  EXPECT_EQ(shown_bytes(1'536), "1.5 KiB");
  EXPECT_EQ(shown_bytes(std::int64_t{300} << 20), "300 MiB");
  EXPECT_EQ(shown_bytes(std::int64_t{64} << 40), "64 TiB");
  EXPECT_EQ(shown_bytes(INT64_MAX), "819 PiB");
}

TEST(Listing, shows_every_leaf_with_its_path) {
  EXPECT_EQ(listing(*Document::parse(R"({"id":"x","used":{"vcpus":3},"note":""})")),
            "id          x\n"
            "used.vcpus  3\n"
            "note        -\n");
}

TEST(Progress, shows_share_rate_and_what_is_left) {
  Progress const half{.done_bytes = 50 << 20, .total_bytes = 100 << 20, .elapsed_ms = 5'000};
  EXPECT_EQ(progress_line(half), " 50%  50 MiB of 100 MiB  10 MiB/s");
  EXPECT_EQ(progress_bar(half, 80),
            "[================>               ]  50%  50 MiB of 100 MiB  10 MiB/s  0:05 left");
}

TEST(Progress, fits_into_any_terminal) {
  Progress const p{
      .done_bytes = 1, .total_bytes = std::int64_t{512} << 30, .elapsed_ms = 100'000'000};
  for (std::size_t columns = 0; columns < 200; ++columns)
    EXPECT_LE(progress_bar(p, columns).size(), columns);
}

TEST(Progress, survives_its_ends) {
  EXPECT_EQ(progress_line({.done_bytes = 0, .total_bytes = 10, .elapsed_ms = 0}),
            "  0%  0 B of 10 B");
  EXPECT_EQ(progress_line({.done_bytes = 10, .total_bytes = 10, .elapsed_ms = 0}),
            "100%  10 B of 10 B");
  EXPECT_EQ(progress_line({.done_bytes = 0, .total_bytes = 0, .elapsed_ms = 0}),
            "100%  0 B of 0 B");
}

}  // namespace
}  // namespace berth::ctl
