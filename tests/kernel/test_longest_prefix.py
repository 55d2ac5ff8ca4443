# SPDX-License-Identifier: GPL-2.0-or-later
"""Longest prefix first, source second (section 4, rules 1, 3 and 4)."""

from lab import Figure


def config(model):
    return f'model = "{model}";'


def test_a_more_specific_route_wins_for_every_source(figure, family, model):
    a = figure.a
    a.ip(f"route add {family.other} via {family.gw2} dev eth1")
    figure.start(config(model))
    assert a.leaves_by(family.other_host, family.a2) == family.via2
    # Rule 1 leaves a1 no route on its own subnet: rule 3, never the default.
    want = family.via2 if model == "weak" else "EHOSTUNREACH"
    assert a.leaves_by(family.other_host, family.a1) == want
    assert a.leaves_by(family.b, family.a1) == family.via1


def test_a_more_specific_route_that_comes_later_wins_too(figure, family,
                                                          model):
    a = figure.a
    daemon = figure.start(config(model))
    assert a.leaves_by(family.other_host, family.a1) == family.via1
    a.ip(f"route add {family.other} via {family.gw2} dev eth1")
    daemon.wait()
    want = family.via2 if model == "weak" else "EHOSTUNREACH"
    assert a.leaves_by(family.other_host, family.a1) == want
    a.ip(f"route del {family.other} via {family.gw2} dev eth1")
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a1) == family.via1


def test_equal_prefixes_on_both_uplinks_split_by_source(figure, family,
                                                        model):
    a = figure.a
    gw1 = family.via1.split()[1]
    a.ip(f"""
        route add {family.other} via {family.gw2} dev eth1 metric 10
        route add {family.other} via {gw1} dev eth0 metric 20
    """)
    figure.start(config(model))
    assert a.leaves_by(family.other_host, family.a1) == family.via1
    assert a.leaves_by(family.other_host, family.a2) == family.via2


def test_without_an_own_candidate_weak_falls_back_and_strong_drops(
        figure, family, model):
    a = figure.a
    daemon = figure.start(config(model))
    a.ip(f"route del default {family.via2}")
    daemon.wait()
    if model == "weak":
        assert a.leaves_by(family.b, family.a2) == family.via1
        assert a.connect_error(family.b, family.a2) == ""
    else:
        assert a.leaves_by(family.b, family.a2) == "EHOSTUNREACH"
        assert a.connect_error(family.b, family.a2) == "EHOSTUNREACH"
    assert a.leaves_by(family.b, family.a1) == family.via1


def test_the_lowest_metric_on_the_own_subnet_wins(figure):
    a, r2 = figure.a, figure.r2
    r2.ip("addr add 10.2.0.254/24 dev lan")
    a.ip("route add default via 10.2.0.254 dev eth1 metric 150")
    daemon = figure.lab.daemon(a)
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.2.0.254 dev eth1"
    a.ip("route add default via 10.2.0.1 dev eth1 metric 140")
    daemon.wait()
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.2.0.1 dev eth1"


def test_one_link_can_be_strong_in_a_weak_host(lab, family):
    figure = Figure(lab)
    a = figure.a
    a.ip(f"route add {family.other} {family.via2}")
    lab.daemon(a, """
        interfaces = ( { match = "eth0"; model = "strong"; } );""")
    assert a.leaves_by(family.other_host, family.a1) == "EHOSTUNREACH"
    a.ip(f"""route del {family.other} {family.via2}
             route add {family.other} {family.via1}""")
    lab.daemons[0].wait()
    assert a.leaves_by(family.other_host, family.a2) == family.via1


def container(figure):
    """A docker-like bridge on A with one container behind it."""
    lab, a = figure.lab, figure.a
    box = lab.server("box")
    lab.wire(a, "veth0", box, "eth0")
    lab.bridge(a, "docker0", ["veth0"])
    a.ip("""
        addr add 172.17.0.1/16 dev docker0
        addr add fd00:d0c::1/64 dev docker0
    """)
    box.ip("""
        addr add 172.17.0.2/16 dev eth0
        addr add fd00:d0c::2/64 dev eth0
        route add default via 172.17.0.1
        route add default via fd00:d0c::1
    """)
    return {4: "172.17.0.2", 6: "fd00:d0c::2"}


def test_a_local_bridge_stays_local_for_every_source(figure, family, model):
    a = figure.a
    inner = container(figure)[family.number]
    daemon = figure.start(config(model))
    for source in (family.a1, family.a2):
        assert a.leaves_by(inner, source) == "dev docker0"
        assert a.ping(inner, source) == 3
    managed = [s["link"] for s in daemon.status()["subnets"] if s["managed"]]
    assert "docker0" not in managed


def test_the_other_uplinks_lan_is_a_prefix_like_any_other(figure, family,
                                                          model):
    a = figure.a
    figure.start(config(model))
    neighbour = "10.1.0.77" if family.number == 4 else "2001:db8:1::77"
    assert a.leaves_by(neighbour, family.a1) == "dev eth0"
    want = "dev eth0" if model == "weak" else "EHOSTUNREACH"
    assert a.leaves_by(neighbour, family.a2) == want


def test_link_local_destinations_never_take_a_default_route(figure, model):
    a = figure.a
    figure.start(config(model))
    for link in ("eth0", "eth1"):
        for source in ("2001:db8:1::2", "2001:db8:2::2"):
            answer = a.leaves_by("fe80::77", source, oif=link)
            assert answer == f"dev {link}"


def test_no_route_at_all_is_an_error_at_once(figure, family, model):
    a = figure.a
    daemon = figure.start(config(model))
    a.ip(f"route del default {family.via1}\nroute del default {family.via2}")
    daemon.wait()
    for source in (family.a1, family.a2):
        error = a.connect_error(family.b, source)
        assert error in ("EHOSTUNREACH", "ENETUNREACH")
    # What has a route of its own is not touched by that.
    assert a.leaves_by("10.1.0.1", "10.1.0.2") == "dev eth0"
