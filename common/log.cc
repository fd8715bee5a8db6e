#include "berth/base/log.h"
#include "berth/base/log_event.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <span>

namespace berth {

namespace {

std::atomic<bool> json_lines{false};

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
  if (!options.file.empty()) {
    l.sinks() = {std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file)};
  }
  l.set_level(level_of(options.level));
  json_lines = options.format == LogFormat::json;
  l.set_pattern(json_lines ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                           : "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v",
                spdlog::pattern_time_type::utc);
  l.flush_on(spdlog::level::info);
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  write(level, message, std::span(fields.begin(), fields.size()));
}

void log_event(LogLevel level, std::string_view message, std::vector<LogField> const& fields) {
  write(level, message, fields);
}

}  // namespace berth
