# SPDX-License-Identifier: GPL-2.0-or-later
"""Flows on the legs of a multipath route: each has a NAT of its own."""

import json

import pytest

from lab import until
from lab.dead import NOTICED_WITHIN_S, die, hurry, revive
from lab.nats import Transfer
from lab.world import nat

A = "10.1.0.2"
LEGS = ("via 10.1.0.1 dev eth0", "via 10.1.0.3 dev eth0")
DESTINATIONS = [f"203.0.113.{n}" for n in range(9, 41)]


class Legs:
    """A and both routers on one switch, B behind both NATs."""

    def __init__(self, lab):
        self.a, self.b = lab.host("a"), lab.server("b")
        self.routers = [lab.router("r1"), lab.router("r2")]
        switch = lab.server("switch")
        lab.wire(self.a, "eth0", switch, "p0")
        for number, router in enumerate(self.routers, 1):
            lab.wire(router, "lan", switch, f"p{number}")
            lab.wire(self.b, f"p{number}", router, "wan")
            router.ip(f"""
                addr add 10.1.0.{2 * number - 1}/24 dev lan
                addr add 203.0.113.{number}/24 dev wan
            """)
            nat(router, "wan")
        lab.bridge(switch, "br0", ("p0", "p1", "p2"))
        lab.bridge(self.b, "br0", ("p1", "p2"))
        self.b.ip("\n".join(f"addr add {dst}/24 dev br0"
                            for dst in DESTINATIONS))
        self.a.ip(f"""
            addr add {A}/24 dev eth0
            route add default nexthop {LEGS[0]} nexthop {LEGS[1]}
        """)

    def transfer(self, leg):
        """The kernel deals destinations out to the legs (hash policy 0)."""
        dst = next(dst for dst in DESTINATIONS
                   if self.a.leaves_by(dst, A) == LEGS[leg])
        return dst, Transfer(self.a, self.b, A, dst)

    def count(self, leg, dst):
        """Counts what comes to this leg's router for @dst, from now on."""
        self.routers[leg].nft(f"""
            table ip seen {{
                counter strays {{ }}
                chain pre {{
                    type filter hook prerouting priority -300;
                    iifname "lan" ip daddr {dst} counter name strays
                }}
            }}""")

    def counted(self, leg):
        out = self.routers[leg].run("nft", "-j", "list", "counters").stdout
        return next(item["counter"]["packets"]
                    for item in json.loads(out)["nftables"]
                    if "counter" in item)


@pytest.mark.slow
def test_a_flow_waits_for_the_leg_that_it_is_on(lab):
    site = Legs(lab)
    hurry(site.a, ("eth0",))
    daemon = lab.daemon(site.a, "pinning = { hold_ms = 60000; };")
    dst1, first = site.transfer(0)
    dst2, second = site.transfer(1)
    for transfer in (first, second):
        until(transfer.goes_on(), 10)
    site.count(0, dst2)
    die(site.routers[1])
    until(lambda: site.a.leaves_by(dst2, A) == "EHOSTUNREACH",
          NOTICED_WITHIN_S)
    until(first.goes_on(), 10)
    assert site.a.leaves_by(dst1, A) == LEGS[0]
    revive(site.routers[1])
    until(lambda: site.a.leaves_by(dst2, A) == LEGS[1], NOTICED_WITHIN_S)
    until(second.goes_on(), 25)
    assert site.counted(0) == 0
    until(first.goes_on(), 10)
    assert daemon.ctl("verify").returncode == 0
    first.end()
    second.end()
