#include <string>

#include "daemon/ec2/render.h"
#include "daemon/ec2/render_common.h"

namespace berth::ec2 {

// The only time the private half is seen: it exists nowhere else.
std::string render_create_key_pair(core::Reply const& reply, Rendering const& about) {
  KeyPair const& key = expect<core::OneKeyPair>(reply).key;
  return document(about, wire::KeyPair{.key_fingerprint = key.fingerprint,
                                       .key_material = about.echo.private_key,
                                       .key_name = key.name,
                                       .key_pair_id = key.id.value,
                                       .tags = wire_tags(key.tags)});
}

std::string render_import_key_pair(core::Reply const& reply, Rendering const& about) {
  KeyPair const& key = expect<core::OneKeyPair>(reply).key;
  return document(about, wire::ImportKeyPairResult{.key_fingerprint = key.fingerprint,
                                                   .key_name = key.name,
                                                   .key_pair_id = key.id.value,
                                                   .tags = wire_tags(key.tags)});
}

std::string render_describe_key_pairs(core::Reply const& reply, Rendering const& about) {
  wire::DescribeKeyPairsResult out;
  for (KeyPair const& key : expect<core::KeyPairs>(reply).items) {
    wire::KeyPairInfo item;
    item.key_pair_id = key.id.value;
    item.key_fingerprint = key.fingerprint;
    item.key_name = key.name;
    item.key_type = key.kind == KeyKind::rsa ? "rsa" : "ed25519";
    item.tags = wire_tags(key.tags);
    if (about.echo.wants_public_key) item.public_key = key.public_key;
    item.create_time = key.created;
    out.key_pairs.push_back(std::move(item));
  }
  return document(about, out);
}

}  // namespace berth::ec2
