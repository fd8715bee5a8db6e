"""The Debian packages on a fresh Debian under its own systemd: installed, used, upgraded, purged.

Root. Makes the packages from the programs in BERTH_BIN; the Debian is fetched once and kept in build/cache.
BERTH_PACKAGES=DIR takes packages that are there already.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import boto3
import botocore.config
import botocore.exceptions

from support.cloud import BIN, ROOT, eventually, run
from support.container import Container, base_root

NAMES = ["berth-agent", "berth-doc", "berthctl", "berthd"]
PORTS = {8773, 8774, 8775}
LOOPBACK = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")  # as /proc/net has it
ENDPOINT = "https://127.0.0.1:8773"
# What other packages write while they work; all else has to be as before.
OTHERS = re.compile(r"/(proc|sys|dev|run|tmp|var/tmp|var/cache|var/log|var/lib/(apt|dpkg|systemd|libvirt|polkit-1)|etc/libvirt/|etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$)")


def make_packages(directory):
    if "BERTH_PACKAGES" in os.environ:
        directory = os.environ["BERTH_PACKAGES"]
    else:
        run(ROOT / "scripts/package", f"--bin={BIN}", f"--out={directory}")
    found = sorted(pathlib.Path(directory).glob("*.deb"))
    names = [run("dpkg-deb", "--field", p, "Package").strip() for p in found]
    assert set(names) >= set(NAMES), f"wanted packages {NAMES}, found {names}"
    return dict(zip(names, found))


def wanted_by(packages):
    """Names of all that the packages depend on, the first of each choice."""
    names = {"systemd", "systemd-sysv", "dbus", "apt"}
    for path in packages.values():
        for choice in run("dpkg-deb", "--field", path, "Depends").split(","):
            if choice.strip():
                names.add(re.split(r"[ |(:]", choice.strip())[0])
    return sorted(names - set(packages))


class Packages(unittest.TestCase):
    def test_a_servers_life(self):
        begun = time.monotonic()

        def step(text):
            print(f"[{time.monotonic() - begun:5.1f} s] {text}", flush=True)

        with tempfile.TemporaryDirectory(prefix="berth-package-test-") as directory:
            self.packages = make_packages(directory)
            step("packages made")
            run("lintian", "--fail-on", "error", *self.packages.values())
            step("lintian has no error")
            base = base_root(wanted_by(self.packages))
            step("a fresh Debian is there")
            with Container(base, "/var/lib/berth-test-packages") as debian:
                self.debian = debian
                step("booted")
                for part in (self.install, self.analyse, self.enrol, self.launch, self.stop_and_start, self.restart_under_load,
                             self.hang, self.upgrade, self.purge_with_an_instance, self.purge_all):
                    part()
                    step(part.__name__.replace("_", " "))

    # ---- helpers -------------------------------------------------------------------------------

    def main_pid(self, unit):
        return int(self.debian.run("systemctl", "show", "--value", "--property=MainPID", unit))

    def active(self, unit):
        return self.debian.ok("systemctl", "is-active", "--quiet", unit)

    def ctl(self, *words):
        return json.loads(self.debian.run("berthctl", *words, "--output=json"))

    def host_is_up(self):
        status, text = self.debian.try_run("berthctl", "host", "list", "--output=json")
        return status == 0 and '"up"' in text

    def apt(self, *words):
        return self.debian.run("apt-get", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", *words)

    def deb_files(self, *names):
        return [f"/packages/{self.packages[n].name}" for n in names]

    def client(self):
        return boto3.session.Session().client(
            "ec2", endpoint_url=ENDPOINT, region_name="us-east-1", aws_access_key_id=self.key["access_key_id"],
            aws_secret_access_key=self.key["secret_access_key"], verify=str(self.debian.root / "var/lib/berth/pki/ca.crt"),
            config=botocore.config.Config(retries={"mode": "standard", "total_max_attempts": 15}, connect_timeout=5, read_timeout=15))

    def console(self):
        try:
            return self.ec2.get_console_output(InstanceId=self.instance, Latest=True).get("Output", "").replace("\r", "")
        except botocore.exceptions.ClientError:
            return ""

    def last_tick(self):
        ticks = re.findall(r"^tick (\d+)", self.console(), re.MULTILINE)
        return int(ticks[-1]) if ticks else -1

    def boots(self):
        return self.console().count(f"berth-guest: booted instance={self.instance}")

    def state(self):
        return self.ec2.describe_instances(InstanceIds=[self.instance])["Reservations"][0]["Instances"][0]["State"]["Name"]

    def qemu_pid(self):
        status, text = self.debian.try_run("cat", f"/run/libvirt/qemu/{self.instance}.pid")
        return int(text) if status == 0 else None

    def guest_runs_on(self, pid, boots):
        before = self.last_tick()
        eventually(30, "the guest to tick on", lambda: self.last_tick() > before + 1)
        self.assertEqual(self.qemu_pid(), pid, "the guest's process is another one")
        self.assertEqual(self.boots(), boots, "the guest was started again")

    # ---- a server's life, in this order --------------------------------------------------------

    def install(self):
        # The operator's own file: read through the service manager, and not ours to remove.
        credential = self.debian.root / "etc/credstore/berth.region_key"
        credential.parent.mkdir(mode=0o700, exist_ok=True)
        credential.write_bytes(os.urandom(32))
        credential.chmod(0o600)
        self.before = self.debian.files()
        (self.debian.root / "packages").mkdir()
        for path in self.packages.values():
            run("cp", path, self.debian.root / "packages")
        self.apt("install", *self.deb_files(*NAMES))
        self.assertTrue(self.active("berthd"), "berthd is not active after its installation")
        # Nothing to do for an agent without a token: it waits, and that is no failure.
        self.assertFalse(self.active("berth-agent"))
        self.assertFalse(self.debian.ok("systemctl", "is-failed", "--quiet", "berth-agent"))
        self.assertEqual(self.debian.run("systemctl", "show", "--value", "--property=User", "berthd").strip(), "berth")
        self.assertTrue((self.debian.root / "var/lib/berth/berth.db").exists())
        self.assertFalse((self.debian.root / "var/lib/berth/region.key").exists(), "made a key though it was given one")
        status = self.debian.run("cat", f"/proc/{self.main_pid('berthd')}/status")
        self.assertRegex(status, r"CapEff:\s+0000000000000000")
        self.assertRegex(status, r"NoNewPrivs:\s+1")
        self.assertRegex(status, r"Seccomp:\s+2")
        listening = set()
        for table in ("tcp", "tcp6"):
            for line in self.debian.run("cat", f"/proc/net/{table}").splitlines()[1:]:
                words = line.split()
                if words[3] == "0A":
                    address, port = words[1].rsplit(":", 1)
                    self.assertIn(address, LOOPBACK, f"port {int(port, 16)} is not on loopback")
                    listening.add(int(port, 16))
        self.assertEqual(listening, PORTS)
        # Short enough to be seen; gone with the next boot.
        for unit in ("berthd", "berth-agent"):
            folder = self.debian.root / "etc/systemd/system" / f"{unit}.service.d"
            folder.mkdir(parents=True)
            (folder / "test.conf").write_text("[Service]\nWatchdogSec=4\n")
        self.debian.run("systemctl", "daemon-reload")

    def analyse(self):
        for unit, threshold in (("berthd", 15), ("berth-agent", 30)):
            self.debian.run("systemd-analyze", "security", f"--threshold={threshold}", f"{unit}.service")
            status, text = self.debian.try_run("systemd-analyze", "verify", "--man=no", f"{unit}.service")
            self.assertEqual((status, text), (0, ""))

    def enrol(self):
        self.ctl("host", "enroll", "node1", "--zone=us-east-1a", "--join_file=/etc/berth/join")
        self.configure_agent()
        self.debian.run("berth-agent", "--check_config", "--flagfile=/etc/berth/agent.conf", "--join_file=/etc/berth/join")
        self.debian.run("systemctl", "start", "berth-agent")
        eventually(60, "the host", self.host_is_up)
        status = self.debian.run("cat", f"/proc/{self.main_pid('berth-agent')}/status")
        self.assertRegex(status, r"CapEff:\s+0000000000000004", "wanted CAP_DAC_READ_SEARCH and no other")
        tenant = self.ctl("tenant", "create", "acme")
        self.key = self.ctl("key", "create", tenant["id"])
        run(ROOT / "scripts/make-guest-image", self.debian.root / "root/tiny.qcow2")
        self.image = self.ctl("image", "import", "/root/tiny.qcow2", "--name=tiny", "--format=qcow2", "--public")["id"]
        (self.debian.root / "root/tiny.qcow2").unlink()
        self.debian.enter_network()
        self.ec2 = self.client()

    def configure_agent(self):
        with open(self.debian.root / "etc/berth/agent.conf", "a") as conf:
            conf.write("--daemon=127.0.0.1:8774\n--virt_type=qemu\n")

    def launch(self):
        env = {**os.environ, "AWS_ACCESS_KEY_ID": self.key["access_key_id"], "AWS_SECRET_ACCESS_KEY": self.key["secret_access_key"],
               "AWS_DEFAULT_REGION": "us-east-1", "AWS_CA_BUNDLE": str(self.debian.root / "var/lib/berth/pki/ca.crt"), "AWS_EC2_METADATA_DISABLED": "true",
               "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PAGER": ""}
        env.pop("AWS_PROFILE", None)
        self.instance = run("aws", "--endpoint-url", ENDPOINT, "ec2", "run-instances", "--image-id", self.image, "--instance-type", "t2.nano",
                            "--query", "Instances[0].InstanceId", "--output", "text", env=env).strip()
        eventually(120, "the guest's console", lambda: self.last_tick() >= 0)
        eventually(30, "the instance to run", lambda: self.state() == "running")

    def stop_and_start(self):
        """An agent that is not root gives its disk to QEMU's user and gets it back."""
        self.ec2.stop_instances(InstanceIds=[self.instance])
        eventually(60, "the instance to stop", lambda: self.state() == "stopped")
        self.ec2.start_instances(InstanceIds=[self.instance])
        eventually(120, "the second boot", lambda: self.boots() == 2)
        eventually(30, "the instance to run", lambda: self.state() == "running")

    def restart_under_load(self):
        pid, acknowledged, troubles, stop = self.qemu_pid(), [], [], threading.Event()

        def load(number):
            ec2, mine = self.client(), 0
            while not stop.is_set():
                name = f"load-{number}-{mine}"
                mine += 1
                try:
                    ec2.create_tags(Resources=[self.instance], Tags=[{"Key": f"load-{number}", "Value": name}])
                    ec2.create_key_pair(KeyName=name, KeyType="ed25519")
                except botocore.exceptions.ClientError as error:
                    # Its first attempt took effect, the answer was lost with the connection.
                    if error.response["Error"]["Code"] != "InvalidKeyPair.Duplicate":
                        troubles.append(error)
                        continue
                except botocore.exceptions.BotoCoreError as error:
                    troubles.append(error)
                    continue
                acknowledged.append(name)

        threads = [threading.Thread(target=load, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                count, old = len(acknowledged), self.main_pid("berthd")
                eventually(30, "requests to flow", lambda c=count: len(acknowledged) > c + 8)
                self.debian.run("systemctl", "restart", "berthd")
                self.assertNotEqual(self.main_pid("berthd"), old)
            count = len(acknowledged)
            eventually(30, "requests to flow again", lambda: len(acknowledged) > count + 8)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(troubles, [])
        there = {pair["KeyName"] for pair in self.ec2.describe_key_pairs()["KeyPairs"]}
        self.assertEqual(set(acknowledged) - there, set(), "acknowledged and lost")
        tags = {t["Key"]: t["Value"] for t in self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [self.instance]}])["Tags"]}
        for number in range(4):
            last = [name for name in acknowledged if name.startswith(f"load-{number}-")][-1]
            self.assertEqual(tags[f"load-{number}"], last)
        self.guest_runs_on(pid, boots=2)

    def hang(self):
        """A program that stands still is started again by the watchdog; a reload is none."""
        guest, daemon = self.qemu_pid(), self.main_pid("berthd")
        self.debian.run("systemctl", "reload", "berthd")
        self.assertEqual(self.main_pid("berthd"), daemon)
        self.assertTrue(self.active("berthd"))
        for unit in ("berthd", "berth-agent"):
            # The shorter interval counts from the start that has seen it.
            self.debian.run("systemctl", "restart", unit)
            old = self.main_pid(unit)
            time.sleep(5)
            self.assertEqual(self.main_pid(unit), old, f"{unit} was restarted though it was well")
            self.debian.run("sh", "-c", f"kill -STOP {old}")
            eventually(30, f"systemd to restart {unit}", lambda u=unit, p=old: self.active(u) and self.main_pid(u) not in (0, p))
            self.assertIn("Watchdog timeout", self.debian.run("journalctl", "--no-pager", "--unit", unit))
        eventually(60, "the host", self.host_is_up)
        self.guest_runs_on(guest, boots=2)

    def upgrade(self):
        guest, old = self.qemu_pid(), {u: self.main_pid(u) for u in ("berthd", "berth-agent")}
        self.apt("install", "--reinstall", *self.deb_files(*NAMES))
        for unit, pid in old.items():
            self.assertTrue(self.active(unit))
            self.assertNotEqual(self.main_pid(unit), pid, f"{unit} still runs what was replaced")
        self.assertIn("--virt_type=qemu", (self.debian.root / "etc/berth/agent.conf").read_text())
        eventually(60, "the host", self.host_is_up)
        self.guest_runs_on(guest, boots=2)

    def purge_with_an_instance(self):
        """Purging the agent of a host that has an instance touches neither its guest nor its disk."""
        guest = self.qemu_pid()
        text = self.apt("purge", "berth-agent")
        self.assertFalse(self.active("berth-agent"))
        self.assertEqual(self.qemu_pid(), guest)
        self.assertTrue(self.debian.ok("test", "-e", f"/var/lib/berth-agent/instances/{self.instance}/1/disk.qcow2"))
        self.assertTrue(self.debian.ok("getent", "passwd", "berth-agent"))
        self.assertTrue(self.debian.ok("virsh", "-c", "qemu:///system", "net-info", "berth0"))
        self.apt("install", *self.deb_files("berth-agent"))
        self.configure_agent()
        self.debian.run("systemctl", "restart", "berth-agent")
        eventually(60, "the host", self.host_is_up)
        self.guest_runs_on(guest, boots=2)

    def purge_all(self):
        self.ec2.terminate_instances(InstanceIds=[self.instance])
        eventually(60, "the instance's end", lambda: self.state() == "terminated")
        eventually(60, "the disk to go", lambda: not self.debian.run("ls", "/var/lib/berth-agent/instances").split())
        # Another package's file must not be lost with ours, nor ours be kept by a test's.
        for unit in ("berthd", "berth-agent"):
            run("rm", "-r", self.debian.root / "etc/systemd/system" / f"{unit}.service.d")
        run("rm", "-r", self.debian.root / "packages")
        self.apt("purge", *NAMES)
        after = self.debian.files()
        for what, paths in (("left behind", after - self.before), ("taken along", self.before - after)):
            self.assertEqual(sorted(p for p in paths if not OTHERS.match(p)), [], what)
        named = [p for p in after - self.before if "berth" in p]
        self.assertEqual(named, [], "files of ours are left")
        for table in ("passwd", "group"):
            self.assertNotIn("berth", self.debian.run("getent", table))
        self.assertNotIn("berth", self.debian.run("systemctl", "list-units", "--all", "--plain", "--no-legend"))
        self.assertNotIn("berth", self.debian.run("systemctl", "list-unit-files", "--no-legend"))
        self.assertNotIn("berth0", self.debian.run("virsh", "-c", "qemu:///system", "net-list", "--all", "--name"))
        self.assertEqual(self.debian.run("virsh", "-c", "qemu:///system", "list", "--all", "--name").split(), [])
        self.assertEqual(self.debian.run("systemctl", "--failed", "--plain", "--no-legend").strip(), "")


if __name__ == "__main__":
    # A container must not outlive a test that is asked to end.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
    unittest.main(verbosity=2, warnings="ignore")
