# SPDX-License-Identifier: GPL-2.0-or-later
"""What only systemd-networkd does: it deletes what others made, and it takes
its own with it when it stops."""

import pytest

from lab import until
from lab.clients import Networkd
from lab.dhcp import Scene
from lab.own import own_state
from lab.watch import Watch


def expecting(drop_in=True):
    """networkd with a file for a link that is not there yet."""
    def make(site):
        client = Networkd(site, drop_in)
        client.manage("new0", "Address=192.0.2.7/24")
        return client
    return make


def new_link(scene):
    """As an adapter that is plugged in; networkd configures it."""
    scene.a.ip("""
        link add new0 type veth peer name new1
        link set new1 up
    """)
    until(lambda: scene.a.addresses(4, "new0"), 5, what="new0 is configured")


@pytest.mark.no_sandbox("other users' processes are hidden: networkd is found "
                        "by its control group, tests/vm")
def test_without_the_drop_in_it_deletes_and_the_daemon_repairs(lab):
    scene = Scene(lab, expecting(drop_in=False))
    before = own_state(scene.a)
    with Watch(scene.a) as watch:
        new_link(scene)
        gone = watch.wait_for(lambda e: e.kind == "DELRULE"
                              and e.protocol == 109, 5)
        assert gone.pid != scene.daemon.process.pid
        back = watch.wait_for(lambda e: e.kind == "NEWRULE"
                              and e.time >= gone.time, 5)
        assert back.time - gone.time < 0.5
    scene.daemon.wait()
    until(lambda: own_state(scene.a)["rules4"] == before["rules4"]
          and own_state(scene.a)["rules6"] == before["rules6"], 5)
    scene.is_right()
    assert "networkd-rules" in scene.daemon.ctl("doctor", check=False).stdout


def test_with_the_drop_in_nothing_is_deleted(lab):
    scene = Scene(lab, expecting())
    with scene.site.traffic(), Watch(scene.a) as watch:
        new_link(scene)
        scene.daemon.wait()
        assert watch.lost_rules() == []
    scene.is_right()
    assert "networkd" not in scene.daemon.ctl("doctor", check=False).stdout


def test_what_it_keeps_over_a_restart_stays_where_it_is(lab):
    """KeepConfiguration=dhcp-on-stop: not one change is written."""
    scene = Scene(lab, lambda site: Networkd(site, keep="dhcp-on-stop"))
    with scene.site.traffic(), Watch(scene.a) as watch:
        scene.client.stop()
        scene.daemon.wait()
        scene.client.start()
        scene.site.renewed(times=1)
        scene.daemon.wait()
        assert watch.by(scene.daemon) == []
    scene.is_right()
