// docs/reference/ec2.md against the code: its tables of actions and of error codes say what is
// there, no more and no less.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "daemon/ec2/actions.h"
#include "daemon/ec2/errors.h"
#include "daemon/ec2/wire/descriptor.h"

namespace berth::ec2 {
namespace {

using Words = std::set<std::string>;

Words words_of(std::string const& cell) {
  Words out;
  std::regex const quoted("`([^`]+)`");
  for (std::sregex_iterator it(cell.begin(), cell.end(), quoted), end; it != end; ++it) {
    out.insert((*it)[1].str());
  }
  return out;
}

// The rows of the table under a heading: first cell to second and third.
std::map<std::string, std::pair<std::string, std::string>> table_under(std::string const& heading) {
  std::ifstream file("docs/reference/ec2.md");
  std::map<std::string, std::pair<std::string, std::string>> out;
  std::string line;
  bool is_inside = false;
  std::regex const row(R"(^\| `([^`]+)` \|([^|]*)\|([^|]*)\|.*)");
  while (std::getline(file, line)) {
    if (line.starts_with("## ")) is_inside = line == "## " + heading;
    std::smatch match;
    if (is_inside && std::regex_match(line, match, row)) {
      out[match[1].str()] = {match[2].str(), match[3].str()};
    }
  }
  return out;
}

Words parameters_of(wire::ActionInfo const& info) {
  Words out;
  for (wire::Member const& member : wire::shape(info.input_shape).members) {
    out.emplace(member.query_name);
  }
  return out;
}

TEST(Reference, ListsEveryActionThatIsServedAndNoOther) {
  Words documented;
  for (auto const& [action, cells] : table_under("Actions")) documented.insert(action);
  Words served;
  for (wire::ActionInfo const& info : wire::actions()) served.emplace(info.name);
  EXPECT_EQ(documented, served);
}

TEST(Reference, NamesEveryParameterOfEveryActionAsTakenOrAsRefused) {
  auto const table = table_under("Actions");
  for (wire::ActionInfo const& info : wire::actions()) {
    auto const row = table.find(std::string(info.name));
    ASSERT_NE(row, table.end()) << info.name;
    Words const taken = words_of(row->second.first);
    Words const refused = words_of(row->second.second);
    Words all = taken;
    all.insert(refused.begin(), refused.end());
    EXPECT_EQ(all, parameters_of(info)) << info.name;
    EXPECT_EQ(all.size(), taken.size() + refused.size()) << info.name << ": one is in both cells";
  }
}

TEST(Reference, ListsEveryErrorCodeOfTheTable) {
  auto const table = table_under("Errors");
  for (ErrorRow const& row : error_rows()) {
    auto const found = table.find(std::string(row.ec2_code));
    ASSERT_NE(found, table.end()) << row.ec2_code;
    EXPECT_THAT(found->second.first, testing::HasSubstr(std::to_string(row.http_status)))
        << row.ec2_code;
  }
}

}  // namespace
}  // namespace berth::ec2
