#include "agent/disks/overlay.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "agent/disks/files.h"
#include "agent/disks/image_inspector.h"
#include "agent/disks/run.h"

namespace berth::agent {

Result<void> make_overlay(OverlayAsk const& ask) {
  if (is_file(ask.path)) return {};
  if (!is_file(ask.backing_path)) {
    return Error{Code::not_found, "image", "no image at " + ask.backing_path + "; fetch it first"};
  }
  ImageFacts const image = TRY(inspect_file(ask.backing_path, {.declared = ask.backing_format}));
  std::int64_t const size = std::max(ask.size, image.virtual_size).value;
  std::string const temporary = ask.path + ".part";
  ::unlink(temporary.c_str());
  Result<std::string> const made = run_ok(
      {"qemu-img", "create", "-q", "-f", "qcow2", "-b", ask.backing_path, "-F",
       ask.backing_format == ImageFormat::raw ? "raw" : "qcow2", temporary, std::to_string(size)},
      {.deadline = seconds(60)});
  if (!made) {
    ::unlink(temporary.c_str());
    return made.error().within("disk " + ask.path);
  }
  if (::chmod(temporary.c_str(), 0600) != 0) {
    return Error{Code::unavailable, "host", "the mode of " + temporary + " could not be set"};
  }
  return publish(temporary, ask.path);
}

}  // namespace berth::agent
