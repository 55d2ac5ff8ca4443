# SPDX-License-Identifier: GPL-2.0-or-later
"""Routes that go by a nexthop object (`ip nexthop`), when the object changes.

IPv4 routes vanish with their object without a message of their own; a replaced
object changes every route that names it. Our copies name none: each change is
planned like that of any other route."""

import pytest

DST = {4: "198.51.100.7", 6: "2001:db8:ee::7"}


def objects(figure, family):
    """Objects 1 (R1), 2 (R2) and a route to family.other by object 1."""
    one, two = family.via1, family.via2
    figure.a.ip(f"""
        nexthop add id 1 {one}
        nexthop add id 2 {two}
        route add {family.other} nhid 1
    """)


def test_a_route_by_object_is_taken_over(figure, family, model):
    a = figure.a
    objects(figure, family)
    figure.start(f'model = "{model}";')
    assert a.leaves_by(family.other_host, family.a1) == family.via1
    want = family.via1 if model == "weak" else "EHOSTUNREACH"
    assert a.leaves_by(family.other_host, family.a2) == want


def test_a_replaced_object_moves_its_routes(figure, family, model):
    a = figure.a
    objects(figure, family)
    daemon = figure.start(f'model = "{model}";')
    a.ip(f"nexthop replace id 1 {family.via2}")
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a2) == family.via2
    want = family.via2 if model == "weak" else "EHOSTUNREACH"
    assert a.leaves_by(family.other_host, family.a1) == want
    a.ip(f"nexthop replace id 1 {family.via1}")
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a1) == family.via1


@pytest.mark.parametrize("change", ["nexthop replace id 1 {via2}",
                                    "nexthop del id 1"])
def test_copies_stay_till_the_daemon_knows(figure, family, change):
    """Else a strong subnet's packets would leave by the other link at once."""
    a = figure.a
    objects(figure, family)
    daemon = figure.start('model = "strong";')
    a.ip(f"route del default {family.via1} metric 100", family.number)
    daemon.wait()
    daemon.freeze()
    try:
        a.ip(change.format(via2=family.via2))
        assert a.leaves_by(family.other_host, family.a1) == family.via1
        assert a.leaves_by(family.other_host, family.a2) != family.via2
    finally:
        daemon.thaw()
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a1) == "EHOSTUNREACH"
    assert a.leaves_by(family.other_host, family.a2) == family.via2
    assert daemon.ctl("verify").returncode == 0


def test_an_object_that_changes_often_is_followed_each_time(figure, family):
    """As a routing daemon would; nobody meddles with our copies."""
    a = figure.a
    objects(figure, family)
    daemon = figure.start('model = "strong";')
    ways = [(family.via2, "EHOSTUNREACH"), (family.via1, family.via1)]
    for i in range(24):
        way, want = ways[i % 2]
        a.ip(f"nexthop replace id 1 {way}")
        daemon.wait()
        assert a.leaves_by(family.other_host, family.a1) == want, i
    assert "put back" not in daemon.log()


def test_a_deleted_object_takes_its_routes_along(figure, family, model):
    """Silently, for IPv4: the default must serve the prefix again."""
    a = figure.a
    objects(figure, family)
    daemon = figure.start(f'model = "{model}";')
    a.ip("nexthop del id 1")
    daemon.wait()
    assert family.other not in str(a.routes("main", family.number))
    assert a.leaves_by(family.other_host, family.a1) == family.via1
    assert a.leaves_by(family.other_host, family.a2) == family.via2
    for link, net in (("eth0", family.net1), ("eth1", family.net2)):
        number = daemon.table(link, net)
        assert family.other not in str(a.routes(number, family.number))


def test_a_default_by_object_that_is_deleted(figure, family, model):
    a = figure.a
    a.ip(f"""
        nexthop add id 2 {family.via2}
        route del default {family.via2} metric 200
        route add default nhid 2 metric 200
    """, family.number)
    daemon = figure.start(f'model = "{model}";')
    a.ip("nexthop del id 2")
    daemon.wait()
    want = family.via1 if model == "weak" else "EHOSTUNREACH"
    assert a.leaves_by(family.b, family.a2) == want
    a.ip(f"""
        nexthop add id 2 {family.via2}
        route add default nhid 2 metric 200
    """, family.number)
    daemon.wait()
    assert a.leaves_by(family.b, family.a2) == family.via2
    assert a.ping(family.b, family.a2) == 3


def group(figure, family):
    figure.a.ip(f"""
        nexthop add id 1 {family.via1}
        nexthop add id 2 {family.via2}
        nexthop add id 10 group 1/2
        route add {family.other} nhid 10
    """)


def test_of_a_group_each_source_gets_its_own_leg(figure, family, model):
    a = figure.a
    group(figure, family)
    figure.start(f'model = "{model}";')
    assert a.leaves_by(family.other_host, family.a1) == family.via1
    assert a.leaves_by(family.other_host, family.a2) == family.via2


def test_a_group_that_loses_a_leg(figure, family, model):
    a = figure.a
    group(figure, family)
    daemon = figure.start(f'model = "{model}";')
    a.ip("nexthop replace id 10 group 1")
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a1) == family.via1
    want = family.via1 if model == "weak" else "EHOSTUNREACH"
    assert a.leaves_by(family.other_host, family.a2) == want
    a.ip("nexthop replace id 10 group 1/2")
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a2) == family.via2


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_member_that_is_deleted_leaves_the_group(figure, family, model,
                                                   order):
    """The kernel takes the leg out of the group, and says nothing about the
    routes; with the last member the group and its routes go."""
    a = figure.a
    group(figure, family)
    daemon = figure.start(f'model = "{model}";')
    first, last = order
    a.ip(f"nexthop del id {first}")
    daemon.wait()
    sources = {1: family.a1, 2: family.a2}
    paths = {1: family.via1, 2: family.via2}
    assert a.leaves_by(family.other_host, sources[last]) == paths[last]
    want = paths[last] if model == "weak" else "EHOSTUNREACH"
    assert a.leaves_by(family.other_host, sources[first]) == want
    a.ip(f"nexthop del id {last}")
    daemon.wait()
    for number in (1, 2):
        assert a.leaves_by(family.other_host, sources[number]) == paths[number]


def test_a_member_that_is_replaced_moves_the_groups_routes(figure, family):
    a = figure.a
    group(figure, family)
    daemon = figure.start('model = "strong";')
    a.ip(f"nexthop replace id 2 {family.via1}")
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a1) == family.via1
    assert a.leaves_by(family.other_host, family.a2) == "EHOSTUNREACH"


def test_a_blackhole_object_drops_for_every_source(figure, family, model):
    """A reject route has no next hop: it counts by its metric alone."""
    a = figure.a
    a.ip("nexthop add id 9 blackhole", family.number)
    a.ip(f"route add {family.other} nhid 9")
    daemon = figure.start(f'model = "{model}";')
    for source in (family.a1, family.a2):
        assert a.connect_error(family.other_host, source) != ""
    a.ip("nexthop del id 9")
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a1) == family.via1
    assert a.leaves_by(family.other_host, family.a2) == family.via2


def test_an_object_whose_link_goes(figure, family, model):
    a = figure.a
    group(figure, family)
    daemon = figure.start(f'model = "{model}";')
    a.ip("link set eth1 down")
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a1) == family.via1
    if family.number == 4:
        want = family.via1 if model == "weak" else "EHOSTUNREACH"
        assert a.leaves_by(family.other_host, family.a2) == want
