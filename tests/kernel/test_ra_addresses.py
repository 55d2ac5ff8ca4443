# SPDX-License-Identifier: GPL-2.0-or-later
"""Every kind of address that a host has of an advertised prefix."""

import itertools

import pytest

from lab import until
from lab.own import own_sources
from lab.ra import (B, ULA, Pio, Site, all_is_well, learned, net, router_ll,
                    source, via)
from lab.watch import Watch

ONE, TWO = net(1), net(2)


def inside(prefix, number):
    return prefix.replace("::/64", f"::{number:x}")


def addresses(a, prefix, word=""):
    """A's addresses of a prefix, with a word in what ip(8) says of them."""
    start = prefix.removesuffix("::/64")
    lines = a.run("ip", "-6", "-o", "addr", "show").stdout.splitlines()
    return [line.split()[3].split("/")[0] for line in lines
            if line.split()[3].startswith(f"{start}:") and
            (not word or f" {word}" in line)]


def second_router(site):
    """It advertises its prefix, and is the kernel's first choice."""
    site.advert(2).send(pios=[Pio(TWO)], preference=1)
    until(lambda: addresses(site.a, TWO))


@pytest.fixture
def site(lab):
    made = Site(lab)
    second_router(made)
    return made


def leaves_right(site, daemon, *sources):
    daemon.wait()
    for src in sources:
        assert site.a.leaves_by(B, src) == via(1), src
        assert site.passes(src) == 1, src
    assert site.passes(source(TWO)) == 2
    assert site.dropped() == 0
    all_is_well(daemon)


FLAGS = list(itertools.product((True, False), repeat=2))
FLAG_IDS = [f"L{on_link:d}A{auto:d}" for on_link, auto in FLAGS]


@pytest.mark.parametrize("on_link, auto", FLAGS, ids=FLAG_IDS)
@pytest.mark.parametrize("length", [64, 128])
@pytest.mark.parametrize("first", ["advertised", "configured"])
def test_a_static_address(site, on_link, auto, length, first):
    """Whatever the prefix is advertised for, its router serves it; and the
    order in which host and router begin does not matter."""
    a, mine = site.a, inside(ONE, 0xd)
    pio = Pio(ONE, on_link=on_link, autonomous=auto)

    def configure():
        a.ip(f"addr add {mine}/{length} dev eth0")

    if first == "configured":
        configure()
    daemon = site.lab.daemon(a, 'model = "strong";')
    site.advert(2).send(pios=[Pio(TWO)], preference=1)
    site.learned(daemon, 2, TWO)
    site.advert(1).send(pios=[pio])
    site.learned(daemon, 1, ONE)
    if first == "advertised":
        configure()
        daemon.wait()
    if auto:
        until(lambda: source(ONE) in addresses(a, ONE))
        daemon.wait()
    assert sorted(own_sources(a, 6)) == [ONE, TWO]
    leaves_right(site, daemon, mine, *([source(ONE)] if auto else []))


def test_an_address_of_dhcpv6_when_the_prefix_goes(site):
    """A /128 is a subnet of its own while no router advertises its prefix, and
    is never without an answer."""
    a, mine = site.a, inside(ONE, 0xd)
    a.ip(f"addr add {mine}/128 dev eth0")
    daemon = site.lab.daemon(a, 'model = "strong";')
    site.advert(2).send(pios=[Pio(TWO)], preference=1)
    site.learned(daemon, 2, TWO)
    for _ in range(2):
        site.advert(1).send(pios=[Pio(ONE, autonomous=False)])
        site.learned(daemon, 1, ONE)
        assert sorted(own_sources(a, 6)) == [ONE, TWO]
        assert a.leaves_by(B, mine) == via(1)
        site.advert(1).send(pios=[Pio(ONE, valid=0, autonomous=False)])
        site.unlearned(daemon, 1, ONE)
        assert sorted(own_sources(a, 6)) == [f"{mine}/128", TWO]
        assert a.leaves_by(B, mine) in (via(1), via(2))
        all_is_well(daemon)


def test_an_address_of_dhcpv6_beside_one_of_the_prefix(site):
    """The /128 belongs to the subnet that the other one makes."""
    a, mine = site.a, inside(ONE, 0xd)
    daemon = site.lab.daemon(a)
    site.advert(2).send(pios=[Pio(TWO)], preference=1)
    site.advert(1).send(pios=[Pio(ONE)])
    site.learned(daemon, 2, TWO)
    site.learned(daemon, 1, ONE)
    until(lambda: addresses(a, ONE))
    number = daemon.table("eth0", ONE)
    with Watch(a) as watch:
        a.ip(f"addr add {mine}/128 dev eth0 noprefixroute")
        daemon.wait()
        assert watch.by(daemon) == []
    assert daemon.table("eth0", ONE) == number
    leaves_right(site, daemon, mine, source(ONE))


def test_temporary_addresses(site):
    """Privacy extensions: the kernel makes a second address by itself, and it
    is the one that unbound sockets use."""
    a = site.a
    site.set_a(use_tempaddr=2)
    daemon = site.lab.daemon(a, 'model = "strong";')
    site.advert(2).send(pios=[Pio(TWO)], preference=1)
    site.advert(1).send(pios=[Pio(ONE)])
    site.learned(daemon, 2, TWO)
    site.learned(daemon, 1, ONE)
    temporary = until(lambda: addresses(a, ONE, "temporary"))
    daemon.wait()
    assert len(temporary) == 1 and temporary[0] != source(ONE)
    assert sorted(own_sources(a, 6)) == [ONE, TWO]
    leaves_right(site, daemon, source(ONE), *temporary)


def test_a_deprecated_address(site):
    """Nothing new uses it, but what does, goes by the right router."""
    a = site.a
    daemon = site.lab.daemon(a, 'model = "strong";')
    site.advert(2).send(pios=[Pio(TWO)], preference=1)
    site.advert(1).send(pios=[Pio(ONE)])
    site.learned(daemon, 2, TWO)
    site.learned(daemon, 1, ONE)
    until(lambda: addresses(a, ONE))
    daemon.wait()
    with Watch(a) as watch:
        site.advert(1).send(pios=[Pio(ONE, preferred=0)])
        until(lambda: addresses(a, ONE, "deprecated"))
        daemon.wait()
        assert watch.by(daemon) == []
    leaves_right(site, daemon, source(ONE))


def detect_duplicates(site):
    site.a.sysctl("ipv6/conf/all/accept_dad", 1)
    site.set_a(accept_dad=1, dad_transmits=1)


def test_a_tentative_address(site):
    """While the kernel asks whether it is the only one, nothing is sent from
    it. When it is done, nothing is left to be changed."""
    a, mine = site.a, inside(ONE, 0xd)
    detect_duplicates(site)
    daemon = site.lab.daemon(a, 'model = "strong";')
    site.advert(2).send(pios=[Pio(TWO)], preference=1)
    site.learned(daemon, 2, TWO)
    site.advert(1).send(pios=[Pio(ONE)])
    site.learned(daemon, 1, ONE)
    a.ip(f"addr add {mine}/64 dev eth0")
    assert addresses(a, ONE, "tentative")
    all_is_well(daemon)
    until(lambda: not addresses(a, ONE, "tentative"), 5)
    leaves_right(site, daemon, mine, source(ONE))


def test_an_address_that_somebody_else_has(site):
    """Duplicate address detection fails: it is nobody's source."""
    a, mine = site.a, inside(ONE, 0xd)
    detect_duplicates(site)
    site.routers[2].ip(f"addr add {mine}/128 dev lan")
    daemon = site.lab.daemon(a, 'model = "strong";')
    site.advert(2).send(pios=[Pio(TWO)], preference=1)
    site.learned(daemon, 2, TWO)
    site.advert(1).send(pios=[Pio(ONE, autonomous=False)])
    site.learned(daemon, 1, ONE)
    a.ip(f"addr add {mine}/64 dev eth0")
    until(lambda: mine in addresses(a, ONE, "dadfailed"), 5)
    daemon.wait()
    assert list(own_sources(a, 6)) == [TWO]
    assert site.passes(source(TWO)) == 2
    all_is_well(daemon)


def test_a_ula_that_one_router_advertises(site):
    """An address like any other: who advertises its prefix serves it."""
    a = site.a
    daemon = site.lab.daemon(a, 'model = "strong";')
    site.advert(2).send(pios=[Pio(TWO)], preference=1)
    site.learned(daemon, 2, TWO)
    site.advert(1).send(pios=[Pio(ONE), Pio(ULA)])
    site.learned(daemon, 1, ULA)
    until(lambda: addresses(a, ULA))
    daemon.wait()
    leaves_right(site, daemon, source(ONE), source(ULA))
    # The other one does so as well: both serve it, and the preferred one wins.
    site.advert(2).send(pios=[Pio(TWO), Pio(ULA)], preference=1)
    site.learned(daemon, 2, ULA)
    assert site.a.leaves_by(B, source(ULA)) == via(2)
    assert (router_ll(1), ULA) in learned(daemon)
    all_is_well(daemon)


def test_a_static_prefix_around_the_advertised_one(site):
    """A /56 as some providers give it: its router is the one that advertises
    a part of it."""
    a, mine = site.a, "2001:db8:1::77"
    daemon = site.lab.daemon(a, 'model = "strong";')
    site.advert(2).send(pios=[Pio(TWO)], preference=1)
    site.learned(daemon, 2, TWO)
    a.ip(f"addr add {mine}/56 dev eth0")
    site.advert(1).send(pios=[Pio(ONE)])
    site.learned(daemon, 1, ONE)
    until(lambda: addresses(a, ONE))
    daemon.wait()
    leaves_right(site, daemon, mine, source(ONE))


def test_a_strong_dhcpv6_address_whose_only_router_ends(lab):
    """Its prefix is advertised no more: the address is what it was."""
    site = Site(lab, routers=1)
    a, mine = site.a, ONE.replace("::/64", "::d")
    a.ip(f"""
        addr add {mine}/128 dev eth0
        link add other type veth peer name other2
        link set other2 up
        link set other up
        addr add 2001:db8:77::2/64 dev other nodad
        route add default via 2001:db8:77::1 dev other metric 5000
    """)
    daemon = lab.daemon(a, 'model = "strong";')
    site.advert(1).send(pios=[Pio(ONE, autonomous=False)])
    site.learned(daemon, 1, ONE)
    daemon.wait()
    assert a.leaves_by(B, mine) == via(1)
    site.advert(1).send(lifetime=0, pios=[Pio(ONE, autonomous=False)])
    site.unlearned(daemon, 1, ONE)
    daemon.wait()
    out = a.run("ip", "-6", "route", "get", B, "from", mine, check=False)
    assert "dev other" not in out.stdout
