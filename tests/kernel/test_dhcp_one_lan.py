# SPDX-License-Identifier: GPL-2.0-or-later
"""Two routers on one LAN, each with a prefix of its own (RFC 8028)."""

import pytest

from lab import until
from lab.clients import Dhclient, Dhcpcd, NetworkManager, Networkd
from lab.dhcp import CONFIGURED_S, Site, agrees
from lab.patient import findings, mend


def configured(lab, client, stateful=False):
    site = Site(lab, stateful, on_one_lan=True)
    daemon = lab.daemon(site.a)
    client(site).start()
    if stateful:
        until(lambda: site.sources(6), CONFIGURED_S, what="an IPv6 address")
    else:
        site.await_sources(*site.routers, family=6)
    until(lambda: site.sources(4), CONFIGURED_S, what="an IPv4 address")
    return site, daemon


def one_is_right(site, daemon, family=4):
    """One server's offer was taken, and its router is used."""
    (source, router), = site.sources(family).items()
    hop = (router.gateway(family), "eth0")
    until(lambda: hop in site.a.gateways(family), CONFIGURED_S)
    daemon.wait()
    site.leaves_by_its_router(source, router)


BOTH_DEFAULTS = pytest.mark.parametrize(
    "client", [Dhclient, Networkd, NetworkManager],
    ids=["dhclient", "networkd", "NetworkManager"])


@BOTH_DEFAULTS
def test_each_prefix_uses_the_router_that_advertised_it(lab, client):
    site, daemon = configured(lab, client)
    site.await_defaults(families=(6,))
    site.renewed(times=1)
    agrees(daemon)
    site.each_source_leaves_by_its_router(families=(6,))
    one_is_right(site, daemon)
    with site.traffic():
        site.renewed(times=1)
    assert site.dropped() == 0


@BOTH_DEFAULTS
def test_an_address_of_dhcpv6_uses_the_router_that_gave_it(lab, client):
    """Main has the defaults of both routers."""
    site, daemon = configured(lab, client, stateful=True)
    for router in site.routers:
        hop = (router.gateway(6), "eth0")
        until(lambda: hop in site.a.gateways(6), CONFIGURED_S)
    one_is_right(site, daemon, family=6)
    with site.traffic():
        site.renewed(times=1)
    assert site.dropped() == 0
    agrees(daemon)


def test_dhcpcd_takes_the_default_of_one_router_and_doctor_mends_it(lab):
    site, daemon = configured(lab, Dhcpcd)
    site.renewed(times=1)
    agrees(daemon)
    (gateway, _), = site.a.gateways(6)
    present, = [r for r in site.routers if r.gateway(6) == gateway]
    missing, = set(site.routers) - {present}
    site.each_source_leaves_by_its_router(families=(6,), of=present)
    assert not daemon.subnet("eth0", missing.prefix[6])["managed"]

    finding, = findings(daemon, "no-default")
    assert missing.gateway(6) in finding["what"]
    mend(daemon, finding)
    assert findings(daemon, "no-default") == []
    dropped = site.dropped()
    site.each_source_leaves_by_its_router(families=(6,))
    one_is_right(site, daemon)
    assert site.dropped() == dropped
    agrees(daemon)
