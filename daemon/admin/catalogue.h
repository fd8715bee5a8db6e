#pragma once
// The instance types a new region starts with: EC2's common x86 families that need neither local
// NVMe nor a GPU. main.cc hands them to the core once (PutTypes), at the first start; afterwards
// the operator's changes stand.

#include <vector>

#include "berth/model/image.h"

namespace berth::admin {

// Grouped by family, small to large; names are unique. AWS's API reports every family here as
// current, m4 included.
[[nodiscard]] std::vector<InstanceType> built_in_instance_types();

}  // namespace berth::admin
