#pragma once
// Auditor: judges every reply from what EC2's documentation says, never from our code. It keeps its
// own books of what clients were told, and gets each mutation between two full listings that were
// decided directly before and after it, so that what should have come of it can be said exactly.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/core/input.h"
#include "daemon/core/reply.h"
#include "tests/sim/world.h"

namespace berth::sim {

// One tenant's instances, as one DescribeInstances said.
using Listing = std::map<std::string, core::InstanceView>;
[[nodiscard]] Listing listing_of(core::Reservations const& reply);

// One operation of a tenant, with the listings around it.
struct Operation {
  std::size_t tenant = 0;
  core::ApiCall call;
  std::optional<Listing> before;
  std::optional<Result<core::Reply>> reply;
  std::optional<Listing> after;
  std::vector<KeyPair> keys_before, keys_after;
  std::vector<core::LaunchTemplateView> templates_before, templates_after;
  std::vector<PlacementGroup> groups_before, groups_after;  // by name
  bool is_answer_lost = false;                              // the client gave up before it came
};

class Auditor {
 public:
  // `was_reaped`: whether an instance has ended so long ago that no listing need show it.
  Auditor(World& world, std::size_t tenants, std::function<bool(std::string const&)> was_reaped);

  // The client has its answer: from now on this must be visible for ever.
  void acknowledged(Operation const& operation);
  // All three answers are there.
  void judge(Operation const& operation);
  // The daemon died with it: nobody knows whether it happened.
  void lost(Operation const& operation);
  // Nobody listens for the answer any more, but it may have happened all the same.
  void given_up(Operation const& operation);
  // The daemon's date jumped: what it keeps for a time may be gone.
  void on_wall_step();

  // A listing with filters, decided directly after a full one.
  void judge_filtered(Listing const& all, std::vector<core::Filter> const& filters,
                      Result<core::Reply> const& reply);
  // All pages of one walk; what was there before and after it must be among them, once.
  void judge_pages(Listing const& before, std::vector<std::string> const& seen,
                   Listing const& after);
  // The same request about somebody else's id, and about one that nobody has.
  void judge_pair(std::string const& foreign, Result<core::Reply> const& of_foreign,
                  std::string const& absent, Result<core::Reply> const& of_absent);

  // Operators' calls that were acknowledged; `is_known` false: lost, may or may not be.
  void tenant_enabled(std::size_t tenant, bool enabled, bool is_known);
  void key_enabled(std::size_t tenant, bool enabled, bool is_known);
  void quota_set(std::size_t tenant, Quota const& quota, bool is_known);

  // From its launch on a token is kept for at least that long.
  Duration token_retention = hours(24);
  // Until then nothing that must be stored need be taken; the answers may come somewhat later.
  void store_full(Instant until) { store_full_until_ = until; }

  // Whether what a call answers or does depends on launch templates.
  [[nodiscard]] static bool is_about_templates(core::ApiAction const& action);
  // The same of placement groups.
  [[nodiscard]] static bool is_about_groups(core::ApiAction const& action);
  [[nodiscard]] std::uint64_t judged() const { return judged_; }
  // A token that was used, with its request; none: nothing was launched with one.
  [[nodiscard]] std::optional<core::ApiCall> used_token(std::size_t tenant, Entropy& entropy) const;

 private:
  struct Token {
    core::ApiCall call;
    std::string reservation;
    std::vector<std::string> ids;
    Instant at;
    bool may_be_forgotten = false;  // the daemon's clock has jumped since
  };
  struct Books {
    std::set<std::string> acknowledged;  // instances whose launch was acknowledged
    std::set<std::string> ending;        // seen shutting-down or terminated
    std::set<std::string> known;         // ever seen
    std::map<std::string, Tags> tags;    // as last seen
    std::map<std::string, Token> tokens;
    std::int64_t lost_launches = 0;  // instances that lost calls may have made
    // By template and number, as told to the client that made it.
    std::map<std::pair<std::string, std::uint64_t>, LaunchTemplateData> template_data;
    std::map<std::string, core::LaunchTemplateView> templates;  // as last seen, by name
    std::vector<PlacementGroup> groups;                         // as last seen, by name
    bool are_groups_certain = true;                             // as of templates
    bool are_templates_certain = true;      // no call was lost that may have changed them
    bool are_tags_certain = true;           // no tag call was lost since the last listing
    std::optional<bool> is_enabled = true;  // absent: a lost call may have changed it
    std::optional<bool> is_key_enabled = true;
    std::optional<Quota> quota;  // absent: not known
  };

  void wrong(Operation const& operation, std::string const& what);
  void read(std::size_t tenant, Listing const& listing);
  // A listing before and one after: nothing but health differs, and what had ended may be gone.
  [[nodiscard]] static bool is_same(Listing const& before, Listing const& after);
  [[nodiscard]] bool is_refused_caller(Operation const& operation);
  void judge_action(Operation const& o, core::RunInstances const& ask);
  void judge_action(Operation const& o, core::StartInstances const& ask);
  void judge_action(Operation const& o, core::StopInstances const& ask);
  void judge_action(Operation const& o, core::RebootInstances const& ask);
  void judge_action(Operation const& o, core::TerminateInstances const& ask);
  void judge_action(Operation const& o, core::CreateTags const& ask);
  void judge_action(Operation const& o, core::DeleteTags const& ask);
  void judge_action(Operation const& o, core::ModifyInstance const& ask);
  void judge_action(Operation const& o, core::AddKeyPair const& ask);
  void judge_action(Operation const& o, core::DeleteKeyPair const& ask);

  // auditor_groups.cc
  void judge_action(Operation const& o, core::CreatePlacementGroup const& ask);
  void judge_action(Operation const& o, core::DeletePlacementGroup const& ask);
  void judge_group_tags(Operation const& o, core::CreateTags const& ask);
  void judge_group_launch(Operation const& o, core::RunInstances const& ask);
  void read_groups(Operation const& o);

  // auditor_templates.cc
  void judge_action(Operation const& o, core::CreateLaunchTemplate const& ask);
  void judge_action(Operation const& o, core::CreateLaunchTemplateVersion const& ask);
  void judge_action(Operation const& o, core::ModifyLaunchTemplate const& ask);
  void judge_action(Operation const& o, core::DeleteLaunchTemplate const& ask);
  void judge_action(Operation const& o, core::DeleteLaunchTemplateVersions const& ask);
  void read_templates(Operation const& o);
  void judge_templates_but(Operation const& o, std::string const& name);
  [[nodiscard]] bool is_absent_template(Operation const& o, core::LaunchTemplateName const& of);
  // What a launch asks for altogether; nothing: the auditor was never told its template's data.
  [[nodiscard]] std::optional<core::RunInstances> whole(Operation const& o,
                                                        core::RunInstances const& ask);

  // What EC2 answers to a batch of ids: an error code, or nothing.
  struct Expectation {
    std::optional<Code> error;
    std::map<std::string, core::InstanceState> become;  // of those that change
    bool may_lack_room = false;                         // quota or capacity may refuse it
  };
  [[nodiscard]] Expectation ids_expected(Operation const& o,
                                         std::vector<std::string> const& ids) const;
  void judge_states(Operation const& o, Expectation const& expected);
  void judge_unchanged(Operation const& o);
  void judge_launch(Operation const& o, core::RunInstances const& ask,
                    core::ReservationView const& made);
  void judge_repeat(Operation const& o, core::RunInstances const& ask, Token const& token);

  World& world_;
  std::function<bool(std::string const&)> was_reaped_;
  std::vector<Books> books_;
  std::uint64_t judged_ = 0;
  Instant store_full_until_{};
};

}  // namespace berth::sim
