#include "daemon/ec2/service.h"

#include <gmock/gmock.h>

#include "daemon/ec2/refusals.h"
#include "tests/unit/ec2/support.h"

namespace berth::ec2 {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;

constexpr char kUuid[] = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() : service_(options(), gate_, clock_) { publish(true); }

  ServiceOptions options() {
    ServiceOptions out;
    out.rate_percent = 100;
    out.execute = [this](std::function<void()> job) { executor_(std::move(job)); };
    out.execute_long = [this](std::function<void()> job) {
      if (has_room_for_long_) long_jobs_.push_back(std::move(job));
      return has_room_for_long_;
    };
    out.observe = [this](Observation const& seen) { observed_.push_back(seen); };
    out.read_console = [this](HostId host, InstanceId, ServiceOptions::ConsoleDone done) {
      console_host_ = std::move(host);
      console_done_ = std::move(done);
    };
    return out;
  }

  void publish(bool enabled) {
    auto keys = std::make_shared<KeyTable>();
    keys->keys[std::string(kKeyId)] =
        KeyEntry{std::string(kSecret), "", TenantId(std::string(kTenant)), enabled};
    service_.publish(keys);
  }

  struct Sending {
    std::string service = "ec2";
    std::string secret{kSecret};
    std::string method = "POST";
    bool is_signed = true;
  };

  // Signs and sends; the answer lands in answer_.
  void send(Pairs const& pairs, Sending const& how) {
    std::string const text = form(pairs);
    bool const is_get = how.method == "GET";
    std::string const target = is_get ? "/?" + text : "/";
    std::string const body = is_get ? "" : text;
    std::string const time = iso8601_basic(clock_.time.wall);
    std::vector<std::pair<std::string_view, std::string_view>> headers = {
        {"Host", "berth.example:8773"},
        {"X-Amz-Date", time},
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    Authorization const scope{.access_key_id = std::string(kKeyId),
                              .date = time.substr(0, 8),
                              .region = "us-east-1",
                              .service = how.service,
                              .signed_headers = {"host", "x-amz-date"},
                              .time = time};
    SignedRequest const request{
        .method = how.method, .target = target, .headers = headers, .body = body};
    std::string const authorization =
        "AWS4-HMAC-SHA256 Credential=" + std::string(kKeyId) + "/" + scope.date + "/us-east-1/" +
        how.service + "/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
        signature(how.secret, scope,
                  string_to_sign(scope, canonical_request(request, scope, hex(sha256(body)))));
    if (how.is_signed) headers.emplace_back("Authorization", authorization);
    service_.handle({.method = how.method,
                     .target = target,
                     .headers = headers,
                     .body = body,
                     .peer = "192.0.2.7:4711"},
                    [this](Answer answer) {
                      EXPECT_FALSE(answer_) << "answered twice";
                      answer_ = std::move(answer);
                    });
  }
  void send(Pairs const& pairs) { send(pairs, Sending{}); }

  void reply(core::Reply value) { answer_held(Result<core::Reply>(std::move(value))); }
  void reply(Error error) { answer_held(Result<core::Reply>(std::move(error))); }
  void answer_held(Result<core::Reply> result) {
    ASSERT_THAT(gate_.held, Not(IsEmpty()));
    gate_.held.back().done(std::move(result));
  }

  FakeGate gate_;
  FakeClock clock_;
  FakeExecutor executor_;
  std::vector<std::function<void()>> long_jobs_;
  bool has_room_for_long_ = true;
  std::vector<Observation> observed_;
  std::optional<HostId> console_host_;
  ServiceOptions::ConsoleDone console_done_;
  std::optional<Answer> answer_;
  Service service_;
};

TEST_F(ServiceTest, ASignedRequestIsAskedOfTheCoreInItsCallersName) {
  send(call_of("DescribeRegions", {}));
  ASSERT_THAT(gate_.held, SizeIs(1));
  core::ApiCall const& call = gate_.call();
  EXPECT_EQ(call.caller.tenant.value, kTenant);
  EXPECT_EQ(call.caller.key.value, kKeyId);
  EXPECT_EQ(call.caller.source, "192.0.2.7:4711");
  EXPECT_THAT(call.caller.request_id, MatchesRegex(kUuid));
  EXPECT_EQ(call.action_name, "DescribeRegions");
  EXPECT_FALSE(call.dry_run);
  EXPECT_TRUE(std::holds_alternative<core::DescribeRegions>(call.action));
  EXPECT_FALSE(answer_);
}

TEST_F(ServiceTest, TheAnswerIsRenderedOnTheExecutorAndBearsTheRequestId) {
  send(call_of("DescribeRegions", {}));
  std::string const id = gate_.call().caller.request_id;
  clock_.time.monotonic.ns += 5'000'000;
  reply(core::Regions{{"us-east-1"}});
  EXPECT_FALSE(answer_) << "rendered on the driver's thread";
  executor_.run();
  ASSERT_TRUE(answer_);
  EXPECT_EQ(answer_->status, 200U);
  EXPECT_EQ(answer_->content_type, "text/xml;charset=UTF-8");
  EXPECT_THAT(answer_->body,
              AllOf(HasSubstr("<requestId>" + id + "</requestId>"),
                    HasSubstr("<regionEndpoint>berth.example:8773</regionEndpoint>")));
  EXPECT_THAT(answer_->headers, testing::Contains(testing::Pair("x-amzn-RequestId", id)));
  ASSERT_THAT(observed_, SizeIs(1));
  EXPECT_EQ(observed_[0].action, "DescribeRegions");
  EXPECT_EQ(observed_[0].code, "Success");
  EXPECT_EQ(observed_[0].latency.ns, 5'000'000);
}

TEST_F(ServiceTest, ALongAnswerIsRenderedApartAndIsRefusedWhenTooManyWait) {
  auto const regions = [](std::size_t count) {
    core::TagList tags;
    tags.items.resize(count);
    return tags;
  };
  send(call_of("DescribeTags", {}));
  reply(regions(101));
  EXPECT_THAT(executor_.jobs, IsEmpty());
  ASSERT_THAT(long_jobs_, SizeIs(1));
  long_jobs_[0]();
  EXPECT_EQ(answer_->status, 200U);
  answer_.reset();
  has_room_for_long_ = false;
  send(call_of("DescribeTags", {}));
  reply(regions(101));
  executor_.run();
  EXPECT_EQ(answer_->status, 503U);
  EXPECT_THAT(answer_->body, HasSubstr("<Code>RequestLimitExceeded</Code>"));
  answer_.reset();
  send(call_of("DescribeTags", {}));
  reply(regions(100));
  executor_.run();
  EXPECT_EQ(answer_->status, 200U) << "a short answer is not concerned";
}

TEST_F(ServiceTest, GetWithEverythingInTheQueryStringIsTheSameAsPost) {
  send(call_of("DescribeRegions", {{"RegionName.1", "us-east-1"}}), {.method = "GET"});
  ASSERT_THAT(gate_.held, SizeIs(1));
  EXPECT_THAT(std::get<core::DescribeRegions>(gate_.call().action).names, SizeIs(1));
}

TEST_F(ServiceTest, AnErrorOfTheCoreIsEc2sDocument) {
  send(call_of("StartInstances", {{"InstanceId.1", "i-0"}}));
  reply(Error{Code::not_found, "instance", "The instance ID 'i-0' does not exist"});
  executor_.run();
  ASSERT_TRUE(answer_);
  EXPECT_EQ(answer_->status, 400U);
  EXPECT_THAT(answer_->body, HasSubstr("<Response><Errors><Error><Code>InvalidInstanceID.NotFound"
                                       "</Code><Message>The instance ID 'i-0' does not"));
  EXPECT_EQ(observed_.at(0).code, "InvalidInstanceID.NotFound");
  EXPECT_EQ(observed_.at(0).http_status, 400U);
}

TEST_F(ServiceTest, ADryRunThatWouldSucceedIsRefusedWith412) {
  send(call_of("TerminateInstances", {{"InstanceId.1", "i-0"}, {"DryRun", "true"}}));
  EXPECT_TRUE(gate_.call().dry_run);
  reply(core::WouldSucceed{});
  executor_.run();
  EXPECT_EQ(answer_->status, 412U);
  EXPECT_THAT(answer_->body,
              AllOf(HasSubstr("<Code>DryRunOperation</Code>"),
                    HasSubstr("Request would have succeeded, but DryRun flag is set.")));
}

TEST_F(ServiceTest, AWrongSecretIsRefusedAndAuditedAndReachesNobodyElse) {
  send(call_of("DescribeInstances", {}), {.secret = "wrong"});
  ASSERT_TRUE(answer_);
  EXPECT_EQ(answer_->status, 401U);
  EXPECT_THAT(answer_->body, HasSubstr("<Code>AuthFailure</Code>"));
  ASSERT_THAT(gate_.held, SizeIs(1));
  auto const& refused = std::get<core::AuthenticationRefused>(gate_.held[0].input);
  EXPECT_EQ(refused.claimed_key, kKeyId);
  EXPECT_EQ(refused.action_name, "DescribeInstances");
  EXPECT_EQ(refused.source, "192.0.2.7:4711");
  EXPECT_EQ(refused.code, "AuthFailure");
  EXPECT_FALSE(gate_.held[0].done) << "nobody waits for the audit";
  EXPECT_EQ(observed_.at(0).action, "-") << "an unproven name is no label";
}

TEST_F(ServiceTest, AnUnsignedRequestIsRefused) {
  send(call_of("DescribeInstances", {}), {.is_signed = false});
  ASSERT_TRUE(answer_);
  EXPECT_THAT(answer_->body, HasSubstr("<Code>MissingAuthenticationToken</Code>"));
}

TEST_F(ServiceTest, APublishedTableCountsFromTheNextRequestOn) {
  publish(false);
  send(call_of("DescribeInstances", {}));
  ASSERT_TRUE(answer_);
  EXPECT_EQ(answer_->status, 401U);
}

TEST_F(ServiceTest, AFloodOfBadSignaturesIsAFewRecordsAndOneThatCounts) {
  for (int i = 0; i < 500; ++i) {
    answer_.reset();
    send(call_of("DescribeInstances", {}), {.secret = "wrong"});
    ASSERT_TRUE(answer_);
  }
  std::size_t const few = Refusals::kSinglesPerAddressMax;
  EXPECT_THAT(gate_.held, SizeIs(few));
  clock_.time.monotonic = clock_.time.monotonic + Refusals::kWindow;
  // Whoever comes next makes the count known.
  send(call_of("DescribeRegions", {}));
  ASSERT_THAT(gate_.held, SizeIs(few + 2));
  auto const& counted = std::get<core::AuthenticationRefused>(gate_.held[few].input);
  EXPECT_EQ(counted.source, "192.0.2.7");
  EXPECT_EQ(counted.code, "495 more refused within a minute");
}

TEST_F(ServiceTest, PastItsRateATenantIsToldToComeAgainAndTheCoreHearsNothing) {
  // RunInstances: five at once, two a second.
  Pairs const launch = {{"ImageId", "ami-1"}, {"MinCount", "1"}, {"MaxCount", "1"}};
  for (int i = 0; i < 5; ++i) send(call_of("RunInstances", launch));
  EXPECT_FALSE(answer_);
  EXPECT_THAT(gate_.held, SizeIs(5));
  send(call_of("RunInstances", launch));
  ASSERT_TRUE(answer_);
  EXPECT_THAT(gate_.held, SizeIs(5));
  EXPECT_EQ(answer_->status, 503U);
  EXPECT_THAT(answer_->body, AllOf(HasSubstr("<Code>RequestLimitExceeded</Code>"),
                                   HasSubstr("<Message>Request limit exceeded.</Message>")));
  EXPECT_THAT(answer_->headers,
              testing::Contains(testing::Pair("Retry-After", MatchesRegex("[1-3]"))));
  EXPECT_GT(answer_->delay.count(), 0) << "a client that does not wait is made to";
  EXPECT_EQ(observed_.back().throttled, "tenant");
  EXPECT_EQ(observed_.back().action, "RunInstances");
  // Other actions have their own buckets; and half a second later there is one token more.
  answer_.reset();
  send(call_of("DescribeRegions", {}));
  clock_.time.monotonic = clock_.time.monotonic + milliseconds(500);
  send(call_of("RunInstances", launch));
  EXPECT_FALSE(answer_);
  EXPECT_THAT(gate_.held, SizeIs(7));
}

TEST_F(ServiceTest, AWrongSignatureTakesNothingOfTheTenantsRate) {
  for (int i = 0; i < 50; ++i) {
    send(call_of("RunInstances", {}), {.secret = "wrong"});
    answer_.reset();
  }
  gate_.held.clear();
  send(call_of("RunInstances", {{"ImageId", "ami-1"}, {"MinCount", "1"}, {"MaxCount", "1"}}));
  EXPECT_THAT(gate_.held, SizeIs(1));
}

TEST_F(ServiceTest, WithoutRoomForItsClassARequestIsRefusedBeforeItsSignatureIsLookedAt) {
  gate_.full = core::InputClass::list;
  send(call_of("DescribeInstances", {}), {.secret = "wrong"});
  ASSERT_TRUE(answer_);
  EXPECT_EQ(answer_->status, 503U);
  EXPECT_THAT(answer_->body, HasSubstr("<Code>RequestLimitExceeded</Code>"));
  EXPECT_EQ(answer_->delay.count(), 0) << "there may be room again at once";
  EXPECT_EQ(observed_.back().throttled, "region");
  EXPECT_EQ(observed_.back().action, "-") << "an unproven name is no label";
  EXPECT_THAT(gate_.held, IsEmpty());
  answer_.reset();
  send(call_of("DescribeInstances", {{"InstanceId.1", "i-0"}}));
  EXPECT_FALSE(answer_) << "a read is not a list";
  EXPECT_THAT(gate_.held, SizeIs(1));
}

TEST_F(ServiceTest, WhatTheQueueRefusesOrDropsIsRetryable) {
  send(call_of("DescribeRegions", {}));
  reply(Error{Code::throttled, "queue", "Request limit exceeded."});
  executor_.run();
  EXPECT_EQ(answer_->status, 503U);
  EXPECT_EQ(observed_.back().throttled, "region");
  EXPECT_THAT(answer_->headers, testing::Contains(testing::Key("Retry-After")));
  answer_.reset();
  send(call_of("DescribeRegions", {}));
  reply(Error{Code::unavailable, "queue", "The request waited too long to be started; retry."});
  executor_.run();
  EXPECT_EQ(answer_->status, 503U);
  EXPECT_THAT(answer_->body, HasSubstr("<Code>Unavailable</Code>"));
  EXPECT_EQ(observed_.back().throttled, "late");
  EXPECT_THAT(answer_->headers, testing::Contains(testing::Key("Retry-After")));
}

TEST_F(ServiceTest, AnUnknownActionIsRefusedOnlyToWhoIsKnown) {
  send(call_of("DescribeVpcs", {}));
  EXPECT_EQ(answer_->status, 400U);
  EXPECT_THAT(answer_->body, HasSubstr("<Code>InvalidAction</Code>"));
  answer_.reset();
  send(call_of("DescribeVpcs", {}), {.secret = "wrong"});
  EXPECT_THAT(answer_->body, HasSubstr("<Code>AuthFailure</Code>"));
}

TEST_F(ServiceTest, OlderVersionsAreAnsweredAndOthersAreNot) {
  auto code_for = [&](std::string version) -> std::string {
    answer_.reset();
    gate_.held.clear();
    send({{"Action", "DescribeRegions"}, {"Version", std::move(version)}});
    return answer_ ? answer_->body : "asked";
  };
  EXPECT_EQ(code_for("2016-11-15"), "asked");
  EXPECT_EQ(code_for("2013-10-15"), "asked");
  EXPECT_THAT(code_for("2017-01-01"), HasSubstr("NoSuchVersion"));
  EXPECT_THAT(code_for("2016-11-1x"), HasSubstr("NoSuchVersion"));
  EXPECT_THAT(code_for("2011-06-15"), HasSubstr("NoSuchVersion"));
}

TEST_F(ServiceTest, StsHasItsOwnSignatureAndItsOwnEnvelope) {
  Pairs const who = {{"Action", "GetCallerIdentity"}, {"Version", "2011-06-15"}};
  send(who, {.service = "sts"});
  ASSERT_THAT(gate_.held, SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<core::GetCallerIdentity>(gate_.call().action));
  // A signature for one service does not open the other.
  send(who, {.service = "ec2"});
  ASSERT_TRUE(answer_);
  EXPECT_THAT(answer_->body, Not(HasSubstr("GetCallerIdentityResult")));
  answer_.reset();
  send(who, {.service = "sts", .secret = "wrong"});
  EXPECT_THAT(answer_->body, HasSubstr("<ErrorResponse"));
}

TEST_F(ServiceTest, AMalformedQueryIsRefusedBeforeAnythingElse) {
  service_.handle({.method = "POST",
                   .target = "/",
                   .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                   .body = "Action=%zz",
                   .peer = "192.0.2.7:4711"},
                  [this](Answer answer) { answer_ = std::move(answer); });
  ASSERT_TRUE(answer_);
  EXPECT_THAT(answer_->body, HasSubstr("<Code>MalformedQueryString</Code>"));
  EXPECT_THAT(gate_.held, IsEmpty());
}

TEST_F(ServiceTest, AKeyIsMadeOnTheExecutorAndItsPrivateHalfGoesOnlyToItsOwner) {
  send(call_of("CreateKeyPair", {{"KeyName", "ada"}, {"KeyType", "ed25519"}}));
  EXPECT_THAT(gate_.held, IsEmpty()) << "made on the caller's thread";
  executor_.run();
  ASSERT_THAT(gate_.held, SizeIs(1));
  auto const& ask = std::get<core::AddKeyPair>(gate_.call().action);
  EXPECT_THAT(ask.public_key, Not(HasSubstr("PRIVATE")));
  KeyPair key;
  key.name = ask.name;
  key.fingerprint = ask.fingerprint;
  reply(core::OneKeyPair{key});
  executor_.run();
  EXPECT_THAT(answer_->body, HasSubstr("-----BEGIN OPENSSH PRIVATE KEY-----"));
}

TEST_F(ServiceTest, TheConsoleIsReadFromTheHostThatTheCoreNames) {
  send(call_of("GetConsoleOutput", {{"InstanceId", "i-0"}}));
  reply(core::ConsoleAt{.instance = InstanceId("i-0"), .host = HostId("host-1")});
  executor_.run();
  ASSERT_TRUE(console_done_);
  EXPECT_EQ(console_host_, HostId("host-1"));
  EXPECT_FALSE(answer_);
  console_done_(std::string("login: "));
  executor_.run();
  EXPECT_THAT(answer_->body, HasSubstr("<output>" + base64("login: ") + "</output>"));
}

TEST_F(ServiceTest, AHostThatDoesNotAnswerIsUnavailableAndTellsNothingMore) {
  send(call_of("GetConsoleOutput", {{"InstanceId", "i-0"}}));
  reply(core::ConsoleAt{.instance = InstanceId("i-0"), .host = HostId("host-1")});
  executor_.run();
  console_done_(Error{Code::unavailable, "host", "host rack1-host7 is not connected"});
  executor_.run();
  EXPECT_EQ(answer_->status, 503U);
  EXPECT_THAT(answer_->body,
              AllOf(HasSubstr("<Code>Unavailable</Code>"), Not(HasSubstr("rack1-host7"))));
}

TEST_F(ServiceTest, AnInstanceWithoutAHostHasAnEmptyConsole) {
  send(call_of("GetConsoleOutput", {{"InstanceId", "i-0"}}));
  reply(core::ConsoleAt{.instance = InstanceId("i-0"), .host = {}});
  executor_.run();
  EXPECT_FALSE(console_done_);
  EXPECT_THAT(answer_->body, HasSubstr("<output"));
}

TEST_F(ServiceTest, AnErrorInsideIsAnsweredWithoutItsWords) {
  send(call_of("DescribeInstances", {}));
  reply(Error{Code::corrupt, "record", "row 7 of /var/lib/berth"});
  executor_.run();
  EXPECT_EQ(answer_->status, 500U);
  EXPECT_THAT(answer_->body,
              AllOf(HasSubstr("<Code>InternalError</Code>"), Not(HasSubstr("/var/lib"))));
}

TEST_F(ServiceTest, NoTwoRequestsHaveOneId) {
  send(call_of("DescribeRegions", {}));
  send(call_of("DescribeRegions", {}));
  EXPECT_NE(gate_.call(0).caller.request_id, gate_.call(1).caller.request_id);
}

}  // namespace
}  // namespace berth::ec2
