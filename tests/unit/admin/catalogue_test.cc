#include "daemon/admin/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "berth/model/limits.h"

namespace berth::admin {
namespace {

InstanceType type_named(std::string const& name) {
  for (InstanceType const& type : built_in_instance_types()) {
    if (type.name.value == name) return type;
  }
  return {};
}

TEST(Catalogue, every_name_is_there_once_and_every_shape_is_sound) {
  std::set<std::string> names;
  for (InstanceType const& type : built_in_instance_types()) {
    EXPECT_TRUE(names.insert(type.name.value).second) << type.name.value;
    EXPECT_GE(type.vcpus, 1) << type.name.value;
    EXPECT_GE(type.memory.value, 512) << type.name.value;
    EXPECT_EQ(type.vcpus % type.threads_per_core, 0) << type.name.value;
    EXPECT_EQ(type.is_burstable, type.name.value.front() == 't') << type.name.value;
    EXPECT_EQ(type.name.value.find("metal"), std::string::npos);
  }
  EXPECT_GE(names.size(), 150U);
  EXPECT_LE(names.size(), limits::kInstanceTypesMax);
}

TEST(Catalogue, well_known_types_are_as_EC2_documents_them) {
  InstanceType const m5 = type_named("m5.large");
  EXPECT_EQ(m5.vcpus, 2);
  EXPECT_EQ(m5.memory, Mebibytes(8192));
  EXPECT_EQ(m5.threads_per_core, 2);
  EXPECT_EQ(m5.cpu_vendor, "Intel");
  EXPECT_EQ(type_named("m7a.large").threads_per_core, 1);
  EXPECT_EQ(type_named("c5a.24xlarge").cpu_vendor, "AMD");
  EXPECT_TRUE(type_named("t3.micro").is_free_tier_eligible);
  EXPECT_TRUE(type_named("t2.micro").is_free_tier_eligible);
  EXPECT_FALSE(type_named("t3.small").is_free_tier_eligible);
}

}  // namespace
}  // namespace berth::admin
