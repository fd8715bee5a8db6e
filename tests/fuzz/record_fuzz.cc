// Any bytes as a stored record: the first byte picks the kind. Whatever is accepted must be
// something that we would write, and must come back from what we would write.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "berth/base/ensure.h"
#include "common/wire/record.h"

namespace {

// The id that the bytes themselves would be stored under is not known beforehand; the error names
// it, so a first read under an impossible id finds it.
std::string id_in(berth::wire::RecordKind kind, std::string_view bytes) {
  auto const refused = berth::wire::decode({kind, ""}, bytes);
  ENSURE(!refused);
  ENSURE(refused.error().code == berth::Code::corrupt);
  constexpr std::string_view kFound = "id: wanted the key's, found '";
  std::string const& message = refused.error().message;
  std::size_t const at = message.find(kFound);
  if (at == std::string::npos) return "";
  std::size_t const begin = at + kFound.size();
  return message.substr(begin, message.size() - begin - 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace berth;
  if (size == 0) return 0;
  wire::RecordKind const kind = wire::kRecordKinds[data[0] % std::size(wire::kRecordKinds)];
  std::string const bytes(data + 1, data + size);
  wire::RecordKey const place{kind, id_in(kind, bytes)};
  Result<core::Change> const change = wire::decode(place, bytes);
  if (!change) return 0;
  ENSURE(wire::well_formed(*change));
  ENSURE(wire::key(*change) == place);
  Result<core::Change> const again = wire::decode(place, wire::encode(*change));
  ENSURE(again);
  ENSURE(*again == *change);
  return 0;
}
