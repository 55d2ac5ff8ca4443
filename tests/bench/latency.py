#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long after a change the kernel has our answer.

One rtnetlink socket in the daemon's namespace hears both the kernel's message
for the cause and those for what the daemon wrote; the time between them is the
result. The socket is read in a tight loop that started before the cause: a
reader that sleeps finds both waiting when it wakes, and measures nothing.

  address   an address is added on an `always` link -> its rule and its table
  default   a default route is added in main -> every copy of it
  repair    a rule of ours is deleted by another program -> it is back

Each is done --runs times for IPv4 and for IPv6; one line of JSON per result,
times in milliseconds. Where this program itself had to wait for a processor,
the time between the messages comes out too short; median_since_asked_ms counts
from before the request and cannot.

MULTIHOMED_BIN_DAEMON and MULTIHOMED_BIN_CTL name the programs, as for the
kernel tests. Needs root (network namespaces) and two processors that have
nothing else to do.
"""

import argparse
import json
import os
import pathlib
import socket
import statistics
import struct
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "kernel"))

from lab import Lab, daemon_binary  # noqa: E402
from lab.own import own_rules  # noqa: E402
from lab.watch import (FRA_PRIORITY, FRA_PROTOCOL, GROUPS,  # noqa: E402
                       NETLINK_ADD_MEMBERSHIP, NETLINK_ROUTE, NLM_F_CREATE,
                       RTA_GATEWAY, RTA_OIF, RTA_PRIORITY, RTA_TABLE,
                       SOL_NETLINK, Meddler, attributes)

PROTOCOL = 109
TABLES = range(7100, 8000)
NEWADDR, DELADDR, NEWROUTE, DELROUTE = 20, 21, 24, 25
NEWRULE, DELRULE = 32, 33
IFA_ADDRESS, IFA_LOCAL, RTMSG_SIZE = 1, 2, 12
MAIN, STATIC, UNICAST = 254, 4, 1
QUIET_S = 0.03  # nothing of ours for so long: the daemon is done
LIMIT_S = 3.0
SKIPPED = 77  # to meson
# Ours, as in `always`: rule and table come with the address alone.
CONFIG = 'interfaces = ( { match = "eth2"; manage = "always"; } );'
REPAIRS_AT_ONCE = 5  # then the daemon backs off, as it should


class Listener:
    """The namespace's rtnetlink messages, with the time each was received."""

    def __init__(self, namespace):
        with namespace.inside():
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                      NETLINK_ROUTE)
        self.sock.bind((0, 0))
        self.sock.setblocking(False)
        for group in GROUPS:
            self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)

    def read(self, until):
        """[(time, kind, body)] of one datagram; [] when none came in time."""
        while True:
            try:
                data = self.sock.recv(1 << 16)
                now = time.monotonic()
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    return []
        at, found = 0, []
        while at + 16 <= len(data):
            length, kind = struct.unpack_from("IH", data, at)
            found.append((now, kind, data[at + 16:at + length]))
            at += (max(length, 16) + 3) & ~3
        return found

    def drain(self):
        """Until it is quiet: what came before does not count."""
        while self.read(time.monotonic() + QUIET_S):
            pass

    def first(self, is_cause):
        """When the first of these came."""
        limit = time.monotonic() + LIMIT_S
        while time.monotonic() < limit:
            for now, kind, body in self.read(limit):
                if is_cause(kind, body):
                    return now
        raise SystemExit(f"latency: no cause within {LIMIT_S} s")

    def collect(self, asked, is_cause, is_effect):
        """Milliseconds from the first cause to the last effect, the same from
        the moment it was asked for, and how many effects there were."""
        cause = last = None
        effects = 0
        limit = time.monotonic() + LIMIT_S
        while True:
            messages = self.read(limit if last is None else last + QUIET_S)
            if not messages:
                break
            for now, kind, body in messages:
                if cause is None and is_cause(kind, body):
                    cause = now
                elif cause is not None and is_effect(kind, body):
                    last, effects = now, effects + 1
        if last is None:
            raise SystemExit("latency: no answer of the daemon within "
                             f"{LIMIT_S} s ({'no' if cause is None else 'a'} "
                             "cause was seen)")
        return (last - cause) * 1000, (last - asked) * 1000, effects


def table_of(body):
    found = attributes(body[RTMSG_SIZE:])
    value = found.get(RTA_TABLE, b"")
    return struct.unpack("I", value)[0] if len(value) == 4 else body[4]


def is_ours(kind, body):
    """A route or a rule that was added with the daemon's protocol."""
    if kind == NEWROUTE:
        return body[5] == PROTOCOL and table_of(body) in TABLES
    if kind == NEWRULE:
        value = attributes(body[RTMSG_SIZE:]).get(FRA_PROTOCOL, b"")
        return value == bytes([PROTOCOL])
    return False


def attribute(kind, value):
    return struct.pack("HH", 4 + len(value), kind) + value + \
        bytes(-len(value) % 4)


def number_attribute(kind, value):
    return attribute(kind, struct.pack("I", value))


def host(lab):
    """A with two uplinks, and eth2, which has nothing yet."""
    a, r = lab.host("a"), lab.router("r")
    for net in range(3):
        lab.wire(a, f"eth{net}", r, f"lan{net}")
        r.ip(f"""
            addr add 10.{net}.0.1/24 dev lan{net}
            addr add 2001:db8:{net}::1/64 dev lan{net}
        """)
    for net in range(2):
        a.ip(f"""
            addr add 10.{net}.0.2/24 dev eth{net}
            addr add 2001:db8:{net}::2/64 dev eth{net}
        """)
    a.ip("""
        route add default via 10.0.0.1 dev eth0 metric 100
        route add default via 2001:db8::1 dev eth0 metric 100
        addr add 10.2.0.2/24 dev eth2
        addr add 2001:db8:2::2/64 dev eth2
    """)
    return a


class Bench:
    """The three measurements of one family."""

    def __init__(self, a, daemon, number):
        self.a, self.daemon, self.number = a, daemon, number
        self.listener, self.changer = Listener(a), Meddler(a)
        self.family = {4: socket.AF_INET, 6: socket.AF_INET6}[number]
        self.eth1, self.eth2 = a.ifindex("eth1"), a.ifindex("eth2")

    def change(self, kind, body):
        error = self.changer.send(kind, 0 if kind % 4 else NLM_F_CREATE, body)
        assert error == 0, f"message {kind}: {os.strerror(error)}"

    def run(self, do, undo, is_cause):
        """One cause, measured, and taken back; do and undo are (message,
        body)."""
        self.daemon.wait()
        self.listener.drain()
        asked = time.monotonic()
        self.change(*do)
        result = self.listener.collect(asked, is_cause, is_ours)
        if undo:
            self.change(*undo)
        return result

    def address_added(self):
        text, length = {4: ("10.2.7.2", 24), 6: ("2001:db8:2:7::2", 64)}[
            self.number]
        address = socket.inet_pton(self.family, text)
        body = struct.pack("BBBBI", self.family, length, 0, 0, self.eth2) + \
            attribute(IFA_LOCAL, address) + attribute(IFA_ADDRESS, address)

        def is_cause(kind, message):
            return kind == NEWADDR and message[0] == self.family
        return self.run((NEWADDR, body), (DELADDR, body), is_cause)

    def default_added(self):
        gateway = {4: "10.1.0.1", 6: "2001:db8:1::1"}[self.number]
        body = struct.pack("BBBBBBBBI", self.family, 0, 0, 0, MAIN, STATIC, 0,
                           UNICAST, 0) + \
            attribute(RTA_GATEWAY, socket.inet_pton(self.family, gateway)) + \
            number_attribute(RTA_OIF, self.eth1) + \
            number_attribute(RTA_PRIORITY, 200)

        def is_cause(kind, message):
            return (kind == NEWROUTE and message[0] == self.family and
                    message[1] == 0 and table_of(message) == MAIN)
        return self.run((NEWROUTE, body), (DELROUTE, body), is_cause)

    def rule_repaired(self):
        priority = max(own_rules(self.a, self.number))[0]
        body = struct.pack("B11x", self.family) + \
            number_attribute(FRA_PRIORITY, priority)

        def is_cause(kind, message):
            return kind == DELRULE and message[0] == self.family
        return self.run((DELRULE, body), None, is_cause)

    def close(self):
        self.listener.sock.close()
        self.changer.__exit__()


def report(what, number, results):
    between = [result[0] for result in results]
    asked = [result[1] for result in results]
    print(json.dumps({
        "bench": "latency", "what": what, "family": f"ipv{number}",
        "runs": len(results),
        "median_ms": round(statistics.median(between), 3),
        "min_ms": round(min(between), 3), "max_ms": round(max(between), 3),
        "median_since_asked_ms": round(statistics.median(asked), 3),
        "messages": max(result[2] for result in results),
    }), flush=True)


def measure(number, runs):
    lab = Lab()
    try:
        a = host(lab)
        daemon = lab.daemon(a, CONFIG + " settle_ms = 0;")
        bench = Bench(a, daemon, number)
        bench.address_added()  # the first is not measured
        report("address", number,
               [bench.address_added() for _ in range(runs)])
        report("default", number,
               [bench.default_added() for _ in range(runs)])
        repairs = []
        while len(repairs) < runs:
            daemon.leave()
            daemon.start()
            repairs += [bench.rule_repaired()
                        for _ in range(min(REPAIRS_AT_ONCE,
                                           runs - len(repairs)))]
        report("repair", number, repairs)
        bench.close()
        lab.check_daemons()
    finally:
        lab.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=50)
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("latency: skipped, network namespaces need root")
        sys.exit(SKIPPED)
    daemon_binary()
    for number in (4, 6):
        measure(number, options.runs)


if __name__ == "__main__":
    main()
