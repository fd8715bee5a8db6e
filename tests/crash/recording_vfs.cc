// The VFS below SQLite that writes down what passes. Shared memory is not on the disk and passes
// unseen.

#include <sqlite3.h>

#include <filesystem>

#include "berth/base/ensure.h"
#include "tests/crash/recorded_disk.h"

namespace berth::crash {

namespace {

DiskRecord* record = nullptr;
sqlite3_vfs* below = nullptr;

// SQLite gives us so much memory as szOsFile says: this, and behind it the file of the VFS below.
struct RecordedFile {
  sqlite3_file base;
  std::string* name;
};

RecordedFile* ours(sqlite3_file* file) {
  return reinterpret_cast<RecordedFile*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(ours(file) + 1);
}
std::string name_of(char const* path) {
  return std::filesystem::path(path).filename().string();
}

int close(sqlite3_file* file) {
  delete ours(file)->name;
  return real(file)->pMethods->xClose(real(file));
}
int read(sqlite3_file* file, void* out, int size, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), out, size, at);
}
int write(sqlite3_file* file, void const* data, int size, sqlite3_int64 at) {
  int const rc = real(file)->pMethods->xWrite(real(file), data, size, at);
  if (rc == SQLITE_OK && record != nullptr) {
    record->add(
        {.kind = DiskOp::Kind::write,
         .file = *ours(file)->name,
         .at = at,
         .bytes = std::string(static_cast<char const*>(data), static_cast<std::size_t>(size))});
  }
  return rc;
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  int const rc = real(file)->pMethods->xTruncate(real(file), size);
  if (rc == SQLITE_OK && record != nullptr) {
    record->add({.kind = DiskOp::Kind::truncate, .file = *ours(file)->name, .at = size});
  }
  return rc;
}
int sync(sqlite3_file* file, int flags) {
  int const rc = real(file)->pMethods->xSync(real(file), flags);
  if (rc == SQLITE_OK && record != nullptr) {
    record->add({.kind = DiskOp::Kind::sync, .file = *ours(file)->name});
  }
  return rc;
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int lock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
int unlock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
int check_reserved(sqlite3_file* file, int* out) {
  return real(file)->pMethods->xCheckReservedLock(real(file), out);
}
int control(sqlite3_file* file, int what, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), what, argument);
}
int sector_size(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
int characteristics(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}
int shm_lock(sqlite3_file* file, int offset, int n, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
void shm_barrier(sqlite3_file* file) {
  real(file)->pMethods->xShmBarrier(real(file));
}
int shm_unmap(sqlite3_file* file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

constexpr sqlite3_io_methods kMethods = {2,
                                         close,
                                         read,
                                         write,
                                         truncate,
                                         sync,
                                         file_size,
                                         lock,
                                         unlock,
                                         check_reserved,
                                         control,
                                         sector_size,
                                         characteristics,
                                         shm_map,
                                         shm_lock,
                                         shm_barrier,
                                         shm_unmap,
                                         nullptr,
                                         nullptr};

int open(sqlite3_vfs*, char const* path, sqlite3_file* file, int flags, int* out_flags) {
  bool const is_new =
      path != nullptr && (flags & SQLITE_OPEN_CREATE) != 0 && !std::filesystem::exists(path);
  file->pMethods = nullptr;
  int const rc = below->xOpen(below, path, real(file), flags, out_flags);
  if (rc != SQLITE_OK) return rc;
  ours(file)->name = new std::string(path == nullptr ? "" : name_of(path));
  file->pMethods = &kMethods;
  if (is_new && record != nullptr) {
    record->add({.kind = DiskOp::Kind::create, .file = *ours(file)->name});
  }
  return SQLITE_OK;
}
int remove(sqlite3_vfs*, char const* path, int sync_folder) {
  int const rc = below->xDelete(below, path, sync_folder);
  if (rc == SQLITE_OK && record != nullptr) {
    record->add(
        {.kind = DiskOp::Kind::remove, .file = name_of(path), .is_durable = sync_folder != 0});
  }
  return rc;
}
int access(sqlite3_vfs*, char const* path, int flags, int* out) {
  return below->xAccess(below, path, flags, out);
}
int full_path(sqlite3_vfs*, char const* path, int size, char* out) {
  return below->xFullPathname(below, path, size, out);
}

void register_once() {
  static sqlite3_vfs vfs = [] {
    below = sqlite3_vfs_find(nullptr);
    ENSURE(below != nullptr);
    sqlite3_vfs out = *below;  // time, randomness and sleep are its own
    out.szOsFile = static_cast<int>(sizeof(RecordedFile)) + below->szOsFile;
    out.zName = kRecordedVfs;
    out.pNext = nullptr;
    out.xOpen = open;
    out.xDelete = remove;
    out.xAccess = access;
    out.xFullPathname = full_path;
    return out;
  }();
  ENSURE(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

}  // namespace

Recording::Recording(DiskRecord& into) {
  register_once();
  ENSURE(record == nullptr);
  record = &into;
}

Recording::~Recording() {
  record = nullptr;
}

}  // namespace berth::crash
