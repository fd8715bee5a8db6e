#pragma once
// What the link hears, handed to the core as inputs.

#include <functional>
#include <utility>

#include "daemon/core/gate.h"
#include "daemon/link/link.h"
#include "daemon/published.h"

namespace berth {

class Agents final : public link::LinkEvents {
 public:
  Agents(core::Gate& gate, Published const& published) : gate_(gate), published_(published) {}

  // Called, on the link's thread, for a host whose hello found no room in the core's queue. Before
  // the link starts.
  void on_unheard(std::function<void(HostId const&)> cut) { cut_ = std::move(cut); }

  void on_join(link::JoinAttempt attempt, link::JoinDone done) override;
  void on_hello(link::HelloFrom hello) override;
  void on_status(HostStatus status) override;
  void on_heartbeat(HostId const& host, std::uint64_t number) override;
  void on_gone(HostId const& host) override;
  [[nodiscard]] bool may_connect(HostId const& host) override {
    return published_.may_connect(host);
  }

 private:
  core::Gate& gate_;
  Published const& published_;
  std::function<void(HostId const&)> cut_;
};

}  // namespace berth
