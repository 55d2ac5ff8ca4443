# SPDX-License-Identifier: GPL-2.0-or-later
"""Running flows keep their path, and so their NAT (draft section 4.1).

A transfer runs through NAT 1 while table main is changed under it. Packets are
counted at both routers: with none of its own at NAT 2, it goes on."""

from types import SimpleNamespace

import pytest
from lab import until
from lab.crowd import SOURCE, Asker, Holders, moved, network
from lab.nats import PATHS, Nats
from lab.traffic import tcp_open, tcp_works

AT_ONCE = "settle_ms = 0; "


@pytest.fixture
def nats(lab):
    return Nats(lab)


@pytest.fixture(params=[4, 6], ids=["ipv4", "ipv6"])
def path(request):
    return SimpleNamespace(family=request.param, **PATHS[request.param])


def stays(nats, path, transfer, change, daemon):
    """The change moves no packet of the transfer, which goes on."""
    before = nats.through(nats.r2, path.a1)
    nats.a.ip(change)
    daemon.wait()
    until(transfer.goes_on(), 10)
    assert nats.through(nats.r2, path.a1) == before
    return transfer


# What makes another path the better one for a1, and where new flows go then.
CHANGES = {
    "longer": "route add {near} {via2}",
    "host": "route add {b}/{full} {via2}",
    "better": "route add default {other} metric 50",
    "halves": "route add {half1} {via2}\nroute add {half2} {via2}",
}
HALVES = {4: ("0.0.0.0/1", "128.0.0.0/1"), 6: ("::/1", "8000::/1")}


@pytest.mark.parametrize("change", CHANGES)
def test_a_transfer_stays_while_main_changes(nats, path, change):
    daemon = nats.start(AT_ONCE)
    transfer = nats.transfer(path.a1, path.b)
    until(transfer.goes_on(), 10)
    half1, half2 = HALVES[path.family]
    line = CHANGES[change].format(**vars(path), half1=half1, half2=half2)
    stays(nats, path, transfer, line, daemon)
    # And back again.
    stays(nats, path, transfer, line.replace("add", "del"), daemon)
    transfer.end()
    assert daemon.ctl("verify").returncode == 0


@pytest.mark.parametrize("members", ["{via2}", "group 2"],
                         ids=["object", "group"])
def test_a_transfer_stays_while_a_nexthop_object_is_replaced(nats, path,
                                                             members):
    """As FRR does; a copy that named the object would move with it."""
    first = "{via1}" if members == "{via2}" else "group 1/2"
    nats.a.ip(f"""
        nexthop add id 1 {path.via1}
        nexthop add id 2 {path.via2}
        nexthop add id 3 {first.format(**vars(path))}
        route add {path.near} nhid 3
    """)
    daemon = nats.start(AT_ONCE)
    transfer = nats.transfer(path.a1, path.b)
    until(transfer.goes_on(), 10)
    stays(nats, path, transfer,
          f"nexthop replace id 3 {members.format(**vars(path))}", daemon)
    assert nats.a.leaves_by(path.b2, path.a1) == path.via2
    transfer.end()
    assert daemon.ctl("verify").returncode == 0


def test_new_connections_take_the_new_route_at_once(nats, path):
    daemon = nats.start(AT_ONCE)
    transfer = nats.transfer(path.a1, path.b)
    stays(nats, path, transfer, f"route add {path.near} {path.via2}", daemon)
    # To another destination of the same prefix; to b itself they share the pin.
    with tcp_open(nats.a, nats.b, path.b2, path.a1) as connection:
        connection.exchange()
    assert nats.through(nats.r2, path.a1) > 0
    before = nats.through(nats.r2, path.a1)
    with tcp_open(nats.a, nats.b, path.b, path.a1) as connection:
        connection.exchange()
    assert nats.through(nats.r2, path.a1) == before
    transfer.end()


def test_a_flow_on_the_weak_path_stays_when_the_better_one_returns(nats, path):
    nats.a.ip(f"route del default {path.via1} metric 100")
    daemon = nats.start(AT_ONCE + 'interfaces = '
                        '( { match = "eth0"; manage = "always"; } );')
    transfer = nats.transfer(path.a1, path.b)
    until(transfer.goes_on(), 10)
    before = nats.through(nats.r1, path.a1)
    nats.a.ip(f"route add default {path.via1} metric 100")
    daemon.wait()
    until(transfer.goes_on(), 10)
    assert nats.through(nats.r1, path.a1) == before
    assert nats.a.leaves_by(path.b2, path.a1) == path.via1
    transfer.end()


def test_a_path_that_goes_and_returns_within_the_hold(nats, path):
    daemon = nats.start(AT_ONCE)
    transfer = nats.transfer(path.a1, path.b)
    until(transfer.goes_on(), 10)
    nats.a.ip(f"route del default {path.via1} metric 100")
    daemon.wait()
    assert nats.a.leaves_by(path.b, path.a1) == "EHOSTUNREACH"
    assert nats.a.connect_error(path.b, path.a1) == "EHOSTUNREACH"
    # Others take the other way at once.
    assert nats.a.leaves_by(path.b2, path.a1) == path.via2
    nats.a.ip(f"route add default {path.via1} metric 100")
    daemon.wait()
    until(transfer.goes_on(), 5)
    assert nats.through(nats.r2, path.a1) == 0
    transfer.end()


def test_after_the_hold_new_connections_work(nats, path):
    daemon = nats.start(AT_ONCE + "pinning = { hold_ms = 1500; };")
    connection = tcp_open(nats.a, nats.b, path.b, path.a1)
    nats.a.ip(f"route del default {path.via1} metric 100")
    daemon.wait()
    assert nats.a.leaves_by(path.b, path.a1) == "EHOSTUNREACH"
    until(lambda: nats.a.leaves_by(path.b, path.a1) == path.via2)
    assert tcp_works(nats.a, nats.b, path.b, path.a1)
    # The displaced one goes home when its path is back.
    nats.a.ip(f"route add default {path.via1} metric 100")
    daemon.wait()
    assert nats.a.leaves_by(path.b, path.a1) == path.via1
    connection.exchange()
    connection.close()


def test_a_carrier_that_goes_and_returns(nats, path):
    daemon = nats.start()
    transfer = nats.transfer(path.a1, path.b)
    until(transfer.goes_on(), 10)
    nats.r1.ip("link set lan down")
    until(lambda: nats.a.leaves_by(path.b, path.a1) == "EHOSTUNREACH", 3)
    nats.r1.ip("""
        link set lan up
        addr replace 2001:db8:1::1/64 dev lan
        addr replace fe80::1/64 dev lan
    """)
    until(lambda: nats.a.leaves_by(path.b, path.a1) == path.via1, 5)
    until(transfer.goes_on(), 10)
    assert nats.through(nats.r2, path.a1) == 0
    transfer.end()
    daemon.wait()


def test_flows_of_before_the_start_stay(nats, path):
    """a2's flows leave by r1 where main alone decides; NAT 1 lets them."""
    transfer = nats.transfer(path.a2, path.b)
    until(transfer.goes_on(), 10)
    assert nats.through(nats.r1, path.a2) > 0
    daemon = nats.start()
    until(transfer.goes_on(), 10)
    assert nats.through(nats.r2, path.a2) == 0
    assert nats.a.leaves_by(path.b2, path.a2) == path.via2
    transfer.end()
    # What it leaves behind goes with it.
    until(lambda: nats.a.leaves_by(path.b, path.a2) == path.via2)
    daemon.wait()


@pytest.mark.parametrize("end", ["leave", "kill"])
def test_a_restart_moves_no_flow(nats, path, end):
    daemon = nats.start(AT_ONCE)
    transfer = nats.transfer(path.a1, path.b)
    stays(nats, path, transfer, f"route add {path.near} {path.via2}", daemon)
    getattr(daemon, end)()
    daemon.start()
    until(transfer.goes_on(), 10)
    assert nats.through(nats.r2, path.a1) == 0
    assert nats.a.leaves_by(path.b, path.a1) == path.via1
    transfer.end()
    until(lambda: nats.a.leaves_by(path.b, path.a1) == path.via2)


@pytest.mark.parametrize("end", ["leave", "kill"])
def test_a_restart_in_a_hold_waits_on(nats, path, end):
    daemon = nats.start(AT_ONCE + "pinning = { hold_ms = 20000; };")
    transfer = nats.transfer(path.a1, path.b)
    until(transfer.goes_on(), 10)
    nats.a.ip(f"route del default {path.via1} metric 100")
    daemon.wait()
    getattr(daemon, end)()
    daemon.start()
    assert nats.a.leaves_by(path.b, path.a1) == "EHOSTUNREACH"
    nats.a.ip(f"route add default {path.via1} metric 100")
    daemon.wait()
    until(transfer.goes_on(), 5)
    assert nats.through(nats.r2, path.a1) == 0
    transfer.end()


def test_displaced_flows_are_known_after_a_restart_without_holds_too(nats,
                                                                     path):
    daemon = nats.start(AT_ONCE + "pinning = { hold_ms = 0; };")
    connection = tcp_open(nats.a, nats.b, path.b, path.a1)
    nats.a.ip(f"route del default {path.via1} metric 100")
    until(lambda: daemon.status()["pins"]["away"] == 1)
    daemon.leave()
    daemon.start()
    assert daemon.status()["pins"]["away"] == 1
    nats.a.ip(f"route add default {path.via1} metric 100")
    daemon.wait()
    assert nats.a.leaves_by(path.b, path.a1) == path.via1
    connection.exchange()
    connection.close()


def test_plan_knows_of_pins(nats, path):
    """What --plan prints is what a start would do: nothing."""
    daemon = nats.start(AT_ONCE)
    transfer = nats.transfer(path.a1, path.b)
    stays(nats, path, transfer, f"route add {path.near} {path.via2}", daemon)
    assert not [line for line in daemon.plan().splitlines()
                if " route " in line]
    transfer.end()


def test_sigterm_leaves_nothing(nats, path):
    daemon = nats.start(AT_ONCE)
    transfer = nats.transfer(path.a1, path.b)
    stays(nats, path, transfer, f"route add {path.near} {path.via2}", daemon)
    daemon.terminate()
    assert not [line for line in nats.a.route_lines("all", path.family)
                if "proto 109" in line]
    transfer._ended.set()


def test_off_moves_flows_with_the_route(nats, path):
    daemon = nats.start(AT_ONCE + 'pinning = { scope = "off"; };')
    connection = tcp_open(nats.a, nats.b, path.b, path.a1)
    nats.a.ip(f"route add {path.near} {path.via2}")
    daemon.wait()
    assert nats.a.leaves_by(path.b, path.a1) == path.via2
    connection.close()


LET_GO = {
    "off": lambda daemon: daemon.reload(
        AT_ONCE + 'pinning = { scope = "off"; };'),
    "unpin": lambda daemon: daemon.ctl("unpin"),
}


@pytest.mark.parametrize("hold_ms", [1500, 20000])
@pytest.mark.parametrize("how", LET_GO)
def test_flows_that_were_let_go_are_not_called_home_after_a_restart(
        nats, path, how, hold_ms):
    config = AT_ONCE + f"pinning = {{ hold_ms = {hold_ms}; }};"
    daemon = nats.start(config)
    connection = tcp_open(nats.a, nats.b, path.b, path.a1)
    nats.a.ip(f"route del default {path.via1} metric 100")
    daemon.wait()
    assert nats.a.leaves_by(path.b, path.a1) == "EHOSTUNREACH"
    if hold_ms < 10000:
        until(lambda: daemon.status()["pins"]["away"] == 1)
    LET_GO[how](daemon)
    until(lambda: nats.a.leaves_by(path.b, path.a1) == path.via2)
    daemon.wait()
    daemon.set_config(config)
    daemon.leave()
    daemon.start()
    pins = daemon.status()["pins"]
    assert pins["hold"] == pins["away"] == 0
    assert nats.a.leaves_by(path.b, path.a1) == path.via2
    connection.close()


@pytest.mark.slow
def test_thousands_of_flows_stay_and_the_daemon_answers(lab):
    a, r2, b = network(lab)
    holders = Holders(a, b)
    try:
        daemon = lab.daemon(a, AT_ONCE)
        holders.grow(4000)
        asker = Asker(daemon)
        a.ip("route add default via 10.1.0.77 dev eth0 metric 50")
        daemon.wait()
        asker.end()
        assert daemon.status()["pins"]["path"] == 4000
        assert moved(r2) == 0
        assert asker.asked > 2 and asker.slowest_s < 5
        assert daemon.log().count("pins: pinned=4000 flows=4000") == 1
        assert a.leaves_by("198.18.0.7", SOURCE) == "via 10.1.0.1 dev eth0"
        assert a.leaves_by("198.19.0.7", SOURCE) == "via 10.1.0.77 dev eth0"
    finally:
        holders.close()
    # All of them end: nothing is left.
    until(lambda: daemon.status()["pins"]["path"] == 0, 20)
    daemon.wait()  # who asks is answered while their entries go
    assert len(a.routes(daemon.table("eth0", "10.1.0.0/24"))) < 10
