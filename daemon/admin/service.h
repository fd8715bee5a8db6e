#pragma once
// The operators' API: one request in, one answer out, by the route table (routes.h).
//
//   admin::Service service(gate, {.region_key = key, .image_directory = dir, ...});
//   service.handle(request, [respond](admin::Answer answer) { ... });
//
// Order of checks: is somebody known (401), is there such a route (404, 405), may this role (403),
// is the request well-formed (400, 413), and then the core, which checks the role once more.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "berth/base/result.h"
#include "berth/base/units.h"
#include "berth/model/image.h"
#include "berth/model/limits.h"
#include "daemon/admin/message.h"
#include "daemon/admin/render.h"
#include "daemon/core/change.h"
#include "daemon/core/gate.h"

namespace berth::admin {

struct ImageFacts {  // what the inspector found in a file
  Bytes virtual_size;
};

struct JoinToken {
  std::string text;    // what the operator carries to the host
  std::string digest;  // what the core keeps: Host::join_token_digest
};

struct Options {
  std::string region_key;                 // 32 bytes; seals the secrets of access keys
  std::filesystem::path image_directory;  // exists, 0700, the daemon's own
  std::string agent_address;  // HOST:PORT that agents dial, told at enrolment; may be empty
  std::string version;        // of the daemon

  // Makes the one-time token of a host. Required.
  std::function<JoinToken(HostId const&)> join_token;
  // Looks at a whole file at rest; an error (invalid, "image") says why it is refused. Required.
  std::function<Result<ImageFacts>(std::filesystem::path const&, ImageFormat)> inspect;
  // store::Store::audit. Required.
  std::function<Result<std::vector<core::AuditRecord>>(std::uint64_t first, std::size_t count)>
      audit;
  // Makes a backup of the store while it serves; minutes may pass. `done` is called once, on a
  // thread of the maker's. A second one meanwhile is refused (conflict, "backup"). Required.
  std::function<void(std::function<void(Result<BackupFile>)> done)> make_backup;
  // Those that are there. Required.
  std::function<Result<std::vector<BackupFile>>()> backups;
  // Runs work on a thread that may render megabytes and wait for a disk: the core's answers arrive
  // on the driver's thread, which must stay free. Empty: at once, on the thread that asks (tests).
  std::function<void(std::function<void()>)> run;
};

inline constexpr std::uint64_t kUploadBytesMax =
    static_cast<std::uint64_t>(limits::kImageFileBytesMax);
inline constexpr int kUploadsMax = 8;  // at a time; past it: 429

// What to do with the body of a request.
using Upload = std::variant<std::monostate,  // read it whole (kBodyBytesMax), then handle()
                            std::unique_ptr<UploadSink>,  // stream it there (kUploadBytesMax)
                            Answer>;                      // refuse the request without reading it

// Callable from any number of threads. The gate, and every function given, must outlive it, and so
// must it every answer that is still to come: stop the listener and the driver first.
class Service {
 public:
  Service(core::Gate& gate, Options options);
  Service(Service const&) = delete;
  Service& operator=(Service const&) = delete;
  ~Service();

  // Never blocks. `done` is called once, maybe before this returns.
  void handle(RequestView const& request, Done done);

  // Asked with the head of every request that has a body.
  [[nodiscard]] Upload begin_upload(RequestView const& head);

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// The HTTP status that stands for an error.
[[nodiscard]] unsigned http_status(Error const& error);

}  // namespace berth::admin
