#include "common/wire/model.h"

#include <string>
#include <string_view>

#include "model/v1/model.pb.h"

namespace berth::wire {

namespace pb = proto::model::v1;

namespace {

Error corrupt(std::string_view field, std::string_view wanted, std::int64_t found) {
  return Error{
      Code::corrupt, "record",
      std::string(field) + ": wanted " + std::string(wanted) + ", found " + std::to_string(found)};
}

Result<std::int64_t> not_negative(std::string_view field, std::int64_t value) {
  if (value < 0) return corrupt(field, "zero or more", value);
  return value;
}

}  // namespace

void fill(HostCpu const& cpu, pb::HostCpu& out) {
  out.set_id(cpu.id);
  out.set_core(cpu.core);
  out.mutable_siblings()->Add(cpu.siblings.begin(), cpu.siblings.end());
}

void fill(HugePages const& pages, pb::HugePages& out) {
  out.set_size_kib(pages.size_kib);
  out.set_count(pages.count);
}

void fill(HostCell const& cell, pb::HostCell& out) {
  out.set_id(cell.id);
  out.set_memory_mib(cell.memory.value);
  for (HostCpu const& cpu : cell.cpus) fill(cpu, *out.add_cpus());
  for (HugePages const& pages : cell.huge_pages) fill(pages, *out.add_huge_pages());
}

void fill(HostInventory const& inventory, pb::HostInventory& out) {
  for (HostCell const& cell : inventory.cells) fill(cell, *out.add_cells());
  out.set_cpu_model(inventory.cpu_model);
  out.set_cpu_vendor(inventory.cpu_vendor);
  out.set_virt_type(encoded(inventory.virt_type));
  out.set_is_confined(inventory.is_confined);
  out.set_disk_total_bytes(inventory.disk_total.value);
  out.set_disk_free_bytes(inventory.disk_free.value);
  out.set_hostname(inventory.hostname);
  out.set_libvirt_version(inventory.libvirt_version);
  out.set_qemu_version(inventory.qemu_version);
  out.set_agent_version(inventory.agent_version);
}

void fill(Placement const& placement, pb::Placement& out) {
  out.set_host(placement.host.value);
  out.set_generation(placement.generation.value);
  out.mutable_cells()->Add(placement.cells.begin(), placement.cells.end());
  out.mutable_cpus()->Add(placement.cpus.begin(), placement.cpus.end());
}

Result<HostCpu> read(pb::HostCpu const& in) {
  if (in.id() < 0) return corrupt("cpu.id", "zero or more", in.id());
  return HostCpu{
      .id = in.id(), .core = in.core(), .siblings = {in.siblings().begin(), in.siblings().end()}};
}

Result<HugePages> read(pb::HugePages const& in) {
  HugePages pages;
  pages.size_kib = TRY(not_negative("huge_pages.size_kib", in.size_kib()));
  pages.count = TRY(not_negative("huge_pages.count", in.count()));
  return pages;
}

Result<HostCell> read(pb::HostCell const& in) {
  HostCell cell;
  cell.id = in.id();
  cell.memory = Mebibytes(TRY(not_negative("cell.memory_mib", in.memory_mib())));
  for (pb::HostCpu const& cpu : in.cpus()) cell.cpus.push_back(TRY(read(cpu)));
  for (pb::HugePages const& pages : in.huge_pages()) cell.huge_pages.push_back(TRY(read(pages)));
  return cell;
}

Result<HostInventory> read(pb::HostInventory const& in) {
  HostInventory out;
  if (in.cells().empty()) return corrupt("inventory.cells", "at least one", 0);
  for (pb::HostCell const& cell : in.cells()) {
    Result<HostCell> one = read(cell);
    if (!one) return one.error().within("inventory");
    out.cells.push_back(*std::move(one));
  }
  Result<VirtType> const virt_type = decoded(in.virt_type());
  if (!virt_type) return virt_type.error().within("inventory");
  out.virt_type = *virt_type;
  out.cpu_model = in.cpu_model();
  out.cpu_vendor = in.cpu_vendor();
  out.is_confined = in.is_confined();
  out.disk_total = Bytes(TRY(not_negative("inventory.disk_total_bytes", in.disk_total_bytes())));
  out.disk_free = Bytes(TRY(not_negative("inventory.disk_free_bytes", in.disk_free_bytes())));
  out.hostname = in.hostname();
  out.libvirt_version = in.libvirt_version();
  out.qemu_version = in.qemu_version();
  out.agent_version = in.agent_version();
  return out;
}

Result<Placement> read(pb::Placement const& in) {
  if (in.host().empty()) {
    return Error{Code::corrupt, "record", "placement.host: wanted a host's id, found nothing"};
  }
  return Placement{.host = HostId(in.host()),
                   .generation = PlacementGeneration(in.generation()),
                   .cells = {in.cells().begin(), in.cells().end()},
                   .cpus = {in.cpus().begin(), in.cpus().end()}};
}

pb::VirtType encoded(VirtType type) {
  switch (type) {
    case VirtType::kvm: return pb::VIRT_TYPE_KVM;
    case VirtType::qemu: return pb::VIRT_TYPE_QEMU;
  }
  return pb::VIRT_TYPE_UNSPECIFIED;
}

pb::ImageFormat encoded(ImageFormat format) {
  switch (format) {
    case ImageFormat::qcow2: return pb::IMAGE_FORMAT_QCOW2;
    case ImageFormat::raw: return pb::IMAGE_FORMAT_RAW;
  }
  return pb::IMAGE_FORMAT_UNSPECIFIED;
}

pb::Seen encoded(Seen seen) {
  switch (seen) {
    case Seen::nothing: return pb::SEEN_NOTHING;
    case Seen::preparing: return pb::SEEN_PREPARING;
    case Seen::running: return pb::SEEN_RUNNING;
    case Seen::stopped: return pb::SEEN_STOPPED;
    case Seen::absent: return pb::SEEN_ABSENT;
    case Seen::failed: return pb::SEEN_FAILED;
  }
  return pb::SEEN_UNSPECIFIED;
}

// Proto3 enums are open: any number can arrive, so these end in an error instead of a default.
Result<VirtType> decoded(pb::VirtType type) {
  if (type == pb::VIRT_TYPE_KVM) return VirtType::kvm;
  if (type == pb::VIRT_TYPE_QEMU) return VirtType::qemu;
  return corrupt("virt_type", "1 (kvm) or 2 (qemu)", type);
}

Result<ImageFormat> decoded(pb::ImageFormat format) {
  if (format == pb::IMAGE_FORMAT_QCOW2) return ImageFormat::qcow2;
  if (format == pb::IMAGE_FORMAT_RAW) return ImageFormat::raw;
  return corrupt("image_format", "1 (qcow2) or 2 (raw)", format);
}

Result<Seen> decoded(pb::Seen seen) {
  if (seen == pb::SEEN_NOTHING) return Seen::nothing;
  if (seen == pb::SEEN_PREPARING) return Seen::preparing;
  if (seen == pb::SEEN_RUNNING) return Seen::running;
  if (seen == pb::SEEN_STOPPED) return Seen::stopped;
  if (seen == pb::SEEN_ABSENT) return Seen::absent;
  if (seen == pb::SEEN_FAILED) return Seen::failed;
  return corrupt("seen", "1 (nothing) to 6 (failed)", seen);
}

}  // namespace berth::wire
