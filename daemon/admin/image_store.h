#pragma once
// The directory that holds image files, each named by its digest. An import writes beside them,
// under a name that starts with a dot, and becomes visible by one rename.
//
//   import:  .import-<random>  --hash, fsync, inspect-->  <digest>  --RegisterImage-->  in use
//
// A file goes when its last image is deleted. Between its rename and the record of its image a file
// has no image at all, so a deletion that runs at the same time must not take it: imports pin their
// digest until the core has answered.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "berth/base/digest.h"
#include "berth/base/result.h"

namespace berth::admin {

class ImageStore {
 public:
  // `directory` must exist and be writable; imports that an earlier run left unfinished are
  // removed. One process at a time.
  explicit ImageStore(std::filesystem::path directory);

  // A file on its way in. Destroyed before install(): removed.
  class Incoming {
   public:
    Incoming(Incoming const&) = delete;
    Incoming& operator=(Incoming const&) = delete;
    ~Incoming();

    [[nodiscard]] Result<void> write(std::string_view bytes);
    // Durable on disk, not yet visible. Gives the digest, lower-case hex.
    [[nodiscard]] Result<std::string> complete();
    [[nodiscard]] std::filesystem::path const& path() const { return path_; }
    [[nodiscard]] std::int64_t bytes() const { return bytes_; }

   private:
    friend class ImageStore;
    Incoming(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}

    std::filesystem::path path_;  // empty once installed
    int fd_;
    std::int64_t bytes_ = 0;
    std::int64_t bytes_unsynced_ = 0;
    Sha256Stream hash_;
  };

  // Errors: unavailable, subject "image-store".
  [[nodiscard]] Result<std::unique_ptr<Incoming>> begin();
  // Renames to the digest and pins it. A file already there has the same bytes and stays.
  [[nodiscard]] Result<void> install(Incoming& incoming, std::string const& digest);
  // The core has answered: is_registered says whether an image now needs the file. If none came of
  // it, and this import brought the file, it is removed.
  void settle(std::string const& digest, bool is_registered);

  // To be asked before the records are read that a removal rests on.
  [[nodiscard]] std::uint64_t version() const;
  // Removes the file unless an import settled or pinned anything since `version`; then the file
  // may be in use again and stays.
  void remove(std::string const& digest, std::uint64_t version);

  // Bytes that may still be written; -1: not known.
  [[nodiscard]] std::int64_t bytes_free() const;

 private:
  struct Pin {
    int count = 0;
    bool is_ours = false;        // the file was not there before these imports
    bool is_registered = false;  // by one of them
  };

  std::filesystem::path directory_;
  mutable std::mutex mutex_;  // imports settle on the front's threads, several at once
  std::map<std::string, Pin> pins_;
  std::uint64_t version_ = 0;
};

}  // namespace berth::admin
