#include "agent/settings.h"

#include <gflags/gflags.h>

#include "common/pki/secret_file.h"

DEFINE_string(data_dir, "/var/lib/berth-agent",
              "Where images, disks and the agent's own files lie");
DEFINE_string(daemon, "", "HOST:PORT of the region's daemon, as `berthctl host enroll` prints it");
DEFINE_string(join_file, "",
              "File with the one-time join token; wanted only until the host has joined");
DEFINE_string(libvirt_uri, "qemu:///system", "The libvirt to drive");
DEFINE_string(virt_type, "auto", "kvm, qemu, or auto: kvm if a probe guest really runs under it");
DEFINE_string(network, "berth0", "Name of the NAT network for guests, made if missing");
DEFINE_string(network_subnet, "192.168.123.0/24", "IPv4 subnet of that network");
DEFINE_string(port_filter, "clean-traffic", "libvirt network filter of each guest; empty: none");
DEFINE_string(metrics_listen, "127.0.0.1:8776", "ADDRESS:PORT of the metrics page; empty: none");
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
  if (FLAGS_join_file.empty()) return std::string();
  Result<std::string> text = pki::read_small_file(FLAGS_join_file);
  if (!text) {
    if (text.error().code == Code::not_found) return std::string();
    return text.error().within("--join_file");
  }
  while (!text->empty() && (text->back() == '\n' || text->back() == ' ')) text->pop_back();
  return text;
}

}  // namespace

Result<Settings> settings_from_flags() {
  Settings s;
  if (FLAGS_data_dir.empty() || FLAGS_data_dir.front() != '/') {
    return bad_flag("data_dir", "an absolute path", FLAGS_data_dir);
  }
  s.data_dir = FLAGS_data_dir;
  TRY(parse_address("daemon", FLAGS_daemon));
  s.daemon = FLAGS_daemon;
  s.join_token = TRY(join_token());
  s.libvirt.uri = FLAGS_libvirt_uri;
  s.libvirt.dir = FLAGS_data_dir;
  s.libvirt.virt_type = TRY(virt_type());
  s.libvirt.network = {
      .name = FLAGS_network, .subnet = FLAGS_network_subnet, .port_filter = FLAGS_port_filter};
  TRY(parse_subnet(FLAGS_network_subnet));
  if (!FLAGS_metrics_listen.empty())
    s.metrics = TRY(parse_address("metrics_listen", FLAGS_metrics_listen));
  s.log = TRY(parse_log_options(FLAGS_log_format, FLAGS_log_level, FLAGS_log_file));
  return s;
}

}  // namespace berth::agent
