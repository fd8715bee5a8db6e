// Help texts and the man page as files, so that a change of wording is seen in review.
// BERTH_REWRITE=1 writes them anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "ctl/help.h"

namespace berth::ctl {
namespace {

void expect_file(std::string const& path, std::string const& text) {
  if (std::getenv("BERTH_REWRITE") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " is missing; BERTH_REWRITE=1 makes it";
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text) << path << "; BERTH_REWRITE=1 writes it anew";
}

TEST(HelpGolden, the_overview_is_as_recorded) { expect_file("tests/golden/help/berthctl.txt", help_text()); }

TEST(HelpGolden, the_help_of_every_verb_is_as_recorded) {
  std::string all;
  for (std::string_view const noun : nouns()) {
    if (find_verb(noun, "") == nullptr) all += "$ berthctl " + std::string(noun) + " --help\n" + help_text(noun) + "\n";
    for (Verb const& verb : verbs()) {
      if (verb.noun == noun) all += "$ berthctl " + command_of(verb) + " --help\n" + help_text(verb) + "\n";
    }
  }
  expect_file("tests/golden/help/berthctl-verbs.txt", all);
}

TEST(HelpGolden, the_man_page_is_made_from_the_verbs) { expect_file("packaging/man/berthctl.1", man_page()); }

TEST(HelpGolden, the_completion_script_is_as_recorded) { expect_file("tests/golden/help/berthctl-completion.bash", bash_completion()); }

}  // namespace
}  // namespace berth::ctl
