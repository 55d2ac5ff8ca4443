#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An uplink with many routes behind it loses its carrier, and it comes back.

Every prefix has a next hop on eth0 (metric 100) and one on eth1 (200). Of four
subnets all but eth1's leave through eth0, so three cells of each prefix change,
and change back. For each size one line for the loss and one for the return:

  ms      from the kernel's message about the link till the daemon is steady
  cells   of the tables that differ between before and after
  ops     routes written for it (goal: no more than cells)
  neighbour_ops  entries for routers, which are no cells
  us_per_op, slowest_status_ms
"""

import time

from scale import LIMIT_S, MAIN, begin, host, managed, say

from lab.crowd import Asker  # noqa: E402, the path is scale's

SUBNETS = 4


def cells(at, tables):
    """{(table, prefix): what it says}, without what the kernel adds to it."""
    found = {}
    for table in tables:
        told = at.a.run("ip", "-4", "-N", "route", "show", "table", str(table),
                        timeout=LIMIT_S).stdout
        for line in told.splitlines():
            words = [word for word in line.split()
                     if word not in ("dead", "linkdown")]
            # Also "unreachable PREFIX" and the like.
            where = words[0] if words[0][0].isdigit() else words[1]
            found.setdefault((table, where), []).append(words)
    return found


def ops(daemon):
    """(routes, entries of neighbours) written so far."""
    kinds = daemon.counters(by_label=True)
    return [int(sum(kinds[f'multihomed_ops_total{{kind="{what}_{how}"}}']
                    for how in ("put", "delete")))
            for what in ("route", "neighbour")]


def measure(at, daemon, n, on):
    tables = daemon.tables().values()
    was = cells(at, tables)
    before = ops(daemon)
    asker = Asker(daemon)
    heard = at.carrier(0, on)
    daemon.wait()
    took = (time.monotonic() - heard) * 1000
    asker.end()
    routes, neighbours = (
        new - old for new, old in zip(ops(daemon), before, strict=True))
    now = cells(at, tables)
    changed = sum(was.get(key) != now.get(key) for key in {*was, *now})
    say("loss", what="return" if on else "loss", routes=n, subnets=SUBNETS,
        ms=round(took, 1), cells=changed, ops=routes, neighbour_ops=neighbours,
        us_per_op=round(took * 1000 / routes, 2) if routes else 0,
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
