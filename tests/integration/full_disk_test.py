"""A real full file system under berthd: reads go on, changes are told Unavailable, nothing acknowledged is lost.

BERTH_FILLS (default 5) times the small tmpfs that holds the daemon's whole data directory (store, images, keys,
log) is filled under load and emptied again, each time in another way. Runs in a mount namespace of its own.
"""

import errno
import os
import pathlib
import random
import shutil
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

import botocore.exceptions

from support.cloud import Cloud, eventually, run

FILLS = int(os.environ.get("BERTH_FILLS", "5"))
SEED = int(os.environ.get("BERTH_SEED", "1"))
MOUNT = pathlib.Path("/var/lib/berth-test-full-disk-tmpfs")
SIZE = "320m"  # the ballast, as much free beside it, a quarter more, and the data
HEALED_S = 10
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICGdrzE2wslCmj9JkGVkpgvAWIjYRLIAxWpaWW/e4hHD ada@example"


class SmallDiskCloud(Cloud):
    """Its daemon's data directory is on the tmpfs."""

    def remove(self):
        super().remove()
        for entry in MOUNT.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def quickstart(self, *flags):
        if "--down" not in flags:
            self.state.mkdir(parents=True, exist_ok=True)
            (self.state / "berthd").symlink_to(MOUNT)
        return super().quickstart(*flags)

    def metric(self, name):
        ports = dict(line.split("=") for line in (self.state / "ports").read_text().split())
        with urllib.request.urlopen(f"http://127.0.0.1:{ports['metrics_port']}/metrics", timeout=5) as page:
            for line in page.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
        return 0.0  # not counted yet


class Filler:
    """Takes the disk's room in a way, until it is told to stop."""

    WAYS = ["at_once", "leaves_a_little", "greedy", "by_pieces", "at_once_and_a_file_more"]

    def __init__(self, way):
        self.way, self.stopping, self.is_filled = way, threading.Event(), threading.Event()
        self.path, self.size = MOUNT / "filler", 0
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        with open(self.path, "wb") as file:
            if self.way == "leaves_a_little":
                self.take(file, self.free() - (20 << 20))
            elif self.way == "by_pieces":
                while self.free() > 0 and not self.stopping.is_set():
                    self.take(file, min(4 << 20, self.free()))
                    time.sleep(0.02)
            elif self.way == "greedy":  # takes the ballast, too
                while not self.stopping.is_set():
                    self.take(file, self.free())
                    self.is_filled.set()
            else:
                self.take(file, self.free())
                self.is_filled.set()
                if self.way == "at_once_and_a_file_more":
                    time.sleep(1)
                    self.take(file, self.free())
            self.is_filled.set()
            self.stopping.wait()

    @staticmethod
    def free():
        found = os.statvfs(MOUNT)
        return found.f_bavail * found.f_frsize

    def take(self, file, size):
        """All of it, or as much as there is: what the daemon writes at the same moment makes a try fail."""
        for _ in range(100):
            size = min(size, self.free())
            if size <= 0:
                return
            try:
                os.posix_fallocate(file.fileno(), self.size, size)
                self.size += size
                return
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.path.unlink()


class Client(threading.Thread):
    """Tags an instance and imports key pairs without a pause; repeats each call until it is answered."""

    def __init__(self, cloud, instance, number, stop):
        super().__init__(daemon=True)
        self.cloud, self.instance, self.number, self.stop = cloud, instance, number, stop
        self.random = random.Random(SEED * 100 + number)
        self.keys, self.tag, self.answers, self.unavailable = set(), None, 0, 0
        self.last_answer = time.monotonic()
        self.trouble = None

    def run(self):
        try:
            self.client = self.cloud.client(connect_timeout=5, read_timeout=60)
            while not self.stop.is_set():
                self.step()
        except BaseException as error:  # the test reports it
            self.trouble = error

    def step(self):
        if self.random.random() < 0.5:
            value = f"{self.number}-{self.answers}"
            if self.until_answered(self.client.create_tags, Resources=[self.instance], Tags=[{"Key": f"client-{self.number}", "Value": value}]):
                self.tag = value
        else:
            name = f"key-{self.number}-{self.answers}"
            if self.until_answered(self.client.import_key_pair, KeyName=name, PublicKeyMaterial=KEY.encode()):
                self.keys.add(name)
                if len(self.keys) > 40:
                    gone = self.keys.pop()
                    self.until_answered(self.client.delete_key_pair, KeyName=gone)

    def until_answered(self, call, **arguments):
        """True when it was done; False when the test ended before."""
        while True:
            try:
                call(**arguments)
                self.answers += 1
                self.last_answer = time.monotonic()
                return True
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] != "Unavailable":
                    raise
                assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503, error.response
                self.unavailable += 1
            if self.stop.is_set():
                # It may or may not be done: a name that nobody counts on.
                self.keys.discard(arguments.get("KeyName"))
                return False
            time.sleep(0.05)


class AFullDisk(unittest.TestCase):
    def setUp(self):
        MOUNT.mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", MOUNT)
        self.addCleanup(lambda: (run("umount", MOUNT), MOUNT.rmdir()))

    def wait_until_full(self, cloud, filler):
        # A try to take room that failed gives all of it back: full is what stays full.
        self.assertTrue(filler.is_filled.wait(20), f"the filler ({filler.way}) could not fill the disk")
        eventually(5, f"the store to be full ({filler.way}, {filler.size >> 20} MiB taken)", lambda: cloud.metric("berth_store_full") == 1)

    def while_full(self, cloud, way, instance):
        """Reads go on, changes are refused, nothing else of the daemon falls over."""
        client = cloud.client(read_timeout=10)
        for _ in range(10):
            self.assertEqual([i["InstanceId"] for r in client.describe_instances()["Reservations"] for i in r["Instances"]], [instance])
        client.describe_key_pairs()
        cloud.ctl("host", "list")
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            client.create_tags(Resources=[instance], Tags=[{"Key": "while-full", "Value": "1"}])
        self.assertEqual(refused.exception.response["Error"]["Code"], "Unavailable")
        if way != "leaves_a_little":
            # An upload meets the full disk in the image store.
            with self.assertRaises(AssertionError):
                cloud.ctl("image", "import", cloud.state / "tiny.qcow2", "--name=another", "--format=qcow2", "--public")

    def test_a_disk_that_fills_under_load_loses_nothing_and_ends_nothing(self):
        with SmallDiskCloud("full-disk", berthd_flags=[f"--log_file={MOUNT}/berthd.log"]) as cloud:
            eventually(30, "room on the host", lambda: cloud.metric('berth_capacity_vcpus{zone="us-east-1a"}') > 0)
            instance = cloud.client().run_instances(ImageId=cloud.image, InstanceType="t2.nano", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
            eventually(90, "the guest", lambda: cloud.last_tick(instance) >= 0)
            before = cloud.pid("berthd")
            stop = threading.Event()
            clients = [Client(cloud, instance, n, stop) for n in range(4)]
            for client in clients:
                client.start()
            slowest = 0.0
            try:
                for number in range(FILLS):
                    way = Filler.WAYS[number % len(Filler.WAYS)]
                    time.sleep(1)
                    filler = Filler(way)
                    try:
                        self.wait_until_full(cloud, filler)
                        # What takes the ballast too may leave a commit waiting, and reads behind it.
                        if way == "greedy":
                            time.sleep(3)
                        else:
                            self.while_full(cloud, way, instance)
                    finally:
                        filler.stop()
                    freed = time.monotonic()
                    eventually(HEALED_S, f"changes after the fill {way}", lambda f=freed: all(c.last_answer > f or c.trouble for c in clients))
                    slowest = max(slowest, time.monotonic() - freed)
            finally:
                stop.set()
                for client in clients:
                    client.join(90)
            for client in clients:
                self.assertIsNone(client.trouble, f"client {client.number}: {client.trouble!r}")
                self.assertFalse(client.is_alive(), f"client {client.number} still waits for an answer")
                self.assertGreater(client.unavailable, 0, "a client never met the full disk")
            self.assertEqual(os.readlink(f"/proc/{before}/exe").split("/")[-1], "berthd", "berthd ended")
            self.assertEqual(cloud.metric("berth_store_full"), 0)
            self.assertGreaterEqual(cloud.metric("berth_store_full_total"), FILLS)
            self.assertIn('"up"', cloud.ctl("host", "list", "--output=json"), "the host lost its lease")
            self.nothing_is_lost(cloud, instance, clients)
            cloud.kill("berthd")
            cloud.start("berthd")
            eventually(20, "berthd after a kill", lambda: self.answers(cloud))
            self.nothing_is_lost(cloud, instance, clients)
            self.assertEqual(cloud.boots(instance), 1)
            print(f"    {FILLS} fills of a tmpfs of {SIZE}: {sum(c.answers for c in clients)} changes acknowledged, none lost, "
                  f"{sum(c.unavailable for c in clients)} told Unavailable, healed at the latest {slowest:.1f} s after there was room, berthd never ended")

    def answers(self, cloud):
        try:
            return cloud.client().describe_instances()
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.HTTPClientError):
            return None

    def nothing_is_lost(self, cloud, instance, clients):
        client = cloud.client()
        tags = {t["Key"]: t["Value"] for t in client.describe_instances()["Reservations"][0]["Instances"][0]["Tags"]}
        self.assertNotIn("while-full", tags)
        keys = {k["KeyName"] for k in client.describe_key_pairs()["KeyPairs"]}
        for one in clients:
            self.assertIn(tags.get(f"client-{one.number}"), {one.tag, f"{one.number}-{one.answers}"}, "an acknowledged tag is lost")
            self.assertEqual(one.keys - keys, set(), "acknowledged key pairs are lost")


if __name__ == "__main__":
    if "BERTH_OWN_MOUNTS" not in os.environ:
        os.environ["BERTH_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation=private", sys.executable, *sys.argv])
    unittest.main(verbosity=2, warnings="ignore")
