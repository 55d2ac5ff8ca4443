#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An uplink with many routes behind it loses its carrier, and it comes back.

Every prefix has a next hop on eth0 (metric 100) and one on eth1 (200). Of four
subnets all but eth1's leave through eth0, so three cells of each prefix change,
and change back. For each size one line for the loss and one for the return:

  ms      from the kernel's message about the link till the daemon is steady
  cells   that differ between before and after
  ops     written for it: no more than cells (and a few neighbour entries)
  us_per_op, slowest_status_ms
"""

import time

from scale import MAIN, begin, host, managed, say

from lab.crowd import Asker  # noqa: E402, the path is scale's

SUBNETS = 4


def tables_over(at, tables, n):
    """How many of the tables lead what is behind the uplinks over eth1."""
    over = 0
    for table in tables:
        told = at.a.run("ip", "route", "get", "16.0.5.9", "from",
                        f"10.{table}.0.2").stdout
        over += "dev eth1" in told
    return over


def measure(at, daemon, n, on):
    before = daemon.counters()["multihomed_ops_total"]
    was = tables_over(at, range(SUBNETS), n)
    asker = Asker(daemon)
    heard = at.carrier(0, on)
    daemon.wait()
    took = (time.monotonic() - heard) * 1000
    asker.end()
    ops = daemon.counters()["multihomed_ops_total"] - before
    moved = abs(tables_over(at, range(SUBNETS), n) - was)
    # What is behind the uplinks, and the four defaults' and links' own rows.
    cells = moved * n
    say("loss", what="return" if on else "loss", routes=n, subnets=SUBNETS,
        ms=round(took, 1), cells=cells, ops=int(ops),
        us_per_op=round(took * 1000 / ops, 2) if ops else 0,
        slowest_status_ms=round(asker.slowest_s * 1000, 1))


def main():
    given = begin(__doc__, "10000,100000")
    for n in given.sizes:
        with host(SUBNETS) as at:
            for k, metric in ((0, 100), (1, 200)):
                at.routes("fill", 4, MAIN, n, k, metric)
            daemon = managed(at)
            daemon.start_timed()
            for _ in range(given.runs):
                measure(at, daemon, n, False)
                measure(at, daemon, n, True)
            daemon.leave()


if __name__ == "__main__":
    main()
