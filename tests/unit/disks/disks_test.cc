#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/disks/files.h"
#include "agent/disks/image_cache.h"
#include "agent/disks/iso9660.h"
#include "agent/disks/layout.h"
#include "agent/disks/overlay.h"
#include "agent/disks/run.h"
#include "agent/disks/seed.h"
#include "berth/base/digest.h"
#include "tests/unit/disks/image_corpus.h"

namespace berth::agent::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string file_bytes(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

class Disks : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/berth-disks-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    dir = name;
    layout = Layout(dir + "/berth");
    ASSERT_TRUE(layout.prepare());
  }
  void TearDown() override { std::filesystem::remove_all(dir); }

  // A source of `image` that gives out at most `limit` bytes per call.
  ImageCache cache(std::size_t limit = ~std::size_t{0}, Bytes free_min = Bytes(1)) {
    return ImageCache(
        layout,
        [this, limit](std::string const&, std::uint64_t offset,
                      ImageSink const& sink) -> Result<void> {
          offsets.push_back(offset);
          return sink(std::string_view(image).substr(offset, limit));
        },
        free_min);
  }
  std::string digest() const {
    Sha256 const d = sha256(image);
    return hex(d);
  }
  Bytes size() const { return Bytes(static_cast<std::int64_t>(image.size())); }

  std::string dir;
  Layout layout{"/"};
  std::string image = qcow2();
  std::vector<std::uint64_t> offsets;
  InstanceFolder const folder{InstanceId("i-0123456789abcdef0"), PlacementGeneration(4)};
};

TEST_F(Disks, AnImageIsInTheCacheOnceItIsWhole) {
  ImageCache images = cache();
  ASSERT_TRUE(images.bring(digest(), ImageFormat::qcow2, size()));
  EXPECT_EQ(file_bytes(images.path(digest())), image);
  EXPECT_THAT(*images.list(), ElementsAre(digest()));
  ASSERT_TRUE(images.bring(digest(), ImageFormat::qcow2, size()));
  EXPECT_THAT(offsets, ElementsAre(0U)) << "what is there is not fetched again";
}

TEST_F(Disks, AnInterruptedFetchGoesOnWhereItStopped) {
  ImageCache images = cache(100'000);
  EXPECT_EQ(images.bring(digest(), ImageFormat::qcow2, size()).error().code, Code::unavailable);
  EXPECT_THAT(*images.list(), IsEmpty());
  EXPECT_FALSE(images.bring(digest(), ImageFormat::qcow2, size()));
  EXPECT_TRUE(images.bring(digest(), ImageFormat::qcow2, size()));
  EXPECT_THAT(offsets, ElementsAre(0U, 100'000U, 200'000U));
}

TEST_F(Disks, OtherBytesThanTheDigestsAreDroppedAndNotResumed) {
  ImageCache images = cache();
  std::string const wanted(64, 'a');
  EXPECT_EQ(images.bring(wanted, ImageFormat::qcow2, size()).error().code, Code::corrupt);
  EXPECT_FALSE(is_file(images.path(wanted) + ".part"));
  EXPECT_THAT(*images.list(), IsEmpty());
}

TEST_F(Disks, AnImageLongerThanStatedIsCorrupt) {
  ImageCache images = cache();
  EXPECT_EQ(images.bring(digest(), ImageFormat::qcow2, Bytes(size().value - 1)).error().code,
            Code::corrupt);
  EXPECT_FALSE(is_file(images.path(digest()) + ".part"));
}

TEST_F(Disks, AHostileImageWithTheRightDigestIsRefused) {
  image = patched(qcow2({.backing_offset = 512, .backing_size = 11}), 512, "/etc/shadow");
  ImageCache images = cache();
  Result<void> const result = images.bring(digest(), ImageFormat::qcow2, size());
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("backing file"));
  EXPECT_THAT(*images.list(), IsEmpty());
}

TEST_F(Disks, AnImageThatWouldFillTheDiskIsNotFetched) {
  ImageCache images = cache(~std::size_t{0}, Bytes(std::int64_t{1} << 60));
  EXPECT_EQ(images.bring(digest(), ImageFormat::qcow2, size()).error().code, Code::no_capacity);
  EXPECT_THAT(offsets, IsEmpty());
}

TEST_F(Disks, ADigestThatIsAPathIsRefused) {
  ImageCache images = cache();
  EXPECT_EQ(images.bring("../../etc/passwd", ImageFormat::raw, size()).error().code, Code::invalid);
  EXPECT_EQ(images.evict("../../etc/passwd").error().code, Code::invalid);
  EXPECT_EQ(images.bring(digest(), ImageFormat::raw, Bytes(0)).error().code, Code::invalid);
}

TEST_F(Disks, APartialImageNobodyAsksForGoesInTimeAndNothingElseDoes) {
  std::string const old = layout.images() + "/" + std::string(64, 'a') + ".part";
  std::string const fresh = layout.images() + "/" + std::string(64, 'b') + ".part";
  std::string const whole = layout.images() + "/" + std::string(64, 'c');
  for (std::string const& path : {old, fresh, whole}) std::ofstream(path) << "x";
  auto const long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(3);
  for (std::string const& path : {old, whole}) std::filesystem::last_write_time(path, long_ago);
  ASSERT_TRUE(drop_stale_parts(layout, hours(2)));
  EXPECT_FALSE(is_file(old));
  EXPECT_TRUE(is_file(fresh));
  EXPECT_TRUE(is_file(whole));
}

TEST_F(Disks, AnOverlayHasTheLargerOfBothSizesAndItsFormatStated) {
  ImageCache images = cache();
  ASSERT_TRUE(images.bring(digest(), ImageFormat::qcow2, size()));
  ASSERT_TRUE(make_folders(layout.folder(folder), 0711));
  OverlayAsk ask{.path = layout.disk(folder),
                 .backing_path = images.path(digest()),
                 .backing_format = ImageFormat::qcow2,
                 .size = Bytes(std::int64_t{3} << 30)};
  ASSERT_TRUE(make_overlay(ask));
  Result<std::string> const seen = run_ok({"qemu-img", "info", "--output=json", ask.path}, {});
  ASSERT_TRUE(seen) << seen.error().message;
  EXPECT_THAT(*seen, HasSubstr("\"virtual-size\": 3221225472"));
  EXPECT_THAT(*seen, HasSubstr("\"backing-filename-format\": \"qcow2\""));
  EXPECT_EQ(*qcow2_backing_file(ask.path), images.path(digest()));
  std::string const before = file_bytes(ask.path);
  ask.size = Bytes(std::int64_t{9} << 30);
  ASSERT_TRUE(make_overlay(ask));
  EXPECT_EQ(file_bytes(ask.path), before) << "a disk that is there is never made anew";
}

TEST_F(Disks, AnOverlayIsNeverSmallerThanItsImage) {
  ImageCache images = cache();
  ASSERT_TRUE(images.bring(digest(), ImageFormat::qcow2, size()));
  ASSERT_TRUE(make_folders(layout.folder(folder), 0711));
  ASSERT_TRUE(make_overlay({.path = layout.disk(folder),
                            .backing_path = images.path(digest()),
                            .backing_format = ImageFormat::qcow2,
                            .size = Bytes(4096)}));
  Result<std::string> const seen =
      run_ok({"qemu-img", "info", "--output=json", layout.disk(folder)}, {});
  EXPECT_THAT(*seen, HasSubstr("\"virtual-size\": 1048576"));
}

TEST_F(Disks, AnOverlayWithoutItsImageIsNotFound) {
  EXPECT_EQ(make_overlay({.path = dir + "/disk", .backing_path = dir + "/none", .size = Bytes(1)})
                .error()
                .code,
            Code::not_found);
}

TEST_F(Disks, AnImageStaysWhileAnOverlayRestsOnItAndWhileOneCannotBeRead) {
  ImageCache images = cache();
  ASSERT_TRUE(images.bring(digest(), ImageFormat::qcow2, size()));
  ASSERT_TRUE(make_folders(layout.folder(folder), 0711));
  ASSERT_TRUE(make_overlay(
      {.path = layout.disk(folder), .backing_path = images.path(digest()), .size = Bytes(1)}));
  EXPECT_EQ(images.evict(digest()).error().code, Code::conflict);
  std::ofstream(layout.disk(folder), std::ios::trunc) << "garbage";
  EXPECT_FALSE(images.evict(digest()));
  ASSERT_TRUE(layout.remove(folder));
  EXPECT_TRUE(images.evict(digest()));
  EXPECT_TRUE(images.evict(digest())) << "evicting what is gone is a no-op";
  EXPECT_THAT(*images.list(), IsEmpty());
}

TEST_F(Disks, FoldersAreFoundByInstanceAndGenerationAndNothingElseIs) {
  InstanceFolder const other{InstanceId("i-0123456789abcdef0"), PlacementGeneration(11)};
  for (InstanceFolder const& f : {folder, other}) ASSERT_TRUE(make_folders(layout.folder(f), 0711));
  for (char const* name : {"/x", "/i-0123456789abcdef0/7x", "/i-XYZ/1", "/i-0123456789ABCDEF0/1"}) {
    ASSERT_TRUE(make_folders(layout.instances() + name, 0711));
  }
  EXPECT_THAT(*layout.found(), ElementsAre(folder, other));
  ASSERT_TRUE(layout.remove(folder));
  EXPECT_THAT(*layout.found(), ElementsAre(other));
  EXPECT_EQ(layout.remove({InstanceId("../.."), PlacementGeneration(1)}).error().code,
            Code::invalid);
}

TEST_F(Disks, TheSeedHoldsTheTenantsBytesAndQuotesTheRest) {
  InstanceSpec spec{.id = folder.id,
                    .hostname = "a\"\nb: c",
                    .public_key = "ssh-ed25519 AAAA \"x\"\n",
                    .user_data = "#!/bin/sh\n\xff\0x",
                    .type = "t3.nano",
                    .zone = "z",
                    .region = "r"};
  EXPECT_EQ(seed_meta_data(spec),
            "instance-id: \"i-0123456789abcdef0\"\n"
            "local-hostname: \"a\\\"\\x0ab: c\"\n"
            "public-keys:\n  - \"ssh-ed25519 AAAA \\\"x\\\"\\x0a\"\n"
            "instance-type: \"t3.nano\"\navailability-zone: \"z\"\nregion: \"r\"\n");
  EXPECT_EQ(seed_user_data(spec), spec.user_data);
  spec.user_data.clear();
  EXPECT_EQ(seed_user_data(spec), "#cloud-config\n{}\n");
}

TEST_F(Disks, TheSeedImageIsReadByOtherProgramsUnderItsNamesAndLabel) {
  InstanceSpec const spec{.id = folder.id, .hostname = "h", .user_data = std::string(5000, 'u')};
  std::string const path = dir + "/seed.iso";
  ASSERT_TRUE(write_seed(path, spec));
  struct stat found{};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  Result<std::string> const label = run_ok({"blkid", "-p", "-o", "export", path}, {});
  ASSERT_TRUE(label) << label.error().message;
  EXPECT_THAT(*label, HasSubstr("LABEL=cidata"));
  EXPECT_THAT(*label, HasSubstr("TYPE=iso9660"));
  for (char const* name : {"meta-data", "user-data"}) {
    Result<std::string> const text =
        run_ok({"isoinfo", "-R", "-i", path, "-x", std::string("/") + name}, {});
    if (!text && text.error().code == Code::unavailable) GTEST_SKIP() << text.error().message;
    EXPECT_EQ(*text, name[0] == 'm' ? seed_meta_data(spec) : spec.user_data);
  }
}

TEST(Iso9660, TheSameFilesGiveTheSameBytesAndTooManyAreRefused) {
  EXPECT_EQ(*iso9660("l", {{"a", "1"}}), *iso9660("l", {{"a", "1"}}));
  EXPECT_TRUE(iso9660("l", std::vector<IsoFile>(8, {"a", ""})));
  EXPECT_FALSE(iso9660("l", std::vector<IsoFile>(9, {"a", ""})));
  EXPECT_FALSE(iso9660(std::string(33, 'l'), {}));
  EXPECT_FALSE(iso9660("l", {{"a/b", ""}}));
}

TEST(Run, GivesBackStatusAndOutputOfBothStreams) {
  Result<RunOutcome> const outcome = run({"sh", "-c", "echo out; echo err >&2; exit 3"}, {});
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_status, 3);
  EXPECT_THAT(outcome->output, HasSubstr("out\n"));
  EXPECT_THAT(outcome->output, HasSubstr("err\n"));
}

TEST(Run, QuotesTheLastLineOfAFailure) {
  Result<std::string> const result = run_ok({"sh", "-c", "echo first; echo why; exit 1"}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "sh ended with status 1: why");
}

TEST(Run, KillsWhatPassesItsDeadline) {
  auto const begin = std::chrono::steady_clock::now();
  EXPECT_EQ(run({"sleep", "60"}, {.deadline = milliseconds(200)}).error().code, Code::timeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(Run, CutsOutputAndLimitsMemoryAndProcessorTime) {
  Result<RunOutcome> const loud =
      run({"sh", "-c", "yes | head -c 1000000"}, {.output_bytes_max = 1000});
  ASSERT_TRUE(loud);
  EXPECT_EQ(loud->output.size(), 1000U);
  Result<RunOutcome> const limits =
      run({"sh", "-c", "ulimit -v; ulimit -t; ulimit -c"},
          {.cpu_seconds = 7, .memory_bytes = std::int64_t{512} << 20});
  ASSERT_TRUE(limits);
  EXPECT_EQ(limits->output, "524288\n7\n0\n");
}

TEST(Run, InheritsNeitherEnvironmentNorFiles) {
  setenv("BERTH_SECRET", "x", 1);
  Result<RunOutcome> const outcome =
      run({"sh", "-c", "env | grep -c BERTH; ls /proc/self/fd | wc -l"}, {});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->output, "0\n4\n");  // three streams, and the folder that ls reads
}

TEST(Run, SaysWhichProgramIsMissing) {
  Result<RunOutcome> const outcome = run({"no-such-program-here"}, {});
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message, HasSubstr("no-such-program-here is not installed"));
  EXPECT_FALSE(run({}, {}));
}

}  // namespace
}  // namespace berth::agent::testing
