#pragma once
// GET /metrics; nothing else. Plain HTTP, so bound to loopback unless an operator says otherwise.
// Both programs serve their page by it.

#include <functional>
#include <string>
#include <utility>

#include "daemon/http/server.h"

namespace berth::http {

class MetricsFront final : public Handler {
 public:
  explicit MetricsFront(std::function<std::string()> page) : page_(std::move(page)) {}

  void on_request(Request request, Responder respond) override {
    if (request.method != "GET" || request.target != "/metrics") {
      respond(plain_response(404, "only GET /metrics is here\n"));
      return;
    }
    respond({.status = 200,
             .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
             .body = page_()});
  }

 private:
  std::function<std::string()> const page_;
};

}  // namespace berth::http
