// berth-agent: flags, wiring, signals; nothing else.

#include <gflags/gflags.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "agent/agent.h"
#include "agent/metric_table.h"
#include "common/service/service.h"

// Where gflags ends the process over a flag that it does not know; no header of it says so.
namespace GFLAGS_NAMESPACE {
extern void (*gflags_exitfunc)(int);
}

DEFINE_bool(list_metrics, false, "Print what the metrics page has, as a table, and exit");

namespace {

constexpr int kConfigWrong = 78;  // sysexits.h

constexpr char kUsage[] =
    "the agent of a Berth host: makes libvirt match what the daemon wants\n\n"
    "  berth-agent --daemon=HOST:PORT --join_file=/etc/berth/join\n\n"
    "SIGTERM or SIGINT stops it; guests run on and are found again at the next start.\n"
    "Flags may stand in a file: --flagfile=/etc/berth/agent.conf";

// gflags parses and complains before any flag has a value.
bool asks_for_check(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc, [](std::string_view word) {
    return word == "--check_config" || word == "-check_config";
  });
}

// Each problem on a line of its own.
int wrong(berth::Problems const& problems, int status) {
  for (berth::Error const& error : problems.all())
    std::fprintf(stderr, "berth-agent: %s\n", error.message.c_str());
  return status;
}

int failed(berth::Error const& error, int status) {
  std::fprintf(stderr, "berth-agent: %s\n", error.message.c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  gflags::SetUsageMessage(kUsage);
  gflags::SetVersionString(BERTH_VERSION);
  if (asks_for_check(argc, argv)) {
    GFLAGS_NAMESPACE::gflags_exitfunc = [](int status) {
      std::exit(status == 0 ? 0 : kConfigWrong);
    };
  }
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  if (argc > 1) {
    std::fprintf(stderr, "berth-agent: wanted only flags, found '%s'; see --help\n", argv[1]);
    return 2;
  }
  if (FLAGS_list_metrics) {
    std::fputs(berth::reference_of("berth-agent", berth::agent::metric_table()).c_str(), stdout);
    return 0;
  }
  berth::Problems problems;
  berth::agent::Settings settings = berth::agent::settings_from_flags(problems);
  if (settings.check_only) {
    check_files(settings, problems);
    if (!problems.none()) return wrong(problems, kConfigWrong);
    std::puts("ok");
    return 0;
  }
  if (!problems.none()) return wrong(problems, 2);
  berth::log_start(settings.log);

  sigset_t signals;
  sigemptyset(&signals);
  for (int const s : {SIGTERM, SIGINT}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  auto agent = berth::agent::Agent::start(std::move(settings));
  if (!agent) return failed(agent.error(), 1);
  berth::service::ready();
  int signal_number = 0;
  while (sigwait(&signals, &signal_number) != 0) {}
  berth::service::stopping();
  (*agent)->stop();
  return 0;
}
