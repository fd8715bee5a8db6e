"""A fresh Debian under its own systemd: what a server looks like on which packages are installed.

    root = base_root(["systemd", ...])          # made once by mmdebstrap, kept under build/cache
    with Container(root, directory) as debian:
        debian.run("systemctl", "is-system-running")

It has a network of its own without a way out, so it can bind any port and nothing reaches it.
"""

import ctypes
import hashlib
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import threading
import uuid

from support.cloud import ROOT, eventually, run

CACHE = pathlib.Path(os.environ.get("BERTH_CACHE", ROOT / "build/cache"))
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def sources():
    """This machine's own Debian sources, so that what is installed there fits what was built here."""
    release = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    name = release["VERSION_CODENAME"].strip('"')
    lines = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)", "Created-By: Packages").splitlines()
    found = sorted({line for line in lines if line.split()[1] in (name, f"{name}-updates", f"{name}-security") and line.endswith(" main")})
    if not found:
        raise AssertionError(f"apt knows no source of {name} main: run apt-get update")
    return name, [f"deb {line}" for line in found]


def base_root(packages):
    """The folder of a Debian that has `packages`; made by mmdebstrap if the cache has none."""
    name, lines = sources()
    key = hashlib.sha256("\n".join([name, *sorted(packages), *lines]).encode()).hexdigest()[:16]
    root = CACHE / f"package-root-{key}"
    if not root.exists():
        for old in CACHE.glob("package-root-*"):
            shutil.rmtree(old)
        part = CACHE / f"package-root-{key}.part"
        part.parent.mkdir(parents=True, exist_ok=True)
        options = [f"--aptopt={line}" for line in run("apt-config", "dump", "Acquire::http::Proxy", "Acquire::https::Proxy").splitlines()]
        run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(sorted(packages))}", "--aptopt=APT::Install-Recommends \"false\"",
            *options, name, part, *lines)
        part.rename(root)
    return root


def children_of(pid):
    try:
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def began(pid):
    """When a process began, which no other of its number did; empty: there is none."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except OSError:
        return ""


class Container:
    def __init__(self, base, directory):
        self.base = base
        self.directory = pathlib.Path(directory)
        self.root = self.directory / "root"
        self.nspawn = None
        self.init = None

    def __enter__(self):
        self.remove()
        try:
            self.directory.mkdir(parents=True)
            run("cp", "-a", "--reflink=auto", self.base, self.root)
            # An empty one would make this the first boot, and systemd enable whatever is installed.
            (self.root / "etc/machine-id").write_text(uuid.uuid4().hex + "\n")
            (self.root / "etc/hostname").write_text("debian\n")
            # The container's control groups are read-only on a machine of version 1.
            with open(self.root / "etc/libvirt/qemu.conf", "a") as conf:
                conf.write("cgroup_controllers = [ ]\n")
            self.boot()
        except BaseException:
            self.show_log()
            self.remove()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.show_log()
        self.remove()

    def boot(self):
        # systemd-nspawn wants a terminal to boot on.
        mine, theirs = pty.openpty()
        command = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--bind=/dev/net/tun", "--boot", f"--directory={self.root}"]
        # Should this process be killed, systemd-nspawn is asked to end; killed with it, it would leave its process 1 behind.
        self.nspawn = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                       preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM))
        os.close(theirs)
        threading.Thread(target=self.keep_log, args=(mine,), daemon=True).start()
        self.init = eventually(20, "the container's process 1", lambda: children_of(self.nspawn.pid))[0]
        (self.directory / "init").write_text(f"{self.init} {began(self.init)}\n")
        eventually(60, "systemd in the container", lambda: self.ok("systemctl", "is-active", "multi-user.target"))
        # libvirt sets its bridge up through sysfs.
        self.run("mount", "-o", "remount,bind,rw", "/sys/devices")

    def keep_log(self, terminal):
        with open(self.directory / "boot.log", "wb") as log:
            while True:
                try:
                    data = os.read(terminal, 4096)
                except OSError:  # the other end is gone
                    break
                if not data:
                    break
                log.write(data)
                log.flush()
        os.close(terminal)

    def show_log(self):
        log = self.directory / "boot.log"
        if log.exists():
            print(f"--- the last lines of {log}", *log.read_text(errors="replace").splitlines()[-15:], sep="\n")
        if self.init and pathlib.Path(f"/proc/{self.init}").exists():
            for unit in ("berthd", "berth-agent", "libvirtd"):
                print(f"--- the journal of {unit}", self.try_run("journalctl", "--no-pager", "--lines=30", "--unit", unit)[1], sep="\n", flush=True)

    # ---- inside --------------------------------------------------------------------------------

    def command(self, *words):
        return ["nsenter", "--target", str(self.init), "--all", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C",
                "DEBIAN_FRONTEND=noninteractive", *map(str, words)]

    def run(self, *words):
        return run(*self.command(*words))

    def try_run(self, *words):
        """(exit status, output and error together)"""
        done = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def ok(self, *words):
        return self.try_run(*words)[0] == 0

    def enter_network(self):
        """This process's sockets, and those of all it starts from now on, are the container's."""
        with open(f"/proc/{self.init}/ns/net") as network:
            if LIBC.setns(network.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def files(self):
        """Every path below the root that is on its own file system."""
        return set(self.run("find", "/", "-xdev", "-print0").split("\0")) - {""}

    # ---- the end -------------------------------------------------------------------------------

    def left_over(self):
        """Process 1 of the container: ours, or that of a run that was killed; None if there is none."""
        if self.init:
            return self.init
        try:
            pid, time = (self.directory / "init").read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if began(pid) == time else None

    def remove(self):
        pid = self.left_over()
        if pid:
            # It takes everything inside along, and systemd-nspawn ends by itself.
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.nspawn:
            if not pid:
                self.nspawn.terminate()
            self.nspawn.wait(timeout=20)
        elif pid:
            eventually(20, "the end of an earlier container", lambda: not began(pid))
        self.nspawn = self.init = None
        if self.directory.exists():
            shutil.rmtree(self.directory)
