#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers, addresses and networks that come and go beside many routes.

Processor time in microseconds for one that comes and goes again, the mean of
--changes:

  container_us   a pair of links, one end in a bridge, both of them up
  address_us     an address more on an uplink, as a VIP
  address6_us    one of IPv6
  network_us     a bridge with an address: a connected route more
  route_us       a route

The host has two uplinks, some networks, each a bridge with an address, and some
containers, each a link and a route for one address. Beside it bird_..., the same
of BIRD 2 with pipes into two tables, and start_ms till READY=1. Goal: none of
ours grows with the number of routes, but for a network's, whose link's routes
are read.
"""

from scale import (COPIES, Bird, begin, have_bird, host, managed, say, used_by)

CHANGES = {
    "container_us": ("link add v0 type veth peer name v1\n"
                     "link set v0 up\nlink set v1 up\nlink set v0 master br0",
                     "link del v0"),
    "address_us": ("addr add 10.0.0.77/32 dev eth0",
                   "addr del 10.0.0.77/32 dev eth0"),
    "address6_us": ("addr add 2001:db8:0:0::77/64 dev eth0",
                    "addr del 2001:db8:0:0::77/64 dev eth0"),
    "network_us": ("link add brx type bridge\nlink set brx up\n"
                   "addr add 172.31.0.1/24 dev brx", "link del brx"),
    "route_us": ("route add 198.18.0.0/24 via 10.0.0.1",
                 "route del 198.18.0.0/24 via 10.0.0.1"),
}


def add_networks(at, n):
    at.a.ip("\n".join(f"link add br{i} type bridge\nlink set br{i} up\n"
                      f"addr add 172.{16 + i // 250}.{i % 250}.1/24 dev br{i}"
                      for i in range(n)))


def add_containers(at, n):
    at.a.ip("\n".join(f"link add c{i} type veth peer name d{i}\n"
                      f"link set c{i} up\nlink set d{i} up\n"
                      f"route add 10.100.{i // 250}.{i % 250 + 1}/32 dev c{i}"
                      for i in range(n)))


def ours(at, n):
    daemon = managed(at, "settle_ms = 0;")
    row = {"start_ms": round(daemon.start_timed(), 1)}
    row |= used_by(at, daemon.process.pid, n, CHANGES)
    daemon.leave()
    return row


def birds(at, n):
    bird = Bird(at, 4, range(COPIES, COPIES + 2))
    bird.start_timed()
    row = used_by(at, bird.process.pid, n, CHANGES)
    bird.end()
    return {f"bird_{name}": value for name, value in row.items()}


def one_size(given, routes, networks=10, containers=0):
    with host(2) as at:
        at.fill(4, routes)
        add_networks(at, networks)
        add_containers(at, containers)
        row = ours(at, given.changes)
        if "bird" not in given.without and have_bird():
            row |= birds(at, given.changes)
    say("links", routes=routes, networks=networks, containers=containers,
        changes=given.changes, **row)


def main():
    def more(parser):
        parser.add_argument("--changes", type=int, default=10)
        parser.add_argument("--networks", type=int, default=500)
        parser.add_argument("--containers", type=int, default=2000)
    given = begin(__doc__, "100,100000,1000000", more)
    for n in given.sizes:
        one_size(given, n)
    one_size(given, given.sizes[0], networks=given.networks)
    one_size(given, given.sizes[0], containers=given.containers)


if __name__ == "__main__":
    main()
