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
  slowest_status_ms  the longest that a status answer took meanwhile
  moved            packets of these connections at the other router: 0

The median of --runs; the pins go again between two runs. Needs root.
"""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "kernel"))

from lab import Lab, daemon_binary  # noqa: E402
from lab.nats import count  # noqa: E402
from lab.varlink import Client  # noqa: E402

SKIPPED = 77  # to meson
SOURCE = "10.1.0.2"
BETTER = "default via 10.1.0.77 dev eth0 metric 50"
PORT = 7001
BIND_ADDRESS_NO_PORT = 24  # IP_: the port is chosen by connect()
HOLDS = 9000  # connections of one process, two files each


def network(lab):
    """a with two uplinks; behind both routers b, which has 198.18.0.0/15."""
    a, r1, r2, b = (lab.host("a"), lab.router("r1"), lab.router("r2"),
                    lab.server("b"))
    lab.wire(a, "eth0", r1, "lan")
    lab.wire(a, "eth1", r2, "lan")
    lab.wire(b, "p1", r1, "wan")
    lab.wire(b, "p2", r2, "wan")
    for number, router in ((1, r1), (2, r2)):
        router.ip(f"""
            addr add 10.{number}.0.1/24 dev lan
            addr add 192.0.2.{4 * number + 1}/30 dev wan
            route add 198.18.0.0/15 via 192.0.2.{4 * number + 2}
        """)
        b.ip(f"""
            addr add 192.0.2.{4 * number + 2}/30 dev p{number}
            route add 10.{number}.0.0/24 via 192.0.2.{4 * number + 1}
        """)
    b.ip("route add local 198.18.0.0/15 dev lo")
    a.ip("""
        addr add 10.1.0.2/24 dev eth0
        addr add 10.2.0.2/24 dev eth1
        route add default via 10.1.0.1 dev eth0 metric 100
        route add default via 10.2.0.1 dev eth1 metric 200
    """)
    count(r2)
    return a, r2, b


def destination(i):
    return f"198.{18 + (i >> 16)}.{i >> 8 & 255}.{i & 255}"


def connect(a, b, port, first, last):
    """Connections number first to last, and their other ends."""
    with a.inside():
        clients = [socket.socket() for _ in range(first, last)]
    with b.inside():
        listener = socket.socket()
    listener.bind(("0.0.0.0", port))
    listener.listen(1024)
    ends = []
    for i, sock in enumerate(clients, first):
        sock.setsockopt(socket.IPPROTO_IP, BIND_ADDRESS_NO_PORT, 1)
        sock.bind((SOURCE, 0))
        sock.connect((destination(i), port))
        ends += [sock, listener.accept()[0]]
    return ends


class Holders:
    """Processes that hold the connections: each may have only so many files."""

    def __init__(self, a, b):
        self.a, self.b, self.n, self.children = a, b, 0, []

    def grow(self, n):
        while self.n < n:
            last = min(n, self.n + HOLDS)
            self._start(self.n, last)
            self.n = last

    def _start(self, first, last):
        ready, told = os.pipe()
        end, ending = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ending)
            for _, other in self.children:
                os.close(other)
            try:
                ends = connect(self.a, self.b, PORT + len(self.children),
                               first, last)
                os.write(told, b"1")
                os.read(end, 1)
                del ends
            finally:
                os._exit(0)
        os.close(end)
        os.close(told)
        self.children.append((pid, ending))
        if os.read(ready, 1) != b"1":
            raise SystemExit("pins: connecting failed")
        os.close(ready)

    def close(self):
        for pid, ending in self.children:
            os.close(ending)
            os.waitpid(pid, 0)


class Status(threading.Thread):
    """Asks for the status again and again; slowest_s is the longest wait."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.path, self.slowest_s, self.asked = daemon.socket_path, 0.0, 0
        self.ended = threading.Event()

    def run(self):
        with Client(self.path) as client:
            while not self.ended.is_set():
                start = time.monotonic()
                client.ask("io.multihomed.Status")
                self.slowest_s = max(self.slowest_s,
                                     time.monotonic() - start)
                self.asked += 1
                self.ended.wait(0.002)


def timed(call):
    start = time.monotonic()
    call()
    return (time.monotonic() - start) * 1000


def list_by_ss(a):
    with a.inside():
        subprocess.run(["ss", "-tn", "src", "10.1.0.0/24"], check=True,
                       stdout=subprocess.DEVNULL)


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
    asker = Status(daemon)
    asker.start()
    switched = switch(a, daemon, n)
    asker.ended.set()
    asker.join()
    pins = daemon.status()["pins"]["path"]
    a.ip(f"route del {BETTER}")
    daemon.wait()
    return switched, asker.slowest_s * 1000, pins


def measure(a, r2, daemon, n, runs):
    results = [one_run(a, daemon, n) for _ in range(runs)]
    ss_ms = [timed(lambda: list_by_ss(a)) for _ in range(runs)]
    median = statistics.median
    moved = sum(
        item["counter"]["packets"] for item in json.loads(
            r2.run("nft", "-j", "list", "counters", "table", "inet",
                   "seen").stdout)["nftables"]
        if item.get("counter", {}).get("name") == "a1v4")
    switched = median(r[0] for r in results)
    print(json.dumps({
        "bench": "pins", "connections": n, "runs": runs,
        "pins": min(r[2] for r in results),
        "switched_ms": round(switched, 1),
        "switched_ms_per_10k": round(switched * 10000 / n, 1),
        "ss_ms": round(median(ss_ms), 1),
        "ratio": round(switched / median(ss_ms), 2),
        "slowest_status_ms": round(max(r[1] for r in results), 1),
        "moved": moved,
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
