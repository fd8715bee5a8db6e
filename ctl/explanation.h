#pragma once
// `berthctl placement explain`, for people.

#include <string>

#include "ctl/document.h"

namespace berth::ctl {

// Of an answer of GET /v1/placements/{id}.
[[nodiscard]] std::string explanation(Document const& answer);

}  // namespace berth::ctl
