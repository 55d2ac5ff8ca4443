# SPDX-License-Identifier: GPL-2.0-or-later
"""Routes that the kernel takes away, or changes, without a message.

In each test main is read afterwards, so that it is the kernel that says what
should be in our tables; a daemon that only listens would keep the old."""

from lab import until
from lab.own import all_routes, own_state
from lab.watch import Watch

DST = "203.0.113.9"


def mirrored(a, daemon, number=4):
    """Every prefix that our tables hold, and every one that main has."""
    def prefixes(table):
        return {r["dst"] for r in a.routes(table, number)
                if not r["dst"].startswith("fe80:")}
    own = set()
    for subnet in daemon.status()["subnets"]:
        if subnet["managed"] and (":" in subnet["prefix"]) == (number == 6):
            own |= prefixes(subnet["table"])
    return own, prefixes("main")


def assert_mirrored(a, daemon, number=4):
    own, main = mirrored(a, daemon, number)
    assert own == main


def messages_for(watch, prefix, table=254):
    return [e for e in watch.events() if e.kind == "DELROUTE"
            and e.prefix == prefix and e.table == table]


def test_ipv4_link_down_is_silent_and_noticed(figure):
    a = figure.a
    a.ip("route add 198.51.100.0/24 via 10.2.0.1 dev eth1")
    daemon = figure.start()
    with Watch(a) as watch:
        a.ip("link set eth1 down")
        daemon.wait()
        assert not messages_for(watch, "198.51.100.0/24"), "not silent here"
    assert_mirrored(a, daemon)
    assert a.leaves_by("198.51.100.7", "10.1.0.2") == "via 10.1.0.1 dev eth0"


def test_our_own_copies_go_silently_and_come_back(figure, model):
    """A subnet of eth0 had a copy over eth1; down and up again before the
    daemon looks: main lost it, so there is nothing to keep."""
    a = figure.a
    a.ip("route add 198.51.100.0/24 via 10.2.0.1 dev eth1")
    daemon = figure.start(f'model = "{model}";')
    before = own_state(a)
    daemon.freeze()
    a.ip("""
        link set eth1 down
        link set eth1 up
        route add 198.51.100.0/24 via 10.2.0.1 dev eth1
        route add default via 10.2.0.1 dev eth1 metric 200
        addr add 2001:db8:2::2/64 dev eth1
        route add default via fe80::1 dev eth1 metric 200
    """)
    daemon.thaw()
    daemon.wait()
    after = own_state(a)
    assert after["routes4"] == before["routes4"]
    assert after["rules4"] == before["rules4"]
    assert len(after["routes6"]) == len(before["routes6"])


def test_a_deleted_source_address_takes_mains_routes_along(figure):
    """Those with it as preferred source; our copies have none and stay."""
    a = figure.a
    a.ip("""
        addr add 10.2.0.3/24 dev eth1
        route add 198.51.100.0/24 via 10.2.0.1 dev eth1 src 10.2.0.3
        route add 192.0.2.0/24 via 10.1.0.1 dev eth0 src 10.2.0.3
    """)
    daemon = figure.start()
    a.ip("addr del 10.2.0.3/24 dev eth1")
    daemon.wait()
    main = str(a.routes())
    assert "198.51.100" not in main and "192.0.2" not in main
    assert_mirrored(a, daemon)


def test_the_primary_address_goes_with_its_secondaries(figure, model):
    """And with them the gateways of a link that has no address any more."""
    a = figure.a
    for conf in ("all", "eth1"):
        a.sysctl(f"ipv4/conf/{conf}/promote_secondaries", 0)
    a.ip("""
        addr add 10.2.0.3/24 dev eth1
        addr add 10.2.0.4/24 dev eth1
        route add 198.51.100.0/24 via 10.2.0.1 dev eth1
    """)
    daemon = figure.start(f'model = "{model}";')
    with Watch(a) as watch:
        a.ip("addr del 10.2.0.2/24 dev eth1")
        daemon.wait()
        assert not messages_for(watch, "198.51.100.0/24"), "not silent here"
    assert "eth1" not in str(a.routes())
    assert_mirrored(a, daemon)
    assert a.leaves_by("198.51.100.7", "10.1.0.2") == "via 10.1.0.1 dev eth0"
    subnets = [s["prefix"] for s in daemon.status()["subnets"]]
    assert "10.2.0.0/24" not in subnets


def test_the_last_address_of_a_link_goes_but_another_subnet_stays(figure):
    """A copy over eth1 in eth0's table is silently gone too."""
    a = figure.a
    a.ip("route add 198.51.100.0/24 via 10.2.0.1 dev eth1")
    daemon = figure.start()
    assert a.leaves_by("198.51.100.7", "10.1.0.2") == "via 10.2.0.1 dev eth1"
    a.ip("addr del 10.2.0.2/24 dev eth1")
    daemon.wait()
    assert_mirrored(a, daemon)
    a.ip("""
        addr add 10.2.0.2/24 dev eth1
        route add 198.51.100.0/24 via 10.2.0.1 dev eth1
        route add default via 10.2.0.1 dev eth1 metric 200
    """)
    daemon.wait()
    assert_mirrored(a, daemon)
    assert a.leaves_by("198.51.100.7", "10.1.0.2") == "via 10.2.0.1 dev eth1"
    assert a.leaves_by(DST, "10.2.0.2") == "via 10.2.0.1 dev eth1"


def test_a_nexthop_object_takes_ipv4_routes_along_silently(figure, model):
    a = figure.a
    a.ip("""
        nexthop add id 1 via 10.1.0.1 dev eth0
        route add 198.51.100.0/24 nhid 1
        route add 192.0.2.0/24 nhid 1
    """)
    daemon = figure.start(f'model = "{model}";')
    with Watch(a) as watch:
        a.ip("nexthop del id 1")
        daemon.wait()
        assert not messages_for(watch, "198.51.100.0/24"), "not silent here"
    assert "198.51.100" not in str(a.routes())
    assert_mirrored(a, daemon)


def test_a_deleted_link_takes_ipv4_routes_along_silently(figure, model):
    a = figure.a
    tun = a.tun("tun6")
    a.ip("link set tun6 up\nroute add 198.51.100.0/24 dev tun6")
    daemon = figure.start(f'model = "{model}";')
    assert a.leaves_by("198.51.100.7", "10.2.0.2") == "dev tun6"
    with Watch(a) as watch:
        tun.close()
        daemon.wait()
        assert not messages_for(watch, "198.51.100.0/24"), "not silent here"
    assert_mirrored(a, daemon)
    assert a.leaves_by("198.51.100.7", "10.2.0.2") == "via 10.2.0.1 dev eth1"


def test_ipv6_strips_a_dead_preferred_source_silently(figure, model):
    """Which says, of a gateway outside of every subnet, whose it is: first
    one subnet's of its link, then every one's.

    There is no such router, and IPv6 passes over a route whose router failed:
    so its entry is permanent."""
    a = figure.a
    a.ip("""
        addr add 2001:db8:3::2/64 dev eth1
        addr add 2001:db8:3::3/64 dev eth1 nodad
        route add 2001:db8:ee::/48 via 2001:db8:77::1 dev eth1 onlink \
src 2001:db8:3::3
        neigh add 2001:db8:77::1 lladdr 02:00:00:00:00:77 dev eth1
    """)
    daemon = figure.start(f'model = "{model}";')
    outside = "via 2001:db8:77::1 dev eth1"
    assert a.leaves_by("2001:db8:ee::7", "2001:db8:3::2") == outside
    if model == "strong":
        assert a.leaves_by("2001:db8:ee::7", "2001:db8:2::2") == "EHOSTUNREACH"
    with Watch(a) as watch:
        a.ip("addr del 2001:db8:3::3/64 dev eth1")
        daemon.wait()
        changed = [e for e in watch.events() if "ROUTE" in e.kind
                   and e.prefix == "2001:db8:ee::/48" and e.table == 254]
        assert changed == [], "not silent here"
    assert "2001:db8:3::3" not in str(all_routes(a, 6))
    assert a.leaves_by("2001:db8:ee::7", "2001:db8:2::2") == outside
    assert_mirrored(a, daemon, 6)


def test_ipv6_link_down_in_one_go(figure, model):
    """Multipath legs are only flagged dead, silently."""
    a = figure.a
    a.ip("""
        route add 2001:db8:ee::/48 nexthop via fe80::1 dev eth0 \
nexthop via fe80::1 dev eth1
    """)
    daemon = figure.start(f'model = "{model}";')
    assert a.leaves_by("2001:db8:ee::7", "2001:db8:2::2") == \
        "via fe80::1 dev eth1"
    a.ip("link set eth1 down")
    daemon.wait()
    assert a.leaves_by("2001:db8:ee::7", "2001:db8:1::2") == \
        "via fe80::1 dev eth0"
    number = daemon.table("eth0", "2001:db8:1::/64")
    assert "eth1" not in str(a.route_lines(number, 6))


def test_ipv4_multipath_loses_a_leg_silently(figure, model):
    a = figure.a
    a.ip("""
        route add 198.51.100.0/24 nexthop via 10.1.0.1 dev eth0 \
nexthop via 10.2.0.1 dev eth1
    """)
    daemon = figure.start(f'model = "{model}";')
    assert a.leaves_by("198.51.100.7", "10.2.0.2") == "via 10.2.0.1 dev eth1"
    a.ip("link set eth1 down")
    daemon.wait()
    assert a.leaves_by("198.51.100.7", "10.1.0.2") == "via 10.1.0.1 dev eth0"
    want = "via 10.1.0.1 dev eth0" if model == "weak" else "EHOSTUNREACH"
    assert a.leaves_by("198.51.100.7", "10.2.0.2") == want


def test_ipv6_off_on_the_link_of_a_leg(figure):
    """The leg stays in main, but nobody can add a route with it; nor are we
    told. A source that no leg fits has those that are left."""
    a = figure.a
    a.ip("""
        addr add 2001:db8:3::2/64 dev eth0
        route add 2001:db8:ee::/48 nexthop via 2001:db8:1::1 dev eth0 \
nexthop via 2001:db8:2::1 dev eth1
        route add 198.51.100.0/24 via inet6 fe80::1 dev eth1 metric 5
        route add 198.51.100.0/24 via 10.1.0.1 dev eth0 metric 9
    """)
    daemon = figure.start(
        'interfaces = ( { match = "eth0"; manage = "always"; } );')
    third = daemon.table("eth0", "2001:db8:3::/64")
    second = daemon.table("eth1", "10.2.0.0/24")

    def copies():
        return [line for line in a.route_lines(third, 6) +
                a.route_lines(second)
                if "2001:db8:ee::/48" in line or "198.51.100.0/24" in line]

    def has_both_legs():
        return any("via 2001:db8:1::1 dev eth0" in line and
                   "via 2001:db8:2::1 dev eth1" in line for line in copies())

    assert has_both_legs()
    assert any("198.51.100.0/24 via inet6 fe80::1 dev eth1" in line
               for line in copies()), copies()
    a.sysctl("ipv6/conf/eth1/disable_ipv6", 1)
    daemon.wait()
    assert any("via 2001:db8:2::1 dev eth1 weight 1 dead" in line
               for line in a.route_lines(family=6)), "not so here"
    assert "eth1" not in str(copies())
    assert any("2001:db8:ee::/48 via 2001:db8:1::1 dev eth0" in line
               for line in copies()), copies()
    assert a.leaves_by("198.51.100.7", "10.2.0.2") == "via 10.1.0.1 dev eth0"
    a.sysctl("ipv6/conf/eth1/disable_ipv6", 0)
    a.ip("addr add 2001:db8:2::2/64 dev eth1")
    until(has_both_legs, 10)
