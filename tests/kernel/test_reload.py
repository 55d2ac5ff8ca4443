# SPDX-License-Identifier: GPL-2.0-or-later
"""A new config for a running daemon, by SIGHUP and by multihomectl."""

import os
import signal

import pytest

from lab import tcp_open, until
from lab.own import (all_routes, foreign_state, own_routes, own_rules,
                     own_sources, own_state)
from lab.snmp import retransmission_timeouts
from lab.watch import Watch


@pytest.fixture(params=["SIGHUP", "multihomectl"])
def reload(request):
    """reload(daemon, text): by either way, back when it is steady."""
    def by_signal(daemon, text):
        count = daemon.log().count("configuration read again")
        daemon.set_config(text)
        daemon.signal(signal.SIGHUP)
        until(lambda: daemon.log().count("configuration read again") > count)
        daemon.wait()

    def by_ctl(daemon, text):
        daemon.set_config(text)
        daemon.ctl("reload")
        daemon.wait()

    return by_signal if request.param == "SIGHUP" else by_ctl


def test_weak_to_strong_and_back(figure, family, reload):
    a = figure.a
    a.ip(f"route add {family.other} {family.via1}")
    daemon = figure.start('model = "weak";')
    weak = own_state(a)
    assert a.leaves_by(family.other_host, family.a2) == family.via1
    reload(daemon, 'model = "strong";')
    assert a.leaves_by(family.other_host, family.a2) == "EHOSTUNREACH"
    assert a.leaves_by(family.b, family.a2) == family.via2
    assert daemon.status()["model"] == "strong"
    reload(daemon, 'model = "weak";')
    assert a.leaves_by(family.other_host, family.a2) == family.via1
    assert own_state(a) == weak


def test_the_same_config_again_writes_nothing(figure, model, reload):
    a = figure.a
    daemon = figure.start(f'model = "{model}";')
    before = own_state(a)
    with Watch(a) as watch:
        reload(daemon, f'model = "{model}";')
        assert watch.by(daemon) == []
    assert own_state(a) == before


def test_other_table_numbers(figure, model):
    """The tables move; no source is without its route for a moment, and
    nothing is left in the old ones."""
    a, b = figure.a, figure.b
    daemon = figure.start(f'model = "{model}";')
    with tcp_open(a, b, "203.0.113.9", "10.2.0.2") as connection:
        daemon.reload(f'model = "{model}";\n'
                      'tables = { first = 3000; last = 3010; };')
        connection.exchange()
        assert retransmission_timeouts(a, b) == 0
    for family in (4, 6):
        numbers = own_sources(a, family).values()
        assert all(3000 <= number <= 3010 for number in numbers)
        assert not [line for line in all_routes(a, family)
                    if " table 71" in line]
        assert own_routes(a, family)
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.2.0.1 dev eth1"
    assert a.leaves_by("2001:db8:b::9", "2001:db8:2::2") == \
        "via fe80::1 dev eth1"


def test_routes_are_in_the_new_tables_before_their_rules(figure):
    """And the old rules go before the old routes."""
    a = figure.a
    daemon = figure.start()
    with Watch(a) as watch:
        daemon.reload("tables = { first = 3000; last = 3010; };")
        events = watch.by(daemon)
    def at(kind):
        return [i for i, e in enumerate(events) if e.kind == kind]
    assert at("NEWROUTE") and at("DELROUTE")
    assert max(at("NEWROUTE")) < min(at("NEWRULE"))
    assert max(at("NEWRULE")) < min(at("DELRULE"))
    assert max(at("DELRULE")) < min(at("DELROUTE"))


def test_a_table_range_with_one_number_less_than_needed(figure):
    """The subnet that gets none says so, and the others work."""
    a = figure.a
    daemon = figure.start()
    daemon.reload("tables = { first = 3000; last = 3002; };")
    managed = [s for s in daemon.status()["subnets"] if s.get("table")]
    assert len(managed) == 3
    assert "no table number is free" in str(daemon.status()["problems"])
    assert "no table number is free" in daemon.log()
    daemon.reload("")
    assert len(own_sources(a, 4)) == 2 and len(own_sources(a, 6)) == 2
    assert a.leaves_by("2001:db8:b::9", "2001:db8:2::2") == \
        "via fe80::1 dev eth1"


def test_what_had_no_table_gives_none_up(figure):
    daemon = figure.start()
    daemon.reload("tables = { first = 3000; last = 3002; };")
    daemon.reload('interfaces = ( { match = "eth1"; manage = "never"; } );')
    assert daemon.log().count("is given up") == 1
    assert "table 0" not in daemon.log()


def test_other_priorities(figure, reload):
    a = figure.a
    daemon = figure.start()
    before = own_state(a)
    with Watch(a) as watch:
        reload(daemon, "rule_priority = 4000;")
        kinds = [e.kind for e in watch.by(daemon)]
    assert own_rules(a, 4) == [(4009, "from 10.1.0.0/24", 7100),
                               (4009, "from 10.2.0.0/24", 7101)]
    assert {priority for priority, _, _ in own_rules(a, 6)} == {4000, 4065}
    # Make before break.
    assert kinds == ["NEWRULE"] * 5 + ["DELRULE"] * 5
    assert own_state(a)["routes4"] == before["routes4"]


def test_a_link_that_is_no_longer_managed(figure, family, reload):
    a = figure.a
    daemon = figure.start()
    number = daemon.table("eth1", family.net2)
    with Watch(a) as watch:
        reload(daemon,
               'interfaces = ( { match = "eth1"; manage = "never"; } );')
        events = watch.by(daemon)
    assert list(own_sources(a, family.number)) == [family.net1]
    assert a.routes(number, family.number) == []
    gone = [e for e in events if e.table == number
            and e.kind in ("DELRULE", "DELROUTE")]
    assert gone[0].kind == "DELRULE"
    reload(daemon, "")
    assert a.leaves_by(family.b, family.a2) == family.via2


def test_a_link_that_is_always_managed(figure, family, reload):
    a = figure.a
    source, length = {4: ("10.3.0.2", 24), 6: ("2001:db8:3::2", 64)}[
        family.number]
    figure.lab.bridge(a, "lan0")
    a.ip(f"addr add {source}/{length} dev lan0")
    daemon = figure.start()
    assert len(own_sources(a, family.number)) == 2
    reload(daemon, 'interfaces = ( { match = "lan*"; manage = "always"; } );')
    assert len(own_sources(a, family.number)) == 3
    assert a.leaves_by(family.b, source) == family.via1
    reload(daemon, 'interfaces = ( { match = "lan*"; manage = "always"; '
                   'model = "strong"; } );')
    assert a.leaves_by(family.b, source) == "EHOSTUNREACH"
    reload(daemon, "")
    assert len(own_sources(a, family.number)) == 2


def test_routes_of_the_config_come_and_go(figure, family, reload):
    a = figure.a
    daemon = figure.start()
    assert a.leaves_by(family.other_host, family.a1) == family.via1
    reload(daemon, f"""
        routes = ( {{ to = "{family.other}"; via = "{family.gw2}";
                      dev = "eth1"; metric = 10; }} );""")
    assert a.leaves_by(family.other_host, family.a1) == family.via2
    reload(daemon, "")
    assert a.leaves_by(family.other_host, family.a1) == family.via1


# -- a config that is wrong ------------------------------------------------

BAD = (
    ('modle = "strong";', 1, "modle"),
    ('\nmodel = "srong";', 2, "srong"),
    ("tables = { first = 7100; last = 7000; };", 1, "last"),
    ("model = ;", 1, ""),
    ("\n\nsettle_ms = -1;", 3, "settle_ms"),
)


@pytest.mark.parametrize("text,line,word", BAD)
def test_sighup_with_a_bad_config_keeps_the_old(figure, text, line, word):
    a = figure.a
    daemon = figure.start('model = "strong";')
    before = own_state(a)
    with Watch(a) as watch:
        daemon.reload(text + "\n")
        until(lambda: "stays as it was" in daemon.log())
        assert watch.by(daemon) == []
    assert own_state(a) == before
    assert daemon.status()["model"] == "strong"
    said = [each for each in daemon.log().splitlines()
            if f"{daemon.config_path}:{line}: " in each]
    assert said and word in said[0]


@pytest.mark.parametrize("text,line,word", BAD)
def test_multihomectl_reload_shows_what_is_wrong(figure, text, line, word):
    daemon = figure.start('model = "strong";')
    daemon.set_config(text + "\n")
    done = daemon.ctl("reload", check=False)
    assert done.returncode == 1
    assert f"{daemon.config_path}:{line}: " in done.stdout + done.stderr
    assert word in done.stdout + done.stderr
    assert daemon.status()["model"] == "strong"


def test_every_error_is_told_at_once(figure):
    daemon = figure.start()
    daemon.set_config('model = "big";\nsettle = 5;\nvpn = "no";\n')
    out = daemon.ctl("reload", check=False)
    for line in (1, 2, 3):
        assert f"{daemon.config_path}:{line}: " in out.stdout + out.stderr


def test_another_protocol_is_refused(figure, reload):
    """It is the mark by which we know our own."""
    a = figure.a
    daemon = figure.start()
    before = own_state(a)
    daemon.set_config("protocol = 110;")
    done = daemon.ctl("reload", check=False)
    assert done.returncode == 1
    assert f"{daemon.config_path}:1: protocol: " in done.stdout + done.stderr
    daemon.reload()
    until(lambda: "protocol: cannot change" in daemon.log())
    assert own_state(a) == before
    # What is asked for later is judged by itself.
    reload(daemon, 'model = "strong";')
    assert daemon.status()["model"] == "strong"


def test_where_a_setting_stands_that_cannot_change(figure):
    """Also one that is not there any more: in the file as a whole."""
    daemon = figure.start('control = { group = "root"; };')
    part = daemon.config_path + ".part"
    with open(part, "w", encoding="ascii") as file:
        file.write('\ncontrol = {\n  socket = "/run/nothing";\n'
                   '  group = "daemon";\n};\n')
    daemon.set_config(f'@include "{part}"\n')
    done = daemon.ctl("reload", check=False)
    assert f"{part}:4: control.group: cannot" in done.stdout + done.stderr
    daemon.set_config('model = "strong";\n')
    done = daemon.ctl("reload", check=False)
    assert f"{daemon.config_path}: control.group: cannot" in \
        done.stdout + done.stderr


def test_a_config_file_that_is_gone_keeps_the_old(figure):
    daemon = figure.start('model = "strong";')
    os.unlink(daemon.config_path)
    done = daemon.ctl("reload", check=False)
    assert done.returncode == 1
    assert daemon.config_path in done.stdout + done.stderr
    assert daemon.status()["model"] == "strong"
    daemon.signal(signal.SIGHUP)
    until(lambda: f"{daemon.config_path}: cannot read " in daemon.log())


def test_a_storm_of_reloads_ends_with_the_last(figure, family):
    a = figure.a
    a.ip(f"route add {family.other} {family.via1}")
    before = foreign_state(a)
    daemon = figure.start()
    for i in range(20):
        daemon.set_config(f'model = "{("weak", "strong")[i % 2]}";')
        daemon.signal(signal.SIGHUP)
        a.leaves_by(family.other_host, family.a2)
    daemon.wait()
    until(lambda: daemon.status()["model"] == "strong")
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a2) == "EHOSTUNREACH"
    assert foreign_state(a) == before
