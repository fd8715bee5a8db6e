#pragma once
// An instance: what its tenant wants, where it was put, what its host saw of it.
//
//   EC2's state is derived, never stored (daemon/core/instance_state.h):
//
//     wanted      seen                      state
//     running     not yet running           pending      (16 once seen running at this generation)
//     running     running                   running
//     stopped     anything but stopped      stopping
//     stopped     stopped                   stopped
//     terminated  anything but absent       shutting-down
//     terminated  absent                    terminated
//
//   wanted moves: running <-> stopped, and from either to terminated, for ever.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "berth/base/time.h"
#include "berth/base/units.h"
#include "berth/model/host.h"
#include "berth/model/ids.h"
#include "berth/model/image.h"
#include "berth/model/placement_note.h"
#include "berth/model/tenant.h"

namespace berth {

enum class Wanted { running, stopped, terminated };

// What the host last said of the instance at its current placement generation.
enum class Seen {
  nothing,    // no report yet: just placed
  preparing,  // image or disk on the way, or starting
  running,
  stopped,  // no process, disk kept
  absent,   // nothing left of it on the host
  failed,   // cannot be started; `seen_reason` says why
};

enum class ShutdownBehavior { stop, terminate };

// Whom it shares its host with. dedicated: only with instances of its tenant; host: sits on one of
// the tenant's allocated dedicated hosts.
enum class Tenancy { shared, dedicated, host };

// Why the instance is in its state: EC2's stateReason.
struct StateReason {
  std::string code;  // "Client.UserInitiatedShutdown"; empty: no reason
  std::string message;

  bool operator==(StateReason const&) const = default;
};

// Where it runs. Held from admission until the host confirmed that nothing is left.
struct Placement {
  HostId host;
  PlacementGeneration generation;
  // The NUMA cells of the host (HostCell::id) that its memory and CPUs come from, ascending; an
  // even share of each. Empty: decided before cells were; it may use any.
  std::vector<std::int32_t> cells;
  // Of a type with dedicated CPUs: the host's CPU for each vCPU, in their order; whole cores, so
  // an odd count leaves the last sibling idle. Empty: floats over what its cells have to share.
  std::vector<std::int32_t> cpus;

  [[nodiscard]] bool is_at(HostId const& other, PlacementGeneration at) const {
    return host == other && generation == at;
  }
  bool operator==(Placement const&) const = default;
};

struct Instance {
  InstanceId id;
  TenantId tenant;
  ReservationId reservation;
  std::int64_t launch_index = 0;
  std::string client_token;  // empty: none was given

  // The shape is copied from the type at launch: a changed catalogue never changes a guest.
  TypeName type;
  std::int64_t vcpus = 0;
  Mebibytes memory;
  std::int64_t disk_gib = 0;
  bool is_cpu_dedicated = false;

  ImageId image;
  std::string image_digest;
  ImageFormat image_format = ImageFormat::qcow2;
  std::string key_name;    // empty: none
  std::string public_key;  // copied at launch; empty: none
  std::string user_data;   // decoded bytes; empty: none
  std::string uuid;        // of the domain; begins with "ec2", cloud-init knows EC2 by it
  std::string mac;         // "52:54:00:xx:xx:xx"
  bool disable_api_termination = false;
  bool disable_api_stop = false;
  bool ebs_optimized = false;
  bool is_monitored = false;
  ShutdownBehavior shutdown_behavior = ShutdownBehavior::stop;
  Tags tags;

  PlacementGroupId placement_group;  // empty: none
  std::int32_t partition = 0;        // of a partition group, from 1; 0: none
  Tenancy tenancy = Tenancy::shared;
  DedicatedHostId dedicated_host;              // with Tenancy::host; empty: any of the tenant's
  CapacityReservationId capacity_reservation;  // whose room it uses; empty: none
  SpotRequestId spot_request;                  // empty: on demand
  WallTime interruption_at;  // spot: when it will be taken, as its notice says; zero: no notice

  ZoneName zone;
  std::optional<Placement> placement;  // absent: terminated and confirmed gone
  SharedNote placement_note;           // of the decision that put it there

  Wanted wanted = Wanted::running;
  std::uint64_t reboots_wanted = 0;  // a counter: the host reboots until its own has caught up
  std::uint64_t starts_wanted = 0;   // raised by StartInstances; a guest that powered itself off
                                     // is started again only when this is past what the host did
  Seen seen = Seen::nothing;
  // For people, as the host said it; empty unless seen is failed.
  std::string seen_reason;
  std::string private_ip;  // reported by the host; empty: not known yet
  WallTime launch_time;    // of the last start
  WallTime created;
  WallTime ended;  // when it was confirmed absent; zero before
  StateReason state_reason;
  std::string transition_reason;  // EC2's `reason`: "User initiated (2026-01-02 03:04:05 GMT)"

  bool operator==(Instance const&) const = default;
};

}  // namespace berth
