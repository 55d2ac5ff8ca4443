# SPDX-License-Identifier: GPL-2.0-or-later
"""Very many routes at once, and more messages than the socket holds.

The yardstick afterwards is twofold: our tables hold what main says, prefix by
prefix; and `--plan`, a process that reads everything anew, has nothing to do.
"""

import os
import re
import signal
import threading
import time

import pytest

from lab import V4, Daemon, until
from lab.ask import Asker
from lab.own import foreign_state, nothing_is_ours, own_rules, own_sources
from lab.varlink import Client
from lab.watch import Watch

MANY = {4: 50000, 6: 20000}
LOST = "the kernel dropped messages"
LIMIT_S = 120

pytestmark = pytest.mark.slow


def prefix(number, i):
    if number == 4:
        return f"20.{i >> 8}.{i & 255}.0/24"
    return f"2001:db8:{0x1000 + (i >> 12):x}:{i & 0xfff:x}::/64"


def paths(family):
    return (family.via1, family.via2)


def lines(family, verb, count):
    """`ip -batch` lines for count routes, R1 and R2 in turns."""
    return "".join(f"route {verb} {prefix(family.number, i)} "
                   f"{paths(family)[i % 2]}\n" for i in range(count))


def batch(a, text):
    """One `ip -batch`; its text is too long to be shown when it fails."""
    done = a.run("ip", "-batch", "-", stdin=text, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr[-500:]


def wait(daemon):
    """As daemon.wait(), with the patience that 100,000 routes need."""
    def is_steady():
        try:
            return daemon.ctl("wait", check=False).returncode == 0
        except AssertionError:
            return False  # no answer yet
    until(is_steady, LIMIT_S)


def start(figure, model):
    """As figure.start(), with that patience."""
    daemon = Daemon(figure.a, f'model = "{model}";')
    figure.lab.daemons.append(daemon)
    daemon.start(wait=False)
    wait(daemon)
    return daemon


def end(daemon):
    """As daemon.terminate(), with that patience."""
    daemon.signal(signal.SIGTERM)
    assert daemon.process.wait(timeout=LIMIT_S) == 0


def words_of(line):
    """"20.0.0.0/24 via 10.1.0.1 dev eth0", or "... unreachable"."""
    words = line.split()
    if words[0] == "7":
        return f"{words[1]} unreachable"
    end = words.index("dev") + 2
    return " ".join(words[:end])


def burst_routes(a, table, number):
    """{prefix: the rest} of those of lines() that a table has."""
    mine = re.compile({4: r"20\.", 6: r"2001:db8:1...:"}[number])
    found = {}
    for line in a.route_lines(table, number):
        dst, _, rest = words_of(line).partition(" ")
        if mine.match(dst):
            found[dst] = rest
    return found


def assert_complete(a, daemon, family, model, count):
    number = family.number
    main = burst_routes(a, "main", number)
    assert len(main) == count
    sources = own_sources(a, number)
    for net, own in ((family.net1, 0), (family.net2, 1)):
        have = burst_routes(a, sources[net], number)
        assert len(have) == count
        for dst, path in main.items():
            want = path
            if model == "strong" and path != paths(family)[own]:
                want = "unreachable"
            if have[dst] != want:
                pytest.fail(f"{dst} of {net}: {have[dst]}, not {want}")
    assert daemon.plan() == ""


def test_many_routes_come_and_go(figure, family, model):
    a, count = figure.a, MANY[family.number]
    daemon = figure.start(f'model = "{model}";')
    before = foreign_state(a)
    rules = own_rules(a, 4), own_rules(a, 6)
    with Watch(a) as watch:
        batch(a, lines(family, "add", count))
        wait(daemon)
        assert_complete(a, daemon, family, model, count)
        batch(a, lines(family, "del", count))
        wait(daemon)
        assert watch.lost_rules() == []
        torn_down = [e for e in watch.by(daemon) if e.kind == "DELROUTE"
                     and e.prefix in ("0.0.0.0/0", "::/0")]
        assert torn_down == []
    assert (own_rules(a, 4), own_rules(a, 6)) == rules
    for source in own_sources(a, family.number).values():
        assert burst_routes(a, source, family.number) == {}
    assert daemon.plan() == ""
    assert foreign_state(a) == before


def test_many_routes_at_the_start_and_at_the_end(figure, family, model):
    a, count = figure.a, MANY[family.number]
    batch(a, lines(family, "add", count))
    daemon = start(figure, model)
    assert_complete(a, daemon, family, model, count)
    daemon.kill()
    daemon.start(wait=False)
    wait(daemon)
    assert daemon.log().count("plan ") == 1, "it wrote something again"
    end(daemon)
    assert nothing_is_ours(a)
    assert len(burst_routes(a, "main", family.number)) == count


def test_a_start_with_many_routes_leads_nobody_astray(figure, family, model):
    """Each packet goes as main has it, and from one moment on as planned."""
    a, count = figure.a, MANY[family.number]
    batch(a, lines(family, "add", count))
    hosts = [prefix(family.number, i).partition("/")[0]
             for i in (0, 1, count // 2, count - 1)] + [family.b]
    packets = [(src, dst) for src in (family.a1, family.a2) for dst in hosts]
    daemon = Daemon(figure.a, f'model = "{model}";')
    figure.lab.daemons.append(daemon)
    with Asker(a) as asker:
        seen = {packet: [asker.ask(*packet).words] for packet in packets}
        daemon.start(wait=False)
        waiter = threading.Thread(target=wait, args=(daemon,))
        waiter.start()
        rounds, is_over = 0, False
        while not is_over:
            is_over = not waiter.is_alive()
            for packet in packets:
                words = asker.ask(*packet).words
                if words != seen[packet][-1]:
                    seen[packet].append(words)
            rounds += 1
        waiter.join()
    assert_complete(a, daemon, family, model, count)
    assert rounds > 100
    assert max(len(ways) for ways in seen.values()) == 2, seen
    assert seen[(family.a2, family.b)] == [family.via1, family.via2]
    end(daemon)


def test_a_link_with_many_routes_goes_down(figure, family, model):
    """IPv4: without a word of the kernel. IPv6: with 10,000."""
    a, count = figure.a, MANY[family.number]
    daemon = figure.start(f'model = "{model}";')
    batch(a, lines(family, "add", count))
    wait(daemon)
    a.ip("link set eth1 down")
    wait(daemon)
    main = burst_routes(a, "main", family.number)
    assert len(main) == count // 2
    number = own_sources(a, family.number)[family.net1]
    assert burst_routes(a, number, family.number) == main
    assert daemon.plan() == ""
    assert a.leaves_by(family.b, family.a1) == family.via1
    end(daemon)


def test_a_table_of_many_routes_that_another_tool_flushes(figure, family):
    """Each deletion is a message about what is ours; and ip, which repeats
    until the table is empty, may give up before we do."""
    a, count = figure.a, MANY[family.number]
    daemon = figure.start()
    batch(a, lines(family, "add", count))
    wait(daemon)
    number = own_sources(a, family.number)[family.net2]
    with Watch(a) as watch:
        a.run("ip", f"-{family.number}", "route", "flush", "table",
              str(number), timeout=LIMIT_S, check=False)
        wait(daemon)
        assert watch.lost_rules() == []
    assert_complete(a, daemon, family, "weak", count)
    assert "put back" in daemon.log()
    end(daemon)


def test_it_answers_while_routes_pour_in(figure):
    """A control client gets its answer; the rules stand."""
    a = figure.a
    daemon = figure.start()
    text = lines(V4, "add", MANY[4])
    with Watch(a) as watch:
        writer = threading.Thread(target=batch, args=(a, text))
        writer.start()
        slowest = 0.0
        while writer.is_alive():
            start = time.monotonic()
            assert len(daemon.status()["subnets"]) == 4
            slowest = max(slowest, time.monotonic() - start)
        writer.join()
        assert slowest < 5
        wait(daemon)
        assert watch.lost_rules() == []
    assert_complete(a, daemon, V4, "weak", MANY[4])
    end(daemon)


def test_lost_messages_are_made_good(figure, family, model):
    """It does not run while more comes than its socket holds."""
    a, count = figure.a, MANY[family.number]
    daemon = figure.start(f'model = "{model}";')
    with Watch(a) as watch:
        daemon.freeze()
        batch(a, lines(family, "add", count))
        daemon.thaw()
        until(lambda: LOST in daemon.log(), LIMIT_S, what="word of the loss")
        wait(daemon)
        assert_complete(a, daemon, family, model, count)
        daemon.freeze()
        batch(a, lines(family, "del", count))
        daemon.thaw()
        wait(daemon)
        assert watch.lost_rules() == []
    for source in own_sources(a, family.number).values():
        assert burst_routes(a, source, family.number) == {}
    assert daemon.plan() == ""


def test_what_changed_beside_the_loss_is_seen_too(figure, model):
    """Links, addresses, rules and our own tables, while messages are lost."""
    a = figure.a
    daemon = figure.start(f'model = "{model}";')
    number = daemon.table("eth0", "10.1.0.0/24")
    figure.r2.ip("addr add 10.7.0.1/24 dev lan")
    daemon.freeze()
    batch(a, lines(V4, "add", MANY[4]))
    batch(a, lines(V4, "del", 2000))
    a.ip(f"""
        link set eth1 name wan0
        addr add 10.7.0.2/24 dev wan0
        route add default via 10.7.0.1 dev wan0 metric 300
        addr del 10.1.0.2/24 dev eth0
        route flush table {number}
    """)
    a.ip("rule flush", 6)
    daemon.thaw()
    until(lambda: LOST in daemon.log(), LIMIT_S, what="word of the loss")
    wait(daemon)
    assert sorted(own_sources(a, 4)) == ["10.2.0.0/24", "10.7.0.0/24"]
    assert len(own_rules(a, 6)) == 3
    assert daemon.plan() == ""
    assert a.leaves_by("203.0.113.9", "10.7.0.2") == "via 10.7.0.1 dev wan0"
    end(daemon)


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def test_a_storm_of_flaps_ends_where_main_ends(figure, family, model):
    """Defaults and a more specific prefix, as fast as ip can."""
    a = figure.a
    daemon = figure.start(f'model = "{model}";')
    one, two = paths(family)
    storm = f"""route del default {two} metric 200
        route add default {two} metric 200
        route replace {family.other} {one}
        route replace {family.other} {two}
        route del {family.other} {two}
        route add default {one} metric 50
        route del default {one} metric 50
        """ * 300
    with Watch(a) as watch:
        for _ in range(3):
            batch(a, storm)
        a.ip(f"route add {family.other} {two}")
        wait(daemon)
        assert watch.lost_rules() == []
    assert daemon.plan() == ""
    assert a.leaves_by(family.b, family.a2) == two
    assert a.leaves_by(family.other_host, family.a2) == two
    spent = cpu_seconds(daemon.process)
    time.sleep(0.3)  # calm is over what is measured, not a wait for it
    assert cpu_seconds(daemon.process) - spent < 0.05


def test_what_was_queued_before_a_loss_is_old(figure):
    """Added, which was queued, and deleted, which was lost: what is read then
    says how it is, and what is still queued how it was."""
    a = figure.a
    daemon = start(figure, "weak")
    daemon.freeze()
    for verb in ("add", "del"):
        batch(a, lines(V4, verb, MANY[4]))
    daemon.thaw()
    until(lambda: LOST in daemon.log(), 60)
    wait(daemon)
    for source in own_sources(a, 4).values():
        assert burst_routes(a, source, 4) == {}
    assert daemon.plan() == ""


def test_wait_is_for_all_that_was_queued(figure):
    """More than is taken in at one go."""
    a = figure.a
    daemon = figure.start("settle_ms = 0;")
    with Client(daemon.socket_path) as client:
        client.call("io.multihomed.Wait")
        daemon.freeze()
        pair = "route {} 198.51.100.1/32 via 10.1.0.1 dev eth0\n"
        batch(a, (pair.format("add") + pair.format("del")) * 4000 +
              "route add 198.51.100.9/32 via 10.2.0.1 dev eth1\n")
        client.send("io.multihomed.Wait")
        daemon.thaw()
        client.receive()
        daemon.freeze()
        found = a.leaves_by("198.51.100.9", "10.1.0.2")
        daemon.thaw()
    assert found == "via 10.2.0.1 dev eth1"
