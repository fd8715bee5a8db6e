// RunInstances: the one call with more parameters than we have things to give. What most clients
// always send and what changes nothing here is accepted; the rest is refused by name.

#include <optional>
#include <string>
#include <utility>

#include "daemon/ec2/facts.h"
#include "daemon/ec2/parse.h"
#include "daemon/ec2/parse_common.h"

namespace berth::ec2 {

namespace {

using Request = wire::RunInstancesRequest;
using Refusal = std::optional<Ec2Error>;

bool is_any_given(std::vector<std::string> const& texts) {
  for (std::string const& text : texts) {
    if (!text.empty()) return true;
  }
  return false;
}

Refusal refuse_network(Request const& r) {
  if (is_given(r.subnet_id)) return unsupported("SubnetId", "there are no subnets yet");
  if (is_any_given(r.security_group_ids)) {
    return unsupported("SecurityGroupId", "there are no security groups yet");
  }
  if (is_any_given(r.security_groups)) {
    return unsupported("SecurityGroup", "there are no security groups yet");
  }
  if (is_given(r.private_ip_address)) return unsupported("PrivateIpAddress");
  if (!r.ipv6_addresses.empty()) return unsupported("Ipv6Address");
  if (r.ipv6_address_count.value_or(0) != 0) return unsupported("Ipv6AddressCount");
  for (wire::InstanceNetworkInterfaceSpecification nic : r.network_interfaces) {
    // One interface that describes the one every instance gets; aws CLI and Ansible spell it out.
    if (nic.device_index.value_or(0) == 0) nic.device_index.reset();
    if (nic.network_card_index.value_or(0) == 0) nic.network_card_index.reset();
    if (nic.delete_on_termination.value_or(true)) nic.delete_on_termination.reset();
    if (!nic.associate_public_ip_address.value_or(false)) nic.associate_public_ip_address.reset();
    if (nic.interface_type.value_or("interface") == "interface") nic.interface_type.reset();
    if (nic != wire::InstanceNetworkInterfaceSpecification{}) {
      return unsupported("NetworkInterface",
                         "every instance gets one interface with one private address");
    }
  }
  if (r.network_interfaces.size() > 1) {
    return unsupported("NetworkInterface", "every instance gets one interface");
  }
  return {};
}

Refusal refuse_hardware(Request const& r) {
  if (!r.elastic_gpu_specification.empty()) return unsupported("ElasticGpuSpecification");
  if (!r.elastic_inference_accelerators.empty()) return unsupported("ElasticInferenceAccelerator");
  if (r.cpu_options) return unsupported("CpuOptions", "an instance has the CPUs of its type");
  if (is_given(r.kernel_id)) return unsupported("KernelId");
  if (is_given(r.ramdisk_id)) return unsupported("RamdiskId");
  if (r.enclave_options && r.enclave_options->enabled.value_or(false)) {
    return unsupported("EnclaveOptions.Enabled");
  }
  if (r.hibernation_options && r.hibernation_options->configured.value_or(false)) {
    return unsupported("HibernationOptions.Configured");
  }
  return {};
}

Refusal refuse_placement(Request const& r) {
  if (!r.placement) return {};
  wire::Placement const& p = *r.placement;
  if (is_given(p.tenancy) && *p.tenancy != "default") {
    return unsupported("Placement.Tenancy", "expected \"default\", found \"" + *p.tenancy + "\"");
  }
  if (is_given(p.affinity)) return unsupported("Placement.Affinity");
  if (is_given(p.host_id)) return unsupported("Placement.HostId");
  if (is_given(p.host_resource_group_arn)) return unsupported("Placement.HostResourceGroupArn");
  if (is_given(p.spread_domain)) return unsupported("Placement.SpreadDomain");
  return {};
}

Refusal refuse_contract(Request const& r) {
  if (r.iam_instance_profile) {
    return unsupported(is_given(r.iam_instance_profile->arn) ? "IamInstanceProfile.Arn"
                                                             : "IamInstanceProfile.Name",
                       "there are no instance profiles");
  }
  if (r.instance_market_options) {
    return unsupported("InstanceMarketOptions", "there are no spot instances yet");
  }
  if (!r.license_specifications.empty()) return unsupported("LicenseSpecification");
  if (r.capacity_reservation_specification &&
      r.capacity_reservation_specification->capacity_reservation_target) {
    return unsupported("CapacityReservationSpecification.CapacityReservationTarget",
                       "there are no capacity reservations yet");
  }
  if (r.private_dns_name_options) {
    wire::PrivateDnsNameOptionsRequest const& dns = *r.private_dns_name_options;
    if (dns.hostname_type.value_or("ip-name") != "ip-name") {
      return unsupported("PrivateDnsNameOptions.HostnameType", "expected \"ip-name\"");
    }
    if (dns.enable_resource_name_dns_a_record.value_or(false) ||
        dns.enable_resource_name_dns_aaaa_record.value_or(false)) {
      return unsupported("PrivateDnsNameOptions", "there are no records for resource names");
    }
  }
  return {};
}

Refusal refuse_ebs(wire::EbsBlockDevice const& ebs, std::string const& image) {
  if (!ebs.delete_on_termination.value_or(true)) {
    return unsupported("BlockDeviceMapping.Ebs.DeleteOnTermination",
                       "a root disk goes with its instance, expected \"true\"");
  }
  if (ebs.encrypted.value_or(false)) return unsupported("BlockDeviceMapping.Ebs.Encrypted");
  if (ebs.iops) return unsupported("BlockDeviceMapping.Ebs.Iops");
  if (ebs.throughput) return unsupported("BlockDeviceMapping.Ebs.Throughput");
  if (is_given(ebs.kms_key_id)) return unsupported("BlockDeviceMapping.Ebs.KmsKeyId");
  if (is_given(ebs.outpost_arn)) return unsupported("BlockDeviceMapping.Ebs.OutpostArn");
  // The image's own snapshot is what clients copy from DescribeImages.
  if (is_given(ebs.snapshot_id) && *ebs.snapshot_id != derived("snap-", image)) {
    return Ec2Error{"InvalidSnapshot.NotFound", 400,
                    "The snapshot '" + *ebs.snapshot_id + "' does not exist."};
  }
  return {};
}

// The size of the root disk if the request gives one.
Ec2Result<std::optional<std::int64_t>> root_disk_gib(Request const& r) {
  std::optional<std::int64_t> size;
  bool is_root_mapped = false;
  for (wire::BlockDeviceMapping const& mapping : r.block_device_mappings) {
    if (mapping.device_name.value_or("") != kRootDeviceName) {
      return unsupported("BlockDeviceMapping.DeviceName",
                         "only the root device can be mapped, expected \"" +
                             std::string(kRootDeviceName) + "\", found \"" +
                             mapping.device_name.value_or("") + "\"");
    }
    if (mapping.no_device) return unsupported("BlockDeviceMapping.NoDevice");
    if (is_given(mapping.virtual_name)) return unsupported("BlockDeviceMapping.VirtualName");
    if (std::exchange(is_root_mapped, true)) {
      return Ec2Error{"InvalidBlockDeviceMapping", 400,
                      "The device '" + std::string(kRootDeviceName) +
                          "' is used in more than one block-device mapping"};
    }
    if (!mapping.ebs) continue;
    if (Refusal refusal = refuse_ebs(*mapping.ebs, r.image_id.value_or(""))) {
      return *std::move(refusal);
    }
    size = mapping.ebs->volume_size;
  }
  return size;
}

}  // namespace

Ec2Result<core::RunInstances> launch_of(wire::RunInstancesRequest const& r) {
  for (auto refuse : {refuse_network, refuse_hardware, refuse_placement, refuse_contract}) {
    if (Refusal refusal = refuse(r)) return *std::move(refusal);
  }
  core::RunInstances run;
  run.image_id = r.image_id.value_or("");
  run.type = r.instance_type.value_or("");
  run.key_name = r.key_name.value_or("");
  if (r.placement) {
    run.zone = r.placement->availability_zone.value_or("");
    run.placement_group = {.id = r.placement->group_id.value_or(""),
                           .name = r.placement->group_name.value_or("")};
    run.partition = r.placement->partition_number;
  }
  if (is_given(r.user_data)) run.user_data = TRY(user_data_of(*r.user_data));
  run.instance_tags = TRY(tags_for(r.tag_specifications, "instance"));
  run.root_disk_gib = TRY(root_disk_gib(r));
  run.disable_api_termination = r.disable_api_termination;
  run.disable_api_stop = r.disable_api_stop;
  run.ebs_optimized = r.ebs_optimized;
  if (r.monitoring) run.monitoring = r.monitoring->enabled;
  if (is_given(r.instance_initiated_shutdown_behavior)) {
    run.shutdown_behavior = *r.instance_initiated_shutdown_behavior == "terminate"
                                ? ShutdownBehavior::terminate
                                : ShutdownBehavior::stop;
  }
  return run;
}

Ec2Result<Parsed> parse_run_instances(Parameters parameters) {
  auto const r = TRY(wire::read<Request>(parameters));
  core::RunInstances run = TRY(launch_of(r));
  if (r.launch_template) {
    wire::LaunchTemplateSpecification const& t = *r.launch_template;
    run.launch_template =
        core::LaunchTemplateVersionName{.of = {.id = t.launch_template_id.value_or(""),
                                               .name = t.launch_template_name.value_or("")},
                                        .version = t.version.value_or("")};
  } else if (run.image_id.empty()) {
    return missing_parameter("ImageId");
  }
  run.min_count = r.min_count.value_or(1);
  run.max_count = r.max_count.value_or(1);
  run.client_token = r.client_token.value_or("");
  if (!run.client_token.empty()) run.parameters_digest = parameters_digest(parameters);
  return Parsed{.action = std::move(run), .dry_run = r.dry_run.value_or(false), .echo = {}};
}

}  // namespace berth::ec2
