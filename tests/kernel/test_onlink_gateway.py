# SPDX-License-Identifier: GPL-2.0-or-later
"""Gateways outside every subnet of their link: clouds, onlink, IPv4 via IPv6.

on-subnet line 5: such a gateway serves the subnets of its link, or only the
subnet of the route's own source address when it names one.
"""

import pytest

from lab import tcp_works
from lab.own import own_neighbours

B = ("203.0.113.9", "2001:db8:b::9")


def two_routers(lab, first, second):
    """A with eth0 to r1 and eth1 to r2, B behind both; the arguments are what
    A gets beside its links. r1 and r2 answer for 172.31.N.1 and fe80::1."""
    a, b = lab.host("a"), lab.server("b")
    for number in (1, 2):
        router = lab.router(f"r{number}")
        lab.wire(a, f"eth{number - 1}", router, "lan")
        lab.wire(b, f"p{number}", router, "wan")
        router.ip(f"""
            addr add 172.31.{number}.1/32 dev lan
            addr add fe80::1/64 dev lan
            addr add 203.0.113.{number}/24 dev wan
            addr add 2001:db8:b::{number}/64 dev wan
            route add 192.0.2.{number}/32 dev lan
            route add 2001:db8:{number}::2/128 dev lan
        """)
    lab.bridge(b, "br0", ("p1", "p2"))
    b.ip("""
        addr add 203.0.113.9/24 dev br0
        addr add 2001:db8:b::9/64 dev br0
        route add 192.0.2.1 via 203.0.113.1
        route add 192.0.2.2 via 203.0.113.2
        route add 2001:db8:1::/64 via 2001:db8:b::1
        route add 2001:db8:2::/64 via 2001:db8:b::2
    """)
    a.ip(first)
    a.ip(second)
    return a, b


def cloud(number, gateway):
    """A /32 and a /128 on a link, default routes by gateway."""
    link = f"eth{number - 1}"
    return f"""
        addr add 192.0.2.{number}/32 dev {link}
        addr add 2001:db8:{number}::2/128 dev {link}
        {gateway.format(number=number, link=link)}
        route add default via fe80::1 dev {link} metric {number}00
    """


GATEWAYS = {
    "onlink": "route add default via 172.31.{number}.1 dev {link} "
              "metric {number}00 onlink",
    "device route": "route add 172.31.{number}.1/32 dev {link}\n"
                    "route add default via 172.31.{number}.1 dev {link} "
                    "metric {number}00",
    "IPv4 via IPv6": "route add 0.0.0.0/0 via inet6 fe80::1 dev {link} "
                     "metric {number}00",
}


@pytest.mark.parametrize("how", GATEWAYS)
def test_host_addresses_use_the_gateway_of_their_link(lab, model, how):
    a, b = two_routers(lab, cloud(1, GATEWAYS[how]), cloud(2, GATEWAYS[how]))
    lab.daemon(a, f'model = "{model}";')
    for number in (1, 2):
        via = "fe80::1" if how == "IPv4 via IPv6" else f"172.31.{number}.1"
        source = f"192.0.2.{number}"
        assert a.leaves_by(B[0], source) == f"via {via} dev eth{number - 1}"
        for source in (source, f"2001:db8:{number}::2"):
            dst = B[":" in source]
            assert a.ping(dst, source) == 3
            assert tcp_works(b, a, source)


def test_a_gateway_outside_its_links_subnet_serves_it(figure, model):
    figure.r2.ip("addr add 192.168.9.1/32 dev lan")
    a = figure.a
    a.ip("route replace default via 192.168.9.1 dev eth1 metric 200 onlink")
    daemon = figure.lab.daemon(a, f'model = "{model}";')
    assert a.leaves_by(B[0], "10.2.0.2") == "via 192.168.9.1 dev eth1"
    assert a.leaves_by(B[0], "10.1.0.2") == "via 10.1.0.1 dev eth0"
    table = daemon.table("eth1", "10.2.0.0/24")
    assert any("onlink" in line for line in a.route_lines(table))
    assert a.ping(B[0], "10.2.0.2") == 3


def test_the_routes_source_says_which_subnet_an_outside_gateway_serves(lab):
    a, r = lab.host("a"), lab.router("r")
    lab.wire(a, "eth0", r, "lan")
    r.ip("""
        addr add 172.31.1.1/32 dev lan
        addr add 172.31.2.1/32 dev lan
        route add 10.0.0.0/8 dev lan
    """)
    a.ip("""
        addr add 10.1.0.2/24 dev eth0
        addr add 10.2.0.2/24 dev eth0
        route add default via 172.31.1.1 dev eth0 onlink src 10.1.0.2 metric 1
        route add default via 172.31.2.1 dev eth0 onlink src 10.2.0.2 metric 2
    """)
    lab.daemon(a, 'model = "strong";')
    assert a.leaves_by(B[0], "10.1.0.2") == "via 172.31.1.1 dev eth0"
    assert a.leaves_by(B[0], "10.2.0.2") == "via 172.31.2.1 dev eth0"


def test_a_gateway_that_is_our_own_address_means_on_the_link(figure, model):
    """As in networks with proxy ARP: the destination is asked for itself."""
    a = figure.a
    figure.r2.ip("addr add 198.51.100.9/32 dev lo")
    a.ip("route add 198.51.100.0/24 via 10.2.0.2 dev eth1")
    assert a.ping("198.51.100.9", "10.2.0.2") == 3
    daemon = figure.start(f'model = "{model}";')
    assert a.leaves_by("198.51.100.9", "10.2.0.2") == "dev eth1"
    assert a.ping("198.51.100.9", "10.2.0.2") == 3
    assert not [it for it in own_neighbours(a) if "10.2.0.2" in it]
    assert daemon.ctl("verify").returncode == 0
    a.ip("route del 198.51.100.0/24\n"
         "route add 198.51.100.0/24 via 10.2.0.2 dev eth1")
    daemon.wait()
    assert a.ping("198.51.100.9", "10.2.0.2") == 3
