// power_loss [--cases=N] [--seed=N] [--case=N]: the script on a recorded disk, then power cuts at
// any moment of it, each on a disk that lost, kept, reordered and tore what was not synced. Every
// third one loses power once more while the daemon recovers and goes on. What was acknowledged must
// be there, nothing twice, the audit chain whole, SQLite's check content. --case=N plays one again.

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "berth/base/ensure.h"
#include "tests/crash/play.h"
#include "tests/crash/recorded_disk.h"

namespace {

using namespace berth;
using namespace berth::crash;

constexpr std::size_t kSecondRunCalls = 40;

store::SqliteStore::Options on(std::string const& folder, std::string vfs = {}) {
  return {.file = folder + "/berth.db",
          .ballast_bytes = 0,
          .pace = std::chrono::seconds(1),
          .log_pages = 100,
          .vfs = std::move(vfs)};
}

[[noreturn]] void failed(Error const& error) {
  std::fprintf(stderr, "power_loss: the store failed: %s\n", error.message.c_str());
  std::_Exit(4);
}

void put(DiskImage const& image, std::string const& folder) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  for (auto const& [name, content] : image) {
    std::ofstream(folder + "/" + name, std::ios::binary) << content;
  }
}

// Plays up to `calls` calls more on what lies in `folder`; each answer is noted in the record.
void play(std::string const& folder, int run, std::size_t calls, Answers answers,
          DiskRecord& record) {
  Recording const recording(record);
  auto opened = Play::open({.store = on(folder, kRecordedVfs),
                            .run = run,
                            .on_answer =
                                [&](std::size_t n, Answer const& answer) {
                                  record.note(std::to_string(n) + " " + answer.line());
                                },
                            .on_store_failure = failed});
  if (!opened) failed(opened.error());
  Script const script;
  std::size_t const begun = answers.empty() ? 0 : answers.rbegin()->first + 1;
  (*opened)->to_the_end(script, answers, std::min(begun + calls, script.size()));
}

void learn(DiskRecord const& record, std::size_t cut, Answers& answers) {
  for (std::size_t i = 0; i < cut; ++i) {
    DiskOp const& op = record.ops()[i];
    if (op.kind != DiskOp::Kind::note) continue;
    std::size_t used = 0;
    std::size_t const n = std::stoul(op.file, &used);
    answers[n] = Answer::parse(op.file.substr(used));
  }
}

struct Outcome {
  std::vector<std::string> broken;
  std::size_t answers = 0;
  bool is_compound = false;
};

Outcome lose_power(DiskRecord const& record, std::string const& folder, std::uint64_t number,
                   std::uint64_t seed) {
  SeededEntropy entropy(seed * 1'000'000 + number);
  Script const script;
  Outcome out;
  Answers answers;
  std::size_t const cut = entropy.below(record.ops().size() + 1);
  auto const damage = static_cast<Damage>(entropy.below(kDamages));
  learn(record, cut, answers);
  DiskImage image = disk_after(record, cut, damage, entropy);
  put(image, folder);
  if (number % 3 == 0) {
    out.is_compound = true;
    DiskRecord second(image);
    play(folder, 2, kSecondRunCalls, answers, second);
    // Half of them in the recovery itself: the first operations.
    std::size_t const whole = second.ops().size() + 1;
    std::size_t const again =
        entropy.below(entropy.below(2) == 0 ? std::min(whole, std::size_t{40}) : whole);
    learn(second, again, answers);
    image = disk_after(second, again, static_cast<Damage>(entropy.below(kDamages)), entropy);
    put(image, folder);
  }
  out.answers = answers.size();
  out.broken = judge(on(folder), script, answers, script.given(answers));
  return out;
}

// That this test can fail at all.
bool bites(DiskRecord const& record, std::string const& folder) {
  SeededEntropy entropy(1);
  Answers answers;
  learn(record, record.ops().size(), answers);
  put(disk_after(record, record.ops().size(), Damage::syncs_lied, entropy), folder);
  Script const script;
  return !judge(on(folder), script, answers, script.given(answers)).empty();
}

std::uint64_t number_of(char const* argument, char const* flag, std::uint64_t otherwise) {
  std::size_t const length = std::strlen(flag);
  if (std::strncmp(argument, flag, length) != 0) return otherwise;
  return std::strtoull(argument + length, nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t cases = 2'000;
  std::uint64_t seed = 1;
  std::uint64_t only = 0;
  for (int i = 1; i < argc; ++i) {
    cases = number_of(argv[i], "--cases=", cases);
    seed = number_of(argv[i], "--seed=", seed);
    only = number_of(argv[i], "--case=", only);
  }
  auto const start = std::chrono::steady_clock::now();
  std::string where = std::filesystem::exists("/dev/shm") ? "/dev/shm/berth-power-XXXXXX"
                                                          : "/tmp/berth-power-XXXXXX";
  ENSURE(::mkdtemp(where.data()) != nullptr);
  std::string const folder = where + "/disk";
  std::filesystem::create_directory(folder);
  // The store makes its file and syncs the folder before SQLite has it.
  DiskRecord record(DiskImage{{"berth.db", ""}});
  play(folder, 1, Script().size(), {}, record);

  std::size_t wrong = 0;
  std::size_t answers = 0;
  std::size_t compound = 0;
  if (!bites(record, folder)) {
    std::printf("WRONG a disk that kept nothing went unnoticed\n");
    ++wrong;
  }
  std::uint64_t const first = only != 0 ? only : 1;
  std::uint64_t const last = only != 0 ? only : cases;
  for (std::uint64_t n = first; n <= last; ++n) {
    Outcome const outcome = lose_power(record, folder, n, seed);
    answers += outcome.answers;
    compound += outcome.is_compound ? 1U : 0U;
    if (outcome.broken.empty()) continue;
    ++wrong;
    std::printf("WRONG --seed=%llu --case=%llu: %s (and %zu more)\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(n),
                outcome.broken.front().c_str(), outcome.broken.size() - 1);
  }
  std::filesystem::remove_all(where);
  std::printf(
      "%llu power cuts among %zu operations of the disk, %zu of them lost power again in the "
      "recovery: "
      "%zu wrong; %zu answers kept, %.0f s\n",
      static_cast<unsigned long long>(last - first + 1), record.ops().size(), compound, wrong,
      answers, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return wrong == 0 ? 0 : 1;
}
