"""300 days of bad luck: no invariant is broken, and the same seeds give the same history."""

import json
import os
import unittest

from support.cloud import BIN, run

SEEDS = int(os.environ.get("BERTH_SEEDS", "300"))


class Simulation(unittest.TestCase):
    def simulate(self, *flags):
        return json.loads(run(BIN / "berth-sim", "--output=json", *flags).strip().splitlines()[-1])

    def test_no_seed_breaks_an_invariant(self):
        result = self.simulate(f"--seeds={SEEDS}")
        print(f"    {result['seeds']} seeds, {result['simulated_hours']} simulated hours in {result['wall_seconds']} s")
        self.assertEqual(result["seeds"], SEEDS)
        self.assertEqual(result["violations"], 0)

    def test_the_same_seeds_give_the_same_history(self):
        first, second = self.simulate("--seeds=20"), self.simulate("--seeds=20")
        self.assertEqual(first["trace_hash"], second["trace_hash"])
        other = self.simulate("--seeds=20", "--first_seed=1000")
        self.assertNotEqual(first["trace_hash"], other["trace_hash"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
