# SPDX-License-Identifier: GPL-2.0-or-later
"""Two radvd on one link, a prefix each: the draft's section 7 and RFC 8028."""

import contextlib

from lab import until
from lab.ra import (B, ULA, Pio, Radvd, Site, all_is_well, learned, net,
                    router_ll, source, via)

ONE, TWO = net(1), net(2)

# radvd says it once, and again after three or four seconds if nobody heard.
LIMIT_S = 10


@contextlib.contextmanager
def two_radvd(site, **settings):
    with Radvd(site.routers[1], prefixes=[ONE], **settings) as first, \
            Radvd(site.routers[2], prefixes=[TWO], **settings) as second:
        yield first, second


def both(site, daemon):
    site.learned(daemon, 1, ONE, LIMIT_S)
    site.learned(daemon, 2, TWO, LIMIT_S)
    until(lambda: has(site.a, source(ONE)) and has(site.a, source(TWO)))
    daemon.wait()


def has(namespace, address, word=""):
    lines = namespace.run("ip", "-6", "-o", "addr", "show").stdout.splitlines()
    return any(f" {address}/" in line and word in line for line in lines)


def test_each_source_leaves_by_the_router_of_its_prefix(lab, model):
    site = Site(lab)
    daemon = lab.daemon(site.a, f'model = "{model}";')
    with two_radvd(site):
        both(site, daemon)
        for number, prefix in ((1, ONE), (2, TWO)):
            assert site.a.leaves_by(B, source(prefix)) == via(number)
            assert site.passes(source(prefix)) == number
            # The router may have to ask twice who has that address.
            until(lambda: site.a.ping(B, source(prefix), count=1), 5)
            assert site.a.ping(B, source(prefix)) == 3
        assert site.dropped() == 0
        all_is_well(daemon)


def test_without_us_one_of_the_two_is_dropped(lab):
    """The test above would pass without a daemon if this did not hold."""
    site = Site(lab)
    site.advert(1).send(pios=[Pio(ONE)])
    site.advert(2).send(pios=[Pio(TWO)])
    until(lambda: has(site.a, source(ONE)) and has(site.a, source(TWO)))
    assert 0 in (site.passes(source(ONE)), site.passes(source(TWO)))
    assert site.dropped() > 0


def test_a_prefix_that_nobody_advertises_may_use_any(lab, model):
    site = Site(lab)
    ula = ULA.replace("::/64", "::7")
    site.a.ip(f"addr add {ula}/64 dev eth0")
    daemon = lab.daemon(site.a, f'model = "{model}";')
    with two_radvd(site):
        both(site, daemon)
        assert site.a.leaves_by(B, ula) in (via(1), via(2))
        assert site.passes(ula) in (1, 2)
        assert site.passes(source(ONE)) == 1 and site.passes(source(TWO)) == 2
        assert site.dropped() == 0
        all_is_well(daemon)


def test_a_router_withdraws(lab, model):
    """It says that it is none any more. RFC 8028: nobody serves its prefix
    now, so that whoever is left may."""
    site = Site(lab)
    daemon = lab.daemon(site.a, f'model = "{model}";')
    with two_radvd(site) as (first, _):
        both(site, daemon)
        first.stop()
        site.unlearned(daemon, 1, ONE, LIMIT_S)
        until(lambda: site.a.leaves_by(B, source(ONE)) == via(2))
        assert site.a.leaves_by(B, source(TWO)) == via(2)
        assert site.passes(source(TWO)) == 2
        all_is_well(daemon)
        with Radvd(site.routers[1], prefixes=[ONE]):
            site.learned(daemon, 1, ONE, LIMIT_S)
            assert site.a.leaves_by(B, source(ONE)) == via(1)
            assert site.passes(source(ONE)) == 1
            assert site.passes(source(TWO)) == 2
            assert site.dropped() == 0
            all_is_well(daemon)


def test_a_router_renumbers(lab, model):
    """A new prefix, and the old one deprecated: both are its own, and what
    still uses the old one goes on by the same router."""
    site = Site(lab)
    daemon = lab.daemon(site.a, f'model = "{model}";')
    new = net(1, 2)
    with two_radvd(site) as (first, _):
        both(site, daemon)
        first.rewrite(prefixes=[new], gone=[ONE])
        site.learned(daemon, 1, new, LIMIT_S)
        until(lambda: has(site.a, source(ONE), "deprecated"))
        until(lambda: has(site.a, source(new)))
        daemon.wait()
        assert (router_ll(1), ONE) in learned(daemon)
        for number, prefix in ((1, ONE), (1, new), (2, TWO)):
            assert site.a.leaves_by(B, source(prefix)) == via(number)
            assert site.passes(source(prefix)) == number
        # radvd ends: no prefix of its is served by anybody any more.
        first.stop()
        for prefix in (ONE, new):
            site.unlearned(daemon, 1, prefix, LIMIT_S)
        assert site.passes(source(TWO)) == 2
        assert site.dropped() == 0
        all_is_well(daemon)


def test_a_prefix_moves_to_the_other_router(lab):
    """As a site does that replaces a router: for a while both advertise it."""
    site = Site(lab)
    daemon = lab.daemon(site.a, 'model = "strong";')
    with two_radvd(site) as (first, second):
        both(site, daemon)
        second.rewrite(prefixes=[TWO, ONE])
        site.learned(daemon, 2, ONE, LIMIT_S)
        assert site.a.leaves_by(B, source(ONE)) in (via(1), via(2))
        first.stop()
        site.unlearned(daemon, 1, ONE, LIMIT_S)
        until(lambda: site.a.leaves_by(B, source(ONE)) == via(2))
        assert site.a.leaves_by(B, source(TWO)) == via(2)
        all_is_well(daemon)
