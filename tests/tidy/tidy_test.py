#!/usr/bin/env python3
"""The test that checks the code's own form: who includes whom, what a core may not name, sizes, words.

A rule that a test checks does not need a reviewer. Each rule is a function that yields complaints; the
last part proves on made-up text that each rule can fail.
"""
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Room (longest prefix wins): our own prefixes it may include beside itself and include/berth/base.
# The table of docs/ARCHITECTURE.md, "Who may include whom".
MAY_INCLUDE = {
    "include/berth/base": [],
    "include/berth/model": ["berth/model"],
    "common/pki": ["berth/model", "common/pki"],
    "common/service": ["common/service"],
    "common/wire": ["berth/model", "common/wire", "daemon/core/change.h", "proto"],
    "common": [],
    "daemon/placement": ["berth/model", "daemon/placement"],
    "daemon/core": ["berth/model", "daemon/core", "daemon/placement"],
    "daemon/ec2": ["berth/model", "daemon/ec2", "daemon/core"],
    "daemon/admin": ["berth/model", "daemon/admin", "daemon/core"],
    "daemon/store": ["berth/model", "daemon/store", "daemon/core/change.h", "common/wire"],
    "daemon/driver": ["berth/model", "daemon/driver", "daemon/core", "daemon/store/store.h"],
    "daemon/http": ["daemon/http"],
    "daemon/link": ["berth/model", "daemon/link", "common/wire", "common/pki", "daemon/driver/agent_link.h"],
    "daemon/metrics": ["berth/model", "daemon/metrics", "daemon/core", "daemon/driver", "daemon/placement"],
    "daemon": ["berth/model", "daemon", "common", "agent/disks/image_inspector.h"],
    "agent/core": ["berth/model", "agent/core"],
    "agent/hypervisor": ["berth/model", "agent/hypervisor", "agent/core/action.h", "agent/disks", "agent/network"],
    "agent/disks": ["berth/model", "agent/disks"],
    "agent/network": ["berth/model", "agent/network"],
    "agent/driver": ["berth/model", "agent/driver", "agent/core", "agent/hypervisor/hypervisor.h"],
    "agent/link": ["berth/model", "agent/link", "common/wire", "common/pki", "agent/driver/daemon_link.h"],
    "agent": ["berth/model", "agent", "common", "daemon/http"],
    "ctl": ["berth/model", "ctl", "daemon/placement", "daemon/core/audit.h", "daemon/core/change.h"],
    "bench": ["berth/model", "bench", "daemon", "agent", "common", "tests/support"],
}

# Third-party headers, and the rooms that may name them (in their .cc, or where said).
THIRD_PARTY = {
    "openssl/": ["common/digest.cc", "common/pki/", "daemon/http/", "daemon/ec2/key_material", "ctl/", "bench/api/load.cc"],
    "spdlog/": ["common/log.cc"],
    "prometheus/": ["common/metrics.cc"],
    "boost/asio": ["daemon/http/", "bench/api/hello.cc"],
    "boost/beast": ["daemon/http/", "bench/api/hello.cc"],
    "boost/json": ["daemon/admin/", "ctl/"],
    "pugixml": ["daemon/ec2/", "agent/hypervisor/", "agent/network/"],
    "sqlite3.h": ["daemon/store/"],
    "grpc": ["daemon/link/", "agent/link/", "daemon/store/etcd"],
    "libvirt/": ["agent/hypervisor/libvirt_api.cc"],
    "gflags/": ["daemon/settings.cc", "agent/settings.cc", "daemon/main.cc", "agent/main.cc", "ctl/", "bench/api/main.cc", "bench/placement/main.cc"],
    "systemd/": ["common/service/"],
    "zlib.h": ["ctl/trace.cc"],
}

CORES = ("daemon/core/", "daemon/placement/", "agent/core/")
# What a core may not name: it knows no clock, socket, file, thread or chance of its own.
CORE_MAY_NOT_NAME = [
    "system_clock", "steady_clock", "high_resolution_clock", "random_device", "std::thread", "std::jthread",
    "std::mutex", "std::atomic", "getenv", "ifstream", "ofstream", "fstream", "std::rand", "time(nullptr)",
    "unordered_map", "unordered_set", "std::async", "float ", "double ", "sleep", "log_info", "log_error",
]
LINES_MAX = 700
CODE = (".cc", ".h")


def tracked():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.splitlines()
    return sorted(n for n in names if (ROOT / n).is_file())


def sources():
    tops = ("include/", "common/", "daemon/", "agent/", "ctl/", "bench/")
    for name in tracked():
        if name.startswith(tops) and name.endswith(CODE):
            yield name, (ROOT / name).read_text(encoding="utf-8")


def room_of(name):
    rooms = [r for r in MAY_INCLUDE if name.startswith(r + "/")]
    return max(rooms, key=len) if rooms else None


def includes(text):
    return re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]', text, re.MULTILINE)


def bad_includes(name, text):
    room = room_of(name)
    if room is None:
        yield f"{name}: in no room of the table"
        return
    for header in includes(text):
        if header.endswith(".pb.h"):  # generated from proto/: where its library may be, it may be
            header = "grpc" if ".grpc." in header else "proto"
            if header == "proto" and room not in ("common/wire", "daemon/store"):
                yield f"{name}: generated messages belong to common/wire"
        ours = header.startswith(("berth/", "daemon/", "agent/", "common/", "ctl/", "tests/", "bench/"))
        if ours:
            allowed = ["berth/base"] + MAY_INCLUDE[room]
            if not any(header == a or header.startswith(a + "/") or header.startswith(a) and a.endswith(".h")
                       for a in allowed):
                yield f"{name}: {room} may not include {header}"
            continue
        for prefix, rooms in THIRD_PARTY.items():
            if header.startswith(prefix) and not any(name.startswith(r) for r in rooms):
                yield f"{name}: {header} belongs to {', '.join(rooms)}"


def code_only(text):
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r'"(\\.|[^"\\])*"', '""', text)


def impure_names(name, text):
    if not name.startswith(CORES):
        return
    code = code_only(text)
    for word in CORE_MAY_NOT_NAME:
        if re.search(r"(?<![A-Za-z0-9_])" + re.escape(word), code):
            yield f"{name}: a core may not name {word.strip()}"


def header_form(name, text):
    if name.endswith(".h") and "#pragma once" not in text:
        yield f"{name}: #pragma once is missing"
    if name.endswith(".h") and not re.search(r"^//", text, re.MULTILINE):
        yield f"{name}: a header says what it is for"
    if re.search(r"\b(TODO|FIXME|XXX)\b", text):
        yield f"{name}: an open end is named by an issue, or done now"
    if re.search(r"\b(system|popen)\s*\(", code_only(text)):
        yield f"{name}: no shell: start programs with their arguments"
    if re.search(r"\bclass \w*(Manager|Helper|Util)\b", text):
        yield f"{name}: a name that says nothing (Manager, Helper, Util)"


def too_long(name, text):
    lines = text.count("\n")
    if lines > LINES_MAX:
        yield f"{name}: {lines} lines; no file past {LINES_MAX}"


RULES = [bad_includes, impure_names, header_form, too_long]


class Tidy(unittest.TestCase):
    def test_every_source_keeps_every_rule(self):
        complaints = [c for name, text in sources() for rule in RULES for c in rule(name, text)]
        self.assertEqual([], complaints, "\n" + "\n".join(complaints))

    def test_no_file_of_any_kind_of_code_is_too_long(self):
        complaints = []
        for name in tracked():
            if name.endswith((".cc", ".h", ".py", ".sh", ".proto")) or name.startswith("scripts/"):
                complaints += too_long(name, (ROOT / name).read_text(encoding="utf-8", errors="replace"))
        self.assertEqual([], complaints, "\n" + "\n".join(complaints))

    def test_every_room_has_a_short_readme(self):
        rooms = [d for top in ("daemon", "agent") for d in sorted((ROOT / top).iterdir()) if d.is_dir()]
        for room in rooms:
            readme = room / "README.md"
            self.assertTrue(readme.is_file(), f"{room.relative_to(ROOT)} has no README.md")
            self.assertLessEqual(readme.read_text().count("\n"), 60, f"{readme} is more than a screen")

    def test_no_path_of_a_machine_is_committed(self):
        for name in tracked():
            if name.endswith((".py", ".sh", ".cc", ".h", ".md", ".txt", ".cmake")) and not name.startswith("tests/tidy/"):
                text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
                self.assertNotRegex(text, r"/work/(main|shared)|/home/\w+/", f"{name} names a path of one machine")


class TheRulesCanFail(unittest.TestCase):
    def test_a_core_that_includes_the_store_is_found(self):
        self.assertTrue(list(bad_includes("daemon/core/x.cc", '#include "daemon/store/store.h"\n')))
        self.assertFalse(list(bad_includes("daemon/core/x.cc", '#include "daemon/placement/place.h"\n')))

    def test_a_library_outside_its_room_is_found(self):
        self.assertTrue(list(bad_includes("daemon/admin/x.cc", "#include <boost/asio.hpp>\n")))
        self.assertTrue(list(bad_includes("agent/disks/x.cc", "#include <libvirt/libvirt.h>\n")))

    def test_a_clock_in_a_core_is_found_but_not_in_a_comment(self):
        self.assertTrue(list(impure_names("agent/core/x.cc", "auto t = std::chrono::system_clock::now();")))
        self.assertFalse(list(impure_names("agent/core/x.cc", "// no system_clock here\n")))
        self.assertFalse(list(impure_names("daemon/http/x.cc", "steady_clock")))

    def test_a_bad_header_and_a_long_file_are_found(self):
        self.assertTrue(list(header_form("daemon/core/x.h", "int x;\n")))
        self.assertTrue(list(too_long("x.cc", "\n" * (LINES_MAX + 1))))
        self.assertTrue(list(header_form("daemon/core/x.cc", 'int main() { return system("ls"); }')))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
