#pragma once
// The table of actions: every action's two halves, in one place. A new action is a line in
// wire/actions.txt, its two functions, and a row here (docs/guides/add-an-ec2-action.md).

#include <span>

#include "daemon/ec2/call.h"

namespace berth::ec2 {

struct ActionRow {
  wire::Action action;
  Parse parse;
  Render render;
  bool is_slow_to_parse = false;  // not on an io thread: makes keys
};

// In the order of wire::Action.
[[nodiscard]] std::span<ActionRow const> action_rows();
[[nodiscard]] ActionRow const& row_of(wire::Action action);

}  // namespace berth::ec2
