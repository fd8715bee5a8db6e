// The C++ half of tests/integration/wire_against_botocore.py.
//
//   wire_echo render SEED     for every action a result filled at random, one JSON object a line:
//                             {"action", "service", "xml", "value"}
//   wire_echo read            requests from standard input (netstrings: method, target, content
//                             type, body); per request one line, the typed request as
//                             {"action", "value"} or the error as {"error", "message"}

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/entropy.h"
#include "daemon/ec2/wire/codec.h"
#include "daemon/ec2/wire/wire_visit.h"
#include "tests/support/netstring.h"
#include "tests/support/wire_dump.h"

namespace {

using namespace berth;
using namespace berth::ec2::wire;

// Texts that a careless writer or parser would change.
constexpr std::string_view kTexts[] = {
    "",           "plain", "a<b>&\"'c", " padded ", "\xC3\xA9\xF0\x9F\x90\xA2", "two\nlines",
    "cr\r\ncrlf", "]]>",   "tab\there", "&amp;",    "i-0123456789abcdef0"};

class Filler {
 public:
  explicit Filler(std::uint64_t seed) : entropy_(seed) {}

  void fill(Shape const& shape, void* object) {
    for (Member const& member : shape.members) {
      if (below(5) == 0) continue;
      fill_member(member, static_cast<std::byte*>(object) + member.offset);
    }
  }

 private:
  std::uint64_t below(std::uint64_t n) { return entropy_.below(n); }

  std::string text() { return std::string(kTexts[below(std::size(kTexts))]); }
  std::string bytes() {
    std::string out(below(40), '\0');
    for (char& c : out) c = static_cast<char>(below(256));
    return out;
  }
  std::int64_t integer() {
    return static_cast<std::int64_t>(below(1ULL << 32)) - (std::int64_t{1} << 31);
  }
  double real() { return static_cast<double>(below(1'000'000)) / 1024; }
  WallTime time() { return WallTime{static_cast<std::int64_t>(below(4'000'000'000'000))}; }

  void fill_member(Member const& member, void* at) {
    switch (member.kind) {
      case Kind::text: set(at, text()); return;
      case Kind::blob: set(at, bytes()); return;
      case Kind::integer: set(at, integer()); return;
      case Kind::boolean: set(at, below(2) == 0); return;
      case Kind::real: set(at, real()); return;
      case Kind::time: set(at, time()); return;
      case Kind::structure: {
        Shape const& inner = shape(member.shape);
        fill(inner, inner.emplace(at));
        return;
      }
      case Kind::list:
        for (std::uint64_t i = below(4); i > 0; --i) fill_item(member, at);
        return;
    }
  }

  void fill_item(Member const& member, void* at) {
    switch (member.item) {
      case Kind::text: append(at, text()); return;
      case Kind::blob: append(at, bytes()); return;
      case Kind::integer: append(at, integer()); return;
      case Kind::real: append(at, real()); return;
      case Kind::time: append(at, time()); return;
      case Kind::structure: {
        Shape const& inner = shape(member.shape);
        fill(inner, inner.append(at));
        return;
      }
      case Kind::boolean:
      case Kind::list: std::abort();
    }
  }

  template <class T>
  static void set(void* at, T value) {
    *static_cast<std::optional<T>*>(at) = std::move(value);
  }
  template <class T>
  static void append(void* at, T value) {
    static_cast<std::vector<T>*>(at)->push_back(std::move(value));
  }

  SeededEntropy entropy_;
};

void print_field(std::string& out, std::string_view name, std::string_view text) {
  out += out.empty() ? '{' : ',';
  test::append_json_text(out, name);
  out += ':';
  test::append_json_text(out, text);
}

void render_all(std::uint64_t seed) {
  for (std::size_t i = 0; i < actions().size(); ++i) {
    auto const action = static_cast<Action>(i);
    visit_action(action, [&]<class Request, class Output>() {
      Output output;
      Filler(seed + i).fill(shape(Output::kShape), &output);
      std::string line;
      print_field(line, "action", info(action).name);
      print_field(line, "service", info(info(action).service).name);
      print_field(line, "xml", render(action, output, "00000000-0000-4000-8000-000000000000"));
      line += ",\"value\":";
      test::append_json(line, shape(Output::kShape), &output);
      std::cout << line << "}\n";
    });
  }
}

std::string error_line(ec2::Ec2Error const& error) {
  std::string line;
  print_field(line, "error", error.code);
  print_field(line, "message", error.message);
  return line + "}";
}

std::string answer(QueryText const& text) {
  auto const parameters = parse_query(text);
  if (!parameters) return error_line(parameters.error());
  auto const action = identify(*parameters, service_of(*parameters));
  if (!action) return error_line(action.error());
  return visit_action(*action, [&]<class Request, class Output>() {
    ec2::Ec2Result<Request> const request = read<Request>(*parameters);
    if (!request) return error_line(request.error());
    std::string line;
    print_field(line, "action", info(*action).name);
    line += ",\"value\":";
    test::append_json(line, shape(Request::kShape), &*request);
    return line + "}";
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  std::string_view const mode = argc > 1 ? argv[1] : "";
  if (mode == "render" && argc == 3) {
    render_all(std::strtoull(argv[2], nullptr, 10));
  } else if (mode == "read") {
    while (auto const method = test::read_netstring(std::cin)) {
      std::string const target = test::next_netstring(std::cin);
      std::string const content_type = test::next_netstring(std::cin);
      std::string const body = test::next_netstring(std::cin);
      std::cout << answer({*method, target, content_type, body}) << '\n';
    }
  } else {
    std::cerr << "usage: wire_echo render SEED | wire_echo read\n";
    return 2;
  }
  return 0;
}
