// Any bytes as the form of a POST, read as every action. Must not crash, hang or allocate without
// bound; what is accepted must be rendered or refused without a broken invariant either.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "daemon/ec2/wire/codec.h"
#include "daemon/ec2/wire/utf8.h"
#include "daemon/ec2/wire/wire_visit.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  using namespace berth::ec2::wire;
  std::string_view const body(reinterpret_cast<char const*>(bytes), size);
  auto const parameters =
      parse_query({.method = "POST", .target = "/", .content_type = "", .body = body});
  if (!parameters) return 0;
  if (parameters->size() > kParametersMax) std::abort();
  static_cast<void>(identify(*parameters, service_of(*parameters)));
  for (std::size_t i = 0; i < actions().size(); ++i) {
    auto const action = static_cast<Action>(i);
    visit_action(action, [&]<class Request, class Output>() {
      auto const request = read<Request>(*parameters);
      if (request) return;
      std::string const xml = render_error(request.error(), "r", info(action).service);
      if (!is_utf8(xml) || xml.size() > 16'384) std::abort();
    });
  }
  return 0;
}
