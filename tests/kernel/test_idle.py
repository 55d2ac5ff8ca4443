# SPDX-License-Identifier: GPL-2.0-or-later
"""When nothing happens, the daemon does not run: not once."""

import time

import pytest

from lab import V4, V6, tcp_open, tcp_works, udp_send, until

SECONDS = 5
SOLICITING_S = 8.5  # routers are asked three times, four seconds apart
TIMERS = {"base_reachable_time_ms": 100, "delay_first_probe_time": 0,
          "interval_probe_time_ms": 100, "retrans_time_ms": 50}


def gateways_answer(a):
    """Their entries are resolved: nothing is left to be learned."""
    out = a.run("ip", "neigh", "show").stdout
    return out and not any(word in out for word in ("INCOMPLETE", "FAILED"))


def stays_asleep(daemon):
    time.sleep(SOLICITING_S)
    before = daemon.switches()
    assert before > 0
    # This is what is tested: that time passes and nothing else.
    time.sleep(SECONDS)
    return daemon.switches() - before


@pytest.mark.slow
def test_no_wake_up_with_live_gateways(figure):
    a = figure.a
    daemon = figure.start()
    for family in (V4, V6):
        for source in (family.a1, family.a2):
            assert a.ping(family.b, source) == 3
    until(lambda: gateways_answer(a))
    daemon.wait()
    assert stays_asleep(daemon) == 0


@pytest.mark.slow
def test_no_wake_up_by_neighbours_that_come_and_go(figure):
    """The gateways' entries change state all the time, from reachable to
    stale to probe and back, and none of it concerns us."""
    a = figure.a
    for number in (4, 6):
        for link in ("eth0", "eth1"):
            for key, value in TIMERS.items():
                a.sysctl(f"ipv{number}/neigh/{link}/{key}", value)
    daemon = figure.start()
    until(lambda: gateways_answer(a))
    daemon.wait()
    assert stays_asleep(daemon) == 0


@pytest.mark.slow
def test_no_wake_up_by_traffic(figure):
    """Nor by the neighbours that traffic makes."""
    a = figure.a
    daemon = figure.start()
    until(lambda: gateways_answer(a))
    daemon.wait()
    before = daemon.switches()
    for family, net in ((V4, "10.1.0"), (V6, "2001:db8:1:")):
        for i in range(20, 40):
            a.ping(family.b, family.a2, count=1)
            udp_send(a, f"{net}.{i}" if family is V4 else f"{net}:{i}")
    assert daemon.switches() - before == 0


@pytest.mark.slow
def test_no_wake_up_by_ends_of_other_connections(figure):
    """There is a pin, so ends are listened to: those from its subnet."""
    a = figure.a
    daemon = figure.start("settle_ms = 0;")
    with tcp_open(a, figure.b, V4.b, V4.a1):
        a.ip(f"route add {V4.b}/32 via 10.2.0.1 dev eth1")
        daemon.wait()
        assert daemon.status()["pins"]["path"] == 1
        until(lambda: gateways_answer(a))
        before = daemon.switches()
        for _ in range(100):
            assert tcp_works(a, a, V4.a2, V4.a2)
        # 60 and more without a filter; a count of the pin's flows, and what is
        # left over from the change, may fall into that time.
        assert daemon.switches() - before < 10
        before = daemon.switches()
        assert tcp_works(a, a, V4.a2, V4.a1)
        until(lambda: daemon.switches() > before)
    until(lambda: daemon.status()["pins"]["path"] == 0)


@pytest.mark.slow
def test_the_count_sees_one_event(figure):
    daemon = figure.start()
    before = daemon.switches()
    figure.a.ip("route add 198.51.100.0/24 via 10.1.0.1")
    until(lambda: daemon.switches() > before)
