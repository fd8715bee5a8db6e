#include "daemon/sources.h"

#include <filesystem>

#include "common/pki/pki.h"
#include "common/pki/secret_file.h"

namespace berth {

void count_http(MetricsPage& page, std::string const& listener, http::Counters const& c) {
  page.set("berth_http_connections", {{"listener", listener}},
           static_cast<std::int64_t>(c.connections_open));
  auto fate = [&](char const* what, std::uint64_t n) {
    page.count_to("berth_http_connections_total", {{"listener", listener}, {"fate", what}}, n);
  };
  fate("accepted", c.connections_accepted);
  fate("refused", c.connections_refused);
  fate("handshake_failed", c.handshakes_failed);
  fate("too_slow", c.deadlines_passed);
  page.count_to("berth_http_requests_total", {{"listener", listener}}, c.requests);
  page.count_to("berth_http_requests_refused_total", {{"listener", listener}}, c.requests_refused);
  page.count_to("berth_http_bytes_total", {{"listener", listener}, {"direction", "in"}},
                c.bytes_received);
  page.count_to("berth_http_bytes_total", {{"listener", listener}, {"direction", "out"}},
                c.bytes_sent);
}

void count_link(MetricsPage& page, link::LinkCounters const& c) {
  page.set("berth_agents_connected", {}, static_cast<std::int64_t>(c.connected));
  page.count_to("berth_link_messages_total", {{"direction", "in"}}, c.messages_in);
  page.count_to("berth_link_messages_total", {{"direction", "out"}}, c.messages_out);
  page.count_to("berth_link_bytes_total", {{"direction", "in"}}, c.bytes_in);
  page.count_to("berth_link_bytes_total", {{"direction", "out"}}, c.bytes_out);
  page.count_to("berth_link_image_bytes_total", {}, c.image_bytes_out);
  page.count_to("berth_link_refused_total", {{"what", "peer"}}, c.peers_refused);
  page.count_to("berth_link_refused_total", {{"what", "message"}}, c.messages_refused);
  page.count_to("berth_link_refused_total", {{"what", "join"}}, c.joins_refused);
  page.count_to("berth_link_certificates_renewed_total", {}, c.renewals);
}

void set_store(MetricsPage& page, store::SqliteStore& store, std::string const& directory) {
  store::StoreSize const size = store.size();
  page.set("berth_store_full", {}, std::int64_t{store.is_full() ? 1 : 0});
  page.count_to("berth_store_full_total", {}, store.times_full());
  page.set("berth_store_bytes", {}, size.bytes);
  page.set("berth_store_records", {}, size.records);
  std::error_code error;
  std::filesystem::space_info const space = std::filesystem::space(directory, error);
  if (error) return;
  page.set("berth_store_disk_bytes", {{"kind", "total"}},
           static_cast<std::int64_t>(space.capacity));
  page.set("berth_store_disk_bytes", {{"kind", "free"}},
           static_cast<std::int64_t>(space.available));
}

void set_backups(MetricsPage& page, Backups const& backups) {
  Result<std::vector<admin::BackupFile>> const all = backups.all();
  if (!all || all->empty()) return;
  admin::BackupFile const& newest = *std::ranges::max_element(
      *all, {}, [](admin::BackupFile const& file) { return file.created.ms; });
  page.set("berth_backup_created_timestamp_seconds", {}, newest.created.ms / 1'000);
  page.set("berth_backup_bytes", {}, newest.bytes);
}

void set_queue(MetricsPage& page, driver::DriverThread const& driver) {
  std::int64_t waiting = 0;
  std::int64_t most = 0;
  for (core::InputClass const of : core::kInputClasses) {
    driver::LaneStats const lane = driver.lane(of);
    std::string const name(core::name(of));
    auto const inputs = static_cast<std::int64_t>(lane.waiting);
    auto const inputs_max = static_cast<std::int64_t>(lane.limit);
    page.set("berth_queue_class_inputs", {{"class", name}}, inputs);
    page.set("berth_queue_class_inputs_max", {{"class", name}}, inputs_max);
    page.set("berth_queue_class_age_seconds", {{"class", name}}, lane.age);
    page.count_to("berth_queue_class_taken_total", {{"class", name}}, lane.taken);
    auto const shed = [&](char const* reason, std::uint64_t n) {
      page.count_to("berth_queue_class_shed_total", {{"class", name}, {"reason", reason}}, n);
    };
    shed("full", lane.full);
    shed("standing", lane.shed);
    shed("late", lane.outdated);
    if (of == core::InputClass::lease || of == core::InputClass::operation) continue;
    waiting += inputs;
    most += inputs_max;
  }
  page.set("berth_queue_inputs", {}, waiting);
  page.set("berth_queue_inputs_max", {}, most);
}

namespace {
constexpr std::array<std::string_view, 3> kReasons = {"tenant", "region", "late"};
}

void ThrottledCount::add(std::string_view reason) {
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    if (reason == kReasons[i]) counts_[i].fetch_add(1, std::memory_order_relaxed);
  }
}

void ThrottledCount::show(MetricsPage& page) const {
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    page.count_to("berth_api_throttled_total", {{"reason", std::string(kReasons[i])}}, counts_[i]);
  }
}

void set_certificates(MetricsPage& page, std::string const& pki_directory) {
  for (std::string const name : {"ca", "daemon"}) {
    Result<std::string> const pem = pki::read_small_file(pki_directory + "/" + name + ".crt");
    if (!pem) continue;
    Result<WallTime> const end = pki::not_after(*pem);
    if (!end) continue;
    page.set("berth_certificate_expires_timestamp_seconds", {{"certificate", name}}, *end);
  }
}

}  // namespace berth
