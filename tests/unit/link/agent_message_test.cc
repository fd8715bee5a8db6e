// Messages read back what was written, and nothing that no Berth writes is read.
#include "common/wire/agent.h"

#include <functional>

#include <gmock/gmock.h>

#include "berth/model/limits.h"
#include "tests/unit/link/messages.h"

namespace berth::wire {
namespace {

using test::a_spec;
using test::a_status;
using test::an_instance;
using test::host_id;
using test::instance_id;

Result<FromDaemon> through(HostSpec const& spec) {
  return parse_from_daemon(bytes(FromDaemon(spec)));
}
Result<FromAgent> through(HostStatus const& status) {
  return parse_from_agent(bytes(FromAgent(status)));
}

TEST(AgentMessage, a_spec_reads_back_as_written) {
  HostSpec spec = a_spec(host_id(1));
  spec.instances[1].power = Power::absent;
  EXPECT_EQ(std::get<HostSpec>(*through(spec)), spec);
}

TEST(AgentMessage, a_tombstone_needs_only_who_and_which) {
  HostSpec spec{.host = host_id(1)};
  spec.instances.push_back(InstanceSpec{.id = instance_id(1),
                                        .generation = PlacementGeneration(4),
                                        .power = Power::absent,
                                        .uuid = an_instance(1).uuid});
  EXPECT_EQ(std::get<HostSpec>(*through(spec)), spec);
}

TEST(AgentMessage, a_status_reads_back_as_written_also_what_is_not_utf8) {
  HostStatus const status = a_status(host_id(1));
  EXPECT_EQ(std::get<HostStatus>(*through(status)), status);
}

TEST(AgentMessage, the_small_ones_read_back_as_written) {
  auto const hello = std::get<Hello>(
      *parse_from_agent(bytes(FromAgent(Hello{.version = "1", .host_uuid = "u", .boot_id = "b"}))));
  EXPECT_EQ(hello.version + hello.host_uuid + hello.boot_id, "1ub");
  EXPECT_EQ(std::get<Heartbeat>(*parse_from_agent(bytes(FromAgent(Heartbeat{9})))).number, 9u);
  auto const lease = std::get<LeaseGrant>(*parse_from_daemon(
      bytes(FromDaemon(LeaseGrant{.heartbeat = 5, .reconnect_spread = seconds(3)}))));
  EXPECT_EQ(lease.heartbeat, 5u);
  EXPECT_EQ(lease.reconnect_spread, seconds(3));
  auto const request = std::get<ConsoleRequest>(
      *parse_from_daemon(bytes(FromDaemon(ConsoleRequest{.id = 3, .instance = instance_id(8)}))));
  EXPECT_EQ(request.id, 3u);
  EXPECT_EQ(request.instance, instance_id(8));
  EXPECT_TRUE(std::holds_alternative<Welcome>(*parse_from_daemon(bytes(FromDaemon(Welcome{})))));
}

TEST(AgentMessage, a_consoles_error_keeps_its_kind_and_its_text) {
  for (Code code : {Code::not_found, Code::unavailable, Code::timeout}) {
    Error const error{code, "console", "why"};
    auto const reply = std::get<ConsoleReply>(
        *parse_from_agent(bytes(FromAgent(ConsoleReply{.id = 1, .output = error}))));
    ASSERT_FALSE(reply.output);
    EXPECT_EQ(reply.output.error(), error);
  }
}

TEST(AgentMessage, of_a_long_console_the_end_is_sent) {
  std::string output(limits::kConsoleBytesMax, 'a');
  output += "end";
  auto const reply = std::get<ConsoleReply>(
      *parse_from_agent(bytes(FromAgent(ConsoleReply{.id = 1, .output = output}))));
  EXPECT_EQ(reply.output->size(), limits::kConsoleBytesMax);
  EXPECT_TRUE(reply.output->ends_with("aend"));
}

TEST(AgentMessage, a_kind_of_a_newer_version_is_unknown_and_no_error) {
  std::string const field_99 = "\x9a\x06\x01x";
  EXPECT_TRUE(std::holds_alternative<Unknown>(*parse_from_agent(field_99)));
  EXPECT_TRUE(std::holds_alternative<Unknown>(*parse_from_daemon(field_99)));
}

TEST(AgentMessage, what_is_not_protobuf_is_an_error) {
  EXPECT_EQ(parse_from_agent("\xff\xff").error().code, Code::corrupt);
  EXPECT_EQ(parse_from_daemon("\x0a\x7f").error().code, Code::corrupt);
}

struct Wrong {
  char const* field;
  std::function<void(HostSpec&)> change;
};

TEST(AgentMessage, a_spec_with_one_thing_wrong_is_refused_by_name) {
  std::vector<Wrong> const wrongs{
      {"spec.host", [](HostSpec& s) { s.host = HostId("host-1"); }},
      {"spec.host", [](HostSpec& s) { s.host = HostId("host-0000000000000000G"); }},
      {"order", [](HostSpec& s) { std::swap(s.instances[0], s.instances[1]); }},
      {"order", [](HostSpec& s) { s.instances[1].id = s.instances[0].id; }},
      {"id", [](HostSpec& s) { s.instances[0].id = InstanceId("../../x"); }},
      {"uuid", [](HostSpec& s) { s.instances[0].uuid = "x"; }},
      {"uuid", [](HostSpec& s) { s.instances[0].uuid[8] = 'a'; }},
      {"vcpus", [](HostSpec& s) { s.instances[0].vcpus = 0; }},
      {"vcpus", [](HostSpec& s) { s.instances[0].vcpus = 4097; }},
      {"memory_mib", [](HostSpec& s) { s.instances[0].memory = Mebibytes(-1); }},
      {"disk_gib", [](HostSpec& s) { s.instances[0].disk_gib = limits::kRootDiskGibMax + 1; }},
      {"image_digest",
       [](HostSpec& s) { s.instances[0].image_digest = "../" + std::string(61, 'a'); }},
      {"image_size", [](HostSpec& s) { s.instances[0].image_size = Bytes(-1); }},
      {"mac", [](HostSpec& s) { s.instances[0].mac = "52:54:00:01:02:0g"; }},
      {"hostname", [](HostSpec& s) { s.instances[0].hostname = "a\nb"; }},
      {"user_data",
       [](HostSpec& s) { s.instances[0].user_data.assign(limits::kUserDataBytesMax + 1, 'x'); }},
      {"public_key", [](HostSpec& s) { s.instances[0].public_key.assign(16 * 1024 + 1, 'x'); }},
      {"zone", [](HostSpec& s) { s.instances[0].zone.assign(256, 'x'); }},
      {"cells", [](HostSpec& s) { s.instances[0].cells = {1, 0}; }},
      {"cells", [](HostSpec& s) { s.instances[0].cells = {-1}; }},
      {"cpus", [](HostSpec& s) { s.instances[0].cpus = {1}; }},
      {"cpus", [](HostSpec& s) { s.instances[0].cpus = {1, -2}; }},
      {"shared_cpus.cell", [](HostSpec& s) { s.shared_cpus[1].cell = 0; }},
      {"shared_cpus.cell", [](HostSpec& s) { s.shared_cpus[0].cell = -1; }},
      {"shared_cpus.cpus", [](HostSpec& s) { s.shared_cpus[0].cpus = {8, 0}; }},
      {"shared_cpus.cpus", [](HostSpec& s) { s.shared_cpus[0].cpus = {-1, 0}; }},
      {"shared_cpus", [](HostSpec& s) { s.shared_cpus.assign(1025, {}); }},
  };
  for (Wrong const& wrong : wrongs) {
    HostSpec spec = a_spec(host_id(1));
    wrong.change(spec);
    auto const read = through(spec);
    ASSERT_FALSE(read) << wrong.field;
    EXPECT_EQ(read.error().code, Code::corrupt);
    EXPECT_THAT(read.error().message, testing::HasSubstr(wrong.field));
  }
}

TEST(AgentMessage, a_thousand_instances_are_read_and_one_more_is_not) {
  HostSpec spec{.host = host_id(1)};
  for (int i = 1; i <= static_cast<int>(limits::kInstancesPerHostMax); ++i) {
    spec.instances.push_back(an_instance(i));
  }
  EXPECT_TRUE(through(spec));
  spec.instances.push_back(an_instance(static_cast<int>(limits::kInstancesPerHostMax) + 1));
  EXPECT_FALSE(through(spec));
}

TEST(AgentMessage, a_status_with_one_thing_wrong_is_refused) {
  std::vector<std::function<void(HostStatus&)>> const wrongs{
      [](HostStatus& s) { s.host = HostId(""); },
      [](HostStatus& s) { s.instances[0].seen = Seen::nothing; },
      [](HostStatus& s) { s.instances[0].ended_by_itself = true; },
      [](HostStatus& s) { s.instances[0].private_ip = "<script>\n"; },
      [](HostStatus& s) { s.instances.push_back(s.instances[0]); },
      [](HostStatus& s) { s.instances[0].cells = {2, 1}; },
      [](HostStatus& s) { s.instances[0].cpus = {-1}; },
      [](HostStatus& s) { s.instances[0].cpus.assign(4097, 1); },
      [](HostStatus& s) { s.images = {"x"}; },
      [](HostStatus& s) { s.images = {std::string(64, 'b'), std::string(64, 'a')}; },
      [](HostStatus& s) { s.inventory.cells.clear(); },
      [](HostStatus& s) { s.inventory.cells.resize(1025, s.inventory.cells[0]); },
      [](HostStatus& s) { s.inventory.hostname.assign(256, 'x'); },
      [](HostStatus& s) { s.boot_id = "a\x1b[2J"; },
      [](HostStatus& s) { s.host_uuid.assign(65, 'x'); },
  };
  for (std::size_t i = 0; i < wrongs.size(); ++i) {
    HostStatus status = a_status(host_id(1));
    wrongs[i](status);
    EXPECT_FALSE(through(status)) << i;
  }
}

}  // namespace
}  // namespace berth::wire
