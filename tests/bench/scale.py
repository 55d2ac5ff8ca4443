# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks of many routes have in common.

A host in a network namespace with some uplinks, main filled by bench-routes
(routes.c); the daemon, BIRD and `ip -batch` to do one and the same thing on it;
and how a result is said: one line of JSON, the comparison in the same line.

The machine may be busy with something else, so what counts are ratios of what
was measured right after one another, and the medians of these.
"""

import argparse
import json
import mmap
import os
import pathlib
import select
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import time
from contextlib import contextmanager

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "kernel"))

from lab import Daemon, Lab, daemon_binary, processor_ns  # noqa: E402
from latency import Listener  # noqa: E402

NEWLINK, LOWER_UP = 16, 0x10000
SKIPPED = 77  # to meson
MAIN = 254
PAUSE_S = 0.05  # from one change to the next
LIMIT_S = 600
TICKS_S = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
SHORT_MAX = 100000  # routes, but with --full
COPIES = 9001  # the first table of somebody else's copies


def say(bench, **values):
    """One result."""
    print(json.dumps({"bench": bench, **values}), flush=True)


def medians(rows):
    """{key: median} of dicts with the same keys."""
    return {key: round(statistics.median(row[key] for row in rows), 3)
            for key in rows[0]}


def is_full():
    """./dev bench --full: all sizes; else what takes some minutes."""
    return bool(os.environ.get("MULTIHOMED_BENCH_FULL"))


def options(doc, sizes):
    """The command line that all of these have; MULTIHOMED_BENCH_SIZES in the
    environment counts where --sizes is not given."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    if not is_full():
        sizes = ",".join(size for size in sizes.split(",")
                         if int(size) <= SHORT_MAX)
    parser.add_argument("--sizes", default=os.environ.get(
        "MULTIHOMED_BENCH_SIZES", sizes), help="routes of main, with commas")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--subnets", default="")
    parser.add_argument("--without", default="",
                        help="what not to compare with: bird, batch")
    return parser


def begin(doc, sizes, change=None):
    """The options, where this can run at all."""
    parser = options(doc, sizes)
    if change:
        change(parser)
    given = parser.parse_args()
    if os.geteuid() != 0:
        print("skipped, network namespaces need root")
        sys.exit(SKIPPED)
    daemon_binary()
    routes_binary()
    given.sizes = [int(size) for size in given.sizes.split(",")]
    given.without = given.without.split(",")
    return given


def routes_binary():
    path = pathlib.Path(os.environ.get("MULTIHOMED_BIN_ROUTES") or
                        ROOT / "build" / "tests" / "bench" / "bench-routes")
    if not os.access(path, os.X_OK):
        raise SystemExit(f"{path} is not there: ./dev build")
    return str(path)


def have_bird():
    """BIRD 2, installed on the spot; it does not run by itself here."""
    if not shutil.which("bird"):
        subprocess.run(["apt-get", "install", "-y", "bird2"], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={**os.environ, "DEBIAN_FRONTEND": "noninteractive",
                            "RUNLEVEL": "1"})
    return shutil.which("bird") is not None


# -- a process -------------------------------------------------------------

def cpu_us(pid):
    """Of all its life, user and system, all threads."""
    return processor_ns(pid) / 1000


def memory(pid):
    """(resident now, at most so far), bytes."""
    found = {}
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key in ("VmRSS", "VmHWM"):
                found[key] = int(value.split()[0]) * 1024
    return found["VmRSS"], found["VmHWM"]


def wait_idle(pid, still_s=0.5):
    """Till it has not worked for so long; when it last did, as it may be
    seen from here (20 ms)."""
    last = cpu_us(pid)
    since = time.monotonic()
    limit = since + LIMIT_S
    while time.monotonic() < limit:
        time.sleep(0.02)
        now = cpu_us(pid)
        if now > last + 200:
            last, since = now, time.monotonic()
        elif time.monotonic() > since + still_s:
            return since
    raise SystemExit(f"{pid} works on and on")


def used(at, pid, n, come, go):
    """Processor time for what comes and goes, as ip -batch has it;
    microseconds, the mean of n."""
    wait_idle(pid)
    before = cpu_us(pid)
    for _ in range(n):
        for lines in (come, go):
            at.a.ip(lines)
            time.sleep(PAUSE_S)
    wait_idle(pid)
    return round((cpu_us(pid) - before) / n)


def used_by(at, pid, n, changes):
    """The same of each of {name: (come, go)}."""
    return {name: used(at, pid, n, *lines) for name, lines in changes.items()}


# -- the host --------------------------------------------------------------

class Host:
    """A host with uplinks eth0, eth1, ... to one router each (10.K.0.1)."""

    def __init__(self, lab, subnets, families=(4,)):
        self.lab, self.subnets = lab, subnets
        self.a, self.r = lab.host("a"), lab.router("r")
        for k in range(subnets):
            lab.wire(self.a, f"eth{k}", self.r, f"lan{k}")
            self.r.ip(f"addr add 10.{k}.0.1/24 dev lan{k}\n"
                      f"addr add 2001:db8:{k}::1/64 dev lan{k}")
            if 4 in families:
                self.a.ip(f"addr add 10.{k}.0.2/24 dev eth{k}\n"
                          f"route add default via 10.{k}.0.1 dev eth{k} "
                          f"metric {100 + k}")
            if 6 in families:
                self.a.ip(f"addr add 2001:db8:{k}::2/64 dev eth{k}\n"
                          f"route add default via 2001:db8:{k}::1 dev eth{k} "
                          f"metric {100 + k}")

    def routes(self, *argv):
        """bench-routes; what it says."""
        done = self.a.run(routes_binary(), *(str(word) for word in argv),
                          timeout=LIMIT_S)
        return json.loads(done.stdout)

    def start_routes(self, *argv):
        return self.a.start(routes_binary(), *(str(word) for word in argv),
                            stdout=subprocess.PIPE, text=True)

    def fill(self, family, n):
        return self.routes("fill", family, MAIN, n)

    def carrier(self, k, on):
        """Of ethK, as seen by a; when it was heard of."""
        listener = Listener(self.a)
        self.r.ip(f"link set lan{k} {'up' if on else 'down'}")
        index = self.a.ifindex(f"eth{k}")

        def is_cause(kind, body):
            found, flags = struct.unpack_from("4xiI", body)
            return kind == NEWLINK and found == index and \
                bool(flags & LOWER_UP) == on
        heard = listener.first(is_cause)
        listener.sock.close()
        return heard

    def count(self, family, table):
        return self.routes("read", family, table)["n"]

    def clear(self):
        """Routes go with their links, at once; with the namespace they would
        go behind our back, while something else is measured."""
        for k in range(self.subnets):
            self.a.ip(f"link set eth{k} down")


@contextmanager
def host(subnets, families=(4,)):
    lab = Lab()
    try:
        it = Host(lab, subnets, families)
        yield it
        lab.check_daemons()
        it.clear()
    finally:
        lab.close()


class ExecClock:
    """When a program was executed; what starts it takes two milliseconds."""

    def __init__(self):
        self._shared = mmap.mmap(-1, 8)

    def stamp(self):
        """Namespace.start()'s before_exec."""
        struct.pack_into("d", self._shared, 0, time.monotonic())

    def at(self):
        return struct.unpack_from("d", self._shared, 0)[0]


# -- who does it -----------------------------------------------------------

class Managed(Daemon):
    """multihomed, started with the time till READY=1 measured."""

    def start_timed(self):
        """Milliseconds from exec to READY=1."""
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with notify:
            if os.path.exists(self._notify_path):
                os.unlink(self._notify_path)
            notify.bind(self._notify_path)
            notify.settimeout(LIMIT_S)
            env = {**os.environ, "NOTIFY_SOCKET": self._notify_path}
            clock = ExecClock()
            with open(self.log_path, "ab") as log:
                self.process = self.namespace.start(
                    daemon_binary(), "-c", self.config_path,
                    "-s", self.socket_path, *self.args,
                    before_exec=clock.stamp, env=env, stdout=log, stderr=log)
            while b"READY=1" not in notify.recv(4096).split(b"\n"):
                pass
            return (time.monotonic() - clock.at()) * 1000

    def wait_quiet(self):
        wait_idle(self.process.pid)

    def counters(self, by_label=False):
        """{name: value} of the metrics, sums over their labels, or one by one."""
        found = {}
        for line in self.ctl("metrics").stdout.splitlines():
            if line.startswith("#"):
                continue
            name, _, value = line.rpartition(" ")
            if not by_label:
                name = name.partition("{")[0]
            found[name] = found.get(name, 0) + float(value)
        return found

    def tables(self):
        """{(link, prefix): table}"""
        return {(it["link"], it["prefix"]): it["table"]
                for it in self.status()["subnets"] if it["table"]}


def managed(at, config=""):
    """A daemon that is not started yet."""
    it = Managed(at.a, config)
    at.lab.daemons.append(it)
    return it


class Bird:
    """BIRD 2 copying main into tables with pipes."""

    def __init__(self, at, family, tables):
        self.at, self.tables, self.family = at, tables, family
        base = pathlib.Path(at.lab.directory) / "bird"
        base.mkdir()
        self.config, self.control = base / "conf", base / "ctl"
        kind = f"ipv{family}"
        lines = ["log stderr { warning, error, fatal };",
                 "router id 10.0.0.2;", "protocol device { }",
                 f"{kind} table all_;",
                 "protocol kernel { learn; scan time 3600; kernel table 254; "
                 f"{kind} {{ table all_; import all; export none; }}; }}"]
        for table in tables:
            lines += [f"{kind} table t{table};",
                      f"protocol kernel {{ kernel table {table}; scan time "
                      f"3600; {kind} {{ table t{table}; import none; export "
                      "all; }; }",
                      f"protocol pipe {{ table all_; peer table t{table}; "
                      "import none; export all; }"]
        self.config.write_text("\n".join(lines) + "\n")
        self.process = None

    def start_timed(self):
        """Milliseconds till it has nothing to do any more."""
        clock = ExecClock()
        self.process = self.at.a.start(
            "bird", "-f", "-c", str(self.config), "-s", str(self.control),
            before_exec=clock.stamp, stderr=subprocess.DEVNULL)
        return (wait_idle(self.process.pid, 1.0) - clock.at()) * 1000

    def end(self):
        """At once: of its own accord it would remove its routes first."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def batch_timed(at, family, tables):
    """Milliseconds of `ip -batch` with main's routes for each table."""
    ip = ["ip", "-4" if family == 4 else "-6"]
    listed = at.a.run(*ip, "route", "show", "table", "main",
                      timeout=LIMIT_S).stdout
    path = pathlib.Path(at.lab.directory) / "batch"
    with open(path, "w", encoding="ascii") as file:
        for table in tables:
            for line in listed.splitlines():
                words = line.split()
                if "via" not in words:
                    continue
                file.write(f"route add {words[0]} via "
                           f"{words[words.index('via') + 1]} dev "
                           f"{words[words.index('dev') + 1]} table {table}"
                           f"{' metric ' + words[words.index('metric') + 1] if 'metric' in words else ''}\n")
    start = time.monotonic()
    at.a.run(*ip, "-batch", str(path), timeout=LIMIT_S)
    return (time.monotonic() - start) * 1000


def readable(sock, timeout):
    return bool(select.select([sock], [], [], timeout)[0])
