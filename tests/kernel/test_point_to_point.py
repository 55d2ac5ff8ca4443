# SPDX-License-Identifier: GPL-2.0-or-later
"""Point-to-point links: the subnet is the local address, never the peer's."""

import struct

import pytest


def add_ppp(figure, default):
    """A tun link with a peer address beside the figure's two uplinks."""
    tun = figure.a.tun("ppp0")
    figure.a.ip(f"""
        link set ppp0 up
        addr add 10.8.0.2 peer 10.8.0.1/32 dev ppp0
        addr add 2001:db8:8::2 peer 2001:db8:8::1/128 dev ppp0
        route add default {default} dev ppp0 metric 300
    """)
    figure.a.ip("route add default dev ppp0 metric 300", family=6)
    return tun


@pytest.mark.parametrize("default", ["", "via 10.8.0.1"],
                         ids=["no gateway", "peer as gateway"])
def test_the_local_address_uses_the_link(figure, model, default):
    a = figure.a
    tun = add_ppp(figure, default)
    daemon = figure.start(f'model = "{model}";')
    want = f"{default} dev ppp0".strip()
    assert a.leaves_by("203.0.113.9", "10.8.0.2") == want
    assert a.leaves_by("2001:db8:b::9", "2001:db8:8::2") == "dev ppp0"
    # The peer's own address is reached through the link, from it at least.
    assert a.leaves_by("10.8.0.1", "10.8.0.2") == "dev ppp0"
    for subnet, address in (("10.8.0.2/32", "10.8.0.2"),
                            ("2001:db8:8::2/128", "2001:db8:8::2")):
        entry = daemon.subnet("ppp0", subnet)
        assert entry["managed"]
        assert entry["addresses"] == [address]
        assert [rule["from"] for rule in entry["rules"]] == [subnet]
    tun.read_all()
    a.ping("203.0.113.9", "10.8.0.2", count=1, wait=0.1)
    sources = [packet[12:16] for packet in tun.read_all()
               if packet[0] >> 4 == 4]
    assert sources == [struct.pack("4B", 10, 8, 0, 2)]


def test_other_sources_keep_their_uplinks(figure):
    add_ppp(figure, "")
    figure.start()
    leaves = figure.a.leaves_by
    assert leaves("203.0.113.9", "10.1.0.2") == "via 10.1.0.1 dev eth0"
    assert leaves("203.0.113.9", "10.2.0.2") == "via 10.2.0.1 dev eth1"


def test_the_link_can_go_and_come_back(figure):
    a = figure.a
    tun = add_ppp(figure, "")
    daemon = figure.start()
    number = daemon.table("ppp0", "10.8.0.2/32")
    tun.close()
    daemon.wait()
    assert a.routes(number) == []
    assert not [r for r in a.rules(4) if r.get("from") == "10.8.0.2/32"]
    add_ppp(figure, "via 10.8.0.1")
    daemon.wait()
    assert a.leaves_by("203.0.113.9", "10.8.0.2") == "via 10.8.0.1 dev ppp0"


def test_an_address_is_given_a_peer(figure):
    """IPv6 alone knows that: it is told of once more, and of no removal."""
    a = figure.a
    a.ip("addr add 2001:db8:5::2/64 dev eth1 nodad", family=6)
    daemon = figure.start()

    def subnets():
        daemon.wait()
        return {it["prefix"] for it in daemon.status()["subnets"]
                if it["prefix"].startswith("2001:db8:5:")}
    assert subnets() == {"2001:db8:5::/64"}
    a.ip("addr change 2001:db8:5::2 peer 2001:db8:7::1/64 dev eth1", family=6)
    assert subnets() == {"2001:db8:5::2/128"}
    assert daemon.plan() == ""
    a.ip("addr del 2001:db8:5::2 peer 2001:db8:7::1/64 dev eth1", family=6)
    assert subnets() == set()
    assert daemon.plan() == ""
