#include "ctl/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

Command command(std::vector<std::string> const& words) {
  Result<CommandLine> line = parse(words);
  if (!line) {
    ADD_FAILURE() << line.error().message;
    return {};
  }
  auto* found = std::get_if<Command>(&line->what);
  if (found == nullptr) {
    ADD_FAILURE() << "no command";
    return {};
  }
  return *found;
}
std::string refusal(std::vector<std::string> const& words) {
  Result<CommandLine> const line = parse(words);
  if (line) return "accepted";
  EXPECT_EQ(line.error().subject, "usage");
  return line.error().message;
}

TEST(CommandLine, a_verb_takes_its_arguments_and_flags_anywhere) {
  for (std::vector<std::string> const& words :
       {std::vector<std::string>{"host", "enroll", "h1", "--zone=z", "--join_file=/j",
                                 "--tags=a=b,c="},
        std::vector<std::string>{"--zone", "z", "host", "enroll", "--join-file", "/j", "h1",
                                 "--tags", "a=b,c="}}) {
    Command const given = command(words);
    EXPECT_EQ(command_of(*given.verb), "host enroll");
    EXPECT_THAT(given.inputs,
                UnorderedElementsAre(Pair("NAME", "h1"), Pair("zone", "z"), Pair("join_file", "/j"),
                                     Pair("tags", "a=b,c=")));
  }
}

TEST(CommandLine, flags_of_every_verb_are_told_apart_from_the_verbs_own) {
  Result<CommandLine> const line =
      parse({"--socket=/s", "key", "list", "--output", "json", "--tenant=1"});
  ASSERT_TRUE(line);
  EXPECT_THAT(line->globals, ElementsAre(Pair("socket", "/s"), Pair("output", "json")));
  EXPECT_THAT(std::get<Command>(line->what).inputs, ElementsAre(Pair("tenant", "1")));
}

TEST(CommandLine, a_switch_needs_no_value_and_never_eats_the_next_word) {
  Command const given =
      command({"image", "import", "--public", "f.img", "--name=n", "--format=raw"});
  EXPECT_EQ(given.inputs.at("public"), "true");
  EXPECT_EQ(given.inputs.at("FILE"), "f.img");
  EXPECT_EQ(command({"image", "import", "f", "--public=false", "--name=n", "--format=raw"})
                .inputs.at("public"),
            "false");
}

TEST(CommandLine, two_dashes_end_the_flags) {
  EXPECT_EQ(command({"host", "show", "--", "--odd"}).inputs.at("HOST"), "--odd");
}

TEST(CommandLine, a_mistyped_word_gets_a_suggestion) {
  EXPECT_THAT(refusal({"hots", "list"}), HasSubstr("there is no 'hots'; did you mean 'host'?"));
  EXPECT_THAT(refusal({"host", "unncordon", "h"}), HasSubstr("did you mean 'uncordon'?"));
  EXPECT_THAT(refusal({"host", "enroll", "h", "--zome=z"}),
              HasSubstr("no flag --zome; did you mean 'zone'?"));
  EXPECT_THAT(refusal({"host", "enroll", "h", "--zone=z", "--outptu=json"}),
              HasSubstr("did you mean 'output'?"));
  EXPECT_THAT(refusal({"volcano"}), HasSubstr("see berthctl --help"));
  EXPECT_THAT(refusal({"host", "explode"}), HasSubstr("there are list, show, enroll"));
}

TEST(CommandLine, what_is_missing_or_too_much_is_named) {
  EXPECT_THAT(refusal({"host"}), HasSubstr("host wants a verb: list, show"));
  EXPECT_THAT(refusal({"host", "show"}), HasSubstr("host show wants HOST"));
  EXPECT_THAT(refusal({"host", "show", ""}), HasSubstr("host show wants HOST"));
  EXPECT_THAT(refusal({"host", "show", "a", "b"}), HasSubstr("'b' is one word too many"));
  EXPECT_THAT(refusal({"host", "enroll", "a"}), HasSubstr("wants --zone (where it stands)"));
  EXPECT_THAT(refusal({"host", "enroll", "a", "--zone"}), HasSubstr("--zone wants a value"));
  EXPECT_THAT(refusal({"host", "enroll", "a", "--zone=a", "--zone=b"}),
              HasSubstr("--zone is there twice"));
}

TEST(CommandLine, a_value_of_the_wrong_kind_is_refused_before_anybody_is_asked) {
  EXPECT_THAT(refusal({"type", "put", "m", "--vcpus=two", "--memory_mib=1"}),
              HasSubstr("--vcpus wants a whole number, found 'two'"));
  EXPECT_THAT(refusal({"type", "put", "m", "--vcpus=99999999999999999999", "--memory_mib=1"}),
              HasSubstr("whole number"));
  EXPECT_THAT(refusal({"host", "enroll", "h", "--zone=z", "--tags=novalue"}),
              HasSubstr("--tags wants k=v,k2=v2, found 'novalue'"));
  EXPECT_THAT(refusal({"host", "enroll", "h", "--zone=z", "--tags==v"}), HasSubstr("--tags wants"));
  EXPECT_THAT(refusal({"image", "import", "f", "--name=n", "--format=raw", "--public=yes"}),
              HasSubstr("true or false"));
  EXPECT_THAT(refusal({"status", "--output=xml"}),
              HasSubstr("--output wants table or json, found 'xml'"));
  EXPECT_THAT(refusal(std::vector<std::string>(1'001, "x")), HasSubstr("more than 1000 words"));
}

TEST(CommandLine, help_is_found_wherever_it_is_asked_for) {
  auto const help = [](std::vector<std::string> const& words) {
    Result<CommandLine> const line = parse(words);
    EXPECT_TRUE(line) << line.error().message;
    auto const* ask = std::get_if<HelpAsk>(&line->what);
    return ask == nullptr ? std::string("no help") : ask->noun + "/" + ask->verb;
  };
  EXPECT_EQ(help({}), "/");
  EXPECT_EQ(help({"--help"}), "/");
  EXPECT_EQ(help({"help"}), "/");
  EXPECT_EQ(help({"host", "-h"}), "host/");
  EXPECT_EQ(help({"help", "host", "enroll"}), "host/enroll");
  EXPECT_EQ(help({"host", "enroll", "--help", "--bogus"}), "host/enroll");
  EXPECT_THAT(refusal({"help", "hots"}), HasSubstr("did you mean 'host'?"));
  EXPECT_TRUE(std::holds_alternative<VersionAsk>(parse({"--version"})->what));
  EXPECT_TRUE(std::holds_alternative<CompletionAsk>(parse({"completion", "bash"})->what));
  EXPECT_THAT(refusal({"completion", "fish"}), HasSubstr("for bash"));
}

}  // namespace
}  // namespace berth::ctl
