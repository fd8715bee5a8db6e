#include "common/wire/agent.h"

#include <algorithm>
#include <utility>

#include "agent/v1/agent.pb.h"
#include "berth/base/overloaded.h"
#include "berth/model/limits.h"
#include "common/wire/model.h"

namespace berth::wire {

namespace pb = proto::agent::v1;

namespace {

constexpr std::size_t kReasonBytesMax = 4096;
constexpr std::size_t kPublicKeyBytesMax = 16 * 1024;
constexpr std::size_t kVersionBytesMax = 64;
// A report names what the spec names and what is left of what earlier ones named.
constexpr int kStatusInstancesMax = 2 * static_cast<int>(limits::kInstancesPerHostMax);
constexpr int kListMax = 10'000;  // foreign domains, cached images
constexpr int kCellsMax = 1'024;
constexpr int kCpusPerCellMax = 4'096;
constexpr int kSiblingsMax = 64;

Error corrupt(std::string_view field, std::string_view wanted) {
  return Error{Code::corrupt, "message", std::string(field) + ": wanted " + std::string(wanted)};
}

bool is_hex(std::string_view s) {
  return std::ranges::all_of(
      s, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view s, std::string_view prefix) {
  return s.size() == prefix.size() + 17 && s.starts_with(prefix) && is_hex(s.substr(prefix.size()));
}

bool is_digest(std::string_view s) {
  return s.size() == 64 && is_hex(s);
}

// Hex digits, but for `separator` at each place that `is_separator` names.
template <class IsSeparator>
bool is_separated_hex(std::string_view s, char separator, IsSeparator is_separator) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (is_separator(i) ? s[i] != separator : !is_hex(s.substr(i, 1))) return false;
  }
  return true;
}

bool is_uuid(std::string_view s) {
  return s.size() == 36 && is_separated_hex(s, '-', [](std::size_t i) {
           return i == 8 || i == 13 || i == 18 || i == 23;
         });
}

bool is_mac(std::string_view s) {
  return s.size() == 17 && is_separated_hex(s, ':', [](std::size_t i) { return i % 3 == 2; });
}

// Printable ASCII: what names of ours are made of. May be empty.
bool is_name(std::string_view s, std::size_t max = limits::kNameCharactersMax) {
  return s.size() <= max && std::ranges::all_of(s, [](char c) { return c >= ' ' && c <= '~'; });
}

Result<void> check(bool is_good, std::string_view field, std::string_view wanted) {
  if (!is_good) return corrupt(field, wanted);
  return {};
}

template <class T>
bool is_between(T value, std::type_identity_t<T> low, std::type_identity_t<T> high) {
  return low <= value && value <= high;
}

template <class List>
bool ascends(List const& list) {
  return std::ranges::adjacent_find(list, [](auto const& a, auto const& b) { return !(a < b); }) ==
         list.end();
}

// Ids of `instances` ascend, so none is there twice.
template <class Instances>
bool ids_ascend(Instances const& instances) {
  return std::ranges::adjacent_find(instances, [](auto const& a, auto const& b) {
           return !(a.id() < b.id());
         }) == instances.end();
}

pb::Power encoded(Power power) {
  switch (power) {
    case Power::running: return pb::POWER_RUNNING;
    case Power::stopped: return pb::POWER_STOPPED;
    case Power::absent: return pb::POWER_ABSENT;
  }
  return pb::POWER_UNSPECIFIED;
}

Result<Power> decoded(pb::Power power) {
  if (power == pb::POWER_RUNNING) return Power::running;
  if (power == pb::POWER_STOPPED) return Power::stopped;
  if (power == pb::POWER_ABSENT) return Power::absent;
  return corrupt("power", "1 (running), 2 (stopped) or 3 (absent)");
}

void fill(InstanceSpec const& in, pb::InstanceSpec& out) {
  out.set_id(in.id.value);
  out.set_generation(in.generation.value);
  out.set_power(encoded(in.power));
  out.set_reboots(in.reboots);
  out.set_starts(in.starts);
  out.set_uuid(in.uuid);
  out.set_vcpus(in.vcpus);
  out.set_memory_mib(in.memory.value);
  out.set_disk_gib(in.disk_gib);
  out.set_image_digest(in.image_digest);
  out.set_image_format(wire::encoded(in.image_format));
  out.set_image_size_bytes(in.image_size.value);
  out.set_mac(in.mac);
  out.set_hostname(in.hostname);
  out.set_public_key(in.public_key);
  out.set_user_data(in.user_data);
  out.set_tenant(in.tenant);
  out.set_type(in.type);
  out.set_zone(in.zone);
  out.set_region(in.region);
  out.mutable_cells()->Add(in.cells.begin(), in.cells.end());
  out.mutable_cpus()->Add(in.cpus.begin(), in.cpus.end());
}

// The cells and CPUs that an instance has: few enough, and such as a host may have.
template <class Message>
Result<void> check_pins(Message const& in) {
  auto const is_number = [](std::int32_t n) { return n >= 0; };
  TRY(check(in.cells_size() <= kCellsMax && std::ranges::all_of(in.cells(), is_number) &&
                ascends(in.cells()),
            "cells", "at most 1024 cells in order, none twice"));
  return check(in.cpus_size() <= kCpusPerCellMax && std::ranges::all_of(in.cpus(), is_number),
               "cpus", "at most 4096 CPUs");
}

// What starting a guest needs. A tombstone may lack it: only id, uuid and generation count there.
Result<void> check_shape(pb::InstanceSpec const& in) {
  TRY(check(is_between(in.vcpus(), 1, 4'096), "vcpus", "1 to 4096"));
  TRY(check(is_between(in.memory_mib(), 1, std::int64_t{1} << 30), "memory_mib", "1 to 2^30"));
  TRY(check(is_between(in.disk_gib(), 1, limits::kRootDiskGibMax), "disk_gib", "1 to 16384"));
  TRY(check(is_between(in.image_size_bytes(), 0, limits::kImageFileBytesMax), "image_size_bytes",
            "0 to 512 GiB"));
  TRY(check(is_digest(in.image_digest()), "image_digest", "64 hex digits"));
  TRY(check(in.cpus().empty() || in.cpus_size() == in.vcpus(), "cpus", "none or one per vCPU"));
  return check(is_mac(in.mac()), "mac", "six bytes in hex");
}

Result<InstanceSpec> read(pb::InstanceSpec const& in) {
  TRY(check(is_id(in.id(), "i-"), "id", "an instance's id"));
  TRY(check(is_uuid(in.uuid()), "uuid", "a UUID in lower case"));
  InstanceSpec out;
  out.power = TRY(decoded(in.power()));
  if (out.power != Power::absent) TRY(check_shape(in));
  TRY(check_pins(in));
  TRY(check(is_name(in.hostname()), "hostname", "printable text"));
  TRY(check(in.public_key().size() <= kPublicKeyBytesMax, "public_key", "at most 16 KiB"));
  TRY(check(in.user_data().size() <= limits::kUserDataBytesMax, "user_data", "at most 16 KiB"));
  TRY(check(is_name(in.tenant()) && is_name(in.type()) && is_name(in.zone()) &&
                is_name(in.region()) && is_name(in.mac()) && is_name(in.image_digest()),
            "tenant, type, zone, region", "printable text"));
  out.id = InstanceId(in.id());
  out.generation = PlacementGeneration(in.generation());
  out.reboots = in.reboots();
  out.starts = in.starts();
  out.uuid = in.uuid();
  out.vcpus = in.vcpus();
  out.memory = Mebibytes(in.memory_mib());
  out.disk_gib = in.disk_gib();
  out.image_digest = in.image_digest();
  out.image_format = TRY(wire::decoded(in.image_format()));
  out.image_size = Bytes(in.image_size_bytes());
  out.mac = in.mac();
  out.hostname = in.hostname();
  out.public_key = in.public_key();
  out.user_data = in.user_data();
  out.tenant = in.tenant();
  out.type = in.type();
  out.zone = in.zone();
  out.region = in.region();
  out.cells = {in.cells().begin(), in.cells().end()};
  out.cpus = {in.cpus().begin(), in.cpus().end()};
  return out;
}

void fill(HostSpec const& in, pb::HostSpec& out) {
  out.set_host(in.host.value);
  out.set_host_uuid(in.host_uuid);
  out.set_term(in.term.value);
  out.set_generation(in.generation.value);
  for (InstanceSpec const& instance : in.instances) fill(instance, *out.add_instances());
  out.set_adopt_only(in.adopt_only);
  for (InstanceSpec const& instance : in.earlier) fill(instance, *out.add_earlier());
  for (SharedCpus const& shared : in.shared_cpus) {
    pb::SharedCpus& one = *out.add_shared_cpus();
    one.set_cell(shared.cell);
    one.mutable_cpus()->Add(shared.cpus.begin(), shared.cpus.end());
  }
}

using SharedCpusList = google::protobuf::RepeatedPtrField<pb::SharedCpus>;

Result<std::vector<SharedCpus>> read(SharedCpusList const& in) {
  TRY(check(in.size() <= kCellsMax, "spec.shared_cpus", "at most 1024 cells"));
  std::vector<SharedCpus> out;
  out.reserve(static_cast<std::size_t>(in.size()));
  for (pb::SharedCpus const& shared : in) {
    TRY(check(shared.cell() >= 0 && (out.empty() || out.back().cell < shared.cell()),
              "spec.shared_cpus.cell", "cells in order, none twice"));
    TRY(check(shared.cpus_size() <= kCpusPerCellMax && ascends(shared.cpus()) &&
                  (shared.cpus().empty() || shared.cpus(0) >= 0),
              "spec.shared_cpus.cpus", "at most 4096 CPUs in order, none twice"));
    out.push_back({.cell = shared.cell(), .cpus = {shared.cpus().begin(), shared.cpus().end()}});
  }
  return out;
}

using InstanceSpecs = google::protobuf::RepeatedPtrField<pb::InstanceSpec>;

Result<std::vector<InstanceSpec>> read(InstanceSpecs const& in, std::string const& field) {
  TRY(check(in.size() <= static_cast<int>(limits::kInstancesPerHostMax), field, "at most 1000"));
  TRY(check(ids_ascend(in), field, "ids in order, none twice"));
  std::vector<InstanceSpec> out;
  out.reserve(static_cast<std::size_t>(in.size()));
  for (pb::InstanceSpec const& instance : in) {
    auto one = read(instance);
    if (!one) return one.error().within(field + "." + instance.id());
    out.push_back(*std::move(one));
  }
  return out;
}

Result<HostSpec> read(pb::HostSpec const& in) {
  TRY(check(is_id(in.host(), "host-"), "spec.host", "a host's id"));
  TRY(check(is_name(in.host_uuid(), 64), "spec.host_uuid", "at most 64 printable characters"));
  HostSpec out{.host = HostId(in.host()),
               .host_uuid = in.host_uuid(),
               .term = Term(in.term()),
               .generation = Generation(in.generation()),
               .adopt_only = in.adopt_only()};
  out.instances = TRY(read(in.instances(), "spec.instances"));
  out.shared_cpus = TRY(read(in.shared_cpus()));
  out.earlier = TRY(read(in.earlier(), "spec.earlier"));
  return out;
}

void fill(InstanceStatus const& in, pb::InstanceStatus& out) {
  out.set_id(in.id.value);
  out.set_generation(in.generation.value);
  out.set_seen(wire::encoded(in.seen));
  out.set_reboots(in.reboots);
  out.set_starts(in.starts);
  out.set_ended_by_itself(in.ended_by_itself);
  out.set_reason(in.reason.substr(0, kReasonBytesMax));
  out.set_private_ip(in.private_ip);
  out.mutable_cells()->Add(in.cells.begin(), in.cells.end());
  out.mutable_cpus()->Add(in.cpus.begin(), in.cpus.end());
  out.set_unpinned(in.unpinned.substr(0, kReasonBytesMax));
}

Result<InstanceStatus> read(pb::InstanceStatus const& in) {
  TRY(check(is_id(in.id(), "i-"), "id", "an instance's id"));
  TRY(check(in.reason().size() <= kReasonBytesMax, "reason", "at most 4096 bytes"));
  TRY(check(is_name(in.private_ip(), 45), "private_ip", "an address"));
  TRY(check_pins(in));
  TRY(check(in.unpinned().size() <= kReasonBytesMax, "unpinned", "at most 4096 bytes"));
  InstanceStatus out;
  out.seen = TRY(wire::decoded(in.seen()));
  TRY(check(out.seen != Seen::nothing, "seen", "what was seen"));
  TRY(check(!in.ended_by_itself() || out.seen == Seen::stopped, "ended_by_itself",
            "to come with stopped only"));
  out.id = InstanceId(in.id());
  out.generation = PlacementGeneration(in.generation());
  out.reboots = in.reboots();
  out.starts = in.starts();
  out.ended_by_itself = in.ended_by_itself();
  out.reason = in.reason();
  out.private_ip = in.private_ip();
  out.cells = {in.cells().begin(), in.cells().end()};
  out.cpus = {in.cpus().begin(), in.cpus().end()};
  out.unpinned = in.unpinned();
  return out;
}

void fill(HostStatus const& in, pb::HostStatus& out) {
  out.set_host(in.host.value);
  out.set_host_uuid(in.host_uuid);
  out.set_boot_id(in.boot_id);
  out.set_term(in.term.value);
  out.set_generation(in.generation.value);
  for (InstanceStatus const& instance : in.instances) fill(instance, *out.add_instances());
  for (std::string const& name : in.foreign) {
    if (out.foreign_size() == kListMax) break;
    out.add_foreign(name.substr(0, limits::kNameCharactersMax));
  }
  for (std::string const& image : in.images) out.add_images(image);
  for (InstanceSpec const& instance : in.earlier) fill(instance, *out.add_earlier());
  wire::fill(in.inventory, *out.mutable_inventory());
}

// The sizes of the lists within, before anything is made of them.
Result<void> check_inventory(proto::model::v1::HostInventory const& in) {
  TRY(check(in.cells_size() <= kCellsMax, "inventory.cells", "at most 1024"));
  for (proto::model::v1::HostCell const& cell : in.cells()) {
    TRY(check(cell.cpus_size() <= kCpusPerCellMax && cell.huge_pages_size() <= kSiblingsMax,
              "inventory.cells.cpus", "at most 4096, and 64 sizes of huge pages"));
    for (proto::model::v1::HostCpu const& cpu : cell.cpus()) {
      TRY(check(cpu.siblings_size() <= kSiblingsMax, "inventory.cells.cpus.siblings",
                "at most 64"));
    }
  }
  for (std::string const* text : {&in.cpu_model(), &in.cpu_vendor(), &in.hostname(),
                                  &in.libvirt_version(), &in.qemu_version(), &in.agent_version()}) {
    TRY(check(text->size() <= limits::kNameCharactersMax, "inventory", "texts of at most 255"));
  }
  return {};
}

Result<HostStatus> read(pb::HostStatus const& in) {
  TRY(check(is_id(in.host(), "host-"), "status.host", "a host's id"));
  TRY(check(is_name(in.host_uuid(), 64) && is_name(in.boot_id(), 64), "status.host_uuid, boot_id",
            "at most 64 printable characters"));
  TRY(check(in.instances_size() <= kStatusInstancesMax, "status.instances", "at most 2000"));
  TRY(check(ids_ascend(in.instances()), "status.instances", "ids in order, none twice"));
  TRY(check(in.foreign_size() <= kListMax && in.images_size() <= kListMax, "status.foreign, images",
            "at most 10000"));
  TRY(check(std::ranges::all_of(
                in.foreign(), [](auto const& n) { return n.size() <= limits::kNameCharactersMax; }),
            "status.foreign", "names of at most 255 bytes"));
  TRY(check(std::ranges::all_of(in.images(), [](auto const& d) { return is_digest(d); }) &&
                ascends(in.images()),
            "status.images", "digests in order, none twice"));
  TRY(check_inventory(in.inventory()));
  HostInventory inventory = TRY(wire::read(in.inventory()));
  HostStatus out{.host = HostId(in.host()),
                 .host_uuid = in.host_uuid(),
                 .boot_id = in.boot_id(),
                 .term = Term(in.term()),
                 .generation = Generation(in.generation()),
                 .foreign = {in.foreign().begin(), in.foreign().end()},
                 .images = {in.images().begin(), in.images().end()},
                 .inventory = std::move(inventory)};
  out.instances.reserve(static_cast<std::size_t>(in.instances_size()));
  for (pb::InstanceStatus const& instance : in.instances()) {
    auto one = read(instance);
    if (!one) return one.error().within("status.instances." + instance.id());
    out.instances.push_back(*std::move(one));
  }
  out.earlier = TRY(read(in.earlier(), "status.earlier"));
  return out;
}

Result<Hello> read(pb::Hello const& in) {
  TRY(check(is_name(in.version(), kVersionBytesMax) && is_name(in.host_uuid(), 64) &&
                is_name(in.boot_id(), 64),
            "hello", "at most 64 printable characters in each field"));
  TRY(check(!in.host_uuid().empty(), "hello.host_uuid", "the host's UUID"));
  return Hello{.version = in.version(), .host_uuid = in.host_uuid(), .boot_id = in.boot_id()};
}

void fill(ConsoleReply const& in, pb::ConsoleReply& out) {
  out.set_id(in.id);
  if (in.output) {
    // The newest bytes are the end.
    std::string const& all = *in.output;
    std::size_t const cut =
        all.size() - std::min<std::size_t>(all.size(), limits::kConsoleBytesMax);
    out.set_output(all.substr(cut));
  } else {
    out.set_error_code(std::string(name(in.output.error().code)));
    out.set_error(in.output.error().message.substr(0, kReasonBytesMax));
  }
}

Result<ConsoleReply> read(pb::ConsoleReply const& in) {
  TRY(check(in.output().size() <= limits::kConsoleBytesMax, "console.output", "at most 64 KiB"));
  TRY(check(in.error().size() <= kReasonBytesMax, "console.error", "at most 4096 bytes"));
  if (in.error_code().empty()) return ConsoleReply{.id = in.id(), .output = in.output()};
  for (Code code : {Code::not_found, Code::unavailable, Code::timeout, Code::conflict}) {
    if (in.error_code() == name(code)) {
      return ConsoleReply{.id = in.id(), .output = Error{code, "console", in.error()}};
    }
  }
  // Whatever else went wrong over there is not the fault of who asked.
  return ConsoleReply{.id = in.id(), .output = Error{Code::unavailable, "console", in.error()}};
}

}  // namespace

void fill(FromAgent const& message, pb::FromAgent& out) {
  std::visit(overloaded{
                 [](Unknown const&) {},
                 [&](Hello const& hello) {
                   out.mutable_hello()->set_version(hello.version);
                   out.mutable_hello()->set_host_uuid(hello.host_uuid);
                   out.mutable_hello()->set_boot_id(hello.boot_id);
                 },
                 [&](HostStatus const& status) { fill(status, *out.mutable_status()); },
                 [&](Heartbeat const& beat) { out.mutable_heartbeat()->set_number(beat.number); },
                 [&](ConsoleReply const& reply) { fill(reply, *out.mutable_console()); },
             },
             message);
}

void fill(FromDaemon const& message, pb::FromDaemon& out) {
  std::visit(
      overloaded{
          [](Unknown const&) {},
          [&](Welcome const&) { out.mutable_welcome(); },
          [&](HostSpec const& spec) { fill(spec, *out.mutable_spec()); },
          [&](LeaseGrant const& lease) {
            out.mutable_lease()->set_heartbeat(lease.heartbeat);
            out.mutable_lease()->set_reconnect_spread_ms(static_cast<std::uint32_t>(
                std::clamp<std::int64_t>(lease.reconnect_spread.ns / 1'000'000, 0, UINT32_MAX)));
          },
          [&](ConsoleRequest const& request) {
            out.mutable_console()->set_id(request.id);
            out.mutable_console()->set_instance(request.instance.value);
          },
      },
      message);
}

Result<FromAgent> read(pb::FromAgent const& in) {
  switch (in.kind_case()) {
    case pb::FromAgent::kHello: return FromAgent(TRY(read(in.hello())));
    case pb::FromAgent::kStatus: return FromAgent(TRY(read(in.status())));
    case pb::FromAgent::kHeartbeat: return FromAgent(Heartbeat{.number = in.heartbeat().number()});
    case pb::FromAgent::kConsole: return FromAgent(TRY(read(in.console())));
    case pb::FromAgent::KIND_NOT_SET: break;
  }
  return FromAgent(Unknown{});
}

Result<FromDaemon> read(pb::FromDaemon const& in) {
  switch (in.kind_case()) {
    case pb::FromDaemon::kWelcome: return FromDaemon(Welcome{});
    case pb::FromDaemon::kSpec: return FromDaemon(TRY(read(in.spec())));
    case pb::FromDaemon::kLease:
      return FromDaemon(
          LeaseGrant{.heartbeat = in.lease().heartbeat(),
                     .reconnect_spread = milliseconds(in.lease().reconnect_spread_ms())});
    case pb::FromDaemon::kConsole:
      TRY(check(is_id(in.console().instance(), "i-"), "console.instance", "an instance's id"));
      return FromDaemon(
          ConsoleRequest{.id = in.console().id(), .instance = InstanceId(in.console().instance())});
    case pb::FromDaemon::KIND_NOT_SET: break;
  }
  return FromDaemon(Unknown{});
}

namespace {

template <class Message, class Value>
std::string serialised(Value const& value) {
  Message message;
  wire::fill(value, message);
  return message.SerializeAsString();
}

template <class Message>
auto parsed(std::string_view bytes) -> decltype(wire::read(std::declval<Message const&>())) {
  Message message;
  if (bytes.size() > limits::kAgentMessageBytesMax) return corrupt("message", "at most 32 MiB");
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return corrupt("message", "protobuf of berth.proto.agent.v1");
  }
  return wire::read(message);
}

}  // namespace

std::string bytes(FromAgent const& message) {
  return serialised<pb::FromAgent>(message);
}
std::string bytes(FromDaemon const& message) {
  return serialised<pb::FromDaemon>(message);
}

Result<FromAgent> parse_from_agent(std::string_view bytes) {
  return parsed<pb::FromAgent>(bytes);
}
Result<FromDaemon> parse_from_daemon(std::string_view bytes) {
  return parsed<pb::FromDaemon>(bytes);
}

}  // namespace berth::wire
