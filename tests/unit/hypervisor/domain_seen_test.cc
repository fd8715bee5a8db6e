#include "agent/hypervisor/domain_seen.h"

#include <gtest/gtest.h>

namespace berth::agent {
namespace {

using State = LibvirtDomain::State;

DomainMetadata metadata() {
  return {.id = InstanceId("i-0123456789abcdef0"),
          .generation = PlacementGeneration(2),
          .reboots = 3,
          .starts = 4,
          .boot_id = "now",
          .mac = "52:54:00:01:02:03"};
}
LibvirtDomain domain(State state, DomainMetadata const& m = metadata()) {
  return {
      .name = "i-0123456789abcdef0", .uuid = "ec2", .state = state, .metadata = metadata_xml(m)};
}
DomainSeen seen(State state, DomainMetadata const& m = metadata()) {
  return domain_seen({domain(state, m), m}, "now");
}

TEST(OwnDomain, IsOneWhoseMetadataNamesTheDomainItself) {
  std::optional<OwnDomain> const own = own_domain(domain(State::running));
  ASSERT_TRUE(own);
  EXPECT_EQ(own->metadata, metadata());
  LibvirtDomain clone = domain(State::running);
  clone.name = "i-0123456789abcdef0-clone";
  EXPECT_FALSE(own_domain(clone));
  LibvirtDomain foreign = domain(State::running);
  foreign.metadata.reset();
  EXPECT_FALSE(own_domain(foreign));
  LibvirtDomain broken = domain(State::running);
  broken.metadata = "<instance id='i-0123456789abcdef0'/>";
  EXPECT_FALSE(own_domain(broken));
}

TEST(DomainSeen, CarriesTheMetadata) {
  EXPECT_EQ(seen(State::running), (DomainSeen{.id = InstanceId("i-0123456789abcdef0"),
                                              .generation = PlacementGeneration(2),
                                              .uuid = "ec2",
                                              .state = DomainState::running,
                                              .reboots = 3,
                                              .starts = 4}));
}

TEST(DomainSeen, FollowsItsTable) {
  struct Row {
    State state;
    bool stopped_by_us, is_starting;
    std::string boot_id;
    DomainState wanted_state;
    bool wanted_stopped;
  };
  for (Row const& row : std::vector<Row>{
           {State::running, false, false, "now", DomainState::running, false},
           {State::running, true, false, "now", DomainState::shutting_down, true},
           {State::running, false, true, "now", DomainState::running, false},
           {State::running, true, true, "now", DomainState::running, true},
           {State::paused, false, false, "now", DomainState::paused, false},
           {State::paused, true, true, "now", DomainState::off, true},
           {State::paused, false, true, "now", DomainState::off, true},
           {State::shutting_down, true, false, "now", DomainState::shutting_down, true},
           {State::off, false, false, "now", DomainState::off, false},
           {State::off, true, false, "now", DomainState::off, true},
           {State::off, true, true, "now", DomainState::off, true},
           {State::off, false, true, "now", DomainState::off, true},
           {State::off, false, false, "before", DomainState::off, true},
           {State::crashed, false, false, "now", DomainState::crashed, false},
           {State::crashed, true, false, "now", DomainState::off, true},
           {State::crashed, false, true, "now", DomainState::off, true},
           {State::crashed, false, false, "before", DomainState::off, true}}) {
    DomainMetadata m = metadata();
    m.stopped_by_us = row.stopped_by_us;
    m.is_starting = row.is_starting;
    m.boot_id = row.boot_id;
    DomainSeen const found = seen(row.state, m);
    std::string const what = "state " + std::to_string(static_cast<int>(row.state)) +
                             (row.stopped_by_us ? " stopped" : "") +
                             (row.is_starting ? " starting" : "") + " boot " + row.boot_id;
    EXPECT_EQ(found.state, row.wanted_state) << what;
    EXPECT_EQ(found.stopped_by_us, row.wanted_stopped) << what;
  }
}

}  // namespace
}  // namespace berth::agent
