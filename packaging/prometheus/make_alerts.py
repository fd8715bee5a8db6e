#!/usr/bin/env python3
"""Writes berth-alerts.yml from the table below: one row per alert, one form for all.

    packaging/prometheus/make_alerts.py            writes it anew
    packaging/prometheus/make_alerts.py --check    fails when it is stale

Each alert has a section of its name in docs/operating/alerts.md and its cases in tests/monitoring/alert_cases.py;
tests/monitoring holds all three against each other.
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
# Where the runbook is served; docs/operating/monitoring.md says how to put in your own.
RUNBOOK = "https://berth.example/docs/operating/alerts.md"

HEAD = """\
# Alerts of a Berth region. Made by make_alerts.py: change its table, not this file.
# critical: wakes somebody. warning: is looked at within a working day.
groups:
"""

# Group; then: name, severity, for, expression, summary, description.
ALERTS = {
    "berth-daemon": [
        ("BerthdDown", "critical", "1m",
         'up{job="berthd"} == 0 or absent(up{job="berthd"})',
         "berthd of {{ $labels.region }} does not answer",
         "The metrics page of berthd cannot be read. Guests run on; the API is probably away."),
        ("BerthdNotServing", "critical", "30s", "berth_core_silent_seconds > 10",
         "The core of berthd in {{ $labels.region }} stands still",
         "Its last tick is {{ $value | humanizeDuration }} old, with one due each second: no request is decided."),
        ("BerthdRestarting", "warning", "0s", "changes(berth_term[30m]) > 2",
         "berthd of {{ $labels.region }} starts again and again",
         "{{ $value }} starts within half an hour."),
        ("BerthCommitSlow", "warning", "10m", "region:berth_commit_seconds:p99_5m > 0.1",
         "Commits are slow in {{ $labels.region }}",
         "One commit in a hundred takes {{ $value | humanizeDuration }} or longer; every answer waits for its commit."),
        ("BerthStoreFull", "critical", "0s", "berth_store_full == 1",
         "The store of {{ $labels.region }} is full",
         "Reads go on; every change is refused with Unavailable until there is room on the disk again."),
        ("BerthStoreDiskLow", "warning", "10m",
         'berth_store_disk_bytes{kind="free"} / ignoring(kind) berth_store_disk_bytes{kind="total"} < 0.1',
         "The disk of the store of {{ $labels.region }} fills up",
         "{{ $value | humanizePercentage }} of it is free."),
        ("BerthQueueSaturated", "critical", "1m", "berth_queue_inputs / berth_queue_inputs_max > 0.8",
         "The queue of the core in {{ $labels.region }} is nearly full",
         "It is filled to {{ $value | humanizePercentage }}; what does not fit is told to slow down."),
        ("BerthQueueSheds", "critical", "2m",
         'sum by (region, class) (rate(berth_queue_class_shed_total{class=~"lease|operation"}[5m])) > 0',
         "berthd of {{ $labels.region }} drops what must not wait",
         "{{ $value | humanize }} inputs a second of the class {{ $labels.class }} are refused or dropped."),
        ("BerthAuditChainShortened", "critical", "0s", "resets(berth_audit_records[1h]) > 0",
         "The audit log of {{ $labels.region }} has become shorter",
         "The number of the last audit record only ever grows, unless an older store was put in its place."),
        ("BerthCertificateExpiring", "warning", "10m",
         "berth_certificate_expires_timestamp_seconds - time() < 30 * 86400",
         "The certificate {{ $labels.certificate }} of {{ $labels.region }} ends soon",
         "{{ $value | humanizeDuration }} are left."),
        ("BerthOpenFilesHigh", "warning", "10m",
         'process_open_fds{job=~"berthd|berth-agent"} / process_max_fds > 0.8',
         "{{ $labels.job }} at {{ $labels.instance }} runs out of files",
         "{{ $value | humanizePercentage }} of the files and connections that it may open are open."),
        ("BerthMetricsFolded", "warning", "0s", "increase(berth_metrics_folded_total[1h]) > 0",
         "{{ $labels.job }} at {{ $labels.instance }} counts values as \"other\"",
         "A label had more different values than its row of the table allows; its panels are not complete."),
    ],
    "berth-api": [
        ("BerthApiErrors", "critical", "5m", "region:berth_api_errors:ratio_rate5m > 0.05",
         "The EC2 API of {{ $labels.region }} fails",
         "{{ $value | humanizePercentage }} of the requests are answered with InternalError or Unavailable."),
        ("BerthApiSlow", "warning", "10m", "region:berth_api_request_seconds:p99_5m > 1",
         "The EC2 API of {{ $labels.region }} is slow",
         "One request in a hundred takes {{ $value | humanizeDuration }} or longer."),
        ("BerthApiThrottled", "warning", "10m",
         'region_code:berth_api_requests:rate5m{code="RequestLimitExceeded"} '
         "/ ignoring(code) region:berth_api_requests:rate5m > 0.05",
         "Tenants of {{ $labels.region }} are told to slow down",
         "{{ $value | humanizePercentage }} of the requests are answered with RequestLimitExceeded."),
        ("BerthAuthenticationsRefused", "warning", "5m", "region:berth_authentications_refused:rate5m > 1",
         "Many signatures are refused in {{ $labels.region }}",
         "{{ $value | humanize }} requests a second come with a wrong, old or missing signature."),
        ("BerthConnectionsTurnedAway", "warning", "5m",
         'sum by (region, listener) (rate(berth_http_connections_total{fate=~"refused|handshake_failed"}[5m])) > 10',
         "Many connections to the listener {{ $labels.listener }} of {{ $labels.region }} fail",
         "{{ $value | humanize }} a second are over a limit or fail in their handshake."),
    ],
    "berth-region": [
        ("BerthHostSuspect", "warning", "2m", 'berth_hosts{health="suspect"} > 0',
         "{{ $value }} hosts of {{ $labels.zone }} are suspect",
         "Their leases ran out or their connections are cut; nothing new is placed on them."),
        ("BerthHostLost", "critical", "1m", 'berth_hosts{health="lost"} > 0',
         "{{ $value }} hosts of {{ $labels.zone }} are lost",
         "They have been silent for longer than a lease and its margin. Their instances stay where their disks are."),
        ("BerthManyHostsLost", "critical", "1m",
         'region:berth_hosts_silent:ratio > 0.2 and sum by (region) (berth_hosts{health=~"suspect|lost"}) > 1',
         "Many hosts of {{ $labels.region }} are silent at once",
         "{{ $value | humanizePercentage }} of the hosts: rather the network or the daemon than the hosts."),
        ("BerthHostsBehind", "warning", "0s", "berth_hosts_behind_oldest_seconds > 600",
         "A host of {{ $labels.region }} does not take its newest spec",
         "The slowest has been behind for {{ $value | humanizeDuration }}."),
        ("BerthZoneCapacityLow", "warning", "15m", "zone:berth_free:ratio < 0.1",
         "Zone {{ $labels.zone }} runs out of {{ $labels.resource }}",
         "{{ $value | humanizePercentage }} of what its hosts may sell is left on hosts that take instances."),
        ("BerthNoCapacity", "warning", "5m",
         'region_code:berth_api_requests:rate5m{code="InsufficientInstanceCapacity"} > 0',
         "Tenants of {{ $labels.region }} are refused for want of room",
         "{{ $value | humanize }} requests a second are answered with InsufficientInstanceCapacity."),
        ("BerthInstancesStuck", "warning", "0s", "berth_instances_oldest_seconds > 900",
         "Instances of {{ $labels.region }} stay {{ $labels.state }}",
         "The oldest has been {{ $labels.state }} for {{ $value | humanizeDuration }}."),
        ("BerthLinkRefused", "warning", "0s", "increase(berth_link_refused_total[15m]) > 20",
         "The agents' link of {{ $labels.region }} refuses a {{ $labels.what }} again and again",
         "{{ $value | humanize }} times within a quarter of an hour."),
    ],
    "berth-agent": [
        ("BerthAgentDown", "warning", "2m", 'up{job="berth-agent"} == 0',
         "The agent at {{ $labels.instance }} does not answer",
         "Its guests run on, but nothing starts or stops them."),
        ("BerthAgentDisconnected", "warning", "2m", "berth_agent_connected == 0",
         "The agent at {{ $labels.instance }} has no daemon",
         "It runs, and works on its last spec; its host is suspect and then lost to the region."),
        ("BerthAgentLibvirtErrors", "warning", "5m",
         "sum by (region, instance) (rate(berth_agent_libvirt_errors_total[5m])) "
         "/ sum by (region, instance) (rate(berth_agent_libvirt_calls_total[5m])) > 0.1",
         "libvirt fails on {{ $labels.instance }}",
         "{{ $value | humanizePercentage }} of the calls of libvirt fail."),
        ("BerthAgentActionsFailing", "warning", "10m",
         'sum by (region, instance, action) (rate(berth_agent_actions_total{result!="ok"}[10m])) '
         "/ sum by (region, instance, action) (rate(berth_agent_actions_total[10m])) > 0.2",
         "The action {{ $labels.action }} fails on {{ $labels.instance }}",
         "{{ $value | humanizePercentage }} of them end with an error."),
        ("BerthAgentDiskLow", "warning", "10m",
         'berth_agent_disk_bytes{kind="free"} / ignoring(kind) berth_agent_disk_bytes{kind="total"} < 0.1',
         "The guests' disk of {{ $labels.instance }} fills up",
         "{{ $value | humanizePercentage }} of it is free. A guest whose disk cannot grow is paused."),
        ("BerthAgentCertificateExpiring", "warning", "10m",
         "berth_agent_certificate_expires_timestamp_seconds - time() < 6 * 3600",
         "The certificate of the host at {{ $labels.instance }} is not renewed",
         "{{ $value | humanizeDuration }} are left of a day; it should have been renewed long ago."),
    ],
}


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def rendered():
    out = [HEAD]
    for group, alerts in ALERTS.items():
        out.append(f"  - name: {group}\n    rules:\n")
        for name, severity, wait, expression, summary, description in alerts:
            out.append(
                f"      - alert: {name}\n"
                f"        expr: {quoted(expression)}\n"
                f"        for: {wait}\n"
                f"        labels:\n          severity: {severity}\n"
                f"        annotations:\n"
                f"          summary: {quoted(summary)}\n"
                f"          description: {quoted(description)}\n"
                f"          runbook_url: {RUNBOOK}#{name.lower()}\n")
    return "".join(out)


def main():
    file = HERE / "berth-alerts.yml"
    if "--check" in sys.argv[1:]:
        if not file.is_file() or file.read_text() != rendered():
            sys.exit(f"{file} is stale: run {pathlib.Path(__file__).name}")
        return
    file.write_text(rendered())


if __name__ == "__main__":
    main()
