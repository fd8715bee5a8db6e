#include <utility>

#include "berth/base/digest.h"
#include "berth/model/limits.h"
#include "daemon/core/instance_state.h"
#include "daemon/ec2/facts.h"
#include "daemon/ec2/render.h"
#include "daemon/ec2/render_common.h"

namespace berth::ec2 {

namespace {

// What was attached goes away with the guest: EC2 shows no disk, interface or address of a
// terminated instance.
bool is_attached(core::InstanceView const& view) {
  return view.state != core::InstanceState::terminated;
}

// Terraform dereferences attachment and deviceIndex of every interface, Ansible indexes
// SourceDestCheck and Groups.
wire::InstanceNetworkInterface primary_interface(Instance const& instance,
                                                 std::string const& dns_name) {
  wire::InstanceNetworkInterface nic;
  nic.attachment = wire::InstanceNetworkInterfaceAttachment{
      .attach_time = instance.created,
      .attachment_id = derived("eni-attach-", instance.id.value),
      .delete_on_termination = true,
      .device_index = 0,
      .status = "attached",
      .network_card_index = 0};
  nic.description = "";
  nic.mac_address = instance.mac;
  nic.network_interface_id = derived("eni-", instance.id.value);
  nic.owner_id = instance.tenant.value;
  nic.source_dest_check = true;
  nic.status = "in-use";
  nic.interface_type = "interface";
  if (!instance.private_ip.empty()) {
    nic.private_dns_name = dns_name;
    nic.private_ip_address = instance.private_ip;
    nic.private_ip_addresses.push_back({.association = {},
                                        .primary = true,
                                        .private_dns_name = dns_name,
                                        .private_ip_address = instance.private_ip});
  }
  return nic;
}

// Values that a client may have sent and must read back, or Terraform plans a change for ever.
void set_options(wire::Instance& out, Instance const& instance) {
  out.monitoring = wire::Monitoring{.state = instance.is_monitored ? "enabled" : "disabled"};
  out.ebs_optimized = instance.ebs_optimized;
  // One core per vCPU is what the guest sees.
  out.cpu_options = wire::CpuOptions{.core_count = instance.vcpus, .threads_per_core = 1};
  out.capacity_reservation_specification = wire::CapacityReservationSpecificationResponse{
      .capacity_reservation_preference = "open", .capacity_reservation_target = {}};
  out.hibernation_options = wire::HibernationOptions{.configured = false};
  out.enclave_options = wire::EnclaveOptions{.enabled = false};
  // There is no metadata service yet: guests learn what they need from their seed disk.
  out.metadata_options =
      wire::InstanceMetadataOptionsResponse{.state = "applied",
                                            .http_tokens = "optional",
                                            .http_put_response_hop_limit = 1,
                                            .http_endpoint = "disabled",
                                            .http_protocol_ipv6 = "disabled",
                                            .instance_metadata_tags = "disabled"};
  out.private_dns_name_options =
      wire::PrivateDnsNameOptionsResponse{.hostname_type = "ip-name",
                                          .enable_resource_name_dns_a_record = false,
                                          .enable_resource_name_dns_aaaa_record = false};
  out.maintenance_options = wire::InstanceMaintenanceOptions{.auto_recovery = "default"};
}

// The name of a group stays the same while it has members, so a kept text stays true.
wire::Placement wire_placement(core::InstanceView const& view) {
  Instance const& instance = view.instance;
  wire::Placement out{.availability_zone = instance.zone.value,
                      .affinity = {},
                      .group_name = view.placement_group_name,
                      .partition_number = {},
                      .host_id = {},
                      .tenancy = "default",
                      .spread_domain = {},
                      .host_resource_group_arn = {},
                      .group_id = {}};
  if (view.placement_group_name.empty()) return out;
  out.group_id = instance.placement_group.value;
  if (instance.partition > 0) out.partition_number = instance.partition;
  return out;
}

wire::Instance wire_instance(core::InstanceView const& view, std::string_view region) {
  Instance const& instance = view.instance;
  bool const attached = is_attached(view);
  std::string const dns_name = attached ? core::private_dns_name(instance, region) : "";
  wire::Instance out;
  out.ami_launch_index = instance.launch_index;
  out.image_id = instance.image.value;
  out.instance_id = instance.id.value;
  out.instance_type = instance.type.value;
  if (!instance.key_name.empty()) out.key_name = instance.key_name;
  out.launch_time = instance.launch_time;
  out.placement = wire_placement(view);
  out.private_dns_name = dns_name;
  out.public_dns_name = "";
  if (attached && !instance.private_ip.empty()) out.private_ip_address = instance.private_ip;
  out.state = wire_state(view.state);
  out.state_transition_reason = instance.transition_reason;
  out.architecture = std::string(kArchitecture);
  out.client_token = instance.client_token;
  out.ena_support = true;
  out.hypervisor = std::string(kHypervisor);
  out.root_device_name = std::string(kRootDeviceName);
  out.root_device_type = "ebs";
  out.source_dest_check = true;
  out.virtualization_type = "hvm";
  out.platform_details = "Linux/UNIX";
  out.usage_operation = "RunInstances";
  out.usage_operation_update_time = instance.created;
  set_options(out, instance);
  if (!instance.state_reason.code.empty()) {
    out.state_reason = wire::StateReason{.code = instance.state_reason.code,
                                         .message = instance.state_reason.message};
  }
  if (attached) {
    out.block_device_mappings.push_back(root_device(instance));
    out.network_interfaces.push_back(primary_interface(instance, dns_name));
  }
  out.tags = wire_tags(instance.tags);
  return out;
}

wire::Reservation wire_reservation(core::ReservationView const& view, std::string_view region) {
  wire::Reservation out;
  out.reservation_id = view.id.value;
  out.owner_id = view.owner.value;
  out.instances.reserve(view.instances.size());
  for (core::InstanceView const& instance : view.instances) {
    out.instances.push_back(wire_instance(instance, region));
  }
  return out;
}

InstanceTexts::Text text_of(core::InstanceView const& view, Rendering const& about) {
  if (about.texts != nullptr) {
    if (InstanceTexts::Text kept = about.texts->find(view)) return kept;
  }
  auto text =
      std::make_shared<std::string const>(wire::render_inside(wire_instance(view, about.region)));
  if (about.texts != nullptr) about.texts->keep(view, text);
  return text;
}

std::vector<wire::InstanceStateChange> wire_changes(core::Reply const& reply) {
  std::vector<wire::InstanceStateChange> out;
  for (core::StateChange const& change : expect<core::StateChanges>(reply).items) {
    out.push_back({.current_state = wire_state(change.current),
                   .instance_id = change.id.value,
                   .previous_state = wire_state(change.previous)});
  }
  return out;
}

// A status check: its summary and the one detail EC2 has for it.
wire::InstanceStatusSummary check(std::string status, std::string reachability) {
  wire::InstanceStatusSummary out;
  if (!reachability.empty()) {
    out.details.push_back(
        {.impaired_since = {}, .name = "reachability", .status = std::move(reachability)});
  }
  out.status = std::move(status);
  return out;
}

//   state     host's health      status              reachability
//   pending   any                initializing        initializing
//   running   up, suspect        ok                  passed
//   running   lost               impaired            failed
//   running   never seen         insufficient-data   insufficient-data
//   other     any                not-applicable      -
wire::InstanceStatusSummary status_check(core::InstanceView const& view) {
  if (view.state == core::InstanceState::pending) return check("initializing", "initializing");
  if (view.state != core::InstanceState::running) return check("not-applicable", "");
  switch (view.host_health) {
    case HostHealth::up:
    case HostHealth::suspect: return check("ok", "passed");
    case HostHealth::lost: return check("impaired", "failed");
    case HostHealth::never_seen: return check("insufficient-data", "insufficient-data");
  }
  std::abort();
}

}  // namespace

std::string render_run_instances(core::Reply const& reply, Rendering const& about) {
  return document(about, wire_reservation(expect<core::Launched>(reply).reservation, about.region));
}

std::string render_describe_instances(core::Reply const& reply, Rendering const& about) {
  auto const& found = expect<core::Reservations>(reply);
  wire::DescribeInstancesResult out;
  out.reservations.reserve(found.items.size());
  std::vector<InstanceTexts::Text> held;  // for as long as `ready` looks into them
  wire::Ready ready{.shape = wire::Instance::kShape, .lists = {}};
  for (core::ReservationView const& reservation : found.items) {
    out.reservations.push_back({.groups = {},
                                .instances = {},
                                .owner_id = reservation.owner.value,
                                .requester_id = {},
                                .reservation_id = reservation.id.value});
    std::vector<std::string_view>& list = ready.lists.emplace_back();
    for (core::InstanceView const& view : reservation.instances) {
      held.push_back(text_of(view, about));
      list.push_back(*held.back());
    }
  }
  out.next_token = wire_token(found.next_token);
  return document(about, out, ready);
}

std::string render_describe_instance_status(core::Reply const& reply, Rendering const& about) {
  auto const& found = expect<core::Statuses>(reply);
  wire::DescribeInstanceStatusResult out;
  for (core::InstanceView const& view : found.items) {
    wire::InstanceStatus status;
    status.availability_zone = view.instance.zone.value;
    status.instance_id = view.instance.id.value;
    status.instance_state = wire_state(view.state);
    status.instance_status = status_check(view);
    status.system_status = status_check(view);
    out.instance_statuses.push_back(std::move(status));
  }
  out.next_token = wire_token(found.next_token);
  return document(about, out);
}

std::string render_start_instances(core::Reply const& reply, Rendering const& about) {
  return document(about, wire::StartInstancesResult{.starting_instances = wire_changes(reply)});
}

std::string render_stop_instances(core::Reply const& reply, Rendering const& about) {
  return document(about, wire::StopInstancesResult{.stopping_instances = wire_changes(reply)});
}

std::string render_terminate_instances(core::Reply const& reply, Rendering const& about) {
  return document(about,
                  wire::TerminateInstancesResult{.terminating_instances = wire_changes(reply)});
}

std::string render_get_console_output(core::Reply const& reply, Rendering const& about) {
  auto const& at = expect<core::ConsoleAt>(reply);
  std::string_view tail = about.console;
  if (tail.size() > limits::kConsoleBytesMax) {
    tail.remove_prefix(tail.size() - limits::kConsoleBytesMax);
  }
  return document(
      about, wire::GetConsoleOutputResult{
                 .instance_id = at.instance.value, .output = base64(tail), .timestamp = about.now});
}

}  // namespace berth::ec2
