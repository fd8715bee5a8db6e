// What a stored record's reader says of records that no Berth writes.

#include "common/wire/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "record/v1/record.pb.h"
#include "tests/support/records.h"

namespace berth::wire {
namespace {

namespace pb = proto::record::v1;

using ::testing::HasSubstr;

pb::Record parsed(core::Change const& change) {
  pb::Record record;
  EXPECT_TRUE(record.ParseFromString(encode(change)));
  return record;
}

std::string refusal(RecordKey const& place, std::string const& bytes) {
  Result<core::Change> const decoded = decode(place, bytes);
  if (decoded) return "(accepted)";
  EXPECT_EQ(decoded.error().code, Code::corrupt);
  EXPECT_EQ(decoded.error().subject, "record");
  return decoded.error().message;
}

class RecordTest : public ::testing::Test {
 protected:
  template <class Put>
  core::Change put() {
    return test::Draw(entropy_).put<Put>();
  }
  // Alters the stored form of an instance and gives what the reader says.
  template <class Alter>
  std::string instance_refusal(Alter alter) {
    core::Change const change = put<core::PutInstance>();
    pb::Record record = parsed(change);
    alter(*record.mutable_instance());
    std::string message = refusal(key(change), record.SerializeAsString());
    std::string const head = "instance " + key(change).id + ": ";
    EXPECT_TRUE(message.starts_with(head)) << message;
    return message.substr(std::min(head.size(), message.size()));
  }

  SeededEntropy entropy_{5};
};

TEST_F(RecordTest, AKindIsTheNumberOfItsBodyInTheEnvelope) {
  std::vector<core::Change> const changes = test::one_of_each(entropy_);
  for (core::Change const& change : changes) {
    EXPECT_EQ(static_cast<int>(parsed(change).body_case()), static_cast<int>(key(change).kind));
  }
}

TEST_F(RecordTest, EveryKindHasItsOwnName) {
  std::set<std::string_view> names;
  for (RecordKind kind : kRecordKinds) names.insert(name(kind));
  EXPECT_EQ(names.size(), std::size(kRecordKinds));
  EXPECT_FALSE(names.contains(name(static_cast<RecordKind>(0))));
}

TEST_F(RecordTest, AnEraseHasTheKeyOfThePutItUndoes) {
  core::TokenRow const row = std::get<core::PutToken>(put<core::PutToken>()).row;
  EXPECT_EQ(key(core::EraseToken{row.tenant, row.token}), key(core::PutToken{row}));
  EXPECT_EQ(key(core::PutToken{row}).id, row.tenant.value + "/" + row.token);
  EXPECT_FALSE(is_put(core::EraseToken{row.tenant, row.token}));
  EXPECT_TRUE(is_put(core::PutToken{row}));
  HostId const host("host-0123456789abcdef0");
  EXPECT_EQ(key(core::EraseHost{host}), key(core::PutHost{{.id = host}}));
}

TEST_F(RecordTest, BytesThatAreNoRecordAreRefused) {
  RecordKey const place{RecordKind::host, "host-1"};
  EXPECT_EQ(refusal(place, "\xff\xff\xff"),
            "host host-1: wanted a record, found 3 bytes that are none");
  EXPECT_EQ(refusal(place, ""), "host host-1: version: wanted 1 to 1, found 0");
}

TEST_F(RecordTest, ANewerVersionIsRefused) {
  core::Change const change = put<core::PutZone>();
  pb::Record record = parsed(change);
  record.set_version(2);
  EXPECT_EQ(refusal(key(change), record.SerializeAsString()),
            "zone " + key(change).id + ": version: wanted 1 to 1, found 2");
}

TEST_F(RecordTest, AnotherKindThanTheKeysIsRefused) {
  core::Change const change = put<core::PutZone>();
  EXPECT_EQ(refusal({RecordKind::host, "x"}, encode(change)), "host x: kind: wanted 18, found 12");
}

TEST_F(RecordTest, AnotherIdThanTheKeysIsRefused) {
  core::Change const change = put<core::PutZone>();
  EXPECT_EQ(refusal({RecordKind::zone, "elsewhere"}, encode(change)),
            "zone elsewhere: id: wanted the key's, found '" + key(change).id + "'");
}

TEST_F(RecordTest, FieldsOfANewerBerthAreRefusedAtAnyDepth) {
  EXPECT_THAT(instance_refusal([](pb::Instance& i) {
                i.mutable_placement()->set_host("host-0123456789abcdef0");
                i.mutable_placement()
                    ->GetReflection()
                    ->MutableUnknownFields(i.mutable_placement())
                    ->AddVarint(99, 1);
              }),
              HasSubstr("was it written by a newer Berth?"));
  EXPECT_THAT(instance_refusal([](pb::Instance& i) {
                pb::Tag& tag = *i.add_tags();
                tag.GetReflection()->MutableUnknownFields(&tag)->AddVarint(99, 1);
              }),
              HasSubstr("wanted only known fields"));
}

TEST_F(RecordTest, AnEnumeratorOutOfRangeIsNamedWithItsField) {
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.set_wanted(static_cast<pb::Wanted>(9)); }),
            "wanted: wanted 1 (running) to 3 (terminated), found 9");
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.clear_seen(); }),
            "seen: wanted 1 (nothing) to 6 (failed), found 0");
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.clear_image_format(); }),
            "image_format: wanted 1 (qcow2) or 2 (raw), found 0");
}

TEST_F(RecordTest, AMissingIdIsNamedWithItsField) {
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.clear_tenant(); }),
            "tenant: wanted 12 decimal digits, found nothing");
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.mutable_placement()->clear_host(); }),
            "placement.host: wanted a host's id, found nothing");
}

TEST_F(RecordTest, AWrongLengthIsNamedWithItsField) {
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.set_image("ami-0123"); }),
            "image: wanted 'ami-' and 17 lower-case hex digits, found 'ami-0123'");
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.set_image_digest(std::string(65, 'a')); }),
            "image_digest: wanted 64 lower-case hex digits, found '" + std::string(64, 'a') +
                "' (65 bytes)");
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.set_memory_mib(-1); }),
            "memory_mib: wanted zero or more, found '-1'");
}

TEST_F(RecordTest, WhatOlderBerthsDidNotWriteReadsAsItsDefault) {
  auto change = std::get<core::PutInstance>(put<core::PutInstance>());
  change.instance.placement = Placement{.host = HostId("host-0123456789abcdef0"),
                                        .generation = PlacementGeneration(3),
                                        .cells = {0, 1},
                                        .cpus = {4, 5}};
  pb::Record record = parsed(change);
  pb::Instance& old = *record.mutable_instance();
  old.clear_is_cpu_dedicated();
  old.clear_placement_group();
  old.clear_partition();
  old.clear_tenancy();
  old.clear_dedicated_host();
  old.clear_capacity_reservation();
  old.clear_spot_request();
  old.clear_interruption_at_ms();
  old.mutable_placement()->clear_cells();
  old.mutable_placement()->clear_cpus();
  Instance& wanted = change.instance;
  Instance const fresh;
  wanted.is_cpu_dedicated = fresh.is_cpu_dedicated;
  wanted.placement_group = fresh.placement_group;
  wanted.partition = fresh.partition;
  wanted.tenancy = fresh.tenancy;
  wanted.dedicated_host = fresh.dedicated_host;
  wanted.capacity_reservation = fresh.capacity_reservation;
  wanted.spot_request = fresh.spot_request;
  wanted.interruption_at = fresh.interruption_at;
  wanted.placement->cells.clear();
  wanted.placement->cpus.clear();
  Result<core::Change> const read = decode(key(change), record.SerializeAsString());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, core::Change(change));
}

TEST_F(RecordTest, WhereAnInstanceSitsAndWithWhomHasItsForm) {
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.set_placement_group("pg-1"); }),
            "placement_group: wanted 'pg-' and 17 lower-case hex digits, found 'pg-1'");
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.set_dedicated_host("host-1"); }),
            "dedicated_host: wanted 'h-' and 17 lower-case hex digits, found 'host-1'");
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.set_capacity_reservation("x"); }),
            "capacity_reservation: wanted 'cr-' and 17 lower-case hex digits, found 'x'");
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.set_spot_request("sir-0123456A"); }),
            "spot_request: wanted 'sir-' and 8 characters of a-z0-9, found 'sir-0123456A'");
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.set_partition(-1); }),
            "partition: wanted zero or more, found '-1'");
  EXPECT_EQ(instance_refusal([](pb::Instance& i) { i.set_tenancy(static_cast<pb::Tenancy>(4)); }),
            "tenancy: wanted 1 (shared) to 3 (host), found 4");
  auto const on_host = [](pb::Instance& i) -> berth::proto::model::v1::Placement& {
    i.clear_placement();
    i.mutable_placement()->set_host("host-0123456789abcdef0");
    return *i.mutable_placement();
  };
  EXPECT_EQ(instance_refusal([&](pb::Instance& i) {
              on_host(i).add_cells(1);
              i.mutable_placement()->add_cells(1);
            }),
            "placement.cells: wanted ids from 0, ascending, found '1'");
  EXPECT_EQ(instance_refusal([&](pb::Instance& i) { on_host(i).add_cpus(-4); }),
            "placement.cpus: wanted zero or more, found '-4'");
}

TEST_F(RecordTest, ATagKeyGivenTwiceIsRefused) {
  EXPECT_EQ(instance_refusal([](pb::Instance& i) {
              i.add_tags()->set_key("Name");
              i.add_tags()->set_key("Name");
            }),
            "tags: wanted each key once, found one twice");
}

TEST_F(RecordTest, ASecretIsNeverShown) {
  auto change = std::get<core::PutAccessKey>(put<core::PutAccessKey>());
  change.key.secret_sealed = "canary";
  change.key.tenant = TenantId("7");
  Result<void> const formed = well_formed(change);
  ASSERT_FALSE(formed);
  EXPECT_EQ(formed.error().message.find("canary"), std::string::npos);
  EXPECT_THAT(formed.error().message, HasSubstr("tenant: wanted 12 decimal digits, found '7'"));
}

TEST_F(RecordTest, AHostWithoutAProcessorIsRefused) {
  auto change = std::get<core::PutHost>(put<core::PutHost>());
  change.host.inventory = HostInventory{};
  Result<void> const formed = well_formed(change);
  ASSERT_FALSE(formed);
  EXPECT_EQ(formed.error().code, Code::invalid);
  EXPECT_THAT(formed.error().message, HasSubstr("inventory.cells: wanted at least one"));
}

TEST_F(RecordTest, AnIdThatIsUpperCaseOrTooLongIsRefused) {
  auto change = std::get<core::PutInstance>(put<core::PutInstance>());
  for (char const* id :
       {"i-0123456789ABCDEF0", "i-0123456789abcdef01", "i-0123456789abcdef", "0123456789abcdef0"}) {
    change.instance.id.value = id;
    EXPECT_FALSE(well_formed(change)) << id;
  }
  change.instance.id.value = "i-0123456789abcdef0";
  EXPECT_TRUE(well_formed(change));
}

TEST_F(RecordTest, OnlyDurableChangesThatPutHaveBytes) {
  EXPECT_DEATH((void)encode(core::EraseHost{}), "writes_a_record");
  EXPECT_DEATH((void)encode(core::SeeHost{}), "writes_a_record");
  EXPECT_DEATH((void)key(core::SeeHost{}), "is_durable");
}

}  // namespace
}  // namespace berth::wire
