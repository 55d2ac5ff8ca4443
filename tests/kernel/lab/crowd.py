# SPDX-License-Identifier: GPL-2.0-or-later
"""Very many TCP connections of one host, each to a destination of its own."""

import json
import os
import resource
import socket
import threading
import time

from .nats import NAMES, count
from .varlink import Client

SOURCE = "10.1.0.2"
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
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
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


class Asker:
    """Asks for the status again and again; slowest_s is the longest wait."""

    def __init__(self, daemon):
        self.path, self.slowest_s, self.asked = daemon.socket_path, 0.0, 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        with Client(self.path) as client:
            while not self._ended.is_set():
                start = time.monotonic()
                client.ask("io.multihomed.Status")
                self.slowest_s = max(self.slowest_s,
                                     time.monotonic() - start)
                self.asked += 1
                self._ended.wait(0.002)

    def end(self):
        self._ended.set()
        self._thread.join()


def moved(router):
    """Packets from SOURCE that router was given to forward."""
    out = router.run("nft", "-j", "list", "counters", "table", "inet",
                     "seen").stdout
    return sum(item["counter"]["packets"]
               for item in json.loads(out)["nftables"]
               if item.get("counter", {}).get("name") == NAMES[SOURCE])
