#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts with very many uplinks, as those with a modem for each.

With N uplinks each of N tables has N defaults to choose from and N connected
routes. start_ms till READY=1, rss_kb then, and processor time in microseconds
for what comes and goes again, the mean of --changes:

  route_us     a route
  default_us   a default route gets another next hop, and its own again
  lost_us      a default route
  link_us      an uplink goes down, and up again with its default route
"""

from scale import begin, host, managed, memory, say, used_by

CHANGES = {
    "route_us": ("route add 198.18.0.0/24 via 10.0.0.1",
                 "route del 198.18.0.0/24 via 10.0.0.1"),
    "default_us": ("route replace default via 10.1.0.77 dev eth1 metric 101",
                   "route replace default via 10.1.0.1 dev eth1 metric 101"),
    "lost_us": ("route del default dev eth1",
                "route add default via 10.1.0.1 dev eth1 metric 101"),
    "link_us": ("link set eth1 down",
                "link set eth1 up\n"
                "route add default via 10.1.0.1 dev eth1 metric 101"),
}


def one_size(n, given):
    with host(n) as at:
        at.r.ip("addr add 10.1.0.77/24 dev lan1")
        daemon = managed(at, "settle_ms = 0;")
        row = {"start_ms": round(daemon.start_timed(), 1)}
        daemon.wait_quiet()
        pid = daemon.process.pid
        row["rss_kb"] = round(memory(pid)[0] / 1024)
        row |= used_by(at, pid, given.changes, CHANGES)
        daemon.leave()
    say("uplinks", uplinks=n, changes=given.changes, **row)


def main():
    def more(parser):
        parser.add_argument("--changes", type=int, default=10)
        parser.add_argument("--uplinks", default="4,50,200")
    given = begin(__doc__, "100", more)
    for n in given.uplinks.split(","):
        one_size(int(n), given)


if __name__ == "__main__":
    main()
