#pragma once
// The OpenAPI 3.0 document of this API, made from the route table and the shapes.

#include <string>
#include <string_view>

namespace berth::admin {

// JSON. `version` is the daemon's.
[[nodiscard]] std::string openapi_document(std::string_view version);

}  // namespace berth::admin
