#pragma once
// Any struct of the EC2 wire, by its descriptor, as JSON with the service model's names.

#include <string>

#include "daemon/ec2/wire/descriptor.h"

namespace berth::test {

// Absent members are left out; times are milliseconds; blobs are base64; an empty list is there
// only where the writer would write it.
void append_json(std::string& out, ec2::wire::Shape const& shape, void const* object);

void append_json_text(std::string& out, std::string_view text);

}  // namespace berth::test
