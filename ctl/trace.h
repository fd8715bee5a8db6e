#pragma once
// A trace of requests as berthctl pack replays it: CSV, plain or gzip, with the header
// time_s,event,vm_id,vcpu,mem_gib,type,tenant,priority. Rows are in time order; `event` is create
// or delete; sizes stand on create rows. What has no delete row runs on to the trace's end.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/result.h"
#include "daemon/placement/room.h"

namespace berth::ctl {

struct TraceInstance {
  std::string id;        // vm_id, as it stands there
  placement::Room need;  // memory rounded up to whole MiB
  std::int64_t begin_s = 0;
  std::int64_t end_s = 0;  // of its delete row, or else of the trace
};

struct TraceEvent {
  std::int64_t time_s = 0;
  std::uint32_t instance = 0;  // index into Trace::instances
  bool is_create = false;
};

struct Trace {
  std::vector<TraceInstance> instances;  // in the order of their create rows
  std::vector<TraceEvent> events;        // in the file's order
  std::int64_t end_s = 0;                // time of the last row
};

inline constexpr std::size_t kTraceRowsMax = 50'000'000;
inline constexpr std::size_t kTraceLineBytesMax = 4'096;

// `on_bytes` is told how many bytes of the file are read, out of how many. Errors: subject "file",
// "PATH: line 7: what was wanted and found".
using OnBytes = std::function<void(std::int64_t done, std::int64_t total)>;
[[nodiscard]] Result<Trace> read_trace(std::string const& path, OnBytes const& on_bytes);

// "0.75" GiB in MiB; absent: no such number, negative, or beyond placement::kCellMemoryMibMax × 8.
// What is not a whole number of MiB is rounded up.
[[nodiscard]] std::optional<std::int32_t> mebibytes_of_gib(std::string_view text);
// A whole number from 0 to `most`.
[[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view text, std::int64_t most);

}  // namespace berth::ctl
