#pragma once
// Inside of the service: service.cc has the checks and the plain calls, service_images.cc what has
// to do with files.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "berth/base/ensure.h"
#include "daemon/admin/image_store.h"
#include "daemon/admin/openapi.h"
#include "daemon/admin/render.h"
#include "daemon/admin/routes.h"
#include "daemon/admin/service.h"

namespace berth::admin {

// What one request is while it is being answered. Shared by the callbacks of its steps, which run
// one after another; `done` ends it.
struct Exchange {
  Route const* route = nullptr;
  std::string request_id;
  std::string actor;
  std::string peer;
  core::Role role = core::Role::viewer;
  Fields fields;
  Done done;
};
using Shared = std::shared_ptr<Exchange>;

class Service::Impl {
 public:
  Impl(core::Gate& gate, Options options)
      : gate_(gate), options_(std::move(options)), images_(options_.image_directory) {
    ENSURE(options_.region_key.size() == 32);
    ENSURE(options_.join_token && options_.inspect && options_.audit);
    ENSURE(options_.make_backup && options_.backups);
    if (!options_.run) options_.run = [](std::function<void()> const& work) { work(); };
    openapi_ = openapi_document(options_.version);
  }

  void handle(RequestView const& request, Done done) {
    auto exchange = std::make_shared<Exchange>();
    std::optional<Answer> refused = open(request, *exchange);
    if (refused) return done(std::move(*refused));
    exchange->done = std::move(done);
    if (exchange->route->work == Work::import_image) {
      return finish(exchange,
                    Error{Code::invalid, "body",
                          "an image comes as the body of the request: it must not be empty"});
    }
    start(exchange);
  }

  Upload begin_upload(RequestView const& head);

  // One import, from its first byte to its record.
  void settle_import(Shared const& exchange, std::unique_ptr<ImageStore::Incoming> incoming);
  void upload_ended() { uploads_.fetch_sub(1); }

  void finish(Shared const& exchange, Error const& error) {
    conclude(*exchange, http_status(error), render_error(error, exchange->request_id),
             error.message);
  }

 private:
  using Next = std::function<void(core::Reply)>;

  std::optional<Answer> open(RequestView const& request, Exchange& exchange);
  [[nodiscard]] Answer refusal(RequestView const& request, Exchange const& exchange,
                               unsigned status, Error const& error);
  void start(Shared const& exchange);
  void call(Shared const& exchange);
  void create_key(Shared const& exchange);
  void enroll_host(Shared const& exchange);
  void issue_token(Shared const& exchange, HostId const& host);
  void delete_image(Shared const& exchange);
  void remove_file(Shared const& exchange, std::string const& digest, std::uint64_t version);
  void read_audit(Shared const& exchange);
  void make_backup(Shared const& exchange);
  void list_backups(Shared const& exchange);

  // One call of the core; an error ends the exchange, a reply goes on with `next` on a thread that
  // may take its time.
  void ask(Shared const& exchange, core::AdminAction action, Next next);
  void succeed(Shared const& exchange, std::string body) {
    conclude(*exchange, exchange->route->success, std::move(body), "");
  }
  void succeed(Shared const& exchange, Result<std::string> body) {
    if (!body) return finish(exchange, body.error());
    succeed(exchange, std::move(*body));
  }
  void conclude(Exchange& exchange, unsigned status, std::string body, std::string const& why);

  core::Gate& gate_;
  Options options_;
  ImageStore images_;
  std::string openapi_;
  std::atomic<int> uploads_{0};
};

}  // namespace berth::admin
