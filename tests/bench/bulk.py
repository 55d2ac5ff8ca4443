#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Start with a table main full of routes, till every copy is in place.

For each number of routes and of managed subnets, each on a host of its own and
one right after another:

  floor  one strict dump of main and raw inserts in batches (routes.c): nobody
         can be faster
  ours   exec -> READY=1
  bird   BIRD 2 with a pipe into each table: exec -> idle
  batch  `ip -batch` with the same routes

Each of them on any processor. Only we write with two threads (IPv6, as the
kernel lets them); with --one-processor all of them are on the same one.

ratio is ours / floor (goal: 1.2), cpu_ratio the same by processor time, which
is steadier where others are at work. And what it costs: bytes of resident memory
for each route of main (goal: 200 at 1 M routes and 4 subnets), now and at most,
BIRD's beside them.
"""

import os

from scale import (COPIES, Bird, batch_timed, begin, cpu_us, have_bird, host,
                   is_full, managed, medians, memory, say)

SMALL, SMALL_RUNS = 10000, 3  # times as many runs, where each is short


def check(at, family, n, tables, who):
    for table in tables:
        found = at.count(family, table)
        if found < n:
            print(f"# {who}: table {table} has {found} of {n} routes")


def ours(at, family, n):
    daemon = managed(at)
    took = daemon.start_timed()
    used = cpu_us(daemon.process.pid) / 1000
    now, peak = memory(daemon.process.pid)
    check(at, family, n, daemon.tables().values(), "multihomed")
    daemon.wait_quiet()
    daemon.leave()
    return {"ms": took, "cpu_ms": used, "bytes_per_route": now / n,
            "peak_per_route": peak / n}


def bird(at, family, n, tables):
    it = Bird(at, family, tables)
    took = it.start_timed()
    now, peak = memory(it.process.pid)
    check(at, family, n, tables, "bird")
    it.end()
    return {"bird_ms": took, "bird_bytes_per_route": now / n,
            "bird_peak_per_route": peak / n}


def one_run(family, n, subnets, without):
    tables = range(COPIES, COPIES + subnets)
    row = {}
    with host(subnets, (family,)) as at:
        at.fill(family, n)
        floor = at.routes("floor", family, *tables)
        row["floor_ms"] = floor["ms"]
    with host(subnets, (family,)) as at:
        at.fill(family, n)
        row.update(ours(at, family, n))
    row["ratio"] = row["ms"] / row["floor_ms"]
    row["cpu_ratio"] = row.pop("cpu_ms") / floor["cpu_ms"]
    if "batch" not in without:
        with host(subnets, (family,)) as at:
            at.fill(family, n)
            row["batch_ms"] = batch_timed(at, family, tables)
        row["batch_ratio"] = row["batch_ms"] / row["ms"]
    if "bird" not in without and have_bird():
        with host(subnets, (family,)) as at:
            at.fill(family, n)
            row.update(bird(at, family, n, tables))
        row["bird_ratio"] = row["bird_ms"] / row["ms"]
    return row


def main():
    def more(parser):
        parser.add_argument("--v6-sizes", default="10000,200000"
                            if is_full() else "10000")
        parser.add_argument("--one-processor", action="store_true")
    given = begin(__doc__, "10000,100000,1000000", more)
    if given.one_processor:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    subnets = [int(n) for n in (given.subnets or "2,4").split(",")]
    v6 = [int(n) for n in given.v6_sizes.split(",") if n]
    for family, sizes in ((4, given.sizes), (6, v6)):
        for n in sizes:
            for k in subnets:
                runs = given.runs * (SMALL_RUNS if n <= SMALL else 1)
                rows = [one_run(family, n, k, given.without)
                        for _ in range(runs)]
                say("bulk", family=f"ipv{family}", routes=n, subnets=k,
                    runs=len(rows), **medians(rows))


if __name__ == "__main__":
    main()
