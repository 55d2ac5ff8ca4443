# SPDX-License-Identifier: GPL-2.0-or-later
"""`last_change` of Status: what was written last, and what led to it."""

import time

import pytest

from lab import until
from lab.dead import die, hurry


def told(daemon):
    daemon.wait()
    return daemon.status()["last_change"]["what"]


def test_the_start(figure):
    what = told(figure.start())
    assert what.startswith("the daemon started: 12 routes, 5 rules and 4 "
                           "neighbour entries written; 10.1.0.0/24 on eth0 is "
                           "managed now, table 7100, congruent; ")
    assert what.endswith("; and 1 more")


def test_a_restart_that_changes_nothing_has_no_last_change(figure):
    daemon = figure.start()
    daemon.leave()
    daemon.start()
    assert "last_change" not in daemon.status()
    assert daemon.status()["uptime"] < 10


def test_carrier_loss_and_return(figure):
    daemon = figure.start()
    figure.r2.ip("link set lan down")
    until(lambda: "lost its carrier" in told(daemon))
    assert told(daemon) == (
        "eth1 lost its carrier: 2 routes written; "
        "10.2.0.0/24 on eth1 is weak now; "
        "2001:db8:2::/64 on eth1 is weak now")
    figure.r2.ip("link set lan up")
    until(lambda: "has carrier again" in told(daemon))
    assert "10.2.0.0/24 on eth1 is congruent now" in told(daemon)


def test_a_link_that_goes_down_comes_before_what_goes_with_it(figure):
    daemon = figure.start()
    figure.a.ip("link set eth1 down")
    assert told(daemon).startswith("eth1 went down: ")


def test_a_link_that_is_deleted(figure):
    daemon = figure.start()
    figure.a.ip("link del eth1")
    assert told(daemon).startswith("eth1 ")
    assert "10.2.0.0/24 on eth1 is no longer managed" in told(daemon)


def test_one_route(figure, family):
    daemon = figure.start()
    figure.a.ip(f"route add {family.other} {family.via2}")
    gateway = family.gw2
    assert told(daemon) == (f"the route {family.other} via {gateway} on eth1 "
                            "was added: 2 routes written")


def test_after_the_settle_time_it_still_knows_why(figure, family):
    figure.a.ip(f"route add {family.other} {family.via2}")
    daemon = figure.start("settle_ms = 50;")
    figure.a.ip(f"route del {family.other} {family.via2}")
    until(lambda: told(daemon) == (
        f"the route {family.other} via {family.gw2} on eth1 was removed: "
        "2 routes removed"))


def test_many_routes_are_counted(figure):
    daemon = figure.start()
    daemon.freeze()
    figure.a.ip("\n".join(f"route add 100.64.0.{i}/32 via 10.2.0.1"
                          for i in range(50)))
    daemon.thaw()
    assert told(daemon) == (
        "the route 100.64.0.0/32 via 10.2.0.1 on eth1 was added (and 49 more "
        "changes of routes): 100 routes written")


def test_what_changes_nothing_is_no_change(figure):
    daemon = figure.start()
    before = daemon.status()["last_change"]
    figure.lab.bridge(figure.a, "lan0")
    daemon.wait()
    after = daemon.status()["last_change"]
    assert after["what"] == before["what"]
    assert after["time"] == pytest.approx(before["time"], abs=0.1)
    assert after["seconds_ago"] >= before["seconds_ago"]


def test_its_time(figure):
    daemon = figure.start()
    before = time.time()
    figure.a.ip("route add 198.51.100.0/24 via 10.2.0.1")
    daemon.wait()
    change = daemon.status()["last_change"]
    assert before - 0.1 < change["time"] < time.time() + 0.1
    assert 0 <= change["seconds_ago"] < 5


def test_meddling(figure):
    daemon = figure.start()
    figure.a.ip("rule del pref 7109 from 10.1.0.0/24")
    until(lambda: told(daemon).startswith(
        "our rule for 10.1.0.0/24 was removed by another program (port "))
    assert told(daemon).endswith(": 1 rule written")


def test_a_dead_router(figure):
    """An answer that does not come is noticed by the kernel's own timers."""
    a, r2 = figure.a, figure.r2
    hurry(a)
    daemon = figure.start()
    die(r2)
    until(lambda: (a.ping("203.0.113.9", "10.2.0.2", 1, 0.1),
                   "does not answer" in told(daemon))[1], 12)
    assert "on eth1 does not answer" in told(daemon)
    assert "/24 on eth1 is weak now" in told(daemon) or \
        "/64 on eth1 is weak now" in told(daemon)


def test_a_reload(figure):
    daemon = figure.start()
    daemon.reload('model = "strong";')
    assert told(daemon) == (
        "the configuration was read again: 8 routes written; "
        "10.1.0.0/24 on eth0 is in the strong model now; "
        "10.2.0.0/24 on eth1 is in the strong model now; "
        "2001:db8:1::/64 on eth0 is in the strong model now; and 1 more")
