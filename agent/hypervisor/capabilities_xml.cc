#include "agent/hypervisor/capabilities_xml.h"

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>

namespace berth::agent {
namespace {

constexpr std::size_t kCpusMax = 4096;

Error not_understood(std::string what) {
  return Error{Code::corrupt, "host", "libvirt's capabilities: " + std::move(what)};
}

// libvirt states a unit beside each size and has always used KiB here.
Result<std::int64_t> kibibytes(pugi::xml_node node) {
  std::string_view const unit = node.attribute("unit").as_string("KiB");
  if (unit != "KiB") return not_understood("wanted KiB, found " + std::string(unit));
  return std::int64_t{node.text().as_llong()};
}

Result<HostCpu> cpu_of(pugi::xml_node node) {
  HostCpu cpu{.id = node.attribute("id").as_int(-1), .core = node.attribute("core_id").as_int(0)};
  if (cpu.id < 0) return not_understood("a CPU without an id");
  cpu.siblings = TRY(parse_cpu_list(node.attribute("siblings").value()));
  if (cpu.siblings.empty()) cpu.siblings = {cpu.id};
  return cpu;
}

Result<HostCell> cell_of(pugi::xml_node node) {
  HostCell cell{.id = node.attribute("id").as_int(-1)};
  if (cell.id < 0) return not_understood("a NUMA cell without an id");
  cell.memory = Mebibytes(TRY(kibibytes(node.child("memory"))) / 1024);
  for (pugi::xml_node const pages : node.children("pages")) {
    std::int64_t const size_kib = pages.attribute("size").as_llong();
    if (size_kib > 4) cell.huge_pages.push_back({size_kib, pages.text().as_llong()});
  }
  for (pugi::xml_node const cpu : node.child("cpus").children("cpu")) {
    cell.cpus.push_back(TRY(cpu_of(cpu)));
    if (cell.cpus.size() > kCpusMax) return not_understood("more than 4096 CPUs in a cell");
  }
  std::ranges::sort(cell.cpus, {}, &HostCpu::id);
  return cell;
}

}  // namespace

Result<std::vector<std::int32_t>> parse_cpu_list(std::string_view text) {
  std::vector<std::int32_t> all;
  char const* at = text.data();
  char const* const end = at + text.size();
  while (at != end) {
    std::int32_t first = 0;
    auto parsed = std::from_chars(at, end, first);
    std::int32_t last = first;
    if (parsed.ec == std::errc() && parsed.ptr != end && *parsed.ptr == '-') {
      parsed = std::from_chars(parsed.ptr + 1, end, last);
    }
    if (parsed.ec != std::errc() || first < 0 || last < first ||
        static_cast<std::size_t>(last - first) >= kCpusMax - std::min(all.size(), kCpusMax)) {
      return not_understood("wanted a CPU list such as 0-2,5, found '" + std::string(text) + "'");
    }
    for (std::int32_t id = first; id <= last; ++id) all.push_back(id);
    at = parsed.ptr;
    if (at == end) break;
    if (*at != ',' || at + 1 == end) {
      return not_understood("wanted a CPU list such as 0-2,5, found '" + std::string(text) + "'");
    }
    ++at;
  }
  std::ranges::sort(all);
  return all;
}

Result<HostCapabilities> parse_capabilities(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return not_understood("not XML");
  pugi::xml_node const host = document.child("capabilities").child("host");
  if (!host) return not_understood("no host element");
  HostCapabilities out{.host_uuid = host.child("uuid").text().as_string(),
                       .cpu_model = host.child("cpu").child("model").text().as_string(),
                       .cpu_vendor = host.child("cpu").child("vendor").text().as_string()};
  for (pugi::xml_node const model : host.children("secmodel")) {
    std::string_view const name = model.child("model").text().as_string();
    out.is_confined = out.is_confined || name == "apparmor" || name == "selinux";
  }
  for (pugi::xml_node const cell : host.child("topology").child("cells").children("cell")) {
    out.cells.push_back(TRY(cell_of(cell)));
  }
  std::ranges::sort(out.cells, {}, &HostCell::id);
  return out;
}

Result<std::string> parse_machine(std::string_view domain_capabilities_xml) {
  pugi::xml_document document;
  if (!document.load_buffer(domain_capabilities_xml.data(), domain_capabilities_xml.size())) {
    return not_understood("not XML");
  }
  std::string machine = document.child("domainCapabilities").child("machine").text().as_string();
  if (machine.empty()) return not_understood("no machine type");
  return machine;
}

std::vector<HostCell> flat_cells(std::int64_t cpus, Mebibytes memory) {
  HostCell cell{.id = 0, .memory = memory};
  for (std::int32_t id = 0; id < std::clamp<std::int64_t>(cpus, 1, kCpusMax); ++id) {
    cell.cpus.push_back({.id = id, .core = id, .siblings = {id}});
  }
  return {cell};
}

}  // namespace berth::agent
