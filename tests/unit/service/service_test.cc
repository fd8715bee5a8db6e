// What the service manager is told, read back from a real notification socket.
#include "common/service/service.h"

#include <cstdlib>
#include <fstream>
#include <vector>

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/service/watchdog.h"

namespace berth::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    char name[] = "/tmp/berth-service-XXXXXX";
    directory_ = mkdtemp(name);
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    std::string const path = directory_ + "/notify";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    ::setenv("CREDENTIALS_DIRECTORY", directory_.c_str(), 1);
  }
  ~ServiceTest() override {
    for (char const* name :
         {"NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
      ::unsetenv(name);
    }
    ::close(socket_);
    for (char const* name : {"notify", "full", "empty"})
      ::unlink((directory_ + "/" + name).c_str());
    ::rmdir((directory_ + "/folder").c_str());
    ::rmdir(directory_.c_str());
  }

  // Everything said since the last time.
  [[nodiscard]] std::vector<std::string> said() const {
    std::vector<std::string> all;
    char text[512];
    for (ssize_t n = 0; (n = ::recv(socket_, text, sizeof(text), 0)) >= 0;) {
      all.emplace_back(text, static_cast<std::size_t>(n));
    }
    return all;
  }

  std::string directory_;
  int socket_ = -1;
};

TEST_F(ServiceTest, SaysWhereItIsInItsLife) {
  ready();
  reloading();
  ready();
  keep_alive();
  stopping();
  EXPECT_THAT(said(), ElementsAre("READY=1", "RELOADING=1", "READY=1", "WATCHDOG=1",
                                  "STOPPING=1\nSTATUS=stopping; guests run on"));
}

TEST_F(ServiceTest, AStatusCannotForgeAnotherVariable) {
  set_status("serving\nMAINPID=1");
  EXPECT_THAT(said(), ElementsAre("STATUS=serving MAINPID=1"));
}

TEST_F(ServiceTest, WithoutAManagerNothingIsSaid) {
  ::unsetenv("NOTIFY_SOCKET");
  ready();
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(ServiceTest, TheWatchdogsIntervalIsTheManagersAndForThisProcessOnly) {
  EXPECT_EQ(watchdog_interval(), std::nullopt);
  ::setenv("WATCHDOG_USEC", "4000000", 1);
  EXPECT_EQ(watchdog_interval(), seconds(4));
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(watchdog_interval(), std::nullopt);
}

TEST_F(ServiceTest, ACredentialIsAFileWithSomethingInIt) {
  std::ofstream(directory_ + "/full") << "secret";
  std::ofstream(directory_ + "/empty").flush();
  ::mkdir((directory_ + "/folder").c_str(), 0700);
  EXPECT_EQ(credential("full"), directory_ + "/full");
  EXPECT_EQ(credential("empty"), std::nullopt);
  EXPECT_EQ(credential("folder"), std::nullopt);
  EXPECT_EQ(credential("absent"), std::nullopt);
  ::unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_EQ(credential("full"), std::nullopt);
}

class WatchdogTest : public testing::Test {
 protected:
  int fed_ = 0;
  Watchdog watchdog_{seconds(8), [this] { ++fed_; }};
  Instant const start_{1'000'000'000'000};
};

TEST_F(WatchdogTest, IsFedAtOnceAndThenEachQuarter) {
  for (int i = 0; i < 80; ++i) watchdog_.beat(start_ + milliseconds(100 * i), std::nullopt);
  EXPECT_EQ(fed_, 4);
}

TEST_F(WatchdogTest, StarvesWhileWorkStandsStillForHalfTheInterval) {
  watchdog_.beat(start_, start_);
  watchdog_.beat(start_ + seconds(4), start_);
  EXPECT_EQ(fed_, 2);
  for (int i = 5; i < 60; ++i) watchdog_.beat(start_ + seconds(i), start_);
  EXPECT_EQ(fed_, 2);
  watchdog_.beat(start_ + seconds(60), start_ + seconds(59));
  EXPECT_EQ(fed_, 3);
}

TEST(Watchdog, NobodyWhoAsksIsFed) {
  int fed = 0;
  Watchdog watchdog(std::nullopt, [&] { ++fed; });
  watchdog.beat(Instant{1}, std::nullopt);
  EXPECT_EQ(fed, 0);
}

}  // namespace
}  // namespace berth::service
