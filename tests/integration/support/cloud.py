"""A real cloud on this machine for the tests: berthd, berth-agent, libvirt, guests.

It is started by scripts/quickstart in a place of its own, so that what the tests use is what a
person gets, and the programs' flags are known in one place only.
"""

import json
import os
import pathlib
import signal
import subprocess
import time
import xml.etree.ElementTree

import boto3
import botocore.config
import botocore.exceptions

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(os.environ.get("BERTH_BIN", ROOT / "build/release/bin"))


def run(*words, **options):
    """The standard output of a command; its output and error are part of the exception."""
    done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def eventually(seconds, what, probe):
    """The first true value of probe(); an error that says what was waited for and what was last seen."""
    end = time.monotonic() + seconds
    while True:
        seen = probe()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}; last seen: {seen!r}")
        time.sleep(0.2)


class Cloud:
    def __init__(self, name, agent=True, berthd_flags=()):
        self.state = pathlib.Path(f"/var/lib/berth-test-{name}")
        self.testbed_state = pathlib.Path(f"/var/lib/berth-test-{name}-hosts")
        self.agent = agent
        self.flags = list(berthd_flags)
        self.children = []

    # ---- life ----------------------------------------------------------------------------------

    def quickstart(self, *flags):
        return run(ROOT / "scripts/quickstart", f"--state={self.state}", f"--bin={BIN}", "--no_tour", *flags)

    def __enter__(self):
        self.remove()
        try:
            extra = [f"--berthd_flag={flag}" for flag in self.flags]
            self.quickstart("--virt_type=qemu", *extra, *([] if self.agent else ["--no_agent"]))
        except BaseException:
            self.show_logs()
            self.remove()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.show_logs()
        self.remove()

    def remove(self):
        if self.testbed_state.exists():
            self.testbed("down")
        if self.state.exists():
            self.quickstart("--down")
        for child in self.children:
            child.wait()

    def show_logs(self):
        for log in [*self.state.glob("*.log"), *self.testbed_state.glob("*/agent.log")]:
            print(f"--- the last lines of {log}")
            print("\n".join(log.read_text(errors="replace").splitlines()[-40:]), flush=True)

    # ---- the programs --------------------------------------------------------------------------

    def pid(self, name):
        return int((self.state / f"{name}.pid").read_text())

    def kill(self, name):
        """SIGKILL of `berthd` or `agent`; returns when the process is gone."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        for child in self.children:
            if child.pid == pid:
                child.wait()
                self.children.remove(child)
                return
        eventually(10, f"the end of {name}", lambda: not pathlib.Path(f"/proc/{pid}/exe").exists())

    def start(self, name):
        """Starts it with the very command line that quickstart used; does not wait for it."""
        command = (self.state / f"{name}.command").read_text()
        with open(self.state / f"{name}.log", "ab") as log:
            child = subprocess.Popen(["sh", "-c", f"exec {command}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.children.append(child)
        (self.state / f"{name}.pid").write_text(f"{child.pid}\n")

    def ctl(self, *words):
        return run(BIN / "berthctl", f"--socket={self.state}/berthd/admin.sock", *words)

    def ctl_json(self, *words):
        return json.loads(self.ctl(*words, "--output=json"))

    def testbed(self, *words):
        flags = [f"--state={self.testbed_state}", f"--quickstart={self.state}", f"--bin={BIN}", "--virt_type=qemu"]
        return run(ROOT / "scripts/testbed", *flags, *words)

    # ---- clients -------------------------------------------------------------------------------

    @property
    def environment(self):
        lines = (self.state / "aws.env").read_text().replace("export ", " ").split()
        return dict(line.split("=", 1) for line in lines)

    @property
    def endpoint(self):
        ports = dict(line.split("=") for line in (self.state / "ports").read_text().split())
        return f"https://127.0.0.1:{ports['ec2_port']}"

    @property
    def image(self):
        return (self.state / "image_id").read_text().strip()

    def client(self, service="ec2", key=None, secret=None, **config):
        """An unmodified boto3 client; `key` and `secret` of another tenant, `config` as botocore's Config."""
        env = self.environment
        return boto3.session.Session().client(
            service,
            endpoint_url=self.endpoint,
            region_name=env["AWS_DEFAULT_REGION"],
            aws_access_key_id=key or env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=secret or env["AWS_SECRET_ACCESS_KEY"],
            verify=env["AWS_CA_BUNDLE"],
            config=botocore.config.Config(**{"retries": {"max_attempts": 0}, "connect_timeout": 5, "read_timeout": 30, **config}),
        )

    def aws(self, *words):
        """The unmodified aws CLI; its JSON as a value."""
        env = {**os.environ, **self.environment, "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
        text = run("aws", "--endpoint-url", self.endpoint, "--output", "json", *words, env=env)
        return json.loads(text) if text.strip() else None

    # ---- what guests say -----------------------------------------------------------------------

    def console(self, instance):
        """The console as its host tells it now; waits for a host that is about to be back."""
        client = self.client()

        def told():
            try:
                return client.get_console_output(InstanceId=instance, Latest=True)
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] != "Unavailable":
                    raise
                return None
        return eventually(60, f"the host of {instance}", told).get("Output", "").replace("\r", "")

    def boots(self, instance):
        """How often the guest of this instance came up, by its own words."""
        return self.console(instance).count(f"berth-guest: booted instance={instance}")

    def last_tick(self, instance):
        ticks = [line for line in self.console(instance).splitlines() if line.startswith("tick ")]
        return int(ticks[-1].split()[1]) if ticks else -1

    def instances(self, **filters):
        """All instances of the tenant that are not terminated, by id."""
        pages = self.client().get_paginator("describe_instances").paginate(**filters)
        found = [i for page in pages for r in page["Reservations"] for i in r["Instances"]]
        return {i["InstanceId"]: i for i in found if i["State"]["Name"] != "terminated"}

    def domain_xml(self, instance):
        """What libvirt on this machine runs the instance with."""
        return xml.etree.ElementTree.fromstring(run("virsh", "-q", "-c", "qemu:///system", "dumpxml", instance))

    def domains(self, host=None):
        """Names of the running libvirt domains of this cloud on this machine, or of a host of the testbed."""
        if host:
            return self.testbed("exec", host, "virsh", "-q", "-c", "qemu:///system", "list", "--name").split()
        virsh = ["virsh", "-q", "-c", "qemu:///system"]
        # One that ends between the two questions has no XML any more, and is none.
        return [n for n in run(*virsh, "list", "--name").split()
                if f"'{self.state}/" in subprocess.run([*virsh, "dumpxml", n], capture_output=True, text=True).stdout]
