#include <algorithm>
#include <string>
#include <utility>

#include "daemon/ec2/facts.h"
#include "daemon/ec2/render.h"
#include "daemon/ec2/render_common.h"

namespace berth::ec2 {

namespace {

// EC2's free text: "750 Megabit", "12.5 Gigabit"; "Low to Moderate" where nothing is promised.
std::string network_performance(std::int64_t mbps) {
  if (mbps <= 0) return "Low to Moderate";
  if (mbps < 1000) return std::to_string(mbps) + " Megabit";
  std::string text = std::to_string(mbps / 1000);
  if (std::int64_t const tenths = mbps % 1000 / 100; tenths != 0) {
    text += "." + std::to_string(tenths);
  }
  return text + " Gigabit";
}

wire::VCpuInfo vcpu_info(InstanceType const& type) {
  std::int64_t const threads = std::max<std::int64_t>(type.threads_per_core, 1);
  std::int64_t const cores = std::max<std::int64_t>(type.vcpus / threads, 1);
  return {.default_vcpus = type.vcpus,
          .default_cores = cores,
          .default_threads_per_core = threads,
          .valid_cores = {cores},
          .valid_threads_per_core = {threads}};
}

wire::EbsInfo ebs_info(InstanceType const& type) {
  wire::EbsInfo out;
  out.ebs_optimized_support = "default";
  out.encryption_support = "unsupported";
  out.nvme_support = "unsupported";
  if (type.ebs_mbps > 0) {
    double const megabytes = static_cast<double>(type.ebs_mbps) / 8.0;
    out.ebs_optimized_info = wire::EbsOptimizedInfo{.baseline_bandwidth_in_mbps = type.ebs_mbps,
                                                    .baseline_throughput_in_m_bps = megabytes,
                                                    .baseline_iops = {},
                                                    .maximum_bandwidth_in_mbps = type.ebs_mbps,
                                                    .maximum_throughput_in_m_bps = megabytes,
                                                    .maximum_iops = {}};
  }
  return out;
}

wire::NetworkInfo network_info(InstanceType const& type) {
  wire::NetworkInfo out;
  out.network_performance = network_performance(type.network_mbps);
  out.maximum_network_interfaces = 1;
  out.maximum_network_cards = 1;
  out.default_network_card_index = 0;
  out.network_cards.push_back({.network_card_index = 0,
                               .network_performance = network_performance(type.network_mbps),
                               .maximum_network_interfaces = 1});
  out.ipv4_addresses_per_interface = 1;
  out.ipv6_addresses_per_interface = 0;
  out.ipv6_supported = false;
  out.ena_support = "unsupported";
  out.efa_supported = false;
  out.encryption_in_transit_supported = false;
  out.ena_srd_supported = false;
  return out;
}

wire::InstanceTypeInfo wire_type(InstanceType const& type) {
  wire::InstanceTypeInfo out;
  out.instance_type = type.name.value;
  out.current_generation = type.is_current_generation;
  out.free_tier_eligible = type.is_free_tier_eligible;
  out.supported_usage_classes = {"on-demand"};
  out.supported_root_device_types = {"ebs"};
  out.supported_virtualization_types = {"hvm"};
  out.bare_metal = false;
  out.hypervisor = std::string(kTypeHypervisor);
  out.processor_info = wire::ProcessorInfo{.supported_architectures = {std::string(kArchitecture)},
                                           .sustained_clock_speed_in_ghz = {}};
  out.vcpu_info = vcpu_info(type);
  out.memory_info = wire::MemoryInfo{.size_in_mib = type.memory.value};
  out.instance_storage_supported = false;
  out.ebs_info = ebs_info(type);
  out.network_info = network_info(type);
  out.placement_group_info =
      wire::PlacementGroupInfo{.supported_strategies = {"cluster", "partition", "spread"}};
  out.hibernation_supported = false;
  out.burstable_performance_supported = type.is_burstable;
  out.dedicated_hosts_supported = false;
  out.auto_recovery_supported = false;
  out.supported_boot_modes = {"legacy-bios"};
  return out;
}

}  // namespace

std::string render_describe_instance_types(core::Reply const& reply, Rendering const& about) {
  auto const& found = expect<core::Types>(reply);
  wire::DescribeInstanceTypesResult out;
  out.instance_types.reserve(found.items.size());
  for (InstanceType const& type : found.items) out.instance_types.push_back(wire_type(type));
  out.next_token = wire_token(found.next_token);
  return document(about, out);
}

std::string render_describe_instance_type_offerings(core::Reply const& reply,
                                                    Rendering const& about) {
  auto const& found = expect<core::Offerings>(reply);
  wire::DescribeInstanceTypeOfferingsResult out;
  out.instance_type_offerings.reserve(found.items.size());
  for (core::Offering const& offering : found.items) {
    out.instance_type_offerings.push_back({.instance_type = offering.type.value,
                                           .location_type = found.location_type,
                                           .location = offering.location});
  }
  out.next_token = wire_token(found.next_token);
  return document(about, out);
}

}  // namespace berth::ec2
