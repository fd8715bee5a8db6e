"""What can be said of the services and their configuration without installing them. Needs no root.

Exposure by systemd-analyze, the shipped flag files as the programs read them, --check_config on wrong ones, and
how the programs were hardened by the compiler.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from support.cloud import BIN, ROOT, eventually, run

UNITS = {"berthd.service": ("berthd", 15), "berth-agent.service": ("berth-agent", 30)}
CONFIGURATION = {"berthd": ROOT / "packaging/etc/berthd.conf", "berth-agent": ROOT / "packaging/etc/agent.conf"}


def said(*words):
    done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def flags_of(program):
    """Every flag by name, with its default, as --helpxml tells."""
    text = subprocess.run([BIN / program, "--helpxml"], stdout=subprocess.PIPE, text=True).stdout
    return dict(re.findall(r"<flag>.*?<name>(.*?)</name>.*?<default>(.*?)</default>.*?</flag>", text, re.DOTALL))


class WithFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="berth-units-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)


class Units(WithFolder):
    def test_they_are_exposed_as_little_as_promised(self):
        for unit, (_, threshold) in UNITS.items():
            words = ["systemd-analyze", "security", "--offline=yes", f"--threshold={threshold}", ROOT / "systemd" / unit]
            status, text = said(*words)
            self.assertEqual(status, 0, text)
            # The threshold is one that can be missed.
            self.assertNotEqual(said(*words[:3], "--threshold=5", words[4])[0], 0)

    def test_systemd_finds_nothing_to_say_about_them(self):
        for unit, (program, _) in UNITS.items():
            text = (ROOT / "systemd" / unit).read_text()
            self.assertIn(f"/usr/bin/{program} ", text)
            (self.folder / unit).write_text(text.replace(f"/usr/bin/{program} ", f"{BIN / program} "))
            self.assertEqual(said("systemd-analyze", "verify", "--man=no", self.folder / unit), (0, ""))
        (self.folder / "berthd.service").write_text("[Service]\nExecStart=/usr/bin/true\nWatchdogsSec=1\n")
        self.assertNotEqual(said("systemd-analyze", "verify", "--man=no", self.folder / "berthd.service"), (0, ""))


class Configuration(WithFolder):
    def test_the_shipped_files_name_real_flags_with_their_defaults(self):
        for program, path in CONFIGURATION.items():
            flags = flags_of(program)
            named = re.findall(r"^#--(\w+)=(.*)$", path.read_text(), re.MULTILINE)
            self.assertGreater(len(named), 6)
            for name, value in named:
                self.assertIn(name, flags, f"{path.name} names --{name}, which {program} does not have")
                if not value.startswith("berth.example"):
                    self.assertEqual(value, flags[name], f"{path.name} gives another default of --{name}")

    def test_the_shipped_file_of_the_daemon_is_ok(self):
        data = self.folder / "data"
        words = [BIN / "berthd", "--check_config", f"--flagfile={CONFIGURATION['berthd']}", f"--data_dir={data}"]
        self.assertEqual(said(*words), (0, "ok\n"))
        self.assertFalse(data.exists(), "--check_config made the data directory")

    def test_all_that_is_wrong_is_said_at_once(self):
        conf = self.folder / "berthd.conf"
        conf.write_text("--data_dir=here\n--ec2_listen=nowhere\n--link_listen=0.0.0.0:8774\n--http_threads=99\n--zones=\n")
        status, text = said(BIN / "berthd", "--check_config", f"--flagfile={conf}")
        self.assertEqual(status, 78, text)
        for flag in ("data_dir", "ec2_listen", "link_advertise", "http_threads", "zones"):
            self.assertRegex(text, rf"(?m)^berthd: --{flag}: wanted .+, found '.*'$")
        self.assertEqual(len(text.splitlines()), 5, text)

    def test_flags_and_values_that_do_not_exist_are_wrong_too(self):
        for program in UNITS.values():
            for flag in ("--no_such_flag=1", "--log_level=7", "--flagfile=/nowhere/at/all"):
                self.assertEqual(said(BIN / program[0], "--check_config", flag)[0], 78, flag)
        self.assertEqual(said(BIN / "berthd", "--http_threads=many", "--check_config")[0], 78)

    def test_a_key_of_another_length_or_a_store_without_its_key_is_wrong(self):
        words = [BIN / "berthd", "--check_config", f"--data_dir={self.folder}"]
        (self.folder / "region.key").write_bytes(b"short")
        self.assertEqual(said(*words), (78, f"berthd: --region_key_file: wanted a file of 32 bytes, found '{self.folder}/region.key, 5 bytes'\n"))
        (self.folder / "region.key").unlink()
        (self.folder / "berth.db").touch()
        status, text = said(*words)
        self.assertEqual(status, 78)
        self.assertIn("wanted the key that seals the secrets of the store", text)
        # A key handed over by the service manager goes before the one in the data directory.
        credentials = self.folder / "credentials"
        credentials.mkdir()
        (credentials / "berth.region_key").write_bytes(bytes(32))
        done = subprocess.run([str(w) for w in words], env={**os.environ, "CREDENTIALS_DIRECTORY": str(credentials)}, stdout=subprocess.PIPE, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, "ok\n"))

    def test_an_agent_without_a_token_and_without_an_identity_is_told_so(self):
        words = [BIN / "berth-agent", "--check_config", f"--flagfile={CONFIGURATION['berth-agent']}", f"--data_dir={self.folder}", "--daemon=berth.example:8774"]
        status, text = said(*words)
        self.assertEqual((status, text), (78, "berth-agent: --join_file: wanted a join token, as this host has not joined a region yet, found ''\n"))
        (self.folder / "join").write_text("not a token\n")
        status, text = said(*words, f"--join_file={self.folder}/join")
        self.assertEqual(status, 78)
        self.assertNotIn("not a token", text, "a token is a secret")
        (self.folder / "join").write_text(f"berth1.host-0123456789abcdef0.{'0' * 40}.{'0' * 64}\n")
        self.assertEqual(said(*words, f"--join_file={self.folder}/join"), (0, "ok\n"))
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["join"], "--check_config left something")


class Watchdog(WithFolder):
    """Signs of life on a real notification socket: every half second while commits reach the disk."""

    def setUp(self):
        super().setUp()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(str(self.folder / "notify"))
        self.socket.setblocking(False)

    def start(self, data, *prefix):
        words = [*prefix, BIN / "berthd", f"--data_dir={data}", f"--admin_socket={self.folder}/admin.sock", "--ec2_listen=127.0.0.1:0",
                 "--link_listen=127.0.0.1:0", "--metrics_listen=", f"--log_file={self.folder}/berthd.log"]
        env = {**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify"), "WATCHDOG_USEC": "2000000"}
        env.pop("WATCHDOG_PID", None)
        daemon = subprocess.Popen([str(w) for w in words], env=env, stdin=subprocess.DEVNULL, start_new_session=True)

        def end():
            os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()
        self.addCleanup(end)
        eventually(20, "READY=1", lambda: "READY=1" in self.said())

    def said(self):
        try:
            return self.socket.recv(4096).decode()
        except BlockingIOError:
            return ""

    def signs_of_life(self, seconds):
        count, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            count += self.said() == "WATCHDOG=1"
            time.sleep(0.02)
        return count

    def tenant(self, name):
        """A change that needs a commit; not waited for."""
        words = [str(BIN / "berthctl"), f"--socket={self.folder}/admin.sock", "tenant", "create", name]
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def end():
            child.kill()
            child.wait()
        self.addCleanup(end)
        return child

    def test_a_commit_that_hangs_is_no_life(self):
        # The start has fewer syncs than forty; from then on each takes eight seconds.
        self.start(self.folder / "data", "strace", "--quiet=all", "--follow-forks", "-o", "/dev/null", "-e", "trace=fdatasync,fsync",
                   "-e", "inject=fdatasync,fsync:delay_enter=8s:when=40+")
        self.assertGreaterEqual(self.signs_of_life(3), 2)
        # One after another: those that come together share a commit, and how many do depends on the machine.
        for n in range(100):
            child = self.tenant(f"t{n}")
            try:
                child.wait(timeout=3)
            except subprocess.TimeoutExpired:
                break
        else:
            self.fail("a hundred commits, and none hangs")
        children = [child, self.tenant("next")]
        eventually(20, "a commit to hang", lambda: self.signs_of_life(2.5) == 0)
        self.assertTrue(any(child.poll() is None for child in children))

    def test_a_full_disk_is_waited_for(self):
        if os.geteuid() != 0:
            self.skipTest("only root can mount a small disk")
        data = self.folder / "small"
        data.mkdir()
        run("mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", data)
        self.addCleanup(run, "umount", "--lazy", data)
        self.start(data)
        filler = data / "filler"
        with open(filler, "wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
                    file.flush()
            except OSError:
                pass
        children = [self.tenant(f"t{n}") for n in range(8)]
        for child in children:
            child.wait(timeout=20)
        self.assertGreaterEqual(self.signs_of_life(5), 3, "a full disk was taken for a standstill")
        filler.unlink()


class Programs(unittest.TestCase):
    def test_they_are_hardened(self):
        for program in ("berthd", "berth-agent", "berthctl"):
            header = run("readelf", "--wide", "--file-header", "--dynamic", "--program-headers", BIN / program)
            self.assertRegex(header, r"Type:\s+DYN", f"{program} is not position independent")
            self.assertIn("GNU_RELRO", header)
            self.assertRegex(header, r"FLAGS.*NOW", f"{program} binds late")
            self.assertNotRegex(header, r"GNU_STACK.*E ", f"{program} has an executable stack")
            symbols = run("readelf", "--wide", "--dyn-syms", BIN / program)
            self.assertIn("__stack_chk_fail", symbols, f"{program} has no stack protector")
            self.assertRegex(symbols, r"__\w+_chk@", f"{program} has no fortified call")


if __name__ == "__main__":
    unittest.main(verbosity=2)
