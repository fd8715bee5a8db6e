#include "daemon/core/input_class.h"

#include "berth/base/overloaded.h"

namespace berth::core {

namespace {

InputClass class_by_ids(bool names_some) {
  return names_some ? InputClass::read : InputClass::list;
}

InputClass class_of(ApiAction const& action) {
  return std::visit(
      overloaded{
          [](DescribeInstances const& a) { return class_by_ids(!a.ids.empty()); },
          [](DescribeInstanceStatus const& a) { return class_by_ids(!a.ids.empty()); },
          [](DescribeInstanceTypes const& a) { return class_by_ids(!a.names.empty()); },
          [](DescribeImages const& a) { return class_by_ids(!a.ids.empty()); },
          [](DescribeKeyPairs const& a) {
            return class_by_ids(!a.names.empty() || !a.ids.empty());
          },
          [](DescribeLaunchTemplates const& a) {
            return class_by_ids(!a.names.empty() || !a.ids.empty());
          },
          [](DescribeLaunchTemplateVersions const& a) {
            return class_by_ids(!a.of.id.empty() || !a.of.name.empty());
          },
          [](DescribePlacementGroups const& a) {
            return class_by_ids(!a.names.empty() || !a.ids.empty());
          },
          [](DescribeInstanceTypeOfferings const&) { return InputClass::list; },
          [](DescribeTags const&) { return InputClass::list; },
          // A handful of lines however large the region is.
          [](DescribeInstance const&) { return InputClass::read; },
          [](DescribeRegions const&) { return InputClass::read; },
          [](DescribeZones const&) { return InputClass::read; },
          [](DescribeAccountAttributes const&) { return InputClass::read; },
          [](GetCallerIdentity const&) { return InputClass::read; },
          [](ReadConsole const&) { return InputClass::read; },
          [](RunInstances const&) { return InputClass::mutation; },
          [](ModifyInstance const&) { return InputClass::mutation; },
          [](StartInstances const&) { return InputClass::mutation; },
          [](StopInstances const&) { return InputClass::mutation; },
          [](RebootInstances const&) { return InputClass::mutation; },
          [](TerminateInstances const&) { return InputClass::mutation; },
          [](AddKeyPair const&) { return InputClass::mutation; },
          [](DeleteKeyPair const&) { return InputClass::mutation; },
          [](CreateTags const&) { return InputClass::mutation; },
          [](CreateLaunchTemplate const&) { return InputClass::mutation; },
          [](CreateLaunchTemplateVersion const&) { return InputClass::mutation; },
          [](ModifyLaunchTemplate const&) { return InputClass::mutation; },
          [](DeleteLaunchTemplate const&) { return InputClass::mutation; },
          [](DeleteLaunchTemplateVersions const&) { return InputClass::mutation; },
          [](CreatePlacementGroup const&) { return InputClass::mutation; },
          [](DeletePlacementGroup const&) { return InputClass::mutation; },
          [](DeleteTags const&) { return InputClass::mutation; },
      },
      action);
}

// Operators are few and are needed most when tenants are too many: what they change and what they
// look at singly does not queue behind tenants.
InputClass class_of(AdminAction const& action) {
  return std::visit(overloaded{
                        [](ListZones const&) { return InputClass::list; },
                        [](ListTenants const&) { return InputClass::list; },
                        [](ListAccessKeys const&) { return InputClass::list; },
                        [](ListHosts const&) { return InputClass::list; },
                        [](ListTypes const&) { return InputClass::list; },
                        [](ListImages const&) { return InputClass::list; },
                        [](ListInstances const&) { return InputClass::list; },
                        [](auto const&) { return InputClass::operation; },
                    },
                    action);
}

}  // namespace

std::string_view name(InputClass c) {
  switch (c) {
    case InputClass::lease: return "lease";
    case InputClass::operation: return "operation";
    case InputClass::mutation: return "mutation";
    case InputClass::read: return "read";
    case InputClass::list: return "list";
  }
  return "unknown";
}

InputClass input_class(Input const& input) {
  return std::visit(overloaded{
                        [](ApiCall const& i) { return class_of(i.action); },
                        [](AdminCall const& i) { return class_of(i.action); },
                        [](AuthenticationRefused const&) { return InputClass::list; },
                        [](AgentJoin const&) { return InputClass::mutation; },
                        [](AgentHeartbeat const&) { return InputClass::lease; },
                        // One lane for all three: of one host they have to stay in order.
                        [](AgentHello const&) { return InputClass::operation; },
                        [](AgentReport const&) { return InputClass::operation; },
                        [](AgentGone const&) { return InputClass::operation; },
                        [](Tick const&) { return InputClass::operation; },
                    },
                    input);
}

}  // namespace berth::core
