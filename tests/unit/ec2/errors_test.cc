#include "daemon/ec2/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <utility>

namespace berth::ec2 {
namespace {

using Pair = std::pair<Code, std::string>;

std::optional<Code> code_named(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(Code::corrupt); ++i) {
    if (name(static_cast<Code>(i)) == text) return static_cast<Code>(i);
  }
  return {};
}

// The list at the end of daemon/core/reply.h: "//   invalid   "instance-id" "image-id" (…)".
std::set<Pair> documented_pairs() {
  std::ifstream file("daemon/core/reply.h");
  std::string line;
  std::set<Pair> out;
  std::optional<Code> code;
  bool is_inside = false;
  std::regex const head("^// {2,4}([a-z_]+) .*");
  std::regex const subject("\"([a-z-]+)\"");
  while (std::getline(file, line)) {
    if (line.find("Subjects of the errors") != std::string::npos) is_inside = true;
    if (!is_inside) continue;
    std::smatch match;
    if (std::regex_match(line, match, head)) {
      if (auto found = code_named(match[1].str())) code = found;
    }
    if (!code) continue;
    for (std::sregex_iterator it(line.begin(), line.end(), subject), end; it != end; ++it) {
      out.emplace(*code, (*it)[1].str());
    }
  }
  return out;
}

TEST(Errors, EveryPairThatTheCoreDocumentsHasARow) {
  std::set<Pair> rows;
  for (ErrorRow const& row : error_rows()) rows.emplace(row.code, row.subject);
  std::set<Pair> const documented = documented_pairs();
  EXPECT_GT(documented.size(), 50U) << "is the list in daemon/core/reply.h still there?";
  for (Pair const& pair : documented) {
    EXPECT_TRUE(rows.contains(pair)) << name(pair.first) << " " << pair.second;
  }
}

TEST(Errors, EveryRowIsAPairThatTheCoreDocumentsOrTheRestOfACode) {
  std::set<Pair> documented = documented_pairs();
  documented.emplace(Code::throttled, "queue");  // said in daemon/core/gate.h
  for (ErrorRow const& row : error_rows()) {
    if (row.subject.empty()) continue;
    EXPECT_TRUE(documented.contains({row.code, std::string(row.subject)}))
        << name(row.code) << " " << row.subject;
  }
}

TEST(Errors, NoPairHasTwoRows) {
  std::set<Pair> seen;
  for (ErrorRow const& row : error_rows()) {
    EXPECT_TRUE(seen.emplace(row.code, row.subject).second) << name(row.code) << row.subject;
  }
}

// What clients match on, literally, and what decides whether they retry.
TEST(Errors, EveryTenantFacingRowIsAnsweredWithItsCodeStatusAndTheCoresWords) {
  struct Expected {
    Code code;
    char const* subject;
    char const* ec2;
    int status;
  };
  Expected const expected[] = {
      {Code::invalid, "instance-id", "InvalidInstanceID.Malformed", 400},
      {Code::invalid, "image-id", "InvalidAMIID.Malformed", 400},
      {Code::invalid, "resource-id", "InvalidID", 400},
      {Code::invalid, "instance-attribute", "InvalidInstanceAttributeValue", 400},
      {Code::invalid, "launch-template-id", "InvalidLaunchTemplateId.Malformed", 400},
      {Code::invalid, "launch-template-name", "InvalidLaunchTemplateName.MalformedException", 400},
      {Code::not_found, "launch-template-id", "InvalidLaunchTemplateId.NotFound", 400},
      {Code::not_found, "launch-template-name", "InvalidLaunchTemplateName.NotFoundException", 400},
      {Code::not_found, "launch-template-version", "InvalidLaunchTemplateId.VersionNotFound", 400},
      {Code::exists, "launch-template", "InvalidLaunchTemplateName.AlreadyExistsException", 400},
      {Code::invalid, "placement-group-id", "InvalidPlacementGroupId.Malformed", 400},
      {Code::not_found, "placement-group", "InvalidPlacementGroup.Unknown", 400},
      {Code::exists, "placement-group", "InvalidPlacementGroup.Duplicate", 400},
      {Code::conflict, "placement-group", "InvalidPlacementGroup.InUse", 400},
      {Code::invalid, "filter", "InvalidParameterValue", 400},
      {Code::invalid, "next-token", "InvalidNextToken", 400},
      {Code::invalid, "user-data", "InvalidUserData.Malformed", 400},
      {Code::invalid, "disk", "InvalidBlockDeviceMapping", 400},
      {Code::invalid, "combination", "InvalidParameterCombination", 400},
      {Code::invalid, "missing", "MissingParameter", 400},
      {Code::not_found, "instance", "InvalidInstanceID.NotFound", 400},
      {Code::not_found, "image", "InvalidAMIID.NotFound", 400},
      {Code::not_found, "key-pair", "InvalidKeyPair.NotFound", 400},
      {Code::not_found, "instance-type", "InvalidInstanceType", 400},
      {Code::exists, "key-pair", "InvalidKeyPair.Duplicate", 400},
      {Code::conflict, "instance-state", "IncorrectInstanceState", 400},
      {Code::conflict, "client-token", "IdempotentParameterMismatch", 400},
      {Code::forbidden, "termination-protection", "OperationNotPermitted", 400},
      {Code::forbidden, "stop-protection", "OperationNotPermitted", 400},
      {Code::forbidden, "request", "UnauthorizedOperation", 403},
      {Code::quota, "instance", "InstanceLimitExceeded", 400},
      {Code::quota, "vcpu", "VcpuLimitExceeded", 400},
      {Code::quota, "tag", "TagLimitExceeded", 400},
      {Code::no_capacity, "instance", "InsufficientInstanceCapacity", 500},
      {Code::throttled, "queue", "RequestLimitExceeded", 503},
      {Code::unavailable, "store", "Unavailable", 503},
      {Code::unavailable, "region", "Unavailable", 503},
  };
  for (Expected const& e : expected) {
    EXPECT_EQ(to_ec2({e.code, e.subject, "why"}), (Ec2Error{e.ec2, e.status, "why"}))
        << name(e.code) << " " << e.subject;
  }
}

TEST(Errors, WhatIsNotForTenantsTellsThemNothing) {
  for (Error const& error : {Error{Code::not_found, "host", "no host has the id 'rack1'"},
                             Error{Code::corrupt, "record", "instance 7 at /var/lib"},
                             Error{Code::invalid, "something new", "inside"}}) {
    Ec2Error const shown = to_ec2(error);
    EXPECT_EQ(shown.code, "InternalError");
    EXPECT_EQ(shown.http_status, 500);
    EXPECT_EQ(shown.message, "An internal error has occurred");
  }
}

TEST(Errors, AHostThatDoesNotAnswerIsNotNamed) {
  for (Code code : {Code::unavailable, Code::timeout}) {
    Ec2Error const shown = to_ec2({code, "host", "host rack1-host7 is not connected"});
    EXPECT_EQ(shown.code, "Unavailable");
    EXPECT_EQ(shown.http_status, 503);
    EXPECT_THAT(shown.message, testing::Not(testing::HasSubstr("rack1")));
  }
}

TEST(Errors, AKeyDisabledSinceItsSignatureWasCheckedReadsLikeAWrongOne) {
  Ec2Error const shown = to_ec2({Code::unauthenticated, "credentials", "the tenant is disabled"});
  EXPECT_EQ(shown.code, "AuthFailure");
  EXPECT_EQ(shown.http_status, 401);
  EXPECT_THAT(shown.message, testing::Not(testing::HasSubstr("disabled")));
}

}  // namespace
}  // namespace berth::ec2
