#include "tests/contract/hypervisor/libvirt_bench.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "berth/base/digest.h"
#include "berth/base/ensure.h"

namespace berth::agent::testing {
namespace {

std::string file_bytes(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

LibvirtBench::LibvirtBench(LibvirtBenchOptions options)
    : options_(std::move(options)), api_(options_.uri, [] {}) {
  Result<std::string> const driver = api_.driver();
  ENSURE(driver.has_value());
  is_test_driver_ = *driver == "TEST";
  // Not in /tmp's usual private corner: QEMU runs as another user and must be able to pass.
  char folder[] = "/var/tmp/berth-hypervisor-XXXXXX";
  ENSURE(mkdtemp(folder) != nullptr);
  std::filesystem::permissions(folder, std::filesystem::perms(0755));
  dir_ = folder;
  std::string const bytes = file_bytes(options_.image_path);
  ENSURE(!bytes.empty());
  Sha256 const digest = sha256(bytes);
  image_ = {.digest = hex(digest),
            .format = ImageFormat::qcow2,
            .size = Bytes(static_cast<std::int64_t>(bytes.size()))};
  open();
}

LibvirtBench::~LibvirtBench() {
  hypervisor_.reset();
  if (Result<std::vector<LibvirtDomain>> const domains = api_.domains()) {
    for (LibvirtDomain const& domain : *domains) {
      bool const is_ours = domain.metadata.has_value() && domain.uuid.starts_with("ec2c0de0-");
      if (!is_ours && std::ranges::count(foreign_, domain.name) == 0) continue;
      static_cast<void>(api_.destroy(domain.uuid).has_value());
      static_cast<void>(api_.undefine(domain.uuid).has_value());
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(dir_, ignored);
}

void LibvirtBench::open() {
  LibvirtOptions options{.uri = options_.uri,
                         .dir = dir_ + "/berth",
                         .network = {.name = options_.network, .subnet = options_.subnet},
                         .virt_type = wish_,
                         .agent_version = "test",
                         .boot_id = "boot-" + std::to_string(boots_)};
  options.free_min = Bytes(1);
  options.fetch = [this](std::string const& digest, std::uint64_t offset,
                         ImageSink const& sink) -> Result<void> {
    if (digest != image_.digest) return Error{Code::not_found, "image", "no such image"};
    std::string const bytes = file_bytes(options_.image_path);
    return sink(std::string_view(bytes).substr(offset));
  };
  Result<std::unique_ptr<LibvirtHypervisor>> opened = LibvirtHypervisor::open(std::move(options));
  ENSURE(opened.has_value());
  hypervisor_ = *std::move(opened);
}

bool LibvirtBench::run_until(std::function<bool()> const& is_done) {
  auto const deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  while (!is_done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void LibvirtBench::reopen(VirtTypeWish wish) {
  wish_ = wish;
  restart_agent();
}

void LibvirtBench::restart_agent() {
  hypervisor_.reset();
  open();
}

void LibvirtBench::end_guest(InstanceId const& id) {
  // To the agent a guest that powered itself off and a process that somebody else ended look alike.
  Result<std::optional<LibvirtDomain>> const domain = api_.domain_by_name(id.value);
  ENSURE(domain.has_value() && domain->has_value());
  ENSURE(api_.destroy((*domain)->uuid).has_value());
}

void LibvirtBench::reboot_host() {
  hypervisor_.reset();
  // A libvirtd that has just come up finds out one by one which processes are gone.
  ENSURE(run_until([&] {
    Result<std::vector<LibvirtDomain>> const domains = api_.domains();
    if (!domains) return false;
    bool are_off = true;
    for (LibvirtDomain const& domain : *domains) {
      bool const is_ours = domain.metadata.has_value() && domain.uuid.starts_with("ec2c0de0-");
      bool const has_process = domain.state != LibvirtDomain::State::off &&
                               domain.state != LibvirtDomain::State::crashed;
      if (!is_ours || !has_process) continue;
      are_off = false;
      static_cast<void>(api_.destroy(domain.uuid).has_value());
    }
    return are_off;
  }));
  ++boots_;
  open();
}

void LibvirtBench::make_foreign(std::string const& name) {
  std::string const type = is_test_driver_ ? "test" : "qemu";
  std::string const xml = "<domain type='" + type + "'><name>" + name +
                          "</name><memory unit='MiB'>32</memory><os><type>hvm</type></os></domain>";
  ENSURE(api_.define(xml).has_value());
  foreign_.push_back(name);
  Result<std::optional<LibvirtDomain>> const domain = api_.domain_by_name(name);
  ENSURE(domain.has_value() && domain->has_value());
  ENSURE(api_.start((*domain)->uuid, LibvirtApi::StartAs::running).has_value());
}

bool LibvirtBench::is_foreign_running(std::string const& name) {
  Result<std::optional<LibvirtDomain>> const domain = api_.domain_by_name(name);
  ENSURE(domain.has_value());
  return domain->has_value() && (*domain)->state == LibvirtDomain::State::running;
}

}  // namespace berth::agent::testing
