#include <utility>

#include "daemon/ec2/parse.h"
#include "daemon/ec2/parse_common.h"

namespace berth::ec2 {

Ec2Result<Parsed> parse_describe_instances(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribeInstancesRequest>(parameters));
  return Parsed{.action = core::DescribeInstances{.ids = std::move(r.instance_ids),
                                                  .filters = filters_of(r.filters),
                                                  .page = page_of(r.max_results, r.next_token)},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

Ec2Result<Parsed> parse_describe_instance_status(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribeInstanceStatusRequest>(parameters));
  return Parsed{.action = core::DescribeInstanceStatus{.ids = std::move(r.instance_ids),
                                                       .filters = filters_of(r.filters),
                                                       .page = page_of(r.max_results, r.next_token),
                                                       .include_all =
                                                           r.include_all_instances.value_or(false)},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

Ec2Result<Parsed> parse_start_instances(Parameters parameters) {
  auto r = TRY(wire::read<wire::StartInstancesRequest>(parameters));
  return Parsed{.action = core::StartInstances{.ids = std::move(r.instance_ids)},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

Ec2Result<Parsed> parse_stop_instances(Parameters parameters) {
  auto r = TRY(wire::read<wire::StopInstancesRequest>(parameters));
  if (r.hibernate.value_or(false)) return unsupported("Hibernate");
  return Parsed{.action = core::StopInstances{.ids = std::move(r.instance_ids),
                                              .force = r.force.value_or(false)},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

Ec2Result<Parsed> parse_reboot_instances(Parameters parameters) {
  auto r = TRY(wire::read<wire::RebootInstancesRequest>(parameters));
  return Parsed{.action = core::RebootInstances{.ids = std::move(r.instance_ids)},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

Ec2Result<Parsed> parse_terminate_instances(Parameters parameters) {
  auto r = TRY(wire::read<wire::TerminateInstancesRequest>(parameters));
  return Parsed{.action = core::TerminateInstances{.ids = std::move(r.instance_ids)},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

// `Latest` asks for what is there now instead of a copy made some time ago: we always answer so.
Ec2Result<Parsed> parse_get_console_output(Parameters parameters) {
  auto r = TRY(wire::read<wire::GetConsoleOutputRequest>(parameters));
  return Parsed{.action = core::ReadConsole{.id = r.instance_id.value_or("")},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

}  // namespace berth::ec2
