# SPDX-License-Identifier: GPL-2.0-or-later
"""How advertisements reach the daemon: by its own socket, or by the kernel."""

import os

import pytest

from lab import daemon_binary, until
from lab.ra import (Advertiser, B, Pio, Rio, Site, all_is_well, bindings,
                    learned, net, router_ll, source, via)

ONE, TWO = net(1), net(2)


@pytest.fixture
def no_raw_socket(lab, monkeypatch):
    """The daemon has no CAP_NET_RAW and cannot get it."""
    path = os.path.join(lab.directory, "without-net-raw")
    with open(path, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nexec setpriv --inh-caps -net_raw "
                   f'--bounding-set -net_raw "{daemon_binary()}" "$@"\n')
    os.chmod(path, 0o755)
    monkeypatch.setenv("MULTIHOMED_BIN_DAEMON", path)


def configure_by_hand(site):
    """As networkd or NetworkManager do in the kernel's place: the routes have
    the metrics of their own liking, router 1 first."""
    lines = [f"""
        addr add {source(net(n))}/64 dev eth0 noprefixroute
        route add default via {router_ll(n)} dev eth0 proto ra metric {n}00
        route add {net(n)} dev eth0 proto ra metric 1024
    """ for n in site.routers]
    site.a.ip("\n".join(lines))


def advertise(site, daemon):
    site.advert(1).send(pios=[Pio(ONE)])
    site.advert(2).send(pios=[Pio(TWO)])
    site.learned(daemon, 1, ONE)
    site.learned(daemon, 2, TWO)


def has_addresses(site):
    out = site.a.run("ip", "-6", "addr", "show").stdout
    return source(ONE) in out and source(TWO) in out


def each_its_own(site, daemon):
    for number in site.routers:
        assert site.a.leaves_by(B, source(net(number))) == via(number)
        assert site.passes(source(net(number))) == number
    assert site.dropped() == 0
    all_is_well(daemon)


def test_where_the_kernel_takes_no_advertisements(lab, model):
    """accept_ra = 0: it passes nothing on, and the daemon hears for itself."""
    site = Site(lab, accept_ra=0)
    configure_by_hand(site)
    daemon = lab.daemon(site.a, f'model = "{model}";')
    assert site.a.leaves_by(B, source(TWO)) == via(1)
    advertise(site, daemon)
    assert bindings(daemon)["hears"] is True
    each_its_own(site, daemon)
    assert "no raw socket" not in daemon.log()


def test_where_both_tell_it_is_one_binding(lab):
    site = Site(lab)
    daemon = lab.daemon(site.a)
    advertise(site, daemon)
    until(lambda: has_addresses(site))
    each_its_own(site, daemon)
    assert sorted(learned(daemon)) == [(router_ll(1), ONE),
                                       (router_ll(2), TWO)]
    assert daemon.log().count(" advertises prefix=") == 2


def test_without_a_socket_the_kernel_tells(lab, model, no_raw_socket):
    site = Site(lab)
    daemon = lab.daemon(site.a, f'model = "{model}";')
    assert "no raw socket for router advertisements" in daemon.log()
    assert bindings(daemon)["hears"] is False
    advertise(site, daemon)
    until(lambda: has_addresses(site))
    daemon.wait()
    each_its_own(site, daemon)
    # A prefix that ends is told as well, a router that ends is not.
    site.advert(1).send(pios=[Pio(ONE, valid=0)])
    site.unlearned(daemon, 1, ONE)
    all_is_well(daemon)


def test_without_either_any_router_may_serve(lab, model, no_raw_socket):
    site = Site(lab, accept_ra=0)
    configure_by_hand(site)
    daemon = lab.daemon(site.a, f'model = "{model}";')
    site.advert(1).send(pios=[Pio(ONE)])
    site.advert(2).send(pios=[Pio(TWO)])
    daemon.wait()
    assert bindings(daemon) == {"hears": False, "bindings": []}
    for prefix in (ONE, TWO):
        assert site.a.leaves_by(B, source(prefix)) == via(1)
    all_is_well(daemon)


def test_without_a_socket_a_lifetime_is_cut_short(lab, no_raw_socket):
    """The kernel tells of the prefix again, and of the lifetime never. The
    second message comes on the heels of the first."""
    site = Site(lab)
    daemon = lab.daemon(site.a)
    advertise(site, daemon)
    until(lambda: has_addresses(site))
    daemon.wait()
    assert site.a.leaves_by(B, source(ONE)) == via(1)
    site.advert(1).send(lifetime=1, pios=[Pio(ONE)])
    until(lambda: site.a.leaves_by(B, source(ONE)) == via(2), 4)
    all_is_well(daemon)


def test_without_a_socket_a_router_that_ends_claims_nothing(lab, model,
                                                            no_raw_socket):
    """What the kernel tells of then is its default route."""
    site = Site(lab)
    daemon = lab.daemon(site.a, f'model = "{model}";')
    advertise(site, daemon)
    until(lambda: has_addresses(site))
    daemon.wait()
    assert site.a.leaves_by(B, source(ONE)) == via(1)
    site.advert(1).send(lifetime=0, pios=[Pio(ONE)])
    until(lambda: site.a.leaves_by(B, source(ONE)) == via(2), 2)


def test_we_do_not_believe_ourselves(lab, model):
    """A host that advertises on its own link, or somebody in its name."""
    site = Site(lab)
    daemon = lab.daemon(site.a, f'model = "{model}";')
    advertise(site, daemon)
    until(lambda: has_addresses(site))
    for number in site.routers:
        site.learned(daemon, number, net(number))
    before = learned(daemon).keys()
    site.a.ip("addr add fe80::aa/64 dev eth0 nodad")
    daemon.wait()
    # What comes behind it has been heard, and so it was heard, too.
    Advertiser(site.routers[1], "fe80::aa").send(pios=[Pio(ONE), Pio(TWO)])
    site.advert(1).send(pios=[Pio(ONE), Pio(net(3))])
    site.learned(daemon, 1, net(3))
    assert learned(daemon).keys() == before | {(router_ll(1), net(3))}
    each_its_own(site, daemon)


def test_a_host_that_forwards_hears_too(lab):
    """A router of containers takes advertisements with accept_ra = 2 only;
    here it has 1, and somebody else configured it."""
    site = Site(lab)
    site.a.sysctl("ipv6/conf/all/forwarding", 1)
    configure_by_hand(site)
    daemon = lab.daemon(site.a, 'model = "strong";')
    advertise(site, daemon)
    each_its_own(site, daemon)


def test_a_route_information_option(lab):
    """The kernel's message about a new one shows no end, and a read does."""
    site = Site(lab)
    daemon = lab.daemon(site.a)
    advertise(site, daemon)
    until(lambda: has_addresses(site))
    other = "2001:db8:e:1::/64"
    site.advert(2).send(pios=[Pio(TWO)], rios=[Rio(other, lifetime=4)])
    until(lambda: site.a.routes("main", 6) and other in
          "\n".join(site.a.route_lines("main", 6)))
    daemon.wait()
    number = daemon.table("eth0", ONE)
    assert other in "\n".join(site.a.route_lines(number, 6))
    until(lambda: other not in "\n".join(site.a.route_lines(number, 6)), 8)
    all_is_well(daemon)
