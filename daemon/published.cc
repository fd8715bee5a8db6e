#include "daemon/published.h"

#include "berth/base/digest.h"
#include "berth/base/log.h"

namespace berth {

Published::Published(std::string region_key, std::function<void(ec2::KeyTablePtr)> publish_keys)
    : region_key_(std::move(region_key)), publish_keys_(std::move(publish_keys)) {}

void Published::begin(core::State const& state) {
  keys_ = state.access_keys;
  for (auto const& [id, tenant] : state.tenants) enabled_[id] = tenant.enabled;
  {
    std::lock_guard const lock(mutex_);
    for (auto const& [id, host] : state.hosts) hosts_.insert(id);
  }
  publish_keys();
}

void Published::apply(std::vector<core::Change> const& durable) {
  bool has_new_keys = false;
  for (core::Change const& change : durable) {
    if (auto const* put_key = std::get_if<core::PutAccessKey>(&change)) {
      keys_[put_key->key.id] = put_key->key;
      has_new_keys = true;
    } else if (auto const* erase_key = std::get_if<core::EraseAccessKey>(&change)) {
      keys_.erase(erase_key->id);
      has_new_keys = true;
    } else if (auto const* put_tenant = std::get_if<core::PutTenant>(&change)) {
      enabled_[put_tenant->tenant.id] = put_tenant->tenant.enabled;
      has_new_keys = true;
    } else if (auto const* put_host = std::get_if<core::PutHost>(&change)) {
      std::lock_guard const lock(mutex_);
      hosts_.insert(put_host->host.id);
    } else if (auto const* erase_host = std::get_if<core::EraseHost>(&change)) {
      std::lock_guard const lock(mutex_);
      hosts_.erase(erase_host->id);
      images_.erase(erase_host->id);
    }
  }
  if (has_new_keys) publish_keys();
}

void Published::sent(HostSpec const& spec) {
  std::set<std::string> digests;
  for (InstanceSpec const& instance : spec.instances) digests.insert(instance.image_digest);
  std::lock_guard const lock(mutex_);
  images_[spec.host] = std::move(digests);
}

bool Published::may_connect(HostId const& host) const {
  std::lock_guard const lock(mutex_);
  return hosts_.contains(host);
}

bool Published::may_fetch(HostId const& host, std::string const& digest) const {
  std::lock_guard const lock(mutex_);
  auto const it = images_.find(host);
  return it != images_.end() && it->second.contains(digest);
}

void Published::publish_keys() {
  auto table = std::make_shared<ec2::KeyTable>();
  for (auto const& [id, key] : keys_) {
    Result<std::string> secret = unsealed(region_key_, key.secret_sealed, id.value);
    if (!secret) {
      log_error("an access key cannot be opened; its requests will be refused",
                {{"access_key", id.value}, {"error", secret.error().message}});
      continue;
    }
    auto const tenant = enabled_.find(key.tenant);
    table->keys[id.value] = {.secret = *std::move(secret),
                             .tenant = key.tenant,
                             .enabled = key.enabled && tenant != enabled_.end() && tenant->second};
  }
  publish_keys_(std::move(table));
}

}  // namespace berth
