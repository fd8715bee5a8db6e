#include "ctl/progress.h"

#include <algorithm>

#include "ctl/table.h"

namespace berth::ctl {
namespace {

std::int64_t percent(std::int64_t done, std::int64_t total) {
  if (total <= 0) return 100;
  // Files are far below 2^56 bytes (limits::kImageFileBytesMax).
  return std::clamp<std::int64_t>(done * 100 / total, 0, 100);
}
std::int64_t percent(Progress const& p) {
  return percent(p.done_bytes, p.total_bytes);
}

// The bar goes first when there is no room for it.
std::string with_bar(std::string const& line, std::int64_t percent_done, std::size_t columns) {
  constexpr std::size_t kBarMin = 10, kBarMax = 40;
  if (columns < line.size() + kBarMin + 4) return line.substr(0, columns);
  std::size_t const cells = std::min(kBarMax, columns - line.size() - 4);
  std::size_t const full = cells * static_cast<std::size_t>(percent_done) / 100;
  std::string bar(full, '=');
  if (full < cells) bar += '>' + std::string(cells - full - 1, ' ');
  return "[" + bar + "] " + line;
}

std::int64_t bytes_per_second(Progress const& p) {
  // Below a quarter of a second the figure says nothing.
  return p.elapsed_ms < 250 ? 0
                            : p.done_bytes / p.elapsed_ms * 1'000 +
                                  p.done_bytes % p.elapsed_ms * 1'000 / p.elapsed_ms;
}

std::string padded(std::string text, std::size_t size) {
  return text.size() >= size ? text : std::string(size - text.size(), ' ') + text;
}

std::string shown_duration(std::int64_t s) {
  auto const two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  if (s >= 3'600) return std::to_string(s / 3'600) + ":" + two(s / 60 % 60) + ":" + two(s % 60);
  return std::to_string(s / 60) + ":" + two(s % 60);
}

}  // namespace

std::string progress_line(Progress const& p) {
  std::string out = padded(std::to_string(percent(p)), 3) + "%  " + shown_bytes(p.done_bytes) +
                    " of " + shown_bytes(p.total_bytes);
  if (bytes_per_second(p) > 0) out += "  " + shown_bytes(bytes_per_second(p)) + "/s";
  return out;
}

std::string progress_bar(Progress const& p, std::size_t columns) {
  std::string out = progress_line(p);
  std::int64_t const rate = bytes_per_second(p);
  if (rate > 0 && p.done_bytes < p.total_bytes)
    out += "  " + shown_duration((p.total_bytes - p.done_bytes) / rate) + " left";
  return with_bar(out, percent(p), columns);
}

std::string work_line(Work const& work) {
  return padded(std::to_string(percent(work.done, work.total)), 3) + "%  " + work.what;
}

std::string work_bar(Work const& work, std::size_t columns) {
  std::string out = work_line(work);
  constexpr std::int64_t kTellsMs = 500;  // earlier a guess of what is left says nothing
  if (work.elapsed_ms >= kTellsMs && work.done > 0 && work.done < work.total) {
    std::int64_t const left_s = work.elapsed_ms * (work.total - work.done) / work.done / 1'000;
    out += "  " + shown_duration(left_s) + " left";
  }
  return with_bar(out, percent(work.done, work.total), columns);
}

}  // namespace berth::ctl
