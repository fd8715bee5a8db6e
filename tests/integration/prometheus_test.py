"""A real Prometheus in front of a real cloud: every panel of the dashboard has data, and alerts fire when things break.

The rules are the shipped ones with their times shortened (`for:` and the windows of rates), for a test has no ten
minutes; their expressions and thresholds stay. That they keep their times is what tests/monitoring shows.
"""

import json
import math
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request

import botocore.exceptions

from support.cloud import ROOT, Cloud, eventually

sys.path.insert(0, str(ROOT / "tests/monitoring"))
import tables  # noqa: E402

REGION = "us-east-1"
WINDOW = "15s"
# What depends on this machine's disk, load and other guests, and on nothing that the test does.
OF_THE_MACHINE = {"BerthStoreDiskLow", "BerthAgentDiskLow", "BerthApiSlow", "BerthCommitSlow", "BerthUnknownInstances"}
ROOM = ["--cpu_overcommit_permille=32000"]  # a small machine must not look full


def shortened(text):
    """The same rules for a test of a minute: windows of seconds, alerts after one."""
    text = re.sub(r"\[\d+[mh]\]", f"[{WINDOW}]", text)
    return re.sub(r"^( +(?:for|interval)): \w+$", r"\1: 1s", text, flags=re.MULTILINE)


class Prometheus:
    def __init__(self, folder, ports):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        rules = []
        for name in ("berth-recording.yml", "berth-alerts.yml"):
            rules.append(str(folder / name))
            (folder / name).write_text(shortened((tables.PROMETHEUS / name).read_text()))
        agents = [{"targets": [f"127.0.0.1:{ports['agent_metrics_port']}"], "labels": {"region": REGION}}]
        (folder / "agents.json").write_text(json.dumps(agents))
        (folder / "prometheus.yml").write_text(json.dumps({  # JSON is YAML
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": rules,
            "scrape_configs": [
                {"job_name": "berthd", "static_configs": [{"targets": [f"127.0.0.1:{ports['metrics_port']}"], "labels": {"region": REGION}}]},
                {"job_name": "berth-agent", "file_sd_configs": [{"files": [str(folder / "agents.json")]}]},
            ]}))
        log = open(folder / "prometheus.log", "wb")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={self.address}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()

    def __enter__(self):
        eventually(30, "Prometheus", self.is_ready)
        return self

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        if kind:
            print((self.folder / "prometheus.log").read_text()[-3000:], flush=True)

    def is_ready(self):
        try:
            return urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def ask(self, path, **form):
        data = urllib.parse.urlencode(form).encode() if form else None
        with urllib.request.urlopen(f"http://{self.address}/api/v1/{path}", data=data, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, text):
        """{labels as text: value} of an instant query."""
        found = self.ask("query", query=text)["result"]
        return {json.dumps(r["metric"], sort_keys=True): float(r["value"][1]) for r in found}

    def firing(self):
        return {a["labels"]["alertname"]: a for a in self.ask("alerts")["alerts"] if a["state"] == "firing"}


class Tenants(threading.Thread):
    """Calls that succeed and calls that fail, again and again, until told to stop."""

    def __init__(self, cloud):
        super().__init__(daemon=True)
        self.client = cloud.client()
        self.intruder = cloud.client(secret="x" * 40)
        self.image = cloud.image
        self.instances = []
        self.refuses = threading.Event()  # whether bad signatures are tried too
        self.stop = threading.Event()
        self.codes = set()

    def call(self, function, **arguments):
        try:
            return function(**arguments)
        except botocore.exceptions.ClientError as error:
            self.codes.add(error.response["Error"]["Code"])
        except botocore.exceptions.BotoCoreError:
            pass  # berthd is away: the test stopped it

    def run(self):
        turn = 0
        while not self.stop.wait(0.1):
            turn += 1
            self.call(self.client.describe_instances)
            self.call(self.client.describe_instances, InstanceIds=["i-0123456789abcdef0"])
            if turn % 10 == 1 and len(self.instances) < 3:
                reply = self.call(self.client.run_instances, ImageId=self.image, InstanceType="t2.nano", MinCount=1, MaxCount=1)
                self.instances += [i["InstanceId"] for i in reply["Instances"]] if reply else []
            if turn % 20 == 0 and len(self.instances) > 1:
                self.call(self.client.terminate_instances, InstanceIds=[self.instances.pop()])
            if self.instances:
                self.call(self.client.get_console_output, InstanceId=self.instances[0], Latest=True)
            if self.refuses.is_set():
                self.call(self.intruder.describe_instances)


class RealPrometheus(unittest.TestCase):
    def test_the_dashboard_has_data_and_alerts_fire(self):
        with tempfile.TemporaryDirectory(prefix="berth-prometheus-") as folder, Cloud("prometheus", berthd_flags=ROOM) as cloud:
            ports = dict(line.split("=") for line in (cloud.state / "ports").read_text().split())
            self.pages_please_promtool(ports)
            with Prometheus(pathlib.Path(folder), ports) as prometheus:
                tenants = Tenants(cloud)
                tenants.start()
                try:
                    self.a_working_region(cloud, prometheus)
                    self.a_breaking_region(cloud, prometheus, tenants)
                finally:
                    tenants.stop.set()
                    tenants.join()

    def pages_please_promtool(self, ports):
        for port in ("metrics_port", "agent_metrics_port"):
            page = urllib.request.urlopen(f"http://127.0.0.1:{ports[port]}/metrics", timeout=10).read()
            done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True)
            self.assertEqual((0, b""), (done.returncode, done.stdout + done.stderr))

    def a_working_region(self, cloud, prometheus):
        eventually(30, "both programs", lambda: sum(prometheus.query("up").values()) == 2)
        empty = dict(self.queries())

        def still_empty():
            for where, query in list(empty.items()):
                if any(math.isfinite(v) for v in prometheus.query(query).values()):
                    del empty[where]
            return not empty
        try:
            eventually(45, "data in every panel", still_empty)
        except AssertionError:
            self.fail("no data in: " + "; ".join(f"{where}: {query}" for where, query in empty.items()))
        known = {m: v for m, v in prometheus.query("{__name__=~'berth_.*'}").items() if '"other"' in m}
        self.assertEqual({}, known, "values that the tables do not list")
        self.assertEqual(set(), set(prometheus.firing()) - OF_THE_MACHINE, "alerts in a region where nothing is wrong")
        for job, cost in prometheus.query("max by (job) (max_over_time(scrape_duration_seconds[30s]))").items():
            print(f"longest scrape of {job}: {cost * 1000:.1f} ms", flush=True)
            self.assertLess(cost, 1)
        print("samples of a scrape:", prometheus.query("scrape_samples_scraped"), flush=True)

    def queries(self):
        values = {"$region": REGION, "$zone": ".*", "$__rate_interval": WINDOW}
        for panel in tables.panels():
            for target in panel.get("targets", []):
                query = target["expr"]
                for name, value in values.items():
                    query = query.replace(name, value)
                yield f"{panel['title']} {target['refId']}", query

    def a_breaking_region(self, cloud, prometheus, tenants):
        seen = {}

        def fires(*names):
            """Waits for all of them; what fired once counts."""
            wanted = set(names)

            def probe():
                seen.update(prometheus.firing())
                return wanted <= set(seen)
            try:
                eventually(80, f"alerts {sorted(wanted)}", probe)
            except AssertionError as error:
                raise AssertionError(f"{error}; fired: {sorted(seen)}; answers: {sorted(tenants.codes)}") from None

        # The host's agent dies: console reads fail, nothing can be placed, then the host is lost. Meanwhile
        # somebody tries wrong keys.
        tenants.refuses.set()
        cloud.kill("agent")
        fires("BerthAgentDown", "BerthHostSuspect", "BerthApiErrors", "BerthNoCapacity", "BerthZoneCapacityLow",
              "BerthAuthenticationsRefused", "BerthHostLost")
        cloud.kill("berthd")
        fires("BerthdDown")
        print("fired:", ", ".join(sorted(seen)), flush=True)
        for name, alert in seen.items():
            text = json.dumps(alert["annotations"])
            self.assertNotIn("error expanding", text)
            self.assertNotIn("<no value>", text)
            self.assertIn(f"#{name.lower()}", alert["annotations"]["runbook_url"])
            self.assertIn(alert["labels"]["severity"], ("critical", "warning"))


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
