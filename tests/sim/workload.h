#pragma once
// Workload: tenants and operators as they come, drawn from the API's documentation: good calls, bad
// ones, repeated ones, ones about somebody else's things. Every mutation is sent between two full
// listings; a client whose call was lost in a crash sends it again if it has a token.

#include <memory>
#include <set>
#include <vector>

#include "tests/sim/auditor.h"
#include "tests/sim/cluster.h"

namespace berth::sim {

class Workload {
 public:
  Workload(Cluster& cluster, Auditor& auditor);

  // Calls come from now on, until stop().
  void start();
  void stop() { is_running_ = false; }
  // Every call under way is lost.
  void on_daemon_crash();
  // A last look at everything, for the end of the calm.
  void look();
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  // A call that changes this instance has succeeded.
  std::function<void(InstanceId const&)> on_change;
  // One is about to be sent.
  std::function<void(InstanceId const&)> on_call;

 private:
  using OperationRef = std::shared_ptr<Operation>;

  void next_call();
  void next_operator_call();

  // Sends it between its listings; the auditor judges.
  void send(std::size_t tenant, std::string name, core::ApiAction action, bool dry_run = false);
  void send(OperationRef operation);
  void settle(OperationRef const& operation);
  [[nodiscard]] static bool is_safe_to_repeat(Operation const& operation);
  [[nodiscard]] OperationRef repeated(Operation const& operation);
  void send_again_later(Operation const& operation);
  void start_soon(std::size_t tenant, std::string const& id);
  void follow_up(std::size_t tenant, std::string const& id);
  // The instances that a call names.
  [[nodiscard]] static std::vector<InstanceId> named_in(core::ApiAction const& action);
  core::ApiCall call(std::size_t tenant, std::string name, core::ApiAction action,
                     bool dry_run = false);

  void launch(std::size_t tenant);
  void repeat(std::size_t tenant);
  void change_power(std::size_t tenant);
  void change_tags(std::size_t tenant);
  void change_keys(std::size_t tenant);
  void modify(std::size_t tenant);
  // workload_templates.cc
  void change_templates(std::size_t tenant);
  [[nodiscard]] LaunchTemplateData drawn_template_data();
  // workload_groups.cc
  void change_groups(std::size_t tenant);
  [[nodiscard]] core::CreatePlacementGroup drawn_group(std::string name);
  void launch_into_group(std::size_t tenant, core::PlacementGroupName of);
  void ask_about_foreign_group(std::size_t tenant);
  void list_filtered(std::size_t tenant);
  void list_paged(std::size_t tenant);
  void ask_in_pairs(std::size_t tenant);
  void ask_anything(std::size_t tenant);

  struct Walk {
    Listing before;
    std::vector<std::string> seen;
    std::int64_t page = 5;
  };
  void next_page(std::size_t tenant, std::shared_ptr<Walk> walk, std::string token);

  // Mostly of instances in that state, if there are any.
  [[nodiscard]] std::vector<std::string> some_ids(
      std::size_t tenant, std::optional<core::InstanceState> state = std::nullopt);
  [[nodiscard]] std::string absent_id();
  [[nodiscard]] std::string tag_word();
  void enable_tenant(std::size_t tenant, bool is_enabled);
  void raise_quota(std::size_t tenant);
  void admin(std::string name, core::AdminAction action, core::Gate::Done done);

  Cluster& cluster_;
  Auditor& auditor_;
  World& world_;
  bool is_running_ = false;
  std::uint64_t calls_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t tokens_ = 0;
  std::uint64_t operator_calls_ = 0;  // that enable or disable
  std::vector<OperationRef> under_way_;
  // Per tenant, as last listed.
  std::vector<std::map<std::string, core::InstanceState>> ids_;
  std::vector<std::map<std::string, std::string>> group_ids_;  // by name, as last listed
  std::vector<bool> is_enabled_;
  std::vector<bool> is_key_enabled_;
  std::vector<Quota> quota_;
};

}  // namespace berth::sim
