#pragma once
// What other threads need to know of the state without asking the core: which hosts may connect,
// which images each may fetch, which keys sign. The driver's thread writes it as changes become
// durable; the link's and the front's threads read it.

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "berth/model/ids.h"
#include "daemon/core/state.h"
#include "daemon/driver/agent_link.h"
#include "daemon/ec2/sigv4.h"

namespace berth {

class Published {
 public:
  // `region_key` opens the secrets of access keys.
  Published(std::string region_key, std::function<void(ec2::KeyTablePtr)> publish_keys);

  // At the start, from all records.
  void begin(core::State const& state);
  void apply(std::vector<core::Change> const& durable);
  // The digests a host may fetch are those of the last spec that was sent to it.
  void sent(HostSpec const& spec);

  [[nodiscard]] bool may_connect(HostId const& host) const;
  [[nodiscard]] bool may_fetch(HostId const& host, std::string const& digest) const;

 private:
  void publish_keys();

  std::string const region_key_;
  std::function<void(ec2::KeyTablePtr)> const publish_keys_;

  // Only the driver's thread.
  std::map<AccessKeyId, AccessKey> keys_;
  std::map<TenantId, bool> enabled_;  // of tenants

  // Read by gRPC's threads at each connection and image fetch: rare, so a mutex will do.
  mutable std::mutex mutex_;
  std::set<HostId> hosts_;
  std::map<HostId, std::set<std::string>> images_;
};

// The link as the driver sees it: notes what each host may fetch, then passes on.
class NotingLink final : public driver::AgentLink {
 public:
  NotingLink(driver::AgentLink& link, Published& published) : link_(link), published_(published) {}

  void send(HostSpec const& spec) override {
    published_.sent(spec);
    link_.send(spec);
  }
  void grant_lease(HostId const& host, std::uint64_t heartbeat) override {
    link_.grant_lease(host, heartbeat);
  }
  void drop(HostId const& host) override { link_.drop(host); }
  void read_console(HostId const& host, InstanceId const& instance, ConsoleDone done) override {
    link_.read_console(host, instance, std::move(done));
  }

 private:
  driver::AgentLink& link_;
  Published& published_;
};

}  // namespace berth
