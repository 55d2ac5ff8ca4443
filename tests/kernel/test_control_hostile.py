# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket against a user who means harm.

The user is in the socket's group, so he may connect; the daemon must go on
with its work and answer root all the while.
"""

import collections
import multiprocessing
import selectors
import socket
import time

import pytest

from lab import until
from lab.attack import MESSAGE_MAX, ROUNDS, Attack
from lab.users import GROUP, User, gid_of, let_in
from lab.varlink import Client, Closed, ask, encode
from lab.visit import (after_others, assert_prompt, before_others,
                       descriptors, descriptors_at_rest, forget_peak,
                       is_sanitized, limit, memory_mib, show, timed, visit)
from lab.watch import Watch

STATUS = "io.multihomed.Status"
CONTROL = f'control = {{ group = "{GROUP}"; }};\n'
PLACES = 256
STATUS_LIMIT_S = 0.1
ROUTE_LIMIT_S = 0.1

# What may wait: unsent answers of all clients together (8 queues of 4 MiB),
# a call of each of the 256 clients that is not complete (64 KiB), and what the
# largest call and answer of the moment take as values. The rest is what the
# allocator does not give back at once.
QUEUES_MIB = 8 * 4
INPUT_MIB = 256 * MESSAGE_MAX / (1 << 20)
VALUES_MIB = 16
MEMORY_MIB = QUEUES_MIB + INPUT_MIB + VALUES_MIB

LOG_BURST, LOG_PERIOD_S = 20, 10


@pytest.fixture
def user():
    return User(groups=(gid_of(GROUP),))


@pytest.fixture
def daemon(lab):
    """On a host without uplinks."""
    let_in(lab)
    return lab.daemon(lab.host(), CONTROL)


def alive(daemon):
    return not ask(daemon.socket_path, STATUS).error


# -- each of them alone, and exactly ---------------------------------------

@pytest.mark.parametrize("kind", [k for k in ROUNDS if k.__name__ != "hang_up"],
                         ids=lambda kind: kind.__name__)
def test_one_of_a_kind(daemon, user, kind):
    for _ in range(1 if kind.__name__ == "pipelined" else 20):
        user.does(lambda: kind(daemon.socket_path))
    assert alive(daemon)


def padded(length):
    """A call of this many bytes, with its NUL."""
    bare = encode(STATUS)
    return bare[:-1] + b" " * (length - len(bare)) + b"\0"


def test_the_longest_message_is_answered_and_a_longer_one_is_not(daemon):
    with Client(daemon.socket_path) as client:
        for _ in range(5):
            client.send_raw(padded(MESSAGE_MAX))
            assert not client.receive().error
    with Client(daemon.socket_path) as client:
        with pytest.raises(Closed):
            client.send_raw(padded(MESSAGE_MAX + 1) * 3)
            client.receive()
    assert "sent a message that is too long" in daemon.log()


def test_a_message_byte_by_byte_is_answered(daemon):
    with Client(daemon.socket_path) as client:
        for byte in encode(STATUS) * 2:
            client.send_raw(bytes([byte]))
        assert not client.receive().error
        assert not client.receive().error


def test_half_a_message_is_waited_for_without_a_wakeup(daemon):
    with Client(daemon.socket_path) as client:
        client.send_raw(encode(STATUS)[:-3])
        assert alive(daemon)
        daemon.wait()
        before = daemon.switches()
        time.sleep(1)
        assert daemon.switches() == before
        client.send_raw(encode(STATUS)[-3:])
        assert not client.receive().error


def test_the_answers_before_a_bad_message_still_come(daemon):
    with Client(daemon.socket_path) as client:
        client.send_raw(encode(STATUS) * 3 + b"nonsense\0" + encode(STATUS))
        for _ in range(3):
            assert not client.receive().error
        assert client.is_closed()


def test_who_sends_no_more_gets_all_answers(daemon):
    with Client(daemon.socket_path) as client:
        client.send_raw(encode(STATUS) * 500)
        client.sock.shutdown(socket.SHUT_WR)
        for _ in range(500):
            assert not client.receive().error
        assert client.is_closed()


def test_who_does_not_read_is_dropped_in_time(daemon):
    """Ten seconds after the last byte was taken, not before."""
    pid = daemon.process.pid
    before = descriptors_at_rest(pid)
    with Client(daemon.socket_path) as client:
        client.sock.setblocking(False)
        until(lambda: descriptors(pid) > before)
        begin = time.monotonic()
        try:
            while True:
                client.sock.send(encode(STATUS) * 100)
        except BlockingIOError:
            pass
        until(lambda: descriptors(pid) == before, 20, 0.1)
        assert 9.5 < time.monotonic() - begin < 15
    assert "does not read its answer" in daemon.log()


def test_a_thousand_idle_clients(daemon, user):
    """256 stay, the oldest of them make place; a new one is always taken."""
    before = descriptors_at_rest(daemon.process.pid)

    def connect():
        held = [Client(daemon.socket_path) for _ in range(1000)]
        worst = 0
        for _ in range(50):
            reply, seconds = timed(lambda: ask(daemon.socket_path, STATUS))
            assert not reply.error
            worst = max(worst, seconds)
        open_ones = sum(not client.is_closed(0.001) for client in held)
        return open_ones, worst

    with before_others(daemon):
        open_ones, worst = user.does(connect)
    print(f"worst Status among 1000 idle clients: {worst * 1000:.1f} ms")
    assert 200 <= open_ones <= 256
    assert worst < limit(daemon, STATUS_LIMIT_S)
    until(lambda: descriptors(daemon.process.pid) == before)


def test_a_quiet_root_keeps_its_place(daemon, user):
    """Others make place for others; root's connection is not for them."""
    with Client(daemon.socket_path) as root:
        root.call(STATUS)

        def crowd():
            held = [Client(daemon.socket_path) for _ in range(1000)]
            return len(held)
        assert user.does(crowd) == 1000
        root.call(STATUS)


def test_root_gets_in_where_all_places_are_busy(figure, user):
    """Others wait for an answer on each of them; the next of them is refused,
    and one makes place for root."""
    let_in(figure.lab)
    daemon = figure.start(CONTROL + "settle_ms = 60000;")
    figure.a.ip("route del default via 10.2.0.1 dev eth1")  # not steady now

    def crowd(pipe):
        held = []
        for _ in range(400):
            held.append(Client(daemon.socket_path))
            try:
                held[-1].send("io.multihomed.Wait")
                # The last one waits for its refusal.
                if held[-1].is_closed(0.01 if len(held) <= PLACES else 10):
                    break
            except Closed:
                break
        pipe.send((len(held), sum(not c.is_closed(0.01) for c in held)))
        pipe.poll(30)

    ours, theirs = multiprocessing.Pipe()
    process = user.start(crowd, theirs)
    try:
        assert ours.poll(40) and ours.recv() == (PLACES + 1, PLACES)
        for _ in range(20):
            assert not ask(daemon.socket_path, STATUS).error
    finally:
        process.kill()
        process.join()
    assert "all places are taken and busy" in daemon.log()


def test_connections_without_end(daemon, user):
    """Connect and close, thousands of times: nothing is left of it."""
    before = descriptors_at_rest(daemon.process.pid)

    def storm():
        for _ in range(5000):
            Client(daemon.socket_path).close()
    user.does(storm)
    assert alive(daemon)
    until(lambda: descriptors(daemon.process.pid) == before, 20)


def many_routes(a, count):
    a.ip("\n".join(f"route add 30.{i >> 8}.{i & 255}.0/24 via 10.1.0.1 "
                   "dev eth0" for i in range(count)))


def test_no_work_for_clients_that_are_gone(figure, user):
    """Verify takes a while; who hung up does not want to know any more."""
    let_in(figure.lab)
    many_routes(figure.a, 2000)
    daemon = figure.start(CONTROL)
    pid = daemon.process.pid
    before = descriptors_at_rest(pid)

    def crowd():
        held = [Client(daemon.socket_path) for _ in range(200)]
        for client in held:
            client.send("io.multihomed.Verify", more=True)
    user.start(crowd).join(20)
    _, one = timed(lambda: ask(daemon.socket_path, "io.multihomed.Verify"))
    _, seconds = timed(lambda: until(lambda: descriptors(pid) == before, 60))
    print(f"one Verify {one:.3f} s; 200 clients that hung up: {seconds:.3f} s")
    assert seconds < max(10 * one, 1)


CALLS = {
    "Status": {}, "Subnets": {}, "Table": {}, "Verify": {}, "Doctor": {},
    "Metrics": {}, "Explain": {"destination": "203.0.113.9"}, "Wait": {},
}


@pytest.mark.parametrize("method", list(CALLS))
def test_answers_leave_nothing_behind(figure, method):
    """The hundredth call costs no more memory than the tenth."""
    many_routes(figure.a, 500)
    daemon = figure.start()
    pid = daemon.process.pid

    def call(count):
        with Client(daemon.socket_path) as client:
            for _ in range(count):
                list(client.call_more(f"io.multihomed.{method}",
                                      **CALLS[method]))
        return memory_mib(pid)[0]

    first, then = call(10), call(90)
    print(f"{method}: {first:.2f} MiB after 10, {then:.2f} after 100")
    if not is_sanitized(pid):
        assert then < first + 0.5


# -- all of it at the same time --------------------------------------------

def assert_attacked(attack, tally):
    assert not attack.surprises, "\n".join(attack.surprises)
    for kind in ROUNDS:
        name = kind.__name__
        # Whoever is quiet for a moment may have to make place.
        done = tally[name] + tally[f"{name}, cut off"]
        assert done >= 1, f"{name}: {tally}"
    for name in ("idle", "half", "table, unread", "monitor, unread",
                 "verify, unread", "pipelined, unread"):
        assert tally[name] >= 1, f"{name}: {tally}"
    assert tally["idle"] > PLACES


def reasons(log):
    """{why a client was dropped: lines in the log}"""
    return collections.Counter(
        line.split("dropped: ")[1].split(" (")[0]
        for line in log.splitlines() if "dropped: " in line)


def lines_about_clients(log):
    return sum("control client" in line for line in log.splitlines())


@pytest.mark.slow
def test_all_of_it_at_the_same_time(figure, user):
    let_in(figure.lab)
    a = figure.a
    many_routes(a, 2000)
    daemon = figure.start(CONTROL)
    pid = daemon.process.pid
    with Watch(a) as watch:
        calm = visit(daemon, a, watch, 2)
        forget_peak(pid)
        before_mib, _ = memory_mib(pid)
        before_fds, before_log = descriptors_at_rest(pid), len(daemon.log())
        begin = time.monotonic()
        with Attack(daemon.socket_path, user) as attack:
            until(lambda: descriptors(pid) > before_fds + 200, 20)
            under = visit(daemon, a, watch, 20)
            tally = attack.stop()
        seconds = time.monotonic() - begin
        daemon.wait()
        until(lambda: descriptors(pid) == before_fds, limit(daemon, 15))
    after_mib, peak_mib = memory_mib(pid)
    show("Status, calm", calm.status_s)
    show("Status, attacked", under.status_s)
    show("route change, calm", calm.route_s)
    show("route change, attacked", under.route_s)
    print(f"memory: {before_mib:.1f} MiB before, {peak_mib:.1f} at most, "
          f"{after_mib:.1f} after; bound +{MEMORY_MIB:.0f}")
    print(f"attacks: {dict(sorted(tally.items()))}")
    said = lines_about_clients(daemon.log()[before_log:])
    print(f"log lines about clients: {said} in {seconds:.0f} s")
    assert_attacked(attack, tally)
    assert under.failures == []
    assert_prompt(daemon, "Status", under.status_s, STATUS_LIMIT_S)
    assert_prompt(daemon, "route change", under.route_s, ROUTE_LIMIT_S)
    if not is_sanitized(pid):
        assert peak_mib < before_mib + MEMORY_MIB
        assert after_mib < before_mib + MEMORY_MIB
    assert said <= LOG_BURST * (seconds // LOG_PERIOD_S + 2)


def unread_monitors(path, count, pipe):
    """So many clients ask for every event and read none."""
    held = []
    for _ in range(count):
        client = Client(path)
        client.send("io.multihomed.Monitor", more=True)
        held.append(client)
    pipe.send(len(held))
    pipe.poll(120)


@pytest.mark.slow
def test_unread_monitors_do_not_take_the_queues_of_others(figure, user):
    """They fill what may wait for all clients together; root's own answers
    still come."""
    let_in(figure.lab)
    a = figure.a
    daemon = figure.start(CONTROL)
    pid = daemon.process.pid
    before_mib, _ = memory_mib(pid)
    failures, status_s, crowd = [], [], 200
    before_log = len(daemon.log())

    ours, theirs = multiprocessing.Pipe()
    process = user.start(unread_monitors, daemon.socket_path, crowd, theirs)
    try:
        assert ours.poll(20) and ours.recv() == crowd
        with before_others(daemon):
            for round_ in range(80):
                a.ip("\n".join(f"route replace 40.0.{i}.0/24 via 10.1.0.1 "
                               f"dev eth0 metric {round_ + 1}"
                               for i in range(120)))
                a.ip("\n".join(f"route del 40.0.{i}.0/24"
                               for i in range(120)))
                for _ in range(3):
                    try:
                        reply, seconds = timed(
                            lambda: ask(daemon.socket_path, STATUS))
                        assert not reply.error
                        status_s.append(seconds)
                    except ConnectionError as err:
                        failures.append(f"round {round_}: {err!r}")
    finally:
        process.kill()
        process.join()
    _, peak_mib = memory_mib(pid)
    dropped = reasons(daemon.log()[before_log:])
    show("Status", status_s)
    print(f"memory {before_mib:.1f} MiB, then {peak_mib:.1f} at most; "
          f"{len(failures)} without an answer; dropped: {dropped}")
    assert failures == []
    # It is no test where nobody had to go.
    assert sum(dropped.values()) >= 10
    assert_prompt(daemon, "Status", status_s, STATUS_LIMIT_S)
    if not is_sanitized(pid):
        assert peak_mib < before_mib + MEMORY_MIB


def explain(source):
    return encode("io.multihomed.Explain", {"source": source,
                                            "destination": "203.0.113.9"})


FLOODS = {
    "status": encode(STATUS) * 100,
    "explain": explain("10.1.0.2") * 100,
    "streams": (encode("io.multihomed.Table", more=True) +
                encode("io.multihomed.Verify", more=True)) * 10,
    "reports": (encode("io.multihomed.Doctor") +
                encode("io.multihomed.Metrics")) * 50,
}


def join(chosen, path):
    sock = Client(path).sock
    sock.setblocking(False)
    chosen.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)


def flood_one(sock, events, calls):
    """Return: how many answers came."""
    try:
        if events & selectors.EVENT_READ:
            data = sock.recv(1 << 18)
            if not data:
                raise ConnectionResetError
            return data.count(b"\0")
        sock.send(calls)
    except BlockingIOError:
        pass
    return 0


def flood_all(path, calls, pipe):
    """Two hundred clients; who is dropped comes again."""
    after_others()
    chosen, answered = selectors.DefaultSelector(), 0
    for _ in range(200):
        join(chosen, path)
    pipe.send(None)
    while not pipe.poll(0):
        for key, events in chosen.select(1):
            try:
                answered += flood_one(key.fileobj, events, calls)
            except ConnectionError:
                chosen.unregister(key.fileobj)
                key.fileobj.close()
                join(chosen, path)
    pipe.send(answered)


@pytest.mark.slow
@pytest.mark.parametrize("flood", list(FLOODS))
def test_a_crowd_of_flooding_clients(figure, user, flood):
    """Two hundred clients pipeline what costs most, and read the answers."""
    let_in(figure.lab)
    a = figure.a
    many_routes(a, 2000)
    daemon = figure.start(CONTROL)
    calls = FLOODS[flood]

    ours, theirs = multiprocessing.Pipe()
    with Watch(a) as watch:
        process = user.start(flood_all, daemon.socket_path, calls, theirs)
        try:
            assert ours.poll(20)
            ours.recv()
            under = visit(daemon, a, watch, 8)
            ours.send("stop")
            assert ours.poll(20)
            answered = ours.recv()
        finally:
            process.kill()
            process.join()
    print(f"{flood}: {answered} answers to the crowd")
    show("Status", under.status_s)
    show("route change", under.route_s)
    assert under.failures == []
    assert answered > 200
    assert_prompt(daemon, "Status", under.status_s, STATUS_LIMIT_S)
    assert_prompt(daemon, "route change", under.route_s, ROUTE_LIMIT_S)
