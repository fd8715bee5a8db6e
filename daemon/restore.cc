#include "daemon/restore.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <memory>
#include <utility>

#include "berth/base/digest.h"
#include "common/pki/secret_file.h"
#include "daemon/core/audit.h"
#include "daemon/driver/driver.h"
#include "daemon/store/lock_file.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/sqlite_file.h"

namespace berth {

namespace {

namespace fs = std::filesystem;

// Past every term that daemons on the lost store can have begun after the backup: one for each
// start, and starts take seconds.
constexpr std::uint64_t kTermStep = std::uint64_t{1} << 20;

// Of a store as it lies there.
struct Found {
  Term term;
  std::uint64_t audit_count = 0;
};

Error cannot(std::string const& what, std::error_code const& error) {
  return Error{Code::unavailable, "store", what + ": " + error.message()};
}

// The store that is to be replaced; absent when there is none, or when it cannot be read, which may
// be why a backup is wanted.
Result<std::optional<Found>> present(Settings const& settings, std::string const& file,
                                     std::string& told) {
  if (!fs::exists(file)) return std::optional<Found>();
  Result<std::unique_ptr<store::SqliteStore>> opened =
      store::SqliteStore::open({.file = file, .ballast_bytes = 0});
  if (!opened && opened.error().code == Code::conflict) return opened.error();
  if (opened) {
    Result<core::State> const state = driver::Driver::load(**opened, settings.policy);
    if (state) return std::optional(Found{state->region.term, state->region.audit_count});
    told += "The store that was there cannot be loaded: " + state.error().message + "\n";
  } else {
    told += "The store that was there cannot be opened: " + opened.error().message + "\n";
  }
  return std::optional<Found>();
}

Result<void> check_key(Settings const& settings, core::State const& state) {
  std::string const key = TRY(pki::read_small_file(settings.region_key_file));
  if (state.access_keys.empty()) return {};
  AccessKey const& one = state.access_keys.begin()->second;
  if (unsealed(key, one.secret_sealed, one.id.value)) return {};
  return Error{Code::invalid, "region_key",
               settings.region_key_file +
                   " is not the key that seals the secrets of this backup; restore its own first"};
}

Result<void> committed(store::SqliteStore& store, std::vector<core::Change> changes) {
  std::promise<Result<void>> answer;
  store.commit(std::move(changes), [&](Result<void> done) { answer.set_value(std::move(done)); });
  return answer.get_future().get();
}

std::vector<core::Change> quarantine(core::Region region, Found const& lost, WallTime now,
                                     std::string const& backup) {
  region.term.value = std::max(region.term.value, lost.term.value) + kTermStep;
  region.quarantine = core::Quarantine{.since = now, .reason = "restored from " + backup};
  core::AuditRecord record{.number = region.audit_count + 1,
                           .time = now,
                           .actor = "berthd/uid-" + std::to_string(getuid()),
                           .action = "region.restore",
                           .subjects = {region.name},
                           .outcome = "ok"};
  record.digest = core::chained_digest(region.audit_digest, record);
  region.audit_count = record.number;
  region.audit_digest = record.digest;
  return {core::PutRegion{std::move(region)}, core::AppendAudit{std::move(record)}};
}

void remove_with_companions(std::string const& file) {
  std::error_code ignored;
  for (char const* suffix : {"", "-wal", "-shm", ".lock", ".ballast"})
    fs::remove(file + suffix, ignored);
}

// The backup as a store of its own beside the real one, checked and marked.
Result<void> prepare(Settings const& settings, std::string const& copy, Found const& lost,
                     std::uint64_t lost_audit, std::string& told) {
  std::unique_ptr<store::SqliteStore> store =
      TRY(store::SqliteStore::open({.file = copy, .ballast_bytes = 0}));
  core::State const state = TRY(driver::Driver::load(*store, settings.policy));
  if (state.region.name.empty()) {
    return Error{Code::invalid, "backup", settings.restore + " has no region in it"};
  }
  TRY(check_key(settings, state));
  if (lost_audit > state.region.audit_count && !settings.restore_older) {
    return Error{Code::conflict, "region",
                 "the store that is there is newer than the backup: its audit log has " +
                     std::to_string(lost_audit) + " records, the backup's " +
                     std::to_string(state.region.audit_count) +
                     "; give --restore_older if it is to be replaced all the same"};
  }
  TRY(committed(*store,
                quarantine(state.region, lost, SystemClock().now().wall, settings.restore)));
  told += "The backup has " + std::to_string(state.instances.size()) + " instances on " +
          std::to_string(state.hosts.size()) + " hosts, " + std::to_string(state.tenants.size()) +
          " tenants and " + std::to_string(state.region.audit_count) + " audit records.\n";
  return {};
}

Result<void> swap_in(std::string const& file, std::string const& copy, std::string& told) {
  std::error_code error;
  if (fs::exists(copy + "-wal")) {
    return Error{Code::unavailable, "store", copy + " was not closed whole; try again"};
  }
  if (fs::exists(file)) {
    std::string const kept = file + ".replaced-" + iso8601_basic(SystemClock().now().wall);
    for (char const* suffix : {"-wal", "-shm", ""}) {
      if (!fs::exists(file + suffix)) continue;
      fs::rename(file + suffix, kept + suffix, error);
      if (error) return cannot(file + suffix + " cannot be renamed", error);
    }
    told += "The store that was there is now " + kept + ".\n";
  }
  fs::rename(copy, file, error);
  if (error) return cannot(copy + " cannot be renamed", error);
  return store::sync_folder_of(file);
}

Result<void> copy_backup(std::string const& from, std::string const& to) {
  std::error_code error;
  if (!fs::is_regular_file(from, error)) {
    return Error{Code::not_found, "backup", from + " is no regular file that can be read"};
  }
  auto const log = fs::file_size(from + "-wal", error);
  if (!error && log > 0) {
    return Error{Code::invalid, "backup",
                 from + " has a log beside it (" + from +
                     "-wal): it is a store in use or copied without its log, not a backup"};
  }
  TRY(store::make_file(to));
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (error) return cannot(from + " cannot be copied to " + to, error);
  if (chmod(to.c_str(), 0600) != 0) return Error{Code::unavailable, "store", to + ": its mode"};
  return store::sync_file(to);
}

}  // namespace

Result<std::string> restore(Settings const& settings) {
  std::string told;
  std::string const file = settings.data_dir + "/berth.db";
  std::string const copy = file + ".restoring";
  std::optional<Found> const lost = TRY(present(settings, file, told));
  store::LockFile const lock = TRY(store::LockFile::take(file + ".lock"));
  remove_with_companions(copy);
  auto const prepared = [&]() -> Result<void> {
    TRY(copy_backup(settings.restore, copy));
    TRY(prepare(settings, copy, lost.value_or(Found{}), lost ? lost->audit_count : 0, told));
    return swap_in(file, copy, told);
  };
  Result<void> const done = prepared();
  remove_with_companions(copy);
  if (!done) return done.error();
  return told + settings.restore + " is the store now, in quarantine.\n" +
         "Start berthd, see what runs without a record (berthctl region show), adopt it "
         "(berthctl region adopt), then end the quarantine (berthctl region release).\n";
}

}  // namespace berth
