// Any bytes as an operator's request: "METHOD TARGET\n" and the body behind it. Must not crash,
// hang or allocate without bound; whatever comes is answered once, with JSON, and only fields that
// a route lists reach the core.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "berth/base/log.h"
#include "daemon/admin/fields.h"
#include "daemon/admin/routes.h"
#include "daemon/admin/service.h"

namespace {

using namespace berth;

class EmptyGate final : public core::Gate {
 public:
  void submit(core::Input input, Done done) override {
    auto const* call = std::get_if<core::AdminCall>(&input);
    if (call == nullptr || call->request_id.empty() || call->action_name.empty()) std::abort();
    done(core::Reply(core::Done{}));
  }
};

admin::Options options() {
  admin::Options out;
  out.region_key = std::string(32, 'k');
  out.image_directory = "/nonexistent";
  out.join_token = [](HostId const&) { return admin::JoinToken{}; };
  out.inspect = [](std::filesystem::path const&, ImageFormat) {
    return Result<admin::ImageFacts>(admin::ImageFacts{});
  };
  out.make_backup = [](std::function<void(Result<admin::BackupFile>)> done) {
    done(admin::BackupFile{});
  };
  out.backups = [] {
    return Result<std::vector<admin::BackupFile>>(std::vector<admin::BackupFile>{});
  };
  out.audit = [](std::uint64_t, std::size_t) {
    return Result<std::vector<core::AuditRecord>>(std::vector<core::AuditRecord>());
  };
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  log_start({.level = LogLevel::error, .format = LogFormat::text, .file = "/dev/null"});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  static EmptyGate gate;
  static admin::Service service(gate, options());
  std::string_view const text(reinterpret_cast<char const*>(bytes), size);
  std::size_t const line_end = std::min(text.find('\n'), text.size());
  std::string_view const line = text.substr(0, line_end);
  std::size_t const blank = std::min(line.find(' '), line.size());
  std::string_view const target = line.substr(std::min(blank + 1, line.size()));
  std::size_t const mark = std::min(target.find('?'), target.size());

  admin::RequestView request{.method = std::string(line.substr(0, blank)),
                             .path = std::string(target.substr(0, mark)),
                             .query = std::string(target.substr(std::min(mark + 1, target.size()))),
                             .headers = {{"Content-Type", "application/json"}},
                             .body = std::string(text.substr(std::min(line_end + 1, text.size()))),
                             .actor = "fuzz",
                             .role = core::Role::admin,
                             .peer = "unix"};
  int answers = 0;
  service.handle(request, [&](admin::Answer const& answer) {
    ++answers;
    if (answer.status < 200 || answer.status > 599 || answer.body.empty() ||
        answer.body.front() != '{')
      std::abort();
  });
  if (answers != 1) std::abort();
  static_cast<void>(service.begin_upload(request));

  // The body alone, against every route's fields.
  for (admin::Route const& route : admin::routes()) {
    admin::RawFields raw{.path = {},
                         .query = request.query,
                         .content_type = "application/json",
                         .body = request.body};
    Result<admin::Fields> const fields = admin::read_fields(route.fields, raw);
    if (!fields && (fields.error().code != Code::invalid || fields.error().message.size() > 4'096))
      std::abort();
  }
  return 0;
}
