# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets that name no source do what table main says, as without us."""

import socket

import pytest

from lab import tcp_open, udp_send, until
from lab.figure import A1_4, A1_6, A2_6, B_6, R1_4
from lab.varlink import Client

DESTINATIONS = ("203.0.113.9", "198.51.100.7", "192.0.2.7", "10.1.0.1",
                "10.2.0.1", "2001:db8:b::9", "2001:db8:ee::7",
                "2001:db8:1::1", "2001:db8:2::1")


def decisions(a):
    """What an unbound socket gets: source address, and way out."""
    return {dst: (a.chosen_source(dst), a.leaves_by(dst))
            for dst in DESTINATIONS}


def more_routes(a):
    a.ip("""
        route add 198.51.100.0/24 via 10.2.0.1 dev eth1
        route add 192.0.2.0/24 via 10.2.0.1 dev eth1 metric 50
        route add 192.0.2.0/24 via 10.1.0.1 dev eth0 metric 60
        route add 2001:db8:ee::/48 via fe80::1 dev eth1
    """)


def snapshot(a):
    """Table main, addresses and foreign rules, as text."""
    rules = [rule for number in (4, 6) for rule in a.rules(number)
             if str(rule.get("protocol")) != "109"]
    addresses = a.run("ip", "-o", "addr").stdout
    return a.route_lines("main", 4), a.route_lines("main", 6), rules, addresses


def test_source_and_way_are_the_same_with_and_without_the_daemon(figure,
                                                                 model):
    a = figure.a
    more_routes(a)
    before = decisions(a), snapshot(a)
    daemon = figure.start(f'model = "{model}";')
    assert (decisions(a), snapshot(a)) == before
    daemon.terminate()
    assert (decisions(a), snapshot(a)) == before


def test_unbound_traffic_follows_a_change_of_main(figure):
    a, b = figure.a, figure.b
    daemon = figure.start()
    with tcp_open(a, b, "203.0.113.9") as connection:
        assert connection.client.getsockname()[0] == "10.1.0.2"
        connection.exchange()
    a.ip("route add default via 10.2.0.1 dev eth1 metric 50")
    daemon.wait()
    with tcp_open(a, b, "203.0.113.9") as connection:
        assert connection.client.getsockname()[0] == "10.2.0.2"
        connection.exchange()
    assert figure.dropped() == 0


def test_unbound_datagrams_leave_by_the_best_default(figure, family):
    a = figure.a
    figure.start()
    a.count_sent()
    assert udp_send(a, family.b, count=5) == family.a1
    sent = a.sent()
    assert sent[("eth0", family.a1)] >= 5
    assert ("eth1", family.a1) not in sent


def sent_from(a, source, kind):
    """The link by which an IPv6 socket sends that connect() gave source."""
    a.count_sent()
    sock = a.socket(socket.AF_INET6, kind)
    sock.setblocking(False)
    sock.connect_ex((B_6, 9))
    if kind == socket.SOCK_DGRAM:
        sock.send(b"x")
    assert sock.getsockname()[0] == source
    return until(lambda: [link for link, src in a.sent() if src == source])


@pytest.mark.parametrize("kind", (socket.SOCK_DGRAM, socket.SOCK_STREAM))
@pytest.mark.parametrize("deprecated", (False, True))
def test_explain_tells_the_way_of_an_unbound_ipv6_socket(figure, deprecated,
                                                         kind):
    """IPv6 keeps the route of the lookup that had no source yet. It fits the
    source that is chosen then, unless that is of another subnet."""
    a = figure.a
    daemon = figure.start()
    if deprecated:
        a.ip(f"addr change {A1_6}/64 dev eth0 preferred_lft 0")
        daemon.wait()
    with Client(daemon.socket_path) as client:
        reply = client.call("io.multihomed.Explain", destination=B_6)
    assert reply["source"] == (A2_6 if deprecated else A1_6)
    assert sent_from(a, reply["source"], kind) == [reply["kernel"]["dev"]]
    assert reply["kernel"]["dev"] == "eth0"
    assert reply["agrees"] is not deprecated
    told = [note for note in reply["notes"] if f"bound to {A2_6}" in note]
    assert bool(told) is deprecated


def test_explain_tells_what_sends_without_connect(figure):
    """Two lookups of IPv4, with a source of another subnet than the way."""
    a = figure.a
    daemon = figure.start()
    a.ip(f"""
        route add 198.18.7.0/24 dev eth1 src {A1_4}
        route add 198.18.7.0/24 via {R1_4} dev eth0 metric 50
    """)
    daemon.wait()
    with Client(daemon.socket_path) as client:
        reply = client.call("io.multihomed.Explain", destination="198.18.7.9")
    assert reply["source"] == A1_4 and reply["kernel"]["dev"] == "eth0"
    assert any("without connect()" in note and "dev eth1, table main" in note
               and "via" not in note for note in reply["notes"])
