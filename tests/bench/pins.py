#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Many established connections when a better default route appears.

Each goes to a destination of its own, so each needs a pin. Measured are, with a
line of JSON for each number of connections:

  switched_ms      from the moment the daemon hears of the new default route
                   to its last write: all connections listed and pinned, the
                   table switched (`multihomectl monitor` says so)
  ss_ms            `ss -tn src SUBNET` of the same connections (output to
                   /dev/null), the yardstick
  cpu_ms, ss_cpu_ms  the same as processor time, where others are at work too
  slowest_status_ms  the longest that a status answer took meanwhile
  moved            packets of these connections at the other router: 0

The median of --runs; the pins go again between two runs. Needs root.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "kernel"))

from lab import Lab, daemon_binary, processor_ns  # noqa: E402
from lab.crowd import Asker, Holders, moved, network  # noqa: E402
from lab.varlink import Client  # noqa: E402

SKIPPED = 77  # to meson
BETTER = "default via 10.1.0.77 dev eth0 metric 50"


def cpu_ms(daemon):
    """Processor time of the daemon so far."""
    return processor_ns(daemon.process.pid) / 1e6


def list_by_ss(a):
    """Milliseconds: by the clock, and of processor time."""
    start = time.monotonic()
    with a.inside():
        process = subprocess.Popen(["ss", "-tn", "src", "10.1.0.0/24"],
                                   stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0
    return ((time.monotonic() - start) * 1000,
            (usage.ru_utime + usage.ru_stime) * 1000)


def switch(a, daemon, n):
    """Milliseconds of the round of work that the new route led to."""
    with Client(daemon.socket_path) as client:
        client.send("io.multihomed.Monitor", more=True)
        daemon.status()  # on another connection, so heard after it
        a.ip(f"route add {BETTER}")
        while True:
            told = client.receive().parameters
            if len(told["wrote"]) + told["wrote_more"] >= n:
                return told["milliseconds"]


def one_run(a, daemon, n):
    asker = Asker(daemon)
    before = cpu_ms(daemon)
    switched = switch(a, daemon, n)
    used = cpu_ms(daemon) - before
    asker.end()
    pins = daemon.status()["pins"]["path"]
    a.ip(f"route del {BETTER}")
    daemon.wait()
    return switched, used, asker.slowest_s * 1000, pins


def measure(a, r2, daemon, n, runs):
    results = [one_run(a, daemon, n) for _ in range(runs)]
    ss = [list_by_ss(a) for _ in range(runs)]
    median = statistics.median
    switched, cpu = median(r[0] for r in results), median(r[1] for r in results)
    print(json.dumps({
        "bench": "pins", "connections": n, "runs": runs,
        "pins": min(r[3] for r in results),
        "switched_ms": round(switched, 1),
        "switched_ms_per_10k": round(switched * 10000 / n, 1),
        "ss_ms": round(median(s[0] for s in ss), 1),
        "ratio": round(switched / median(s[0] for s in ss), 2),
        "cpu_ms": round(cpu, 1),
        "ss_cpu_ms": round(median(s[1] for s in ss), 1),
        "cpu_ratio": round(cpu / median(s[1] for s in ss), 2),
        "slowest_status_ms": round(max(r[2] for r in results), 1),
        "moved": moved(r2),
    }), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sizes", default="10000,50000,100000")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("pins: skipped, network namespaces need root")
        sys.exit(SKIPPED)
    daemon_binary()
    lab = Lab()
    a, r2, b = network(lab)
    holders = Holders(a, b)
    try:
        daemon = lab.daemon(a, "settle_ms = 0; pinning = { max = 1000000; };")
        for n in map(int, options.sizes.split(",")):
            holders.grow(n)
            measure(a, r2, daemon, n, options.runs)
        lab.check_daemons()
    finally:
        holders.close()
        lab.close()


if __name__ == "__main__":
    main()
