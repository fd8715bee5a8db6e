#include "agent/disks/image_inspector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "agent/disks/run.h"
#include "berth/base/entropy.h"
#include "tests/unit/disks/image_corpus.h"

namespace berth::agent::testing {
namespace {

using ::testing::HasSubstr;

Result<ImageFacts> inspected(std::string bytes, InspectOptions const& options = {}) {
  MemoryImageReader reader(std::move(bytes));
  return inspect(reader, options);
}

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/berth-inspector-XXXXXX";
    EXPECT_NE(mkdtemp(name), nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(std::string const& name, std::string const& bytes) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << bytes;
    return path_ + "/" + name;
  }
  std::string const& path() const { return path_; }

 private:
  std::string path_;
};

TEST(ImageInspector, AcceptsAnHonestQcow2OfBothVersions) {
  for (std::uint32_t const version : {2U, 3U}) {
    Result<ImageFacts> const facts = inspected(qcow2({.version = version}));
    ASSERT_TRUE(facts) << facts.error().message;
    EXPECT_EQ(*facts, (ImageFacts{ImageFormat::qcow2, Bytes(1 << 20), Bytes(4 << 16)}));
  }
}

TEST(ImageInspector, AcceptsARawDiskWithABootSectorAndRoundsItsSizeUp) {
  std::string const disk = patched(std::string(1025, '\0'), 510, "\x55\xaa");
  Result<ImageFacts> const facts = inspected(disk, {.declared = ImageFormat::raw});
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(*facts, (ImageFacts{ImageFormat::raw, Bytes(1536), Bytes(1025)}));
}

TEST(ImageInspector, AcceptsWhatQemuImgMakesOfEveryKindWeAllow) {
  Folder const folder;
  for (char const* options :
       {"compat=0.10", "compat=1.1", "compat=1.1,cluster_size=4k", "compat=1.1,cluster_size=2M",
        "compat=1.1,compression_type=zstd", "compat=1.1,extended_l2=on",
        "compat=1.1,lazy_refcounts=on", "compat=1.1,refcount_bits=64"}) {
    std::string const path = folder.path() + "/made.qcow2";
    ASSERT_TRUE(run_ok({"qemu-img", "create", "-q", "-f", "qcow2", "-o", options, path, "7G"}, {}));
    Result<ImageFacts> const facts = inspect_file(path, {});
    ASSERT_TRUE(facts) << options << ": " << facts.error().message;
    EXPECT_EQ(facts->virtual_size, Bytes(std::int64_t{7} << 30)) << options;
  }
}

TEST(ImageInspector, RefusesEveryHostileImageAndSaysWhy) {
  std::vector<HostileImage> const corpus = hostile_images("/etc/shadow");
  EXPECT_GE(corpus.size(), 150U);
  for (HostileImage const& image : corpus) {
    Result<ImageFacts> const facts = inspected(image.bytes, {.declared = image.declared});
    ASSERT_FALSE(facts) << image.name;
    EXPECT_EQ(facts.error().code, Code::invalid) << image.name;
    EXPECT_EQ(facts.error().subject, "image") << image.name;
    EXPECT_THAT(facts.error().message, HasSubstr(image.complaint)) << image.name;
  }
}

TEST(ImageInspector, HoldsTheLimitsExactly) {
  InspectOptions options{.virtual_size_max = Bytes(1 << 20), .file_size_max = Bytes(4 << 16)};
  EXPECT_TRUE(inspected(qcow2(), options));
  options.virtual_size_max = Bytes((1 << 20) - 1);
  EXPECT_FALSE(inspected(qcow2(), options));
  options = {.virtual_size_max = Bytes(1 << 20), .file_size_max = Bytes((4 << 16) - 1)};
  EXPECT_FALSE(inspected(qcow2(), options));
  options = {.declared = ImageFormat::raw, .virtual_size_max = Bytes(1024)};
  EXPECT_TRUE(inspected(std::string(1024, '\0'), options));
  EXPECT_FALSE(inspected(std::string(1025, '\0'), options));
}

TEST(ImageInspector, RefusesASymbolicLinkAndWhatIsNoFile) {
  Folder const folder;
  std::string const file = folder.write("image", qcow2());
  std::filesystem::create_symlink(file, folder.path() + "/link");
  EXPECT_TRUE(inspect_file(file, {}));
  EXPECT_FALSE(inspect_file(folder.path() + "/link", {}));
  EXPECT_FALSE(inspect_file(folder.path(), {}));
  EXPECT_FALSE(inspect_file("/dev/zero", {.declared = ImageFormat::raw}));
}

TEST(ImageInspector, NamesTheBackingFileOfOurOwnOverlays) {
  Folder const folder;
  std::string const base = folder.write("base", qcow2());
  std::string const overlay = folder.path() + "/overlay";
  ASSERT_TRUE(run_ok(
      {"qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", overlay, "2G"}, {}));
  Result<std::string> const backing = qcow2_backing_file(overlay);
  ASSERT_TRUE(backing) << backing.error().message;
  EXPECT_EQ(*backing, base);
  EXPECT_EQ(*qcow2_backing_file(base), "");
  EXPECT_EQ(qcow2_backing_file(folder.write("raw", "no qcow2 at all, only text")).error().code,
            Code::corrupt);
}

// What QEMU itself makes of a file that we accept: the same format, and no other file behind it.
void expect_harmless(std::string const& path, ImageFormat format, std::string const& what) {
  Result<RunOutcome> const seen =
      run({"qemu-img", "info", "-U", "--output=json", path}, {.deadline = seconds(20)});
  ASSERT_TRUE(seen) << what << ": " << seen.error().message;
  // One that QEMU cannot open leads nowhere either.
  if (seen->exit_status != 0) return;
  EXPECT_THAT(seen->output, ::testing::Not(HasSubstr("backing"))) << what;
  EXPECT_THAT(seen->output, ::testing::Not(HasSubstr("data-file\": \""))) << what;
  EXPECT_THAT(seen->output, ::testing::Not(HasSubstr("filename\": \"/etc"))) << what;
  EXPECT_THAT(seen->output, HasSubstr(format == ImageFormat::raw ? "\"format\": \"raw\""
                                                                 : "\"format\": \"qcow2\""))
      << what;
}

// Mutants of honest and hostile headers. BERTH_MUTANTS raises their number; each accepted one costs
// a run of qemu-img.
TEST(ImageInspector, NeverAcceptsWhereQemuImgSeesAnotherFile) {
  Folder const folder;
  char const* const wish = std::getenv("BERTH_MUTANTS");
  int const mutants = wish != nullptr ? std::atoi(wish) : 3000;
  SeededEntropy entropy(20240702);
  std::vector<std::string> seeds = {qcow2(), qcow2({.version = 2}), qcow2({.header_length = 112})};
  for (HostileImage const& image : hostile_images("/etc/hostname")) {
    if (image.bytes.size() <= 5 << 16) seeds.push_back(image.bytes);
  }
  int accepted = 0;
  for (int i = 0; i < mutants; ++i) {
    // Half from the honest ones: those are the mutants that come through.
    std::string bytes = seeds[entropy.below(entropy.below(2) == 0 ? 3 : seeds.size())];
    std::uint64_t const changes = entropy.below(3) + 1;
    for (std::uint64_t c = 0; c < changes && !bytes.empty(); ++c) {
      std::size_t const at = entropy.below(std::min<std::size_t>(bytes.size(), 160));
      static constexpr char kLikely[] = {0, 1, 2, 4, 8, '\x7f', '\x80', '\xff'};
      bytes[at] =
          entropy.below(2) == 0 ? kLikely[entropy.below(8)] : static_cast<char>(entropy.below(256));
    }
    ImageFormat const declared = entropy.below(4) == 0 ? ImageFormat::raw : ImageFormat::qcow2;
    if (!inspected(bytes, {.declared = declared})) continue;
    ++accepted;
    if (declared == ImageFormat::raw && accepted % 8 != 0) continue;  // the dull ones
    expect_harmless(folder.write("mutant", bytes), declared, "mutant " + std::to_string(i));
    if (HasFailure()) return;
  }
  EXPECT_GT(accepted, mutants / 50) << "the mutants are too wild to prove anything";
}

}  // namespace
}  // namespace berth::agent::testing
