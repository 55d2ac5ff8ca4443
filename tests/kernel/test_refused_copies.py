# SPDX-License-Identifier: GPL-2.0-or-later
"""Routes of main that the kernel would not take again today.

A gateway route stays in main when the connected route that made its gateway
reachable goes away, and main keeps forwarding by it. A plain copy is refused
("Nexthop has invalid gateway", "No route to host").
"""

import pytest

ORPHANS = {4: ("addr add 10.9.0.2/24 dev eth1", "via 10.9.0.1 dev eth1",
               "addr del 10.9.0.2/24 dev eth1"),
           6: ("addr add 2001:db8:9::2/64 dev eth1",
               "via 2001:db8:9::1 dev eth1",
               "addr del 2001:db8:9::2/64 dev eth1")}


def orphan(figure, family, words=""):
    """Give main a route whose gateway has no connected route; its way."""
    give, via, take = ORPHANS[family.number]
    figure.r2.ip("""
        addr add 10.9.0.1/24 dev lan
        addr add 2001:db8:9::1/64 dev lan
    """)
    figure.a.ip(f"{give}\nroute add {family.other} {via} {words}\n{take}")
    assert figure.a.leaves_by(family.other_host) == via
    return via


def test_the_daemon_comes_to_rest(figure, family, model):
    orphan(figure, family)
    daemon = figure.start(f'model = "{model}";')
    assert daemon.status()["steady"]
    assert daemon.log().count("refused") + daemon.log().count("no copy") <= 8


def test_the_copy_forwards_as_the_original_does(figure, family):
    via = orphan(figure, family)
    daemon = figure.start()
    assert figure.a.leaves_by(family.other_host, family.a2) == via
    assert daemon.status()["problems"] == []


def test_a_congruent_orphan_is_used_in_the_strong_model(figure, family):
    via = orphan(figure, family)
    figure.start('model = "strong";')
    assert figure.a.leaves_by(family.other_host, family.a2) == via


def test_an_orphan_never_sends_its_source_through_another_subnet(figure,
                                                                 family):
    """Main prefers R1 for this prefix: leaving the prefix to main would send
    a2 through R1 although it has a candidate of its own."""
    via = orphan(figure, family, "metric 200")
    figure.a.ip(f"route add {family.other} {family.via1} metric 100")
    figure.start()
    assert figure.a.leaves_by(family.other_host, family.a2) == via


def test_it_is_copied_when_the_gateway_is_reachable_again(figure, family):
    a, via = figure.a, orphan(figure, family)
    daemon = figure.start()
    a.ip("addr replace 10.9.0.3/24 dev eth1\n"
         "addr replace 2001:db8:9::3/64 dev eth1")
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a2) == via
    answer = a.route_get(family.other_host, family.a2)
    assert answer.table not in ("254", "main")


def test_the_daemon_comes_to_rest_when_the_copy_differs(figure, family,
                                                        model):
    """The route's own source is not copied: what the kernel refuses is not
    what main has."""
    orphan(figure, family, f"src {family.a2}")
    daemon = figure.start(f'model = "{model}";')
    assert daemon.status()["steady"]


def test_what_only_the_config_has_is_not_left_to_main(figure, family, model):
    """Its link is down: main, which does not know the prefix, would send what
    may be meant for a tunnel by its default."""
    figure.lab.bridge(figure.a, "br9")
    figure.a.ip("link set br9 down")
    daemon = figure.start(f'model = "{model}"; routes = ( {{ '
                          f'to = "{family.other}"; dev = "br9"; }} );')
    assert figure.a.leaves_by(family.other_host, family.a1) == "EHOSTUNREACH"
    assert daemon.ctl("verify").returncode == 0
    assert "no copy of 1 kind of route" in " ".join(daemon.status()["problems"])
    figure.a.ip("link set br9 up")
    daemon.wait()
    assert figure.a.leaves_by(family.other_host, family.a1) == "dev br9"


@pytest.mark.parametrize("again", range(2))
def test_other_prefixes_are_not_affected(figure, family, again):
    orphan(figure, family)
    daemon = figure.start()
    for _ in range(again):
        daemon.leave()
        daemon.start()
    assert figure.a.leaves_by(family.b, family.a1) == family.via1
    assert figure.a.leaves_by(family.b, family.a2) == family.via2
