# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon ends, by a signal or by a crash, and starts again."""

import random
import signal
import threading
import time

import pytest

from lab import Daemon, Figure, tcp_open, until
from lab.own import (foreign_routes, foreign_rules, foreign_state,
                     nothing_is_ours, own_neighbours, own_routes, own_rules,
                     own_sources, own_state)
from lab.snmp import retransmission_timeouts
from lab.watch import Watch


def config(model):
    return f'model = "{model}";'


class Transfer:
    """Data to and fro over one connection, without pause, in a thread."""

    def __init__(self, connection):
        self.connection, self.rounds = connection, 0
        self.error = None
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            while not self._stop:
                self.connection.exchange(b"x" * 20000)
                self.rounds += 1
        except OSError as err:
            self.error = err

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop = True
        self._thread.join(timeout=10)


# -- nobody notices --------------------------------------------------------


def test_a_transfer_does_not_notice_kill_and_restart(figure, family, model):
    a = figure.a
    daemon = figure.start(config(model))
    before = own_state(a)
    with tcp_open(a, figure.b, family.b, family.a2) as connection, \
            Watch(a) as watch, Transfer(connection) as transfer:
        for _ in range(3):
            daemon.kill()
            rounds = transfer.rounds
            daemon.start()
            assert watch.by(daemon) == []
            assert transfer.rounds > rounds
        assert transfer.error is None
        assert retransmission_timeouts(a, figure.b) == 0
        # A kernel message is not sent for a replace by the same: the daemon
        # itself says what it wrote.
        assert daemon.log().count("plan ") == 1
        assert daemon.status()["ops"] == 0
    assert own_state(a) == before
    assert figure.dropped() == 0


def test_a_restart_beside_a_dead_gateway_writes_nothing(figure, family):
    """Its neighbour entry is ours, and the kernel asks for it in vain."""
    a = figure.a
    gateway = {4: "10.2.0.99", 6: "2001:db8:2::99"}[family.number]
    a.ip(f"route add {family.other} via {gateway} dev eth1")
    daemon = figure.start()
    assert f"{gateway} dev eth1" in own_neighbours(a)
    with Watch(a) as watch:
        daemon.kill()
        daemon.start()
        assert watch.by(daemon) == []
    assert daemon.status()["ops"] == 0


def test_sigusr1_leaves_everything_in_place(figure, model):
    a = figure.a
    daemon = figure.start(config(model))
    before = own_state(a)
    with Watch(a) as watch:
        daemon.leave()
        assert watch.by(daemon) == []
        assert own_state(a) == before
        daemon.start()
        assert watch.by(daemon) == []
    assert own_state(a) == before


def test_a_tunnel_with_an_uplinks_address_is_not_taken_for_it(figure, family,
                                                              model):
    """It has no address of its own, and the rule is for that address."""
    a, stray = figure.a, {4: "10.2.0.99", 6: "2001:db8:2::99"}[family.number]
    behind, host = {4: ("198.18.0.0/16", "198.18.0.9"),
                    6: ("2001:db8:99::/48", "2001:db8:99::9")}[family.number]
    a.tun("tun9")
    a.ip(f"""
        link set tun9 up
        addr add {family.a2}/{family.full} dev tun9
        addr add {stray}/{family.full} dev eth0
        route add {behind} dev tun9
    """)
    daemon = figure.start(config(model))
    assert family.a2 in str(own_sources(a, family.number))
    before = own_state(a)
    daemon.kill()
    daemon.start()
    assert own_state(a) == before
    assert a.leaves_by(family.b, family.a2) == family.via2
    assert a.leaves_by(host, family.a1) == "dev tun9"


def test_a_link_with_an_uplinks_prefix_is_not_taken_for_it(figure, family,
                                                           model):
    """It came while no daemon was there: the rule is the uplink's still."""
    a, other = figure.a, {4: "10.2.0.77/24", 6: "2001:db8:2::77/64"}
    figure.lab.bridge(a, "aa0")
    daemon = figure.start(config(model))
    number = daemon.table("eth1", family.net2)
    daemon.leave()
    a.ip(f"addr add {other[family.number]} dev aa0")
    daemon.start()
    assert daemon.table("eth1", family.net2) == number
    assert not daemon.subnet("aa0", family.net2)["managed"]
    assert a.leaves_by(family.b, family.a2) == family.via2


# -- the end ---------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_removes_all_of_ours_and_nothing_else(figure, model, number):
    a = figure.a
    a.ip("""
        rule add pref 7109 from 10.1.0.0/24 table 400
        rule add pref 7150 from 192.0.2.7 table 7950
        route add default via 10.1.0.1 table 400
        route add default via 10.2.0.1 table 7900
        route add 198.51.100.0/24 via 10.1.0.1 proto 109
        neigh add 10.1.0.77 lladdr 02:00:00:00:00:01 dev eth0 nud permanent
    """)
    before = foreign_state(a)
    own_before = own_state(a)
    daemon = Daemon(a, config(model))
    figure.lab.daemons.append(daemon)
    daemon.start()
    assert own_state(a) != own_before
    daemon.signal(number)
    assert daemon.process.wait(timeout=10) == 0
    assert own_state(a) == own_before  # the route of main with our number
    assert foreign_state(a) == before
    assert "10.1.0.77" in a.run("ip", "neigh", "show", "nud",
                                "permanent").stdout


def test_the_end_takes_rules_before_routes(figure, model):
    a = figure.a
    daemon = figure.start(config(model))
    with Watch(a) as watch:
        daemon.terminate()
        kinds = [e.kind for e in watch.by(daemon)]
    assert kinds.count("DELRULE") == 5
    assert kinds[:5] == ["DELRULE"] * 5
    assert "DELROUTE" in kinds[5:]
    assert not {"DELRULE", "NEWRULE", "NEWROUTE"} & set(kinds[5:])
    assert nothing_is_ours(a)


def test_the_end_finds_what_changed_a_moment_before(figure):
    """Rules and links that went while it did not look are no obstacle."""
    a = figure.a
    daemon = figure.start()
    daemon.freeze()
    a.ip("rule flush", 4)
    a.ip("link del eth1\nroute flush table 7100")
    daemon.signal(signal.SIGTERM)
    daemon.thaw()
    assert daemon.process.wait(timeout=10) == 0
    assert nothing_is_ours(a)


# -- kill -9 anywhere ------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_point_it_ends_up_the_same(figure, model, seed):
    """Many routes, so that there is a middle to be killed in."""
    a = figure.a
    dice = random.Random(seed)
    a.ip("\n".join(f"route add 10.{100 + i // 250}.{i % 250}.0/24 "
                   f"via 10.{1 + i % 2}.0.1" for i in range(2000)))
    daemon = Daemon(a, config(model))
    figure.lab.daemons.append(daemon)
    for _ in range(3):
        daemon.start(wait=False)
        time.sleep(dice.uniform(0, 0.12))  # how far it gets, not a wait
        daemon.kill()
    daemon.start()
    assert daemon.plan() == ""
    assert sorted(own_sources(a, 4)) == ["10.1.0.0/24", "10.2.0.0/24"]
    for number in own_sources(a, 4).values():
        assert len(a.route_lines(number)) == \
            2003 + (model == "strong")
    assert len(own_routes(a, 4)) == 2 * (2003 + (model == "strong"))
    daemon.terminate()
    assert nothing_is_ours(a)


# -- stale state -----------------------------------------------------------


def test_stale_state_is_put_right(figure, model):
    """Wrong, missing and foreign things in our tables; rules for nobody."""
    a = figure.a
    daemon = figure.start(config(model))
    right = own_state(a)
    one = daemon.table("eth0", "10.1.0.0/24")
    two = daemon.table("eth1", "2001:db8:2::/64")
    daemon.kill()
    a.ip(f"""
        route replace default via 10.2.0.1 dev eth1 table {one} metric 1024 \
proto 109
        route add 198.51.100.0/24 via 10.1.0.1 table {one} metric 1024 \
proto 109
        route add default via 10.1.0.1 table {one} metric 7 proto 109
        route add default via 10.1.0.1 table 7300 metric 1024 proto 109
        rule add pref 7109 from 10.99.0.0/24 iif lo table 7300 protocol 109
        rule add pref 7109 from 10.98.0.0/24 iif lo table 7301 protocol 109
        rule add pref 7205 from 10.1.0.0/24 iif lo table {one} protocol 109
        neigh add 10.1.0.99 dev eth0 proto 109 managed
        neigh del 10.2.0.1 dev eth1
    """)
    a.ip(f"""
        route flush table {two}
        route add unreachable default table {two} metric 1024 proto 109
        route add 2001:db8:ee::/48 via fe80::1 dev eth0 table 7400 proto 109
        rule add pref 7165 from 2001:db8:99::/64 table 7400 protocol 109
        rule del pref 7100 to fe80::/10
    """, 6)
    daemon.start()
    assert own_state(a) == right
    assert daemon.plan() == ""


def test_addresses_that_went_while_it_was_away(figure, family, model):
    a = figure.a
    daemon = figure.start(config(model))
    number = daemon.table("eth1", family.net2)
    daemon.kill()
    length = family.net2.split("/")[1]
    a.ip(f"addr del {family.a2}/{length} dev eth1")
    daemon.start()
    assert list(own_sources(a, family.number)) == [family.net1]
    assert a.routes(number, family.number) == []
    assert a.leaves_by(family.b, family.a1) == family.via1


def test_a_link_made_anew_while_it_was_away(figure, family):
    a = figure.a
    daemon = figure.start()
    number = daemon.table("eth1", family.net2)
    daemon.kill()
    a.ip("link del eth1")
    figure.lab.wire(a, "eth1", figure.r2, "lan")
    figure.r2.ip("addr add 10.2.0.1/24 dev lan\naddr add fe80::1/64 dev lan")
    length = family.net2.split("/")[1]
    a.ip(f"""
        addr add {family.a2}/{length} dev eth1
        route add default via {family.gw2} dev eth1 metric 200
    """)
    daemon.start()
    assert a.leaves_by(family.b, family.a2) == family.via2
    assert daemon.table("eth1", family.net2) == number
    # The kernel lets a new link send after up to a second; till then nobody
    # knows whether the router is alive.
    until(lambda: daemon.plan() == "", 3)


def test_routes_that_changed_while_it_was_away(figure, family, model):
    a = figure.a
    a.ip(f"route add {family.other} {family.via1}")
    daemon = figure.start(config(model))
    daemon.kill()
    a.ip(f"route replace {family.other} {family.via2}")
    daemon.start()
    assert a.leaves_by(family.other_host, family.a2) == family.via2
    want = family.via2 if model == "weak" else "EHOSTUNREACH"
    assert a.leaves_by(family.other_host, family.a1) == want
    assert daemon.plan() == ""


def test_another_config_after_the_restart(figure, family):
    """Other tables, other priorities, another model."""
    a = figure.a
    daemon = figure.start(config("weak"))
    daemon.kill()
    daemon.set_config('model = "strong"; rule_priority = 500;\n'
                      "tables = { first = 300; last = 310; };")
    daemon.start()
    assert a.leaves_by(family.b, family.a2) == family.via2
    assert all(300 <= n <= 310 for n in own_sources(a, 4).values())
    assert not [line for line in own_routes(a, family.number)
                if " table 71" in line]
    assert max(p for p, _, _ in own_rules(a, 4) + own_rules(a, 6)) < 700


# -- strong, and the uplink is gone ----------------------------------------


def test_strong_does_not_leak_over_a_restart_without_uplink(figure, family):
    """Its route was all that made a2's subnet an uplink. The table in the
    kernel says that it was one."""
    a = figure.a
    daemon = figure.start(config("strong"))
    number = daemon.table("eth1", family.net2)
    with Watch(a) as watch:
        daemon.kill()
        a.ip(f"route del default {family.via2}")
        daemon.start()
        assert watch.lost_rules() == []
        tail = [e for e in watch.events() if e.kind == "DELROUTE"
                and e.table == number and e.metric == 4294967295]
        assert tail == []
    assert a.leaves_by(family.b, family.a2) == "EHOSTUNREACH"
    assert daemon.subnet("eth1", family.net2)["managed"]
    assert daemon.table("eth1", family.net2) == number


def test_strong_does_not_leak_while_it_is_away(figure, family):
    """What the daemon left answers for itself, even when the kernel takes the
    link's routes out of our tables."""
    a = figure.a
    daemon = figure.start(config("strong"))
    daemon.kill()
    a.ip(f"route del default {family.via2}")
    if family.number == 4:
        a.ip("link set eth1 down\nlink set eth1 up")
        assert a.leaves_by(family.b, family.a2) == "EHOSTUNREACH"
    daemon.start()
    assert a.leaves_by(family.b, family.a2) == "EHOSTUNREACH"


def test_weak_stays_managed_over_a_restart_without_uplink(figure, family):
    a = figure.a
    daemon = figure.start(config("weak"))
    number = daemon.table("eth1", family.net2)
    daemon.kill()
    a.ip(f"route del default {family.via2}")
    daemon.start()
    assert daemon.table("eth1", family.net2) == number
    assert a.leaves_by(family.b, family.a2) == family.via1
    a.ip(f"route add default {family.via2} metric 200")
    daemon.wait()
    assert a.leaves_by(family.b, family.a2) == family.via2


def test_the_same_prefix_on_two_links_over_a_restart_without_uplink(lab,
                                                                    model):
    """Rules for exact addresses, of subnets that are none by their routes."""
    a, r = lab.host(), lab.router("r")
    for number in (0, 1):
        lab.wire(a, f"eth{number}", r, f"p{number}")
        a.ip(f"addr add 192.0.2.{10 + number}/24 dev eth{number}")
    a.ip("""
        route add default via 192.0.2.1 dev eth0 metric 100
        route add default via 192.0.2.2 dev eth1 metric 200
    """)
    daemon = lab.daemon(a, config(model))
    before = own_rules(a, 4)
    assert [what for _, what, _ in before] == ["from 192.0.2.10/32",
                                               "from 192.0.2.11/32"]
    with Watch(a) as watch:
        daemon.kill()
        a.ip("""
            route del default via 192.0.2.1 dev eth0
            route del default via 192.0.2.2 dev eth1
        """)
        daemon.start()
        assert watch.lost_rules() == []
    assert own_rules(a, 4) == before


# -- whose is what ---------------------------------------------------------


def test_a_rule_of_our_priority_that_is_somebody_elses(figure):
    a = figure.a
    for line in ("rule add pref 7109 from 10.1.0.0/24 iif lo table 7100",
                 "rule add pref 7109 from 10.77.0.0/16 table 500",
                 "rule add pref 7165 from 2001:db8:1::/64 table 500"):
        a.ip(line, 6 if "2001" in line else 4)
    before = foreign_rules(a, 4), foreign_rules(a, 6)
    daemon = figure.lab.daemon(a)
    assert (foreign_rules(a, 4), foreign_rules(a, 6)) == before
    # The table that the first one names is not ours to take.
    assert 7100 not in own_sources(a, 4).values()
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.2.0.1 dev eth1"
    daemon.terminate()
    assert (foreign_rules(a, 4), foreign_rules(a, 6)) == before


def test_a_table_with_routes_of_somebody_else_is_not_taken(figure, family):
    a = figure.a
    a.ip(f"""
        route add default {family.via1} table 7100
        route add {family.other} {family.via1} table 7102 proto static
    """)
    before = foreign_routes(a, 4), foreign_routes(a, 6)
    daemon = figure.lab.daemon(a)
    numbers = {*own_sources(a, 4).values(), *own_sources(a, 6).values()}
    assert numbers == {7101, 7103, 7104, 7105}
    assert (foreign_routes(a, 4), foreign_routes(a, 6)) == before
    daemon.kill()
    daemon.start()
    assert {*own_sources(a, 4).values(),
            *own_sources(a, 6).values()} == numbers


# -- table numbers ---------------------------------------------------------


def test_table_numbers_stay_when_other_subnets_come_and_go(lab, family):
    """Those of a2 do not depend on a1, whose prefix sorts before it."""
    figure = Figure(lab)
    a = figure.a
    length = family.net1.split("/")[1]
    a.ip(f"addr del {family.a1}/{length} dev eth0")
    daemon = lab.daemon(a)
    number = daemon.table("eth1", family.net2)
    path = f"default {family.via1} metric 100"

    def same():
        assert daemon.table("eth1", family.net2) == number
        assert own_sources(a, family.number)[family.net2] == number

    for _ in range(2):
        a.ip(f"addr add {family.a1}/{length} dev eth0\nroute replace {path}")
        daemon.wait()
        same()
        assert family.net1 in own_sources(a, family.number)
        daemon.kill()
        daemon.start()
        same()
        a.ip(f"addr del {family.a1}/{length} dev eth0")
        daemon.wait()
        same()
        daemon.kill()
        daemon.start()
        same()


def test_table_numbers_stay_when_the_other_went_while_it_was_away(figure,
                                                                  family):
    a = figure.a
    daemon = figure.start()
    number = daemon.table("eth1", family.net2)
    daemon.kill()
    length = family.net1.split("/")[1]
    a.ip(f"addr del {family.a1}/{length} dev eth0")
    daemon.start()
    assert daemon.table("eth1", family.net2) == number
