// berth-agent: flags, wiring, signals; nothing else.

#include <gflags/gflags.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include <cstdio>

#include "agent/agent.h"

namespace {

constexpr char kUsage[] =
    "the agent of a Berth host: makes libvirt match what the daemon wants\n\n"
    "  berth-agent --daemon=HOST:PORT --join_file=/etc/berth/join\n\n"
    "SIGTERM or SIGINT stops it; guests run on and are found again at the next start.\n"
    "Flags may stand in a file: --flagfile=/etc/berth/berth-agent.conf";

int failed(berth::Error const& error, int status) {
  std::fprintf(stderr, "berth-agent: %s\n", error.message.c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  gflags::SetUsageMessage(kUsage);
  gflags::SetVersionString(BERTH_VERSION);
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  if (argc > 1) {
    std::fprintf(stderr, "berth-agent: wanted only flags, found '%s'; see --help\n", argv[1]);
    return 2;
  }
  berth::Result<berth::agent::Settings> settings = berth::agent::settings_from_flags();
  if (!settings) return failed(settings.error(), 2);
  berth::log_start(settings->log);

  sigset_t signals;
  sigemptyset(&signals);
  for (int const s : {SIGTERM, SIGINT}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  auto agent = berth::agent::Agent::start(*std::move(settings));
  if (!agent) return failed(agent.error(), 1);
  sd_notify(0, "READY=1");
  int signal_number = 0;
  while (sigwait(&signals, &signal_number) != 0) {}
  sd_notify(0, "STOPPING=1");
  (*agent)->stop();
  return 0;
}
