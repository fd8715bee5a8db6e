#include "ctl/trace.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <memory>
#include <unordered_map>

namespace berth::ctl {
namespace {

constexpr std::string_view kHeader = "time_s,event,vm_id,vcpu,mem_gib,type,tenant,priority";
enum Field : std::size_t { time_s, event, vm_id, vcpu, mem_gib, fields_min = 3, fields_max = 8 };
constexpr std::int64_t kTimeMax = 1'000'000'000'000;
constexpr std::int64_t kVcpusMax = std::int64_t{placement::kCellVcpusMax} * 8;

std::string quoted(std::string_view text) {
  constexpr std::size_t kShownMax = 60;
  return "'" + std::string(text.substr(0, kShownMax)) + (text.size() > kShownMax ? "..." : "") +
         "'";
}

// A file that zlib reads: gzip is unpacked, anything else comes as it is.
class Input {
 public:
  static Result<Input> open(std::string const& path) {
    int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Error{Code::invalid, "file", path + ": " + std::strerror(errno)};
    struct stat about{};
    bool const is_file = ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    gzFile const file = is_file ? ::gzdopen(fd, "rb") : nullptr;
    if (file == nullptr) {
      ::close(fd);
      return Error{Code::invalid, "file", path + ": wanted a file with a trace"};
    }
    constexpr unsigned kBufferBytes = 1 << 17;
    ::gzbuffer(file, kBufferBytes);
    return Input(file, about.st_size);
  }

  enum class Line { read, end, too_long, broken };
  // The next line without its end.
  Line next(std::string& line) {
    std::array<char, kTraceLineBytesMax> buffer;
    bool const is_there =
        ::gzgets(file_.get(), buffer.data(), static_cast<int>(buffer.size())) != nullptr;
    line = is_there ? buffer.data() : "";
    bool const is_whole = !line.empty() && line.back() == '\n';
    if (!is_whole && line.size() + 1 == buffer.size()) return Line::too_long;
    if (!is_whole) {
      // The file's end; of a gzip file that was cut off, Z_BUF_ERROR.
      int error = 0;
      ::gzerror(file_.get(), &error);
      if (error != Z_OK && error != Z_STREAM_END) return Line::broken;
      if (!is_there) return Line::end;
    }
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    return Line::read;
  }
  [[nodiscard]] std::int64_t offset() const { return ::gzoffset(file_.get()); }
  [[nodiscard]] std::int64_t size() const { return size_; }

 private:
  struct Close {
    void operator()(gzFile file) const { ::gzclose_r(file); }
  };
  Input(gzFile file, std::int64_t size) : file_(file), size_(size) {}
  std::unique_ptr<std::remove_pointer_t<gzFile>, Close> file_;
  std::int64_t size_;
};

struct Row {
  std::array<std::string_view, fields_max> fields;
  std::size_t count = 0;
};

Row split(std::string_view line) {
  Row out;
  while (out.count < fields_max) {
    std::size_t const comma = line.find(',');
    out.fields[out.count++] = line.substr(0, comma);
    if (comma == std::string_view::npos) return out;
    line.remove_prefix(comma + 1);
  }
  out.count = fields_max + 1;  // more than there can be
  return out;
}

// Takes rows one by one and keeps what they add up to.
class Builder {
 public:
  Result<void> add(std::string_view line) {
    Row const row = split(line);
    if (row.count < fields_min || row.count > fields_max)
      return wrong("wanted " + std::string(kHeader) + ", found " + quoted(line));
    std::optional<std::int64_t> const time = whole_number(row.fields[time_s], kTimeMax);
    if (!time) return wrong("time_s: wanted whole seconds, found " + quoted(row.fields[time_s]));
    if (*time < out_.end_s)
      return wrong("time_s: rows are in time order, found " + std::to_string(*time) + " after " +
                   std::to_string(out_.end_s));
    if (row.fields[vm_id].empty()) return wrong("vm_id is empty");
    if (out_.events.size() >= kTraceRowsMax)
      return wrong("more than " + std::to_string(kTraceRowsMax) + " rows");
    out_.end_s = *time;
    if (row.fields[event] == "create") return create(row);
    if (row.fields[event] == "delete") return remove(row);
    return wrong("event: wanted create or delete, found " + quoted(row.fields[event]));
  }

  [[nodiscard]] Trace done() && {
    for (auto const& [id, number] : running_) out_.instances[number].end_s = out_.end_s;
    return std::move(out_);
  }

 private:
  static Error wrong(std::string message) {
    return Error{Code::invalid, "file", std::move(message)};
  }

  Result<void> create(Row const& row) {
    if (row.count <= mem_gib) return wrong("a create row wants vcpu and mem_gib");
    std::optional<std::int64_t> const vcpus = whole_number(row.fields[vcpu], kVcpusMax);
    if (!vcpus || *vcpus == 0)
      return wrong("vcpu: wanted a whole number from 1 to " + std::to_string(kVcpusMax) +
                   ", found " + quoted(row.fields[vcpu]));
    std::optional<std::int32_t> const memory = mebibytes_of_gib(row.fields[mem_gib]);
    if (!memory || *memory == 0)
      return wrong("mem_gib: wanted GiB above 0, as 3.5, found " + quoted(row.fields[mem_gib]));
    std::string id(row.fields[vm_id]);
    auto const number = static_cast<std::uint32_t>(out_.instances.size());
    if (!running_.emplace(id, number).second)
      return wrong("vm_id: " + quoted(id) + " is created again while it is there");
    known_.emplace(id, number);
    out_.instances.push_back(
        {.id = std::move(id),
         .need = {.vcpus = static_cast<std::int32_t>(*vcpus), .memory_mib = *memory},
         .begin_s = out_.end_s,
         .end_s = out_.end_s});
    out_.events.push_back({.time_s = out_.end_s, .instance = number, .is_create = true});
    return {};
  }

  Result<void> remove(Row const& row) {
    auto const at = running_.find(std::string(row.fields[vm_id]));
    if (at == running_.end()) {
      bool const was_there = known_.contains(std::string(row.fields[vm_id]));
      return wrong("vm_id: " + quoted(row.fields[vm_id]) +
                   (was_there ? " is deleted again" : " is deleted, but no row created it"));
    }
    out_.instances[at->second].end_s = out_.end_s;
    out_.events.push_back({.time_s = out_.end_s, .instance = at->second, .is_create = false});
    running_.erase(at);
    return {};
  }

  Trace out_;
  std::unordered_map<std::string, std::uint32_t> running_;
  std::unordered_map<std::string, std::uint32_t> known_;
};

}  // namespace

std::optional<std::int64_t> whole_number(std::string_view text, std::int64_t most) {
  std::int64_t out = 0;
  auto const [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (code != std::errc() || end != text.data() + text.size() || out < 0 || out > most)
    return std::nullopt;
  return out;
}

std::optional<std::int32_t> mebibytes_of_gib(std::string_view text) {
  constexpr std::int64_t kGibMax = (std::int64_t{placement::kCellMemoryMibMax} * 8 - 1) / 1024;
  constexpr std::size_t kDecimalsMax = 9;
  std::size_t const point = text.find('.');
  std::string_view const decimals =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  std::optional<std::int64_t> const whole = whole_number(text.substr(0, point), kGibMax - 1);
  if (!whole || decimals.size() > kDecimalsMax) return std::nullopt;
  if (point != std::string_view::npos && decimals.empty()) return std::nullopt;
  std::int64_t parts = 0, scale = 1;
  for (char const c : decimals) {
    if (c < '0' || c > '9') return std::nullopt;
    parts = parts * 10 + (c - '0');
    scale *= 10;
  }
  return static_cast<std::int32_t>(*whole * 1024 + (parts * 1024 + scale - 1) / scale);
}

Result<Trace> read_trace(std::string const& path, OnBytes const& on_bytes) {
  Input input = TRY(Input::open(path));
  Builder builder;
  std::string line;
  constexpr std::int64_t kLinesBetweenReports = 10'000;
  for (std::int64_t number = 1;; ++number) {
    Input::Line const what = input.next(line);
    if (what == Input::Line::end && number > 1) break;
    std::string const where = path + ": line " + std::to_string(number);
    if (what == Input::Line::broken)
      return Error{Code::invalid, "file",
                   where + ": the file is damaged or was cut off: it cannot be unpacked"};
    if (what == Input::Line::too_long)
      return Error{Code::invalid, "file",
                   where + ": longer than " + std::to_string(kTraceLineBytesMax) + " bytes"};
    if (number == 1) {
      if (what != Input::Line::read || line != kHeader)
        return Error{Code::invalid, "file",
                     where + ": wanted the header " + std::string(kHeader) + ", found " +
                         quoted(what == Input::Line::read ? line : "")};
      continue;
    }
    if (Result<void> const added = builder.add(line); !added) return added.error().within(where);
    if (number % kLinesBetweenReports == 0) on_bytes(input.offset(), input.size());
  }
  Trace trace = std::move(builder).done();
  if (trace.instances.empty())
    return Error{Code::invalid, "file", path + ": there is no create row in it"};
  on_bytes(input.size(), input.size());
  return trace;
}

}  // namespace berth::ctl
