#pragma once
// A gate, a clock and an executor in the test's hands, a client that signs, and records to render.

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "berth/base/digest.h"
#include "daemon/core/gate.h"
#include "daemon/ec2/actions.h"
#include "daemon/ec2/service.h"
#include "daemon/ec2/wire/codec.h"

namespace berth::ec2 {

using Pairs = std::vector<wire::Parameter>;

inline constexpr std::string_view kTenant = "123456789012";
inline constexpr std::string_view kKeyId = "AKIAEXAMPLEEXAMPLE22";
inline constexpr std::string_view kSecret = "secret/of+the+tests";
inline constexpr WallTime kNow{1'767'323'045'678};  // 2026-01-02T03:04:05.678Z

// Holds every input until the test answers it.
class FakeGate final : public core::Gate {
 public:
  struct Held {
    core::Input input;
    Done done;
  };
  std::vector<Held> held;
  std::optional<core::InputClass> full;  // the class that has no room

  void submit(core::Input input, Done done) override {
    held.push_back({std::move(input), std::move(done)});
  }
  [[nodiscard]] bool has_room(core::InputClass of) const override { return of != full; }
  [[nodiscard]] core::ApiCall const& call(std::size_t index = 0) const {
    return std::get<core::ApiCall>(held.at(index).input);
  }
};

class FakeClock final : public Clock {
 public:
  Now time{.monotonic = {1'000'000'000}, .wall = kNow};
  Now now() override { return time; }
};

// Jobs wait until run() so that a test sees who does what.
class FakeExecutor {
 public:
  std::vector<std::function<void()>> jobs;

  void operator()(std::function<void()> job) { jobs.push_back(std::move(job)); }
  void run() {
    while (!jobs.empty()) {
      auto job = std::move(jobs.front());
      jobs.erase(jobs.begin());
      job();
    }
  }
};

inline std::string form(Pairs const& pairs) {
  std::string out;
  for (auto const& [name, value] : pairs) {
    out += (out.empty() ? "" : "&") + name + "=";
    for (char c : value) {
      bool const is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
      out += is_plain ? std::string(1, c) : "%" + hex(std::string_view(&c, 1));
    }
  }
  return out;
}

inline Pairs call_of(std::string_view action, Pairs more) {
  Pairs out = {{"Action", std::string(action)}, {"Version", "2016-11-15"}};
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return out;
}

// What an action's own parser makes of these parameters.
inline Ec2Result<Parsed> parsed(wire::Action action, Pairs const& pairs) {
  return row_of(action).parse(pairs);
}

template <class Call>
Call parsed_as(wire::Action action, Pairs const& pairs) {
  Ec2Result<Parsed> const out = parsed(action, pairs);
  if (!out) {
    ADD_FAILURE() << out.error().code << ": " << out.error().message;
    return {};
  }
  Call const* call = std::get_if<Call>(&out->action);
  if (call == nullptr) {
    ADD_FAILURE() << "another alternative of ApiAction";
    return {};
  }
  return *call;
}

inline std::string error_code(Ec2Result<Parsed> const& result) {
  return result ? "Success" : result.error().code;
}

inline core::InstanceView running_instance() {
  Instance i;
  i.id = InstanceId("i-0123456789abcdef0");
  i.tenant = TenantId(std::string(kTenant));
  i.reservation = ReservationId("r-0123456789abcdef0");
  i.client_token = "token-1";
  i.type = TypeName("t3.micro");
  i.vcpus = 2;
  i.memory = Mebibytes(1024);
  i.disk_gib = 8;
  i.image = ImageId("ami-0123456789abcdef0");
  i.key_name = "ada";
  i.user_data = "#!/bin/sh\n";
  i.uuid = "ec2f0000-0000-4000-8000-000000000001";
  i.mac = "52:54:00:12:34:56";
  i.tags = {{"Name", "web & <db>"}, {"empty", ""}};
  i.zone = ZoneName("us-east-1a");
  i.placement = Placement{HostId("host-00000000000000001"), PlacementGeneration(1)};
  i.seen = Seen::running;
  i.private_ip = "10.0.0.5";
  i.launch_time = kNow;
  i.created = kNow;
  return {.instance = i,
          .state = core::InstanceState::running,
          .host_health = HostHealth::up,
          .host_name = "rack1-host7"};
}

}  // namespace berth::ec2
