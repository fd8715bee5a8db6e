#include "daemon/ec2/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "berth/base/digest.h"

namespace berth::ec2 {
namespace {

using testing::HasSubstr;

constexpr std::string_view kKeyId = "AKIDEXAMPLE";
constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kTime = "20150830T123600Z";

// A request that owns its text.
struct Request {
  std::string method = "POST";
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers = {{"Host", "ec2.example:8080"},
                                                              {"X-Amz-Date", std::string(kTime)}};
  std::string body = "Action=DescribeInstances&Version=2016-11-15";

  [[nodiscard]] SignedRequest view() const {
    SignedRequest out{.method = method, .target = target, .headers = {}, .body = body};
    for (auto const& [name, value] : headers) out.headers.emplace_back(name, value);
    return out;
  }
  std::string& header(std::string_view name) {
    for (auto& [n, value] : headers) {
      if (n == name) return value;
    }
    return headers.emplace_back(name, "").second;
  }
};

struct Signing {
  std::string key_id{kKeyId};
  std::string secret{kSecret};
  std::string date = "20150830";
  std::string region = "us-east-1";
  std::string service = "ec2";
  std::string time{kTime};
  std::vector<std::string> signed_headers = {"host", "x-amz-date"};
  std::string payload_hash;  // empty: of the body
};

// Signs as a client does: with canonical_request and signature, which the vectors below hold up.
Request with_signature(Request request, Signing const& how = {}) {
  Authorization const scope{.access_key_id = how.key_id,
                            .date = how.date,
                            .region = how.region,
                            .service = how.service,
                            .signed_headers = how.signed_headers,
                            .time = how.time};
  std::string const hash = how.payload_hash.empty() ? hex(sha256(request.body)) : how.payload_hash;
  std::string const to_sign = string_to_sign(scope, canonical_request(request.view(), scope, hash));
  std::string names;
  for (std::string const& name : how.signed_headers) names += (names.empty() ? "" : ";") + name;
  request.headers.emplace_back(
      "Authorization", "AWS4-HMAC-SHA256 Credential=" + how.key_id + "/" + how.date + "/" +
                           how.region + "/" + how.service + "/aws4_request, SignedHeaders=" +
                           names + ", Signature=" + signature(how.secret, scope, to_sign));
  return request;
}

class SigV4 : public testing::Test {
 protected:
  SigV4() {
    keys_.keys[std::string(kKeyId)] =
        KeyEntry{std::string(kSecret), "", TenantId{"123456789012"}, true};
    keys_.keys["AKIDTEMPORARY"] = KeyEntry{"temporary", "token==", TenantId{"2"}, true};
    keys_.keys["AKIDDISABLED"] = KeyEntry{"disabled", "", TenantId{"3"}, false};
  }

  Ec2Result<Verified> verified(Request const& request) {
    return verify(request.view(), keys_, now_, options_, cache_);
  }
  std::string code(Request const& request) {
    Ec2Result<Verified> const result = verified(request);
    return result ? "accepted" : result.error().code;
  }

  KeyTable keys_;
  WallTime now_ = *parse_iso8601_basic(kTime);
  VerifyOptions options_;
  SigningKeyCache cache_;
};

TEST_F(SigV4, a_request_signed_by_a_known_key_tells_whose_it_is) {
  Ec2Result<Verified> const result = verified(with_signature({}));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(*result, (Verified{.access_key_id = AccessKeyId{std::string(kKeyId)},
                               .tenant = TenantId{"123456789012"},
                               .region = "us-east-1",
                               .service = "ec2",
                               .signed_at = now_}));
}

// From AWS's own test suite for Signature Version 4 (aws-sig-v4-test-suite).
struct Vector {
  std::string name;
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;  // without Host and X-Amz-Date
  std::string body;
  std::vector<std::string> signed_headers;
  std::string signature;
};

std::vector<Vector> const& vectors() {
  std::vector<std::string> const plain = {"host", "x-amz-date"};
  std::string const unreserved =
      "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string const vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
  static std::vector<Vector> const all = {
      {"get-vanilla", "GET", "/", {}, "", plain, vanilla},
      {"get-relative", "GET", "/example/..", {}, "", plain, vanilla},
      {"get-relative-relative", "GET", "/example1/example2/../..", {}, "", plain, vanilla},
      {"get-slash", "GET", "//", {}, "", plain, vanilla},
      {"get-slash-dot-slash", "GET", "/./", {}, "", plain, vanilla},
      {"get-slashes",
       "GET",
       "//example//",
       {},
       "",
       plain,
       "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
      {"get-space",
       "GET",
       "/example space/",
       {},
       "",
       plain,
       "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
      {"get-unreserved",
       "GET",
       unreserved,
       {},
       "",
       plain,
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-utf8",
       "GET",
       "/\xE1\x88\xB4",
       {},
       "",
       plain,
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-vanilla-query-order-key-case",
       "GET",
       "/?Param2=value2&Param1=value1",
       {},
       "",
       plain,
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-empty-query-key",
       "GET",
       "/?Param1=value1",
       {},
       "",
       plain,
       "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
      {"get-vanilla-utf8-query",
       "GET",
       "/?\xE1\x88\xB4=bar",
       {},
       "",
       plain,
       "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
      {"get-header-key-duplicate",
       "GET",
       "/",
       {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
       "",
       {"host", "my-header1", "x-amz-date"},
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"get-header-value-order",
       "GET",
       "/",
       {{"My-Header1", "value4"},
        {"My-Header1", "value1"},
        {"My-Header1", "value3"},
        {"My-Header1", "value2"}},
       "",
       {"host", "my-header1", "x-amz-date"},
       "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
      {"get-header-value-trim",
       "GET",
       "/",
       {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
       "",
       {"host", "my-header1", "my-header2", "x-amz-date"},
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"post-vanilla",
       "POST",
       "/",
       {},
       "",
       plain,
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {"post-vanilla-query",
       "POST",
       "/?Param1=value1",
       {},
       "",
       plain,
       "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
      {"post-header-key-sort",
       "POST",
       "/",
       {{"My-Header1", "value1"}},
       "",
       {"host", "my-header1", "x-amz-date"},
       "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
      {"post-x-www-form-urlencoded",
       "POST",
       "/",
       {{"Content-Type", "application/x-www-form-urlencoded"}},
       "Param1=value1",
       {"content-type", "host", "x-amz-date"},
       "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
      {"post-x-www-form-urlencoded-parameters",
       "POST",
       "/",
       {{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}},
       "Param1=value1",
       {"content-type", "host", "x-amz-date"},
       "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
  };
  return all;
}

class AwsVector : public testing::TestWithParam<Vector> {};

TEST_P(AwsVector, has_the_published_signature) {
  Vector const& v = GetParam();
  Request request{v.method, v.target, v.headers, v.body};
  request.headers.emplace_back("Host", "example.amazonaws.com");
  request.headers.emplace_back("X-Amz-Date", kTime);
  Authorization const scope{.access_key_id = std::string(kKeyId),
                            .date = "20150830",
                            .region = "us-east-1",
                            .service = "service",
                            .signed_headers = v.signed_headers,
                            .time = std::string(kTime)};
  std::string const canonical = canonical_request(request.view(), scope, hex(sha256(v.body)));
  EXPECT_EQ(signature(kSecret, scope, string_to_sign(scope, canonical)), v.signature) << canonical;
}

INSTANTIATE_TEST_SUITE_P(Suite, AwsVector, testing::ValuesIn(vectors()), [](auto const& each) {
  std::string name = each.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
});

// From "Examples of how to derive a signing key" of the IAM guide.
TEST(SigningKey, is_the_published_one_and_its_signature_too) {
  Authorization const scope{.access_key_id = std::string(kKeyId),
                            .date = "20150830",
                            .region = "us-east-1",
                            .service = "iam"};
  SigningKeyCache cache;
  EXPECT_EQ(hex(cache.signing_key(kSecret, scope)),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
  EXPECT_EQ(signature(kSecret, scope,
                      "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n"
                      "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST(SigningKey, is_not_taken_from_the_cache_for_another_secret) {
  Authorization const scope{
      .access_key_id = "A", .date = "20150830", .region = "r", .service = "s"};
  SigningKeyCache cache;
  auto const first = cache.signing_key("one", scope);
  auto const second = cache.signing_key("two", scope);
  EXPECT_NE(first, second);
  EXPECT_EQ(cache.signing_key("one", scope), first);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(SigningKey, cache_stays_within_its_limit) {
  SigningKeyCache cache;
  for (std::size_t i = 0; i <= SigningKeyCache::kEntriesMax; ++i) {
    Authorization const scope{.access_key_id = std::to_string(i), .date = "20150830"};
    static_cast<void>(cache.signing_key("s", scope));
    EXPECT_LE(cache.size(), SigningKeyCache::kEntriesMax);
  }
}

TEST_F(SigV4, unknown_disabled_and_wrong_secret_get_the_same_answer) {
  Ec2Error const expected{"AuthFailure", 401,
                          "AWS was not able to validate the provided access credentials"};
  Signing unknown;
  unknown.key_id = "AKIDNOBODY";
  EXPECT_EQ(verified(with_signature({}, unknown)).error(), expected);
  Signing disabled;
  disabled.key_id = "AKIDDISABLED";
  disabled.secret = "disabled";
  EXPECT_EQ(verified(with_signature({}, disabled)).error(), expected);
  Signing wrong;
  wrong.secret = "other";
  EXPECT_EQ(verified(with_signature({}, wrong)).error(), expected);
}

TEST_F(SigV4, the_secret_an_unknown_key_is_compared_with_opens_nothing) {
  Signing unknown;
  unknown.key_id = "AKIDNOBODY";
  unknown.secret = std::string(40, '0');
  EXPECT_EQ(code(with_signature({}, unknown)), "AuthFailure");
}

TEST_F(SigV4, unknown_keys_fill_the_cache_like_known_ones) {
  Signing unknown;
  unknown.key_id = "AKIDNOBODY";
  static_cast<void>(verified(with_signature({}, unknown)));
  EXPECT_EQ(cache_.size(), 1U);
  static_cast<void>(verified(with_signature({})));
  EXPECT_EQ(cache_.size(), 2U);
}

TEST_F(SigV4, any_single_changed_bit_is_refused) {
  Request base;
  base.target = "/base/?Zone=a%20b&Name=x";
  base.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  Signing how;
  how.signed_headers = {"content-type", "host", "x-amz-date"};
  Request const good = with_signature(base, how);
  ASSERT_EQ(code(good), "accepted");
  int changes = 0;
  auto flip_all = [&](auto text_of) {
    for (std::size_t i = 0; i < text_of(good).size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        Request bad = good;
        char& c = text_of(bad)[i];
        c = static_cast<char>(static_cast<unsigned char>(c) ^ (1U << bit));
        ++changes;
        EXPECT_NE(code(bad), "accepted") << text_of(bad);
      }
    }
  };
  flip_all([](auto& r) -> auto& { return r.method; });
  flip_all([](auto& r) -> auto& { return r.target; });
  flip_all([](auto& r) -> auto& { return r.body; });
  for (std::size_t h = 0; h < good.headers.size(); ++h) {
    flip_all([h](auto& r) -> auto& { return r.headers[h].second; });
  }
  EXPECT_GT(changes, 2500);
}

TEST_F(SigV4, the_clock_window_is_exact_to_the_second_either_way) {
  Request const request = with_signature({});
  WallTime const signed_at = now_;
  for (std::int64_t const seconds_off : {-301, -300, 0, 300, 301}) {
    now_ = signed_at + seconds(seconds_off);
    EXPECT_EQ(code(request), std::abs(seconds_off) <= 300 ? "accepted" : "RequestExpired")
        << seconds_off;
  }
  now_ = signed_at + minutes(15);
  options_.clock_window = minutes(15);
  EXPECT_EQ(code(request), "accepted");
  now_ = now_ + milliseconds(1);
  EXPECT_EQ(code(request), "RequestExpired");
}

TEST_F(SigV4, every_part_of_the_scope_must_fit) {
  Signing day;
  day.date = "20150831";
  EXPECT_THAT(verified(with_signature({}, day)).error().message, HasSubstr("day"));
  Signing region;
  region.region = "eu-west-1";
  EXPECT_THAT(verified(with_signature({}, region)).error().message, HasSubstr("us-east-1"));
  Signing service;
  service.service = "s3";
  EXPECT_EQ(verified(with_signature({}, service)).error().code, "AuthFailure");
  Signing sts;
  sts.service = "sts";
  EXPECT_EQ(verified(with_signature({}, sts))->service, "sts");
  Request other = with_signature({});
  std::string& header = other.header("Authorization");
  header.replace(header.find("aws4_request"), 12, "aws5_request");
  EXPECT_EQ(code(other), "IncompleteSignature");
}

TEST_F(SigV4, host_and_date_must_be_signed_and_so_must_a_token) {
  Signing no_host;
  no_host.signed_headers = {"x-amz-date"};
  EXPECT_THAT(verified(with_signature({}, no_host)).error().message, HasSubstr("'host'"));
  Signing no_date;
  no_date.signed_headers = {"host"};
  EXPECT_THAT(verified(with_signature({}, no_date)).error().message, HasSubstr("'x-amz-date'"));
  Request with_token;
  with_token.headers.emplace_back("X-Amz-Security-Token", "token==");
  EXPECT_THAT(verified(with_signature(with_token)).error().message,
              HasSubstr("'x-amz-security-token'"));
}

TEST_F(SigV4, session_tokens_belong_to_their_key) {
  Signing how;
  how.signed_headers = {"host", "x-amz-date", "x-amz-security-token"};
  Request request;
  request.headers.emplace_back("X-Amz-Security-Token", "token==");
  EXPECT_EQ(code(with_signature(request, how)), "AuthFailure");  // a long-term key has no token
  how.key_id = "AKIDTEMPORARY";
  how.secret = "temporary";
  EXPECT_EQ(code(with_signature(request, how)), "accepted");
  request.header("X-Amz-Security-Token") = "other";
  EXPECT_EQ(code(with_signature(request, how)), "AuthFailure");
  how.signed_headers = {"host", "x-amz-date"};
  EXPECT_EQ(code(with_signature({}, how)), "AuthFailure");  // a temporary key needs its token
}

TEST_F(SigV4, the_date_header_serves_when_there_is_no_x_amz_date) {
  Request request;
  request.headers = {{"Host", "h"}, {"Date", "Sun, 30 Aug 2015 12:36:00 GMT"}};
  Signing how;
  how.signed_headers = {"date", "host"};
  EXPECT_EQ(code(with_signature(request, how)), "accepted");
  how.signed_headers = {"host"};
  EXPECT_THAT(verified(with_signature(request, how)).error().message, HasSubstr("'date'"));
  request.header("Date") = "Sun, 30 Xyz 2015 12:36:00 GMT";
  EXPECT_EQ(code(with_signature(request, how)), "IncompleteSignature");
}

TEST_F(SigV4, doubled_headers_are_refused_whatever_their_case) {
  Request request;
  request.headers.emplace_back("x-amz-date", kTime);
  EXPECT_EQ(code(with_signature(request)), "AuthFailure");
  Request unsigned_ones;
  unsigned_ones.headers.emplace_back("Via", "a");
  unsigned_ones.headers.emplace_back("VIA", "b");
  EXPECT_EQ(code(with_signature(unsigned_ones)), "AuthFailure");
}

TEST_F(SigV4, a_signed_header_that_is_not_there_is_refused) {
  Signing how;
  how.signed_headers = {"host", "x-absent", "x-amz-date"};
  EXPECT_THAT(verified(with_signature({}, how)).error().message, HasSubstr("'x-absent'"));
}

TEST_F(SigV4, the_payload_hash_is_of_the_body_we_have) {
  Request request;
  request.headers.emplace_back("X-Amz-Content-SHA256", hex(sha256(request.body)));
  Signing how;
  how.signed_headers = {"host", "x-amz-content-sha256", "x-amz-date"};
  EXPECT_EQ(code(with_signature(request, how)), "accepted");

  Request lying = request;
  lying.header("X-Amz-Content-SHA256") = hex(sha256("other"));
  how.payload_hash = lying.header("X-Amz-Content-SHA256");
  EXPECT_EQ(code(with_signature(lying, how)), "AuthFailure");

  Request unsigned_body = request;
  unsigned_body.header("X-Amz-Content-SHA256") = "UNSIGNED-PAYLOAD";
  how.payload_hash = "UNSIGNED-PAYLOAD";
  EXPECT_EQ(code(with_signature(unsigned_body, how)), "AuthFailure");
  unsigned_body.body = "";  // libcloud's POST without data
  EXPECT_EQ(code(with_signature(unsigned_body, how)), "accepted");
}

TEST_F(SigV4, requests_without_a_signature_are_told_so) {
  EXPECT_EQ(verified({}).error().code, "MissingAuthenticationToken");
  Request version_2;
  version_2.target = "/?Action=x&SignatureVersion=2&SignatureMethod=HmacSHA256&Signature=s";
  EXPECT_THAT(verified(version_2).error().message, HasSubstr("signature_version=\"4\""));
}

TEST_F(SigV4, malformed_authorization_headers_are_incomplete) {
  std::string const good = with_signature({}).headers.back().second;
  auto code_with = [&](std::string const& header) {
    Request request;
    request.headers.emplace_back("Authorization", header);
    return code(request);
  };
  ASSERT_EQ(code_with(good), "accepted");
  EXPECT_EQ(code_with(std::string(good).replace(good.find(", S"), 2, ",")), "accepted");
  auto replaced = [&](std::string_view what, std::string_view with) {
    std::string out = good;
    return out.replace(out.find(what), what.size(), with);
  };
  for (std::string const& bad :
       {std::string(), std::string("AWS4-HMAC-SHA256"), std::string("Basic abc"),
        std::string("AWS4-HMAC-SHA256 "), good + ",", good + ", X=1", good + ", Signature=0",
        replaced("AWS4", "AWS3"), replaced("Signature=", "Sig="),
        replaced("Signature=", "Signature=0"), replaced("host;x-amz-date", "x-amz-date;host"),
        replaced("host;", "host;host;"), replaced("host;", "Host;"), replaced("host;", ";"),
        replaced("/ec2/", "//"), replaced("/ec2/", "/"), replaced("/ec2/", "/ec2/x/"),
        std::string(kAuthorizationBytesMax + 1, 'x')}) {
    EXPECT_EQ(code_with(bad), "IncompleteSignature") << bad;
  }
}

TEST_F(SigV4, malformed_dates_are_incomplete) {
  for (std::string const bad : {"", "20150830", "20150830T1236Z", "20150231T000000Z", "soon"}) {
    Request request;
    request.header("X-Amz-Date") = bad;
    EXPECT_EQ(code(with_signature(request)), "IncompleteSignature") << bad;
  }
}

// A presigned request of our own making; `tail` is appended after signing.
Request presigned(std::string const& expires, std::string const& more = "",
                  std::string const& tail = "") {
  Authorization const scope{.access_key_id = std::string(kKeyId),
                            .date = "20150830",
                            .region = "us-east-1",
                            .service = "ec2",
                            .signed_headers = {"host"},
                            .time = std::string(kTime),
                            .presigned = true};
  Request request{.method = "GET", .target = "", .headers = {{"Host", "h"}}, .body = ""};
  request.target = "/?Action=DescribeRegions&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" +
                   scope.access_key_id +
                   "%2F20150830%2Fus-east-1%2Fec2%2Faws4_request&X-Amz-Date=" + scope.time +
                   "&X-Amz-Expires=" + expires + "&X-Amz-SignedHeaders=host" + more;
  std::string const canonical = canonical_request(request.view(), scope, hex(sha256("")));
  request.target +=
      "&X-Amz-Signature=" + signature(kSecret, scope, string_to_sign(scope, canonical)) + tail;
  return request;
}

TEST_F(SigV4, presigned_requests_are_refused_unless_enabled) {
  EXPECT_EQ(code(presigned("60")), "AuthFailure");
  options_.presigned = true;
  EXPECT_EQ(code(presigned("60")), "accepted");
}

TEST_F(SigV4, presigned_requests_live_as_long_as_they_say_and_no_longer_than_a_week) {
  options_.presigned = true;
  WallTime const signed_at = now_;
  now_ = signed_at + seconds(604'800);
  EXPECT_EQ(code(presigned("604800")), "accepted");
  now_ = signed_at + seconds(604'801);
  EXPECT_EQ(code(presigned("604800")), "RequestExpired");
  now_ = signed_at;
  for (char const* const bad : {"604801", "0", "-1", "1x", "", "99999999999999999999"}) {
    EXPECT_EQ(code(presigned(bad)), "IncompleteSignature") << bad;
  }
  now_ = signed_at + seconds(-301);
  EXPECT_EQ(code(presigned("60")), "RequestExpired");
}

TEST_F(SigV4, presigned_requests_sign_every_parameter_and_take_none_twice) {
  options_.presigned = true;
  EXPECT_EQ(code(presigned("60", "", "&Extra=1")), "AuthFailure");
  EXPECT_EQ(code(presigned("60", "&X-Amz-Expires=70")), "IncompleteSignature");
  EXPECT_EQ(code(presigned("60", "", "&X-Amz-Signature=0")), "IncompleteSignature");
  EXPECT_EQ(code(presigned("60", "&X-Amz-Security-Token=t")), "AuthFailure");
  Request both = presigned("60");
  both.headers.emplace_back("Authorization", "x");
  EXPECT_EQ(code(both), "IncompleteSignature");
  Request with_body = presigned("60");
  with_body.body = "Action=TerminateInstances";
  EXPECT_EQ(code(with_body), "AuthFailure");
}

}  // namespace
}  // namespace berth::ec2
