#include "agent/settings.h"

#include <gflags/gflags.h>

#include "agent/link/identity_file.h"
#include "common/pki/join_token.h"
#include "common/pki/secret_file.h"
#include "common/service/service.h"

DEFINE_string(data_dir, "/var/lib/berth-agent",
              "Where images, disks and the agent's own files lie");
DEFINE_string(daemon, "", "HOST:PORT of the region's daemon, as `berthctl host enroll` prints it");
DEFINE_string(
    join_file, "",
    "File with the one-time join token, wanted only until the host has joined; empty: the "
    "credential berth.join if the service manager hands one over");
DEFINE_string(libvirt_uri, "qemu:///system", "The libvirt to drive");
DEFINE_string(virt_type, "auto", "kvm, qemu, or auto: kvm if a probe guest really runs under it");
DEFINE_string(network, "berth0", "Name of the NAT network for guests, made if missing");
DEFINE_string(network_subnet, "192.168.123.0/24", "IPv4 subnet of that network");
DEFINE_string(port_filter, "clean-traffic", "libvirt network filter of each guest; empty: none");
DEFINE_string(metrics_listen, "127.0.0.1:8776", "ADDRESS:PORT of the metrics page; empty: none");
DEFINE_bool(check_config, false,
            "Say all that is wrong with the flags and the files they name, or ok, and exit with 78 "
            "or 0; touches nothing");
DEFINE_string(log_format, "text", "text or json");
DEFINE_string(log_level, "info", "debug, info, warning or error");
DEFINE_string(log_file, "", "Where log lines go; empty: standard error");

namespace berth::agent {

namespace {

Result<VirtTypeWish> virt_type() {
  if (FLAGS_virt_type == "auto") return VirtTypeWish::automatic;
  if (FLAGS_virt_type == "kvm") return VirtTypeWish::kvm;
  if (FLAGS_virt_type == "qemu") return VirtTypeWish::qemu;
  return bad_flag("virt_type", "auto, kvm or qemu", FLAGS_virt_type);
}

// Absent is fine: a host that has joined does not need its token any more.
Result<std::string> join_token() {
  std::string const file =
      FLAGS_join_file.empty() ? service::credential("berth.join").value_or("") : FLAGS_join_file;
  if (file.empty()) return std::string();
  Result<std::string> text = pki::read_small_file(file);
  if (!text) {
    if (text.error().code == Code::not_found) return std::string();
    return text.error().within("--join_file");
  }
  while (!text->empty() && (text->back() == '\n' || text->back() == ' ')) text->pop_back();
  return text;
}

}  // namespace

Settings settings_from_flags(Problems& problems) {
  Settings s;
  s.check_only = FLAGS_check_config;
  if (!FLAGS_data_dir.starts_with('/'))
    problems.add(bad_flag("data_dir", "an absolute path", FLAGS_data_dir));
  s.data_dir = FLAGS_data_dir;
  Result<Address> const daemon = parse_address("daemon", FLAGS_daemon);
  if (!daemon) problems.add(daemon.error());
  s.daemon = FLAGS_daemon;
  s.join_token = problems.value_of(join_token());
  s.libvirt.uri = FLAGS_libvirt_uri;
  if (s.libvirt.uri.find(':') == std::string::npos)
    problems.add(bad_flag("libvirt_uri", "a libvirt URI such as qemu:///system", s.libvirt.uri));
  s.libvirt.dir = FLAGS_data_dir;
  s.libvirt.virt_type = problems.value_of(virt_type());
  s.libvirt.network = {
      .name = FLAGS_network, .subnet = FLAGS_network_subnet, .port_filter = FLAGS_port_filter};
  Result<std::string> const network = network_xml(s.libvirt.network);
  if (!network) problems.add(network.error().within("--network, --network_subnet"));
  if (!FLAGS_metrics_listen.empty())
    s.metrics = problems.value_of(parse_address("metrics_listen", FLAGS_metrics_listen));
  s.log = problems.value_of(parse_log_options(FLAGS_log_format, FLAGS_log_level, FLAGS_log_file));
  return s;
}

void check_files(Settings const& s, Problems& problems) {
  std::string const directory = s.data_dir + "/agent";
  Result<StoredIdentity> const identity = read_identity_file(directory);
  if (!identity && identity.error().code != Code::not_found) problems.add(identity.error());
  bool const has_joined = identity && identity->not_after > SystemClock().now().wall;
  if (!s.join_token.empty()) {
    Result<pki::JoinToken> const token = pki::parse_join_token(s.join_token);
    if (!token) problems.add(token.error().within("--join_file"));
  } else if (!has_joined) {
    problems.add(bad_flag("join_file",
                          identity ? "a join token, as this host's certificate has run out"
                                   : "a join token, as this host has not joined a region yet",
                          FLAGS_join_file));
  }
}

}  // namespace berth::agent
