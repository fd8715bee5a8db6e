#pragma once
// What berthd's other rooms count by themselves, brought onto the metrics page. Called when the
// page is asked for, on the listener's thread; each reads atomics or takes a lock for a copy.

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "berth/base/metrics.h"
#include "berth/base/time.h"
#include "daemon/backups.h"
#include "daemon/driver/driver_thread.h"
#include "daemon/http/server.h"
#include "daemon/link/link.h"
#include "daemon/store/sqlite.h"

namespace berth {

// `listener`: "ec2", "admin_socket" or "admin".
void count_http(MetricsPage& page, std::string const& listener, http::Counters const& counters);
void count_link(MetricsPage& page, link::LinkCounters const& counters);
// `directory`: where the store lies.
void set_store(MetricsPage& page, store::SqliteStore& store, std::string const& directory);
// Of the newest file; nothing while there is none.
void set_backups(MetricsPage& page, Backups const& backups);
void set_queue(MetricsPage& page, driver::DriverThread const& driver);

// Requests told to come again, by Observation::throttled. From any thread.
class ThrottledCount {
 public:
  void add(std::string_view reason);  // empty: nothing to count
  void show(MetricsPage& page) const;

 private:
  std::array<std::atomic<std::uint64_t>, 3> counts_{};
};

// The files as they are now: SIGHUP may have brought others. Unreadable ones are left out.
void set_certificates(MetricsPage& page, std::string const& pki_directory);

}  // namespace berth
