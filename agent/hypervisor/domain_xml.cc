#include "agent/hypervisor/domain_xml.h"

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>
#include <sstream>

#include "agent/disks/layout.h"
#include "agent/hypervisor/capabilities_xml.h"

namespace berth::agent {
namespace {

Error bad(std::string wanted, std::string const& found) {
  return Error{Code::invalid, "instance",
               "wanted " + std::move(wanted) + ", found '" + found + "'"};
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_mac(std::string_view text) {
  if (text.size() != 17) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != ':' : !is_hex(text[i])) return false;
  }
  // An odd first byte is a multicast address, which no port may have.
  return (text[1] >= 'a' ? text[1] - 'a' + 10 : text[1] - '0') % 2 == 0;
}

bool is_type_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return is_hex(c) || (c >= 'g' && c <= 'z') || c == '.' || c == '-';
  });
}

Result<void> check(InstanceSpec const& spec) {
  if (!is_well_formed(spec.id)) return bad("an instance id", spec.id.value);
  if (!is_uuid(spec.uuid)) return bad("a lower-case UUID", spec.uuid);
  if (!is_mac(spec.mac)) return bad("a lower-case unicast MAC address", spec.mac);
  if (!is_type_name(spec.type)) return bad("an instance type's name of a-z 0-9 . -", spec.type);
  if (spec.vcpus < 1 || spec.vcpus > 288) return bad("1 to 288 vCPUs", std::to_string(spec.vcpus));
  if (spec.memory.value < 1)
    return bad("at least 1 MiB of memory", std::to_string(spec.memory.value));
  return {};
}

std::string text_of(pugi::xml_document const& document) {
  std::ostringstream out;
  document.save(out, "  ", pugi::format_default | pugi::format_no_declaration);
  return out.str();
}

void set(pugi::xml_node node, char const* name, std::string const& value) {
  node.append_attribute(name) = value.c_str();
}
pugi::xml_node add_text(pugi::xml_node parent, char const* name, std::string const& text) {
  pugi::xml_node node = parent.append_child(name);
  node.text().set(text.c_str());
  return node;
}

void add_metadata(pugi::xml_node element, DomainMetadata const& m) {
  set(element, "id", m.id.value);
  set(element, "generation", std::to_string(m.generation.value));
  set(element, "reboots", std::to_string(m.reboots));
  set(element, "starts", std::to_string(m.starts));
  set(element, "stopped_by_us", m.stopped_by_us ? "yes" : "no");
  set(element, "starting", m.is_starting ? "yes" : "no");
  set(element, "boot_id", m.boot_id);
  set(element, "mac", m.mac);
}

// cloud-init knows EC2 by a UUID that begins with "ec2" and equals the serial number; some tools
// look at the vendor instead.
void add_sysinfo(pugi::xml_node domain, InstanceSpec const& spec) {
  pugi::xml_node const sysinfo = domain.append_child("sysinfo");
  set(sysinfo, "type", "smbios");
  auto const entry = [](pugi::xml_node block, char const* name, std::string const& text) {
    set(add_text(block, "entry", text), "name", name);
  };
  entry(pugi::xml_node(sysinfo).append_child("bios"), "vendor", "Amazon EC2");
  pugi::xml_node const system = pugi::xml_node(sysinfo).append_child("system");
  entry(system, "manufacturer", "Amazon EC2");
  entry(system, "product", spec.type);
  entry(system, "serial", spec.uuid);
  entry(system, "uuid", spec.uuid);
  pugi::xml_node const chassis = pugi::xml_node(sysinfo).append_child("chassis");
  entry(chassis, "manufacturer", "Amazon EC2");
  entry(chassis, "asset", "Amazon EC2");
}

void add_os(pugi::xml_node domain, DomainHost const& host, bool has_sysinfo) {
  pugi::xml_node os = domain.append_child("os");
  pugi::xml_node type = add_text(os, "type", "hvm");
  set(type, "arch", host.type == "test" ? "i686" : "x86_64");
  if (!host.machine.empty()) set(type, "machine", host.machine);
  if (has_sysinfo) set(os.append_child("smbios"), "mode", "sysinfo");
}

// `sockets` divide the vCPUs.
pugi::xml_node add_cpu(pugi::xml_node domain, std::int64_t vcpus, std::int64_t sockets,
                       DomainHost const& host) {
  pugi::xml_node cpu = domain.append_child("cpu");
  // Under emulation there is no host CPU to copy.
  set(cpu, "mode", host.type == "kvm" ? "host-model" : "maximum");
  pugi::xml_node topology = cpu.append_child("topology");
  set(topology, "sockets", std::to_string(sockets));
  set(topology, "dies", "1");
  set(topology, "cores", std::to_string(vcpus / sockets));
  set(topology, "threads", "1");
  return cpu;
}

void add_cpu(pugi::xml_node domain, InstanceSpec const& spec, Pins const& pins,
             DomainHost const& host) {
  if (host.type == "test") return;
  bool const is_shown = is_shown_cells(spec, pins);
  auto const cells = static_cast<std::int64_t>(pins.cells.size());
  // A guest's kernel expects a socket to be in one NUMA cell.
  bool const is_even = is_shown && spec.vcpus % cells == 0;
  pugi::xml_node cpu = add_cpu(domain, spec.vcpus, is_even ? cells : 1, host);
  if (!is_shown) return;
  pugi::xml_node numa = cpu.append_child("numa");
  std::vector<std::int64_t> const vcpus = even_shares(spec.vcpus, pins.cells.size());
  std::vector<std::int64_t> const memory = even_shares(spec.memory.value, pins.cells.size());
  std::int64_t first = 0;
  for (std::size_t k = 0; k < pins.cells.size(); ++k) {
    std::string const from = std::to_string(first);
    first += vcpus[k];
    pugi::xml_node cell = numa.append_child("cell");
    set(cell, "id", std::to_string(k));
    set(cell, "cpus", vcpus[k] == 1 ? from : from + "-" + std::to_string(first - 1));
    set(cell, "memory", std::to_string(memory[k]));
    set(cell, "unit", "MiB");
  }
}

void add_pins(pugi::xml_node domain, InstanceSpec const& spec, Pins const& pins,
              DomainHost const& host) {
  if (!pins.vcpus.empty() || !pins.emulator.empty()) {
    pugi::xml_node tune = domain.append_child("cputune");
    for (std::size_t i = 0; i < pins.vcpus.size(); ++i) {
      if (pins.vcpus[i].empty()) continue;
      pugi::xml_node pin = tune.append_child("vcpupin");
      set(pin, "vcpu", std::to_string(i));
      set(pin, "cpuset", cpu_list(pins.vcpus[i]));
    }
    if (!pins.emulator.empty())
      set(tune.append_child("emulatorpin"), "cpuset", cpu_list(pins.emulator));
  }
  if (pins.cells.empty()) return;
  pugi::xml_node tune = domain.append_child("numatune");
  auto const bind = [&](char const* name, std::string const& cells) {
    pugi::xml_node memory = tune.append_child(name);
    set(memory, "mode", "strict");
    set(memory, "nodeset", cells);
    return memory;
  };
  bind("memory", cpu_list(pins.cells));
  if (host.type == "test" || !is_shown_cells(spec, pins)) return;
  for (std::size_t k = 0; k < pins.cells.size(); ++k) {
    set(bind("memnode", std::to_string(pins.cells[k])), "cellid", std::to_string(k));
  }
}

// A guest owns every byte of its disk, so nothing about the disk may be guessed from its bytes:
// each layer's format is stated, and the chain is closed by an empty backingStore.
pugi::xml_node add_disk(pugi::xml_node devices, std::string const& file, char const* format,
                        char const* target) {
  pugi::xml_node disk = devices.append_child("disk");
  set(disk, "type", "file");
  set(disk, "device", "disk");
  pugi::xml_node driver = disk.append_child("driver");
  set(driver, "name", "qemu");
  set(driver, "type", format);
  set(disk.append_child("source"), "file", file);
  pugi::xml_node goal = disk.append_child("target");
  set(goal, "dev", target);
  set(goal, "bus", "virtio");
  return disk;
}

void add_disks(pugi::xml_node devices, DomainPaths const& paths, DomainHost const& host) {
  pugi::xml_node root = add_disk(devices, paths.disk, "qcow2", "vda");
  set(root.child("driver"), "discard", "unmap");
  pugi::xml_node backing = root.insert_child_after("backingStore", root.child("source"));
  set(backing, "type", "file");
  set(backing.append_child("format"), "type",
      paths.backing_format == ImageFormat::raw ? "raw" : "qcow2");
  pugi::xml_node source = backing.append_child("source");
  set(source, "file", paths.backing);
  if (host.type != "test") {
    // Many guests rest on one image, readable by all: its owner must not follow the last to start.
    pugi::xml_node label = source.append_child("seclabel");
    set(label, "model", "dac");
    set(label, "relabel", "no");
  }
  backing.append_child("backingStore");
  set(root.append_child("boot"), "order", "1");

  // A disk, not a CD-ROM: the small kernels of cloud images know virtio and often nothing else.
  pugi::xml_node seed = add_disk(devices, paths.seed, "raw", "vdb");
  seed.insert_child_after("backingStore", seed.child("source"));
  seed.append_child("readonly");
}

void add_network(pugi::xml_node devices, std::string const& mac, DomainHost const& host) {
  pugi::xml_node card = devices.append_child("interface");
  set(card, "type", "network");
  set(card.append_child("mac"), "address", mac);
  set(card.append_child("source"), "network", host.network);
  set(card.append_child("model"), "type", "virtio");
  if (host.port_filter.empty()) return;
  pugi::xml_node filter = card.append_child("filterref");
  set(filter, "filter", host.port_filter);
  auto const parameter = [&](char const* name, std::string const& value) {
    pugi::xml_node node = filter.append_child("parameter");
    set(node, "name", name);
    set(node, "value", value);
  };
  // The port's address is what our DHCP server gave it, not what its first packet claims.
  parameter("CTRL_IP_LEARNING", "dhcp");
  if (!host.gateway.empty()) parameter("DHCPSERVER", host.gateway);
}

void add_console(pugi::xml_node devices, std::string const& log) {
  pugi::xml_node serial = devices.append_child("serial");
  set(serial, "type", "pty");
  // virtlogd writes and rotates it, so a guest cannot fill the host's disk.
  pugi::xml_node file = serial.append_child("log");
  set(file, "file", log);
  set(file, "append", "on");
  set(serial.append_child("target"), "port", "0");
  pugi::xml_node console = devices.append_child("console");
  set(console, "type", "pty");
  pugi::xml_node target = console.append_child("target");
  set(target, "type", "serial");
  set(target, "port", "0");
}

void add_entropy(pugi::xml_node devices) {
  pugi::xml_node rng = devices.append_child("rng");
  set(rng, "model", "virtio");
  pugi::xml_node rate = rng.append_child("rate");
  set(rate, "bytes", "4096");
  set(rate, "period", "1000");
  set(add_text(rng, "backend", "/dev/urandom"), "model", "random");
}

std::uint64_t number(pugi::xml_node element, char const* name, bool& is_good) {
  std::string_view const text = element.attribute(name).value();
  std::uint64_t value = 0;
  auto const parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  is_good = is_good && parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  return value;
}

bool flag(pugi::xml_node element, char const* name, bool& is_good) {
  std::string_view const text = element.attribute(name).value();
  is_good = is_good && (text == "yes" || text == "no");
  return text == "yes";
}

}  // namespace

Result<std::string> domain_xml(InstanceSpec const& spec, DomainPaths const& paths,
                               DomainHost const& host, DomainMetadata const& metadata,
                               Pins const& pins) {
  TRY(check(spec));
  bool const is_test = host.type == "test";
  pugi::xml_document document;
  pugi::xml_node domain = document.append_child("domain");
  set(domain, "type", host.type);
  add_text(domain, "name", spec.id.value);
  add_text(domain, "uuid", spec.uuid);
  pugi::xml_node element = domain.append_child("metadata").append_child("berth:instance");
  set(element, "xmlns:berth", std::string(kMetadataUri));
  add_metadata(element, metadata);
  set(add_text(domain, "memory", std::to_string(spec.memory.value)), "unit", "MiB");
  set(add_text(domain, "vcpu", std::to_string(spec.vcpus)), "placement", "static");
  add_pins(domain, spec, pins, host);
  if (!is_test) add_sysinfo(domain, spec);
  add_os(domain, host, !is_test);
  pugi::xml_node features = domain.append_child("features");
  features.append_child("acpi");
  features.append_child("apic");
  add_cpu(domain, spec, pins, host);
  set(domain.append_child("clock"), "offset", "utc");
  add_text(domain, "on_poweroff", "destroy");
  add_text(domain, "on_reboot", "restart");
  add_text(domain, "on_crash", "destroy");
  pugi::xml_node devices = domain.append_child("devices");
  add_disks(devices, paths, host);
  if (!is_test) {
    pugi::xml_node usb = devices.append_child("controller");
    set(usb, "type", "usb");
    set(usb, "model", "none");
  }
  add_network(devices, spec.mac, host);
  if (!is_test) {
    add_console(devices, paths.console);
    add_entropy(devices);
    set(devices.append_child("memballoon"), "model", "virtio");
  }
  return text_of(document);
}

std::string metadata_xml(DomainMetadata const& metadata) {
  pugi::xml_document document;
  add_metadata(document.append_child("instance"), metadata);
  return text_of(document);
}

Result<DomainMetadata> parse_metadata(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) {
    return Error{Code::corrupt, "instance", "our metadata in a domain is not XML"};
  }
  pugi::xml_node const element = document.document_element();
  bool is_good = true;
  DomainMetadata m;
  m.id = InstanceId(element.attribute("id").value());
  m.generation = PlacementGeneration(number(element, "generation", is_good));
  m.reboots = number(element, "reboots", is_good);
  m.starts = number(element, "starts", is_good);
  m.stopped_by_us = flag(element, "stopped_by_us", is_good);
  m.is_starting = flag(element, "starting", is_good);
  m.boot_id = element.attribute("boot_id").value();
  m.mac = element.attribute("mac").value();
  if (!is_good || !is_well_formed(m.id)) {
    return Error{Code::corrupt, "instance",
                 "our metadata in domain '" + m.id.value + "' is not what we write"};
  }
  return m;
}

Result<Pins> parse_pins(std::string_view domain_xml) {
  pugi::xml_document document;
  if (!document.load_buffer(domain_xml.data(), domain_xml.size())) {
    return Error{Code::corrupt, "instance", "libvirt's description of a domain is not XML"};
  }
  pugi::xml_node const domain = document.document_element();
  Pins pins;
  auto const vcpus = std::clamp(domain.child("vcpu").text().as_llong(), 0LL, 4'096LL);
  for (pugi::xml_node const pin : domain.child("cputune").children("vcpupin")) {
    auto const vcpu = pin.attribute("vcpu").as_llong(-1);
    if (vcpu < 0 || vcpu >= vcpus) continue;
    pins.vcpus.resize(static_cast<std::size_t>(vcpus));
    pins.vcpus[static_cast<std::size_t>(vcpu)] =
        TRY(parse_cpu_list(pin.attribute("cpuset").value()));
  }
  pins.emulator =
      TRY(parse_cpu_list(domain.child("cputune").child("emulatorpin").attribute("cpuset").value()));
  pins.cells =
      TRY(parse_cpu_list(domain.child("numatune").child("memory").attribute("nodeset").value()));
  return pins;
}

std::string probe_domain_xml(ProbeAsk const& ask, DomainHost const& host) {
  pugi::xml_document document;
  pugi::xml_node domain = document.append_child("domain");
  set(domain, "type", host.type);
  add_text(domain, "name", ask.name);
  set(add_text(domain, "memory", "64"), "unit", "MiB");
  add_text(domain, "vcpu", "1");
  add_os(domain, host, false);
  if (host.type != "test") add_cpu(domain, 1, 1, host);
  pugi::xml_node devices = domain.append_child("devices");
  pugi::xml_node disk = add_disk(devices, ask.image, "raw", "vda");
  disk.insert_child_after("backingStore", disk.child("source"));
  set(disk.append_child("boot"), "order", "1");
  pugi::xml_node usb = devices.append_child("controller");
  set(usb, "type", "usb");
  set(usb, "model", "none");
  add_console(devices, ask.log);
  set(devices.append_child("memballoon"), "model", "none");
  return text_of(document);
}

}  // namespace berth::agent
