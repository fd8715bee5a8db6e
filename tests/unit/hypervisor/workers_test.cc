#include "agent/hypervisor/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>

#include "agent/disks/files.h"
#include "agent/hypervisor/console.h"

namespace berth::agent {
namespace {

TEST(Workers, RunWhatIsPosted) {
  std::atomic<int> done = 0;
  {
    Workers workers(3, 100);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(workers.post([&] { ++done; }));
  }
  EXPECT_EQ(done, 100);
}

TEST(Workers, RefuseWhatDoesNotFitTheQueueAndWhatComesTooLate) {
  std::promise<void> gate;
  std::promise<void> begun;
  Workers workers(1, 1);
  ASSERT_TRUE(workers.post([&] {
    begun.set_value();
    gate.get_future().wait();
  }));
  begun.get_future().wait();
  EXPECT_TRUE(workers.post([] {}));
  EXPECT_FALSE(workers.post([] {}));
  gate.set_value();
  workers.stop();
  EXPECT_TRUE(workers.is_stopping());
  EXPECT_FALSE(workers.post([] {}));
}

class Console : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/berth-console-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    layout = Layout(name);
    ASSERT_TRUE(layout.prepare());
  }
  void TearDown() override { std::filesystem::remove_all(layout.dir()); }
  void write(std::uint64_t generation, std::string const& suffix, std::string const& text) {
    InstanceFolder const folder{id, PlacementGeneration(generation)};
    ASSERT_TRUE(make_folders(layout.folder(folder), 0711));
    std::ofstream(layout.console(folder) + suffix) << text;
  }

  Layout layout{"/"};
  InstanceId const id{"i-0123456789abcdef0"};
};

TEST_F(Console, IsTheEndOfTheNewestGenerationsLogWithItsRotatedOnes) {
  EXPECT_EQ(*console_tail(layout, id, 10), "");
  write(2, "", "old");
  write(10, "", "ghi");
  write(10, ".0", "def");
  write(10, ".1", "abc");
  EXPECT_EQ(*console_tail(layout, id, 100), "abcdefghi");
  EXPECT_EQ(*console_tail(layout, id, 7), "cdefghi");
  EXPECT_EQ(*console_tail(layout, id, 2), "hi");
  EXPECT_EQ(*console_tail(layout, id, 0), "");
  EXPECT_EQ(console_tail(layout, InstanceId("../x"), 9).error().code, Code::invalid);
}

}  // namespace
}  // namespace berth::agent
