// Documents are compared with tests/golden/ec2/<name>.xml, one element a line. BERTH_REWRITE=1
// rewrites them; the difference is then for the reviewer's eyes.

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "daemon/ec2/facts.h"
#include "tests/unit/ec2/support.h"

namespace berth::ec2 {
namespace {

using testing::HasSubstr;
using testing::Not;
using wire::Action;

// One element a line, indented: what a diff can show.
std::string pretty(std::string const& xml) {
  std::string out;
  int depth = 0;
  std::size_t at = 0;
  while (at < xml.size()) {
    std::size_t const end = xml.find('>', at);
    if (end == std::string::npos) return out + xml.substr(at);
    bool const is_text_before = xml[at] != '<';
    std::size_t const open = xml.find('<', at);
    std::string const tag = xml.substr(open, end - open + 1);
    bool const is_closing = tag.starts_with("</");
    if (is_closing) --depth;
    if (is_text_before) {
      out += xml.substr(at, end - at + 1);
    } else {
      bool const stays =
          is_closing && !out.empty() && out.back() == '>' && at > 0 &&
          xml.rfind('<', at - 1) != std::string::npos &&
          xml.substr(xml.rfind('<', at - 1) + 1, tag.size() - 3) == tag.substr(2, tag.size() - 3);
      if (!stays && !out.empty() && out.back() != '\n') out += '\n';
      if (!stays) out += std::string(static_cast<std::size_t>(2 * std::max(depth, 0)), ' ');
      out += tag;
    }
    if (!is_closing && !tag.ends_with("/>") && !tag.starts_with("<?")) ++depth;
    at = end + 1;
    while (at < xml.size() && xml[at] == '\n') ++at;
  }
  return out + '\n';
}

std::string rendered(Action action, core::Reply const& reply, Echo const& echo = {},
                     std::string_view console = {}, InstanceTexts* texts = nullptr) {
  Rendering const about{.action = action,
                        .request_id = "00000000-0000-4000-8000-000000000000",
                        .region = "us-east-1",
                        .endpoint = "berth.example:8773",
                        .now = kNow,
                        .echo = echo,
                        .console = console,
                        .texts = texts};
  return row_of(action).render(reply, about);
}

void expect_golden(std::string const& name, std::string const& document) {
  std::string const path = "tests/golden/ec2/" + name + ".xml";
  std::string const found = pretty(document);
  if (std::getenv("BERTH_REWRITE") != nullptr) {
    std::ofstream(path) << found;
    return;
  }
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(found, text.str()) << path << "; BERTH_REWRITE=1 rewrites it";
}

core::ReservationView reservation(std::vector<core::InstanceView> instances) {
  return {.id = ReservationId("r-0123456789abcdef0"),
          .owner = TenantId(std::string(kTenant)),
          .instances = std::move(instances)};
}

core::InstanceView in_state(core::InstanceState state) {
  core::InstanceView view = running_instance();
  view.state = state;
  return view;
}

KeyPair key_pair() {
  return {.id = KeyPairId("key-0123456789abcdef0"),
          .tenant = TenantId(std::string(kTenant)),
          .name = "ada",
          .kind = KeyKind::ed25519,
          .public_key = "ssh-ed25519 AAAA ada",
          .fingerprint = "dRoZ=",
          .tags = {{"team", "red"}},
          .created = kNow};
}

TEST(Render, DescribePlacementGroups) {
  PlacementGroup group{.id = PlacementGroupId("pg-0123456789abcdef0"),
                       .tenant = TenantId(std::string(kTenant)),
                       .name = "web",
                       .strategy = PlacementStrategy::partition,
                       .partition_count = 3,
                       .tags = {{"team", "red"}},
                       .created = kNow};
  core::PlacementGroups found{.items = {group}, .region = "us-east-1"};
  group.name = "apart";
  group.strategy = PlacementStrategy::spread;
  group.partition_count = 0;
  group.tags.clear();
  found.items.push_back(group);
  expect_golden("describe_placement_groups", rendered(Action::describe_placement_groups, found));
  EXPECT_THAT(rendered(Action::describe_placement_groups, core::PlacementGroups{}),
              HasSubstr("<placementGroupSet/>"));
  EXPECT_THAT(rendered(Action::create_placement_group, core::OnePlacementGroup{group, "us-east-1"}),
              HasSubstr("<placementGroup><groupName>apart</groupName>"));
}

TEST(Render, RunInstances) {
  core::InstanceView view = in_state(core::InstanceState::pending);
  view.instance.private_ip.clear();
  view.instance.key_name.clear();
  view.instance.tags.clear();
  expect_golden("run_instances",
                rendered(Action::run_instances, core::Launched{reservation({view})}));
}

TEST(Render, DescribeInstances) {
  expect_golden("describe_instances",
                rendered(Action::describe_instances,
                         core::Reservations{.items = {reservation({running_instance()})},
                                            .next_token = "page 2"}));
}

TEST(Render, AKeptTextIsUsedForTheSameRecordOnly) {
  InstanceTexts texts;
  core::InstanceView view = running_instance();
  auto const described = [&](InstanceTexts* with) {
    return rendered(Action::describe_instances,
                    core::Reservations{.items = {reservation({view})}, .next_token = ""}, {}, {},
                    with);
  };
  std::string const first = described(&texts);
  EXPECT_EQ(first, described(nullptr));
  InstanceTexts::Text const kept = texts.find(view);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(described(&texts), first);
  EXPECT_EQ(texts.find(view), kept) << "not written again";

  view.instance.tags["colour"] = "blue";
  EXPECT_EQ(texts.find(view), nullptr);
  EXPECT_EQ(described(&texts), described(nullptr));
  EXPECT_THAT(described(&texts), HasSubstr("blue"));
  view.state = core::InstanceState::stopping;
  EXPECT_EQ(described(&texts), described(nullptr));
  EXPECT_THAT(described(&texts), HasSubstr("stopping"));
}

TEST(Render, KeptTextsHaveALimit) {
  InstanceTexts texts;
  core::InstanceView view = running_instance();
  auto const large = std::make_shared<std::string const>(std::size_t{1} << 20, 'x');
  int kept = 0;
  constexpr int kOffered = 1'000;  // MiB
  for (int n = 0; n < kOffered; ++n) {
    view.instance.id = InstanceId("i-" + std::to_string(n));
    texts.keep(view, large);
  }
  for (int n = 0; n < kOffered; ++n) {
    view.instance.id = InstanceId("i-" + std::to_string(n));
    kept += texts.find(view) != nullptr ? 1 : 0;
  }
  EXPECT_GT(kept, 0);
  EXPECT_LE(kept, static_cast<int>(InstanceTexts::kBytesMax >> 20));
}

TEST(Render, ATerminatedInstanceShowsWhyAndHasNothingAttached) {
  core::InstanceView view = in_state(core::InstanceState::terminated);
  view.instance.placement.reset();
  view.instance.state_reason = {"Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: x"};
  view.instance.transition_reason = "User initiated (2026-01-02 03:04:05 GMT)";
  expect_golden("describe_instances_terminated",
                rendered(Action::describe_instances,
                         core::Reservations{.items = {reservation({view})}, .next_token = ""}));
}

TEST(Render, NothingOfOurInsideIsShownToATenant) {
  std::string const text =
      rendered(Action::describe_instances,
               core::Reservations{.items = {reservation({running_instance()})}, .next_token = ""});
  EXPECT_THAT(text, Not(HasSubstr("rack1-host7")));
  EXPECT_THAT(text, Not(HasSubstr("host-0000")));
  EXPECT_THAT(text, Not(HasSubstr("ec2f0000-")));
  EXPECT_THAT(text, Not(HasSubstr(base64("#!/bin/sh\n"))));
}

TEST(Render, AnEmptyListIsAnEmptyElementEverywhere) {
  EXPECT_THAT(rendered(Action::describe_instances, core::Reservations{}),
              HasSubstr("<reservationSet/>"));
  EXPECT_THAT(rendered(Action::describe_instance_status, core::Statuses{}),
              HasSubstr("<instanceStatusSet/>"));
  EXPECT_THAT(rendered(Action::describe_instance_types, core::Types{}),
              HasSubstr("<instanceTypeSet/>"));
  EXPECT_THAT(rendered(Action::describe_instance_type_offerings, core::Offerings{}),
              HasSubstr("<instanceTypeOfferingSet/>"));
  EXPECT_THAT(rendered(Action::describe_images, core::Images{}), HasSubstr("<imagesSet/>"));
  EXPECT_THAT(rendered(Action::describe_regions, core::Regions{}), HasSubstr("<regionInfo/>"));
  EXPECT_THAT(rendered(Action::describe_availability_zones, core::Zones{}),
              HasSubstr("<availabilityZoneInfo/>"));
  EXPECT_THAT(rendered(Action::describe_key_pairs, core::KeyPairs{}), HasSubstr("<keySet/>"));
  EXPECT_THAT(rendered(Action::describe_tags, core::TagList{}), HasSubstr("<tagSet/>"));
}

TEST(Render, DescribeInstanceStatusTellsTheHostsHealth) {
  core::Statuses statuses;
  for (HostHealth health : {HostHealth::up, HostHealth::lost, HostHealth::never_seen}) {
    statuses.items.push_back(running_instance());
    statuses.items.back().host_health = health;
  }
  statuses.items.push_back(in_state(core::InstanceState::pending));
  statuses.items.push_back(in_state(core::InstanceState::stopped));
  expect_golden("describe_instance_status", rendered(Action::describe_instance_status, statuses));
}

// Waiters and libcloud read these: the new state comes first.
TEST(Render, StateChangesPutTheNewStateFirst) {
  core::StateChanges const changes{{{.id = InstanceId("i-0123456789abcdef0"),
                                     .previous = core::InstanceState::running,
                                     .current = core::InstanceState::shutting_down}}};
  expect_golden("terminate_instances", rendered(Action::terminate_instances, changes));
  EXPECT_THAT(rendered(Action::start_instances, changes), HasSubstr("<instancesSet><item>"));
  EXPECT_THAT(rendered(Action::stop_instances, changes), HasSubstr("<instancesSet><item>"));
}

TEST(Render, ActionsThatOnlySucceedSayTrue) {
  for (Action action : {Action::reboot_instances, Action::modify_instance_attribute,
                        Action::delete_key_pair, Action::create_tags, Action::delete_tags}) {
    EXPECT_THAT(rendered(action, core::Done{}), HasSubstr("<return>true</return>"))
        << wire::info(action).name;
  }
  expect_golden("reboot_instances", rendered(Action::reboot_instances, core::Done{}));
}

TEST(Render, EachInstanceAttributeIsTheOnlyOneInItsAnswer) {
  core::OneInstance const one{running_instance()};
  auto attribute = [&](std::string name) {
    return rendered(Action::describe_instance_attribute, one, {.attribute = std::move(name)});
  };
  EXPECT_THAT(attribute("instanceType"),
              HasSubstr("<instanceType><value>t3.micro</value></instanceType>"));
  EXPECT_THAT(attribute("disableApiTermination"),
              HasSubstr("<disableApiTermination><value>false</value></disableApiTermination>"));
  EXPECT_THAT(attribute("disableApiStop"),
              HasSubstr("<disableApiStop><value>false</value></disableApiStop>"));
  EXPECT_THAT(attribute("ebsOptimized"),
              HasSubstr("<ebsOptimized><value>false</value></ebsOptimized>"));
  EXPECT_THAT(attribute("instanceInitiatedShutdownBehavior"), HasSubstr("<value>stop</value>"));
  EXPECT_THAT(attribute("rootDeviceName"), HasSubstr("<value>/dev/sda1</value>"));
  EXPECT_THAT(attribute("sourceDestCheck"), HasSubstr("<value>true</value>"));
  EXPECT_THAT(attribute("enaSupport"), HasSubstr("<enaSupport><value>true</value></enaSupport>"));
  EXPECT_THAT(attribute("enclaveOptions"), HasSubstr("<enabled>false</enabled>"));
  EXPECT_THAT(attribute("kernel"), HasSubstr("<kernel"));
  EXPECT_THAT(attribute("ramdisk"), HasSubstr("<ramdisk"));
  EXPECT_THAT(attribute("blockDeviceMapping"), HasSubstr(derived("vol-", "i-0123456789abcdef0")));
  EXPECT_THAT(attribute("instanceType"), Not(HasSubstr("disableApiTermination")));
  expect_golden("describe_instance_attribute", attribute("userData"));
}

TEST(Render, AnAttributeThatIsAnEmptyListIsAnEmptyElementWhenAskedFor) {
  core::OneInstance one{running_instance()};
  one.view.state = core::InstanceState::terminated;
  for (std::string const name : {"groupSet", "productCodes", "blockDeviceMapping"}) {
    EXPECT_THAT(rendered(Action::describe_instance_attribute, one, {.attribute = name}),
                HasSubstr("<" + name + "/></DescribeInstanceAttributeResponse>"));
  }
  EXPECT_THAT(rendered(Action::describe_instance_attribute, one, {.attribute = "userData"}),
              Not(HasSubstr("groupSet")));
}

TEST(Render, UserDataComesBackByteForByteOrNotAtAll) {
  core::OneInstance one{running_instance()};
  one.view.instance.user_data = std::string("\0\x01\xff", 3);
  EXPECT_THAT(rendered(Action::describe_instance_attribute, one, {.attribute = "userData"}),
              HasSubstr("<value>" + base64(one.view.instance.user_data) + "</value>"));
  one.view.instance.user_data.clear();
  EXPECT_THAT(rendered(Action::describe_instance_attribute, one, {.attribute = "userData"}),
              Not(HasSubstr("<value>")));
}

TEST(Render, ConsoleOutputIsTheLast64KibAndBase64) {
  core::ConsoleAt const at{.instance = InstanceId("i-0123456789abcdef0"), .host = {}};
  expect_golden("get_console_output",
                rendered(Action::get_console_output, at, {}, "login:\r\n\x1b[0m"));
  std::string const much = "lost" + std::string(64 * 1024, 'x');
  EXPECT_THAT(rendered(Action::get_console_output, at, {}, much),
              HasSubstr("<output>" + base64(std::string(64 * 1024, 'x')) + "</output>"));
}

TEST(Render, DescribeInstanceTypesTellsEverythingThatTerraformAsksFor) {
  InstanceType type;
  type.name = TypeName("t3.micro");
  type.vcpus = 2;
  type.memory = Mebibytes(1024);
  type.threads_per_core = 2;
  type.is_burstable = true;
  type.is_free_tier_eligible = true;
  type.network_mbps = 12'500;
  type.ebs_mbps = 2'085;
  expect_golden(
      "describe_instance_types",
      rendered(Action::describe_instance_types, core::Types{.items = {type}, .next_token = ""}));
}

TEST(Render, DescribeInstanceTypeOfferings) {
  expect_golden("describe_instance_type_offerings",
                rendered(Action::describe_instance_type_offerings,
                         core::Offerings{.items = {{TypeName("t3.micro"), "us-east-1a"}},
                                         .next_token = "",
                                         .location_type = "availability-zone"}));
}

TEST(Render, DescribeImages) {
  Image ours;
  ours.id = ImageId("ami-0123456789abcdef0");
  ours.is_public = true;
  ours.name = "debian-12";
  ours.virtual_size = Bytes((std::int64_t{2} << 30) + 1);
  ours.created = kNow;
  Image own = ours;
  own.id = ImageId("ami-0123456789abcdef1");
  own.owner = TenantId(std::string(kTenant));
  own.is_public = false;
  own.description = "mine";
  own.tags = {{"Name", "mine"}};
  expect_golden("describe_images", rendered(Action::describe_images,
                                            core::Images{.items = {ours, own}, .next_token = ""}));
}

TEST(Render, RegionsAndZones) {
  expect_golden("describe_regions",
                rendered(Action::describe_regions, core::Regions{{"us-east-1"}}));
  Zone zone;
  zone.name = ZoneName("us-east-1a");
  zone.id = "use1-az1";
  expect_golden("describe_availability_zones",
                rendered(Action::describe_availability_zones,
                         core::Zones{.items = {zone}, .region = "us-east-1"}));
}

TEST(Render, KeyPairs) {
  expect_golden("create_key_pair",
                rendered(Action::create_key_pair, core::OneKeyPair{key_pair()},
                         {.private_key = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"}));
  expect_golden("import_key_pair", rendered(Action::import_key_pair, core::OneKeyPair{key_pair()}));
  expect_golden("describe_key_pairs",
                rendered(Action::describe_key_pairs, core::KeyPairs{{key_pair()}}));
}

TEST(Render, ThePublicKeyIsShownOnlyWhenAskedFor) {
  EXPECT_THAT(rendered(Action::describe_key_pairs, core::KeyPairs{{key_pair()}}),
              Not(HasSubstr("publicKey")));
  EXPECT_THAT(rendered(Action::describe_key_pairs, core::KeyPairs{{key_pair()}},
                       {.wants_public_key = true}),
              HasSubstr("<publicKey>ssh-ed25519 AAAA ada</publicKey>"));
}

TEST(Render, DescribeTags) {
  expect_golden("describe_tags",
                rendered(Action::describe_tags,
                         core::TagList{.items = {{"i-0123456789abcdef0", "instance", "a<b", "c&d"}},
                                       .next_token = "more"}));
}

TEST(Render, AccountAttributesThatWeDoNotHaveAreLeftOut) {
  core::AccountAttributes const reply{Quota{.instances = 7}};
  expect_golden("describe_account_attributes",
                rendered(Action::describe_account_attributes, reply));
  std::string const some = rendered(Action::describe_account_attributes, reply,
                                    {.attribute_names = {"max-instances", "some-new-one"}});
  EXPECT_THAT(some, HasSubstr("<attributeValue>7</attributeValue>"));
  EXPECT_THAT(some, Not(HasSubstr("default-vpc")));
  EXPECT_THAT(some, Not(HasSubstr("some-new-one")));
}

TEST(Render, GetCallerIdentity) {
  expect_golden("get_caller_identity",
                rendered(Action::get_caller_identity,
                         core::CallerIdentity{TenantId(std::string(kTenant)),
                                              AccessKeyId(std::string(kKeyId)), "acme"}));
}

TEST(Render, DerivedIdsHaveEc2sFormAndAreTheOwnersAlone) {
  EXPECT_THAT(derived("vol-", "i-0123456789abcdef0"), testing::MatchesRegex("vol-[0-9a-f]{17}"));
  EXPECT_EQ(derived("vol-", "i-0123456789abcdef0"), derived("vol-", "i-0123456789abcdef0"));
  EXPECT_NE(derived("vol-", "i-0123456789abcdef0"), derived("vol-", "i-0123456789abcdef1"));
  EXPECT_NE(derived("vol-", "i-0123456789abcdef0").substr(4),
            derived("eni-", "i-0123456789abcdef0").substr(4));
}

}  // namespace
}  // namespace berth::ec2
