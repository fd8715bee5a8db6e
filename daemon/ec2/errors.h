#pragma once
// What a tenant sees of an error of the core: the one table from (code, subject) to EC2's code and
// HTTP status. The message is the core's own, which is in EC2's words already.

#include <span>
#include <string_view>

#include "berth/base/result.h"
#include "daemon/ec2/ec2_error.h"

namespace berth::ec2 {

struct ErrorRow {
  Code code;
  std::string_view subject;  // empty: any other subject of this code
  std::string_view ec2_code;
  int http_status;
};

[[nodiscard]] std::span<ErrorRow const> error_rows();

// An error without a row, or one that can only come from an operator's call, is InternalError with
// a message that tells nothing of our inside; the caller logs the original.
[[nodiscard]] Ec2Error to_ec2(Error const& error);

// 412 DryRunOperation: what a dry run that would have succeeded is answered with.
[[nodiscard]] Ec2Error dry_run_succeeded();

}  // namespace berth::ec2
