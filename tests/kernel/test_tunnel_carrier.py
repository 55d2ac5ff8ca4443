# SPDX-License-Identifier: GPL-2.0-or-later
"""A longer prefix through a tunnel that loses its carrier.

The prefix is not sent in the clear by the default then: where no candidate is
usable, the unusable are taken as main has them.
"""

import pytest

from lab import until
from lab.flood import Flood, Tally, swallow


def tunnel(figure, family):
    tun = figure.a.tun("gre1")
    figure.a.ip(f"link set gre1 up\nroute add {family.other} dev gre1",
                family=family.number)
    return tun


def lose_carrier(a, tun, daemon):
    tun.carrier(False)
    until(lambda: "NO-CARRIER" in a.run("ip", "link", "show", "gre1").stdout)
    until(lambda: any("linkdown" in line for number in (4, 6)
                      for line in a.route_lines("main", number)
                      if "dev gre1" in line))
    daemon.wait()


def in_the_clear(tally):
    return tally.by("eth0") + tally.by("eth1")


def test_its_prefix_is_not_sent_in_the_clear(figure, family, model):
    a = figure.a
    tun = tunnel(figure, family)
    daemon = figure.start(f'model = "{model}";')
    tally = Tally(a)
    with Flood(a, [(family.a1, family.other_host),
                   (family.a2, family.other_host)]):
        lose_carrier(a, tun, daemon)
        for source in (family.a1, family.a2):
            assert a.leaves_by(family.other_host, source) == "dev gre1"
        tun.carrier(True)
        until(lambda: "NO-CARRIER" not in
              a.run("ip", "link", "show", "gre1").stdout)
        daemon.wait()
        assert in_the_clear(tally) == 0
        assert tally.by("gre1") > 0
    assert a.leaves_by(family.b, family.a2) == family.via2


def test_a_daemon_that_starts_without_its_carrier(figure, family, model):
    a = figure.a
    tun = tunnel(figure, family)
    tun.carrier(False)
    until(lambda: "NO-CARRIER" in a.run("ip", "link", "show", "gre1").stdout)
    figure.start(f'model = "{model}";')
    for source in (family.a1, family.a2):
        assert a.leaves_by(family.other_host, source) == "dev gre1"


@pytest.mark.parametrize("bound", ["own addresses", "binding"])
def test_a_second_path_of_the_same_prefix_is_taken(figure, family, bound):
    """The prefix has a usable candidate: that one, with or without carrier of
    the default's links."""
    a = figure.a
    tun = tunnel(figure, family)
    a.ip(f"route add {family.other} {family.via2} metric 4000")
    config = "" if bound == "own addresses" else (
        f'bindings = ( {{ dev = "gre1"; prefixes = ( "{family.net2}" ); }} );')
    daemon = figure.start(config)
    lose_carrier(a, tun, daemon)
    assert a.leaves_by(family.other_host, family.a2) == family.via2
    tun.carrier(True)
    until(lambda: a.leaves_by(family.other_host, family.a2) == "dev gre1")


def test_ignore_linkdown_does_not_open_it(figure, family):
    """The setting is for managed links; this tunnel is none."""
    a = figure.a
    tun = tunnel(figure, family)
    daemon = figure.start("ignore_linkdown = true;")
    lose_carrier(a, tun, daemon)
    for source in (family.a1, family.a2):
        assert a.leaves_by(family.other_host, source) == "dev gre1"


def test_the_count_would_show_it(figure, family):
    """Without the copies in our tables it does go out in the clear."""
    a = figure.a
    tunnel(figure, family)
    daemon = figure.start()
    tally = Tally(a)
    for router in (figure.r1, figure.r2):
        swallow(router, "lan")
    daemon.freeze()
    with Flood(a, [(family.a2, family.other_host)]):
        a.ip(f"route del {family.other} table "
             f"{daemon_table(a, family)}", family=family.number)
        until(lambda: in_the_clear(tally) > 0)


def daemon_table(a, family):
    """Of a2's subnet; the daemon cannot be asked while it is stopped."""
    rule = next(rule for rule in a.rules(family.number)
                if rule.get("from") == family.net2)
    return rule["table"]
