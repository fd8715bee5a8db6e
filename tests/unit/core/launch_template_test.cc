// Launch templates: their versions, what a launch takes from one, limits and repeated calls.

#include <gtest/gtest.h>

#include "daemon/core/invariants.h"
#include "tests/unit/core/region.h"

namespace berth::core {
namespace {

using testing::TestRegion;

class LaunchTemplateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    region.host_comes();
    absorb(region.state, PutInstanceType{InstanceType{
                             .name = TypeName("t3.micro"), .vcpus = 1, .memory = Mebibytes(256)}});
    absorb(region.state, PutTenant{Tenant{.id = other, .name = "two"}});
    absorb(region.state, PutAccessKey{AccessKey{.id = other_key, .tenant = other}});
  }
  void TearDown() override {
    EXPECT_TRUE(broken_invariants(region.state).empty()) << broken_invariants(region.state)[0];
  }
  static std::string refusal(Result<Reply> const& reply) {
    return reply ? "success" : std::string(name(reply.error().code)) + " " + reply.error().subject;
  }
  LaunchTemplateData data() {
    return {.image_id = region.image.value,
            .type = "t3.nano",
            .shown = {{"ImageId", region.image.value}, {"InstanceType", "t3.nano"}}};
  }
  LaunchTemplateView create(std::string name) { return create(std::move(name), data()); }
  LaunchTemplateView create(std::string name, LaunchTemplateData what) {
    Result<Reply> const reply =
        region.call(CreateLaunchTemplate{.name = std::move(name), .data = std::move(what)});
    if (!reply) {
      ADD_FAILURE() << reply.error().message;
      return {};
    }
    return std::get<OneLaunchTemplate>(*reply).view;
  }
  Result<Reply> add(LaunchTemplateData what, std::string source = "") {
    return region.call(CreateLaunchTemplateVersion{
        .of = {.name = "web"}, .source_version = std::move(source), .data = std::move(what)});
  }
  Result<Reply> run(std::string version, RunInstances ask = {}) {
    ask.launch_template =
        LaunchTemplateVersionName{.of = {.name = "web"}, .version = std::move(version)};
    return region.call(std::move(ask));
  }
  static Instance launched(Result<Reply> const& reply) {
    if (!reply) {
      ADD_FAILURE() << reply.error().message;
      return {};
    }
    return std::get<Launched>(*reply).reservation.instances.front().instance;
  }
  std::vector<std::uint64_t> described(DescribeLaunchTemplateVersions ask) {
    Result<Reply> const reply = region.call(std::move(ask));
    std::vector<std::uint64_t> out;
    if (!reply) {
      ADD_FAILURE() << reply.error().message;
      return out;
    }
    for (auto const& v : std::get<LaunchTemplateVersions>(*reply).items) {
      out.push_back(v.version.number);
    }
    return out;
  }
  using Numbers = std::vector<std::uint64_t>;

  TestRegion region;
  TenantId other{"222222222222"};
  AccessKeyId other_key{"AKIABBBBBBBBBBBBBBBB"};
};

TEST_F(LaunchTemplateTest, ALaunchTakesWhatItsRequestDoesNotSay) {
  LaunchTemplateData what = data();
  what.user_data = "#!/bin/sh\n";
  what.zone = "us-east-1a";
  what.instance_tags = {{"Name", "template"}, {"kept", "yes"}};
  what.root_disk_gib = 3;
  what.disable_api_termination = true;
  what.disable_api_stop = true;
  what.ebs_optimized = true;
  what.monitoring = true;
  what.shutdown_behavior = ShutdownBehavior::terminate;
  LaunchTemplateId const id = create("web", what).launch_template.id;
  Instance const all = launched(run(""));
  EXPECT_EQ(all.type.value, "t3.nano");
  EXPECT_EQ(all.image, region.image);
  EXPECT_EQ(all.user_data, "#!/bin/sh\n");
  EXPECT_EQ(all.disk_gib, 3);
  EXPECT_TRUE(all.disable_api_termination && all.disable_api_stop && all.ebs_optimized);
  EXPECT_TRUE(all.is_monitored);
  EXPECT_EQ(all.shutdown_behavior, ShutdownBehavior::terminate);
  EXPECT_EQ(all.tags, (Tags{{"Name", "template"},
                            {"kept", "yes"},
                            {"aws:ec2launchtemplate:id", id.value},
                            {"aws:ec2launchtemplate:version", "1"}}));

  Instance const own = launched(run("1", {.type = "t3.micro",
                                          .user_data = "mine",
                                          .instance_tags = {{"Name", "mine"}},
                                          .root_disk_gib = 5,
                                          .disable_api_termination = false,
                                          .shutdown_behavior = ShutdownBehavior::stop}));
  EXPECT_EQ(own.type.value, "t3.micro");
  EXPECT_EQ(own.user_data, "mine");
  EXPECT_EQ(own.disk_gib, 5);
  EXPECT_FALSE(own.disable_api_termination) << "a no of the request is stronger than a yes here";
  EXPECT_TRUE(own.disable_api_stop);
  EXPECT_EQ(own.shutdown_behavior, ShutdownBehavior::stop);
  EXPECT_EQ(own.tags.at("Name"), "mine");
  EXPECT_EQ(own.tags.at("kept"), "yes");
}

TEST_F(LaunchTemplateTest, AVersionIsMeantByNumberAsTheLatestOrAsTheDefault) {
  create("web");
  LaunchTemplateData second = data();
  second.type = "t3.micro";
  ASSERT_TRUE(add(second));
  EXPECT_EQ(launched(run("")).type.value, "t3.nano");
  EXPECT_EQ(launched(run("$Default")).type.value, "t3.nano");
  EXPECT_EQ(launched(run("$Latest")).type.value, "t3.micro");
  EXPECT_EQ(launched(run("2")).tags.at("aws:ec2launchtemplate:version"), "2");
  Result<Reply> const moved =
      region.call(ModifyLaunchTemplate{.of = {.name = "web"}, .default_version = "2"});
  ASSERT_TRUE(moved);
  EXPECT_EQ(std::get<OneLaunchTemplate>(*moved).view.launch_template.default_version, 2U);
  EXPECT_EQ(launched(run("$Default")).type.value, "t3.micro");
  EXPECT_EQ(refusal(run("3")), "not_found launch-template-version");
  for (char const* bad : {"latest", "0", "-1", "1x", "99999999999999999999"}) {
    EXPECT_EQ(refusal(run(bad)), "invalid parameter") << bad;
  }
  EXPECT_EQ(
      refusal(region.call(ModifyLaunchTemplate{.of = {.name = "web"}, .default_version = "3"})),
      "not_found launch-template-version");
}

TEST_F(LaunchTemplateTest, WhatATemplateNamesIsLookedForAtTheLaunch) {
  LaunchTemplateData what = data();
  what.type = "x9.huge";
  create("web", what);
  EXPECT_EQ(refusal(run("")), "invalid instance-type");
  create("empty", {.shown = {{"EbsOptimized", "true"}}});
  EXPECT_EQ(refusal(region.call(RunInstances{
                .type = "t3.nano",
                .launch_template = LaunchTemplateVersionName{.of = {.name = "empty"}}})),
            "invalid missing");
}

TEST_F(LaunchTemplateTest, ATemplateIsFoundByIdOrByNameButNotByBothNorByAnotherTenant) {
  std::string const id = create("web").launch_template.id.value;
  auto const ask = [&](LaunchTemplateName of) {
    return refusal(region.call(DescribeLaunchTemplateVersions{.of = std::move(of)}));
  };
  EXPECT_EQ(ask({.id = id}), "success");
  EXPECT_EQ(ask({.name = "web"}), "success");
  EXPECT_EQ(ask({.id = id, .name = "web"}), "invalid combination");
  EXPECT_EQ(ask({.id = "lt-1"}), "invalid launch-template-id");
  EXPECT_EQ(ask({.id = "lt-00000000000000bad"}), "not_found launch-template-id");
  EXPECT_EQ(ask({.name = "web2"}), "not_found launch-template-name");
  EXPECT_EQ(ask({.name = "a b"}), "invalid launch-template-name");
  auto const foreign = [&](ApiAction action) {
    return refusal(region.tell(ApiCall{.caller = {.tenant = other, .key = other_key},
                                       .action_name = "Test",
                                       .action = std::move(action)}));
  };
  EXPECT_EQ(foreign(DescribeLaunchTemplates{.ids = {id}}), "not_found launch-template-id");
  EXPECT_EQ(foreign(DescribeLaunchTemplates{.names = {"web"}}), "not_found launch-template-name");
  EXPECT_EQ(foreign(DeleteLaunchTemplate{.of = {.id = id}}), "not_found launch-template-id");
  EXPECT_EQ(foreign(CreateTags{{id}, {{"a", "b"}}}), "not_found launch-template-id");
  EXPECT_EQ(foreign(CreateLaunchTemplate{.name = "web", .data = data()}), "success")
      << "a name is a tenant's own";
}

TEST_F(LaunchTemplateTest, ANameIsTakenOnceAndHasEc2sForm) {
  create("web");
  auto const named = [&](std::string name) {
    return refusal(region.call(CreateLaunchTemplate{.name = std::move(name), .data = data()}));
  };
  EXPECT_EQ(named("web"), "exists launch-template");
  EXPECT_EQ(named("ab"), "invalid launch-template-name");
  EXPECT_EQ(named(std::string(129, 'a')), "invalid launch-template-name");
  EXPECT_EQ(named("a,b"), "invalid launch-template-name");
  EXPECT_EQ(named(std::string(128, 'a')), "success");
  EXPECT_EQ(named("(web)./_-9"), "success");
}

TEST_F(LaunchTemplateTest, TheSameTokenIsTheSameTemplateAndTheSameVersion) {
  CreateLaunchTemplate ask{
      .name = "web", .data = data(), .client_token = "t", .parameters_digest = "p"};
  Result<Reply> const first = region.call(ask);
  Result<Reply> const again = region.call(ask);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(std::get<OneLaunchTemplate>(*first).view.launch_template.id,
            std::get<OneLaunchTemplate>(*again).view.launch_template.id);
  ask.parameters_digest = "q";
  EXPECT_EQ(refusal(region.call(ask)), "conflict client-token");
  CreateLaunchTemplateVersion more{
      .of = {.name = "web"}, .data = data(), .client_token = "v", .parameters_digest = "p"};
  for (int i = 0; i < 2; ++i) {
    Result<Reply> const made = region.call(more);
    ASSERT_TRUE(made);
    EXPECT_EQ(std::get<OneLaunchTemplateVersion>(*made).view.version.number, 2U);
  }
  more.parameters_digest = "q";
  EXPECT_EQ(refusal(region.call(more)), "conflict client-token");
  more.client_token = std::string(129, 't');
  EXPECT_EQ(refusal(region.call(more)), "invalid client-token");
}

TEST_F(LaunchTemplateTest, ANewVersionInheritsWhatItDoesNotSayFromItsSource) {
  LaunchTemplateData what = data();
  what.root_disk_gib = 7;
  what.instance_tags = {{"a", "1"}};
  what.zone = "us-east-1a";
  what.shown.emplace_back("BlockDeviceMapping.1.Ebs.VolumeSize", "7");
  what.shown.emplace_back("TagSpecification.1.Tag.1.Key", "a");
  what.shown.emplace_back("Placement.AvailabilityZone", "us-east-1a");
  create("web", what);
  LaunchTemplateData own;
  own.type = "t3.micro";
  own.instance_tags = {{"b", "2"}};
  own.shown = {{"InstanceType", "t3.micro"}, {"TagSpecification.1.Tag.1.Key", "b"}};
  Result<Reply> const made = add(own, "1");
  ASSERT_TRUE(made);
  LaunchTemplateData const& got = std::get<OneLaunchTemplateVersion>(*made).view.version.data;
  EXPECT_EQ(got.type, "t3.micro");
  EXPECT_EQ(got.image_id, region.image.value);
  EXPECT_EQ(got.zone, "us-east-1a");
  EXPECT_EQ(got.root_disk_gib, 7);
  EXPECT_EQ(got.instance_tags, (Tags{{"b", "2"}})) << "a list stands for the source's whole list";
  using Shown = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(got.shown, (Shown{{"InstanceType", "t3.micro"},
                              {"TagSpecification.1.Tag.1.Key", "b"},
                              {"ImageId", region.image.value},
                              {"BlockDeviceMapping.1.Ebs.VolumeSize", "7"},
                              {"Placement.AvailabilityZone", "us-east-1a"}}));
  LaunchTemplateData alone = std::get<OneLaunchTemplateVersion>(*add(own)).view.version.data;
  EXPECT_EQ(alone.image_id, std::nullopt) << "without a source nothing is inherited";
  EXPECT_EQ(refusal(add(own, "9")), "not_found launch-template-version");
}

TEST_F(LaunchTemplateTest, VersionsAreListedNewestFirstByNumberRangeAndRelation) {
  create("web");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(add(data()));
  EXPECT_EQ(described({.of = {.name = "web"}}), (Numbers{4, 3, 2, 1}));
  EXPECT_EQ(described({.of = {.name = "web"}, .versions = {"1", "$Latest", "4"}}), (Numbers{4, 1}));
  EXPECT_EQ(described({.of = {.name = "web"}, .min_version = "2", .max_version = "3"}),
            (Numbers{3, 2}));
  EXPECT_EQ(described({.of = {.name = "web"}, .filters = {{"is-default-version", {"true"}}}}),
            (Numbers{1}));
  create("db1");
  EXPECT_EQ(described({.versions = {"$Latest"}}), (Numbers{1, 4})) << "db1, then web";
  EXPECT_EQ(refusal(region.call(DescribeLaunchTemplateVersions{})), "invalid missing");
  EXPECT_EQ(refusal(region.call(DescribeLaunchTemplateVersions{.versions = {"1"}})),
            "invalid missing");
  EXPECT_EQ(refusal(region.call(
                DescribeLaunchTemplateVersions{.of = {.name = "web"}, .versions = {"9"}})),
            "not_found launch-template-version");
}

TEST_F(LaunchTemplateTest, PagesGiveEverythingOnce) {
  for (char const* name : {"web", "db1", "db(1)", "app"}) create(name);
  ASSERT_TRUE(add(data()));
  std::vector<std::string> names;
  DescribeLaunchTemplates ask{.page = {.max_results = 1}};
  do {
    Result<Reply> const reply = region.call(ask);
    ASSERT_TRUE(reply);
    auto const& page = std::get<LaunchTemplates>(*reply);
    for (auto const& v : page.items) names.push_back(v.launch_template.name);
    ask.page.next_token = page.next_token;
  } while (!ask.page.next_token.empty());
  EXPECT_EQ(names, (std::vector<std::string>{"app", "db(1)", "db1", "web"}));
  Numbers numbers;
  DescribeLaunchTemplateVersions versions{.versions = {"$Latest", "$Default"},
                                          .page = {.max_results = 2}};
  do {
    Result<Reply> const reply = region.call(versions);
    ASSERT_TRUE(reply);
    auto const& page = std::get<LaunchTemplateVersions>(*reply);
    EXPECT_LE(page.items.size(), 2U);
    for (auto const& v : page.items) numbers.push_back(v.version.number);
    versions.page.next_token = page.next_token;
  } while (!versions.page.next_token.empty());
  EXPECT_EQ(numbers, (Numbers{1, 1, 1, 2, 1}));
  EXPECT_EQ(refusal(region.call(DescribeLaunchTemplates{.page = {.max_results = 0}})),
            "invalid page");
  EXPECT_EQ(refusal(region.call(DescribeLaunchTemplates{.page = {.max_results = 201}})),
            "invalid page");
}

TEST_F(LaunchTemplateTest, TemplatesAreFoundByTheirNamesAndTags) {
  std::string const id = create("web").launch_template.id.value;
  create("db1");
  ASSERT_TRUE(region.call(CreateTags{{id}, {{"team", "red"}}}));
  auto const found = [&](Filter filter) {
    std::string out;
    Result<Reply> const reply =
        region.call(DescribeLaunchTemplates{.filters = {std::move(filter)}});
    if (!reply) return refusal(reply);
    for (auto const& v : std::get<LaunchTemplates>(*reply).items) out += v.launch_template.name;
    return out;
  };
  EXPECT_EQ(found({"launch-template-name", {"w*"}}), "web");
  EXPECT_EQ(found({"tag:team", {"red"}}), "web");
  EXPECT_EQ(found({"tag-key", {"team"}}), "web");
  EXPECT_EQ(found({"spam", {"x"}}), "invalid filter");
  Result<Reply> const tags =
      region.call(DescribeTags{.filters = {{"resource-type", {"launch-template"}}}});
  ASSERT_TRUE(tags);
  ASSERT_EQ(std::get<TagList>(*tags).items.size(), 1U);
  EXPECT_EQ(std::get<TagList>(*tags).items[0].resource, id);
}

TEST_F(LaunchTemplateTest, TheDefaultVersionCannotBeDeletedAndANumberIsNotGivenTwice) {
  create("web");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(add(data()));
  Result<Reply> const reply =
      region.call(DeleteLaunchTemplateVersions{.of = {.name = "web"}, .versions = {"1", "3", "7"}});
  ASSERT_TRUE(reply);
  auto const& result = std::get<DeletedLaunchTemplateVersions>(*reply);
  using Why = DeletedLaunchTemplateVersions::Why;
  EXPECT_EQ(result.deleted, (Numbers{3}));
  ASSERT_EQ(result.kept.size(), 2U);
  EXPECT_EQ(result.kept[0].number, 1U);
  EXPECT_EQ(result.kept[0].why, Why::is_default);
  EXPECT_EQ(result.kept[1].number, 7U);
  EXPECT_EQ(result.kept[1].why, Why::absent);
  Result<Reply> const left = region.call(DescribeLaunchTemplates{});
  EXPECT_EQ(std::get<LaunchTemplates>(*left).items[0].latest_version, 2U);
  Result<Reply> const next = add(data());
  ASSERT_TRUE(next);
  EXPECT_EQ(std::get<OneLaunchTemplateVersion>(*next).view.version.number, 4U);
}

TEST_F(LaunchTemplateTest, ADeletedTemplateTakesItsVersionsAlongAndLeavesItsInstances) {
  create("web");
  ASSERT_TRUE(add(data()));
  Instance const instance = launched(run("2"));
  Result<Reply> const reply = region.call(DeleteLaunchTemplate{.of = {.name = "web"}});
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::get<OneLaunchTemplate>(*reply).view.latest_version, 2U);
  EXPECT_TRUE(region.state.launch_templates.empty());
  EXPECT_TRUE(region.state.launch_template_versions.empty());
  EXPECT_TRUE(region.state.instances.contains(instance.id));
  EXPECT_EQ(refusal(run("")), "not_found launch-template-name");
  create("web");
}

TEST_F(LaunchTemplateTest, SystemTagsStayWhateverTheTenantDoesToItsOwn) {
  create("web");
  std::string const id = launched(run("", {.instance_tags = {{"a", "1"}}})).id.value;
  ASSERT_TRUE(region.call(DeleteTags{{id}, {}}));
  auto const tags = [&] { return region.state.instances.at(InstanceId(id)).tags; };
  EXPECT_EQ(tags().size(), 2U);
  EXPECT_TRUE(tags().contains("aws:ec2launchtemplate:id"));
  EXPECT_EQ(refusal(region.call(DeleteTags{{id}, {{"aws:ec2launchtemplate:id", {}}}})),
            "invalid tag-key");
  Tags many;
  for (std::size_t i = 0; i < limits::kTagsPerResourceMax; ++i) many[std::to_string(i)] = "";
  EXPECT_TRUE(region.call(CreateTags{{id}, many})) << "what we gave is not counted";
  EXPECT_EQ(tags().size(), limits::kTagsPerResourceMax + 2);
}

TEST_F(LaunchTemplateTest, LimitsHoldAtTheLimitAndNotBefore) {
  create("web");
  for (std::size_t i = 1; i < limits::kVersionsPerLaunchTemplateMax; ++i) {
    ASSERT_TRUE(add(data())) << i;
  }
  EXPECT_EQ(refusal(add(data())), "quota launch-template");
  for (std::size_t i = 1; i < limits::kLaunchTemplatesPerTenantMax; ++i) {
    create("name" + std::to_string(i));
  }
  EXPECT_EQ(refusal(region.call(CreateLaunchTemplate{.name = "one-more", .data = data()})),
            "quota launch-template");
  LaunchTemplateData big = data();
  big.shown = {{"AdditionalInfo", std::string(limits::kLaunchTemplateBytesMax - 14, 'x')}};
  auto const on = [&](std::string name, LaunchTemplateData what, std::string description = "") {
    return refusal(region.call(CreateLaunchTemplateVersion{.of = {.name = std::move(name)},
                                                           .description = std::move(description),
                                                           .data = std::move(what)}));
  };
  EXPECT_EQ(on("name1", big), "success");
  big.shown[0].second += 'x';
  EXPECT_EQ(on("name1", big), "invalid parameter");
  LaunchTemplateData long_script = data();
  long_script.user_data = std::string(limits::kUserDataBytesMax, 'x');
  EXPECT_EQ(on("name1", long_script), "success");
  *long_script.user_data += 'x';
  EXPECT_EQ(on("name1", long_script), "invalid user-data");
  EXPECT_EQ(on("name1", data(), std::string(255, 'd')), "success");
  EXPECT_EQ(on("name1", data(), std::string(256, 'd')), "invalid parameter");
  // All of a tenant's together: so many are there by now.
  std::size_t have = region.state.launch_template_versions.size();
  for (int n = 2; have < limits::kLaunchTemplateVersionsPerTenantMax; ++have) {
    ASSERT_EQ(on("name" + std::to_string(n), data()), "success");
    if (have % 100 == 0) ++n;
  }
  EXPECT_EQ(on("name499", data()), "quota launch-template");
}

}  // namespace
}  // namespace berth::core
