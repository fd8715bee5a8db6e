// What a signature check gives away, for tests/integration/sigv4_no_oracle.py to watch under
// valgrind.
//
//   sigv4_probe known     requests of known keys with a wrong signature (callgrind counts)
//   sigv4_probe unknown   the same requests of keys that do not exist
//   sigv4_probe secret    known keys whose secrets are undefined memory: memcheck then reports
//   every
//                         branch and every address that depends on a secret

#include <valgrind/callgrind.h>
#include <valgrind/memcheck.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "daemon/ec2/sigv4.h"

int main(int argc, char** argv) {
  using namespace berth;
  std::string_view const mode = argc == 2 ? argv[1] : "";
  if (mode != "known" && mode != "unknown" && mode != "secret") {
    std::fputs("usage: sigv4_probe known|unknown|secret\n", stderr);
    return 2;
  }
  ec2::KeyTable table;
  for (int i = 0; i < 500; ++i) {
    table.keys["AKIA" + std::to_string(100'000 + i)] = {std::string(40, 's'), "", TenantId{"1"},
                                                        true};
  }
  if (mode == "secret") {
    for (auto& [id, entry] : table.keys) {
      static_cast<void>(VALGRIND_MAKE_MEM_UNDEFINED(entry.secret.data(), entry.secret.size()));
    }
  }
  WallTime const now = *parse_iso8601_basic("20150830T123600Z");
  ec2::SigningKeyCache cache;
  int refused = 0;
  CALLGRIND_TOGGLE_COLLECT;
  for (int i = 0; i < 500; ++i) {
    std::string const id = (mode == "unknown" ? "AKIB" : "AKIA") + std::to_string(100'000 + i);
    std::string const authorization = "AWS4-HMAC-SHA256 Credential=" + id +
                                      "/20150830/us-east-1/ec2/aws4_request, "
                                      "SignedHeaders=host;x-amz-date, Signature=" +
                                      std::string(64, '0');
    ec2::SignedRequest const request{.method = "POST",
                                     .target = "/",
                                     .headers = {{"Host", "h"},
                                                 {"X-Amz-Date", "20150830T123600Z"},
                                                 {"Authorization", authorization}},
                                     .body = "Action=DescribeRegions"};
    // The second and third come from the cache. Not in the secret's case: whether a cached key is
    // of the same secret is a branch on two secrets, and says only that a secret was replaced.
    for (int repeat = 0; repeat < (mode == "secret" ? 1 : 3); ++repeat) {
      if (!ec2::verify(request, table, now, {}, cache)) ++refused;
    }
  }
  CALLGRIND_TOGGLE_COLLECT;
  std::printf("refused %d\n", refused);
  return 0;
}
