#include "daemon/settings.h"

#include <gflags/gflags.h>

#include <algorithm>

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
              "32 bytes that seal the tenants' secrets; empty: DATA_DIR/region.key");
DEFINE_int32(clock_window_s, 300, "How far a signature's time may be off, in seconds, at most 900");
DEFINE_bool(presigned_urls, false, "Accept signatures in the query string");
DEFINE_int32(http_threads, 2, "Threads of the EC2 listener");
DEFINE_int32(cpu_overcommit_permille, 4000, "vCPUs sold per hardware thread, in thousandths");
DEFINE_int32(host_memory_reserve_mib, 512, "Memory of each host that is never sold");
DEFINE_int32(host_disk_reserve_gib, 2, "Disk of each host that is never sold");
DEFINE_int32(terminated_retention_s, 3600,
             "How long terminated instances stay visible, in seconds");
DEFINE_string(
    issue_admin, "",
    "Print a key and certificate for an operator, ROLE/NAME with read, operate or admin, and exit");
DEFINE_string(log_format, "text", "text or json");
DEFINE_string(log_level, "info", "debug, info, warning or error");
DEFINE_string(log_file, "", "Where log lines go; empty: standard error");

namespace berth {

namespace {

Result<core::Policy> policy() {
  core::Policy out;
  bool const is_name = !FLAGS_region.empty() && FLAGS_region.size() <= 32 &&
                       std::all_of(FLAGS_region.begin(), FLAGS_region.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                       });
  if (!is_name)
    return bad_flag("region", "up to 32 lower-case letters, digits and '-'", FLAGS_region);
  out.region = FLAGS_region;
  out.cpu_overcommit_permille =
      TRY(within("cpu_overcommit_permille", FLAGS_cpu_overcommit_permille, 1'000, 1'000'000));
  out.host_memory_reserve =
      Mebibytes(TRY(within("host_memory_reserve_mib", FLAGS_host_memory_reserve_mib, 0, 1 << 20)));
  out.host_disk_reserve_gib =
      TRY(within("host_disk_reserve_gib", FLAGS_host_disk_reserve_gib, 0, 1 << 20));
  out.terminated_retention =
      seconds(TRY(within("terminated_retention_s", FLAGS_terminated_retention_s, 1, 30 * 86'400)));
  return out;
}

}  // namespace

Result<Settings> settings_from_flags() {
  Settings s;
  s.policy = TRY(policy());
  if (FLAGS_data_dir.empty() || FLAGS_data_dir.front() != '/') {
    return bad_flag("data_dir", "an absolute path", FLAGS_data_dir);
  }
  s.data_dir = FLAGS_data_dir;
  s.ec2 = TRY(parse_address("ec2_listen", FLAGS_ec2_listen));
  s.ec2_is_plain = FLAGS_ec2_plain_http;
  if (s.ec2_is_plain && !is_loopback(s.ec2)) {
    return bad_flag("ec2_plain_http", "a loopback address in --ec2_listen", FLAGS_ec2_listen);
  }
  s.admin_socket = FLAGS_admin_socket;
  if (!FLAGS_admin_listen.empty()) s.admin = TRY(parse_address("admin_listen", FLAGS_admin_listen));
  s.link = TRY(parse_address("link_listen", FLAGS_link_listen));
  s.link_advertised = FLAGS_link_advertise.empty() ? FLAGS_link_listen : FLAGS_link_advertise;
  if (!FLAGS_metrics_listen.empty())
    s.metrics = TRY(parse_address("metrics_listen", FLAGS_metrics_listen));
  s.names = split_list(FLAGS_tls_names);
  for (Address const* a : {&s.ec2, &s.link}) {
    if (a->host != "0.0.0.0" && a->host != "::") s.names.push_back(a->host);
  }
  for (std::string const& suffix : split_list(FLAGS_zones))
    s.zones.push_back(s.policy.region + suffix);
  s.region_key_file =
      FLAGS_region_key_file.empty() ? FLAGS_data_dir + "/region.key" : FLAGS_region_key_file;
  s.clock_window = seconds(TRY(within("clock_window_s", FLAGS_clock_window_s, 1, 900)));
  s.presigned = FLAGS_presigned_urls;
  s.http_threads = static_cast<unsigned>(TRY(within("http_threads", FLAGS_http_threads, 1, 64)));
  s.issue_admin = FLAGS_issue_admin;
  s.log = TRY(parse_log_options(FLAGS_log_format, FLAGS_log_level, FLAGS_log_file));
  return s;
}

}  // namespace berth
