# SPDX-License-Identifier: GPL-2.0-or-later
"""Gateway routes that go and come back (DHCP renewals), and what may not
wait: lost links, carriers, routers, and routes that were replaced."""

import time

from lab import until
from lab.own import own_sources, own_state
from lab.watch import Watch

LONG = "settle_ms = 10000;"  # longer than any test waits
AT_ONCE_S = 0.5


def test_a_default_that_comes_back_changes_nothing(figure, family, model):
    a = figure.a
    daemon = figure.start(f'model = "{model}";')
    before = own_state(a)
    with Watch(a) as watch:
        for _ in range(5):
            a.ip(f"""
                route del default {family.via2} metric 200
                route add default {family.via2} metric 200
            """)
        daemon.wait()
        assert watch.by(daemon) == []
    assert own_state(a) == before


def test_for_the_settle_time_the_old_path_stays(figure, family):
    a = figure.a
    daemon = figure.start("settle_ms = 400;")
    with Watch(a) as watch:
        a.ip(f"route del default {family.via2} metric 200")
        assert a.leaves_by(family.b, family.a2) == family.via2
        assert not daemon.status()["steady"]
        gone = watch.wait_for(lambda e: e.kind == "DELROUTE")
        a.ip(f"route add default {family.via2} metric 200")
        assert time.monotonic() - gone.time < 0.4, "too slow to tell"
        daemon.wait()
        assert watch.by(daemon) == []
    assert a.leaves_by(family.b, family.a2) == family.via2


def test_without_a_return_it_acts_after_the_settle_time(figure, family, model):
    a = figure.a
    daemon = figure.start(f'model = "{model}"; settle_ms = 200;')
    with Watch(a) as watch:
        a.ip(f"route del default {family.via2} metric 200")
        gone = watch.wait_for(lambda e: e.kind == "DELROUTE")
        acted = watch.wait_for(lambda e: e.pid == daemon.process.pid)
        assert 0.15 <= acted.time - gone.time < 1
    daemon.wait()
    want = family.via1 if model == "weak" else "EHOSTUNREACH"
    assert a.leaves_by(family.b, family.a2) == want


def test_with_no_settle_time_it_acts_at_once(figure, family):
    a = figure.a
    daemon = figure.start("settle_ms = 0;")
    with Watch(a) as watch:
        a.ip(f"route del default {family.via2} metric 200")
        gone = watch.wait_for(lambda e: e.kind == "DELROUTE")
        acted = watch.wait_for(lambda e: e.pid == daemon.process.pid)
        assert acted.time - gone.time < 0.15
    assert a.leaves_by(family.b, family.a2) == family.via1


def test_a_renewal_with_another_metric_changes_nothing(figure, family):
    """The path is the same, before, in between and after."""
    a = figure.a
    daemon = figure.start()
    before = own_state(a)
    with Watch(a) as watch:
        a.ip(f"""
            route del default {family.via2} metric 200
            route add default {family.via2} metric 300
        """)
        daemon.wait()
        assert watch.by(daemon) == []
    assert own_state(a) == before


def test_a_renewal_that_only_changes_lifetimes_changes_nothing(figure):
    """And one that puts in place what is in place."""
    a = figure.a
    daemon = figure.start()
    with Watch(a) as watch:
        a.ip("""
            addr change 10.2.0.2/24 dev eth1 valid_lft 3600 preferred_lft 1800
            addr change 2001:db8:2::2/64 dev eth1 valid_lft 3600 \
preferred_lft 1800
            route replace default via 10.2.0.1 dev eth1 metric 200
            route replace default via fe80::1 dev eth1 metric 200
            link set eth1 mtu 1400
            link set eth1 promisc on
            link set eth1 alias office
        """)
        daemon.wait()
        assert watch.by(daemon) == []


def test_a_reload_does_not_cut_the_settle_time_short(figure, family):
    a = figure.a
    daemon = figure.start(LONG)
    a.ip(f"route del default {family.via2} metric 200")
    daemon.ctl("reload")
    until(lambda: "read again" in daemon.log())
    assert daemon.status()["model"] == "weak"
    assert a.leaves_by(family.b, family.a2) == family.via2
    with Watch(a) as watch:
        a.ip(f"route add default {family.via2} metric 200")
        assert daemon.status()["subnets"]
        assert watch.by(daemon) == []
    assert a.leaves_by(family.b, family.a2) == family.via2


def test_a_route_that_flaps_past_the_settle_time_ends_right(figure, family):
    a = figure.a
    daemon = figure.start("settle_ms = 20;")
    before = own_state(a)
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        a.ip(f"route del default {family.via2} metric 200")
        a.ip(f"route add default {family.via2} metric 200")
    daemon.wait()
    assert own_state(a) == before
    a.ip(f"route del default {family.via2} metric 200")
    daemon.wait()
    assert a.leaves_by(family.b, family.a2) == family.via1


# -- what does not wait ----------------------------------------------------


def second_router(figure, family):
    """Another router on eth1: R2 with a second address."""
    gateway = {4: "10.2.0.254", 6: "fe80::254"}[family.number]
    length = {4: 24, 6: 64}[family.number]
    figure.r2.ip(f"addr add {gateway}/{length} dev lan")
    return f"via {gateway} dev eth1"


def leaves_soon_by(a, family, path):
    until(lambda: a.leaves_by(family.b, family.a2) == path, AT_ONCE_S,
          what=f"{family.a2} leaves {path}")


def test_a_replaced_gateway_counts_at_once(figure, family):
    a = figure.a
    figure.start(LONG)
    other = second_router(figure, family)
    a.ip(f"route replace default {other} metric 200")
    leaves_soon_by(a, family, other)


def test_a_gateway_deleted_and_another_added_counts_at_once(figure, family):
    a = figure.a
    figure.start(LONG)
    other = second_router(figure, family)
    a.ip(f"""
        route del default {family.via2} metric 200
        route add default {other} metric 200
    """)
    leaves_soon_by(a, family, other)


def test_a_better_route_does_not_wait_for_the_one_that_left(figure, family):
    a = figure.a
    figure.start(LONG)
    other = second_router(figure, family)
    a.ip(f"""
        route del default {family.via2} metric 200
        route add default {other} metric 50
    """)
    leaves_soon_by(a, family, other)


def test_new_attributes_of_the_same_route_count_at_once(figure, family):
    a = figure.a
    daemon = figure.start(LONG)
    number = daemon.table("eth1", family.net2)
    a.ip(f"""
        route del default {family.via2} metric 200
        route add default {family.via2} metric 200 mtu 1300
    """)
    until(lambda: "mtu 1300" in str(a.route_lines(number, family.number)),
          AT_ONCE_S)


def test_a_route_without_a_gateway_goes_at_once(figure, family):
    a = figure.a
    figure.start(LONG)
    a.ip(f"route add {family.other} dev eth1")
    until(lambda: a.leaves_by(family.other_host, family.a1) == "dev eth1",
          AT_ONCE_S)
    a.ip(f"route del {family.other} dev eth1")
    until(lambda: a.leaves_by(family.other_host, family.a1) == family.via1,
          AT_ONCE_S)


def test_a_lost_link_does_not_wait(figure):
    """IPv4, where the address stays; the route went first."""
    a = figure.a
    figure.start(LONG)
    a.ip("route del default via 10.2.0.1 dev eth1\nlink set eth1 down")
    until(lambda: a.leaves_by("203.0.113.9", "10.2.0.2")
          == "via 10.1.0.1 dev eth0", AT_ONCE_S)


def test_a_lost_carrier_does_not_wait(figure, family):
    a = figure.a
    figure.start(LONG)
    a.ip(f"route del default {family.via2}")
    figure.r2.ip("link set lan down")
    leaves_soon_by(a, family, family.via1)


def test_a_lost_carrier_before_the_route_does_not_wait(figure, family):
    """First the carrier, then the route: there is nothing to come back to."""
    a = figure.a
    figure.start(LONG)
    figure.r2.ip("link set lan down")
    leaves_soon_by(a, family, family.via1)
    a.ip(f"route del default {family.via2}")
    number = own_sources(a, family.number)[family.net2]
    until(lambda: "eth1" not in str(
        [r for r in a.routes(number, family.number)
         if r["dst"] == "default"]), AT_ONCE_S)


def test_a_lost_carrier_of_the_only_uplink_does_not_wait(figure, family):
    """Where nothing is usable main's word counts, and main has none."""
    a = figure.a
    a.ip(f"route del default {family.via1}")
    daemon = figure.lab.daemon(a, LONG)
    number = daemon.table("eth1", family.net2)
    assert "default" in str(a.routes(number, family.number))
    a.ip(f"route del default {family.via2}")
    assert "default" in str(a.routes(number, family.number))
    figure.r2.ip("link set lan down")
    until(lambda: "default" not in str(a.routes(number, family.number)),
          AT_ONCE_S)


def test_a_router_found_dead_does_not_wait(figure, family):
    """The kernel is made to ask for it anew, and nobody answers."""
    a = figure.a
    for name, value in (("retrans_time_ms", 50), ("mcast_solicit", 1)):
        a.sysctl(f"ipv{family.number}/neigh/eth1/{name}", value)
    figure.start(LONG)
    length = 24 if family.number == 4 else 64
    figure.r2.ip(f"addr del {family.gw2}/{length} dev lan")
    a.ip(f"""
        route del default {family.via2}
        neigh del {family.gw2} dev eth1
    """)
    leaves_soon_by(a, family, family.via1)


def test_an_address_that_goes_does_not_wait(figure, family):
    a = figure.a
    figure.start(LONG)
    length = family.net2.split("/")[1]
    a.ip(f"""
        route del default {family.via2}
        addr del {family.a2}/{length} dev eth1
    """)
    until(lambda: list(own_sources(a, family.number)) == [family.net1],
          AT_ONCE_S)
