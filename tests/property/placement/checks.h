#pragma once
// A checker that knows only the prose of the constraints, without a thought of how they are made
// fast. Each fails the test that calls it when something is wrong.

#include "tests/property/placement/world.h"

namespace berth::placement {

// Before the guest is among the world's.
void check_seat(World const& world, Guest const& guest);
void check_refusal(World const& world, Request const& request, NoSeat const& refusal);
// What all hosts hold.
void check_fleet(World const& world);
// With the largest hosts of a zone gone, its totals still hold what it holds.
void check_reserve(World const& world, ZoneIndex zone);

}  // namespace berth::placement
