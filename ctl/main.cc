// berthctl: flags, wiring, exit codes; nothing else.

#include <gflags/gflags.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "berth/base/overloaded.h"
#include "ctl/command_line.h"
#include "ctl/help.h"
#include "ctl/run.h"

// gflags holds the values of what every verb takes; berthctl's own parser reads the words, because
// verbs have flags of their own and gflags knows one set for all.
DEFINE_string(socket, berth::ctl::kSocketFlag.fallback, berth::ctl::kSocketFlag.about);
DEFINE_string(url, berth::ctl::kUrlFlag.fallback, berth::ctl::kUrlFlag.about);
DEFINE_string(cert, berth::ctl::kCertFlag.fallback, berth::ctl::kCertFlag.about);
DEFINE_string(key, berth::ctl::kKeyFlag.fallback, berth::ctl::kKeyFlag.about);
DEFINE_string(ca, berth::ctl::kCaFlag.fallback, berth::ctl::kCaFlag.about);
DEFINE_string(output, berth::ctl::kOutputFlag.fallback, berth::ctl::kOutputFlag.about);

namespace berth::ctl {
namespace {

int fail(Error const& error) {
  std::cerr << "berthctl: " << error.message << "\n";
  return static_cast<int>(exit_code(error));
}

Result<Endpoint> endpoint() {
  if (FLAGS_url.empty())
    return Endpoint{
        .socket = FLAGS_socket, .host = {}, .certificate_file = {}, .key_file = {}, .ca_file = {}};
  if (FLAGS_cert.empty() || FLAGS_key.empty() || FLAGS_ca.empty()) {
    return Error{
        Code::invalid, "usage",
        "--url needs --cert, --key and --ca: over the network both sides show a certificate"};
  }
  Endpoint out = TRY(parse_url(FLAGS_url));
  out.certificate_file = FLAGS_cert;
  out.key_file = FLAGS_key;
  out.ca_file = FLAGS_ca;
  return out;
}

std::size_t terminal_columns() {
  if (::isatty(STDERR_FILENO) == 0) return 0;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

// `berthctl type list | head` is no failure.
bool is_reader_gone() {
  pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
}

int carry_out(Command const& command) {
  Result<Endpoint> const to = endpoint();
  if (!to) return fail(to.error());
  Session session{.exchange = [&](Request const& request) { return exchange(*to, request); },
                  .is_json = FLAGS_output == "json",
                  .out = std::cout,
                  .err = std::cerr,
                  .terminal_columns = terminal_columns()};
  if (Result<void> const done = run(command, session); !done) return fail(done.error());
  std::cout.flush();
  if (std::cout || is_reader_gone()) return static_cast<int>(Exit::ok);
  return fail(Error{Code::unavailable, "file", "the output cannot be written"});
}

int print(std::string const& text) {
  std::cout << text << std::flush;
  return std::cout ? 0 : static_cast<int>(Exit::usage);
}

int start(std::vector<std::string> const& words) {
  Result<CommandLine> const line = parse(words);
  if (!line) return fail(line.error());
  for (auto const& [name, value] : line->globals) {
    ENSURE(!gflags::SetCommandLineOption(name.c_str(), value.c_str()).empty());
  }
  return std::visit(
      overloaded{
          [](Command const& command) { return carry_out(command); },
          [](HelpAsk const& help) {
            if (help.noun.empty()) return print(help_text());
            if (help.verb.empty()) return print(help_text(help.noun));
            return print(help_text(*find_verb(help.noun, help.verb)));
          },
          [](ManAsk const&) { return print(man_page()); },
          [](CompletionAsk const&) { return print(bash_completion()); },
          [](VersionAsk const&) { return print(std::string("berthctl ") + BERTH_VERSION + "\n"); },
      },
      line->what);
}

}  // namespace
}  // namespace berth::ctl

int main(int argc, char** argv) {
  // A daemon that closes early is an error to report, not an end without a word.
  if (std::signal(SIGPIPE, SIG_IGN) == SIG_ERR) return 3;
  return berth::ctl::start(std::vector<std::string>(argv + 1, argv + argc));
}
