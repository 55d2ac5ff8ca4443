# SPDX-License-Identifier: GPL-2.0-or-later
"""The method Monitor: what came in, what it changed, what was written."""

import itertools
import socket
import threading
import time

import pytest

from lab import Daemon, until
from lab.daemon import ROOT
from lab.shim import preload, put_number
from lab.varlink import Client, Closed, parse

CONTRACT = parse((ROOT / "docs" / "io.multihomed.varlink").read_text())
MONITOR = "io.multihomed.Monitor"
STATUS = "io.multihomed.Status"
LINES_MAX = 100


class Ear:
    """A client that listens."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.client = Client(daemon.socket_path)
        self.client.send(MONITOR, {}, more=True)
        # An answer to another: the daemon has read what was sent before it.
        with Client(daemon.socket_path) as other:
            other.call(STATUS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def next(self):
        """The next round, as the contract has it."""
        reply = self.client.receive()
        assert reply.continues and not reply.error, reply
        wrong = CONTRACT.mismatches(reply.parameters,
                                    CONTRACT.methods["Monitor"].output)
        assert not wrong, wrong
        return reply.parameters

    def until(self, found):
        """Rounds up to the first for which found(round) holds, that one
        included."""
        rounds = [self.next()]
        while not found(rounds[-1]):
            rounds.append(self.next())
            assert len(rounds) < 5000
        return rounds

    def is_quiet(self, seconds=0.3):
        try:
            self.client.receive(seconds)
        except TimeoutError:
            return True
        return False


def heard(rounds):
    return [line for each in rounds for line in each["heard"]]


def wrote(rounds):
    return [line for each in rounds for line in each["wrote"]]


# -- one call --------------------------------------------------------------

def test_a_call_without_more_is_told_so(figure):
    daemon = figure.start()
    with Client(daemon.socket_path) as client:
        reply = client.ask(MONITOR)
        assert reply.error == "org.varlink.service.ExpectedMore"
        client.call(STATUS)


def test_nothing_is_told_while_nothing_happens(figure):
    with Ear(figure.start()) as ear:
        assert ear.is_quiet()


def test_one_route_is_one_round(figure, family):
    a = figure.a
    with Ear(figure.start()) as ear:
        before = time.time()
        a.ip(f"route add {family.other} {family.via2}")
        told = ear.next()
        assert ear.is_quiet()
    assert told["cause"] == "kernel"
    assert before - 1 < told["time"] < time.time() + 1
    assert len(told["heard"]) == 1 and told["heard_more"] == 0
    assert told["heard"][0].startswith(
        f"route {family.other} {family.via2} ")
    assert " table main: added" in told["heard"][0]
    assert told["prefixes"] == 1
    assert [line.split(" proto ")[0] for line in told["wrote"]] == [
        f"-{family.number} route replace {family.other} {family.via2}"] * 2
    assert told["planned"] == [] and told["failed"] == []
    assert 0 < told["milliseconds"] < 1000


def test_carrier_loss_says_which_subnet_is_weak_now(figure):
    with Ear(figure.start()) as ear:
        figure.r2.ip("link set lan down")
        rounds = ear.until(lambda told: told["planned"])
    assert "link eth1 up, no carrier" in heard(rounds)
    assert rounds[-1]["planned"] == [
        "10.2.0.0/24 on eth1: weak now (was congruent)",
        "2001:db8:2::/64 on eth1: weak now (was congruent)"]


def test_strong_subnets_are_dropped(figure):
    with Ear(figure.start('model = "strong";')) as ear:
        figure.r2.ip("link set lan down")
        rounds = ear.until(lambda told: told["planned"])
    assert "10.2.0.0/24 on eth1: dropped (strong) now (was congruent)" in \
        rounds[-1]["planned"]


def test_another_next_hop_is_told(figure):
    a = figure.a
    with Ear(figure.start()) as ear:
        a.ip("route replace default via 10.1.0.7 dev eth0 metric 100")
        rounds = ear.until(lambda told: told["planned"])
    assert rounds[-1]["planned"] == [
        "10.1.0.0/24 on eth0: leaving via 10.1.0.7 dev eth0 now "
        "(was via 10.1.0.1 dev eth0)"]


def test_an_address_that_comes_and_goes(figure):
    a = figure.a
    with Ear(figure.start()) as ear:
        a.ip("""
            addr add 10.4.0.2/24 dev eth1
            route add default via 10.4.0.1 dev eth1 metric 300
        """)
        rounds = ear.until(lambda told: told["planned"])
        assert "address 10.4.0.2/24 on eth1" in heard(rounds)
        assert rounds[-1]["planned"] == [
            "10.4.0.0/24 on eth1: managed now, table 7104, congruent"]
        a.ip("addr del 10.4.0.2/24 dev eth1")
        rounds = ear.until(lambda told: told["planned"])
        assert "address 10.4.0.2/24 on eth1 gone" in heard(rounds)
        assert rounds[-1]["planned"] == [
            "10.4.0.0/24 on eth1: no longer managed"]


def test_what_waits_for_the_settle_time_is_a_round_of_the_timer(figure):
    a = figure.a
    a.ip("route add 198.51.100.0/24 via 10.2.0.1")
    with Ear(figure.start("settle_ms = 100;")) as ear:
        a.ip("route del 198.51.100.0/24 via 10.2.0.1")
        first, second = ear.next(), ear.next()
    assert first["cause"] == "kernel" and first["wrote"] == []
    assert first["heard"][0].startswith("route 198.51.100.0/24 via 10.2.0.1")
    assert ": gone" in first["heard"][0]
    assert second["cause"] == "timer" and second["heard"] == []
    assert len(second["wrote"]) == 2
    assert all(line.startswith("-4 route del 198.51.100.0/24")
               for line in second["wrote"])


def test_a_reload_is_a_round_of_the_config(figure):
    with Ear(figure.start()) as ear:
        ear.daemon.reload('model = "strong";')
        told = ear.next()
    assert told["cause"] == "config"
    assert "10.1.0.0/24 on eth0: in the strong model now" in told["planned"]
    assert "-4 route replace unreachable 0.0.0.0/0" in " ".join(told["wrote"])


def test_meddling_says_who(figure):
    a = figure.a
    with Ear(figure.start()) as ear:
        a.ip("rule del pref 7109 from 10.1.0.0/24")
        told = ear.until(lambda told: told["wrote"])[-1]
    assert told["heard"][0].startswith(
        "rule -4 priority 7109 from 10.1.0.0/24 iif lo lookup 7100 "
        "protocol 109: gone (port ")
    assert told["wrote"] == ["-4 rule add priority 7109 from 10.1.0.0/24 "
                             "iif lo lookup 7100 protocol 109"]


def test_a_tunnel_that_is_yielded_to(figure):
    a = figure.a
    a.tun("tun0")
    a.ip("link set tun0 up")
    with Ear(figure.start()) as ear:
        a.ip("""
            route add default dev tun0 table 51820
            rule add pref 100 not fwmark 0xca6c table 51820
        """)
        rounds = ear.until(lambda told: told["planned"])
        assert rounds[-1]["planned"] == [
            "IPv4: yielding to a full tunnel now"]
        a.ip("rule del pref 100")
        rounds = ear.until(lambda told: told["planned"])
        assert rounds[-1]["planned"] == ["IPv4: no longer yielding to a tunnel"]


def test_what_the_kernel_refuses_is_told(figure):
    """A route whose gateway lost its connected route; with onlink the copy is
    taken in the next round."""
    a = figure.a
    with Ear(figure.start()) as ear:
        a.ip("""
            addr add 10.9.0.2/24 dev eth1
            route add 198.51.100.0/24 via 10.9.0.1 dev eth1
        """)
        ear.until(lambda told: told["wrote"])
        # The address goes, and a subnet comes that lacks the copy.
        a.ip("""
            addr del 10.9.0.2/24 dev eth1
            addr add 10.4.0.2/24 dev eth1
            route add default via 10.4.0.1 dev eth1 metric 300
        """)
        rounds = ear.until(lambda told: told["failed"])
    assert "198.51.100.0/24" in rounds[-1]["failed"][0]
    assert "Nexthop has invalid gateway" in rounds[-1]["failed"][0]


# -- storms ----------------------------------------------------------------

def burst(host, count, verb="add"):
    host.ip("\n".join(f"route {verb} 100.64.{i // 250}.{i % 250}/32 "
                      "via 10.2.0.1" for i in range(count)))


def test_long_lists_end_in_a_count(figure):
    a = figure.a
    with Ear(figure.start()) as ear:
        ear.daemon.freeze()
        burst(a, 300)
        ear.daemon.thaw()
        rounds = ear.until(lambda told: told["wrote_more"])
    for told in rounds:
        assert len(told["heard"]) <= LINES_MAX
        assert len(told["wrote"]) <= LINES_MAX
    assert sum(len(told["heard"]) + told["heard_more"]
               for told in rounds) == 300
    assert sum(len(told["wrote"]) + told["wrote_more"]
               for told in rounds) == 600


def test_all_listeners_hear_the_same(figure):
    daemon = figure.start()
    ears = [Ear(daemon) for _ in range(20)]
    burst(figure.a, 30)
    daemon.wait()
    stories = []
    for ear in ears:
        told, n = [], 0
        while n < 60:
            told.append(ear.next())
            n += len(told[-1]["wrote"]) + told[-1]["wrote_more"]
        stories.append(told)
        ear.client.close()
    assert all(story == stories[0] for story in stories)


def test_who_goes_leaves_nothing_behind(figure):
    daemon = figure.start()

    def listeners():
        with Client(daemon.socket_path) as client:
            metrics = client.call("io.multihomed.Metrics")["metrics"]
        return next(m["samples"][0]["value"] for m in metrics
                    if m["name"] == "multihomed_control_monitors")

    ears = [Ear(daemon) for _ in range(5)]
    assert listeners() == 5
    for ear in ears:
        ear.client.close()
    until(lambda: listeners() == 0)
    figure.a.ip("route add 198.51.100.0/24 via 10.2.0.1")
    daemon.wait()


def test_the_daemons_end_is_the_listeners_end(figure):
    daemon = figure.start()
    with Ear(daemon) as ear:
        daemon.terminate()
        with pytest.raises(Closed):
            while True:
                ear.client.receive()


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_nothing_is_left_out_while_others_ask(figure):
    """After each long turn who asks comes first: in a round of the loop that has
    heard something, and tells it later."""
    lab, is_over = figure.lab, threading.Event()
    slow = put_number(f"{lab.directory}/slow", 0)
    daemon = Daemon(figure.a, "settle_ms = 0;", env=preload(slow=slow))
    lab.daemons.append(daemon)
    daemon.start()
    put_number(slow, 15)
    asker = threading.Thread(target=ask_on, args=(daemon, is_over))
    with Ear(daemon) as ear:
        asker.start()
        try:
            burst(figure.a, 200)
            n = 0
            while n < 200:
                told = ear.next()
                n += len(told["heard"]) + told["heard_more"]
        finally:
            is_over.set()
            asker.join()
    assert n == 200


def ask_on(daemon, is_over):
    """Some calls are always on their way."""
    with Client(daemon.socket_path) as client:
        for _ in range(20):
            client.send(STATUS)
        while not is_over.is_set():
            client.send(STATUS)
            client.receive()


@pytest.mark.slow
def test_a_listener_that_does_not_read_is_dropped(figure):
    """The others hear everything, and nobody waits for it."""
    a = figure.a
    daemon = figure.start("settle_ms = 0;")
    deaf = Ear(daemon)
    deaf.client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slowest, heard_lines, dropped = 0.0, 0, False
    with Ear(daemon) as ear:
        # On a busy machine rounds are fewer and larger: it takes more turns.
        ends = time.monotonic() + 60
        for turn in itertools.count():
            if time.monotonic() > ends:
                break
            burst(a, 200, ("add", "del")[turn % 2])
            before = time.monotonic()
            with Client(daemon.socket_path) as client:
                client.call(STATUS)
            slowest = max(slowest, time.monotonic() - before)
            while heard_lines < 200 * (turn + 1):
                told = ear.next()
                heard_lines += len(told["heard"]) + told["heard_more"]
            dropped = "does not read fast enough" in daemon.log()
            if dropped:
                break
    assert dropped
    assert slowest < 1
    with pytest.raises(Closed):
        while True:
            deaf.client.receive()
    deaf.client.close()
