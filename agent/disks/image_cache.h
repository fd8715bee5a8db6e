#pragma once
// Images on this host, by digest. An image under its name is complete, verified and durable; all
// that is not lies in "<digest>.part" and is taken up again where it stopped.

#include <cstdint>
#include <functional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "agent/disks/image_inspector.h"
#include "agent/disks/layout.h"
#include "berth/base/result.h"
#include "berth/base/time.h"
#include "berth/base/units.h"
#include "berth/model/image.h"

namespace berth::agent {

// Brings the image's bytes from `offset` on, in order, to `sink`; ends early with the sink's error.
using ImageSink = std::function<Result<void>(std::string_view bytes)>;
using FetchImageBytes = std::function<Result<void>(std::string const& digest, std::uint64_t offset,
                                                   ImageSink const& sink)>;

// Removes partial images not written to for `age`. Before any cache is open.
[[nodiscard]] Result<void> drop_stale_parts(Layout const& layout, Duration age);

// Thread-safe, but for one digest only one fetch or evict at a time (the agent's rule of one action
// per subject).
class ImageCache {
 public:
  // `free_min`: what must stay free on the file system after an image has arrived.
  ImageCache(Layout layout, FetchImageBytes fetch, Bytes free_min);

  // Idempotent. Errors: no_capacity (too little free space, before anything is fetched), corrupt
  // (another digest or size arrived; the partial file is dropped), invalid (the inspector refuses
  // it), or what `fetch` said (the partial file stays).
  [[nodiscard]] Result<void> bring(std::string const& digest, ImageFormat format, Bytes size);
  // Digests, ascending.
  [[nodiscard]] Result<std::vector<std::string>> list() const;
  [[nodiscard]] std::string path(std::string const& digest) const;
  // Absent is fine. Errors: conflict while a root disk rests on it.
  [[nodiscard]] Result<void> evict(std::string const& digest);
  // While held, nothing is evicted: for making an overlay.
  [[nodiscard]] std::shared_lock<std::shared_mutex> hold() { return std::shared_lock(evicting_); }

 private:
  [[nodiscard]] Result<void> append_rest(std::string const& part, std::string const& digest,
                                         Bytes size);

  Layout layout_;
  FetchImageBytes fetch_;
  Bytes free_min_;
  std::shared_mutex evicting_;  // exclusive: evict; shared: whoever needs the images to stay
};

}  // namespace berth::agent
