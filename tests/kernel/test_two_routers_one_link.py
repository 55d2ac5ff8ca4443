# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2.1: one link, two subnets, each with a router of its own."""

import pytest

from lab import filter_counts, ingress_filter, tcp_works

A1, A2 = ("10.1.0.2", "2001:db8:1::2"), ("10.2.0.2", "2001:db8:2::2")
B = ("203.0.113.9", "2001:db8:b::9")
LINK_LOCAL_BINDINGS = """
    bindings = (
        { router = "fe80::1"; dev = "eth0"; prefixes = ( "2001:db8:1::/64" ); },
        { router = "fe80::2"; dev = "eth0"; prefixes = ( "2001:db8:2::/48" ); }
    );"""


class Site:
    """A, R1 and R2 on one switch; B behind both routers."""

    def __init__(self, lab, link_local):
        self.lab, self.a, self.b = lab, lab.host("a"), lab.server("b")
        self.routers = [lab.router("r1"), lab.router("r2")]
        switch = lab.server("switch")
        lab.wire(self.a, "eth0", switch, "p0")
        for number, router in enumerate(self.routers, 1):
            lab.wire(router, "lan", switch, f"p{number}")
            lab.wire(self.b, f"p{number}", router, "wan")
            self._address(number, router, link_local)
        lab.bridge(switch, "br0", ("p0", "p1", "p2"))
        lab.bridge(self.b, "br0", ("p1", "p2"))
        self.b.ip("""
            addr add 203.0.113.9/24 dev br0
            addr add 2001:db8:b::9/64 dev br0
            route add 10.1.0.0/24 via 203.0.113.1
            route add 10.2.0.0/24 via 203.0.113.2
            route add 2001:db8:1::/64 via 2001:db8:b::1
            route add 2001:db8:2::/64 via 2001:db8:b::2
        """)

    def _address(self, number, router, link_local):
        router.ip(f"""
            addr add 10.{number}.0.1/24 dev lan
            addr add 2001:db8:{number}::1/64 dev lan
            addr add fe80::{number}/64 dev lan
            addr add 203.0.113.{number}/24 dev wan
            addr add 2001:db8:b::{number}/64 dev wan
        """)
        ingress_filter(router, "lan", (f"10.{number}.0.0/24",
                                       f"2001:db8:{number}::/64"))
        six = f"fe80::{number}" if link_local else f"2001:db8:{number}::1"
        self.a.ip(f"""
            addr add 10.{number}.0.2/24 dev eth0
            addr add 2001:db8:{number}::2/64 dev eth0
            route add default via 10.{number}.0.1 dev eth0 metric {number}00
            route add default via {six} dev eth0 metric {number}00
        """)

    def dropped(self):
        counts = [filter_counts(router) for router in self.routers]
        return sum(c["drop4"] + c["drop6"] for c in counts)


@pytest.mark.parametrize("link_local", [False, True],
                         ids=["global gateways", "bound link-local gateways"])
def test_each_subnet_uses_its_own_router(lab, model, link_local):
    site = Site(lab, link_local)
    bindings = LINK_LOCAL_BINDINGS if link_local else ""
    lab.daemon(site.a, f'model = "{model}"; {bindings}')
    for source in A1 + A2:
        dst = B[":" in source]
        assert site.a.ping(dst, source) == 3
        assert tcp_works(site.a, site.b, dst, source)
        assert tcp_works(site.b, site.a, source)
    assert site.dropped() == 0


def test_an_unbound_link_local_gateway_serves_every_subnet(lab):
    """Nobody says which prefix a router is for: RFC 8028 lets any be used, so
    both sources take the better metric."""
    site = Site(lab, link_local=True)
    lab.daemon(site.a, 'model = "strong";')
    for source in (A1[1], A2[1]):
        assert site.a.leaves_by(B[1], source) == "via fe80::1 dev eth0"
    assert site.a.leaves_by(B[0], A2[0]) == "via 10.2.0.1 dev eth0"


def test_losing_one_router_leaves_the_other_subnet_alone(lab, model):
    site = Site(lab, link_local=False)
    a = site.a
    daemon = lab.daemon(a, f'model = "{model}";')
    assert a.leaves_by(B[0], A1[0]) == "via 10.1.0.1 dev eth0"
    assert a.leaves_by(B[0], A2[0]) == "via 10.2.0.1 dev eth0"
    a.ip("route del default via 10.1.0.1\nroute del default via 2001:db8:1::1")
    daemon.wait()
    gateways = ("10.2.0.1", "2001:db8:2::1")
    for six in (0, 1):
        other = f"via {gateways[six]} dev eth0"
        assert a.leaves_by(B[six], A2[six]) == other
        want = other if model == "weak" else "EHOSTUNREACH"
        assert a.leaves_by(B[six], A1[six]) == want
