#pragma once
// The listeners' handlers: between daemon/http, which knows no API, and the APIs, which know
// no listener.

#include "daemon/admin/service.h"
#include "daemon/ec2/service.h"
#include "daemon/http/server.h"

namespace berth {

class Ec2Front final : public http::Handler {
 public:
  explicit Ec2Front(ec2::Service& service) : service_(service) {}
  void on_request(http::Request request, http::Responder respond) override;

 private:
  ec2::Service& service_;
};

class AdminFront final : public http::Handler {
 public:
  explicit AdminFront(admin::Service& service) : service_(service) {}
  [[nodiscard]] http::BodyPlan on_head(http::Request const& head) override;
  void on_request(http::Request request, http::Responder respond) override;

 private:
  admin::Service& service_;
};

}  // namespace berth
