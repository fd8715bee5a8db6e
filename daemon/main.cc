// berthd: flags, wiring, signals; nothing else.

#include <gflags/gflags.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "common/service/service.h"
#include "daemon/berthd.h"
#include "daemon/restore.h"
#include "daemon/metrics/table.h"

DEFINE_bool(list_metrics, false, "Print what the metrics page has, as a table, and exit");

// Where gflags ends the process over a flag that it does not know; no header of it says so.
namespace GFLAGS_NAMESPACE {
extern void (*gflags_exitfunc)(int);
}

namespace {

constexpr int kConfigWrong = 78;  // sysexits.h

constexpr char kUsage[] =
    "the daemon of a Berth region: EC2 API in, host specs out\n\n"
    "  berthd --data_dir=/var/lib/berth --region=us-east-1\n\n"
    "SIGTERM or SIGINT stops it (guests run on), SIGHUP reads its certificates again.\n"
    "Flags may stand in a file: --flagfile=/etc/berth/berthd.conf";

// gflags parses and complains before any flag has a value.
bool asks_for_check(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc, [](std::string_view word) {
    return word == "--check_config" || word == "-check_config";
  });
}

// Each problem on a line of its own.
int wrong(berth::Problems const& problems, int status) {
  for (berth::Error const& error : problems.all())
    std::fprintf(stderr, "berthd: %s\n", error.message.c_str());
  return status;
}

int failed(berth::Error const& error, int status) {
  std::fprintf(stderr, "berthd: %s\n", error.message.c_str());
  return status;
}

// One connection is one file: as many as this process is allowed.
void raise_file_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
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
    std::fprintf(stderr, "berthd: wanted only flags, found '%s'; see --help\n", argv[1]);
    return 2;
  }
  if (FLAGS_list_metrics) {
    std::fputs(berth::reference_of("berthd", berth::daemon_metric_table()).c_str(), stdout);
    return 0;
  }
  berth::Problems problems;
  berth::Settings settings = berth::settings_from_flags(problems);
  if (settings.check_only) {
    check_files(settings, problems);
    if (!problems.none()) return wrong(problems, kConfigWrong);
    std::puts("ok");
    return 0;
  }
  if (!problems.none()) return wrong(problems, 2);
  if (!settings.issue_admin.empty()) {
    berth::Result<std::string> const pem = berth::issue_admin(settings);
    if (!pem) return failed(pem.error(), 1);
    std::fputs(pem->c_str(), stdout);
    return 0;
  }
  if (!settings.restore.empty()) {
    berth::Result<std::string> const told = berth::restore(settings);
    if (!told) return failed(told.error(), 1);
    std::fputs(told->c_str(), stdout);
    return 0;
  }
  berth::log_start(settings.log);

  // Before any thread exists, so that all of them leave the signals to this one.
  sigset_t signals;
  sigemptyset(&signals);
  for (int const s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  raise_file_limit();

  auto daemon = berth::Berthd::start(std::move(settings));
  if (!daemon) return failed(daemon.error(), 1);
  berth::service::ready();
  for (;;) {
    int signal_number = 0;
    if (sigwait(&signals, &signal_number) != 0) continue;
    if (signal_number != SIGHUP) break;
    berth::service::reloading();
    (*daemon)->reload();
    berth::service::ready();
  }
  berth::service::stopping();
  (*daemon)->stop();
  return 0;
}
