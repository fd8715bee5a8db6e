#include "agent/link/identity_file.h"

#include <string_view>
#include <vector>

#include "common/pki/pki.h"
#include "common/pki/secret_file.h"

namespace berth::agent {

namespace {

std::string path_in(std::string const& directory) {
  return directory + "/agent.pem";
}

// Each from "-----BEGIN" to the end of its "-----END" line.
std::vector<std::string> pem_blocks(std::string_view text) {
  std::vector<std::string> blocks;
  for (;;) {
    std::size_t const begin = text.find("-----BEGIN ");
    if (begin == std::string_view::npos) return blocks;
    std::size_t const end = text.find("-----END ", begin);
    if (end == std::string_view::npos) return blocks;
    std::size_t const line = text.find('\n', end);
    if (line == std::string_view::npos) return blocks;
    blocks.emplace_back(text.substr(begin, line + 1 - begin));
    text.remove_prefix(line + 1);
  }
}

}  // namespace

Result<StoredIdentity> make_identity(std::string key, std::string certificate, std::string ca,
                                     ZoneName zone) {
  auto const stated = TRY(pki::identity_of(certificate));
  // Believed for some moment of its life: whether that is now is asked at each connect.
  auto const identity =
      TRY(pki::verified(certificate, ca, pki::Role::host, stated.not_before + seconds(1)));
  if (!TRY(pki::is_pair(key, certificate))) {
    return Error{Code::corrupt, "certificate", "the certificate is for another key"};
  }
  return StoredIdentity{.host = HostId(identity.name),
                        .zone = std::move(zone),
                        .key = std::move(key),
                        .certificate = std::move(certificate),
                        .ca = std::move(ca),
                        .not_before = identity.not_before,
                        .not_after = identity.not_after};
}

Result<StoredIdentity> read_identity_file(std::string const& directory) {
  std::string const path = path_in(directory);
  std::string const text = TRY(pki::read_small_file(path));
  constexpr std::string_view kZone = "zone ";
  std::size_t const line = text.find('\n');
  std::vector<std::string> const blocks = pem_blocks(text);
  if (!text.starts_with(kZone) || line == std::string::npos || blocks.size() != 3) {
    return Error{Code::corrupt, "file",
                 path +
                     " is damaged: expected a zone, a key and two certificates; remove it and "
                     "join again with a new token"};
  }
  auto identity = make_identity(blocks[0], blocks[1], blocks[2],
                                ZoneName(text.substr(kZone.size(), line - kZone.size())));
  if (!identity) return identity.error().within(path);
  return identity;
}

Result<void> write_identity_file(std::string const& directory, StoredIdentity const& identity) {
  return pki::write_file_atomically(
      path_in(directory),
      "zone " + identity.zone.value + "\n" + identity.key + identity.certificate + identity.ca,
      0600);
}

}  // namespace berth::agent
