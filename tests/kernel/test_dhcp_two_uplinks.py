# SPDX-License-Identifier: GPL-2.0-or-later
"""Two uplinks that configure the host, and the clients of Debian 12 that let
themselves be told: dhcpcd, isc-dhclient, systemd-networkd, NetworkManager."""

import pytest

from lab import until
from lab.clients import CLIENTS, Dhcpcd
from lab.dhcp import CONFIGURED_S, Scene, Site, agrees
from lab.own import own_sources, own_state
from lab.watch import Watch


@pytest.fixture(params=CLIENTS)
def client(request):
    return CLIENTS[request.param]


@pytest.fixture(params=[False, True], ids=["slaac", "stateful"])
def stateful(request):
    """Router advertisements alone, or with addresses (/128) from DHCPv6."""
    return request.param


def test_each_source_leaves_by_the_router_that_gave_it(lab, client, stateful):
    scene = Scene(lab, client, stateful)
    scene.is_right()
    assert scene.site.dropped() == 0
    length = "/128" if stateful else "/64"
    assert all(a.endswith(length) for a in scene.a.addresses(6))
    for link, router in zip(scene.site.links, scene.site.routers):
        for family in (4, 6):
            subnet = scene.daemon.subnet(link, router.prefix[family])
            assert len(subnet["addresses"]) == 1
            assert subnet["default"]["kind"] == "congruent"


def test_a_daemon_that_comes_last_finds_the_same(lab, client, stateful):
    site = Site(lab, stateful)
    client(site).start()
    site.await_defaults()
    daemon = lab.daemon(site.a)
    site.each_source_leaves_by_its_router()
    assert site.dropped() == 0
    agrees(daemon)


def test_a_restart_of_the_daemon_writes_nothing(lab, client, stateful):
    scene = Scene(lab, client, stateful)
    before = own_state(scene.a)
    with scene.site.traffic(), Watch(scene.a) as watch:
        scene.daemon.kill()
        scene.daemon.start()
        assert watch.by(scene.daemon) == []
    assert own_state(scene.a) == before
    scene.is_right()


def test_a_renewal_moves_nothing(lab, client, stateful):
    """Leases are renewed and routers advertise, again and again."""
    scene = Scene(lab, client, stateful)
    before, ops = own_state(scene.a), scene.daemon.status()["ops"]
    with scene.site.traffic(), Watch(scene.a) as watch:
        if client is Dhcpcd:
            scene.client.renew()
        scene.site.renewed(times=2)
        scene.daemon.wait()
        assert watch.by(scene.daemon) == []
    assert scene.daemon.status()["ops"] == ops
    assert own_state(scene.a) == before
    scene.is_right()


def congruent_links(daemon):
    return {s["link"] for s in daemon.status()["subnets"]
            if s["default"]["kind"] == "congruent"}


def test_a_router_goes_and_returns(lab, client, stateful):
    scene = Scene(lab, client, stateful)
    site, lost, kept = scene.site, *scene.site.routers
    with site.traffic(of=kept):
        lost.lose_power()
        until(lambda: congruent_links(scene.daemon) == {"eth1"})
        agrees(scene.daemon)
    site.each_source_leaves_by_its_router(of=kept)
    with site.traffic(of=kept):
        lost.return_power()
        site.await_defaults()
        # The kernel may take a second to say that there is carrier.
        until(lambda: congruent_links(scene.daemon) == {"eth0", "eth1"}, 5)
    scene.is_right()


def test_a_restart_of_the_client_moves_nothing_that_it_keeps(lab, client,
                                                             stateful):
    scene = Scene(lab, client, stateful)
    with scene.site.traffic(families=scene.client.keeps()):
        scene.client.stop()
        agrees(scene.daemon)
        scene.client.start()
        scene.site.await_defaults()
        scene.site.renewed(times=1)
    scene.is_right()


def test_after_a_release_nothing_is_left(lab, client, stateful):
    """Nothing of IPv4, and nothing of DHCPv6."""
    scene = Scene(lab, client, stateful)
    scene.client.release()
    families = (4, 6) if stateful else (4,)
    for family in families:
        until(lambda: not scene.a.addresses(family), CONFIGURED_S,
              what=f"no IPv{family} address is left")
    agrees(scene.daemon)
    assert all(own_sources(scene.a, family) == {} for family in families)
