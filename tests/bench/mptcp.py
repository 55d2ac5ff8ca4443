#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A cable is pulled and put back under a running MPTCP connection.

The draft's network (tests/kernel/lab/figure.py): A sends to B over both uplinks;
R1's link goes down for --outage seconds, and comes back. Per run:

  away_ms  from the pull till B has all that A had sent before, and more: the
           connection goes on by the other uplink alone
  back_ms  from the return till the first uplink carries data again

with these on A:

  userspace  multihomed, path_manager = "userspace"
  kernel     multihomed, path_manager = "kernel"
  static     no daemon: endpoints, rules and tables by hand
  mptcpd     mptcpd (Debian's, addr_adv), rules and tables by hand

One line of JSON each, medians of --runs runs and how often data came back
within the time limit at all. mptcpd is skipped, and that is said, where it is
not installed. Needs root.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "kernel"))

from lab import Lab, daemon_binary  # noqa: E402
from lab.figure import A1_4, A2_4, B_4, Figure  # noqa: E402
from lab.mptcp import MptcpTransfer, bytes_through, until  # noqa: E402

MPTCPD = "/usr/libexec/mptcpd"
LIMIT_S = 40
ENOUGH = 200000  # bytes: not only control packets
BEHIND = 4000000  # and what was under way when the cable was pulled
SKIPPED = 77  # to meson


def by_hand(figure):
    """What the daemon would have done for the two subnets."""
    for number, link in ((1, "eth0"), (2, "eth1")):
        figure.a.ip(f"""
            route add default via 10.{number}.0.1 dev {link} table 10{number}
            rule add iif lo from 10.{number}.0.0/24 lookup 10{number}
        """)
    figure.a.run("ip", "mptcp", "limits", "set", "subflows", "8",
                 "add_addr_accepted", "8")


def set_up(figure, how):
    if how in ("userspace", "kernel"):
        return figure.start(f'mptcp = {{ path_manager = "{how}"; }};')
    by_hand(figure)
    if how == "mptcpd":
        return figure.a.start(
            MPTCPD, "--load-plugins=addr_adv", "--addr-flags=subflow",
            "--notify-flags=existing,skip_link_local,skip_loopback")
    for address in (A1_4, A2_4):
        figure.a.run("ip", "mptcp", "endpoint", "add", address, "subflow")
    return None


def wait(condition, limit=LIMIT_S):
    """Seconds till it is true; None: not in time."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > limit:
            return None
        time.sleep(0.002)
    return time.monotonic() - start


def carried(router):
    """Whether so much more came in at the router than now."""
    before = bytes_through(router)
    return lambda: bytes_through(router) >= before + ENOUGH


def one_run(how, outage_s):
    lab = Lab()
    try:
        figure = Figure(lab)
        set_up(figure, how)
        figure.b.run("ip", "mptcp", "limits", "set", "subflows", "8")
        if how == "mptcpd":
            until(lambda: figure.a.run(
                "ip", "mptcp", "endpoint", "show").stdout.count("\n") >= 2, 10)
        transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
        until(lambda: transfer.subflows() >= 1, 10)
        until(carried(figure.r1), 20)
        until(carried(figure.r2), 20)
        target = transfer.sent + BEHIND
        figure.r1.ip("link set lan down")
        away = wait(lambda: transfer.received >= target)
        time.sleep(max(0.0, outage_s - (away or LIMIT_S)))
        figure.r1.ip("link set lan up")
        back = wait(carried(figure.r1))
        transfer.error = None  # of one that died: it is in the numbers
        transfer.end()
        return away, back
    finally:
        lab.close()


def summary(times):
    """Median in ms over all runs; those that failed count as endless."""
    ordered = sorted(t * 1000 if t is not None else float("inf")
                     for t in times)
    median = statistics.median_low(ordered)
    return None if median == float("inf") else round(median, 1)


def measure(how, runs, outage_s):
    results = [one_run(how, outage_s) for _ in range(runs)]
    away, back = zip(*results)
    return {
        "bench": "mptcp", "path_manager": how, "runs": runs,
        "outage_s": outage_s,
        "away_ms": summary(away), "back_ms": summary(back),
        "went_on": sum(t is not None for t in away),
        "came_back": sum(t is not None for t in back),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--outage", type=float, default=8.0)
    parser.add_argument("--only", nargs="*",
                        default=["userspace", "kernel", "static", "mptcpd"])
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("skipped: needs root", file=sys.stderr)
        return SKIPPED
    daemon_binary()
    for how in options.only:
        if how == "mptcpd" and not os.path.exists(MPTCPD):
            print(json.dumps({"bench": "mptcp", "path_manager": how,
                              "skipped": "not installed"}))
            continue
        print(json.dumps(measure(how, options.runs, options.outage)),
              flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
