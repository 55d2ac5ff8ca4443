# SPDX-License-Identifier: GPL-2.0-or-later
"""Only packets of the host itself are ours: forwarded ones follow main."""

import pytest

from lab import filter_counts, nat, tcp_works

C = {4: "192.168.7.2", 6: "2001:db8:7::2"}
# A guest with an address out of eth1's subnet, routed to it by hand: a rule
# without `iif lo` would catch its packets.
GUEST = {4: "10.2.0.77", 6: "2001:db8:2::77"}


@pytest.fixture
def behind(figure):
    """The namespace c behind A's eth2; A forwards for it."""
    lab, a = figure.lab, figure.a
    c = lab.server("c")
    lab.wire(a, "eth2", c, "eth0")
    a.sysctl("ipv4/conf/all/forwarding", 1)
    a.sysctl("ipv6/conf/all/forwarding", 1)
    a.ip("""
        addr add 192.168.7.1/24 dev eth2
        addr add 2001:db8:7::1/64 dev eth2
        route add 10.2.0.77/32 dev eth2
        route add 2001:db8:2::77/128 dev eth2
    """)
    c.ip("""
        addr add 192.168.7.2/24 dev eth0
        addr add 2001:db8:7::2/64 dev eth0
        addr add 10.2.0.77/32 dev eth0
        addr add 2001:db8:2::77/128 dev eth0
        route add default via 192.168.7.1
        route add default via 2001:db8:7::1
    """)
    return c


def arrived(figure, number):
    """Packets from A's side that r1 and r2 saw, let through or not."""
    return [counts[f"ok{number}"] + counts[f"drop{number}"]
            for counts in (filter_counts(figure.r1), filter_counts(figure.r2))]


@pytest.mark.parametrize("who", [C, GUEST], ids=["own subnet", "guest"])
def test_forwarded_packets_follow_table_main(figure, behind, family, model,
                                             who):
    figure.start(f'model = "{model}";')
    source = who[family.number]
    behind.ping(family.b, source, wait=0.1)
    assert arrived(figure, family.number) == [3, 0]


def test_the_forwarding_lookup_is_the_same_with_and_without_us(figure, behind,
                                                               family):
    a = figure.a

    def lookup():
        out = a.run("ip", "route", "get", family.b, "from",
                    GUEST[family.number], "iif", "eth2").stdout
        return " ".join(out.split())

    before = lookup()
    figure.start()
    assert lookup() == before
    assert "dev eth0" in before and behind


def test_a_masqueraded_guest_still_reaches_the_world(figure, behind, family):
    nat(figure.a, "eth0")
    figure.start()
    assert behind.ping(family.b, C[family.number]) == 3
    assert tcp_works(behind, figure.b, family.b, C[family.number])


def test_the_host_reaches_the_guest_from_every_address(figure, behind, family,
                                                       model):
    """eth2 has no managed subnet: it is local, in the strong model too."""
    figure.start(f'model = "{model}";')
    for source in (family.a1, family.a2):
        assert figure.a.ping(C[family.number], source) == 3
        assert figure.a.ping(GUEST[family.number], source) == 3
    assert behind
