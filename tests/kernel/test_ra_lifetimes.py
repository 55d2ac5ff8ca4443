# SPDX-License-Identifier: GPL-2.0-or-later
"""Lifetimes end, by the clock or by a message; preferences and routes of
advertisements change. The kernel tells little of it, and some of it late."""

import time

import pytest

from lab import until
from lab.ra import (B, FOREVER, HIGH, LOW, MEDIUM, Pio, Rio, Site,
                    all_is_well, bindings, learned, net, router_ll, source, via)
from lab.varlink import Client
from lab.watch import Watch

ONE, TWO = net(1), net(2)
OTHER, OTHER_HOST = "2001:db8:e:1::/64", "2001:db8:e:1::7"


def has_addresses(site, *prefixes):
    out = site.a.run("ip", "-6", "addr", "show").stdout
    return all(source(prefix) in out for prefix in prefixes)


@pytest.fixture
def site(lab):
    return Site(lab)


def start(site, model="weak"):
    """Both routers have spoken, and each serves its own."""
    daemon = site.lab.daemon(site.a, f'model = "{model}";')
    site.advert(1).send(pios=[Pio(ONE)])
    site.advert(2).send(pios=[Pio(TWO)])
    site.learned(daemon, 1, ONE)
    site.learned(daemon, 2, TWO)
    until(lambda: has_addresses(site, ONE, TWO))
    daemon.wait()
    assert site.a.leaves_by(B, source(ONE)) == via(1)
    assert site.a.leaves_by(B, source(TWO)) == via(2)
    return daemon


def test_a_router_that_ends_gets_no_settle_time(lab):
    """That is for clients which delete a route and add it again."""
    site = Site(lab)
    daemon = site.lab.daemon(site.a, "settle_ms = 10000;")
    site.advert(1).send(pios=[Pio(ONE)])
    site.advert(2).send(pios=[Pio(TWO)])
    site.learned(daemon, 1, ONE)
    site.learned(daemon, 2, TWO)
    until(lambda: has_addresses(site, ONE, TWO))
    daemon.wait()
    assert site.a.leaves_by(B, source(ONE)) == via(1)
    site.advert(1).send(lifetime=0, pios=[Pio(ONE)])
    until(lambda: site.a.leaves_by(B, source(ONE)) == via(2), 3)


def ways(site):
    """What main has to a default: {router: line of ip(8)}, expired or not."""
    lines = site.a.route_lines("main", 6)
    return {line.split()[2]: line for line in lines
            if line.startswith("default via")}


def copies(site, daemon, prefix):
    """Our table's lines."""
    return "\n".join(site.a.route_lines(daemon.table("eth0", prefix), 6))


# -- prefixes --------------------------------------------------------------


def test_a_binding_ends_with_its_prefix(site):
    """To the millisecond nearly: nobody says so, it is the clock."""
    daemon = start(site)
    prefix = net(1, 2)
    start_time = time.monotonic()
    site.advert(1).send(pios=[Pio(prefix, valid=2, autonomous=False)])
    sent = time.monotonic()
    site.learned(daemon, 1, prefix)
    left = learned(daemon)[router_ll(1), prefix]
    assert 1 < left <= 2
    until(lambda: time.monotonic() > start_time + 1.9, 3)
    assert (router_ll(1), prefix) in learned(daemon)
    until(lambda: (router_ll(1), prefix) not in learned(daemon), 1, 0.002)
    late = time.monotonic() - sent - 2
    print(f"gone {late * 1000:.0f} ms after its time")
    assert late < 0.1
    assert learned(daemon).keys() == {(router_ll(1), ONE), (router_ll(2), TWO)}
    all_is_well(daemon)


def test_a_prefix_that_is_taken_back(site):
    """Valid lifetime 0: at once. What a source inside it may use is any."""
    daemon = start(site, "strong")
    site.advert(1).send(pios=[Pio(ONE, valid=0)])
    site.unlearned(daemon, 1, ONE)
    assert site.a.leaves_by(B, source(ONE)) in (via(1), via(2))
    assert site.a.leaves_by(B, source(TWO)) == via(2)
    all_is_well(daemon)


def test_forever_is_forever(site):
    daemon = start(site)
    site.advert(1).send(pios=[Pio(net(1, 2), valid=FOREVER,
                                  autonomous=False)])
    site.learned(daemon, 1, net(1, 2))
    # It ends with its router.
    assert 1795 < learned(daemon)[router_ll(1), net(1, 2)] <= 1800


# -- routers ---------------------------------------------------------------


def test_a_router_that_is_none_any_more(site, model):
    daemon = start(site, model)
    site.advert(1).send(lifetime=0, pios=[Pio(ONE)])
    site.unlearned(daemon, 1, ONE)
    until(lambda: router_ll(1) not in ways(site))
    daemon.wait()
    for prefix in (ONE, TWO):
        assert site.a.leaves_by(B, source(prefix)) == via(2)
    all_is_well(daemon)


def test_a_router_lifetime_that_is_cut_short(site, model):
    """From 1800 s to 2 s, and never to 0: the kernel says nothing at all, and
    deletes the route up to half a minute after its end."""
    daemon = start(site, model)
    site.advert(1).send(lifetime=2, pios=[Pio(ONE)])
    sent = time.monotonic()
    until(lambda: "expires 1sec" in ways(site)[router_ll(1)] or
          "expires 2sec" in ways(site)[router_ll(1)])
    daemon.wait()
    assert site.a.leaves_by(B, source(ONE)) == via(1)
    until(lambda: site.a.leaves_by(B, source(ONE)) != via(1), 4, 0.01)
    late = time.monotonic() - sent - 2
    print(f"our copy is gone {late * 1000:.0f} ms after its time")
    assert -0.1 < late < 1.2
    assert router_ll(1) in ways(site), "collected: this proves nothing"
    assert (router_ll(1), ONE) not in learned(daemon)
    for prefix in (ONE, TWO):
        assert site.a.leaves_by(B, source(prefix)) == via(2)
        assert router_ll(1) not in copies(site, daemon, prefix)
    all_is_well(daemon)
    # And it comes back before it was collected.
    site.advert(1).send(pios=[Pio(ONE)])
    site.learned(daemon, 1, ONE)
    until(lambda: site.a.leaves_by(B, source(ONE)) == via(1))
    all_is_well(daemon)


def test_a_router_lifetime_that_is_prolonged(site):
    """It would end in two seconds, and the kernel does not say that it does
    not."""
    daemon = start(site)
    site.advert(1).send(lifetime=2, pios=[Pio(ONE)])
    until(lambda: (learned(daemon)[router_ll(1), ONE] or 9) <= 2)
    site.advert(1).send(lifetime=1800, pios=[Pio(ONE)])
    with Watch(site.a) as watch:
        end = time.monotonic() + 3.5
        until(lambda: time.monotonic() > end, 4, 0.05)
        assert watch.by(daemon) == []
    assert site.a.leaves_by(B, source(ONE)) == via(1)
    all_is_well(daemon)


@pytest.mark.parametrize("seed", range(5))
def test_a_short_lifetime_is_seen_whenever_it_comes(site, seed):
    """However the message's way through the kernel and ours cross."""
    daemon = start(site)
    for number in range(8):
        site.advert(1).send(lifetime=1800 - 150 * number - seed,
                            pios=[Pio(ONE)])
    site.advert(1).send(lifetime=1, pios=[Pio(ONE)])
    until(lambda: site.a.leaves_by(B, source(ONE)) == via(2), 3.5)
    all_is_well(daemon)


# -- preferences -----------------------------------------------------------


def test_preferences_of_several_routers(lab):
    """One prefix, three routers, one metric: the preference decides, and the
    others are there when it changes."""
    site = Site(lab, routers=3)
    a = site.a
    daemon = lab.daemon(a, 'model = "strong";')
    for number, preference in ((1, MEDIUM), (2, HIGH), (3, LOW)):
        site.advert(number).send(pios=[Pio(ONE)], preference=preference)
        site.learned(daemon, number, ONE)
    until(lambda: has_addresses(site, ONE) and len(ways(site)) == 3)
    daemon.wait()
    assert a.leaves_by(B, source(ONE)) == via(2)
    all_is_well(daemon)
    for order in ((3, 1, 2), (1, 2, 3), (2, 3, 1)):
        for number, preference in zip(order, (HIGH, MEDIUM, LOW)):
            site.advert(number).send(pios=[Pio(ONE)], preference=preference)
        until(lambda: a.leaves_by(B, source(ONE)) == via(order[0]))
        all_is_well(daemon)
        # The best of them goes for good: the next one is the next best.
        site.advert(order[0]).send(lifetime=0)
        until(lambda: a.leaves_by(B, source(ONE)) == via(order[1]))
        all_is_well(daemon)
        site.advert(order[0]).send(pios=[Pio(ONE)], preference=HIGH)
        until(lambda: a.leaves_by(B, source(ONE)) == via(order[0]))
    # No ECMP, and one entry per prefix.
    for line in copies(site, daemon, ONE).splitlines():
        assert "nexthop" not in line
    assert copies(site, daemon, ONE).count("default") == 1 + 1  # strong's last


def test_the_preference_is_not_stronger_than_the_prefix(site):
    """A router of high preference serves what it advertises, no more."""
    daemon = start(site, "strong")
    site.advert(2).send(pios=[Pio(TWO)], preference=HIGH)
    until(lambda: "pref high" in ways(site)[router_ll(2)])
    daemon.wait()
    assert site.a.leaves_by(B, source(ONE)) == via(1)
    assert site.passes(source(ONE)) == 1 and site.passes(source(TWO)) == 2
    assert site.dropped() == 0
    all_is_well(daemon)


# -- route information options ---------------------------------------------


def lines_to_other(site, daemon):
    return [line for prefix in (ONE, TWO)
            for line in copies(site, daemon, prefix).splitlines()
            if line.startswith(OTHER)]


def test_a_route_of_an_advertisement_comes_changes_and_goes(site):
    """The longest match first, then whose router: weak sends the other
    prefix's sources there too."""
    daemon = start(site)
    site.advert(2).send(pios=[Pio(TWO)], rios=[Rio(OTHER)])
    until(lambda: len(lines_to_other(site, daemon)) == 2)
    assert site.a.leaves_by(OTHER_HOST, source(ONE)) == via(2)
    assert site.a.leaves_by(OTHER_HOST, source(TWO)) == via(2)
    all_is_well(daemon)
    # The first router has it as well: then each goes by its own again.
    site.advert(1).send(pios=[Pio(ONE)], rios=[Rio(OTHER, preference=LOW)])
    until(lambda: site.a.leaves_by(OTHER_HOST, source(ONE)) == via(1))
    assert site.a.leaves_by(OTHER_HOST, source(TWO)) == via(2)
    all_is_well(daemon)
    # The second takes it back.
    site.advert(2).send(pios=[Pio(TWO)], rios=[Rio(OTHER, lifetime=0)])
    until(lambda: site.a.leaves_by(OTHER_HOST, source(TWO)) == via(1))
    all_is_well(daemon)
    # And the first one's runs out.
    site.advert(1).send(pios=[Pio(ONE)], rios=[Rio(OTHER, lifetime=1)])
    until(lambda: not lines_to_other(site, daemon), 4)
    assert site.a.leaves_by(OTHER_HOST, source(ONE)) == via(1)  # by default
    assert site.a.leaves_by(OTHER_HOST, source(TWO)) == via(2)
    all_is_well(daemon)


def test_a_route_that_has_run_out_is_not_taken_up_again(site):
    """The kernel shows it for half a minute after its end, whoever asks. One
    who starts in that time knows better."""
    daemon = start(site)
    site.advert(2).send(pios=[Pio(TWO)], rios=[Rio(OTHER, lifetime=1)])
    until(lambda: lines_to_other(site, daemon))
    until(lambda: not lines_to_other(site, daemon), 4)
    in_main = OTHER in "\n".join(site.a.route_lines("main", 6))
    assert in_main, "collected: this proves nothing"
    all_is_well(daemon)
    with Watch(site.a) as watch:
        daemon.kill()
        daemon.start()
        assert watch.by(daemon) == []
    all_is_well(daemon)


# -- the link --------------------------------------------------------------


def test_bindings_go_with_their_link(lab):
    site = Site(lab)
    daemon = start(site)
    site.a.ip("link del eth0")
    until(lambda: not learned(daemon))
    daemon.wait()
    assert bindings(daemon)["bindings"] == []
    with Client(daemon.socket_path) as client:
        assert client.call("io.multihomed.Status")["steady"]
