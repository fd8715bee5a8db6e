// crash_writer FILE: opens the store and commits for ever, several commits at a time: number n is
// instance n, its token and audit record n, in one commit. Prints n only when its `done` has run
// with success. The crash test kills it.

#include <unistd.h>

#include <cstdio>
#include <semaphore>
#include <string>

#include "daemon/store/sqlite.h"
#include "tests/support/store_records.h"

using namespace berth;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: crash_writer FILE\n");
    return 2;
  }
  auto opened = store::SqliteStore::open({.file = argv[1]});
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return 1;
  }
  store::Store& store = **opened;
  Result<std::vector<core::Change>> const loaded = store.load();
  if (!loaded) {
    std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
    return 1;
  }
  std::counting_semaphore<16> in_flight(16);
  for (std::uint64_t n = loaded->size() / 2 + 1;; ++n) {
    in_flight.acquire();
    core::TokenRow token = test::token("111111111111", std::to_string(n));
    token.instances = {test::instance_id(n)};
    store.commit({core::PutInstance{test::instance(n)}, core::PutToken{token},
                  core::AppendAudit{test::audit(n)}},
                 [n, &in_flight](Result<void> const& r) {
                   std::string const line = (r ? std::to_string(n) : r.error().message) + "\n";
                   if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) ::_exit(3);
                   if (!r) ::_exit(1);
                   in_flight.release();
                 });
  }
}
