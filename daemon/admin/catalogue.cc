// Facts from aws/karpenter-provider-aws (Apache-2.0) and vantage-sh/ec2instances.info (MIT).
// Families with local NVMe or GPUs are left out until hosts can offer those; metal never fits a
// guest.
#include "daemon/admin/catalogue.h"

#include <array>
#include <string_view>

namespace berth::admin {
namespace {

constexpr std::string_view kIntel = "Intel";
constexpr std::string_view kAmd = "AMD";

struct Row {
  std::string_view name;
  std::int64_t vcpus;
  std::int64_t memory_mib;
  std::int64_t threads_per_core;  // EC2's default: 1 for t2 and AMD's seventh generation
  std::int64_t network_mbps;      // 0: EC2 states a word ("Moderate"), not a number
  std::int64_t ebs_mbps;          // 0: not stated
  std::string_view cpu_vendor;
};

// clang-format off
constexpr auto kRows = std::to_array<Row>({
    {"t2.nano", 1, 512, 1, 0, 0, kIntel},
    {"t2.micro", 1, 1024, 1, 0, 0, kIntel},
    {"t2.small", 1, 2048, 1, 0, 0, kIntel},
    {"t2.medium", 2, 4096, 1, 0, 0, kIntel},
    {"t2.large", 2, 8192, 1, 0, 0, kIntel},
    {"t2.xlarge", 4, 16384, 1, 0, 0, kIntel},
    {"t2.2xlarge", 8, 32768, 1, 0, 0, kIntel},

    {"t3.nano", 2, 512, 2, 32, 2085, kIntel},
    {"t3.micro", 2, 1024, 2, 64, 2085, kIntel},
    {"t3.small", 2, 2048, 2, 128, 2085, kIntel},
    {"t3.medium", 2, 4096, 2, 256, 2085, kIntel},
    {"t3.large", 2, 8192, 2, 512, 2780, kIntel},
    {"t3.xlarge", 4, 16384, 2, 1024, 2780, kIntel},
    {"t3.2xlarge", 8, 32768, 2, 2048, 2780, kIntel},

    {"t3a.nano", 2, 512, 2, 32, 2085, kAmd},
    {"t3a.micro", 2, 1024, 2, 64, 2085, kAmd},
    {"t3a.small", 2, 2048, 2, 128, 2085, kAmd},
    {"t3a.medium", 2, 4096, 2, 256, 2085, kAmd},
    {"t3a.large", 2, 8192, 2, 512, 2780, kAmd},
    {"t3a.xlarge", 4, 16384, 2, 1024, 2780, kAmd},
    {"t3a.2xlarge", 8, 32768, 2, 2048, 2780, kAmd},

    {"m4.large", 2, 8192, 2, 0, 450, kIntel},
    {"m4.xlarge", 4, 16384, 2, 0, 750, kIntel},
    {"m4.2xlarge", 8, 32768, 2, 0, 1000, kIntel},
    {"m4.4xlarge", 16, 65536, 2, 0, 2000, kIntel},
    {"m4.10xlarge", 40, 163840, 2, 10000, 4000, kIntel},
    {"m4.16xlarge", 64, 262144, 2, 25000, 10000, kIntel},

    {"m5.large", 2, 8192, 2, 750, 4750, kIntel},
    {"m5.xlarge", 4, 16384, 2, 1250, 4750, kIntel},
    {"m5.2xlarge", 8, 32768, 2, 2500, 4750, kIntel},
    {"m5.4xlarge", 16, 65536, 2, 5000, 4750, kIntel},
    {"m5.8xlarge", 32, 131072, 2, 10000, 6800, kIntel},
    {"m5.12xlarge", 48, 196608, 2, 12000, 9500, kIntel},
    {"m5.16xlarge", 64, 262144, 2, 20000, 13600, kIntel},
    {"m5.24xlarge", 96, 393216, 2, 25000, 19000, kIntel},

    {"m5a.large", 2, 8192, 2, 750, 2880, kAmd},
    {"m5a.xlarge", 4, 16384, 2, 1250, 2880, kAmd},
    {"m5a.2xlarge", 8, 32768, 2, 2500, 2880, kAmd},
    {"m5a.4xlarge", 16, 65536, 2, 5000, 2880, kAmd},
    {"m5a.8xlarge", 32, 131072, 2, 7500, 4750, kAmd},
    {"m5a.12xlarge", 48, 196608, 2, 10000, 6780, kAmd},
    {"m5a.16xlarge", 64, 262144, 2, 12000, 9500, kAmd},
    {"m5a.24xlarge", 96, 393216, 2, 20000, 13750, kAmd},

    {"m6i.large", 2, 8192, 2, 781, 10000, kIntel},
    {"m6i.xlarge", 4, 16384, 2, 1562, 10000, kIntel},
    {"m6i.2xlarge", 8, 32768, 2, 3125, 10000, kIntel},
    {"m6i.4xlarge", 16, 65536, 2, 6250, 10000, kIntel},
    {"m6i.8xlarge", 32, 131072, 2, 12500, 10000, kIntel},
    {"m6i.12xlarge", 48, 196608, 2, 18750, 15000, kIntel},
    {"m6i.16xlarge", 64, 262144, 2, 25000, 20000, kIntel},
    {"m6i.24xlarge", 96, 393216, 2, 37500, 30000, kIntel},
    {"m6i.32xlarge", 128, 524288, 2, 50000, 40000, kIntel},

    {"m6a.large", 2, 8192, 2, 781, 10000, kAmd},
    {"m6a.xlarge", 4, 16384, 2, 1562, 10000, kAmd},
    {"m6a.2xlarge", 8, 32768, 2, 3125, 10000, kAmd},
    {"m6a.4xlarge", 16, 65536, 2, 6250, 10000, kAmd},
    {"m6a.8xlarge", 32, 131072, 2, 12500, 10000, kAmd},
    {"m6a.12xlarge", 48, 196608, 2, 18750, 15000, kAmd},
    {"m6a.16xlarge", 64, 262144, 2, 25000, 20000, kAmd},
    {"m6a.24xlarge", 96, 393216, 2, 37500, 30000, kAmd},
    {"m6a.32xlarge", 128, 524288, 2, 50000, 40000, kAmd},
    {"m6a.48xlarge", 192, 786432, 2, 50000, 40000, kAmd},

    {"m7i.large", 2, 8192, 2, 781, 10000, kIntel},
    {"m7i.xlarge", 4, 16384, 2, 1562, 10000, kIntel},
    {"m7i.2xlarge", 8, 32768, 2, 3125, 10000, kIntel},
    {"m7i.4xlarge", 16, 65536, 2, 6250, 10000, kIntel},
    {"m7i.8xlarge", 32, 131072, 2, 12500, 10000, kIntel},
    {"m7i.12xlarge", 48, 196608, 2, 18750, 15000, kIntel},
    {"m7i.16xlarge", 64, 262144, 2, 25000, 20000, kIntel},
    {"m7i.24xlarge", 96, 393216, 2, 37500, 30000, kIntel},
    {"m7i.48xlarge", 192, 786432, 2, 50000, 40000, kIntel},

    {"m7a.medium", 1, 4096, 1, 390, 10000, kAmd},
    {"m7a.large", 2, 8192, 1, 781, 10000, kAmd},
    {"m7a.xlarge", 4, 16384, 1, 1562, 10000, kAmd},
    {"m7a.2xlarge", 8, 32768, 1, 3125, 10000, kAmd},
    {"m7a.4xlarge", 16, 65536, 1, 6250, 10000, kAmd},
    {"m7a.8xlarge", 32, 131072, 1, 12500, 10000, kAmd},
    {"m7a.12xlarge", 48, 196608, 1, 18750, 15000, kAmd},
    {"m7a.16xlarge", 64, 262144, 1, 25000, 20000, kAmd},
    {"m7a.24xlarge", 96, 393216, 1, 37500, 30000, kAmd},
    {"m7a.32xlarge", 128, 524288, 1, 50000, 40000, kAmd},
    {"m7a.48xlarge", 192, 786432, 1, 50000, 40000, kAmd},

    {"c5.large", 2, 4096, 2, 750, 4750, kIntel},
    {"c5.xlarge", 4, 8192, 2, 1250, 4750, kIntel},
    {"c5.2xlarge", 8, 16384, 2, 2500, 4750, kIntel},
    {"c5.4xlarge", 16, 32768, 2, 5000, 4750, kIntel},
    {"c5.9xlarge", 36, 73728, 2, 12000, 9500, kIntel},
    {"c5.12xlarge", 48, 98304, 2, 12000, 9500, kIntel},
    {"c5.18xlarge", 72, 147456, 2, 25000, 19000, kIntel},
    {"c5.24xlarge", 96, 196608, 2, 25000, 19000, kIntel},

    {"c5a.large", 2, 4096, 2, 750, 3170, kAmd},
    {"c5a.xlarge", 4, 8192, 2, 1250, 3170, kAmd},
    {"c5a.2xlarge", 8, 16384, 2, 2500, 3170, kAmd},
    {"c5a.4xlarge", 16, 32768, 2, 5000, 3170, kAmd},
    {"c5a.8xlarge", 32, 65536, 2, 10000, 3170, kAmd},
    {"c5a.12xlarge", 48, 98304, 2, 12000, 4750, kAmd},
    {"c5a.16xlarge", 64, 131072, 2, 20000, 6300, kAmd},
    {"c5a.24xlarge", 96, 196608, 2, 20000, 9500, kAmd},

    {"c6i.large", 2, 4096, 2, 781, 10000, kIntel},
    {"c6i.xlarge", 4, 8192, 2, 1562, 10000, kIntel},
    {"c6i.2xlarge", 8, 16384, 2, 3125, 10000, kIntel},
    {"c6i.4xlarge", 16, 32768, 2, 6250, 10000, kIntel},
    {"c6i.8xlarge", 32, 65536, 2, 12500, 10000, kIntel},
    {"c6i.12xlarge", 48, 98304, 2, 18750, 15000, kIntel},
    {"c6i.16xlarge", 64, 131072, 2, 25000, 20000, kIntel},
    {"c6i.24xlarge", 96, 196608, 2, 37500, 30000, kIntel},
    {"c6i.32xlarge", 128, 262144, 2, 50000, 40000, kIntel},

    {"c6a.large", 2, 4096, 2, 781, 10000, kAmd},
    {"c6a.xlarge", 4, 8192, 2, 1562, 10000, kAmd},
    {"c6a.2xlarge", 8, 16384, 2, 3125, 10000, kAmd},
    {"c6a.4xlarge", 16, 32768, 2, 6250, 10000, kAmd},
    {"c6a.8xlarge", 32, 65536, 2, 12500, 10000, kAmd},
    {"c6a.12xlarge", 48, 98304, 2, 18750, 15000, kAmd},
    {"c6a.16xlarge", 64, 131072, 2, 25000, 20000, kAmd},
    {"c6a.24xlarge", 96, 196608, 2, 37500, 30000, kAmd},
    {"c6a.32xlarge", 128, 262144, 2, 50000, 40000, kAmd},
    {"c6a.48xlarge", 192, 393216, 2, 50000, 40000, kAmd},

    {"c7i.large", 2, 4096, 2, 781, 10000, kIntel},
    {"c7i.xlarge", 4, 8192, 2, 1562, 10000, kIntel},
    {"c7i.2xlarge", 8, 16384, 2, 3125, 10000, kIntel},
    {"c7i.4xlarge", 16, 32768, 2, 6250, 10000, kIntel},
    {"c7i.8xlarge", 32, 65536, 2, 12500, 10000, kIntel},
    {"c7i.12xlarge", 48, 98304, 2, 18750, 15000, kIntel},
    {"c7i.16xlarge", 64, 131072, 2, 25000, 20000, kIntel},
    {"c7i.24xlarge", 96, 196608, 2, 37500, 30000, kIntel},
    {"c7i.48xlarge", 192, 393216, 2, 50000, 40000, kIntel},

    {"c7a.medium", 1, 2048, 1, 390, 10000, kAmd},
    {"c7a.large", 2, 4096, 1, 781, 10000, kAmd},
    {"c7a.xlarge", 4, 8192, 1, 1562, 10000, kAmd},
    {"c7a.2xlarge", 8, 16384, 1, 3125, 10000, kAmd},
    {"c7a.4xlarge", 16, 32768, 1, 6250, 10000, kAmd},
    {"c7a.8xlarge", 32, 65536, 1, 12500, 10000, kAmd},
    {"c7a.12xlarge", 48, 98304, 1, 18750, 15000, kAmd},
    {"c7a.16xlarge", 64, 131072, 1, 25000, 20000, kAmd},
    {"c7a.24xlarge", 96, 196608, 1, 37500, 30000, kAmd},
    {"c7a.32xlarge", 128, 262144, 1, 50000, 40000, kAmd},
    {"c7a.48xlarge", 192, 393216, 1, 50000, 40000, kAmd},

    {"r5.large", 2, 16384, 2, 750, 4750, kIntel},
    {"r5.xlarge", 4, 32768, 2, 1250, 4750, kIntel},
    {"r5.2xlarge", 8, 65536, 2, 2500, 4750, kIntel},
    {"r5.4xlarge", 16, 131072, 2, 5000, 4750, kIntel},
    {"r5.8xlarge", 32, 262144, 2, 10000, 6800, kIntel},
    {"r5.12xlarge", 48, 393216, 2, 12000, 9500, kIntel},
    {"r5.16xlarge", 64, 524288, 2, 20000, 13600, kIntel},
    {"r5.24xlarge", 96, 786432, 2, 25000, 19000, kIntel},

    {"r5a.large", 2, 16384, 2, 750, 2880, kAmd},
    {"r5a.xlarge", 4, 32768, 2, 1250, 2880, kAmd},
    {"r5a.2xlarge", 8, 65536, 2, 2500, 2880, kAmd},
    {"r5a.4xlarge", 16, 131072, 2, 5000, 2880, kAmd},
    {"r5a.8xlarge", 32, 262144, 2, 7500, 4750, kAmd},
    {"r5a.12xlarge", 48, 393216, 2, 10000, 6780, kAmd},
    {"r5a.16xlarge", 64, 524288, 2, 12000, 9500, kAmd},
    {"r5a.24xlarge", 96, 786432, 2, 20000, 13570, kAmd},

    {"r6i.large", 2, 16384, 2, 781, 10000, kIntel},
    {"r6i.xlarge", 4, 32768, 2, 1562, 10000, kIntel},
    {"r6i.2xlarge", 8, 65536, 2, 3125, 10000, kIntel},
    {"r6i.4xlarge", 16, 131072, 2, 6250, 10000, kIntel},
    {"r6i.8xlarge", 32, 262144, 2, 12500, 10000, kIntel},
    {"r6i.12xlarge", 48, 393216, 2, 18750, 15000, kIntel},
    {"r6i.16xlarge", 64, 524288, 2, 25000, 20000, kIntel},
    {"r6i.24xlarge", 96, 786432, 2, 37500, 30000, kIntel},
    {"r6i.32xlarge", 128, 1048576, 2, 50000, 40000, kIntel},

    {"r6a.large", 2, 16384, 2, 781, 10000, kAmd},
    {"r6a.xlarge", 4, 32768, 2, 1562, 10000, kAmd},
    {"r6a.2xlarge", 8, 65536, 2, 3125, 10000, kAmd},
    {"r6a.4xlarge", 16, 131072, 2, 6250, 10000, kAmd},
    {"r6a.8xlarge", 32, 262144, 2, 12500, 10000, kAmd},
    {"r6a.12xlarge", 48, 393216, 2, 18750, 15000, kAmd},
    {"r6a.16xlarge", 64, 524288, 2, 25000, 20000, kAmd},
    {"r6a.24xlarge", 96, 786432, 2, 37500, 30000, kAmd},
    {"r6a.32xlarge", 128, 1048576, 2, 50000, 40000, kAmd},
    {"r6a.48xlarge", 192, 1572864, 2, 50000, 40000, kAmd},

    {"r7i.large", 2, 16384, 2, 781, 10000, kIntel},
    {"r7i.xlarge", 4, 32768, 2, 1562, 10000, kIntel},
    {"r7i.2xlarge", 8, 65536, 2, 3125, 10000, kIntel},
    {"r7i.4xlarge", 16, 131072, 2, 6250, 10000, kIntel},
    {"r7i.8xlarge", 32, 262144, 2, 12500, 10000, kIntel},
    {"r7i.12xlarge", 48, 393216, 2, 18750, 15000, kIntel},
    {"r7i.16xlarge", 64, 524288, 2, 25000, 20000, kIntel},
    {"r7i.24xlarge", 96, 786432, 2, 37500, 30000, kIntel},
    {"r7i.48xlarge", 192, 1572864, 2, 50000, 40000, kIntel},

    {"r7a.medium", 1, 8192, 1, 390, 10000, kAmd},
    {"r7a.large", 2, 16384, 1, 781, 10000, kAmd},
    {"r7a.xlarge", 4, 32768, 1, 1562, 10000, kAmd},
    {"r7a.2xlarge", 8, 65536, 1, 3125, 10000, kAmd},
    {"r7a.4xlarge", 16, 131072, 1, 6250, 10000, kAmd},
    {"r7a.8xlarge", 32, 262144, 1, 12500, 10000, kAmd},
    {"r7a.12xlarge", 48, 393216, 1, 18750, 15000, kAmd},
    {"r7a.16xlarge", 64, 524288, 1, 25000, 20000, kAmd},
    {"r7a.24xlarge", 96, 786432, 1, 37500, 30000, kAmd},
    {"r7a.32xlarge", 128, 1048576, 1, 50000, 40000, kAmd},
    {"r7a.48xlarge", 192, 1572864, 1, 50000, 40000, kAmd},
});
// clang-format on

}  // namespace

std::vector<InstanceType> built_in_instance_types() {
  std::vector<InstanceType> out;
  out.reserve(kRows.size());
  for (Row const& row : kRows) {
    out.push_back(InstanceType{
        .name = TypeName(std::string(row.name)),
        .vcpus = row.vcpus,
        .memory = Mebibytes(row.memory_mib),
        .threads_per_core = row.threads_per_core,
        .is_burstable = row.name.starts_with('t'),
        .is_current_generation = true,
        .is_free_tier_eligible = row.name == "t2.micro" || row.name == "t3.micro",
        .network_mbps = row.network_mbps,
        .ebs_mbps = row.ebs_mbps,
        .cpu_vendor = std::string(row.cpu_vendor),
    });
  }
  return out;
}

}  // namespace berth::admin
