# SPDX-License-Identifier: GPL-2.0-or-later
"""When nothing happens, the daemon does not run: not once."""

import time

import pytest

from lab import V4, V6, tcp_open, tcp_works, udp_send, until

SECONDS = 5
SOLICITING_S = 8.5  # routers are asked three times, four seconds apart
TIMERS = {"base_reachable_time_ms": 100, "delay_first_probe_time": 0,
          "interval_probe_time_ms": 100, "retrans_time_ms": 50}


def switches(daemon):
    """How often it went to sleep or was put aside, over all threads."""
    total = 0
    base = f"/proc/{daemon.process.pid}/status"
    with open(base, encoding="ascii") as file:
        for line in file:
            if "ctxt_switches" in line:
                total += int(line.split()[1])
    return total


def gateways_answer(a):
    """Their entries are resolved: nothing is left to be learned."""
    out = a.run("ip", "neigh", "show").stdout
    return out and not any(word in out for word in ("INCOMPLETE", "FAILED"))


def stays_asleep(daemon):
    time.sleep(SOLICITING_S)
    before = switches(daemon)
    assert before > 0
    # This is what is tested: that time passes and nothing else.
    time.sleep(SECONDS)
    return switches(daemon) - before


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
    before = switches(daemon)
    for family, net in ((V4, "10.1.0"), (V6, "2001:db8:1:")):
        for i in range(20, 40):
            a.ping(family.b, family.a2, count=1)
            udp_send(a, f"{net}.{i}" if family is V4 else f"{net}:{i}")
    assert switches(daemon) - before == 0


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
        before = switches(daemon)
        for _ in range(100):
            assert tcp_works(a, a, V4.a2, V4.a2)
        # 60 and more without a filter; a count of the pin's flows, and what is
        # left over from the change, may fall into that time.
        assert switches(daemon) - before < 10
        before = switches(daemon)
        assert tcp_works(a, a, V4.a2, V4.a1)
        until(lambda: switches(daemon) > before)
    until(lambda: daemon.status()["pins"]["path"] == 0)


@pytest.mark.slow
def test_the_count_sees_one_event(figure):
    daemon = figure.start()
    before = switches(daemon)
    figure.a.ip("route add 198.51.100.0/24 via 10.1.0.1")
    until(lambda: switches(daemon) > before)
