#pragma once
// Does hardware virtualisation work here? An openable /dev/kvm proves nothing: hosts were met on
// which a guest starts, even reaches long mode, and then computes thousands of times too slowly for
// any kernel to come up. So a guest of one boot sector must prove it: real mode, long mode with
// paging, 16 MiB of memory written, CPUID, then 200 million turns of a loop (0.1 s on real
// hardware, 0.2 s under emulation). It writes '1' to '6' to the serial port on its way; only '6'
// counts.

#include <string>
#include <string_view>

namespace berth::agent {

// A disk image of 1 MiB, the same bytes each time.
[[nodiscard]] std::string probe_image();
[[nodiscard]] bool is_probe_passed(std::string_view serial_output);

}  // namespace berth::agent
