#pragma once
// Small fixed records and a folder to keep a store in.

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "berth/base/ensure.h"
#include "daemon/core/change.h"

namespace berth::test {

// "i-" and the number; the same number gives the same instance.
inline InstanceId instance_id(std::uint64_t number) {
  char digits[18];
  std::snprintf(digits, sizeof digits, "%017llx", static_cast<unsigned long long>(number));
  return InstanceId(std::string("i-") + digits);
}

inline Instance instance(std::uint64_t number) {
  return Instance{.id = instance_id(number),
                  .tenant = TenantId("111111111111"),
                  .reservation = ReservationId("r-0123456789abcdef0"),
                  .type = TypeName("m5.large"),
                  .vcpus = 2,
                  .memory = Mebibytes(8192),
                  .disk_gib = 8,
                  .image = ImageId("ami-0123456789abcdef0"),
                  .image_digest = std::string(64, 'a'),
                  .user_data = "#!/bin/sh\n",
                  .zone = ZoneName("us-east-1a"),
                  .launch_time = {1'700'000'000'000}};
}

inline core::TokenRow token(std::string const& tenant, std::string const& text) {
  return core::TokenRow{.tenant = TenantId(tenant),
                        .token = text,
                        .reservation = ReservationId("r-0123456789abcdef0"),
                        .instances = {instance_id(1)}};
}

inline core::AuditRecord audit(std::uint64_t number) {
  return core::AuditRecord{.number = number,
                           .actor = "tenant/111111111111/AKIAAAAAAAAAAAAAAAAA",
                           .source = "127.0.0.1",
                           .action = "RunInstances",
                           .subjects = {"i-" + std::to_string(number)},
                           .outcome = "ok",
                           .digest = std::string(64, 'b')};
}

// Removed with all it holds.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "berth-store-XXXXXX").string();
    ENSURE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(TemporaryFolder const&) = delete;
  TemporaryFolder& operator=(TemporaryFolder const&) = delete;

  [[nodiscard]] std::filesystem::path const& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace berth::test
