#include "agent/disks/seed.h"

#include "agent/disks/files.h"
#include "agent/disks/iso9660.h"

namespace berth::agent {
namespace {

// A double-quoted YAML scalar on one line.
std::string quoted(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (char const c : text) {
    unsigned char const u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < 0x20 || u == 0x7f) {
      out += "\\x";
      out += kDigits[u >> 4];
      out += kDigits[u & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

std::string seed_meta_data(InstanceSpec const& spec) {
  std::string out;
  out += "instance-id: " + quoted(spec.id.value) + "\n";
  out += "local-hostname: " + quoted(spec.hostname) + "\n";
  if (!spec.public_key.empty()) out += "public-keys:\n  - " + quoted(spec.public_key) + "\n";
  out += "instance-type: " + quoted(spec.type) + "\n";
  out += "availability-zone: " + quoted(spec.zone) + "\n";
  out += "region: " + quoted(spec.region) + "\n";
  return out;
}

std::string seed_user_data(InstanceSpec const& spec) {
  return spec.user_data.empty() ? "#cloud-config\n{}\n" : spec.user_data;
}

Result<void> write_seed(std::string const& path, InstanceSpec const& spec) {
  std::string const image = TRY(iso9660(
      "cidata", {{"meta-data", seed_meta_data(spec)}, {"user-data", seed_user_data(spec)}}));
  return write_whole(path, image, 0600);
}

}  // namespace berth::agent
