// Long because libvirt's headers are in this file alone; each function below the connection is one
// call of theirs, to be read by itself.

#include "agent/hypervisor/libvirt_api.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>
#include <type_traits>

#include "agent/hypervisor/domain_xml.h"
#include "berth/base/log.h"

namespace berth::agent {
namespace {

constexpr int kKeepaliveSeconds = 5;
constexpr unsigned kKeepaliveCount = 3;

// libvirt prints each error to standard error unless told otherwise; ours are results.
void ignore_error(void*, virErrorPtr) {}

Code code_of(int libvirt_code) {
  switch (libvirt_code) {
    case VIR_ERR_NO_DOMAIN:
    case VIR_ERR_NO_NETWORK:
    case VIR_ERR_NO_NWFILTER:
    case VIR_ERR_NO_DOMAIN_METADATA: return Code::not_found;
    case VIR_ERR_OPERATION_INVALID:
    case VIR_ERR_DOM_EXIST:
    case VIR_ERR_NETWORK_EXIST:
    case VIR_ERR_RESOURCE_BUSY: return Code::conflict;
    case VIR_ERR_XML_ERROR:
    case VIR_ERR_XML_DETAIL:
    case VIR_ERR_XML_INVALID_SCHEMA:
    case VIR_ERR_INVALID_ARG:
    case VIR_ERR_CONFIG_UNSUPPORTED: return Code::invalid;
    case VIR_ERR_OPERATION_TIMEOUT: return Code::timeout;
    default: return Code::unavailable;
  }
}

Error last_error(char const* call) {
  virErrorPtr const error = virGetLastError();
  if (error == nullptr)
    return Error{Code::unavailable, "host", std::string(call) + ": no reason given"};
  return Error{
      code_of(error->code), "host",
      std::string(call) + ": " + (error->message != nullptr ? error->message : "no reason given")};
}

bool was(int libvirt_code) {
  virErrorPtr const error = virGetLastError();
  return error != nullptr && error->code == libvirt_code;
}

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* pointer) const {
    free(pointer);
  }
};
using Connection = std::unique_ptr<virConnect, Freed<virConnectClose>>;
using Domain = std::unique_ptr<virDomain, Freed<virDomainFree>>;
using Network = std::unique_ptr<virNetwork, Freed<virNetworkFree>>;
using Filter = std::unique_ptr<virNWFilter, Freed<virNWFilterFree>>;
using Text = std::unique_ptr<char, Freed<std::free>>;

// libvirt's event loop is one per process, so this is too: it runs while any connection is open.
class EventLoop {
 public:
  static std::shared_ptr<EventLoop> shared() {
    static std::mutex mutex;
    static std::weak_ptr<EventLoop> current;
    std::lock_guard const lock(mutex);
    if (std::shared_ptr<EventLoop> loop = current.lock()) return loop;
    static bool const is_registered = [] {
      virSetErrorFunc(nullptr, ignore_error);
      return virInitialize() == 0 && virEventRegisterDefaultImpl() == 0;
    }();
    ENSURE(is_registered);
    auto loop = std::make_shared<EventLoop>();
    current = loop;
    return loop;
  }

  EventLoop() {
    // Something to wake the loop with when it shall stop.
    timer_ = virEventAddTimeout(1000, [](int, void*) {}, nullptr, nullptr);
    thread_ = std::jthread([](std::stop_token const& stop) {
      while (!stop.stop_requested() && virEventRunDefaultImpl() == 0) {}
    });
  }
  ~EventLoop() {
    thread_.request_stop();
    virEventUpdateTimeout(timer_, 0);
    thread_.join();
    virEventRemoveTimeout(timer_);
  }
  EventLoop(EventLoop const&) = delete;
  EventLoop& operator=(EventLoop const&) = delete;

 private:
  int timer_ = -1;
  std::jthread thread_;
};

// Where events go. libvirt may still hold it after we closed the connection, hence shared.
struct EventTarget {
  std::mutex mutex;  // an event must not reach a caller who has already gone
  std::function<void()> on_event;

  void fire() {
    std::lock_guard const lock(mutex);
    if (on_event) on_event();
  }
};
using TargetHolder = std::shared_ptr<EventTarget>;

void free_holder(void* opaque) {
  delete static_cast<TargetHolder*>(opaque);
}

int on_lifecycle(virConnectPtr, virDomainPtr, int, int, void* opaque) {
  (*static_cast<TargetHolder*>(opaque))->fire();
  return 0;
}
// libvirt's own macro casts in one step, which compilers rightly warn of.
virConnectDomainEventGenericCallback lifecycle_callback() {
  return reinterpret_cast<virConnectDomainEventGenericCallback>(
      reinterpret_cast<void (*)()>(on_lifecycle));
}
void on_close(virConnectPtr, int, void* opaque) {
  (*static_cast<TargetHolder*>(opaque))->fire();
}

LibvirtDomain::State state_of(int state, int reason) {
  switch (state) {
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED: return LibvirtDomain::State::running;
    case VIR_DOMAIN_SHUTDOWN: return LibvirtDomain::State::shutting_down;
    case VIR_DOMAIN_SHUTOFF:
      return reason == VIR_DOMAIN_SHUTOFF_SHUTDOWN || reason == VIR_DOMAIN_SHUTOFF_DESTROYED
                 ? LibvirtDomain::State::off
                 : LibvirtDomain::State::crashed;
    case VIR_DOMAIN_CRASHED: return LibvirtDomain::State::crashed;
    default: return LibvirtDomain::State::paused;
  }
}

// Absent: it went away while we looked.
Result<std::optional<LibvirtDomain>> described(virDomainPtr domain) {
  LibvirtDomain out;
  char uuid[VIR_UUID_STRING_BUFLEN];
  int state = 0;
  int reason = 0;
  char const* const name = virDomainGetName(domain);
  if (name == nullptr || virDomainGetUUIDString(domain, uuid) != 0)
    return last_error("domain name");
  out.name = name;
  out.uuid = uuid;
  if (virDomainGetState(domain, &state, &reason, 0) != 0) {
    if (was(VIR_ERR_NO_DOMAIN)) return std::optional<LibvirtDomain>();
    return last_error("domain state");
  }
  out.state = state_of(state, reason);
  Text const metadata(virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
                                           std::string(kMetadataUri).c_str(), 0));
  if (metadata) {
    out.metadata = metadata.get();
  } else if (was(VIR_ERR_NO_DOMAIN)) {
    return std::optional<LibvirtDomain>();
  } else if (!was(VIR_ERR_NO_DOMAIN_METADATA)) {
    return last_error("domain metadata");
  }
  if (out.metadata && out.state != LibvirtDomain::State::off &&
      out.state != LibvirtDomain::State::crashed) {
    Text const xml(virDomainGetXMLDesc(domain, 0));
    if (!xml) {
      if (was(VIR_ERR_NO_DOMAIN)) return std::optional<LibvirtDomain>();
      return last_error("domain XML");
    }
    out.live_xml = xml.get();
  }
  return std::optional<LibvirtDomain>(std::move(out));
}

Result<Domain> found(virConnectPtr connection, std::string const& uuid) {
  Domain domain(virDomainLookupByUUIDString(connection, uuid.c_str()));
  if (!domain) return last_error("look up domain");
  return domain;
}

std::string version_text(unsigned long v) {
  return std::to_string(v / 1'000'000) + "." + std::to_string(v / 1'000 % 1'000) + "." +
         std::to_string(v % 1'000);
}

}  // namespace

class LibvirtApi::Inner {
 public:
  Inner(std::string uri, std::function<void()> on_event)
      : uri_(std::move(uri)), loop_(EventLoop::shared()), target_(std::make_shared<EventTarget>()) {
    target_->on_event = std::move(on_event);
  }
  ~Inner() {
    {
      std::lock_guard const lock(target_->mutex);
      target_->on_event = nullptr;
    }
    std::lock_guard const lock(mutex_);
    drop();
  }
  Inner(Inner const&) = delete;
  Inner& operator=(Inner const&) = delete;

  // Runs `body` on a live connection, measured under its name.
  template <class Body>
  auto call(char const* name, Body&& body) -> std::invoke_result_t<Body, virConnectPtr> {
    auto const begin = std::chrono::steady_clock::now();
    auto result = [&]() -> std::invoke_result_t<Body, virConnectPtr> {
      Connection const connection = TRY(acquire());
      return body(connection.get());
    }();
    std::int64_t const took_ns =
        std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
    record(name, result.has_value(), took_ns);
    return result;
  }

  // The same with one domain.
  template <class Body>
  Result<void> on_domain(char const* name, std::string const& uuid, Body&& body) {
    return call(name, [&](virConnectPtr connection) -> Result<void> {
      Domain const domain = TRY(found(connection, uuid));
      if (body(domain.get()) != 0) return last_error(name);
      return {};
    });
  }

  std::uint64_t number() {
    std::lock_guard const lock(mutex_);
    return number_;
  }
  std::vector<LibvirtCallStats> stats() {
    std::lock_guard const lock(stats_mutex_);
    std::vector<LibvirtCallStats> out;
    for (auto const& [name, row] : stats_) out.push_back(row);
    return out;
  }

 private:
  // A reference of its own, so that a call under way survives a reconnect by another thread.
  Result<Connection> acquire() {
    std::lock_guard const lock(mutex_);
    if (connection_ && virConnectIsAlive(connection_.get()) != 1) {
      log_warning("connection to libvirt lost", {{"uri", uri_}});
      drop();
    }
    if (!connection_) TRY(open());
    virConnectRef(connection_.get());
    return Connection(connection_.get());
  }

  Result<void> open() {
    connection_.reset(virConnectOpen(uri_.c_str()));
    if (!connection_) return last_error("connect").within(uri_);
    virConnectSetKeepAlive(connection_.get(), kKeepaliveSeconds, kKeepaliveCount);
    watch_close();
    auto holder = std::make_unique<TargetHolder>(target_);
    callback_ =
        virConnectDomainEventRegisterAny(connection_.get(), nullptr, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         lifecycle_callback(), holder.get(), free_holder);
    if (callback_ >= 0) static_cast<void>(holder.release());
    ++number_;
    return {};
  }

  // The pretend driver, inside this process, has nothing that could close; it accepts the callback
  // all the same and then never frees it.
  void watch_close() {
    char const* const type = virConnectGetType(connection_.get());
    if (type == nullptr || std::string_view(type) == "TEST") return;
    auto holder = std::make_unique<TargetHolder>(target_);
    if (virConnectRegisterCloseCallback(connection_.get(), on_close, holder.get(), free_holder) ==
        0) {
      static_cast<void>(holder.release());
      has_close_callback_ = true;
    }
  }

  void drop() {
    if (!connection_) return;
    if (callback_ >= 0) virConnectDomainEventDeregisterAny(connection_.get(), callback_);
    if (has_close_callback_) virConnectUnregisterCloseCallback(connection_.get(), on_close);
    callback_ = -1;
    has_close_callback_ = false;
    connection_.reset();
  }

  void record(char const* name, bool is_good, std::int64_t took_ns) {
    std::lock_guard const lock(stats_mutex_);
    LibvirtCallStats& row = stats_[name];
    row.call = name;
    ++row.count;
    row.errors += is_good ? 0 : 1;
    row.total = row.total + Duration{took_ns};
    row.longest = std::max(row.longest, Duration{took_ns});
  }

  std::string const uri_;
  std::shared_ptr<EventLoop> const loop_;
  TargetHolder const target_;
  std::mutex mutex_;  // the connection is shared by the hypervisor's workers
  Connection connection_;
  std::uint64_t number_ = 0;
  int callback_ = -1;
  bool has_close_callback_ = false;
  std::mutex stats_mutex_;  // metrics
  std::map<std::string, LibvirtCallStats> stats_;
};

LibvirtApi::LibvirtApi(std::string uri, std::function<void()> on_event)
    : inner_(std::make_unique<Inner>(std::move(uri), std::move(on_event))) {}
LibvirtApi::~LibvirtApi() = default;

Result<std::uint64_t> LibvirtApi::connection_number() {
  return inner_->call("connect",
                      [&](virConnectPtr) -> Result<std::uint64_t> { return inner_->number(); });
}

Result<std::string> LibvirtApi::driver() {
  return inner_->call("driver", [](virConnectPtr connection) -> Result<std::string> {
    char const* const type = virConnectGetType(connection);
    if (type == nullptr) return last_error("driver");
    return std::string(type);
  });
}

Result<std::vector<LibvirtDomain>> LibvirtApi::domains() {
  return inner_->call("domains",
                      [](virConnectPtr connection) -> Result<std::vector<LibvirtDomain>> {
                        virDomainPtr* list = nullptr;
                        int const count = virConnectListAllDomains(connection, &list, 0);
                        if (count < 0) return last_error("list domains");
                        std::vector<Domain> owned;
                        for (int i = 0; i < count; ++i) owned.emplace_back(list[i]);
                        std::free(list);
                        std::vector<LibvirtDomain> out;
                        for (Domain const& domain : owned) {
                          std::optional<LibvirtDomain> one = TRY(described(domain.get()));
                          if (one) out.push_back(std::move(*one));
                        }
                        return out;
                      });
}

namespace {
Result<std::optional<LibvirtDomain>> described_or_absent(Domain const& domain) {
  if (domain) return described(domain.get());
  if (was(VIR_ERR_NO_DOMAIN)) return std::optional<LibvirtDomain>();
  return last_error("look up domain");
}
}  // namespace

Result<std::optional<LibvirtDomain>> LibvirtApi::domain_by_uuid(std::string const& uuid) {
  return inner_->call("domain", [&](virConnectPtr connection) {
    return described_or_absent(Domain(virDomainLookupByUUIDString(connection, uuid.c_str())));
  });
}

Result<std::optional<LibvirtDomain>> LibvirtApi::domain_by_name(std::string const& name) {
  return inner_->call("domain", [&](virConnectPtr connection) {
    return described_or_absent(Domain(virDomainLookupByName(connection, name.c_str())));
  });
}

Result<void> LibvirtApi::define(std::string const& xml) {
  return inner_->call("define", [&](virConnectPtr connection) -> Result<void> {
    Domain const domain(virDomainDefineXMLFlags(connection, xml.c_str(), 0));
    if (!domain) return last_error("define");
    return {};
  });
}

Result<void> LibvirtApi::start(std::string const& uuid, StartAs as) {
  return inner_->on_domain("start", uuid, [&](virDomainPtr domain) {
    return virDomainCreateWithFlags(domain,
                                    as == StartAs::paused ? unsigned{VIR_DOMAIN_START_PAUSED} : 0U);
  });
}

Result<void> LibvirtApi::start_transient(std::string const& xml) {
  return inner_->call("start", [&](virConnectPtr connection) -> Result<void> {
    Domain const domain(virDomainCreateXML(connection, xml.c_str(), 0));
    if (!domain) return last_error("start");
    return {};
  });
}

Result<void> LibvirtApi::resume(std::string const& uuid) {
  return inner_->on_domain("resume", uuid, virDomainResume);
}

Result<void> LibvirtApi::press_power_button(std::string const& uuid) {
  return inner_->on_domain("shutdown", uuid, virDomainShutdown);
}

Result<void> LibvirtApi::reset(std::string const& uuid) {
  return inner_->on_domain("reset", uuid,
                           [](virDomainPtr domain) { return virDomainReset(domain, 0); });
}

Result<void> LibvirtApi::destroy(std::string const& uuid) {
  return inner_->on_domain("destroy", uuid, virDomainDestroy);
}

Result<void> LibvirtApi::destroy_by_name(std::string const& name) {
  return inner_->call("destroy", [&](virConnectPtr connection) -> Result<void> {
    Domain const domain(virDomainLookupByName(connection, name.c_str()));
    if (!domain || virDomainDestroy(domain.get()) != 0) return last_error("destroy");
    return {};
  });
}

Result<void> LibvirtApi::undefine(std::string const& uuid) {
  return inner_->on_domain("undefine", uuid, [](virDomainPtr domain) {
    int const undefined = virDomainUndefineFlags(
        domain, VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                    VIR_DOMAIN_UNDEFINE_NVRAM);
    // Drivers that keep none of these refuse the flags.
    if (undefined != 0 && was(VIR_ERR_INVALID_ARG)) return virDomainUndefine(domain);
    return undefined;
  });
}

namespace {
// As libvirt wants them: one bit for each CPU.
std::vector<unsigned char> cpu_map(std::vector<std::int32_t> const& cpus) {
  std::vector<unsigned char> map(1);
  for (std::int32_t const cpu : cpus) {
    auto const at = static_cast<std::size_t>(cpu) / 8;
    if (map.size() <= at) map.resize(at + 1);
    map[at] = static_cast<unsigned char>(map[at] | (1U << (cpu % 8)));
  }
  return map;
}
}  // namespace

Result<void> LibvirtApi::pin_vcpu(std::string const& uuid, std::size_t vcpu,
                                  std::vector<std::int32_t> const& cpus) {
  return inner_->on_domain("pin", uuid, [&](virDomainPtr domain) {
    std::vector<unsigned char> map = cpu_map(cpus);
    return virDomainPinVcpu(domain, static_cast<unsigned>(vcpu), map.data(),
                            static_cast<int>(map.size()));
  });
}

Result<void> LibvirtApi::pin_emulator(std::string const& uuid,
                                      std::vector<std::int32_t> const& cpus) {
  return inner_->on_domain("pin", uuid, [&](virDomainPtr domain) {
    std::vector<unsigned char> map = cpu_map(cpus);
    return virDomainPinEmulator(domain, map.data(), static_cast<int>(map.size()),
                                VIR_DOMAIN_AFFECT_CURRENT);
  });
}

Result<void> LibvirtApi::set_metadata(std::string const& uuid, std::string const& element) {
  return inner_->on_domain("metadata", uuid, [&](virDomainPtr domain) {
    int const active = virDomainIsActive(domain);
    if (active < 0) return -1;
    unsigned const where =
        VIR_DOMAIN_AFFECT_CONFIG | (active == 1 ? unsigned{VIR_DOMAIN_AFFECT_LIVE} : 0U);
    return virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, element.c_str(),
                                std::string(kMetadataKey).c_str(),
                                std::string(kMetadataUri).c_str(), where);
  });
}

Result<std::optional<std::string>> LibvirtApi::network(std::string const& name) {
  return inner_->call("network",
                      [&](virConnectPtr connection) -> Result<std::optional<std::string>> {
                        Network const network(virNetworkLookupByName(connection, name.c_str()));
                        if (!network) {
                          if (was(VIR_ERR_NO_NETWORK)) return std::optional<std::string>();
                          return last_error("look up network");
                        }
                        Text const xml(virNetworkGetXMLDesc(network.get(), 0));
                        if (!xml) return last_error("describe network");
                        return std::optional<std::string>(xml.get());
                      });
}

Result<void> LibvirtApi::define_network(std::string const& xml) {
  return inner_->call("define network", [&](virConnectPtr connection) -> Result<void> {
    Network const network(virNetworkDefineXML(connection, xml.c_str()));
    if (!network) return last_error("define network");
    return {};
  });
}

Result<void> LibvirtApi::activate_network(std::string const& name) {
  return inner_->call("start network", [&](virConnectPtr connection) -> Result<void> {
    Network const network(virNetworkLookupByName(connection, name.c_str()));
    if (!network || virNetworkSetAutostart(network.get(), 1) != 0)
      return last_error("start network");
    int const active = virNetworkIsActive(network.get());
    if (active < 0 || (active == 0 && virNetworkCreate(network.get()) != 0)) {
      return last_error("start network");
    }
    return {};
  });
}

Result<std::vector<LibvirtLease>> LibvirtApi::leases(std::string const& name) {
  return inner_->call("leases", [&](virConnectPtr connection) -> Result<std::vector<LibvirtLease>> {
    Network const network(virNetworkLookupByName(connection, name.c_str()));
    if (!network) return last_error("leases");
    virNetworkDHCPLeasePtr* list = nullptr;
    int const count = virNetworkGetDHCPLeases(network.get(), nullptr, &list, 0);
    if (count < 0) return last_error("leases");
    std::vector<LibvirtLease> out;
    for (int i = 0; i < count; ++i) {
      virNetworkDHCPLeasePtr const lease = list[i];
      if (lease->mac != nullptr && lease->ipaddr != nullptr &&
          lease->type == VIR_IP_ADDR_TYPE_IPV4) {
        out.push_back({lease->mac, lease->ipaddr});
      }
      virNetworkDHCPLeaseFree(lease);
    }
    std::free(list);
    return out;
  });
}

Result<bool> LibvirtApi::has_filter(std::string const& name) {
  return inner_->call("filter", [&](virConnectPtr connection) -> Result<bool> {
    Filter const filter(virNWFilterLookupByName(connection, name.c_str()));
    if (filter) return true;
    if (was(VIR_ERR_NO_NWFILTER) || was(VIR_ERR_NO_SUPPORT)) return false;
    return last_error("look up filter");
  });
}

Result<std::string> LibvirtApi::capabilities() {
  return inner_->call("capabilities", [](virConnectPtr connection) -> Result<std::string> {
    Text const xml(virConnectGetCapabilities(connection));
    if (!xml) return last_error("capabilities");
    return std::string(xml.get());
  });
}

Result<std::string> LibvirtApi::domain_capabilities(std::string const& type) {
  return inner_->call("domain capabilities", [&](virConnectPtr connection) -> Result<std::string> {
    Text const xml(
        virConnectGetDomainCapabilities(connection, nullptr, "x86_64", "q35", type.c_str(), 0));
    if (!xml) return last_error("domain capabilities");
    return std::string(xml.get());
  });
}

Result<LibvirtNode> LibvirtApi::node() {
  return inner_->call("node", [](virConnectPtr connection) -> Result<LibvirtNode> {
    virNodeInfo node{};
    if (virNodeGetInfo(connection, &node) != 0) return last_error("node");
    return LibvirtNode{.cpus = node.cpus,
                       .memory_mib = static_cast<std::int64_t>(node.memory / 1024)};
  });
}

Result<LibvirtVersions> LibvirtApi::versions() {
  return inner_->call("versions", [](virConnectPtr connection) -> Result<LibvirtVersions> {
    unsigned long libvirt = 0;
    unsigned long hypervisor = 0;
    if (virConnectGetLibVersion(connection, &libvirt) != 0 ||
        virConnectGetVersion(connection, &hypervisor) != 0) {
      return last_error("versions");
    }
    return LibvirtVersions{version_text(libvirt), version_text(hypervisor)};
  });
}

std::vector<LibvirtCallStats> LibvirtApi::call_stats() const {
  return inner_->stats();
}

}  // namespace berth::agent
