#pragma once
// One action of the API, in two halves: from its parameters to what the core is asked (parse_*.cc),
// and from what the core answered to the document the client gets (render_*.cc). actions.cc lists
// both halves of every action.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/time.h"
#include "daemon/core/input.h"
#include "daemon/core/reply.h"
#include "daemon/ec2/ec2_error.h"
#include "daemon/ec2/instance_texts.h"
#include "daemon/ec2/wire/query.h"
#include "daemon/ec2/wire/wire_types.h"

namespace berth::ec2 {

// What an answer repeats of its request and the core does not hand back.
struct Echo {
  std::string attribute;                     // DescribeInstanceAttribute: the one asked for
  std::vector<std::string> attribute_names;  // DescribeAccountAttributes; empty: all
  std::string private_key;                   // CreateKeyPair; never logged, never stored
  bool wants_public_key = false;             // DescribeKeyPairs
};

struct Parsed {
  core::ApiAction action;
  bool dry_run = false;
  Echo echo;
};

// What an answer rests on beside the core's reply.
struct Rendering {
  wire::Action action{};
  std::string_view request_id;
  std::string_view region;
  std::string_view endpoint;  // our host as the client names it, with a port if it sent one
  WallTime now;
  Echo const& echo;
  std::string_view console;        // GetConsoleOutput: what the host had kept; else empty
  InstanceTexts* texts = nullptr;  // absent: nothing is kept from answer to answer
};

using Parse = Ec2Result<Parsed> (*)(std::span<wire::Parameter const>);
// The reply is the alternative that the core gives for this action; anything else is a broken
// invariant and stops the process.
using Render = std::string (*)(core::Reply const&, Rendering const&);

}  // namespace berth::ec2
