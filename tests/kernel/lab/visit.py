# SPDX-License-Identifier: GPL-2.0-or-later
"""Root, who asks how things are and changes a route now and then, with a clock
in hand: what somebody else's bad behaviour costs him.

    visitor = visit(daemon, a, watch, seconds)
    show("Status", visitor.status_s)
    assert not visitor.failures
"""

import itertools
import os
import statistics
import time
from contextlib import contextmanager, suppress

from .varlink import INTERFACE, ask

STATUS = f"{INTERFACE}.Status"
PAUSE_S = 0.005
FIRST, LAST = -15, 19  # priorities, as nice(1) counts
SANITIZER_FACTOR = 10

_serial = itertools.count(1)


def timed(function):
    """(what it returned, seconds)"""
    begin = time.monotonic()
    value = function()
    return value, time.monotonic() - begin


class Visitor:
    """What was measured, in seconds; failures are texts."""

    def __init__(self, daemon, a):
        self.daemon, self.a = daemon, a
        self.status_s, self.route_s, self.failures = [], [], []
        self.tables = [daemon.table("eth0", "10.1.0.0/24"),
                       daemon.table("eth1", "10.2.0.0/24")]

    def ask(self):
        """On a connection of its own, as multihomectl does."""
        try:
            reply, seconds = timed(lambda: ask(self.daemon.socket_path,
                                               STATUS))
            assert not reply.error and reply.parameters["subnets"], reply
            self.status_s.append(seconds)
        except (OSError, AssertionError) as err:
            self.failures.append(f"{type(err).__name__} {err}")

    def change_route(self, watch):
        """From the kernel's word of main to its word of our tables."""
        i = next(_serial)
        prefix = f"20.{i >> 8 & 255}.{i & 255}.0/24"
        self.a.ip(f"route add {prefix} via 10.1.0.1 dev eth0")

        def at(table):
            return watch.wait_for(
                lambda e: e.kind == "NEWROUTE" and e.prefix == prefix
                and e.table == table, 10, f"{prefix} in {table}").time
        self.route_s.append(max(map(at, self.tables)) - at(254))


@contextmanager
def before_others(daemon):
    """The daemon and we run before everything else on this machine: what is
    measured is the daemon, not what the processors are busy with."""
    # Linux counts a thread as a process here; one of ours has the Watch.
    threads = [*map(int, os.listdir("/proc/self/task")), daemon.process.pid]
    old = {tid: os.getpriority(os.PRIO_PROCESS, tid) for tid in threads}
    for tid in threads:
        os.setpriority(os.PRIO_PROCESS, tid, FIRST)
    try:
        yield
    finally:
        for tid, priority in old.items():
            with suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, tid, priority)


def after_others():
    """The calling process runs when nobody else wants to."""
    os.setpriority(os.PRIO_PROCESS, 0, LAST)


def visit(daemon, a, watch, seconds):
    """Ask all the time, and change a route after every ten questions."""
    visitor = Visitor(daemon, a)
    end = time.monotonic() + seconds
    with before_others(daemon):
        while time.monotonic() < end:
            for _ in range(10):
                visitor.ask()
                time.sleep(PAUSE_S)
            visitor.change_route(watch)
    return visitor


def show(what, samples):
    """Print what was measured; pytest shows it with -s or on failure."""
    ordered = sorted(samples)
    print(f"{what}: {len(ordered)} times, median "
          f"{statistics.median(ordered) * 1000:.2f} ms, 99 % "
          f"{ordered[len(ordered) * 99 // 100] * 1000:.2f} ms, worst "
          f"{ordered[-1] * 1000:.2f} ms")


def assert_prompt(daemon, what, samples, seconds):
    """All of them within so many seconds, but one, or one in fifty, within ten
    times as many: the kernel has one lock for the routing of all namespaces, and
    what else runs on this machine takes it too."""
    allowed = limit(daemon, seconds)
    late = sorted(s for s in samples if s >= allowed)
    shown = f"{what}: {[f'{s * 1000:.0f} ms' for s in late[-10:]]} are late"
    assert len(late) <= max(len(samples) // 50, 1), f"{shown}, of {len(samples)}"
    assert max(samples) < 10 * allowed, shown


# -- the process -----------------------------------------------------------

def memory_mib(pid):
    """(resident now, the most it was since forget_peak())"""
    found = {}
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key in ("VmRSS", "VmHWM"):
                found[key] = int(value.split()[0]) / 1024
    return found["VmRSS"], found["VmHWM"]


def forget_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def descriptors_at_rest(pid):
    """Who asked last may not be gone yet: the fewest of some looks."""
    def look():
        time.sleep(0.02)
        return descriptors(pid)
    return min(look() for _ in range(10))


def is_sanitized(pid):
    """A build with sanitizers: its shadow memory takes terabytes. Its memory
    and its times say nothing about the real one's."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        size = next(line for line in file if line.startswith("VmSize"))
    return int(size.split()[1]) > 1 << 32  # KiB


def limit(daemon, seconds):
    """As many seconds, with patience for a sanitizer build."""
    sanitized = is_sanitized(daemon.process.pid)
    return seconds * (SANITIZER_FACTOR if sanitized else 1)
