"""A backup of a serving daemon, and what comes of it when it is restored after much has happened.

No guest is stopped, started or removed until an operator has decided; all that run without a record are listed
within LISTED_S. BERTH_LATER (default 20) is how many instances are launched after the backup. Their disks are blank,
so that they idle and many fit.
"""

import os
import pathlib
import shutil
import subprocess
import time
import unittest

import botocore.exceptions

from support.cloud import BIN, Cloud, eventually, run

LATER = int(os.environ.get("BERTH_LATER", "20"))
LISTED_S = 60


class Restore(unittest.TestCase):
    def test_a_restored_backup_costs_no_guest(self):
        with Cloud("restore", berthd_flags=["--cpu_overcommit_permille=100000"]) as cloud:
            self.cloud = cloud
            self.client = cloud.client()
            cloud.ctl("type", "put", "t9.tiny", "--vcpus=1", "--memory_mib=64")
            cloud.ctl("tenant", "quota", self.tenant(), "--instances=500", "--vcpus=1000")
            self.image = self.blank_image()

            kept, to_end = self.launch(2), self.launch(2)
            self.running(4)
            backup = cloud.ctl_json("backup", "create")
            file = pathlib.Path(backup["file"])
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)
            self.assertEqual([b["file"] for b in cloud.ctl_json("backup", "list")["items"]], [str(file)])

            later = self.launch(LATER)
            self.client.terminate_instances(InstanceIds=to_end)
            self.running(2 + LATER)
            guests = self.domain_ids()

            self.daemon_is_lost()
            self.assertIn("newer", self.restore(file, status=1))
            self.restore(file, "--restore_older")
            self.quarantined(guests, unknown=later, gone=to_end)
            self.tenants_read_only()
            self.assertIn("without a record", self.refused("region", "release"))
            self.assertEqual(cloud.ctl_json("region", "adopt")["adopted"], LATER)
            cloud.ctl("region", "release")
            self.assertFalse(cloud.ctl_json("region", "show")["quarantined"])
            eventually(30, "all to run", lambda: self.states() == {i: "running" for i in kept + later})
            time.sleep(5)  # what the records of before would do, were they obeyed
            self.assertEqual(self.domain_ids(), guests, "a guest was touched")

            # The same by hand, without a word to anybody: the agents' reports give it away.
            self.daemon_is_lost()
            store = cloud.state / "berthd/berth.db"
            for suffix in ("-wal", "-shm"):
                pathlib.Path(f"{store}{suffix}").unlink(missing_ok=True)
            shutil.copy(file, store)
            self.quarantined(guests, unknown=later, gone=to_end)
            self.assertEqual(cloud.ctl_json("region", "adopt", f"--instance={later[0]}")["adopted"], 1)
            self.assertIn("without a record", self.refused("region", "release"))
            cloud.ctl("region", "release", "--keep_unknown=true")
            self.client.terminate_instances(InstanceIds=[later[0]])
            eventually(60, "the end of one", lambda: len(cloud.domains()) == 2 + LATER - 1)
            self.assertEqual(self.states(), {i: "running" for i in kept}, "what was not adopted has no tenant")
            left = self.domain_ids()
            self.assertEqual(left, {name: number for name, number in guests.items() if name in left}, "a guest was touched")

    # ---- steps ---------------------------------------------------------------------------------

    def tenant(self):
        return self.cloud.ctl_json("tenant", "list")["items"][0]["id"]

    def blank_image(self):
        blank = self.cloud.state / "blank.raw"
        with open(blank, "wb") as file:
            file.truncate(1 << 20)
        return self.cloud.ctl_json("image", "import", str(blank), "--name=blank", "--format=raw", "--public")["id"]

    def launch(self, count):
        reply = self.client.run_instances(ImageId=self.image, InstanceType="t9.tiny", MinCount=count, MaxCount=count)
        return [i["InstanceId"] for i in reply["Instances"]]

    def domain_ids(self):
        """Name and number of each running domain; libvirt gives a new number with each start."""
        rows = [line.split() for line in run("virsh", "-q", "-c", "qemu:///system", "list").splitlines() if line.strip()]
        names = set(self.cloud.domains())
        return {row[1]: row[0] for row in rows if row[1] in names}

    def running(self, count):
        eventually(150, f"{count} guests", lambda: len(self.cloud.domains()) == count)
        eventually(60, "their tenant to see it", lambda: list(self.states().values()).count("running") == count or None)

    def states(self):
        return {i: told["State"]["Name"] for i, told in self.cloud.instances().items()}

    def daemon_is_lost(self):
        self.cloud.kill("berthd")

    def restore(self, file, *flags, status=0):
        command = (self.cloud.state / "berthd.command").read_text().strip()
        words = " ".join([command, f"--restore={file}", *flags])
        done = subprocess.run(["sh", "-c", f"exec {words}"], capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def quarantined(self, guests, unknown, gone):
        """Starts the daemon; no guest is touched and all is listed in time."""
        begun = time.monotonic()
        self.cloud.start("berthd")

        def listed():
            try:
                region = self.cloud.ctl_json("region", "show")
            except AssertionError:
                return None  # not up yet
            return region if region["quarantined"] and not region["silent_hosts"] and region["unknown_instances"] == len(unknown) else None
        region = eventually(LISTED_S, f"{len(unknown)} unknown instances", listed)
        print(f"{len(unknown)} instances without a record listed {time.monotonic() - begun:.1f} s after the daemon's start", flush=True)
        self.assertEqual(region["adoptable_instances"], len(unknown))
        self.assertEqual(sorted(region["gone_instances"]), sorted(gone))
        self.assertEqual(sorted(row["id"] for row in self.cloud.ctl_json("region", "unknown")["items"]), sorted(unknown))
        self.assertEqual(self.domain_ids(), guests, "a guest was touched")

    def tenants_read_only(self):
        self.cloud.instances()
        for call in (lambda: self.launch(1), lambda: self.client.terminate_instances(InstanceIds=list(self.cloud.instances()))):
            with self.assertRaises(botocore.exceptions.ClientError) as refused:
                call()
            self.assertEqual(refused.exception.response["Error"]["Code"], "Unavailable")
            self.assertIn("quarantine", refused.exception.response["Error"]["Message"])

    def refused(self, *words):
        done = subprocess.run([BIN / "berthctl", f"--socket={self.cloud.state}/berthd/admin.sock", *words], capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        return done.stdout + done.stderr


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
