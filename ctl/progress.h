#pragma once
// How far an upload or a long computation is, for people.

#include <cstdint>
#include <string>

namespace berth::ctl {

struct Progress {
  std::int64_t done_bytes = 0;
  std::int64_t total_bytes = 0;
  std::int64_t elapsed_ms = 0;
};

// "[=====>      ]  42%  1.2 GiB of 2.9 GiB  118 MiB/s  0:14 left", fitting into `columns`; the bar
// goes first when there is no room for it.
[[nodiscard]] std::string progress_bar(Progress const& progress, std::size_t columns);
// "42%  1.2 GiB of 2.9 GiB  118 MiB/s"
[[nodiscard]] std::string progress_line(Progress const& progress);

struct Work {
  std::string what;  // "best-fit-sum on 969 hosts"
  std::int64_t done = 0;
  std::int64_t total = 0;  // of the same unit, whatever it is
  std::int64_t elapsed_ms = 0;
};
// "[=====>      ]  42%  best-fit-sum on 969 hosts  0:14 left", and without the bar.
[[nodiscard]] std::string work_bar(Work const& work, std::size_t columns);
[[nodiscard]] std::string work_line(Work const& work);

}  // namespace berth::ctl
