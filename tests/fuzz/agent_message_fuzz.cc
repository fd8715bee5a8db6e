// What an agent or a daemon sends is bytes from outside. Whatever is read must be within limits and
// read back the same when written again; whatever is not read must only give an error.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "berth/base/ensure.h"
#include "berth/model/limits.h"
#include "common/wire/agent.h"

namespace berth::wire {
namespace {

void check_from_agent(std::string_view input) {
  auto const message = parse_from_agent(input);
  if (!message) return;
  std::string const again = bytes(*message);
  auto const twice = parse_from_agent(again);
  ENSURE(twice.has_value() && twice->index() == message->index());
  ENSURE(bytes(*twice) == again);
  if (auto const* status = std::get_if<HostStatus>(&*message)) {
    ENSURE(*status == std::get<HostStatus>(*twice));
    ENSURE(status->instances.size() <= 2 * limits::kInstancesPerHostMax);
    for (InstanceStatus const& instance : status->instances) ENSURE(instance.seen != Seen::nothing);
  }
}

void check_from_daemon(std::string_view input) {
  auto const message = parse_from_daemon(input);
  if (!message) return;
  auto const twice = parse_from_daemon(bytes(*message));
  ENSURE(twice.has_value() && twice->index() == message->index());
  if (auto const* spec = std::get_if<HostSpec>(&*message)) {
    ENSURE(*spec == std::get<HostSpec>(*twice));
    ENSURE(spec->instances.size() <= limits::kInstancesPerHostMax);
    for (InstanceSpec const& instance : spec->instances) {
      ENSURE(instance.id.value.size() == 19 && instance.uuid.size() == 36);
      ENSURE(instance.user_data.size() <= limits::kUserDataBytesMax);
    }
  }
}

}  // namespace
}  // namespace berth::wire

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  berth::wire::check_from_agent(input);
  berth::wire::check_from_daemon(input);
  return 0;
}
