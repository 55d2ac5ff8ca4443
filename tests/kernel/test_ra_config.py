# SPDX-License-Identifier: GPL-2.0-or-later
"""Bindings of the config stand above what is learned; both are shown, and
explain says which one decided."""

from lab import until
from lab.ra import (B, Pio, Site, all_is_well, bindings, learned, net,
                    router_ll, source, via)
from lab.varlink import Client

ONE, TWO = net(1), net(2)
CROSSED = f"""
    bindings = (
        {{ router = "fe80::2"; dev = "eth0"; prefixes = ( "{ONE}" ); }},
        {{ router = "fe80::1"; dev = "eth0"; prefixes = ( "{TWO}" ); }} );
"""


def explain(daemon, src, dst=B):
    with Client(daemon.socket_path) as client:
        return client.call("io.multihomed.Explain", source=src,
                           destination=dst)


def start(site, config):
    daemon = site.lab.daemon(site.a, config)
    site.advert(1).send(pios=[Pio(ONE)])
    site.advert(2).send(pios=[Pio(TWO)])
    site.learned(daemon, 1, ONE)
    site.learned(daemon, 2, TWO)
    out = ("ip", "-6", "addr", "show")
    until(lambda: all(source(p) in site.a.run(*out).stdout
                      for p in (ONE, TWO)))
    daemon.wait()
    return daemon


def test_the_config_overrides_what_is_learned(lab, model):
    site = Site(lab)
    daemon = start(site, f'model = "{model}"; {CROSSED}')
    assert site.a.leaves_by(B, source(ONE)) == via(2)
    assert site.a.leaves_by(B, source(TWO)) == via(1)
    all_is_well(daemon)
    # Without them what was learned meanwhile counts, and back.
    daemon.reload(f'model = "{model}";')
    assert site.a.leaves_by(B, source(ONE)) == via(1)
    assert site.passes(source(ONE)) == 1 and site.passes(source(TWO)) == 2
    all_is_well(daemon)
    daemon.reload(f'model = "{model}"; {CROSSED}')
    assert site.a.leaves_by(B, source(ONE)) == via(2)
    all_is_well(daemon)


def test_one_router_of_the_config_and_one_learned(lab):
    """A router that the config ties to something else serves nothing of what
    it advertises; the other one is then as good as any."""
    site = Site(lab)
    daemon = start(site, f"""model = "strong";
        bindings = ( {{ router = "fe80::1"; dev = "eth0";
                        prefixes = ( "{TWO}" ); }} );""")
    assert site.a.leaves_by(B, source(ONE)) == via(2)
    assert site.a.leaves_by(B, source(TWO)) in (via(1), via(2))
    all_is_well(daemon)


def test_bindings_shows_both(lab):
    site = Site(lab)
    daemon = start(site, CROSSED)
    reply = bindings(daemon)
    assert reply["hears"] is True
    first, second, *rest = reply["bindings"]
    assert first == {"router": "fe80::2", "dev": "eth0", "prefix": ONE,
                     "origin": "config"}
    assert second == {"router": "fe80::1", "dev": "eth0", "prefix": TWO,
                      "origin": "config"}
    assert [(b["router"], b["dev"], b["prefix"], b["origin"])
            for b in rest] == [("fe80::1", "eth0", ONE, "learned"),
                               ("fe80::2", "eth0", TWO, "learned")]
    assert all(1700 < b["seconds_left"] <= 1800 for b in rest)
    text = daemon.ctl("bindings").stdout
    assert max(map(len, text.splitlines())) <= 80
    for word in (ONE, TWO, "fe80::1", "fe80::2", "eth0", "config", "learned"):
        assert word in text


def test_a_router_in_the_shorter_of_two_lifetimes(lab):
    """seconds_left: of the prefix or of its router, whichever ends first."""
    site = Site(lab)
    daemon = start(site, "")
    site.advert(1).send(lifetime=9000, pios=[Pio(ONE, valid=600)])
    until(lambda: 590 < learned(daemon)[router_ll(1), ONE] <= 600)
    site.advert(1).send(lifetime=60, pios=[Pio(ONE, valid=600)])
    until(lambda: 50 < learned(daemon)[router_ll(1), ONE] <= 60)
    all_is_well(daemon)


def test_explain_cites_the_advertiser(lab):
    site = Site(lab)
    daemon = start(site, "")
    reply = explain(daemon, source(ONE))
    assert (reply["rule"], reply["kind"], reply["agrees"]) == \
        (4, "congruent", True)
    by_router = {c["via"]: c for c in reply["candidates"]}
    mine, other = by_router["fe80::1"], by_router["fe80::2"]
    assert mine["line"] == other["line"] == 4
    assert mine["chosen"] and mine["on_subnet"] and not other["on_subnet"]
    assert ONE in mine["why"] and "advertise" in mine["why"]
    assert "fe80::1" in other["why"], "who it is that advertises it"


def test_explain_cites_the_config(lab):
    site = Site(lab)
    daemon = start(site, CROSSED)
    by_router = {c["via"]: c
                 for c in explain(daemon, source(ONE))["candidates"]}
    assert by_router["fe80::2"]["chosen"]
    assert by_router["fe80::2"]["line"] == by_router["fe80::1"]["line"] == 1
    assert "config" in by_router["fe80::2"]["why"]


def test_explain_where_nobody_advertises(lab):
    site = Site(lab)
    site.a.ip("addr add fd00:db8:1:1::7/64 dev eth0")
    daemon = start(site, "")
    reply = explain(daemon, "fd00:db8:1:1::7")
    assert all(c["on_subnet"] and c["line"] == 4 for c in reply["candidates"])
    assert all("any prefix" in c["why"] for c in reply["candidates"]), reply
