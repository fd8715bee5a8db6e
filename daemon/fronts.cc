#include "daemon/fronts.h"

#include <unistd.h>

#include <memory>

#include "berth/model/limits.h"
#include "daemon/http/uri.h"

namespace berth {

namespace {

template <class Headers>
std::vector<http::Header> to_http(Headers const& headers, std::string content_type) {
  std::vector<http::Header> out;
  if (!content_type.empty()) out.push_back({"Content-Type", std::move(content_type)});
  for (auto const& [name, value] : headers) out.push_back({name, value});
  return out;
}

// A callback may be copied, a responder may not: they share it, and it is called once.
std::function<void(http::Response)> shared(http::Responder respond) {
  auto kept = std::make_shared<http::Responder>(std::move(respond));
  return [kept](http::Response response) { (*kept)(std::move(response)); };
}

http::Response to_http(admin::Answer answer) {
  return {.status = answer.status,
          .headers = to_http(answer.headers, std::move(answer.content_type)),
          .body = std::move(answer.body)};
}

// Who an operator is: proven by the kernel on the socket, by the certificate elsewhere.
// Certificates say berth://admin/<role>/<name>.
void identify(http::Request const& request, admin::RequestView& view) {
  if (request.is_local_socket && request.peer_credentials) {
    std::uint32_t const uid = request.peer_credentials->uid;
    view.actor = uid == 0 ? "root" : "uid-" + std::to_string(uid);
    bool const is_owner = uid == 0 || uid == geteuid();
    view.role = is_owner ? core::Role::admin : core::Role::viewer;
    return;
  }
  if (request.client_certificate_role != "admin") return;
  std::string const& name = request.client_certificate_name;
  std::size_t const slash = name.find('/');
  if (slash == std::string::npos) return;
  view.role = admin::role_named(name.substr(0, slash));
  view.actor = name.substr(slash + 1);
}

admin::RequestView to_admin(http::Request const& request) {
  admin::RequestView view{.method = request.method, .body = request.body, .peer = request.peer};
  if (Result<http::Target> target = http::split_target(request.target)) {
    view.path = std::move(target->path);
    view.query = std::move(target->query);
  } else {
    view.path = request.target;  // no route has such a path: 404
  }
  for (http::Header const& h : request.headers) view.headers.emplace_back(h.name, h.value);
  identify(request, view);
  return view;
}

class Upload final : public http::BodySink {
 public:
  explicit Upload(std::unique_ptr<admin::UploadSink> sink) : sink_(std::move(sink)) {}
  [[nodiscard]] Result<void> write(std::string_view bytes) override { return sink_->write(bytes); }
  void finish(http::Responder respond) override { sink_->finish(answer(std::move(respond))); }
  void refuse(Error const& error, http::Responder respond) override {
    sink_->refuse(error, answer(std::move(respond)));
  }

 private:
  static admin::Done answer(http::Responder respond) {
    return [send = shared(std::move(respond))](admin::Answer a) { send(to_http(std::move(a))); };
  }
  std::unique_ptr<admin::UploadSink> sink_;
};

}  // namespace

void Ec2Front::on_request(http::Request request, http::Responder respond) {
  ec2::RequestView view{.method = request.method,
                        .target = request.target,
                        .headers = {},
                        .body = request.body,
                        .peer = request.peer};
  view.headers.reserve(request.headers.size());
  for (http::Header const& h : request.headers) view.headers.emplace_back(h.name, h.value);
  auto const kept = std::make_shared<http::Responder>(std::move(respond));
  service_.handle(
      view,
      [kept](ec2::Answer answer) {
        (*kept)({.status = answer.status,
                 .headers = to_http(answer.headers, std::move(answer.content_type)),
                 .body = std::move(answer.body),
                 .delay = answer.delay});
      },
      // On the client's own thread: handing the answer over would cost more than rendering it.
      [kept](std::function<void()> job) { kept->run(std::move(job)); });
}

http::BodyPlan AdminFront::on_head(http::Request const& head) {
  admin::Upload upload = service_.begin_upload(to_admin(head));
  if (auto* sink = std::get_if<std::unique_ptr<admin::UploadSink>>(&upload)) {
    return http::Streamed{.sink = std::make_unique<Upload>(std::move(*sink)),
                          .bytes_max = admin::kUploadBytesMax};
  }
  if (auto* answer = std::get_if<admin::Answer>(&upload)) return to_http(std::move(*answer));
  return http::Buffered{};
}

void AdminFront::on_request(http::Request request, http::Responder respond) {
  service_.handle(to_admin(request), [send = shared(std::move(respond))](admin::Answer answer) {
    send(to_http(std::move(answer)));
  });
}

}  // namespace berth
