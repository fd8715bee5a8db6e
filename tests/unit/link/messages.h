#pragma once
// Small true-to-life values for the messages between daemon and agent.

#include <cstdio>
#include <string>

#include "berth/model/host_spec.h"
#include "berth/model/host_status.h"

namespace berth::test {

inline HostId host_id(int n) {
  char text[32];
  std::snprintf(text, sizeof text, "host-%017x", static_cast<unsigned>(n));
  return HostId(text);
}
inline InstanceId instance_id(int n) {
  char text[32];
  std::snprintf(text, sizeof text, "i-%017x", static_cast<unsigned>(n));
  return InstanceId(text);
}

inline InstanceSpec an_instance(int n) {
  return InstanceSpec{.id = instance_id(n),
                      .generation = PlacementGeneration(1),
                      .reboots = 2,
                      .starts = 3,
                      .uuid = "ec2a1b2c-0000-4000-8000-0123456789ab",
                      .vcpus = 2,
                      .memory = Mebibytes(512),
                      .disk_gib = 8,
                      .image_digest = std::string(64, 'a'),
                      .image_size = Bytes(1000),
                      .mac = "52:54:00:01:02:03",
                      .cells = {0, 1},
                      .cpus = {1, 9},
                      .hostname = "ip-10-0-0-1",
                      .public_key = "ssh-ed25519 AAAA",
                      .user_data = std::string("\0\xff#!", 4),
                      .tenant = "123456789012",
                      .type = "m5.large",
                      .zone = "us-east-1a",
                      .region = "us-east-1"};
}

inline HostSpec a_spec(HostId const& host, std::uint64_t generation = 1) {
  return HostSpec{.host = host,
                  .host_uuid = "uuid",
                  .term = Term(7),
                  .generation = Generation(generation),
                  .instances = {an_instance(1), an_instance(2)},
                  .shared_cpus = {{.cell = 0, .cpus = {0, 8}}, {.cell = 1, .cpus = {}}},
                  .earlier = {an_instance(2)}};
}

inline HostStatus a_status(HostId const& host) {
  HostStatus status{.host = host, .host_uuid = "uuid", .boot_id = "boot", .term = Term(7)};
  status.inventory.cells.push_back(
      HostCell{.memory = Mebibytes(4096), .cpus = {HostCpu{.siblings = {0}}}});
  status.inventory.hostname = "h\xffst";  // not UTF-8: one odd name must not silence a host
  status.instances.push_back(InstanceStatus{.id = instance_id(1),
                                            .generation = PlacementGeneration(1),
                                            .seen = Seen::running,
                                            .private_ip = "10.0.0.9",
                                            .cells = {0, 1},
                                            .cpus = {9, 1},
                                            .unpinned = "no cpuset\xff"});
  status.foreign = {
      "win\xfe"
      "95"};
  status.images = {std::string(64, 'a')};
  return status;
}

}  // namespace berth::test
