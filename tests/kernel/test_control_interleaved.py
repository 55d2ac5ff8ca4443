# SPDX-License-Identifier: GPL-2.0-or-later
"""Monitor, Verify and Table at once, over 20,000 routes that change meanwhile.

Every stream must be whole: what was there all the time is in it exactly once
and in order. The daemon's own work goes on, and root's questions are answered.
"""

import contextlib
import ipaddress
import itertools
import multiprocessing
import re
import time

import pytest

from lab import until
from lab.contract import CONTRACT, assert_fits, call
from lab.users import GROUP, User, gid_of, let_in
from lab.varlink import INTERFACE, Client
from lab.visit import after_others, assert_prompt, is_sanitized, show, visit
from lab.watch import Watch

COUNT = 20000
SECONDS = 12
LIMIT_S = 120
STATUS_LIMIT_S = ROUTE_LIMIT_S = 0.1
MORE_THAN_ENOUGH = 1 << 20
PAUSE_S = 0.02  # between two batches: some thousand changes in a second

pytestmark = pytest.mark.slow
_fork = multiprocessing.get_context("fork")


def steady_prefix(i):
    return f"30.{i >> 8}.{i & 255}.0/24"


def batch(a, lines):
    done = a.run("ip", "-batch", "-", stdin="\n".join(lines) + "\n",
                 timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr[-500:]


def add_steady(a):
    batch(a, [f"route add {steady_prefix(i)} via 10.{1 + i % 2}.0.1 "
              f"dev eth{i % 2}" for i in range(COUNT)])


def changes():
    """`ip -batch` lines, again and again: prefixes before, between, inside,
    around and behind the steady ones come, change and go."""
    for round_ in itertools.count():
        far = [f"{first}.{round_ % 200}.{i}.0/24" for first in (29, 31, 40)
               for i in range(20)]
        near = [f"30.{i}.{round_ % 250}.{16 * (i % 16)}/28"
                for i in range(0, 78, 3)]
        wide = [f"30.{i << 4}.0.0/12" for i in range(5)]
        some = [steady_prefix(i) for i in range(round_ % 97, COUNT, 997)]
        yield ([f"route add {p} via 10.1.0.1 dev eth0" for p in far + near +
                wide] +
               # The steady ones too: replaced, never gone.
               [f"route change {p} via 10.{1 + round_ % 2}.0.1 "
                f"dev eth{round_ % 2}" for p in some])
        yield [f"route del {p}" for p in far + near + wide]


# -- what the streams are read by: processes of their own ------------------

class Reader:
    """function(path, stop) in a process of a user; its value at the end."""

    def __init__(self, user, function, path, hurry=False):
        self.pipe, theirs = _fork.Pipe()
        self.process = user.start(self._run, function, path, hurry, theirs)
        theirs.close()

    @staticmethod
    def _run(function, path, hurry, pipe):
        if not hurry:
            after_others()
        try:
            pipe.send((True, function(path, lambda: pipe.poll(0))))
        except BaseException as err:  # raised again by finish()
            pipe.send((False, f"{type(err).__name__}: {err}"))

    def stop(self):
        # One that failed has hung up; finish() says why.
        with contextlib.suppress(BrokenPipeError):
            self.pipe.send("stop")

    def finish(self):
        try:
            assert self.pipe.poll(LIMIT_S), "a reader hangs"
            good, value = self.pipe.recv()
        finally:
            self.process.kill()
            self.process.join()
        assert good, value
        return value


def numbers(prefix):
    """Sorts as the daemon promises: by address, then by length."""
    address, _, length = prefix.partition("/")
    if ":" in address:
        return int(ipaddress.IPv6Address(address)), int(length)
    a, b, c, d = map(int, address.split("."))
    return a << 24 | b << 16 | c << 8 | d, int(length)


STEADY = re.compile(r"30\.\d+\.\d+\.0/24\Z")


def read_table(client):
    """One stream from end to end. Return: entries, states that were seen."""
    prefixes, states, first = {}, {}, True
    for reply in client.call_more(f"{INTERFACE}.Table"):
        if first:
            assert_fits(CONTRACT.methods["Table"].output, reply, "Table")
            first = False
        mine = prefixes.setdefault(reply["table"], [])
        mine += [entry["prefix"] for entry in reply["entries"]]
        for entry in reply["entries"]:
            states[entry["state"]] = states.get(entry["state"], 0) + 1
    wanted = {steady_prefix(i) for i in range(COUNT)}
    for table, mine in prefixes.items():
        keys = list(map(numbers, mine))
        assert all(x < y for x, y in zip(keys, keys[1:])), \
            f"table {table}: not in order, or a prefix twice"
        if mine and ":" not in mine[0]:
            steady = {p for p in mine if STEADY.match(p)}
            assert wanted <= steady, \
                f"table {table}: {len(wanted - steady)} are missing, such " \
                f"as {sorted(wanted - steady)[:3]}"
    assert len(prefixes) == 4
    return sum(map(len, prefixes.values())), states


def tables(path, stop):
    """Return: [(entries, states)] of each stream."""
    done = []
    while not stop() or not done:
        with Client(path, LIMIT_S) as client:
            done.append(read_table(client))
    return done


def verifies(path, stop):
    """Return: [(seconds, replies, last reply)] of each run."""
    done = []
    while not stop() or not done:
        with Client(path, LIMIT_S) as client:
            begin, asked, n = time.monotonic(), -1, 0
            for reply in client.call_more(f"{INTERFACE}.Verify"):
                assert_fits(CONTRACT.methods["Verify"].output, reply, "Verify")
                assert reply["asked"] >= asked
                asked, n = reply["asked"], n + 1
            done.append((time.monotonic() - begin, n, reply))
    return done


def monitor(path, stop):
    """Return: rounds, operations written and failed, lines heard."""
    rounds = wrote = failed = heard = 0
    last = 0.0
    with Client(path, 1) as client:
        client.send(f"{INTERFACE}.Monitor", more=True)
        while True:
            try:
                reply = client.receive()
            except TimeoutError:
                if stop():
                    return rounds, wrote, failed, heard
                continue
            assert reply.continues and not reply.error
            said = reply.value()
            assert_fits(CONTRACT.methods["Monitor"].output, said, "Monitor")
            assert said["time"] >= last
            last = said["time"]
            rounds += 1
            wrote += len(said["wrote"]) + said["wrote_more"]
            failed += len(said["failed"])
            heard += len(said["heard"]) + said["heard_more"]


# -- together --------------------------------------------------------------

class Changer:
    """`ip -batch` after `ip -batch` in a process, till it is stopped."""

    def __init__(self, a):
        self.pipe, theirs = _fork.Pipe()
        self.process = _fork.Process(target=self._run, args=(a, theirs),
                                     daemon=True)
        self.process.start()
        theirs.close()

    @staticmethod
    def _run(a, pipe):
        lines = 0
        after_others()
        try:
            for i, some in enumerate(changes()):
                # Stops after a batch that removes what the last one added.
                if i % 2 == 0 and pipe.poll(0):
                    break
                batch(a, some)
                lines += len(some)
                time.sleep(PAUSE_S)
            pipe.send(lines)
        except BaseException as err:
            pipe.send(f"{type(err).__name__}: {err}")

    def stop(self):
        with contextlib.suppress(BrokenPipeError):
            self.pipe.send("stop")
        try:
            assert self.pipe.poll(LIMIT_S), "the changes hang"
            lines = self.pipe.recv()
        finally:
            self.process.kill()
            self.process.join()
        assert isinstance(lines, int), lines
        return lines


def wait(daemon):
    """As daemon.wait(), with patience."""
    until(lambda: daemon.ctl("wait", check=False).returncode == 0, LIMIT_S)


def test_streams_are_whole_while_routes_change(figure):
    let_in(figure.lab)
    a = figure.a
    add_steady(a)
    daemon = figure.start(f'control = {{ group = "{GROUP}"; }};')
    wait(daemon)
    user = User(groups=(gid_of(GROUP),))
    path = daemon.socket_path
    before = daemon.status()["ops"]
    # Whoever listens and does not keep up is dropped.
    watching = Reader(user, monitor, path, hurry=True)
    readers = {"Table": Reader(user, tables, path),
               "Verify": Reader(user, verifies, path)}
    with Watch(a) as watch:
        changer = Changer(a)
        visitor = visit(daemon, a, watch, SECONDS)
        for reader in readers.values():
            reader.stop()
        streams = {name: reader.finish() for name, reader in readers.items()}
        lines = changer.stop()
        wait(daemon)
    watching.stop()
    rounds, wrote, failed, heard = watching.finish()
    written = daemon.status()["ops"] - before

    print(f"{lines} changes of routes; {rounds} rounds told, {heard} lines "
          f"heard, {wrote} ops told of {written}, {failed} failed")
    for entries, states in streams["Table"]:
        print(f"Table: {entries} entries, {states}")
    for seconds, n, reply in streams["Verify"]:
        print(f"Verify: {seconds:.1f} s, {n} replies, {reply['asked']} asked, "
              f"{reply['found']} found")
    show("Status", visitor.status_s)
    show("route change", visitor.route_s)

    assert lines > 1000 and rounds > 10
    assert wrote + failed == written or wrote == written
    for entries, states in streams["Table"]:
        assert entries >= 2 * COUNT
    for seconds, n, reply in streams["Verify"]:
        assert n >= 2 and reply["prefixes"] >= COUNT
        assert reply["asked"] == reply["total"] < MORE_THAN_ENOUGH
        assert reply["found"] == 0, reply["disagreements"][:3]
    assert visitor.failures == []
    assert_prompt(daemon, "Status", visitor.status_s, STATUS_LIMIT_S)
    assert_prompt(daemon, "route change", visitor.route_s, ROUTE_LIMIT_S)
    # And at the end of it all, in peace, both models of the truth agree.
    answer = call(daemon, "Verify")
    assert answer["found"] == 0 and answer["prefixes"] >= COUNT
    if not is_sanitized(daemon.process.pid):
        assert answer["seconds"] < 10
