#pragma once
// What the agent's core sees and what it may ask the hypervisor for. Pure values.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "berth/model/host_spec.h"
#include "berth/model/host_status.h"

namespace berth::agent {

enum class DomainState {
  running,
  shutting_down,  // asked to; still has a process
  off,            // defined, no process: the guest shut itself down, or we stopped it
  paused,         // by somebody else, or an I/O error
  crashed,        // defined, no process, and neither the guest nor we ended it: its process was
                  // killed, or the host went down (libvirt then gives no reason, or "crashed")
};

// Which of the host's CPUs and memory a guest may use. An empty list: any.
struct Pins {
  // For each vCPU the host CPUs it may run on, ascending. No lists at all: none is pinned.
  std::vector<std::vector<std::int32_t>> vcpus;
  std::vector<std::int32_t> emulator;  // of the guest's other threads, ascending
  std::vector<std::int32_t> cells;     // NUMA cells that its memory comes from, ascending

  bool operator==(Pins const&) const = default;
};

// "0-2,5", as libvirt and the kernel write it. `numbers` ascend.
[[nodiscard]] std::string cpu_list(std::vector<std::int32_t> const& numbers);

// `total` in `parts` that differ by one at most, the larger ones first: of a guest's vCPUs and
// memory, what each of its NUMA cells has.
[[nodiscard]] std::vector<std::int64_t> even_shares(std::int64_t total, std::size_t parts);

// Whether a guest of several cells is shown them: each must have a vCPU.
[[nodiscard]] bool is_shown_cells(InstanceSpec const& spec, Pins const& pins);

// One domain of ours, as found in libvirt; everything but the state comes from the metadata that we
// wrote into its XML, so an agent whose own files are gone still knows it.
struct DomainSeen {
  InstanceId id;
  PlacementGeneration generation;
  std::string uuid;
  DomainState state = DomainState::off;
  std::uint64_t reboots = 0;  // counts done so far, kept in the metadata
  std::uint64_t starts = 0;
  // Set in the metadata before we stop a guest on purpose and cleared when we start it: an `off`
  // domain without it was shut down from inside.
  bool stopped_by_us = false;
  std::string private_ip;  // from the network's leases; empty: not known
  Pins pins;               // of a guest with a process, as the hypervisor has them now

  bool operator==(DomainSeen const&) const = default;
};

// A root disk of ours that exists on the host, with or without a domain.
struct DiskSeen {
  InstanceId id;
  PlacementGeneration generation;

  bool operator==(DiskSeen const&) const = default;
};

struct Observed {
  std::vector<DomainSeen> domains;   // by id, ascending
  std::vector<DiskSeen> disks;       // by id, ascending
  std::vector<std::string> images;   // digests in the cache, ascending
  std::vector<std::string> foreign;  // names of domains that are not ours

  bool operator==(Observed const&) const = default;
};

// Each is idempotent: repeated after a crash it does no harm.
// Brings the image into the cache: fetch, verify the digest, then rename into place.
struct FetchImage {
  std::string digest;
  ImageFormat format{};
  Bytes size;
  bool operator==(FetchImage const&) const = default;
};
// Creates what is missing (disk overlay, seed, domain definition) and starts it where `pins` say;
// records starts/reboots of the spec in the metadata. A running domain of this id is left alone. A
// host that refuses the pins runs the guest without them: what came of them is seen in DomainSeen.
struct StartInstance {
  InstanceSpec spec;
  Pins pins{};
  bool operator==(StartInstance const&) const = default;
};
// Presses the power button; returns at once.
struct ShutDownInstance {
  InstanceId id;
  PlacementGeneration generation;
  bool operator==(ShutDownInstance const&) const = default;
};
// Ends the process now; disk and definition stay.
struct PowerOffInstance {
  InstanceId id;
  PlacementGeneration generation;
  bool operator==(PowerOffInstance const&) const = default;
};
// Resets a running guest and records `reboots` in the metadata.
struct RebootInstance {
  InstanceId id;
  PlacementGeneration generation;
  std::uint64_t reboots = 0;
  bool operator==(RebootInstance const&) const = default;
};
// Moves the vCPUs and the other threads of a guest that has a process; memory stays where it is.
// What one list asks for and the host refuses does not keep the others from being applied.
struct PinInstance {
  InstanceId id;
  PlacementGeneration generation;
  Pins pins;
  bool operator==(PinInstance const&) const = default;
};
// Ends the process, removes definition, disk, seed, console log. `reason`: the tombstone that
// allows it: "term/generation of the spec".
struct RemoveInstance {
  InstanceId id;
  PlacementGeneration generation;
  std::string uuid;
  std::string reason;
  bool operator==(RemoveInstance const&) const = default;
};
// Drops an image no disk rests on, to make room.
struct EvictImage {
  std::string digest;
  bool operator==(EvictImage const&) const = default;
};

using Action = std::variant<FetchImage, StartInstance, ShutDownInstance, PowerOffInstance,
                            RebootInstance, RemoveInstance, EvictImage, PinInstance>;

// What an action is about: one action per subject is under way at a time. An instance id, or
// "image/<digest>".
[[nodiscard]] std::string subject(Action const& action);

}  // namespace berth::agent
