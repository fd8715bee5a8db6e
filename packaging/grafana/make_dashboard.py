#!/usr/bin/env python3
"""Writes berth-region.json, the dashboard of a region, from the table of panels below.

    packaging/grafana/make_dashboard.py            writes it anew
    packaging/grafana/make_dashboard.py --check    fails when it is stale

A panel is a title, a description, a unit and its queries with their legends; where it stands follows from its order
and width. tests/monitoring holds every query against the programs' tables of metrics, and the integration test
`prometheus` runs each against a real Prometheus.
"""
import json
import pathlib
import sys

FILE = pathlib.Path(__file__).resolve().parent / "berth-region.json"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
R = 'region=~"$region"'
Z = 'region=~"$region", zone=~"$zone"'
I = "$__rate_interval"


def quantile(q, metric, by="", selector=R):
    labels = "le" + (f", {by}" if by else "")
    return f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{{{selector}}}[{I}])))"


def rate(metric, by, selector=R):
    return f"sum by ({by}) (rate({metric}{{{selector}}}[{I}]))"


def quantiles(metric):
    return [(quantile(q, metric), name) for q, name in ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %"))]


def use(what):
    return [(f"sum by (zone) (berth_capacity_{what}{{{Z}}})", "{{zone}} may sell"),
            (f"sum by (zone) (berth_used_{what}{{{Z}}})", "{{zone}} used"),
            (f"sum by (zone) (berth_free_{what}{{{Z}}})", "{{zone}} free where instances go")]


def stat(title, description, unit, query, good=None, bad=None):
    """One number. `good`: green from there on; `bad`: red from there on."""
    steps = [{"color": "blue", "value": None}]
    if good is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": good}]
    if bad is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": bad}]
    return {"type": "stat", "title": title, "description": description, "unit": unit, "queries": [(query, title)], "w": 4, "h": 4, "steps": steps}


def graph(title, description, unit, *queries, stacked=False, w=8):
    return {"type": "timeseries", "title": title, "description": description, "unit": unit, "queries": list(queries), "w": w, "h": 8, "stacked": stacked}


ROWS = [
    ("Overview", [
        stat("berthd up", "1 while Prometheus can read the metrics page of berthd.", "none", f'min(up{{job="berthd", {R}}})', good=1),
        stat("Hosts up", "Hosts with a valid lease and a connection.", "none", f'sum(berth_hosts{{health="up", {Z}}})', good=1),
        stat("Hosts silent", "Hosts that are suspect or lost. Their guests may well run on.", "none", f'sum(berth_hosts{{health=~"suspect|lost", {Z}}})', bad=1),
        stat("Instances running", "Instances that their hosts report as running.", "none", f'sum(berth_instances{{state="running", {Z}}})'),
        stat("EC2 requests", "Requests of tenants answered per second.", "reqps", f"sum(rate(berth_api_requests_total{{{R}}}[{I}]))"),
        stat("API error share", "Share of the requests answered with InternalError or Unavailable in the last five minutes: faults of the region.", "percentunit",
             f"max(region:berth_api_errors:ratio_rate5m{{{R}}})", bad=0.05),
    ]),
    ("Capacity and use", [
        graph("Hosts by health", "up: valid lease. suspect: lease ran out or connection cut. lost: silent for longer. never_seen: enrolled, has not come yet.", "none",
              (f"sum by (health) (berth_hosts{{{Z}}})", "{{health}}"), stacked=True),
        graph("Hosts set aside", "Cordoned by an operator, or still acting on an older spec than the newest.", "none",
              (f"sum by (zone) (berth_hosts_cordoned{{{Z}}})", "{{zone}} cordoned"), (f"sum by (zone) (berth_hosts_behind{{{Z}}})", "{{zone}} behind")),
        graph("Instances by state", "By EC2 state, over the chosen zones. Terminated ones stay visible for an hour.", "none",
              (f"sum by (state) (berth_instances{{{Z}}})", "{{state}}"), stacked=True),
        graph("vCPUs", "What hosts may sell with over-commit, what instances hold, and what is left on hosts that are up and not cordoned.", "none", *use("vcpus")),
        graph("Memory", "What hosts may sell less the reserve, what instances hold, and what is left on hosts that are up and not cordoned.", "bytes", *use("memory_bytes")),
        graph("Disk", "What hosts may sell less the reserve, what instances hold, and what is left on hosts that are up and not cordoned.", "bytes", *use("disk_bytes")),
        graph("Share left by zone", "What is left where instances may go, of all that the zone's hosts may sell. The alert on capacity fires below a tenth.", "percentunit",
              (f"min by (zone, resource) (zone:berth_free:ratio{{{Z}}})", "{{zone}} {{resource}}")),
        graph("Oldest passing instance", "How long the oldest instance in a passing state has been in it. It falls back to zero when all have arrived.", "s",
              (f"max by (state) (berth_instances_oldest_seconds{{{R}}})", "{{state}}")),
        graph("Instances by zone", "Running instances of each zone.", "none", (f'sum by (zone) (berth_instances{{state="running", {Z}}})', "{{zone}}"), stacked=True),
    ]),
    ("API", [
        graph("API requests by action", "EC2 requests answered per second. The action - stands for requests refused before it was known.", "reqps",
              (rate("berth_api_requests_total", "action"), "{{action}}")),
        graph("API errors by code", "Requests answered with an error, per second, by EC2's code. Only InternalError and Unavailable are faults of the region.", "reqps",
              (rate("berth_api_requests_total", "code", f'code!="Success", {R}'), "{{code}}")),
        graph("API latency", "From a whole request to its answer, over all actions.", "s", *quantiles("berth_api_request_seconds")),
        graph("API latency by action", "The slowest hundredth of each action's requests.", "s", (quantile(0.99, "berth_api_request_seconds", "action"), "{{action}}")),
        graph("Refused authentications", "Requests per second with a wrong, old or missing signature, over five minutes.", "reqps",
              (f"region:berth_authentications_refused:rate5m{{{R}}}", "{{region}}")),
        graph("Told to come again", "Requests per second answered with RequestLimitExceeded or Unavailable: past their tenant's rate, no room in the region, or too late.", "reqps",
              (rate("berth_api_throttled_total", "reason"), "{{reason}}")),
        graph("Connections", "Open connections of each listener.", "none", (f"sum by (listener) (berth_http_connections{{{R}}})", "{{listener}}")),
        graph("Connections turned away", "Per second, by listener: over a limit, a handshake that failed, or cut for being slow or idle for too long.", "cps",
              (rate("berth_http_connections_total", "listener, fate", f'fate!="accepted", {R}'), "{{listener}} {{fate}}")),
        graph("Bytes of the API", "Inside TLS, per second, by listener.", "Bps", (rate("berth_http_bytes_total", "listener, direction"), "{{listener}} {{direction}}")),
    ]),
    ("Core and store", [
        graph("Commit latency", "From closing a batch to its being durable on the disk. Every answer to a change waits for it.", "s", *quantiles("berth_commit_seconds")),
        graph("Changes in a commit", "How many changes, and how many inputs, share one commit. Batches grow by themselves while the disk is busy.", "none",
              (f"sum(rate(berth_commit_changes_sum{{{R}}}[{I}])) / sum(rate(berth_commit_changes_count{{{R}}}[{I}]))", "changes, mean"),
              (f"sum(rate(berth_commit_inputs_sum{{{R}}}[{I}])) / sum(rate(berth_commit_inputs_count{{{R}}}[{I}]))", "inputs, mean"),
              (quantile(0.99, "berth_commit_changes"), "changes, 99 %")),
        graph("Time to reply", "From a batch's first input to its replies: waiting for the batch before, deciding, and the commit.", "s", *quantiles("berth_release_seconds")),
        graph("Refused decisions", "Inputs that the core answered with an error, per second, by kind of input and code. Refusals of tenants' calls are usual.", "ops",
              (rate("berth_decisions_refused_total", "input, code"), "{{input}} {{code}}")),
        graph("Commits", "Commits per second; each is one write to the disk that is waited for.", "ops", (f"sum(rate(berth_commit_seconds_count{{{R}}}[{I}]))", "commits")),
        graph("Deciding", "The slowest hundredth of the decisions by kind of input, on the core's only thread.", "s", (quantile(0.99, "berth_decide_seconds", "input"), "{{input}}")),
        graph("The core's time", "Share of the core's only thread spent on deciding, by kind of input. At 1 it is full.", "percentunit",
              (rate("berth_decide_seconds_sum", "input"), "{{input}}"), stacked=True),
        graph("Inputs waiting", "Inputs in the core's queue by class, and how many requests may wait at this moment before one more is told to slow down.", "none",
              (f"sum by (class) (berth_queue_class_inputs{{{R}}})", "{{class}}"), (f"sum(berth_queue_inputs_max{{{R}}})", "limit of requests")),
        graph("Oldest input waiting", "How long the oldest input of each class has waited for the core.", "s", (f"max by (class) (berth_queue_class_age_seconds{{{R}}})", "{{class}}")),
        graph("Shed inputs", "Inputs refused or dropped per second: the queue was full, it stood for too long, or the input came past its deadline.", "ops",
              (rate("berth_queue_class_shed_total", "class, reason"), "{{class}} {{reason}}")),
        graph("Time since the core's last tick", "The core ticks every second. A longer time says that it is stuck in something.", "s", (f"max by (region) (berth_core_silent_seconds{{{R}}})", "{{region}}")),
        graph("Store", "Size of the store, and what is free on its disk.", "bytes",
              (f"sum by (region) (berth_store_bytes{{{R}}})", "{{region}} store"), (f'sum by (region) (berth_store_disk_bytes{{kind="free", {R}}})', "{{region}} disk free")),
        graph("Store full", "1 while the disk of the store is full: reads go on, changes are refused with Unavailable.", "none", (f"max by (region) (berth_store_full{{{R}}})", "{{region}}")),
    ]),
    ("Agents", [
        graph("Agents connected", "Agents with a session, as berthd counts them.", "none", (f"sum by (region) (berth_agents_connected{{{R}}})", "{{region}}")),
        graph("Lease renewals", "Heartbeats per second that renewed a host's lease. Each connected host sends one every five seconds.", "ops",
              (rate("berth_lease_renewals_total", "region"), "{{region}}")),
        graph("Least lease left", "Of each host's lease, by its own agent. Negative: it has run out.", "s", (f"min by (instance) (berth_agent_lease_remaining_seconds{{{R}}})", "{{instance}}")),
        graph("Link messages", "Messages per second between berthd and its agents.", "ops", (rate("berth_link_messages_total", "direction"), "{{direction}}")),
        graph("Refused on the link", "Peers without a valid certificate, malformed messages, and joins with a wrong token, per second.", "ops", (rate("berth_link_refused_total", "what"), "{{what}}")),
        graph("Images sent", "Bytes of images that berthd sends to agents.", "Bps", (rate("berth_link_image_bytes_total", "region"), "{{region}}")),
        graph("Spec generation", "The generation of the spec that each agent acts on. It steps up with each change that concerns its host.", "none",
              (f"max by (instance) (berth_agent_spec_generation{{{R}}})", "{{instance}}")),
        graph("Longest behind", "How long the slowest host has been acting on an older spec than the newest.", "s", (f"max by (region) (berth_hosts_behind_oldest_seconds{{{R}}})", "{{region}}")),
        graph("Domains by state", "Instances' domains as the agents see them in libvirt, and domains that are not ours.", "none",
              (f"sum by (state) (berth_agent_instances{{{R}}})", "{{state}}"), (f"sum by (region) (berth_agent_foreign_domains{{{R}}})", "foreign")),
        graph("Actions by kind and result", "What agents do on their hosts, per second.", "ops", (rate("berth_agent_actions_total", "action, result"), "{{action}} {{result}}")),
        graph("Action duration", "The slowest tenth of each kind of action. Fetching an image takes as long as the network makes it.", "s",
              (quantile(0.9, "berth_agent_action_seconds", "action"), "{{action}}")),
        graph("Heartbeat round trip", "From a heartbeat to the lease that it brought, as agents measure it.", "s", *quantiles("berth_agent_round_trip_seconds")),
        graph("libvirt errors by call", "Calls of libvirt that failed, per second.", "ops", (rate("berth_agent_libvirt_errors_total", "call"), "{{call}}")),
        graph("libvirt time by call", "Mean time of a call of libvirt.", "s",
              (f"{rate('berth_agent_libvirt_seconds_total', 'call')} / {rate('berth_agent_libvirt_calls_total', 'call')}", "{{call}}")),
        graph("Longest libvirt call", "The longest call of libvirt so far on each host, since its agent's start.", "s",
              (f"max by (instance) (berth_agent_libvirt_longest_seconds{{{R}}})", "{{instance}}")),
        graph("Instances wanted", "Instances in the agents' specs by what is wanted; absent ones are being removed.", "none",
              (f"sum by (power) (berth_agent_spec_instances{{{R}}})", "{{power}}"), stacked=True),
        graph("Guests' disks free", "What is free on the file system of images and disks of each host.", "bytes",
              (f'min by (instance) (berth_agent_disk_bytes{{kind="free", {R}}})', "{{instance}}")),
    ]),
    ("Programs", [
        graph("Memory of the programs", "Resident memory of berthd and of each agent.", "bytes",
              (f'max by (job, instance) (process_resident_memory_bytes{{job=~"berthd|berth-agent", {R}}})', "{{job}} {{instance}}")),
        graph("CPU of the programs", "Processors kept busy by berthd and by each agent.", "percentunit",
              (rate("process_cpu_seconds_total", "job, instance", f'job=~"berthd|berth-agent", {R}'), "{{job}} {{instance}}")),
        graph("Open files", "Open files and connections, as a share of what may be open.", "percentunit",
              (f'max by (job, instance) (process_open_fds{{job=~"berthd|berth-agent", {R}}} / process_max_fds{{{R}}})', "{{job}} {{instance}}")),
        graph("Certificates", "Life left in the region's certificates, and the least in any host's. Hosts' live for a day and renew themselves.", "s",
              (f"min by (certificate) (berth_certificate_expires_timestamp_seconds{{{R}}} - time())", "{{certificate}}"),
              (f"min by (region) (berth_agent_certificate_expires_timestamp_seconds{{{R}}} - time())", "hosts, least")),
        graph("Versions", "How many programs run which version.", "none",
              (f"count by (version) (berth_build_info{{{R}}})", "berthd {{version}}"), (f"count by (version, virt_type) (berth_agent_build_info{{{R}}})", "agent {{version}} {{virt_type}}")),
        graph("Uptime", "Since the programs were started.", "s",
              (f'time() - max by (job, instance) (process_start_time_seconds{{job=~"berthd|berth-agent", {R}}})', "{{job}} {{instance}}")),
    ]),
]


def panel(spec, number, x, y):
    defaults = {"unit": spec["unit"]}
    if spec["type"] == "timeseries":
        custom = {"fillOpacity": 20 if spec["stacked"] else 5, "lineWidth": 1, "showPoints": "never", "stacking": {"mode": "normal" if spec["stacked"] else "none"}}
        defaults["custom"] = custom
        options = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    else:
        defaults["thresholds"] = {"mode": "absolute", "steps": spec["steps"]}
        options = {"colorMode": "background", "graphMode": "area", "reduceOptions": {"calcs": ["lastNotNull"]}}
    targets = [{"datasource": DATASOURCE, "expr": query, "legendFormat": legend, "refId": chr(ord("A") + i)} for i, (query, legend) in enumerate(spec["queries"])]
    return {"id": number, "type": spec["type"], "title": spec["title"], "description": spec["description"], "datasource": DATASOURCE,
            "gridPos": {"x": x, "y": y, "w": spec["w"], "h": spec["h"]}, "fieldConfig": {"defaults": defaults, "overrides": []}, "options": options, "targets": targets}


def panels():
    out, y = [], 0
    for title, specs in ROWS:
        out.append({"id": len(out) + 1, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}})
        x, y, height = 0, y + 1, 0
        for spec in specs:
            if x + spec["w"] > 24:
                x, y, height = 0, y + height, 0
            out.append(panel(spec, len(out) + 1, x, y))
            x, height = x + spec["w"], max(height, spec["h"])
        y += height
    return out


def variable(name, query, **more):
    return {"name": name, "type": "query", "datasource": DATASOURCE, "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, **more}


def dashboard():
    every = {"includeAll": True, "multi": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}}
    return {
        "uid": "berth-region", "title": "Berth region", "tags": ["berth"], "schemaVersion": 38, "version": 1, "editable": True, "graphTooltip": 1,
        "refresh": "30s", "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
            variable("region", 'label_values(up{job="berthd"}, region)', label="Region", includeAll=False, multi=False),
            variable("zone", 'label_values(berth_hosts{region=~"$region"}, zone)', label="Zone", **every),
        ]},
        "panels": panels(),
    }


def main():
    text = json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"
    if "--check" in sys.argv[1:]:
        if not FILE.is_file() or FILE.read_text() != text:
            sys.exit(f"{FILE} is stale: run {pathlib.Path(__file__).name}")
        return
    FILE.write_text(text)


if __name__ == "__main__":
    main()
