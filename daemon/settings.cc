#include "daemon/settings.h"

#include <gflags/gflags.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "common/pki/secret_file.h"
#include "common/service/service.h"

DEFINE_string(region, "us-east-1",
              "Name of the region. A real AWS one by default: some tools check it");
DEFINE_string(data_dir, "/var/lib/berth",
              "Where the store, the keys and the images lie; mode 0700");
DEFINE_string(zones, "a,b,c", "Zones made at the first start: each a suffix of the region's name");
DEFINE_string(ec2_listen, "127.0.0.1:8773", "ADDRESS:PORT of the EC2 API");
DEFINE_bool(ec2_plain_http, false, "Serve the EC2 API without TLS; only with a loopback address");
DEFINE_string(admin_socket, "/run/berth/admin.sock", "Unix socket of the admin API");
DEFINE_string(admin_listen, "",
              "ADDRESS:PORT of the admin API over mutual TLS; empty: only the socket");
DEFINE_string(link_listen, "127.0.0.1:8774", "ADDRESS:PORT that agents connect to");
DEFINE_string(link_advertise, "", "HOST:PORT told to new agents; empty: the same as --link_listen");
DEFINE_string(metrics_listen, "127.0.0.1:8775", "ADDRESS:PORT of the metrics page; empty: none");
DEFINE_string(tls_names, "", "Further names and addresses for the daemon's certificate, by comma");
DEFINE_string(region_key_file, "",
              "32 bytes that seal the tenants' secrets; empty: the credential berth.region_key "
              "if the service manager hands one over, else DATA_DIR/region.key");
DEFINE_int32(clock_window_s, 300, "How far a signature's time may be off, in seconds, at most 900");
DEFINE_bool(presigned_urls, false, "Accept signatures in the query string");
DEFINE_int32(http_threads, 2, "Threads of the EC2 listener");
DEFINE_int32(api_rate_percent, 10'000,
             "How much each tenant may ask for, in percent of EC2's token buckets; 0: no limit");
DEFINE_int32(api_connections_max, 20'000, "Connections to the EC2 API at once");
DEFINE_int32(api_connections_per_address_max, 200,
             "Connections to the EC2 API from one IPv4 address or IPv6 /64");
DEFINE_int32(api_bodies_mib_max, 256, "Memory for request bodies of the EC2 API, together");
DEFINE_int32(reserve_hosts, 0,
             "of each zone so many hosts may fail and what runs still finds room: not sold");
DEFINE_int32(explained_hosts_max, 1024,
             "in larger regions the note of an accepted placement counts no hosts");
DEFINE_int32(cpu_overcommit_permille, 4000, "vCPUs sold per hardware thread, in thousandths");
DEFINE_int32(host_memory_reserve_mib, 512, "Memory of each host that is never sold");
DEFINE_int32(host_disk_reserve_gib, 2, "Disk of each host that is never sold");
DEFINE_int32(terminated_retention_s, 3600,
             "How long terminated instances stay visible, in seconds");
DEFINE_string(
    issue_admin, "",
    "Print a key and certificate for an operator, ROLE/NAME with read, operate or admin, and exit");
DEFINE_string(restore, "",
              "Put this backup in the place of the store, in quarantine, and exit; berthd must not "
              "run. The store that was there is kept beside");
DEFINE_bool(restore_older, false, "With --restore: although the store that is there is newer");
DEFINE_bool(check_config, false,
            "Say all that is wrong with the flags and the files they name, or ok, and exit with 78 "
            "or 0; touches nothing");
DEFINE_string(log_format, "text", "text or json");
DEFINE_string(log_level, "info", "debug, info, warning or error");
DEFINE_string(log_file, "", "Where log lines go; empty: standard error");

namespace berth {

namespace {

constexpr std::size_t kSocketPathMax = 107;  // the kernel's, without the final zero

bool is_wildcard(Address const& address) {
  return address.host == "0.0.0.0" || address.host == "::";
}

template <class T>
Result<void> without_value(Result<T> const& result) {
  if (!result) return result.error();
  return {};
}

core::Policy policy(Problems& problems) {
  auto number = [&](char const* flag, std::int64_t value, std::int64_t low, std::int64_t high) {
    return problems.value_of(within(flag, value, low, high), low);
  };
  core::Policy out;
  bool const is_name = !FLAGS_region.empty() && FLAGS_region.size() <= 32 &&
                       std::all_of(FLAGS_region.begin(), FLAGS_region.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                       });
  if (!is_name)
    problems.add(bad_flag("region", "up to 32 lower-case letters, digits and '-'", FLAGS_region));
  out.region = FLAGS_region;
  out.reserve_hosts =
      static_cast<std::int32_t>(number("reserve_hosts", FLAGS_reserve_hosts, 0, 1'000));
  out.explained_hosts_max = static_cast<std::size_t>(
      number("explained_hosts_max", FLAGS_explained_hosts_max, 0, 100'000));
  out.cpu_overcommit_permille =
      number("cpu_overcommit_permille", FLAGS_cpu_overcommit_permille, 1'000, 1'000'000);
  out.host_memory_reserve =
      Mebibytes(number("host_memory_reserve_mib", FLAGS_host_memory_reserve_mib, 0, 1 << 20));
  out.host_disk_reserve_gib =
      number("host_disk_reserve_gib", FLAGS_host_disk_reserve_gib, 0, 1 << 20);
  out.terminated_retention =
      seconds(number("terminated_retention_s", FLAGS_terminated_retention_s, 1, 30 * 86'400));
  return out;
}

// What agents are told to dial: an address of this machine, not "any".
std::string advertised(Address const& link, Problems& problems) {
  if (FLAGS_link_advertise.empty()) {
    if (is_wildcard(link))
      problems.add(bad_flag(
          "link_advertise",
          "HOST:PORT that agents can dial, beside --link_listen=" + FLAGS_link_listen, ""));
    return FLAGS_link_listen;
  }
  problems.check(without_value(parse_address("link_advertise", FLAGS_link_advertise)));
  return FLAGS_link_advertise;
}

std::string region_key_file() {
  if (!FLAGS_region_key_file.empty()) return FLAGS_region_key_file;
  return service::credential("berth.region_key").value_or(FLAGS_data_dir + "/region.key");
}

// Two listeners of this process on one port: the second could not bind.
void check_ports(Settings const& s, Problems& problems) {
  std::vector<std::pair<char const*, Address>> listeners{{"ec2_listen", s.ec2},
                                                         {"link_listen", s.link}};
  if (s.admin) listeners.emplace_back("admin_listen", *s.admin);
  if (s.metrics) listeners.emplace_back("metrics_listen", *s.metrics);
  for (auto a = listeners.begin(); a != listeners.end(); ++a) {
    auto const same = std::find_if(listeners.begin(), a, [&](auto const& b) {
      return a->second.port != 0 && a->second.port == b.second.port &&
             (a->second.host == b.second.host || is_wildcard(a->second) || is_wildcard(b.second));
    });
    if (same != a) {
      problems.add(bad_flag(a->first,
                            std::string("a port that --") + same->first + " does not have",
                            text(a->second)));
    }
  }
}

}  // namespace

Settings settings_from_flags(Problems& problems) {
  Settings s;
  auto number = [&](char const* flag, std::int64_t value, std::int64_t low, std::int64_t high) {
    return problems.value_of(within(flag, value, low, high), low);
  };
  s.check_only = FLAGS_check_config;
  s.policy = policy(problems);
  if (!FLAGS_data_dir.starts_with('/'))
    problems.add(bad_flag("data_dir", "an absolute path", FLAGS_data_dir));
  s.data_dir = FLAGS_data_dir;
  s.ec2 = problems.value_of(parse_address("ec2_listen", FLAGS_ec2_listen));
  s.ec2_is_plain = FLAGS_ec2_plain_http;
  if (s.ec2_is_plain && !is_loopback(s.ec2)) {
    problems.add(
        bad_flag("ec2_plain_http", "a loopback address in --ec2_listen", FLAGS_ec2_listen));
  }
  s.admin_socket = FLAGS_admin_socket;
  if (s.admin_socket.empty() || s.admin_socket.size() > kSocketPathMax) {
    problems.add(bad_flag("admin_socket",
                          "a path of 1 to " + std::to_string(kSocketPathMax) + " bytes",
                          s.admin_socket));
  }
  if (!FLAGS_admin_listen.empty())
    s.admin = problems.value_of(parse_address("admin_listen", FLAGS_admin_listen));
  s.link = problems.value_of(parse_address("link_listen", FLAGS_link_listen));
  s.link_advertised = advertised(s.link, problems);
  if (!FLAGS_metrics_listen.empty())
    s.metrics = problems.value_of(parse_address("metrics_listen", FLAGS_metrics_listen));
  check_ports(s, problems);
  s.names = split_list(FLAGS_tls_names);
  for (Address const* a : {&s.ec2, &s.link}) {
    if (!is_wildcard(*a)) s.names.push_back(a->host);
  }
  for (std::string const& suffix : split_list(FLAGS_zones))
    s.zones.push_back(s.policy.region + suffix);
  if (s.zones.empty())
    problems.add(bad_flag("zones", "at least one suffix, such as a", FLAGS_zones));
  s.region_key_file = region_key_file();
  s.clock_window = seconds(number("clock_window_s", FLAGS_clock_window_s, 1, 900));
  s.presigned = FLAGS_presigned_urls;
  s.http_threads = static_cast<unsigned>(number("http_threads", FLAGS_http_threads, 1, 64));
  s.api_rate_percent = number("api_rate_percent", FLAGS_api_rate_percent, 0, 1'000'000);
  s.api_connections_max = static_cast<std::uint32_t>(
      number("api_connections_max", FLAGS_api_connections_max, 1, 1'000'000));
  s.api_connections_per_address_max = static_cast<std::uint32_t>(number(
      "api_connections_per_address_max", FLAGS_api_connections_per_address_max, 1, 1'000'000));
  s.api_bodies_bytes_max =
      static_cast<std::uint64_t>(number("api_bodies_mib_max", FLAGS_api_bodies_mib_max, 1, 65'536))
      << 20U;
  s.issue_admin = FLAGS_issue_admin;
  s.restore = FLAGS_restore;
  s.restore_older = FLAGS_restore_older;
  if (s.restore_older && s.restore.empty())
    problems.add(bad_flag("restore_older", "--restore beside it", "none"));
  s.log = problems.value_of(parse_log_options(FLAGS_log_format, FLAGS_log_level, FLAGS_log_file));
  return s;
}

void check_files(Settings const& s, Problems& problems) {
  struct stat found{};
  if (::stat(s.data_dir.c_str(), &found) == 0 && !S_ISDIR(found.st_mode))
    problems.add(
        bad_flag("data_dir", "a folder, or nothing yet", s.data_dir + ", another kind of file"));
  bool const has_store = ::access((s.data_dir + "/berth.db").c_str(), F_OK) == 0;
  Result<std::string> const key = pki::read_small_file(s.region_key_file);
  if (key) {
    if (key->size() != kRegionKeyBytes) {
      problems.add(bad_flag("region_key_file",
                            "a file of " + std::to_string(kRegionKeyBytes) + " bytes",
                            s.region_key_file + ", " + std::to_string(key->size()) + " bytes"));
    }
  } else if (key.error().code != Code::not_found) {
    problems.add(key.error().within("--region_key_file"));
  } else if (has_store) {
    problems.add(bad_flag("region_key_file",
                          "the key that seals the secrets of the store in " + s.data_dir,
                          s.region_key_file + ", which is not there"));
  }
}

}  // namespace berth
