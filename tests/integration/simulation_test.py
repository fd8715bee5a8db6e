"""1,000 days of bad luck: no invariant is broken, every fault meets every phase of an instance, every known bug is found."""

import json
import os
import unittest

from support.cloud import BIN, run

SEEDS = int(os.environ.get("BERTH_SEEDS", "1000"))
# Of each cell of the table that `berth-sim --coverage` prints, for every 1,000 seeds.
EACH_CELL_AT_LEAST = 2
SIMULATED_SECONDS_PER_SECOND_AND_CORE = 20_000


def flat_json(program, *flags):
    return json.loads(run(BIN / program, "--output=json", *flags).strip().splitlines()[-1])


class Simulation(unittest.TestCase):
    def test_no_seed_breaks_an_invariant_and_every_fault_meets_every_phase(self):
        result = flat_json("berth-sim", f"--seeds={SEEDS}")
        print(f"    {result['seeds']} seeds, {result['simulated_hours']} simulated hours in {result['wall_seconds']} s")
        print(f"    least often met: {result['cells_least_name']}, {result['cells_least']} times")
        self.assertEqual(result["seeds"], SEEDS)
        self.assertEqual(result["violations"], 0)
        self.assertGreater(result["corpus_seeds"], 0)
        if SEEDS >= 1000:
            self.assertEqual(result["cells_reached"], result["cells_total"])
            self.assertGreaterEqual(result["cells_least"], EACH_CELL_AT_LEAST * (SEEDS // 1000), result["cells_least_name"])

    def test_the_same_seeds_give_the_same_history(self):
        first, second = flat_json("berth-sim", "--seeds=20"), flat_json("berth-sim", "--seeds=20", "--jobs=1")
        self.assertEqual(first["trace_hash"], second["trace_hash"])
        other = flat_json("berth-sim", "--seeds=20", "--first_seed=1000")
        self.assertNotEqual(first["trace_hash"], other["trace_hash"])

    def test_twenty_hosts_run_fast_enough(self):
        result = flat_json("berth-sim", "--seeds=40", "--hosts=20", "--again_every=0", "--corpus=")
        speed = result["simulated_seconds_per_wall_second_and_core"]
        print(f"    20 hosts: {speed} simulated seconds in one of a core")
        self.assertGreaterEqual(speed, SIMULATED_SECONDS_PER_SECOND_AND_CORE)


class Plants(unittest.TestCase):
    def test_every_known_bug_is_found_within_1000_seeds(self):
        result = flat_json("berth-sim-plants", "--all", "--seeds=1000")
        print(f"    {result['plants_found']} of {result['plants']} in {result['wall_seconds']} s, "
              f"at most {result['seeds_most']} seeds")
        lost = [name for name, hunt in result["hunts"].items() if hunt["seeds"] == 0]
        self.assertEqual(lost, [])
        self.assertGreaterEqual(result["plants"], 50)

    def test_no_other_program_has_them(self):
        names = [line.split()[0].encode() for line in run(BIN / "berth-sim-plants", "--list_plants").splitlines()]
        self.assertIn(b"clone_obeys", names)
        planted = (BIN / "berth-sim-plants").read_bytes()
        for name in names:
            self.assertIn(name, planted)
        for program in ("berth-sim", "berthd", "berth-agent"):
            if not (BIN / program).exists():
                self.skipTest(f"{program} is not built here")
            clean = (BIN / program).read_bytes()
            self.assertNotIn(b"is_planted", clean, program)
            for name in names:
                self.assertNotIn(b"\0" + name + b"\0", clean, program)


if __name__ == "__main__":
    unittest.main(verbosity=2)
