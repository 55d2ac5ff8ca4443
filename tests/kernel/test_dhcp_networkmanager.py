# SPDX-License-Identifier: GPL-2.0-or-later
"""What only NetworkManager does: it makes MPTCP endpoints of its own, keeps
default routes away if told so, and activates connections anew on demand."""

import json
import pathlib
import re
import time

import pytest

from lab import until
from lab.clients import NetworkManager
from lab.dhcp import Scene, Site, agrees
from lab.mptcp import endpoints
from lab.own import own_state
from lab.patient import finding, findings, mend
from lab.watch import Watch

DROP_IN = pathlib.Path(__file__).parents[2] / "systemd/networkmanager.conf"
NO_DEFAULT = {"eth1": "[ipv4]\nnever-default=true\n"
                      "[ipv6]\nnever-default=true\n"}


@pytest.fixture
def before_us(lab):
    """(site, client): configured, with an endpoint for each address; no daemon
    yet."""
    site = Site(lab)
    client = NetworkManager(site)
    client.start()
    site.await_defaults()
    until(lambda: len(endpoints(site.a)) == 4, 10, what="its endpoints")
    return site, client


def owners(daemon):
    return {e["address"]: "ours" if e["ours"] else "others"
            for e in json.loads(daemon.ctl("--json", "mptcp").stdout)
            ["endpoints"]}


def test_its_endpoints_are_left_alone(lab, before_us):
    site, _ = before_us
    before = endpoints(site.a)
    daemon = lab.daemon(site.a)
    daemon.wait()
    assert endpoints(site.a) == before
    assert set(owners(daemon).values()) == {"others"}
    found = finding(daemon, "mptcp-endpoints")
    assert found["severity"] == "warning"
    assert "NetworkManager" in found["what"] and "3 more" in found["what"]


def test_what_doctor_says_makes_them_ours_for_good(lab, before_us):
    site, client = before_us
    daemon = lab.daemon(site.a)
    def shell(command):
        if command == "systemctl restart NetworkManager":
            client.stop()
            client.start()
            site.await_defaults()
        else:
            site.a.command("sh", "-ec", command)
    mend(daemon, finding(daemon, "mptcp-endpoints"), shell)
    until(lambda: list(owners(daemon).values()) == ["ours"] * 4, 5)
    # A lease and a link begin again.
    site.renewed(times=1)
    client.nmcli("connection", "up", "eth0")
    site.await_defaults()
    until(lambda: list(owners(daemon).values()) == ["ours"] * 4, 10)
    assert findings(daemon, "mptcp-endpoints") == []
    site.each_source_leaves_by_its_router()


def test_with_the_drop_in_that_is_installed_it_makes_none(lab):
    def make(site):
        with open(DROP_IN, encoding="utf-8") as file:
            site.a.write("/etc/NetworkManager/conf.d/multihomed.conf",
                         file.read())
        return NetworkManager(site)
    scene = Scene(lab, make)
    until(lambda: list(owners(scene.daemon).values()) == ["ours"] * 4, 5)
    scene.client.nmcli("connection", "up", "eth1")
    scene.site.await_defaults()
    until(lambda: list(owners(scene.daemon).values()) == ["ours"] * 4, 5)
    scene.is_right()


def test_who_is_faster_makes_the_endpoint(lab):
    """Connections are activated anew; whose they are then, nobody minds."""
    scene = Scene(lab, NetworkManager)
    for _ in range(3):
        scene.client.nmcli("connection", "up", "eth1")
        scene.site.await_defaults()
        scene.daemon.wait()
        until(lambda: len(endpoints(scene.a)) == 4, 10)
    assert "warning: mptcp" not in scene.daemon.log()
    scene.is_right()


def test_a_reload_and_a_reapply_move_nothing(lab):
    scene = Scene(lab, NetworkManager)
    before = own_state(scene.a)
    with scene.site.traffic(), Watch(scene.a) as watch:
        scene.client.nmcli("connection", "reload")
        scene.client.nmcli("general", "reload")
        for link in scene.site.links:
            scene.client.nmcli("device", "reapply", link)
        scene.site.renewed(times=1)
        scene.daemon.wait()
        assert watch.by(scene.daemon) == []
    assert own_state(scene.a) == before
    scene.is_right()


def test_one_connection_activated_anew_leaves_the_other_alone(lab):
    scene = Scene(lab, NetworkManager)
    other = scene.site.routers[1]
    with scene.site.traffic(of=other):
        scene.client.nmcli("connection", "up", "eth0")
        scene.site.await_defaults()
        scene.daemon.wait()
    scene.is_right()


def test_networking_off_and_on(lab):
    scene = Scene(lab, NetworkManager)
    scene.client.nmcli("networking", "off")
    until(lambda: not scene.a.addresses(4) and not scene.a.addresses(6), 10)
    agrees(scene.daemon)
    assert not any(s["managed"] for s in scene.daemon.status()["subnets"])
    scene.client.nmcli("networking", "on")
    scene.site.await_defaults()
    scene.is_right()


def test_a_cable_may_be_out_for_longer_if_it_is_told_so(lab):
    """docs/clients.md; without, the addresses go after 6 seconds."""
    def make(site):
        site.a.write("/etc/NetworkManager/conf.d/multihomed.conf",
                     "[device-multihomed]\nignore-carrier=yes\n")
        return NetworkManager(site)
    scene = Scene(lab, make)
    before, lost = scene.site.sources(4), scene.site.routers[0]
    lost.lose_power()
    time.sleep(8)
    assert scene.site.sources(4) == before
    assert scene.daemon.subnet("eth0", "10.1.0.0/24")["default"]["kind"] != \
        "congruent"
    lost.return_power()
    until(lambda: scene.daemon.subnet("eth0", "10.1.0.0/24")["default"]
          ["kind"] == "congruent", 10)
    scene.is_right()


def managed_after(watch, link, prefix):
    """How many seconds after main's default route on that link its rule came
    back; negative if before it, 0 if it never went."""
    events = watch.events()
    rules = [e for e in events if e.kind == "NEWRULE" and e.prefix == prefix]
    if not rules:
        return 0
    default = [e for e in events if e.kind == "NEWROUTE" and e.table == 254
               and e.prefix == "::/0" and e.ifindex == link]
    return rules[-1].time - default[-1].time


def test_another_metric_is_followed(lab):
    """For it NetworkManager turns the link's IPv6 off and on: addresses and
    default route go, and are back some milliseconds later. Packets of that
    subnet cannot be kept meanwhile; all others are, and its rule is there as
    soon as they are."""
    scene = Scene(lab, NetworkManager)
    first, second = scene.site.routers

    def metric():
        return scene.daemon.subnet("eth0", first.prefix[4])["default"]["metric"]
    with scene.site.traffic(of=first, families=(4,)), \
            scene.site.traffic(of=second), Watch(scene.a) as watch:
        scene.client.nmcli("device", "modify", "eth0", "ipv4.route-metric",
                           "700")
        until(lambda: metric() == 700, 5)
        scene.daemon.wait()
        until(lambda: scene.daemon.subnet("eth0", first.prefix[6])["managed"],
              5)
        assert managed_after(watch, scene.a.ifindex("eth0"),
                             first.prefix[6]) < 1
    scene.is_right()


def test_a_link_that_is_to_have_no_default_and_doctor_mends_it(lab):
    """"Use this connection only for resources on its network": main gets no
    default route, but the lease has told of the router."""
    site = Site(lab)
    daemon = lab.daemon(site.a)
    NetworkManager(site, NO_DEFAULT).start()
    site.await_sources(*site.routers)
    site.await_sources(*site.routers, family=6)
    site.await_defaults(site.routers[0])
    daemon.wait()
    assert not daemon.subnet("eth1", "10.2.0.0/24")["managed"]
    found = findings(daemon, "no-default")
    assert [f["subject"] for f in found] == ["eth1", "eth1"]
    four, = [f for f in found if "10.2.0.0/24" in f["what"]]
    assert "/run/NetworkManager/devices/" in four["what"]
    entries = [re.search(r"\{.*?\}", f["fix"][0])[0] for f in found]
    daemon.reload(f"routes = ( {', '.join(entries)} );")
    assert findings(daemon, "no-default") == []
    dropped = site.dropped()
    site.each_source_leaves_by_its_router()
    assert site.dropped() == dropped
    agrees(daemon)
