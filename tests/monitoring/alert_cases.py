"""When each alert fires and when it does not: series as promtool writes them, one sample each 15 s.

`a+bxn` is a, a+b, a+2b … for n more samples; a+0xn stays. At the end of 20 minutes the first set of an alert
must fire, the second must not.
"""

R = 'region="r"'
D = 'job="berthd",region="r",instance="d"'
A = 'job="berth-agent",region="r",instance="h"'
LONG = "x80"


def still(value):
    return f"{value}+0{LONG}"


def growing(per_second):
    return f"0+{15 * per_second}{LONG}"


def api(code, per_second):
    return {f'berth_api_requests_total{{action="RunInstances",code="{code}",{D}}}': growing(per_second)}


def buckets(metric, slow_share, labels=D):
    """100 a second, of which slow_share took between 0.25 s and 2.5 s."""
    quick = growing(100 * (1 - slow_share))
    return {
        f'{metric}_bucket{{le="0.01",{labels}}}': quick,
        f'{metric}_bucket{{le="0.25",{labels}}}': quick,
        f'{metric}_bucket{{le="2.5",{labels}}}': growing(100),
        f'{metric}_bucket{{le="+Inf",{labels}}}': growing(100),
    }


def pair(metric, first, second, labels=D, label="kind", names=("free", "total")):
    return {f'{metric}{{{label}="{names[0]}",{labels}}}': still(first), f'{metric}{{{label}="{names[1]}",{labels}}}': still(second)}


def one(metric, value, labels=D):
    return {f"{metric}{{{labels}}}": value}


def hosts(up, suspect=0, lost=0):
    counts = {"up": up, "suspect": suspect, "lost": lost, "never_seen": 1}
    return {f'berth_hosts{{zone="z",health="{h}",{D}}}': still(n) for h, n in counts.items()}


def zone(free_vcpus, free_memory, free_disk):
    of = {"vcpus": free_vcpus, "memory_bytes": free_memory, "disk_bytes": free_disk}
    out = {f'berth_free_{what}{{zone="z",{D}}}': still(n) for what, n in of.items()}
    return out | {f'berth_capacity_{what}{{zone="z",{D}}}': still(100) for what in of}


# Alert: (series with which it fires, series with which it does not).
CASES = {
    "BerthdDown": (one("up", still(0)), one("up", still(1))),
    "BerthdNotServing": (one("berth_core_silent_seconds", "0+15" + LONG), one("berth_core_silent_seconds", still(0.9))),
    "BerthdRestarting": (one("berth_term", "1+1" + LONG), one("berth_term", still(7))),
    "BerthCommitSlow": (buckets("berth_commit_seconds", 0.05), buckets("berth_commit_seconds", 0.001)),
    "BerthStoreFull": (one("berth_store_full", still(1)), one("berth_store_full", still(0))),
    "BerthStoreDiskLow": (pair("berth_store_disk_bytes", 9, 100), pair("berth_store_disk_bytes", 11, 100)),
    "BerthQueueSaturated": (one("berth_queue_inputs", still(900)) | one("berth_queue_inputs_max", still(1000)),
                            one("berth_queue_inputs", still(700)) | one("berth_queue_inputs_max", still(1000))),
    "BerthQueueSheds": (one("berth_queue_class_shed_total", growing(1), D + ',class="operation",reason="full"'),
                        one("berth_queue_class_shed_total", growing(1), D + ',class="list",reason="standing"')),
    "BerthAuditChainShortened": (one("berth_audit_records", "1000+1x70 12+1x10"), one("berth_audit_records", "1000+1" + LONG)),
    "BerthCertificateExpiring": (one("berth_certificate_expires_timestamp_seconds", still(29 * 86400), D + ',certificate="daemon"'),
                                 one("berth_certificate_expires_timestamp_seconds", still(40 * 86400), D + ',certificate="daemon"')),
    "BerthOpenFilesHigh": (one("process_open_fds", still(900)) | one("process_max_fds", still(1000)),
                           one("process_open_fds", still(100)) | one("process_max_fds", still(1000))),
    "BerthMetricsFolded": (one("berth_metrics_folded_total", "0+0x60 1+0x20"), one("berth_metrics_folded_total", still(4))),
    "BerthApiErrors": (api("InternalError", 1) | api("Success", 9), api("Unavailable", 1) | api("Success", 99)),
    "BerthApiSlow": (buckets("berth_api_request_seconds", 0.05, D + ',action="RunInstances"'),
                     buckets("berth_api_request_seconds", 0.05, D + ',action="GetConsoleOutput"')),
    "BerthApiThrottled": (api("RequestLimitExceeded", 1) | api("Success", 9), api("RequestLimitExceeded", 1) | api("Success", 99)),
    "BerthAuthenticationsRefused": (api("AuthFailure", 1) | api("RequestExpired", 1), api("AuthFailure", 0.5) | api("Success", 50)),
    "BerthConnectionsTurnedAway": (one("berth_http_connections_total", growing(20), D + ',listener="ec2",fate="refused"'),
                                   one("berth_http_connections_total", growing(500), D + ',listener="ec2",fate="too_slow"')),
    "BerthHostSuspect": (hosts(3, suspect=1), hosts(4)),
    "BerthHostLost": (hosts(3, lost=1), hosts(4)),
    "BerthManyHostsLost": (hosts(7, suspect=2, lost=1), hosts(9, lost=1)),
    "BerthHostsBehind": (one("berth_hosts_behind_oldest_seconds", still(700)), one("berth_hosts_behind_oldest_seconds", still(20))),
    "BerthZoneCapacityLow": (zone(50, 5, 50), zone(50, 15, 50)),
    "BerthNoCapacity": (api("InsufficientInstanceCapacity", 0.2), api("Success", 10)),
    "BerthInstancesStuck": (one("berth_instances_oldest_seconds", still(1000), D + ',state="pending"'),
                            one("berth_instances_oldest_seconds", still(100), D + ',state="stopping"')),
    "BerthLinkRefused": (one("berth_link_refused_total", growing(0.1), D + ',what="peer"'), one("berth_link_refused_total", still(3), D + ',what="join"')),
    "BerthAgentDown": (one("up", still(0), A), one("up", still(1), A)),
    "BerthAgentDisconnected": (one("berth_agent_connected", still(0), A), one("berth_agent_connected", still(1), A)),
    "BerthAgentLibvirtErrors": (
        one("berth_agent_libvirt_errors_total", growing(1), A + ',call="start"') | one("berth_agent_libvirt_calls_total", growing(5), A + ',call="start"'),
        one("berth_agent_libvirt_errors_total", still(0), A + ',call="start"') | one("berth_agent_libvirt_calls_total", growing(5), A + ',call="start"')),
    "BerthAgentActionsFailing": (
        one("berth_agent_actions_total", growing(1), A + ',action="start",result="unavailable"') | one("berth_agent_actions_total", growing(1), A + ',action="start",result="ok"'),
        one("berth_agent_actions_total", growing(1), A + ',action="start",result="ok"')),
    "BerthAgentDiskLow": (pair("berth_agent_disk_bytes", 9, 100, A), pair("berth_agent_disk_bytes", 11, 100, A)),
    "BerthAgentCertificateExpiring": (one("berth_agent_certificate_expires_timestamp_seconds", still(5 * 3600), A),
                                      one("berth_agent_certificate_expires_timestamp_seconds", still(20 * 3600), A)),
}
