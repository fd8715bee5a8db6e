"""What there is to ask for: the programs' metrics, the recording rules, the alerts, the dashboard."""

import importlib.util
import json
import pathlib
import re

import promql
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "packaging/prometheus"
DASHBOARD = ROOT / "packaging/grafana/berth-region.json"
RUNBOOK = ROOT / "docs/operating/alerts.md"
# What Prometheus and scrape.yml add to each series.
OF_TARGETS = {"job", "instance", "region"}


def program_metrics():
    """name -> (labels, {label: closed values}), from the reference that a test keeps equal to the programs' tables."""
    out = {"up": (set(), {})}
    for line in (ROOT / "docs/reference/metrics.md").read_text().splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) != 6 or not cells[0].startswith("`"):
            continue
        labels, values = set(), {}
        for part in filter(None, cells[3].split(";")):
            name, of = part.strip().split(":", 1)
            labels.add(name.strip("`"))
            if "at most" not in of:
                values[name.strip("`")] = set(re.findall(r"`([^`]+)`", of))
        name = cells[0].strip("`")
        names = [name]
        if cells[1] == "histogram":
            names, extra = [f"{name}_bucket", f"{name}_sum", f"{name}_count"], {f"{name}_bucket": {"le"}}
            for n in names:
                out[n] = (labels | extra.get(n, set()), values)
        else:
            out[name] = (labels, values)
    return out


def groups(file):
    return yaml.safe_load((PROMETHEUS / file).read_text())["groups"]


def recording_rules():
    return [r for g in groups("berth-recording.yml") for r in g["rules"]]


def alert_rules():
    return [r for g in groups("berth-alerts.yml") for r in g["rules"]]


def all_metrics():
    """Those of the programs, and what the recording rules make of them."""
    out = program_metrics()
    for rule in recording_rules():
        _, grouped = promql.read(rule["expr"])
        labels = {label for label in grouped if label not in ("le", "region")}
        labels |= {label for label in re.findall(r'label_replace\(.*?, "(\w+)", "', rule["expr"])}
        out[rule["record"]] = (labels, {})
    return out


def panels():
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        yield panel
        yield from panel.get("panels", [])


def complaints(where, query, known):
    """What is wrong with a query's metrics and labels."""
    try:
        selectors, grouped = promql.read(query)
    except promql.NotRead as error:
        return [f"{where}: {error}"]
    out, allowed = [], set(OF_TARGETS)
    if not selectors:
        out.append(f"{where}: names no metric: {query}")
    for metric, labels in selectors:
        if metric not in known:
            out.append(f"{where}: there is no metric {metric}")
            continue
        has, values = known[metric]
        allowed |= has
        for label, (sign, value) in labels.items():
            if label not in has | OF_TARGETS:
                out.append(f"{where}: {metric} has no label {label}")
            elif label in values and "$" not in value:
                unknown = set(value.split("|")) - values[label]
                if sign in ("=", "=~", "!=") and unknown:
                    out.append(f"{where}: {label} of {metric} is never {', '.join(sorted(unknown))}")
    # label_replace names labels of its own.
    allowed |= set(re.findall(r'label_replace\(.*?, "(\w+)", "', query))
    out += [f"{where}: no metric of {query} has the label {g}" for g in grouped if g not in allowed]
    return out
