#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon that finds everything as it left it.

  ms            exec -> READY=1, with nothing to be written
  ops           that were written all the same: 0
  ip_ms         `ip route show` of main and of the subnets' tables (to /dev/null)
  read_ms       a strict dump of them, by bench-routes: nobody can be faster
  ratio         ms / ip_ms
"""

import os
import time

from scale import LIMIT_S, MAIN, begin, host, managed, medians, say

SUBNETS = 4


def show(at, tables):
    start = time.monotonic()
    with open(os.devnull, "w", encoding="ascii") as nowhere:
        for table in tables:
            at.a.start("ip", "-4", "route", "show", "table", str(table),
                       stdout=nowhere).wait(LIMIT_S)
    return (time.monotonic() - start) * 1000


def one_run(at, daemon):
    ms = daemon.start_timed()
    daemon.wait()
    ops = daemon.counters()["multihomed_ops_total"]
    tables = [MAIN, *daemon.tables().values()]
    daemon.leave()
    row = {"ms": ms, "ops": ops, "ip_ms": show(at, tables),
           "read_ms": at.routes("read", 4, *tables)["ms"]}
    row["ratio"] = row["ms"] / row["ip_ms"]
    return row


def main():
    given = begin(__doc__, "10000,100000,1000000")
    for n in given.sizes:
        with host(SUBNETS) as at:
            at.fill(4, n)
            daemon = managed(at)
            daemon.start_timed()
            daemon.leave()
            rows = [one_run(at, daemon) for _ in range(given.runs)]
            say("restart", routes=n, subnets=SUBNETS, runs=len(rows),
                **medians(rows))


if __name__ == "__main__":
    main()
