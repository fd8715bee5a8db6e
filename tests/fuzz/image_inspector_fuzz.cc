// The image inspector on arbitrary bytes: it never crashes, never reads past the file, and what it
// accepts has no backing file and no data file by an independent look at the two header fields.

#include <cstddef>
#include <cstdint>
#include <string>

#include "agent/disks/image_inspector.h"
#include "berth/base/ensure.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  using namespace berth;
  using namespace berth::agent;
  // Two bytes say what is declared and how much zero follows: tables lie far behind a header.
  if (size < 2) return 0;
  std::string image(reinterpret_cast<char const*>(bytes) + 2, size - 2);
  image.resize(image.size() + std::size_t{bytes[1]} * 4096, '\0');
  ImageFormat const declared = (bytes[0] & 1) != 0 ? ImageFormat::raw : ImageFormat::qcow2;
  MemoryImageReader reader(image);
  Result<ImageFacts> const facts = inspect(reader, {.declared = declared});
  if (!facts) return 0;
  ENSURE(facts->format == declared);
  ENSURE(facts->virtual_size.value > 0);
  if (declared == ImageFormat::raw) {
    ENSURE(!image.starts_with("QFI\xfb"));
    return 0;
  }
  for (std::size_t at = 8; at < 20; ++at) ENSURE(image[at] == 0);
  if (image[7] == 3) ENSURE((image[79] & 4) == 0);
  return 0;
}
