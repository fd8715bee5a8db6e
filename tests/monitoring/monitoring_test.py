#!/usr/bin/env python3
"""The dashboard, the scrape configuration, the rules, the alerts and the runbook fit one another.

Prometheus's own promtool judges syntax and behaviour; what it cannot know (that a metric exists, that a panel has
a unit, that an alert has a runbook section) is checked here against the programs' tables.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import pathlib

import tables
from alert_cases import CASES

EVALUATED = "20m"
UNITS = {"s", "short", "bytes", "decbytes", "Bps", "reqps", "ops", "percentunit", "none", "dateTimeFromNow", "cps", "mps"}


def promtool(*words):
    return subprocess.run(["promtool", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True)


def seconds(text):
    return sum(int(n) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit] for n, unit in re.findall(r"(\d+)([smhd])", text))


def anchors(markdown):
    """The anchors of a page's headings, as GitHub and most renderers make them."""
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)}


class Prometheus(unittest.TestCase):
    def test_promtool_finds_nothing_in_the_rules(self):
        for file in ("berth-recording.yml", "berth-alerts.yml"):
            done = promtool("check", "rules", tables.PROMETHEUS / file)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertNotIn("WARNING", done.stdout + done.stderr)
            self.assertEqual("", done.stderr)

    def test_promtool_finds_nothing_in_the_scrape_configuration(self):
        with tempfile.TemporaryDirectory() as folder:
            place = pathlib.Path(folder)
            (place / "targets").mkdir()
            (place / "rules").mkdir()
            for file in tables.PROMETHEUS.glob("berth-*.yml"):
                shutil.copy(file, place / "rules")
            (place / "targets/berth-agents.json").write_text('[{"targets": ["h:8776"], "labels": {"region": "r"}}]')
            text = (tables.PROMETHEUS / "scrape.yml").read_text().replace("/etc/prometheus", folder)
            (place / "prometheus.yml").write_text(text)
            done = promtool("check", "config", place / "prometheus.yml")
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            self.assertNotIn("WARNING", done.stdout + done.stderr)
            self.assertIn("2 rule files found", done.stdout)

    def test_the_alerts_are_made_from_their_table(self):
        done = subprocess.run([sys.executable, tables.PROMETHEUS / "make_alerts.py", "--check"], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)

    def test_rules_ask_only_for_what_there_is(self):
        known = tables.all_metrics()
        found = [c for r in tables.recording_rules() + tables.alert_rules()
                 for c in tables.complaints(r.get("record") or r["alert"], r["expr"], known)]
        self.assertEqual([], found, "\n".join(found))

    def test_every_alert_is_whole(self):
        sections = anchors(tables.RUNBOOK.read_text())
        for rule in tables.alert_rules():
            name = rule["alert"]
            self.assertIn(rule["labels"]["severity"], ("critical", "warning"), name)
            self.assertEqual({"summary", "description", "runbook_url"}, set(rule["annotations"]), name)
            anchor = rule["annotations"]["runbook_url"].split("#")[1]
            self.assertEqual(name.lower(), anchor)
            self.assertIn(anchor, sections, f"docs/operating/alerts.md has no section for {name}")

    def test_the_runbook_says_what_it_means_how_to_look_and_what_to_do(self):
        parts = re.split(r"^### ", tables.RUNBOOK.read_text(), flags=re.MULTILINE)[1:]
        names = {p.split("\n", 1)[0].strip() for p in parts}
        self.assertEqual({r["alert"] for r in tables.alert_rules()}, names)
        for part in parts:
            for word in ("**Means**", "**Look**", "**Do**"):
                self.assertIn(word, part, part.split("\n", 1)[0])

    def test_the_runbook_names_only_panels_that_there_are(self):
        titles = {p["title"] for p in tables.panels()}
        for part in re.findall(r"\*\*Look\*\*(.*?)\*\*Do\*\*", tables.RUNBOOK.read_text(), re.DOTALL):
            for quoted in re.findall(r'"([^"]+)"', re.sub(r"`[^`]*`", "", part)):
                self.assertIn(" ".join(quoted.split()), titles)


class EveryAlert(unittest.TestCase):
    """promtool test rules: each alert fires with the one set of series, not before its time, and not with the other."""

    def test_has_a_case_that_fires_and_one_that_does_not(self):
        rules = {r["alert"]: r for r in tables.alert_rules()}
        self.assertEqual(set(rules), set(CASES))
        tests = []
        for name, (firing, quiet) in CASES.items():
            self.assertNotEqual(firing, quiet, name)
            firing_then = [(EVALUATED, [{"labels": f'{{alertname="{name}"}}', "value": 1}])]
            if seconds(rules[name].get("for", "0s")) > 15:
                firing_then.append((f"{seconds(rules[name]['for']) - 15}s", []))
            tests.append(self.unit(name, firing, firing_then))
            tests.append(self.unit(name, quiet, [(EVALUATED, [])]))
        done = self.run_promtool(tests)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn("SUCCESS", done.stdout)

    def test_a_daemon_that_prometheus_does_not_know_is_down_too(self):
        others = {'up{job="berth-agent",region="r",instance="h"}': "1+0x80"}
        fires = [(EVALUATED, [{"labels": '{alertname="BerthdDown"}', "value": 1}])]
        done = self.run_promtool([self.unit("BerthdDown", others, fires)])
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_can_fail(self):
        firing, quiet = CASES["BerthStoreFull"]
        wrong = self.unit("BerthStoreFull", quiet, [(EVALUATED, [{"labels": '{alertname="BerthStoreFull"}', "value": 1}])])
        self.assertNotEqual(0, self.run_promtool([wrong]).returncode)

    @staticmethod
    def unit(name, series, expected):
        query = f'count by (alertname) (ALERTS{{alertname="{name}", alertstate="firing"}})'
        return {"interval": "15s", "input_series": [{"series": s, "values": v} for s, v in series.items()],
                "promql_expr_test": [{"expr": query, "eval_time": at, "exp_samples": samples} for at, samples in expected]}

    @staticmethod
    def run_promtool(tests):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "alerts_test.yml"
            rules = [str(tables.PROMETHEUS / f) for f in ("berth-recording.yml", "berth-alerts.yml")]
            file.write_text(json.dumps({"rule_files": rules, "evaluation_interval": "30s", "tests": tests}, indent=1))
            return promtool("test", "rules", file)


class Dashboard(unittest.TestCase):
    def test_is_made_by_its_program(self):
        done = subprocess.run([sys.executable, tables.DASHBOARD.parent / "make_dashboard.py", "--check"], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)

    def test_every_panel_is_whole(self):
        ids, titles = [], []
        for panel in tables.panels():
            ids.append(panel["id"])
            if panel["type"] == "row":
                continue
            where = panel["title"]
            titles.append(where)
            self.assertGreater(len(panel["description"]), 20, where)
            self.assertIn(panel["fieldConfig"]["defaults"]["unit"], UNITS, where)
            self.assertEqual("${datasource}", panel["datasource"]["uid"], where)
            self.assertTrue(panel["targets"], where)
            for target in panel["targets"]:
                self.assertTrue(target["legendFormat"], where)
                self.assertIn("$region", target["expr"], where)
            refs = [t["refId"] for t in panel["targets"]]
            self.assertEqual(len(refs), len(set(refs)), where)
        self.assertEqual(len(ids), len(set(ids)), "ids of panels")
        self.assertEqual(len(titles), len(set(titles)), "titles of panels")
        self.assertGreaterEqual(len(titles), 25)

    def test_no_two_panels_lie_on_each_other(self):
        taken = set()
        for panel in tables.panels():
            g = panel["gridPos"]
            self.assertLessEqual(g["x"] + g["w"], 24, panel["title"])
            cells = {(x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells

    def test_has_the_variables(self):
        names = [v["name"] for v in json.loads(tables.DASHBOARD.read_text())["templating"]["list"]]
        self.assertEqual(["datasource", "region", "zone"], names)

    def test_asks_only_for_what_there_is(self):
        known = tables.all_metrics()
        found = []
        for panel in tables.panels():
            for target in panel.get("targets", []):
                found += tables.complaints(panel["title"], target["expr"], known)
                legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
                selectors, grouped = tables.promql.read(target["expr"])
                has = set(grouped) | tables.OF_TARGETS if grouped else set().union(*(known[m][0] for m, _ in selectors if m in known)) | tables.OF_TARGETS
                found += [f"{panel['title']}: the legend names {name}, which is gone" for name in legend - has]
        for variable in json.loads(tables.DASHBOARD.read_text())["templating"]["list"]:
            if variable["type"] == "query":
                query, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
                found += tables.complaints(variable["name"], f"sum by ({label}) ({query})", known)
        self.assertEqual([], found, "\n".join(found))


class TheLintCanFail(unittest.TestCase):
    def test_each_rule_of_it(self):
        known = tables.all_metrics()
        good = 'sum by (zone) (berth_hosts{health="up", region=~"$region"})'
        self.assertEqual([], tables.complaints("x", good, known))
        for bad in ("sum(berth_hostes)", 'berth_hosts{healt="up"}', 'berth_hosts{health="ok"}', "sum by (state) (berth_hosts)",
                    "rate(berth_api_request_seconds[5m])", 'berth_hosts{health=~"up|gone"}', "1 + 1", "berth_hosts ; 1"):
            self.assertTrue(tables.complaints("x", bad, known), bad)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
