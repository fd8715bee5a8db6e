#include "tests/crash/recorded_disk.h"

#include <algorithm>
#include <filesystem>

namespace berth::crash {

namespace {

constexpr std::int64_t kSector = 512;

// A file since it was last synced.
struct File {
  bool exists_for_certain = false;
  bool may_be_gone = false;  // removed, and the folder not synced since
  std::string synced;
  std::vector<DiskOp> pending;
};

void sync_folder(std::map<std::string, File>& files) {
  std::erase_if(files, [](auto const& one) { return one.second.may_be_gone; });
  for (auto& [name, file] : files) file.exists_for_certain = true;
}

void apply(DiskOp const& op, std::string& content) {
  auto const at = static_cast<std::size_t>(op.at);
  if (op.kind == DiskOp::Kind::truncate) {
    content.resize(at, '\0');
    return;
  }
  if (content.size() < at + op.bytes.size()) content.resize(at + op.bytes.size(), '\0');
  content.replace(at, op.bytes.size(), op.bytes);
}

std::string sector(std::string const& content, std::size_t from) {
  if (from >= content.size()) return std::string(kSector, '\0');
  std::string out = content.substr(from, kSector);
  out.resize(kSector, '\0');
  return out;
}

// One of the states that the sector at `from` has been in.
std::string chosen_sector(std::vector<std::string> const& versions, std::size_t from, Damage damage,
                          Entropy& entropy) {
  auto const draw = [&] { return sector(versions[entropy.below(versions.size())], from); };
  std::string out = draw();
  if (damage == Damage::torn_sectors && entropy.below(4) == 0) {
    std::size_t const tear = entropy.below(kSector);
    out = out.substr(0, tear) + draw().substr(tear);
  }
  bool const is_new = from >= versions.front().size();
  if (damage == Damage::garbage && is_new && entropy.below(4) == 0) {
    for (char& c : out) c = static_cast<char>(entropy.below(256));
  }
  return out;
}

std::string content_after(File const& file, Damage damage, Entropy& entropy) {
  if (damage == Damage::all_lost || file.pending.empty()) return file.synced;
  std::string content = file.synced;
  if (damage == Damage::all_kept || damage == Damage::some_writes) {
    for (DiskOp const& op : file.pending) {
      if (damage == Damage::all_kept || entropy.below(2) == 0) apply(op, content);
    }
    return content;
  }
  std::vector<std::string> versions{content};
  std::size_t longest = content.size();
  for (DiskOp const& op : file.pending) {
    apply(op, content);
    versions.push_back(content);
    longest = std::max(longest, content.size());
  }
  std::size_t const length = versions[entropy.below(versions.size())].size();
  std::string out;
  for (std::size_t from = 0; from < length; from += kSector) {
    out += chosen_sector(versions, from, damage, entropy);
  }
  out.resize(length);
  return out;
}

}  // namespace

DiskImage disk_after(DiskRecord const& record, std::size_t cut, Damage damage, Entropy& entropy) {
  std::map<std::string, File> files;
  for (auto const& [name, content] : record.base()) {
    files[name] = File{.exists_for_certain = true, .synced = content, .pending = {}};
  }
  if (damage == Damage::syncs_lied) return record.base();
  for (std::size_t i = 0; i < cut; ++i) {
    DiskOp const& op = record.ops()[i];
    switch (op.kind) {
      case DiskOp::Kind::note: break;
      case DiskOp::Kind::create: files[op.file] = File{}; break;
      case DiskOp::Kind::write:
      case DiskOp::Kind::truncate: files[op.file].pending.push_back(op); break;
      case DiskOp::Kind::sync: {
        File& file = files[op.file];
        for (DiskOp const& one : file.pending) apply(one, file.synced);
        file.pending.clear();
        // With the first sync of a new file SQLite's own VFS syncs the folder, and with it what was
        // made or removed there before.
        if (!file.exists_for_certain) sync_folder(files);
        break;
      }
      case DiskOp::Kind::remove:
        if (op.is_durable)
          files.erase(op.file);
        else
          files[op.file].may_be_gone = true;
        break;
    }
  }
  DiskImage out;
  for (auto const& [name, file] : files) {
    bool const may_be_missing = !file.exists_for_certain || file.may_be_gone;
    if (may_be_missing && entropy.below(2) == 0) continue;
    out[name] = content_after(file, damage, entropy);
  }
  return out;
}

}  // namespace berth::crash
