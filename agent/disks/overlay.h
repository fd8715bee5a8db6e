#pragma once
// Root disks: a qcow2 overlay on a cached image. The image's format is always stated, never probed:
// a guest that writes another format's header on its disk gains nothing.

#include <string>

#include "berth/base/result.h"
#include "berth/base/units.h"
#include "berth/model/image.h"

namespace berth::agent {

struct OverlayAsk {
  std::string path;          // of the new disk
  std::string backing_path;  // absolute; of the cached image
  ImageFormat backing_format = ImageFormat::qcow2;
  Bytes size;  // what the guest sees at least
};

// An overlay that is already there is left as it is. The guest sees max(size, the image's virtual
// size). Errors: not_found (no such image), invalid (the inspector refuses the image), unavailable
// or timeout (qemu-img).
[[nodiscard]] Result<void> make_overlay(OverlayAsk const& ask);

}  // namespace berth::agent
