#pragma once
// Where things lie on a host. One folder per (instance, placement generation), so that work for one
// generation cannot reach the files of another.
//
//   <dir>/images/<sha256>                          cached images, read-only
//   <dir>/images/<sha256>.part                     on their way
//   <dir>/instances/<id>/<generation>/disk.qcow2   the root disk, an overlay on a cached image
//                                     seed.iso     what cloud-init reads
//                                     console.log  what the guest said (and console.log.N, older)

#include <string>
#include <vector>

#include "berth/base/result.h"
#include "berth/model/ids.h"

namespace berth::agent {

struct InstanceFolder {
  InstanceId id;
  PlacementGeneration generation;

  auto operator<=>(InstanceFolder const&) const = default;
};

class Layout {
 public:
  // `dir` is absolute.
  explicit Layout(std::string dir) : dir_(std::move(dir)) {}

  [[nodiscard]] std::string const& dir() const { return dir_; }
  [[nodiscard]] std::string images() const { return dir_ + "/images"; }
  [[nodiscard]] std::string instances() const { return dir_ + "/instances"; }
  [[nodiscard]] std::string folder(InstanceFolder const& of) const;
  [[nodiscard]] std::string disk(InstanceFolder const& of) const {
    return folder(of) + "/disk.qcow2";
  }
  [[nodiscard]] std::string seed(InstanceFolder const& of) const {
    return folder(of) + "/seed.iso";
  }
  [[nodiscard]] std::string console(InstanceFolder const& of) const {
    return folder(of) + "/console.log";
  }

  // Makes the folders above; those that hold tenants' data can be passed, not listed, by others.
  [[nodiscard]] Result<void> prepare() const;
  // Every folder found, whatever is left in it, ascending. Names that are not ours are skipped.
  [[nodiscard]] Result<std::vector<InstanceFolder>> found() const;
  // Removes exactly this folder, and its instance's when that is then empty. Absent is fine.
  [[nodiscard]] Result<void> remove(InstanceFolder const& of) const;

 private:
  std::string dir_;
};

// "i-" and 8 or 17 lower-case hex digits: safe as a file name and as a domain name.
[[nodiscard]] bool is_well_formed(InstanceId const& id);
// 64 lower-case hex digits.
[[nodiscard]] bool is_digest(std::string_view text);

}  // namespace berth::agent
