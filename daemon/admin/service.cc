#include "daemon/admin/service.h"

#include <utility>

#include "berth/base/digest.h"
#include "berth/base/log.h"
#include "daemon/admin/service_impl.h"

namespace berth::admin {
namespace {

// A random UUID (RFC 9562, version 4).
std::string new_request_id() {
  std::string bytes = secret_bytes(16);
  bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3f) | 0x80);
  std::string const h = hex(bytes);
  return h.substr(0, 8) + '-' + h.substr(8, 4) + '-' + h.substr(12, 4) + '-' + h.substr(16, 4) +
         '-' + h.substr(20);
}

// EC2's forms: "AKIA" and 16 of A-Z2-7 (80 bits); a secret of 40 characters (240 bits).
std::string new_access_key_id() {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out = "AKIA";
  for (char const c : secret_bytes(16)) out += kAlphabet[static_cast<unsigned char>(c) & 31];
  return out;
}
std::string new_secret() {
  return base64(secret_bytes(30));
}

std::string_view header(Headers const& headers, std::string_view wanted) {
  auto const lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  for (auto const& [name, value] : headers) {
    if (name.size() != wanted.size()) continue;
    bool is_same = true;
    for (std::size_t i = 0; is_same && i < name.size(); ++i)
      is_same = lower(name[i]) == lower(wanted[i]);
    if (is_same) return value;
  }
  return {};
}

}  // namespace

unsigned http_status(Error const& error) {
  switch (error.code) {
    case Code::invalid: return 400;
    case Code::unauthenticated: return 401;
    case Code::forbidden: return 403;
    case Code::not_found: return 404;
    case Code::exists: return 409;
    case Code::conflict: return 409;
    case Code::quota: return 409;
    case Code::no_capacity: return 503;
    case Code::throttled: return 429;
    case Code::unavailable: return 503;
    case Code::timeout: return 504;
    case Code::corrupt: return 500;
  }
  return 500;
}

Answer Service::Impl::refusal(RequestView const& request, Exchange const& exchange, unsigned status,
                              Error const& error) {
  log_info("admin request refused", {{"request_id", exchange.request_id},
                                     {"actor", request.actor},
                                     {"peer", request.peer},
                                     {"method", request.method},
                                     {"path", request.path.substr(0, 256)},
                                     {"status", static_cast<std::int64_t>(status)},
                                     {"why", error.message}});
  return Answer{.status = status,
                .body = render_error(error, exchange.request_id),
                .headers = {{"X-Request-Id", exchange.request_id}, {"Cache-Control", "no-store"}}};
}

std::optional<Answer> Service::Impl::open(RequestView const& request, Exchange& exchange) {
  exchange.request_id = new_request_id();
  auto const refuse = [&](unsigned status, Error const& error) {
    return refusal(request, exchange, status, error);
  };
  if (!request.role) {
    return refuse(401, {Code::unauthenticated, "credentials",
                        "this API is for operators: come over the unix socket or with a client "
                        "certificate of the region"});
  }
  Match found = match(request.method, request.path);
  if (found.allowed.empty()) {
    return refuse(
        404, {Code::not_found, "route", "there is no such path: GET /v1/openapi.json lists them"});
  }
  if (found.route == nullptr) {
    std::string allowed;
    for (std::string_view const m : found.allowed)
      allowed += (allowed.empty() ? "" : ", ") + std::string(m);
    Answer answer = refuse(405, {Code::invalid, "method", "this path takes " + allowed});
    answer.headers.emplace_back("Allow", allowed);
    return answer;
  }
  if (*request.role < found.route->role) {
    return refuse(403, {Code::forbidden, "role",
                        std::string(found.route->name) + " needs the role " +
                            std::string(name(found.route->role)) + ", and " + request.actor +
                            " has " + std::string(name(*request.role))});
  }
  if (request.body.size() > kBodyBytesMax) {
    return refuse(413, {Code::invalid, "body",
                        "the body has " + std::to_string(request.body.size()) + " bytes: at most " +
                            std::to_string(kBodyBytesMax) + " are read"});
  }
  Result<Fields> fields =
      read_fields(found.route->fields, {.path = std::move(found.path),
                                        .query = request.query,
                                        .content_type = header(request.headers, "content-type"),
                                        .body = found.route->work == Work::import_image
                                                    ? std::string_view()
                                                    : std::string_view(request.body)});
  if (!fields) return refuse(http_status(fields.error()), fields.error());
  exchange.route = found.route;
  exchange.actor = request.actor;
  exchange.peer = request.peer;
  exchange.role = *request.role;
  exchange.fields = std::move(*fields);
  return std::nullopt;
}

void Service::Impl::conclude(Exchange& exchange, unsigned status, std::string body,
                             std::string const& why) {
  // Reading is logged for those who look for it; every change and every refusal is.
  bool const is_quiet = exchange.route->method == "GET" && status < 400;
  log(is_quiet ? LogLevel::debug : LogLevel::info, "admin request",
      {{"request_id", exchange.request_id},
       {"actor", exchange.actor},
       {"peer", exchange.peer},
       {"action", exchange.route->name},
       {"status", static_cast<std::int64_t>(status)},
       {"why", why}});
  Done const done = std::exchange(exchange.done, nullptr);
  ENSURE(done);
  done(Answer{.status = status,
              .body = std::move(body),
              .headers = {{"X-Request-Id", exchange.request_id}, {"Cache-Control", "no-store"}}});
}

void Service::Impl::start(Shared const& exchange) {
  switch (exchange->route->work) {
    case Work::call:
    case Work::pick:
    case Work::health: return call(exchange);
    case Work::create_key: return create_key(exchange);
    case Work::enroll_host: return enroll_host(exchange);
    case Work::delete_image: return delete_image(exchange);
    case Work::read_audit: return read_audit(exchange);
    case Work::make_backup: return make_backup(exchange);
    case Work::list_backups: return list_backups(exchange);
    case Work::openapi: return succeed(exchange, openapi_);
    case Work::import_image: break;  // handle() and begin_upload() see to it
  }
  ENSURE(false);
}

void Service::Impl::ask(Shared const& exchange, core::AdminAction action, Next next) {
  core::AdminCall input{.actor = exchange->actor,
                        .role = exchange->role,
                        .source = exchange->peer,
                        .request_id = exchange->request_id,
                        .action_name = std::string(exchange->route->name),
                        .action = std::move(action)};
  gate_.submit(std::move(input),
               [this, exchange, next = std::move(next)](Result<core::Reply> reply) {
                 auto shared_reply = std::make_shared<Result<core::Reply>>(std::move(reply));
                 options_.run([this, exchange, next, shared_reply] {
                   if (!*shared_reply) return finish(exchange, shared_reply->error());
                   next(std::move(**shared_reply));
                 });
               });
}

void Service::Impl::call(Shared const& exchange) {
  Route const& route = *exchange->route;
  Fields const& fields = exchange->fields;
  RenderAsk wanted{.noun = route.noun,
                   .form = route.form,
                   .page = {.limit = static_cast<std::size_t>(fields.number("limit", 1'000)),
                            .after = fields.text("after")},
                   .version = options_.version};
  if (route.work == Work::pick) wanted.pick = fields.text("tenant");
  if (route.name == "tenant.set" && !fields.has("enabled") && !fields.has("quota")) {
    return finish(exchange, Error{Code::invalid, "parameter",
                                  "nothing to change: give enabled, quota or both"});
  }
  ask(exchange, route.action(fields), [this, exchange, wanted](core::Reply const& reply) {
    succeed(exchange, render(wanted, reply));
  });
}

void Service::Impl::create_key(Shared const& exchange) {
  NewAccessKey made{
      .id = new_access_key_id(), .secret = new_secret(), .tenant = exchange->fields.text("tenant")};
  core::CreateAccessKey action{.tenant = made.tenant,
                               .id = made.id,
                               .secret_sealed = sealed(options_.region_key, made.secret, made.id)};
  ask(exchange, std::move(action),
      [this, exchange, made](core::Reply const&) { succeed(exchange, render(made)); });
}

// The token names the host, whose id the core draws: so the host is enrolled under a digest that no
// text has, and once more with its token's.
void Service::Impl::enroll_host(Shared const& exchange) {
  Fields const& f = exchange->fields;
  core::EnrollHost action{.name = f.text("name"),
                          .zone = f.text("zone"),
                          .rack = f.text("rack"),
                          .tags = f.tags("tags"),
                          .token_digest = hex(secret_bytes(32))};
  ask(exchange, std::move(action), [this, exchange](core::Reply const& reply) {
    auto const* enrolled = std::get_if<core::Enrolled>(&reply);
    if (enrolled == nullptr)
      return finish(exchange, Error{Code::unavailable, "reply",
                                    "the daemon did not say which host it enrolled"});
    issue_token(exchange, enrolled->host.id);
  });
}

void Service::Impl::issue_token(Shared const& exchange, HostId const& host) {
  Fields const& f = exchange->fields;
  JoinToken const token = options_.join_token(host);
  core::EnrollHost action{.name = f.text("name"),
                          .zone = f.text("zone"),
                          .rack = f.text("rack"),
                          .tags = f.tags("tags"),
                          .token_digest = token.digest};
  ask(exchange, std::move(action),
      [this, exchange, host, text = token.text](core::Reply const& reply) {
        auto const* enrolled = std::get_if<core::Enrolled>(&reply);
        if (enrolled == nullptr || enrolled->host.id != host) {
          return finish(exchange,
                        Error{Code::conflict, "host",
                              "the host was removed while it was being enrolled: enroll it again"});
        }
        succeed(exchange, render_enrolled(enrolled->host, text, options_.agent_address));
      });
}

void Service::Impl::read_audit(Shared const& exchange) {
  options_.run([this, exchange] {
    auto const first = static_cast<std::uint64_t>(exchange->fields.number("first", 1));
    auto const count = static_cast<std::size_t>(exchange->fields.number("count", 1'000));
    Result<std::vector<core::AuditRecord>> records = options_.audit(first, count);
    if (!records) return finish(exchange, records.error());
    succeed(exchange, render_audit(*records, count));
  });
}

// Recorded before it begins: the copy has all tenants' data in it.
void Service::Impl::make_backup(Shared const& exchange) {
  ask(exchange, core::RecordBackup{}, [this, exchange](core::Reply const&) {
    options_.make_backup([this, exchange](Result<BackupFile> const& made) {
      if (!made) return finish(exchange, made.error());
      succeed(exchange, render(*made));
    });
  });
}

void Service::Impl::list_backups(Shared const& exchange) {
  options_.run([this, exchange] {
    Result<std::vector<BackupFile>> const all = options_.backups();
    if (!all) return finish(exchange, all.error());
    Fields const& f = exchange->fields;
    succeed(exchange, render_backups({.limit = static_cast<std::size_t>(f.number("limit", 1'000)),
                                      .after = f.text("after")},
                                     *all));
  });
}

Service::Service(core::Gate& gate, Options options)
    : impl_(std::make_unique<Impl>(gate, std::move(options))) {}
Service::~Service() = default;
void Service::handle(RequestView const& request, Done done) {
  impl_->handle(request, std::move(done));
}
Upload Service::begin_upload(RequestView const& head) {
  return impl_->begin_upload(head);
}

std::optional<core::Role> role_named(std::string_view text) {
  if (text == "read" || text == "viewer") return core::Role::viewer;
  if (text == "operate" || text == "operator") return core::Role::operate;
  if (text == "admin") return core::Role::admin;
  return std::nullopt;
}

std::string_view name(core::Role role) {
  switch (role) {
    case core::Role::viewer: return "read";
    case core::Role::operate: return "operate";
    case core::Role::admin: return "admin";
  }
  return "";
}

}  // namespace berth::admin
