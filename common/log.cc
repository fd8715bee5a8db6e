#include "berth/base/log.h"
#include "berth/base/log_event.h"

#include <fcntl.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

#include "berth/base/thread_name.h"

namespace berth {

namespace {

std::atomic<bool> json_lines{false};

// Collects lines and writes many with one system call: a decision's line must not cost the core's
// thread a write. Warnings and errors leave at once, with all before them; the rest after a tenth
// of a second, so that a kill -9 takes at most that much with it.
class CollectingSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit CollectingSink(int fd)
      : fd_(fd), writer_([this](std::stop_token const& s) { run(s); }) {}
  ~CollectingSink() override {
    writer_ = {};
    flush();
    if (fd_ != STDERR_FILENO) ::close(fd_);
  }
  CollectingSink(CollectingSink const&) = delete;
  CollectingSink& operator=(CollectingSink const&) = delete;

 private:
  static constexpr std::size_t kCollectedBytesMax = 64 * 1024;
  static constexpr std::chrono::milliseconds kInterval{100};

  void sink_it_(spdlog::details::log_msg const& message) override {
    formatter_->format(message, lines_);
    if (message.level >= spdlog::level::warn || lines_.size() > kCollectedBytesMax) flush_();
  }
  void flush_() override {
    std::string_view left(lines_.data(), lines_.size());
    while (!left.empty()) {
      ssize_t const n = ::write(fd_, left.data(), left.size());
      if (n < 0 && errno == EINTR) continue;
      // A log that cannot be written (a full disk, a closed pipe) must not stop what it tells of.
      if (n <= 0) break;
      left.remove_prefix(static_cast<std::size_t>(n));
    }
    lines_.clear();
  }
  void run(std::stop_token const& stop) {
    name_thread("log");
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    while (!stop.stop_requested()) {
      never.wait_for(lock, stop, kInterval, [] { return false; });
      flush();
    }
  }

  int fd_;
  spdlog::memory_buf_t lines_;
  std::jthread writer_;
};

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  static std::shared_ptr<spdlog::logger> const instance = [] {
    auto made = std::make_shared<spdlog::logger>("berth",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

// JSON string escaping; it also keeps a text line one line, whatever a tenant wrote.
void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  for (char const c : value) {
    auto const u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < 0x20 || u == 0x7f) {
      static constexpr char kDigits[] = "0123456789abcdef";
      out += "\\u00";
      out += kDigits[u >> 4];
      out += kDigits[u & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

bool is_plain(std::string_view value) {
  if (value.empty()) return false;
  for (char const c : value) {
    auto const u = static_cast<unsigned char>(c);
    if (u <= 0x20 || u == 0x7f || c == '"' || c == '\\' || c == '=') return false;
  }
  return true;
}

void write(LogLevel level, std::string_view message, std::span<LogField const> fields) {
  spdlog::logger& l = logger();
  if (!l.should_log(level_of(level))) return;
  std::string line;
  if (json_lines) {
    line += R"("message":)";
    append_quoted(line, message);
    for (LogField const& f : fields) {
      line += ',';
      append_quoted(line, f.key);
      line += ':';
      append_quoted(line, f.value);
    }
  } else {
    line += message;
    for (LogField const& f : fields) {
      line += ' ';
      line += f.key;
      line += '=';
      if (is_plain(f.value))
        line += f.value;
      else
        append_quoted(line, f.value);
    }
  }
  l.log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace

void log_start(LogOptions const& options) {
  spdlog::logger& l = logger();
  int fd = STDERR_FILENO;
  if (!options.file.empty()) {
    fd = ::open(options.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0) {
      int const why = errno;
      fd = STDERR_FILENO;
      log_error("the log file cannot be opened; the log goes to standard error",
                {{"file", options.file}, {"error", std::strerror(why)}});
    }
  }
  l.sinks() = {std::make_shared<CollectingSink>(fd)};
  l.set_level(level_of(options.level));
  json_lines = options.format == LogFormat::json;
  l.set_pattern(json_lines ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                           : "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v",
                spdlog::pattern_time_type::utc);
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  write(level, message, std::span(fields.begin(), fields.size()));
}

void log_event(LogLevel level, std::string_view message, std::vector<LogField> const& fields) {
  write(level, message, fields);
}

}  // namespace berth
