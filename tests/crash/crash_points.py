#!/usr/bin/env python3
"""Crashes and failing disks at every system call that writes, of a daemon that plays 200 calls.

  crash_points.py [--points=N|all] [--fault=NAME]... [--seed=N] [--jobs=N] [--folder=DIR]

Each case is one run with one fault at one system call (crash_player, faults.h), then a second run on
what the first left, which repeats what was not answered and plays to the end. Held against the answers
of both: nothing acknowledged lost, nothing twice, audit chain, quotas, SQLite's own check, no answer
after a failed sync, serving again within 2 s. The default is what scripts/test runs; --points=all is
every call times every fault. A case is repeated with --fault=NAME --at=CALL.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BIN = pathlib.Path(os.environ.get("BERTH_BIN", pathlib.Path(__file__).resolve().parents[2] / "build/release/bin"))
PLAYER = BIN / "crash_player"
SERVING_MS = 2000
GROUP_MAX = 5  # calls that the player gives at once
# How many of a hundred cases a sample gives to each.
FAULTS = {"kill_before": 35, "kill_after": 15, "kill_twice": 10, "strace_kill": 8, "full_once": 6, "full_healed": 6,
          "full_killed": 6, "short_write": 5, "sync_fails": 5, "write_fails": 4}
WRITES = "write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,ftruncate,fallocate,unlink,unlinkat,rename,renameat,renameat2,openat"


class Run:
    """One run of the player, and what it said."""

    def __init__(self, folder, number, fault=None, answers=(), judge=False, wrapper=()):
        command = [*map(str, wrapper), str(PLAYER), str(folder), f"--run={number}"]
        if fault:
            command.append(f"--fault={fault}")
        if judge:
            command.append("--judge")
        done = subprocess.run(command, input="\n".join(answers) + "\n", capture_output=True, text=True, timeout=60)
        self.code, self.error = done.returncode, done.stderr.strip()
        self.lines = done.stdout.splitlines()
        self.answers = self.all("answer")

    def all(self, kind):
        return [line for line in self.lines if line.split(" ", 1)[0] == kind]

    def number(self, kind):
        found = self.all(kind)
        return int(found[0].split()[1]) if found else None

    @property
    def was_killed(self):
        return self.code in (-signal.SIGKILL, 128 + signal.SIGKILL)


def first_run_is_wrong(fault, run):
    """What a run with this fault must not do; None when it did as it should."""
    serves = run.number("serving") is not None
    has_ended = bool(run.all("end"))
    if run.all("broken"):
        return "; ".join(run.all("broken"))
    if run.code == 1 and not serves:
        return None if not fault.startswith("kill") else f"did not start: {run.error}"  # a start on a failing disk may be refused
    if fault in ("kill_before", "kill_after", "kill_twice", "strace_kill", "full_killed"):
        # A fault that waits for a call of a kind that does not come again may come too late.
        return None if run.was_killed or (has_ended and run.code == 0) else f"exit {run.code}: {run.error}"
    if fault in ("sync_fails", "write_fails"):
        met = [i for i, line in enumerate(run.lines) if line.startswith("fault ")]
        if not met or has_ended and run.lines.index(run.all("end")[0]) < met[0]:
            return None if run.code == 0 else f"exit {run.code}: {run.error}"
        if not pathlib.PurePath(run.lines[met[0]].split()[2]).name.startswith("berth.db"):
            return None  # the folder: SQLite ignores it for its log, and the store syncs it once more before it serves
        after = [line for line in run.lines[met[0]:] if line.startswith("answer ")]
        # The log is synced and copied into the file behind the answers of a commit: those of that very commit may
        # still be on their way out. None of a later one may come, and the run after this holds them all to be there.
        if len(after) > GROUP_MAX:
            return f"answered after the fault: {after[-1]}"
        if has_ended and run.code == 0:
            return None  # behind the last commit: nothing came that could have been told
        return None if run.code in (1, 70) else f"did not end with the fault, exit {run.code}"
    # A full disk ends nothing.
    return None if run.code == 0 and has_ended else f"exit {run.code}: {run.error}"


def play(case, where):
    """Plays one case; returns (what is wrong or None, milliseconds to serve again, answers of the first run)."""
    fault, at, extra = case
    folder = pathlib.Path(tempfile.mkdtemp(prefix="case-", dir=where))
    try:
        if fault == "strace_kill":
            call, nth = extra
            first = Run(folder, 1, wrapper=["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", f"trace={call}",
                                            "-e", f"inject={call}:signal=KILL:when={nth}"])
        else:
            plan = {"kill_twice": "kill_before"}.get(fault, fault)
            first = Run(folder, 1, f"{plan}:{at}" + (f":{extra}" if fault in ("full_healed", "full_killed") else ""))
        wrong = first_run_is_wrong(fault, first)
        if wrong:
            return f"first run: {wrong}", 0, 0
        answers, number = first.answers, 2
        if fault == "kill_twice":  # once more, in the recovery or soon after it
            again = Run(folder, number, f"kill_before:{extra}", answers)
            if not again.was_killed and again.code != 0:
                return f"second run: exit {again.code}: {again.error}", 0, 0
            answers, number = answers + again.answers, 3
        last = Run(folder, number, None, answers, judge=True)
        if last.code != 0 or last.all("broken"):
            return f"after it: exit {last.code} {'; '.join(last.all('broken'))} {last.error}", 0, 0
        return None, last.number("serving"), len(first.answers)
    except subprocess.TimeoutExpired as hung:
        return f"hung: {' '.join(hung.cmd)}", 0, 0
    finally:
        shutil.rmtree(folder)


def bites(where):
    """That this test can fail at all: a store that lost its log has lost what was acknowledged, and that is seen."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="control-", dir=where))
    first = Run(folder, 1, "kill_before:1000")
    (folder / "berth.db-wal").unlink()
    last = Run(folder, 2, None, first.answers, judge=True)
    shutil.rmtree(folder)
    assert first.was_killed and first.answers and last.code != 0, "a lost log went unnoticed"


def count_calls(where):
    """How many calls write in a run without faults, as the player counts them and as the kernel sees them."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="count-", dir=where))
    trace = folder / "strace"
    run = Run(folder, 1, wrapper=["strace", "-f", "--seccomp-bpf", "-o", trace, "-e", f"trace={WRITES}"])
    assert run.code == 0, run.error
    seen = collections.Counter()
    for line in trace.read_text().splitlines():
        words = line.split(None, 1)[1]
        name = words.split("(")[0]
        if words.startswith(("write(1,", "write(2,", "+++")) or "resumed>" in words or name == "openat" and "O_CREAT" not in words:
            continue
        seen[name] += 1
    counted = run.number("closed")
    shutil.rmtree(folder)
    assert abs(sum(seen.values()) - counted) <= 2, f"the player counts {counted} calls that write, the kernel sees {dict(seen)}"
    return run.number("end"), seen


def cases_of(options, calls, seen):
    dice = random.Random(options.seed)
    faults = options.fault or list(FAULTS)

    def case(fault, at):
        if fault == "strace_kill":  # strace counts each call and thread by itself
            call = dice.choice([c for c in ("pwrite64", "pwrite64", "fdatasync", "ftruncate", "unlink") if seen[c]])
            return fault, at, (call, dice.randint(1, seen[call]))
        return fault, at, dice.randint(1, 120) if fault == "kill_twice" else dice.choice([1, 2, 3, 5, 8, 20, 60])

    if options.at:
        return [case(fault, options.at) for fault in faults]
    if options.points == "all":
        return [case(fault, at) for fault in faults for at in range(1, calls + 1)]
    weights = [FAULTS[f] for f in faults]
    chosen = dice.choices(faults, weights, k=int(options.points))
    # Every fault meets the start of the first run, too, where the file is made.
    return [case(fault, dice.randint(1, calls) if i % 10 else dice.randint(1, 60)) for i, fault in enumerate(chosen)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", default="800")
    parser.add_argument("--fault", action="append", choices=list(FAULTS))
    parser.add_argument("--at", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", default="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    options = parser.parse_args()
    began = time.monotonic()
    where = tempfile.mkdtemp(prefix="berth-crash-", dir=options.folder)
    try:
        bites(where)
        calls, seen = count_calls(where)
        cases = cases_of(options, calls, seen)
        wrong, slowest, told = [], 0, 0
        done = collections.Counter()
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for case, (what, serving, answers) in zip(cases, pool.map(lambda c: play(c, where), cases)):
                done[case[0]] += 1
                told += answers
                slowest = max(slowest, serving or 0)
                if not what and serving > SERVING_MS:
                    what = f"served again after {serving} ms"
                if what:
                    wrong.append((case, what))
                    print(f"WRONG {case[0]} at call {case[1]} ({case[2]}): {what}", flush=True)
        print(f"{len(cases)} cases at {calls} calls that write ({', '.join(f'{n} {f}' for f, n in sorted(done.items()))}): {len(wrong)} wrong; "
              f"{told} answers before the faults, slowest start {slowest} ms, {time.monotonic() - began:.0f} s")
        return 1 if wrong else 0
    finally:
        shutil.rmtree(where)


if __name__ == "__main__":
    sys.exit(main())
