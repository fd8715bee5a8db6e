#include "common/wire/record.h"

#include <string>
#include <string_view>
#include <type_traits>

#include "berth/base/overloaded.h"
#include "common/wire/record_body.h"
#include "record/v1/record.pb.h"

namespace berth::wire {

namespace pb = proto::record::v1;

namespace {

// Fields no .proto of ours names, in the message or in any within it. Protobuf
// would carry them along unseen, and our next Put of the record would drop
// them.
bool has_unknown_fields(google::protobuf::Message const& message) {
  google::protobuf::Reflection const& reflection = *message.GetReflection();
  if (!reflection.GetUnknownFields(message).empty()) return true;
  google::protobuf::Descriptor const& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    google::protobuf::FieldDescriptor const& field = *type.field(i);
    if (field.cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (field.is_repeated()) {
      for (int k = 0; k < reflection.FieldSize(message, &field); ++k) {
        if (has_unknown_fields(reflection.GetRepeatedMessage(message, &field, k))) return true;
      }
    } else if (reflection.HasField(message, &field) &&
               has_unknown_fields(reflection.GetMessage(message, &field))) {
      return true;
    }
  }
  return false;
}

template <class T, class... Ts>
concept one_of = (std::is_same_v<T, Ts> || ...);

template <class T>
concept Erase =
    one_of<T, core::EraseAccessKey, core::EraseInstanceType, core::EraseImage, core::EraseKeyPair,
           core::EraseHost, core::EraseInstance, core::EraseToken, core::EraseLaunchTemplate,
           core::EraseLaunchTemplateVersion, core::ErasePlacementGroup>;

}  // namespace

std::string_view name(RecordKind kind) {
  switch (kind) {
    case RecordKind::region: return "region";
    case RecordKind::zone: return "zone";
    case RecordKind::tenant: return "tenant";
    case RecordKind::access_key: return "access key";
    case RecordKind::instance_type: return "instance type";
    case RecordKind::image: return "image";
    case RecordKind::key_pair: return "key pair";
    case RecordKind::host: return "host";
    case RecordKind::instance: return "instance";
    case RecordKind::token: return "client token";
    case RecordKind::audit: return "audit record";
    case RecordKind::launch_template: return "launch template";
    case RecordKind::launch_template_version: return "launch template version";
    case RecordKind::placement_group: return "placement group";
  }
  return "unknown kind";
}

RecordKey key(core::Change const& change) {
  ENSURE(core::is_durable(change));
  using enum RecordKind;
  auto const token_id = [](TenantId const& tenant, std::string const& t) {
    return tenant.value + "/" + t;
  };
  auto const version_id = [](LaunchTemplateId const& id, std::uint64_t number) {
    return id.value + "/" + std::to_string(number);
  };
  return std::visit(
      overloaded{
          [](core::PutRegion const&) { return RecordKey{region, "region"}; },
          [](core::PutZone const& c) { return RecordKey{zone, c.zone.name.value}; },
          [](core::PutTenant const& c) { return RecordKey{tenant, c.tenant.id.value}; },
          [](core::PutAccessKey const& c) { return RecordKey{access_key, c.key.id.value}; },
          [](core::EraseAccessKey const& c) { return RecordKey{access_key, c.id.value}; },
          [](core::PutInstanceType const& c) {
            return RecordKey{instance_type, c.type.name.value};
          },
          [](core::EraseInstanceType const& c) { return RecordKey{instance_type, c.name.value}; },
          [](core::PutImage const& c) { return RecordKey{image, c.image.id.value}; },
          [](core::EraseImage const& c) { return RecordKey{image, c.id.value}; },
          [](core::PutKeyPair const& c) { return RecordKey{key_pair, c.key.id.value}; },
          [](core::EraseKeyPair const& c) { return RecordKey{key_pair, c.id.value}; },
          [](core::PutHost const& c) { return RecordKey{host, c.host.id.value}; },
          [](core::EraseHost const& c) { return RecordKey{host, c.id.value}; },
          [](core::PutInstance const& c) { return RecordKey{instance, c.instance.id.value}; },
          [](core::EraseInstance const& c) { return RecordKey{instance, c.id.value}; },
          [&](core::PutToken const& c) {
            return RecordKey{token, token_id(c.row.tenant, c.row.token)};
          },
          [&](core::EraseToken const& c) { return RecordKey{token, token_id(c.tenant, c.token)}; },
          [](core::AppendAudit const& c) {
            return RecordKey{audit, std::to_string(c.record.number)};
          },
          [](core::PutLaunchTemplate const& c) {
            return RecordKey{launch_template, c.launch_template.id.value};
          },
          [](core::EraseLaunchTemplate const& c) { return RecordKey{launch_template, c.id.value}; },
          [&](core::PutLaunchTemplateVersion const& c) {
            return RecordKey{launch_template_version,
                             version_id(c.version.launch_template, c.version.number)};
          },
          [&](core::EraseLaunchTemplateVersion const& c) {
            return RecordKey{launch_template_version, version_id(c.id, c.number)};
          },
          [](core::PutPlacementGroup const& c) {
            return RecordKey{placement_group, c.group.id.value};
          },
          [](core::ErasePlacementGroup const& c) { return RecordKey{placement_group, c.id.value}; },
          [](core::SeeHost const&) { return RecordKey{}; },
      },
      change);
}

bool is_put(core::Change const& change) {
  ENSURE(core::is_durable(change));
  return std::visit([]<class T>(T const&) { return !Erase<T>; }, change);
}

std::string encode(core::Change const& change) {
  pb::Record record;
  record.set_version(kRecordVersion);
  fill_body(change, record);
  return record.SerializeAsString();
}

Result<core::Change> decode(RecordKey const& place, std::string_view bytes) {
  auto const corrupt = [&](std::string const& what) {
    return Error{Code::corrupt, "record",
                 std::string(name(place.kind)) + " " + place.id + ": " + what};
  };
  pb::Record record;
  if (bytes.size() > std::size_t{INT32_MAX} ||
      !record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return corrupt("wanted a record, found " + std::to_string(bytes.size()) +
                   " bytes that are none");
  }
  if (record.version() == 0 || record.version() > kRecordVersion) {
    return corrupt("version: wanted 1 to " + std::to_string(kRecordVersion) + ", found " +
                   std::to_string(record.version()));
  }
  if (static_cast<int>(record.body_case()) != static_cast<int>(place.kind)) {
    return corrupt("kind: wanted " + std::to_string(static_cast<int>(place.kind)) + ", found " +
                   std::to_string(static_cast<int>(record.body_case())));
  }
  if (has_unknown_fields(record)) {
    return corrupt(
        "wanted only known fields, found others; was it written by "
        "a newer Berth?");
  }
  Result<core::Change> change = read_body(record);
  if (!change) return corrupt(change.error().message);
  if (Result<void> const formed = well_formed(*change); !formed) {
    return Error{Code::corrupt, "record", formed.error().message};
  }
  if (RecordKey const found = key(*change); found != place) {
    return corrupt("id: wanted the key's, found '" + found.id + "'");
  }
  return change;
}

}  // namespace berth::wire
