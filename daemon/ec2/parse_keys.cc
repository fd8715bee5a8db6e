#include <utility>

#include "daemon/ec2/key_material.h"
#include "daemon/ec2/parse.h"
#include "daemon/ec2/parse_common.h"

namespace berth::ec2 {

Ec2Result<Parsed> parse_create_key_pair(Parameters parameters) {
  auto r = TRY(wire::read<wire::CreateKeyPairRequest>(parameters));
  if (r.key_format.value_or("pem") != "pem") {
    return unsupported("KeyFormat", "expected \"pem\", found \"" + *r.key_format + "\"");
  }
  bool const dry_run = r.dry_run.value_or(false);
  KeyKind const kind = r.key_type.value_or("rsa") == "ed25519" ? KeyKind::ed25519 : KeyKind::rsa;
  Tags tags = TRY(tags_for(r.tag_specifications, "key-pair"));
  std::string name = r.key_name.value_or("");
  // A dry run keeps nothing: a key that costs nothing to make stands in for the real one.
  NewKey key = new_key(dry_run ? KeyKind::ed25519 : kind, name);
  return Parsed{.action = core::AddKeyPair{.name = std::move(name),
                                           .kind = kind,
                                           .public_key = std::move(key.public_key),
                                           .fingerprint = std::move(key.fingerprint),
                                           .tags = std::move(tags)},
                .dry_run = dry_run,
                .echo = {.private_key = std::move(key.private_key)}};
}

Ec2Result<Parsed> parse_import_key_pair(Parameters parameters) {
  auto r = TRY(wire::read<wire::ImportKeyPairRequest>(parameters));
  Tags tags = TRY(tags_for(r.tag_specifications, "key-pair"));
  std::string name = r.key_name.value_or("");
  Result<ReadKey> key = read_public_key(r.public_key_material.value_or(""), name);
  if (!key) return Ec2Error{"InvalidKey.Format", 400, key.error().message};
  return Parsed{.action = core::AddKeyPair{.name = std::move(name),
                                           .kind = key->kind,
                                           .public_key = std::move(key->public_key),
                                           .fingerprint = std::move(key->fingerprint),
                                           .tags = std::move(tags)},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

Ec2Result<Parsed> parse_describe_key_pairs(Parameters parameters) {
  auto r = TRY(wire::read<wire::DescribeKeyPairsRequest>(parameters));
  return Parsed{.action = core::DescribeKeyPairs{.names = std::move(r.key_names),
                                                 .ids = std::move(r.key_pair_ids),
                                                 .filters = filters_of(r.filters)},
                .dry_run = r.dry_run.value_or(false),
                .echo = {.wants_public_key = r.include_public_key.value_or(false)}};
}

Ec2Result<Parsed> parse_delete_key_pair(Parameters parameters) {
  auto r = TRY(wire::read<wire::DeleteKeyPairRequest>(parameters));
  return Parsed{.action = core::DeleteKeyPair{.name = r.key_name.value_or(""),
                                              .id = r.key_pair_id.value_or("")},
                .dry_run = r.dry_run.value_or(false),
                .echo = {}};
}

}  // namespace berth::ec2
