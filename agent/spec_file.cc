#include "agent/spec_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "common/pki/secret_file.h"
#include "common/wire/agent.h"

namespace berth::agent {

Result<std::optional<HostSpec>> SpecFile::load() {
  if (access(path_.c_str(), F_OK) != 0) return std::optional<HostSpec>();
  std::ifstream file(path_, std::ios::binary);
  std::string const bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return Error{Code::unavailable, "spec", path_ + " cannot be read"};
  wire::FromDaemon message = TRY(wire::parse_from_daemon(bytes));
  if (auto* spec = std::get_if<HostSpec>(&message))
    return std::optional<HostSpec>(std::move(*spec));
  return Error{Code::corrupt, "spec", path_ + " is not a host's spec"};
}

Result<void> SpecFile::save(HostSpec const& spec) {
  // The spec has user data and keys of tenants in it.
  return pki::write_file_atomically(path_, wire::bytes(wire::FromDaemon(spec)), 0600);
}

}  // namespace berth::agent
