# SPDX-License-Identifier: GPL-2.0-or-later
"""Equal metrics: what the kernel's own lookup would use, on all ways there.

A source without an own candidate shows it: in the weak model it must leave as
an unbound packet does.
"""

import pytest

P = "198.51.100.0/24"
HOST = "198.51.100.7"


@pytest.fixture
def three(lab):
    """A with three uplinks of which eth2's source has no candidate for P."""
    a = lab.host("a")
    for number in range(3):
        router = lab.router(f"r{number}")
        lab.wire(a, f"eth{number}", router, "lan")
        router.ip(f"""
            addr add 10.{number}.0.1/24 dev lan
            addr add 10.{number}.0.254/24 dev lan
            addr add 192.0.2.1/24 dev lan
            addr add 2001:db8:{number}::1/64 dev lan
        """)
        a.ip(f"""
            addr add 10.{number}.0.2/24 dev eth{number}
            addr add 2001:db8:{number}::2/64 dev eth{number}
            route add default via 10.{number}.0.1 metric {number + 1}
            route add default via 2001:db8:{number}::1 metric {number + 1}
        """)
    return a


def same_as_main(a, dst=HOST, source="10.2.0.2"):
    """The way of a packet without source, and of one from eth2's subnet."""
    main, ours = a.leaves_by(dst), a.leaves_by(dst, source)
    assert ours == main
    return ours


@pytest.mark.parametrize("verb", ["append", "prepend"])
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_appended_and_prepended_routes_keep_their_order(lab, three, verb,
                                                        late):
    a = three
    a.ip(f"route add {P} via 10.0.0.1")
    if late:
        daemon = lab.daemon(a)
        a.ip(f"route {verb} {P} via 10.1.0.1")
        daemon.wait()
    else:
        a.ip(f"route {verb} {P} via 10.1.0.1")
        lab.daemon(a)
    number = 1 if verb == "prepend" else 0
    want = f"via 10.{number}.0.1 dev eth{number}"
    assert same_as_main(a) == want


def test_a_deleted_first_route_makes_the_second_the_first(lab, three):
    a = three
    a.ip(f"route add {P} via 10.0.0.1\nroute append {P} via 10.1.0.1")
    daemon = lab.daemon(a)
    a.ip(f"route del {P} via 10.0.0.1")
    daemon.wait()
    assert same_as_main(a) == "via 10.1.0.1 dev eth1"
    a.ip(f"route append {P} via 10.0.0.1")
    daemon.wait()
    assert same_as_main(a) == "via 10.1.0.1 dev eth1"


@pytest.mark.parametrize("frozen", [False, True],
                         ids=["seen at once", "seen afterwards"])
def test_a_connected_prefix_that_came_back_is_the_last(lab, three, frozen):
    """Both links have 192.0.2.0/24; the kernel uses the first until its link
    was down once. A daemon that was busy sees no difference but the order."""
    a = three
    a.ip("addr add 192.0.2.2/24 dev eth0\naddr add 192.0.2.3/24 dev eth1")
    daemon = lab.daemon(a)
    assert same_as_main(a, "192.0.2.77") == "dev eth0"
    if frozen:
        daemon.freeze()
    a.ip("link set eth0 down\nlink set eth0 up")
    daemon.thaw()
    daemon.wait()
    assert same_as_main(a, "192.0.2.77") == "dev eth1"


EVENTS = {
    "another address": ["addr add 10.77.0.2/16 dev {link}",
                        "addr del 10.77.0.2/16 dev {link}"],
    "one more of a subnet": ["addr add 192.0.2.9/24 dev {link}",
                             "addr del 192.0.2.9/24 dev {link}"],
    "mtu": ["link set {link} mtu 1400"],
    "down and up": ["link set {link} down", "link set {link} up"],
}


@pytest.mark.parametrize("link", ["eth0", "eth1"])
@pytest.mark.parametrize("what", EVENTS)
def test_events_of_a_link_leave_the_order_to_the_kernel(lab, three, what,
                                                        link):
    a = three
    a.ip("addr add 192.0.2.2/24 dev eth0\naddr add 192.0.2.3/24 dev eth1")
    a.ip(f"route add {P} via 10.0.0.1\nroute append {P} via 10.1.0.1")
    daemon = lab.daemon(a, "settle_ms = 0;")
    for line in EVENTS[what]:
        a.ip(line.format(link=link))
        daemon.wait()
        same_as_main(a, "192.0.2.77")
        same_as_main(a)


def test_a_second_default_for_one_source_counts_before_the_general_one(lab,
                                                                       three):
    """The same end state whichever of the two came first."""
    a = three
    a.ip("route add 2001:db8:ee::/48 dev eth2 metric 20")
    daemon = lab.daemon(a)
    a.ip("route add 2001:db8:ee::/48 from 2001:db8:2::/64 "
         "via 2001:db8:2::1 dev eth2 metric 20")
    daemon.wait()
    want = "via 2001:db8:2::1 dev eth2"
    assert a.leaves_by("2001:db8:ee::7", "2001:db8:2::2") == want
    assert daemon.plan() == ""


def test_order_survives_that_a_link_of_another_leg_goes_down(lab, three):
    """A multipath route loses a leg and stays where it is."""
    a = three
    a.ip(f"""route add {P} nexthop via 10.0.0.1 nexthop via 10.1.0.1
             route append {P} via 10.0.0.254""")
    daemon = lab.daemon(a, "settle_ms = 0;")
    a.ip("link set eth1 down")
    daemon.wait()
    assert same_as_main(a) == "via 10.0.0.1 dev eth0"


def test_a_replaced_route_keeps_its_place(lab, three):
    a = three
    a.ip(f"route add {P} via 10.0.0.1\nroute append {P} via 10.1.0.1")
    daemon = lab.daemon(a)
    a.ip(f"route replace {P} via 10.0.0.254")
    daemon.wait()
    assert same_as_main(a) == "via 10.0.0.254 dev eth0"


def test_an_ipv6_route_for_its_own_source_comes_before_a_general_one(lab,
                                                                     three):
    """Without us the kernel prefers it whatever the metrics."""
    a = three
    a.ip("""
        route add 2001:db8:ee::/48 via 2001:db8:0::1 metric 20
        route add 2001:db8:ee::/48 from 2001:db8:2::/64 via 2001:db8:1::1 \
            metric 20
    """.replace("\\\n", ""))
    source, dst = "2001:db8:2::2", "2001:db8:ee::7"
    before = a.leaves_by(dst, source)
    daemon = lab.daemon(a)
    assert a.leaves_by(dst, source) == before
    a.ip("route del 2001:db8:ee::/48 via 2001:db8:0::1 metric 20")
    daemon.wait()
    a.ip("route add 2001:db8:ee::/48 via 2001:db8:0::1 metric 20")
    daemon.wait()
    assert a.leaves_by(dst, source) == before
