# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 6.2.2: one router for all prefixes, tunnels to the exit routers.

A has two addresses on eth0 and one router there. A tunnel leads to each exit;
a binding in the config ties the tunnel to the prefix that exit serves.
"""

import struct

import pytest

from lab import filter_counts, ingress_filter, tcp_works

A1, A2 = ("10.1.0.2", "2001:db8:1::2"), ("10.2.0.2", "2001:db8:2::2")
B = ("203.0.113.9", "2001:db8:b::9")
BINDINGS = """
    bindings = (
        { dev = "tun1"; prefixes = ( "10.1.0.0/24", "2001:db8:1::/64" ); },
        { dev = "tun2"; prefixes = ( "10.2.0.0/24", "2001:db8:2::/64" ); }
    );"""
DEFAULTS = """
    route add default dev tun1 metric 50
    route add default dev tun2 metric 60
"""
ROUTES = """
    routes = (
        { to = "0.0.0.0/0"; dev = "tun1"; metric = 50; },
        { to = "0.0.0.0/0"; dev = "tun2"; metric = 60; },
        { to = "::/0"; dev = "tun1"; metric = 50; },
        { to = "::/0"; dev = "tun2"; metric = 60; }
    );"""


def lan(lab):
    """A with two subnets on eth0, and the one router of that LAN."""
    a, r = lab.host("a"), lab.router("r")
    lab.wire(a, "eth0", r, "lan")
    r.ip("""
        addr add 10.1.0.1/24 dev lan
        addr add 2001:db8:1::1/64 dev lan
    """)
    a.ip("""
        addr add 10.1.0.2/24 dev eth0
        addr add 10.2.0.2/24 dev eth0
        addr add 2001:db8:1::2/64 dev eth0
        addr add 2001:db8:2::2/64 dev eth0
        route add default via 10.1.0.1 dev eth0 metric 100
        route add default via 2001:db8:1::1 dev eth0 metric 100
    """)
    return a


def exits(lab, a):
    """Two exit routers at the far ends of the tunnels, B behind both."""
    b = lab.server("b")
    routers = []
    for number in (1, 2):
        router = lab.router(f"e{number}")
        routers.append(router)
        lab.tunnel(a, f"tun{number}", router, "tun")
        lab.wire(b, f"p{number}", router, "wan")
        router.ip(f"""
            addr add 203.0.113.{number}/24 dev wan
            addr add 2001:db8:b::{number}/64 dev wan
            route add 10.{number}.0.0/24 dev tun
            route add 2001:db8:{number}::/64 dev tun
        """)
        ingress_filter(router, "tun", (f"10.{number}.0.0/24",
                                       f"2001:db8:{number}::/64"))
    lab.bridge(b, "br0", ("p1", "p2"))
    b.ip("""
        addr add 203.0.113.9/24 dev br0
        addr add 2001:db8:b::9/64 dev br0
        route add 10.1.0.0/24 via 203.0.113.1
        route add 10.2.0.0/24 via 203.0.113.2
        route add 2001:db8:1::/64 via 2001:db8:b::1
        route add 2001:db8:2::/64 via 2001:db8:b::2
    """)
    return b, routers


@pytest.mark.parametrize("where", ["in main", "in the config"])
def test_each_prefix_goes_through_the_tunnel_to_its_exit(lab, model, where):
    a = lan(lab)
    b, routers = exits(lab, a)
    if where == "in main":
        a.ip(DEFAULTS, family=4)
        a.ip(DEFAULTS, family=6)
    routes = ROUTES if where == "in the config" else ""
    lab.daemon(a, f'model = "{model}"; {BINDINGS} {routes}')
    for source in A1 + A2:
        dst = B[":" in source]
        tunnel = "tun1" if source in A1 else "tun2"
        assert a.leaves_by(dst, source) == f"dev {tunnel}"
        assert a.ping(dst, source) == 3
        assert tcp_works(b, a, source)
    for router in routers:
        counts = filter_counts(router)
        assert counts["drop4"] == 0
        assert counts["ok4"] > 0 and counts["ok6"] > 0


def test_a_bound_tunnel_takes_no_other_source(lab):
    """tun2 serves 10.2.0.0/24 only: strong a1 does not use it."""
    a = lan(lab)
    tun = a.tun("tun2")
    a.ip("link set tun2 up")
    a.ip("route replace default dev tun2 metric 50", family=4)
    lab.daemon(a, f'model = "strong"; {BINDINGS}')
    assert a.leaves_by(B[0], A2[0]) == "dev tun2"
    assert a.leaves_by(B[0], A1[0]) == "via 10.1.0.1 dev eth0"
    a.ping(B[0], A2[0], count=1, wait=0.1)
    sources = [packet[12:16] for packet in tun.read_all()
               if packet[0] >> 4 == 4]
    assert struct.pack("4B", 10, 2, 0, 2) in sources


def test_a_tunnel_that_comes_later_is_used(lab):
    a = lan(lab)
    daemon = lab.daemon(a, f'model = "strong"; {BINDINGS}')
    a.tun("tun2")
    a.ip("link set tun2 up\nroute add default dev tun2 metric 500", family=4)
    daemon.wait()
    assert a.leaves_by(B[0], A2[0]) == "dev tun2"
    assert a.leaves_by(B[0], A1[0]) == "via 10.1.0.1 dev eth0"
