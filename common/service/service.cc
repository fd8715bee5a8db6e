#include "common/service/service.h"

#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>

namespace berth::service {

// sd_notify's result is of no use: without a manager it says so, with one nothing could be done.

void ready() {
  sd_notify(0, "READY=1");
}
void reloading() {
  sd_notify(0, "RELOADING=1");
}
void stopping() {
  sd_notify(0, "STOPPING=1\nSTATUS=stopping; guests run on");
}
void keep_alive() {
  sd_notify(0, "WATCHDOG=1");
}

void set_status(std::string_view line) {
  std::string text = "STATUS=";
  // A line feed would begin another of the manager's variables.
  for (char const c : line) text += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  sd_notify(0, text.c_str());
}

std::optional<Duration> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  constexpr std::uint64_t kDayMicroseconds = std::uint64_t{86'400} * 1'000'000;
  if (microseconds == 0 || microseconds > kDayMicroseconds) return std::nullopt;
  return Duration{static_cast<std::int64_t>(microseconds) * 1'000};
}

std::optional<std::string> credential(std::string const& name) {
  char const* const directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr || *directory != '/') return std::nullopt;
  std::string path = std::string(directory) + "/" + name;
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode) || found.st_size == 0) {
    return std::nullopt;
  }
  return path;
}

}  // namespace berth::service
