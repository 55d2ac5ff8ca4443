# SPDX-License-Identifier: GPL-2.0-or-later
"""A full tunnel, set up as wg-quick does: nothing may leave in the clear.

wg0 is a tun link. The senders never pause: one from each of A's addresses and
one that is not bound. What the routers of eth0 and eth1 take in, and what A
gives to these links, is counted from the moment the tunnel's rules are there.
"""

import pytest

from lab import V4, V6
from lab.flood import Flood, Tally, swallow, swallowed
from lab.own import own_rules

MARK = 51820
INSIDE = {4: "10.99.0.2/32", 6: "fd99::2/128"}


def wg_link(a):
    """The link with its addresses; nothing uses it yet."""
    tun = a.tun("wg0")
    a.ip(f"""
        link set wg0 mtu 1420 up
        addr add {INSIDE[4]} dev wg0
        addr add {INSIDE[6]} dev wg0
    """)
    return tun


def wg_up(a, family):
    """What wg-quick's add_default() does for one family."""
    a.ip(f"""
        route add default dev wg0 table {MARK}
        rule add not fwmark {MARK} table {MARK}
        rule add table main suppress_prefixlength 0
    """, family=family.number)


def wg_down(a, family):
    a.ip(f"""
        rule del table {MARK}
        rule del table main suppress_prefixlength 0
        route flush table {MARK}
    """, family=family.number)


class Clear:
    """What left in the clear: seen by A itself, and by the two routers."""

    def __init__(self, figure):
        self.tally = Tally(figure.a)
        self.routers = (figure.r1, figure.r2)
        for router in self.routers:
            swallow(router, "lan")

    def reset(self):
        self.tally.reset()
        for router in self.routers:
            swallowed(router, reset=True)

    def packets(self):
        return (self.tally.by("eth0") + self.tally.by("eth1") +
                sum(swallowed(router) for router in self.routers))


def start_all(figure, family):
    clear = Clear(figure)
    flood = Flood(figure.a, [(family.a1, family.b), (family.a2, family.b),
                             ("", family.b)])
    return clear, flood


def live_through_it(a, daemon, family):
    """All that may happen to a daemon while a tunnel is up."""
    a.ip(f"route replace default {family.via1} metric 50",
         family=family.number)
    daemon.wait()
    daemon.kill()
    daemon.start()
    a.ip(f"route del default {family.via1} metric 50", family=family.number)
    daemon.leave()
    daemon.start()
    daemon.terminate()
    daemon.start()


def assert_yields(a, daemon, family):
    assert own_rules(a, family.number) == []
    assert daemon.status()["vpn"][f"ipv{family.number}"] == "yield"
    for source in (family.a1, family.a2, None):
        assert a.leaves_by(family.b, source) == "dev wg0"


def assert_ours_again(a, daemon, family):
    assert daemon.status()["vpn"] == {"ipv4": "none", "ipv6": "none"}
    assert a.leaves_by(family.b, family.a1) == family.via1
    assert a.leaves_by(family.b, family.a2) == family.via2


def test_a_tunnel_that_was_first_keeps_everything(figure, family, model):
    a = figure.a
    clear, flood = start_all(figure, family)
    wg_link(a)
    wg_up(a, family)
    with flood:
        clear.reset()
        daemon = figure.lab.daemon(a, f'model = "{model}";')
        assert_yields(a, daemon, family)
        live_through_it(a, daemon, family)
        assert_yields(a, daemon, family)
        assert clear.packets() == 0
        assert clear.tally.by("wg0") > 1000
    wg_down(a, family)
    daemon.wait()
    assert_ours_again(a, daemon, family)


def test_a_tunnel_that_comes_later_gets_everything(figure, family, model):
    a = figure.a
    clear, flood = start_all(figure, family)
    daemon = figure.start(f'model = "{model}";')
    wg_link(a)
    with flood:
        wg_up(a, family)
        clear.reset()
        daemon.wait()
        assert_yields(a, daemon, family)
        live_through_it(a, daemon, family)
        assert_yields(a, daemon, family)
        assert clear.packets() == 0
        assert clear.tally.by("wg0") > 1000
    wg_down(a, family)
    daemon.wait()
    assert_ours_again(a, daemon, family)


@pytest.mark.parametrize("first", ["daemon", "tunnel"])
def test_a_tunnels_table_may_have_a_number_of_our_range(figure, family, first):
    a = figure.a
    wide = "tables = { first = 50000; last = 59999; };"
    wg_link(a)
    if first == "daemon":
        daemon = figure.start(wide)
        wg_up(a, family)
        daemon.wait()
    else:
        wg_up(a, family)
        daemon = figure.lab.daemon(a, wide)
    assert_yields(a, daemon, family)
    live_through_it(a, daemon, family)
    assert_yields(a, daemon, family)
    wg_down(a, family)
    daemon.wait()
    assert_ours_again(a, daemon, family)


def test_up_and_down_again_and_again(figure, family):
    """The second time the kernel picks other priorities than the first."""
    a = figure.a
    clear, flood = start_all(figure, family)
    daemon = figure.start()
    wg_link(a)
    with flood:
        for _ in range(3):
            wg_up(a, family)
            clear.reset()
            daemon.wait()
            assert_yields(a, daemon, family)
            assert clear.packets() == 0
            wg_down(a, family)
            daemon.wait()
            assert_ours_again(a, daemon, family)


def test_rules_before_the_default(figure, family):
    """Some set up the rules first: they catch nothing until the table has a
    default, and until then ours stay."""
    a = figure.a
    daemon = figure.start()
    clear, flood = start_all(figure, family)
    wg_link(a)
    with flood:
        a.ip(f"""
            rule add not fwmark {MARK} table {MARK}
            rule add table main suppress_prefixlength 0
        """, family=family.number)
        daemon.wait()
        assert_ours_again(a, daemon, family)
        a.ip(f"route add default dev wg0 table {MARK}", family=family.number)
        clear.reset()
        daemon.wait()
        assert_yields(a, daemon, family)
        assert clear.packets() == 0


def test_a_default_that_comes_after_both(figure, family):
    """Rules of the tunnel behind ours, and its default last of all: for as
    long as it takes us to see it, not longer."""
    a = figure.a
    wg_link(a)
    a.ip(f"""
        rule add not fwmark {MARK} table {MARK}
        rule add table main suppress_prefixlength 0
    """, family=family.number)
    daemon = figure.start()
    clear, flood = start_all(figure, family)
    with flood:
        a.ip(f"route add default dev wg0 table {MARK}", family=family.number)
        daemon.wait()
        clear.reset()
        assert_yields(a, daemon, family)
        assert clear.packets() == 0
        a.ip(f"route del default dev wg0 table {MARK}", family=family.number)
        daemon.wait()
        assert_ours_again(a, daemon, family)


def test_the_counters_would_see_it(figure, family):
    """One rule like ours before the tunnel's, and they count."""
    a = figure.a
    clear, flood = start_all(figure, family)
    wg_link(a)
    wg_up(a, family)
    with flood:
        clear.reset()
        assert clear.packets() == 0
        a.ip(f"rule add iif lo from {family.net1} lookup main pref 100",
             family=family.number)
        clear.reset()
        a.leaves_by(family.b, family.a1)
        assert clear.packets() > 0


def test_only_the_tunnels_family_is_withdrawn(figure, family):
    a = figure.a
    other = V6 if family is V4 else V4
    daemon = figure.start()
    rules = own_rules(a, other.number)
    wg_link(a)
    wg_up(a, family)
    daemon.wait()
    assert_yields(a, daemon, family)
    assert daemon.status()["vpn"][f"ipv{other.number}"] == "none"
    assert own_rules(a, other.number) == rules != []
    assert a.leaves_by(other.b, other.a2) == other.via2


def test_tables_stay_current_while_a_tunnel_is_up(figure, family, model):
    a = figure.a
    daemon = figure.start(f'model = "{model}";')
    number = family.number
    wg_link(a)
    wg_up(a, family)
    daemon.wait()
    table = daemon.table("eth1", family.net2)
    a.ip(f"route add {family.other} {family.via2}\n"
         f"route del default {family.via1}", family=number)
    daemon.wait()
    text = a.route_lines(table, number)
    assert [line for line in text
            if line.startswith(f"{family.other} {family.via2}")]
    wg_down(a, family)
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a2) == family.via2


def test_what_is_marked_passes_by_the_tunnel(figure, family):
    """WireGuard's own packets: by main, as without us."""
    a = figure.a
    wg_link(a)
    wg_up(a, family)
    figure.lab.daemon(a)
    assert a.leaves_by(family.b, mark=MARK) == family.via1
    assert a.leaves_by(family.b) == "dev wg0"


@pytest.mark.parametrize("order", ["tunnel first", "tunnel later"])
def test_override_keeps_our_rules_before_the_tunnels(figure, family, order):
    a = figure.a
    wg_link(a)
    if order == "tunnel first":
        wg_up(a, family)
        daemon = figure.lab.daemon(a, 'vpn = "override";')
    else:
        daemon = figure.start('vpn = "override";')
        wg_up(a, family)
        daemon.wait()
    assert a.leaves_by(family.b, family.a1) == family.via1
    assert a.leaves_by(family.b, family.a2) == family.via2
    assert a.leaves_by(family.b) == "dev wg0"
    assert daemon.status()["vpn"][f"ipv{family.number}"] == "override"
    tunnel = min(rule["priority"] for rule in a.rules(family.number)
                 if str(rule.get("table")) == str(MARK))
    assert max(own_rules(a, family.number))[0] < tunnel
    wg_down(a, family)
    daemon.wait()
    assert min(own_rules(a, family.number))[0] >= 7100
    assert_ours_again(a, daemon, family)


def test_override_before_a_tunnel_with_a_low_priority(figure, family):
    a = figure.a
    daemon = figure.start('vpn = "override";')
    wg_link(a)
    a.ip(f"""
        route add default dev wg0 table {MARK}
        rule add not fwmark {MARK} table {MARK} pref 400
    """, family=family.number)
    daemon.wait()
    assert a.leaves_by(family.b, family.a1) == family.via1
    assert a.leaves_by(family.b, family.a2) == family.via2
    assert max(own_rules(a, family.number))[0] < 400


def test_override_moves_its_rules_without_a_gap(figure, family):
    """New ones before the old go: a2 never leaves by R1, nor by main."""
    a = figure.a
    daemon = figure.start('vpn = "override";')
    tally = Tally(a)
    for router in (figure.r1, figure.r2):
        swallow(router, "lan")
    with Flood(a, [(family.a2, family.b)]) as flood:
        for _ in range(5):
            a.ip(f"rule add not fwmark {MARK} table {MARK}",
                 family=family.number)
            daemon.wait()
            a.ip(f"rule del table {MARK}", family=family.number)
            daemon.wait()
        assert tally.by("eth0") == 0
        assert tally.by("eth1") > 0
    assert flood.refused == 0


def exit_node(a, family):
    """What Tailscale sets up, without an exit node yet."""
    a.tun("ts0")
    inner = "100.64.0.0/10" if family is V4 else "fd7a:115c:a1e0::/48"
    a.ip(f"""
        link set ts0 up
        route add {inner} dev ts0 table 52
        rule add pref 5270 from all lookup 52
    """, family=family.number)
    return "100.64.0.7" if family is V4 else "fd7a:115c:a1e0::7"


@pytest.mark.parametrize("order", ["tunnel first", "tunnel later"])
def test_a_split_tunnel_is_no_full_tunnel(figure, family, order):
    a = figure.a
    if order == "tunnel first":
        inner = exit_node(a, family)
        daemon = figure.start()
    else:
        daemon = figure.start()
        inner = exit_node(a, family)
        daemon.wait()
    assert_ours_again(a, daemon, family)
    assert a.leaves_by(inner, family.a2) == "dev ts0"


def test_an_exit_node_that_comes_and_goes(figure, family):
    a = figure.a
    exit_node(a, family)
    daemon = figure.start()
    for _ in range(2):
        a.ip("route add default dev ts0 table 52", family=family.number)
        daemon.wait()
        assert own_rules(a, family.number) == []
        assert daemon.status()["vpn"][f"ipv{family.number}"] == "yield"
        assert a.leaves_by(family.b, family.a2) == "dev ts0"
        a.ip("route del default dev ts0 table 52", family=family.number)
        daemon.wait()
        assert_ours_again(a, daemon, family)


def test_an_exit_node_whose_link_goes(figure, family):
    """The kernel takes the default with the link, IPv4 without a word."""
    a = figure.a
    exit_node(a, family)
    a.ip("route add default dev ts0 table 52", family=family.number)
    daemon = figure.lab.daemon(a)
    assert own_rules(a, family.number) == []
    a.ip("link set ts0 down")
    daemon.wait()
    assert_ours_again(a, daemon, family)


def test_a_reload_changes_between_yield_and_override(figure, family):
    a = figure.a
    wg_link(a)
    wg_up(a, family)
    daemon = figure.lab.daemon(a)
    assert_yields(a, daemon, family)
    daemon.reload('vpn = "override";')
    assert a.leaves_by(family.b, family.a2) == family.via2
    daemon.reload("")
    assert_yields(a, daemon, family)
