# SPDX-License-Identifier: GPL-2.0-or-later
"""Verify: every subnet and prefix, the kernel's answer against the rules."""

import time

import pytest

from lab import until
from lab.figure import A2_4, R1_4, R2_4
from lab.varlink import Client


def verify(daemon):
    with Client(daemon.socket_path, timeout=60) as client:
        return client.call("io.multihomed.Verify")


def test_the_figure_agrees(figure, model):
    figure.a.ip(f"""
        route add 198.18.7.0/24 via {R2_4} dev eth1
        route add 198.18.4.0/22 via {R1_4} dev eth0
        route add unreachable 192.0.2.0/24
        route add 198.19.0.0/24 tos 0x10 via {R2_4} dev eth1
    """)
    daemon = figure.start(f'model = "{model}";')
    reply = verify(daemon)
    assert reply["found"] == 0, reply["disagreements"]
    assert reply["subnets"] == 4 and reply["prefixes"] >= 8
    assert reply["asked"] == reply["total"] >= 60
    assert reply["local"] > 0


def test_a_foreign_rule_before_ours_is_found(figure):
    daemon = figure.start()
    assert verify(daemon)["found"] == 0
    figure.a.ip(f"""
        rule add priority 50 from {A2_4} lookup 99
        route add default via {R1_4} dev eth0 table 99
    """)
    reply = verify(daemon)
    assert reply["found"] > 0
    first = reply["disagreements"][0]
    assert (first["link"], first["source"]) == ("eth1", A2_4)
    assert "table 99" in first["kernel"]
    figure.a.ip(f"rule del priority 50 from {A2_4} lookup 99")
    assert verify(daemon)["found"] == 0


def test_what_the_kernel_passes_over_is_no_finding(figure):
    """No candidate is usable, and it is told to ignore what has no carrier:
    then our table says nothing, and main has the other dead end."""
    a = figure.a
    for link in ("eth0", "eth1"):
        a.sysctl(f"ipv4/conf/{link}/ignore_routes_with_linkdown", 1)
    a.ip("route replace default via 10.1.0.99 dev eth0 metric 100")
    daemon = figure.lab.daemon(a)
    figure.r2.ip("link set lan down")
    until(lambda: "10.1.0.99 dev eth0 FAILED" in a.run(
        "ip", "neigh", "show", "to", "10.1.0.99").stdout.replace(
            "managed extern_learn ", ""), 10)
    daemon.wait()
    assert a.leaves_by("203.0.113.9", A2_4) == "via 10.1.0.99 dev eth0"
    assert verify(daemon)["found"] == 0


def test_a_change_under_way_is_no_finding(figure):
    """Routes change all the time while it asks."""
    daemon = figure.start()
    figure.a.ip("\n".join(f"route add 198.18.{i}.0/24 via {R2_4} dev eth1"
                          for i in range(250)))
    daemon.wait()
    churn = figure.a.start(
        "sh", "-c", "for i in $(seq 2000); do "
        f"ip route replace 198.19.7.0/24 via {R1_4} dev eth0; "
        f"ip route replace 198.19.7.0/24 via {R2_4} dev eth1; done")
    try:
        for _ in range(10):
            reply = verify(daemon)
            assert reply["found"] == 0, reply
        assert churn.poll() is None, "the churn ended too early to count"
    finally:
        churn.kill()
        churn.wait()


@pytest.mark.slow
def test_ten_thousand_routes_and_four_subnets(lab):
    a, r = lab.host("a"), lab.router("r")
    lines = []
    for n in range(4):
        lab.wire(a, f"eth{n}", r, f"e{n}")
        r.ip(f"addr add 10.{n}.0.1/24 dev e{n}")
        a.ip(f"""
            addr add 10.{n}.0.2/24 dev eth{n}
            route add default via 10.{n}.0.1 dev eth{n} metric {n + 1}
        """)
    for i in range(10000):
        # Every other /26 of a range, so that neighbours are nobody's.
        lines.append(f"route add 100.{64 + (i >> 9)}.{(i >> 1) & 255}."
                     f"{(i & 1) * 128}/26 via 10.{i % 4}.0.1 dev eth{i % 4}")
    a.ip("\n".join(lines))
    daemon = lab.daemon(a)
    start = time.monotonic()
    with Client(daemon.socket_path, timeout=60) as client:
        replies = list(client.call_more("io.multihomed.Verify"))
    took = time.monotonic() - start
    last = replies[-1]
    print(f"{last['asked']} questions in {took:.2f} s")
    assert last["found"] == 0, last["disagreements"][:3]
    assert last["prefixes"] >= 10000 and last["subnets"] == 4
    assert last["asked"] > 4 * 4 * 10000 * 0.9
    # Progress: some replies in between, never going back.
    assert len(replies) > 3
    done = [reply["asked"] for reply in replies]
    assert done == sorted(done)
    assert took < 20, "a few seconds, with room for a sanitizer and a busy host"


def test_a_tunnel_that_is_yielded_to_is_skipped(figure):
    daemon = figure.start()
    figure.a.ip("""
        link add tun9 type veth peer name tun9p
        link set tun9 up
        link set tun9p up
        route add default dev tun9 table 51820
        rule add priority 90 not fwmark 0xca6c lookup 51820
    """)
    daemon.wait()
    reply = verify(daemon)
    assert reply["skipped"] == ["ipv4"]
    assert reply["found"] == 0
    assert reply["subnets"] == 2
