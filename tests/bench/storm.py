#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A hundred thousand changes a second in main, for some seconds.

Routes of a full table are led over another link, deleted and added again, as
fast as that (bench-routes churn), with four managed subnets. Meanwhile somebody
asks for the status all the time, and an uplink's default route changes. Where
there are fewer than 100,000 at the begin, the rest of them come in the storm.

  changed_per_s        that the kernel took: writer and daemon share it
  slowest_status_ms    the longest wait for an answer (goal: 100)
  default_ms           from the new default of main till the subnet's own packets
                       follow it, as `ip route get` says
  settled_ms           from the last change till the daemon is steady
  wrong                entries that main's routes do not have in each table then
  resyncs, peak_per_route (bytes, by the routes there are at the end)

The second line is the same storm in a table that is nobody's business: cpu_ms
that the daemon spent in it.
"""

import json
import threading
import time

from scale import MAIN, begin, cpu_us, host, managed, memory, say

from lab.crowd import Asker  # noqa: E402, the path is scale's

SUBNETS = 4
FOREIGN = 5000


class Followed(threading.Thread):
    """Changes the default of eth0 after some seconds; delay_ms is how long it
    took till it was followed."""

    def __init__(self, at, after_s):
        super().__init__(daemon=True)
        self.at, self.after_s, self.delay_ms = at, after_s, None
        self.start()

    def run(self):
        time.sleep(self.after_s)
        self.at.a.ip("route replace default via 10.0.0.77 dev eth0 metric 100")
        start = time.monotonic()
        while time.monotonic() < start + 60:
            told = self.at.a.run("ip", "route", "get", "203.0.113.1", "from",
                                 "10.0.0.2").stdout
            if "10.0.0.77" in told:
                self.delay_ms = (time.monotonic() - start) * 1000
                return


def storm(at, daemon, rate, seconds):
    asker = Asker(daemon)
    followed = Followed(at, seconds / 2)
    churn = at.start_routes("churn", MAIN, rate, seconds)
    told = json.loads(churn.communicate()[0])
    start = time.monotonic()
    daemon.wait()
    settled = (time.monotonic() - start) * 1000
    asker.end()
    followed.join()
    return {"changed_per_s": round(told["n"] * 1000 / told["ms"]),
            "slowest_status_ms": round(asker.slowest_s * 1000, 1),
            "default_ms": followed.delay_ms and round(followed.delay_ms, 1),
            "settled_ms": round(settled, 1)}


def one_size(n, given):
    with host(SUBNETS) as at:
        at.fill(4, n)
        daemon = managed(at)
        daemon.start_timed()
        tables = daemon.tables().values()
        row = storm(at, daemon, given.rate, given.seconds)
        wanted = at.count(4, MAIN) - (SUBNETS - 1)  # one default of each four
        row["wrong"] = sum(abs(at.count(4, table) - wanted)
                           for table in tables)
        counters = daemon.counters()
        say("storm", routes=n, subnets=SUBNETS, offered_per_s=given.rate,
            seconds=given.seconds, **row,
            resyncs=int(counters["multihomed_resyncs_total"]),
            peak_per_route=round(memory(daemon.process.pid)[1] / wanted, 1))
        before = cpu_us(daemon.process.pid)
        at.start_routes("churn", FOREIGN, given.rate,
                        given.seconds / 2).communicate()
        say("storm_elsewhere", routes=n, offered_per_s=given.rate,
            seconds=given.seconds / 2,
            cpu_ms=round((cpu_us(daemon.process.pid) - before) / 1000, 2))
        daemon.leave()


def main():
    def more(parser):
        parser.add_argument("--rate", type=int, default=100000)
        parser.add_argument("--seconds", type=float, default=10)
    given = begin(__doc__, "10000,100000", more)
    for n in given.sizes:
        one_size(n, given)


if __name__ == "__main__":
    main()
