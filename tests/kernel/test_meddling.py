# SPDX-License-Identifier: GPL-2.0-or-later
"""Other tools that change what is ours: it is put back, and nothing else."""

import os
import re
import time

import pytest

from lab import until
from lab.own import (foreign_state, own_neighbours, own_routes, own_rules,
                     own_state)
from lab.watch import Meddler, Watch

REPAIR_LIMIT_S = 0.1  # generous: it takes less than a millisecond

# Put back at once for some times, then after 20, 40, 80, 160, 320 ms: when
# so many are gone, the next repair is half a second away.
WAR = 12


def config(model):
    return f'model = "{model}";'


def repair_time(watch, deleted, restored):
    """Seconds from the last event that deleted something of ours to the last
    one that put something back."""
    events = watch.events()
    gone = [e.time for e in events if deleted(e)]
    back = [e.time for e in events if restored(e)]
    assert gone, "nothing was deleted: the test meddles with nothing"
    assert back, "nothing was put back"
    return max(back) - max(gone)


def delete_rules(a, family):
    """Delete each rule of ours by name, as one batch."""
    a.ip("\n".join(f"rule del pref {priority} {what} table {table}"
                   for priority, what, table in own_rules(a, family)), family)


def rule_repair_time(watch):
    return repair_time(watch, lambda e: e.kind == "DELRULE",
                       lambda e: e.kind == "NEWRULE")


# -- rules -----------------------------------------------------------------


@pytest.mark.parametrize("which", range(5))
def test_each_rule_of_ours_is_put_back(figure, which):
    a = figure.a
    daemon = figure.start()
    before = own_state(a)
    rules = [(family, rule) for family in (4, 6)
             for rule in own_rules(a, family)]
    family, (priority, what, table) = rules[which]
    with Watch(a) as watch:
        a.ip(f"rule del pref {priority} {what} table {table}", family)
        daemon.wait()
        assert rule_repair_time(watch) < REPAIR_LIMIT_S
        assert len(watch.by(daemon)) == 1
    assert own_state(a) == before


def test_after_ip_rule_flush_ours_are_back_and_only_ours(figure, model):
    a = figure.a
    daemon = figure.start(config(model))
    a.ip("rule add pref 500 from 192.0.2.0/24 table 999")
    before = own_state(a)
    with Watch(a) as watch:
        for family in (4, 6):
            a.ip("rule flush", family)
        daemon.wait()
        assert rule_repair_time(watch) < REPAIR_LIMIT_S
    assert own_state(a) == before
    # What the administrator flushed stays flushed: all but the local table's.
    assert [rule["priority"] for rule in foreign_state(a)["rules4"]] == [0]


def test_a_second_rule_like_ours_is_removed_and_ours_stays(figure):
    a = figure.a
    with Meddler(a) as meddler, Watch(a) as watch:
        daemon = figure.start()
        before = own_state(a)
        ours = next(e for e in watch.events()
                    if e.kind == "NEWRULE" and e.metric == 7109)
        assert meddler.repeat(ours) == 0
        assert len(own_rules(a, 4)) == 3 or len(watch.by(daemon)) > 0
        daemon.wait()
        assert own_state(a) == before


def test_the_same_rule_of_somebody_else_is_theirs(figure):
    a = figure.a
    daemon = figure.start()
    before = own_state(a)
    a.ip("rule add pref 7109 from 10.1.0.0/24 iif lo table 7100 protocol 4")
    daemon.wait()
    assert own_state(a) == before
    theirs = [r for r in foreign_state(a)["rules4"] if r["priority"] == 7109]
    assert len(theirs) == 1
    daemon.terminate()
    assert [r for r in foreign_state(a)["rules4"] if r["priority"] == 7109]


@pytest.mark.parametrize("more", ["ipproto tcp", "fwmark 5", "oif eth0"])
def test_a_narrower_rule_with_our_protocol_does_no_harm(figure, more):
    """It has our mark and is not in the plan. The kernel, told to delete it
    by what we know of it, could take the rule that only looks like it."""
    a = figure.a
    daemon = figure.start()
    before = own_rules(a, 4)
    a.ip(f"rule add pref 7109 from 10.1.0.0/24 iif lo {more} table 7100 "
         "protocol 109")
    until(lambda: daemon.status()["steady"], 1, what="steady again")
    assert set(own_rules(a, 4)) == set(before)
    plain = [rule for rule in a.rules(4) if rule.get("from") == "10.1.0.0/24"
             and not {"ipproto", "fwmark", "oif"} & set(rule)]
    assert len(plain) == 1
    daemon.terminate()
    assert own_routes(a, 4) == []


# -- routes ----------------------------------------------------------------


def test_a_deleted_route_is_put_back(figure, family, model):
    a = figure.a
    daemon = figure.start(config(model))
    before = own_state(a)
    number = daemon.table("eth1", family.net2)
    with Watch(a) as watch:
        a.ip(f"route del default {family.via2} table {number}")
        daemon.wait()
        assert repair_time(watch, lambda e: e.kind == "DELROUTE",
                           lambda e: e.kind == "NEWROUTE") < REPAIR_LIMIT_S
    assert own_state(a) == before


@pytest.mark.parametrize("other", [
    "via 10.1.0.1 dev eth0",
    "via 10.2.0.1 dev eth1 mtu 1400",
    "nexthop via 10.1.0.1 dev eth0 nexthop via 10.2.0.1 dev eth1",
])
def test_one_behind_ours_with_our_mark_goes(figure, other):
    a = figure.a
    daemon = figure.start()
    before = own_state(a)
    number = daemon.table("eth1", "10.2.0.0/24")
    a.ip(f"route append default table {number} metric 1024 proto 109 {other}")
    daemon.wait()
    assert own_state(a) == before
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.2.0.1 dev eth1"


def test_one_for_a_source_with_our_mark_goes(figure):
    a = figure.a
    daemon = figure.start()
    before = own_state(a)
    number = daemon.table("eth1", "2001:db8:2::/64")
    a.ip("route add default from 2001:db8:2::/64 via 2001:db8:1::1 dev eth0 "
         f"table {number} metric 1024 proto 109", family=6)
    daemon.wait()
    assert own_state(a) == before
    assert a.leaves_by("2001:db8:b::9", "2001:db8:2::2") == \
        "via fe80::1 dev eth1"


def test_a_replaced_route_is_put_back(figure, family):
    a = figure.a
    daemon = figure.start()
    before = own_state(a)
    number = daemon.table("eth1", family.net2)
    a.ip(f"route replace default {family.via1} table {number} metric 1024")
    daemon.wait()
    assert own_state(a) == before
    assert a.leaves_by(family.b, family.a2) == family.via2


def test_a_route_that_only_changed_hands_is_taken_back(figure, family):
    """Replaced by itself with another protocol: it would outlive us."""
    a = figure.a
    daemon = figure.start()
    before = own_state(a)
    number = daemon.table("eth1", family.net2)
    a.ip(f"route replace default {family.via2} table {number} metric 1024 "
         "proto static")
    daemon.wait()
    assert own_state(a) == before


def test_a_flushed_table_is_filled_again(figure, family, model):
    a = figure.a
    daemon = figure.start(config(model))
    before = own_state(a)
    number = daemon.table("eth1", family.net2)
    with Watch(a) as watch:
        a.ip(f"route flush table {number}", family.number)
        daemon.wait()
        assert repair_time(watch, lambda e: e.kind == "DELROUTE",
                           lambda e: e.kind == "NEWROUTE") < REPAIR_LIMIT_S
        assert watch.lost_rules() == []
    assert own_state(a) == before


def test_every_table_and_every_rule_at_once(figure, model):
    a = figure.a
    daemon = figure.start(config(model))
    before = own_state(a)
    for family in (4, 6):
        tables = [table for _, _, table in own_rules(a, family)]
        delete_rules(a, family)
        a.ip("\n".join(f"route flush table {table}" for table in tables
                       if table != 254), family)
    daemon.wait()
    assert own_state(a) == before


def test_a_route_of_its_own_in_our_table_may_stay(figure, family):
    a = figure.a
    daemon = figure.start()
    number = daemon.table("eth1", family.net2)
    before = own_state(a)
    a.ip(f"""
        route add {family.other} {family.via1} table {number} metric 5
        route add default {family.via1} table {number} metric 4000
    """)
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a2) == family.via1
    assert a.leaves_by(family.b, family.a2) == family.via2
    assert own_state(a) == before
    assert f"in our table {number}" in daemon.log()
    daemon.terminate()
    left = a.route_lines(number, family.number)
    assert len(left) == 2 and all("109" not in line for line in left)


def test_a_gateway_we_keep_resolved_is_put_back(figure):
    a = figure.a
    daemon = figure.start()
    before = own_neighbours(a)
    assert before
    a.ip("neigh del 10.1.0.1 dev eth0\nneigh del fe80::1 dev eth1")
    daemon.wait()
    until(lambda: own_neighbours(a) == before, what=f"{before} again")


# -- who, and how often ----------------------------------------------------


@pytest.mark.no_sandbox("other users' processes are hidden")
def test_the_log_names_who_did_it(figure):
    a = figure.a
    with Meddler(a) as meddler, Watch(a) as watch:
        assert meddler.port == os.getpid()
        daemon = figure.start()
        ours = next(e for e in watch.events()
                    if e.kind == "NEWRULE" and e.metric == 7109)
        assert meddler.repeat(ours, delete=True) == 0
        daemon.wait()
    line = next(line for line in daemon.log().splitlines()
                if "put back" in line)
    assert f"(pid {os.getpid()})" in line
    with open(f"/proc/{os.getpid()}/comm", encoding="ascii") as file:
        assert file.read().strip() in line
    assert "priority 7109 from 10." in line


def delete_unreachable(a, family):
    lines = []
    for line in own_routes(a, family):
        found = re.search(r"^unreachable default.* table (\d+) .*"
                          r"metric (\d+)", line)
        if found:
            lines.append("route del unreachable default "
                         f"table {found.group(1)} metric {found.group(2)}")
    assert lines, "strong tables end in an unreachable default"
    a.ip("\n".join(lines), family)


def test_networkd_like_burst_is_repaired_at_once(figure):
    """What networkd 252 does when a link of its own is configured: every rule
    and every unreachable route that it does not know goes, at one go."""
    a = figure.a
    daemon = figure.start(config("strong"))
    before = own_state(a)
    with Watch(a) as watch:
        for family in (4, 6):
            delete_rules(a, family)
            delete_unreachable(a, family)
        daemon.wait()
        assert repair_time(watch, lambda e: e.kind in ("DELRULE", "DELROUTE"),
                           lambda e: e.kind in ("NEWRULE", "NEWROUTE")
                           ) < REPAIR_LIMIT_S
    assert own_state(a) == before
    assert 1 <= daemon.log().count("put back") <= 2


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def wage_war(meddler, event):
    """Delete what the event said whenever it is there, WAR times; how long
    that took, in seconds."""
    start, times = time.monotonic(), 0
    while times < WAR:
        if meddler.repeat(event, delete=True) == 0:
            times += 1
        else:
            time.sleep(0.001)
        assert time.monotonic() - start < 5, f"put back only {times} times"
    return time.monotonic() - start


def test_in_a_war_we_back_off_and_win_in_the_end(figure):
    a = figure.a
    with Meddler(a) as meddler, Watch(a) as watch:
        daemon = figure.start()
        before = own_state(a)
        ours = next(e for e in watch.events()
                    if e.kind == "NEWRULE" and e.metric == 7109)
        spent = cpu_seconds(daemon.process)
        took = wage_war(meddler, ours)
        spent = cpu_seconds(daemon.process) - spent
        assert took > 0.4, "no back-off"
        assert spent < 0.3
        assert not daemon.status()["steady"]
        assert "keeps changing" in str(daemon.status()["problems"])
        until(lambda: own_state(a) == before, 5)
        daemon.wait()
    log = daemon.log()
    assert 1 <= log.count("put back") <= 2
    # In the unit's sandbox other users' processes are hidden.
    who = "an unknown process" if os.environ.get("MULTIHOMED_SANDBOXED") \
        else f"(pid {os.getpid()})"
    assert who in log


def test_a_war_over_one_rule_does_not_hold_up_anything_else(figure, family):
    """While that rule waits, routes follow main as always."""
    a = figure.a
    with Meddler(a) as meddler, Watch(a) as watch:
        daemon = figure.start()
        ours = next(e for e in watch.events()
                    if e.kind == "NEWRULE" and e.metric == 7109)
        wage_war(meddler, ours)
        a.ip(f"route add {family.other} {family.via2}")
        until(lambda: a.leaves_by(family.other_host, family.a1)
              == family.via2, 0.25)
        length = {4: 24, 6: 64}[family.number]
        new = {4: "10.7.0.2", 6: "2001:db8:7::2"}[family.number]
        gateway = {4: "10.7.0.1", 6: "fe80::7"}[family.number]
        a.ip(f"""
            addr add {new}/{length} dev eth1
            route add default via {gateway} dev eth1 metric 300
        """)
        until(lambda: f"{new[:-1]}" in str(own_rules(a, family.number)), 0.25,
              what="a rule for the new subnet")


def test_a_war_over_one_route_does_not_hold_up_the_same_prefix(figure):
    """Somebody keeps deleting a copy of the default; meanwhile main's default
    changes for real, which must not wait for the end of the war."""
    a = figure.a
    with Meddler(a) as meddler, Watch(a) as watch:
        daemon = figure.start()
        number = daemon.table("eth0", "10.1.0.0/24")
        copy = next(e for e in watch.events()
                    if e.kind == "NEWROUTE" and e.table == number
                    and e.prefix == "0.0.0.0/0")
        wage_war(meddler, copy)
        figure.r2.ip("addr add 10.2.0.254/24 dev lan")
        a.ip("route replace default via 10.2.0.254 dev eth1 metric 200")
        until(lambda: a.leaves_by("203.0.113.9", "10.2.0.2")
              == "via 10.2.0.254 dev eth1", 0.25)
