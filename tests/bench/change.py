#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One change in a table main of few or many routes.

A route that exists is led over another link and back, --changes times. Measured
from the kernel's message for the change in main to that for the last copy:

  ms         multihomed, 2 subnets; cpu_us: its processor time for one change
  socket_ms  the same where there is a TCP socket, one that listens
  begun_ms   the same where a connection begins, and ends, before each change:
             flows must be listed then
  flows_ms   the same with --flows flows that lead elsewhere, as many as are not
             remembered: lists are about those to the route's prefix only
  unpinned_ms  with pinning.scope = "off": nobody asks for sockets, and that is
             what BIRD does
  bird_ms    BIRD 2 with pipes into two tables, under the same watch

ratio_to_first is ms against that of the first size (goal: 1.5 at 1 M), cpu_us
shall be below 200. The watch reads its socket in a tight loop, so two processors
with nothing else to do are needed for times that mean anything.
"""

import resource
import socket
import statistics
import struct
import time

from latency import NEWROUTE, Listener, attribute, number_attribute, table_of
from scale import (COPIES, MAIN, Bird, begin, cpu_us, have_bird, host, managed,
                   say)

STATIC, UNICAST, METRIC = 4, 1, 1024
NLM_F_REPLACE, NLM_F_CREATE = 0x100, 0x400
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY = 1, 4, 5, 6
OWN = "10.0.0.2"
# Number 1 of bench-routes: led over eth1 by fill.
PREFIX = (socket.inet_aton("16.0.5.0"), 24)


class Changer:
    def __init__(self, at):
        self.at = at
        self.links = [at.a.ifindex(f"eth{k}") for k in range(2)]
        with at.a.inside():
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.sock.bind((0, 0))

    def lead_over(self, k):
        body = struct.pack("BBBBBBBBI", socket.AF_INET, PREFIX[1], 0, 0, MAIN,
                           STATIC, 0, UNICAST, 0) + \
            attribute(RTA_DST, PREFIX[0]) + \
            attribute(RTA_GATEWAY, socket.inet_aton(f"10.{k}.0.1")) + \
            number_attribute(RTA_OIF, self.links[k]) + \
            number_attribute(RTA_PRIORITY, METRIC)
        self.sock.send(struct.pack("IHHII", 16 + len(body), NEWROUTE,
                                   1 | 4 | NLM_F_REPLACE | NLM_F_CREATE, 1, 0)
                       + body)
        self.sock.recv(4096)


def changes(at, tables, n, pid, prepare=lambda: None):
    """(median milliseconds, microseconds of processor time each)"""
    changer, listener = Changer(at), Listener(at.a)
    took = []

    def is_cause(kind, body):
        return kind == NEWROUTE and table_of(body) == MAIN

    def is_effect(kind, body):
        return kind == NEWROUTE and table_of(body) in tables
    changer.lead_over(0)
    time.sleep(0.3)
    before = cpu_us(pid)
    for i in range(n):
        prepare()
        listener.drain()
        asked = time.monotonic()
        changer.lead_over((i + 1) % 2)
        took.append(listener.collect(asked, is_cause, is_effect)[0])
    used = (cpu_us(pid) - before) / n
    listener.sock.close()
    changer.sock.close()
    return statistics.median(took), used


class Flows:
    """TCP connections of the host with itself, and a socket that listens."""

    def __init__(self, at):
        with at.a.inside():
            self._listener = socket.socket()
            self._listener.bind((OWN, 0))
        self._listener.listen()
        self._namespace = at.a
        self._ends = []

    def add(self):
        """Two flows more."""
        with self._namespace.inside():
            client = socket.socket()
        client.bind((OWN, 0))
        client.connect(self._listener.getsockname())
        self._ends += [client, self._listener.accept()[0]]

    def begin_and_end(self):
        self.add()
        for _ in range(2):
            self._ends.pop().close()

    def close(self):
        for end in self._ends:
            end.close()
        self._listener.close()


def with_flows(at, given, rest):
    """What changes cost where there are some."""
    flows = Flows(at)
    row = {"socket_ms": changes(at, *rest)[0],
           "begun_ms": changes(at, *rest, flows.begin_and_end)[0]}
    for _ in range(given.flows // 2):
        flows.add()
    changes(at, rest[0], 2, rest[2])  # finds out how many there are
    row["flows_ms"] = changes(at, *rest)[0]
    flows.close()
    return row


def ours(n, given, config, more=lambda *_: {}):
    """changes() of a daemon; more: figures taken besides."""
    with host(2) as at:
        at.fill(4, n)
        daemon = managed(at, f"settle_ms = 0; {config}")
        daemon.start_timed()
        daemon.wait_quiet()
        rest = (set(daemon.tables().values()), given.changes,
                daemon.process.pid)
        ms, used = changes(at, *rest)
        row = {"ms": ms, "cpu_us": used, **more(at, given, rest)}
        daemon.leave()
    return row


def birds(n, given):
    with host(2) as at:
        at.fill(4, n)
        bird = Bird(at, 4, range(COPIES, COPIES + 2))
        bird.start_timed()
        ms, _ = changes(at, set(bird.tables), given.changes, bird.process.pid)
        bird.end()
    return ms


def one_size(n, given, first):
    row = ours(n, given, "", with_flows)
    row["unpinned_ms"] = ours(n, given,
                              'pinning = { scope = "off"; };')["ms"]
    row["ratio_to_first"] = row["ms"] / (first or row["ms"])
    if "bird" not in given.without and have_bird():
        row["bird_ms"] = birds(n, given)
        row["bird_ratio"] = row["bird_ms"] / row["ms"]
    say("change", routes=n, changes=given.changes, flows=given.flows,
        **{key: round(value, 3) for key, value in row.items()})
    return first or row["ms"]


def main():
    def more(parser):
        parser.add_argument("--changes", type=int, default=200)
        parser.add_argument("--flows", type=int, default=4000)
    given = begin(__doc__, "100,100000,1000000", more)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    first = None
    for n in given.sizes:
        first = one_size(n, given, first)


if __name__ == "__main__":
    main()
