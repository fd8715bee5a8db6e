// Verifies signed requests from standard input; the C++ half of
// tests/integration/sigv4_differential.py.
//
//   sigv4_check [--presigned] < requests > answers
//
// Input, all netstrings: number of keys, then per key id, secret, session token; then per request
// the server's time ("20260102T030405Z"), method, target, body, number of headers, and per header
// name and value. Output: per request one line, the access key id or "!" and the error's code.

#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/ec2/sigv4.h"
#include "tests/support/netstring.h"

int main(int argc, char** argv) {
  using berth::test::next_netstring;
  std::ios::sync_with_stdio(false);
  berth::ec2::VerifyOptions options;
  options.presigned = argc > 1 && std::string_view(argv[1]) == "--presigned";
  berth::ec2::KeyTable keys;
  int const key_count = std::stoi(next_netstring(std::cin));
  for (int i = 0; i < key_count; ++i) {
    std::string const id = next_netstring(std::cin);
    std::string const secret = next_netstring(std::cin);
    keys.keys[id] = {secret, next_netstring(std::cin), berth::TenantId{"123456789012"}, true};
  }
  berth::ec2::SigningKeyCache cache;
  while (auto const time = berth::test::read_netstring(std::cin)) {
    std::string const method = next_netstring(std::cin);
    std::string const target = next_netstring(std::cin);
    std::string const body = next_netstring(std::cin);
    std::vector<std::string> texts;
    int const header_count = std::stoi(next_netstring(std::cin));
    for (int i = 0; i < 2 * header_count; ++i) texts.push_back(next_netstring(std::cin));
    berth::ec2::SignedRequest request{
        .method = method, .target = target, .headers = {}, .body = body};
    for (std::size_t i = 0; i < texts.size(); i += 2) {
      request.headers.emplace_back(texts[i], texts[i + 1]);
    }
    auto const now = berth::parse_iso8601_basic(*time);
    auto const who = berth::ec2::verify(request, keys, now.value(), options, cache);
    if (who) {
      std::cout << who->access_key_id.value << '\n';
    } else {
      std::cout << '!' << who.error().code << '\n';
    }
  }
  return 0;
}
