#pragma once
// What the flags of berthd say, checked, as one value: nothing else reads a flag.

#include <optional>
#include <string>
#include <vector>

#include "berth/base/flags.h"
#include "berth/base/problems.h"
#include "berth/base/result.h"
#include "berth/base/time.h"
#include "daemon/core/policy.h"

namespace berth {

// Of the key that seals the tenants' secrets.
inline constexpr std::size_t kRegionKeyBytes = 32;

struct Settings {
  core::Policy policy;
  std::string data_dir;
  Address ec2;
  bool ec2_is_plain = false;  // plain HTTP: only on loopback
  std::string admin_socket;
  std::optional<Address> admin;  // absent: only the socket; otherwise mutual TLS
  Address link;
  std::string link_advertised;  // HOST:PORT that agents are told to dial
  std::optional<Address> metrics;
  std::vector<std::string> names;  // beside this machine's, in the daemon's certificate
  std::vector<std::string> zones;  // made at the first start
  std::string region_key_file;
  Duration clock_window;
  bool presigned = false;
  unsigned http_threads = 2;
  std::int64_t api_rate_percent = 0;  // of EC2's token buckets; 0: no tenant is throttled
  std::uint32_t api_connections_max = 0;
  std::uint32_t api_connections_per_address_max = 0;
  std::uint64_t api_bodies_bytes_max = 0;
  std::string issue_admin;     // ROLE/NAME: print a certificate instead of serving; empty: serve
  std::string restore;         // a backup's file: put it in the store's place instead of serving
  bool restore_older = false;  // though the store that is there is newer
  bool check_only = false;     // say what is wrong, touch nothing, end
  LogOptions log;
};

// From the flags. A problem names the flag, what it wants and what it found; with any, the settings
// are of no use.
[[nodiscard]] Settings settings_from_flags(Problems& problems);
// What the files that the flags name would make a start fail with. Only reads.
void check_files(Settings const& settings, Problems& problems);

}  // namespace berth
