# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything a user can do to a control socket, all of it at the same time.

    with Attack(daemon.socket_path, user) as attack:
        ...                 # is the daemon still there for others?
    tally = attack.stop()   # {"nonsense": rounds, ...}

Two processes of that user, as nice as can be: what is tested is the daemon,
not how the kernel shares the processors. A kind of attack is a function that
does one round, or a Holder that keeps connections in a bad state; every round
says what came of it, and `surprises` holds what should not have.
"""

import collections
import errno
import random
import select
import socket
import threading
import time
import traceback

from .users import _fork
from .varlink import Client, Closed, encode
from .visit import after_others

STATUS = encode("io.multihomed.Status")
TABLE = encode("io.multihomed.Table", more=True)
VERIFY = encode("io.multihomed.Verify", more=True)
MONITOR = encode("io.multihomed.Monitor", more=True)
MANY = 10000
MESSAGE_MAX = 64 * 1024
IDLE = 1000
ROUND_LIMIT_S = 30

# Numbers that are none of the parameter's, some of them none of JSON's range.
NUMBERS = (b"1e999999999", b"-1e999999999", b"9" * 5000, b"-" + b"9" * 5000,
           b"0." + b"0" * 5000 + b"1", b"18446744073709551616",
           b"9223372036854775808", b"-9223372036854775809", b"1e19", b"-1")
NOT_UTF8 = (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
            b"\xe2\x82", b"\x80" * 1000)


# -- one round each: the daemon hangs up -----------------------------------

def _hung_up(path, data):
    with Client(path, ROUND_LIMIT_S) as client:
        try:
            client.send_raw(data)
        except Closed:
            return
        assert client.is_closed(), f"still open after {data[:40]!r}"


def oversized(path):
    _hung_up(path, b'{"method": "' + b"x" * (2 * MESSAGE_MAX))


def oversized_whole(path):
    _hung_up(path, encode("io.multihomed.Status",
                          {"x": "y" * (2 * MESSAGE_MAX)}))


def nonsense(path):
    _hung_up(path, random.randbytes(random.randrange(1, 4000)) + b"\0")


def nuls(path):
    _hung_up(path, bytes(random.randrange(1, MESSAGE_MAX)))


def deep(path):
    opener, closer = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    depth = random.randrange(40, 5000)
    _hung_up(path, b'{"method":"a.B","parameters":{"x":' + opener * depth +
             b"1" + closer * depth + b"}}\0")


def not_utf8(path):
    bad = random.choice(NOT_UTF8)
    _hung_up(path, b'{"method":"io.multihomed.Explain","parameters":'
             b'{"destination":"' + bad + b'"}}\0')


# -- one round each: the daemon answers ------------------------------------

def numbers(path):
    with Client(path, ROUND_LIMIT_S) as client:
        for number in NUMBERS:
            client.send_raw(b'{"method":"io.multihomed.Wait","parameters":'
                            b'{"timeout_ms":' + number + b"}}\0")
            reply = client.receive()
            assert reply.parameters == {"parameter": "timeout_ms"}, number


def wide(path):
    """As many members as fit into a message."""
    members = b",".join(b'"%x":1' % i for i in range(6000))
    with Client(path, ROUND_LIMIT_S) as client:
        client.send_raw(b'{"method":"io.multihomed.Status","parameters":{' +
                        members + b"}}\0")
        assert client.receive().error.endswith("InvalidParameter")


def pipelined(path):
    """Ten thousand calls at once, all of them answered, in their order."""
    with Client(path, 10 * ROUND_LIMIT_S) as client:
        calls = b"".join(encode(f"x{i}.Y") for i in range(MANY))
        sender = threading.Thread(target=client.send_raw, args=(calls,),
                                  daemon=True)
        sender.start()
        for i in range(MANY):
            reply = client.receive()
            assert reply.parameters == {"interface": f"x{i}"}, i
        sender.join()


def hang_up(path):
    """Gone in the middle of an answer, at any moment."""
    with Client(path, ROUND_LIMIT_S) as client:
        call = random.choice([STATUS, TABLE, VERIFY, MONITOR])
        client.send_raw(call * random.randrange(1, 100))
        if random.random() < 0.5:
            client.sock.recv(random.randrange(1, 3000))
        if random.random() < 0.3:
            client.sock.shutdown(socket.SHUT_RDWR)


ROUNDS = (oversized, oversized_whole, nonsense, nuls, deep, not_utf8, numbers,
          wide, pipelined, hang_up)


# -- connections that are kept ---------------------------------------------

class Holder:
    """Keeps `count` connections that each sent `data` and never read. Those
    that the daemon drops are made anew."""

    def __init__(self, name, path, count, data, drip=False):
        self.name, self.path, self.count, self.data = name, path, count, data
        self.drip = drip
        self.socks = {}
        self.poll = select.poll()

    def step(self, tally):
        for fd, events in self.poll.poll(0):
            if events & (select.POLLHUP | select.POLLERR | select.POLLRDHUP):
                self.poll.unregister(fd)
                self.socks.pop(fd).close()
                tally[f"{self.name}, dropped"] += 1
        # A few at a time, or one kind would keep the others waiting.
        for _ in range(min(20, self.count - len(self.socks))):
            self._open(tally)
        if self.drip:
            for sock in self.socks.values():
                self._send(sock, b"x")

    def _open(self, tally):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(ROUND_LIMIT_S)
        try:
            sock.connect(self.path)
        except OSError:
            sock.close()
            return
        sock.setblocking(False)
        self._send(sock, self.data)
        self.socks[sock.fileno()] = sock
        self.poll.register(sock, select.POLLRDHUP)
        tally[self.name] += 1

    @staticmethod
    def _send(sock, data):
        """As much as it takes; the rest is of no interest."""
        try:
            while data:
                data = data[sock.send(data):]
        except OSError as err:
            if err.errno not in (errno.EAGAIN, errno.EPIPE, errno.ECONNRESET):
                raise

    def close(self):
        for sock in self.socks.values():
            sock.close()


def holders(path):
    return [
        Holder("idle", path, IDLE, b""),
        Holder("half", path, 50, STATUS[:-5], drip=True),
        Holder("table, unread", path, 12, TABLE),
        Holder("monitor, unread", path, 24, MONITOR),
        Holder("verify, unread", path, 4, VERIFY),
        Holder("pipelined, unread", path, 12, STATUS * MANY),
        Holder("wait, behind it much", path, 6,
               encode("io.multihomed.Wait") * MANY),
    ]


# -- the processes ---------------------------------------------------------

def _guard(tally, surprises, name, function):
    try:
        function()
        tally[name] += 1
    except (ConnectionError, Closed):
        tally[f"{name}, cut off"] += 1
    except Exception as err:  # all of it is news for the test
        tally[f"{name}, surprising"] += 1
        if len(surprises) < 5:
            surprises.append(f"{name}: {err}\n{traceback.format_exc()[-600:]}")


def _report(pipe, tally, surprises):
    pipe.send((dict(tally), surprises))


def _rounds(path, kinds, pipe):
    """Every kind in a thread of its own, until the pipe says stop."""
    after_others()
    tally, surprises = collections.Counter(), []
    stop = threading.Event()

    def loop(kind):
        while not stop.is_set():
            _guard(tally, surprises, kind.__name__, lambda: kind(path))

    threads = [threading.Thread(target=loop, args=(kind,), daemon=True)
               for kind in kinds]
    for thread in threads:
        thread.start()
    pipe.poll(None)
    stop.set()
    # A round that has begun may take its time where others need the processors.
    end = time.monotonic() + ROUND_LIMIT_S
    for thread in threads:
        thread.join(timeout=max(0, end - time.monotonic()))
    _report(pipe, tally, surprises)


def _hold(path, _, pipe):
    after_others()
    tally, surprises = collections.Counter(), []
    kept = holders(path)
    while not pipe.poll(0.02):
        for holder in kept:
            try:
                holder.step(tally)
            except Exception:
                surprises.append(traceback.format_exc()[-600:])
                return _report(pipe, tally, surprises)
    for holder in kept:
        holder.close()
    return _report(pipe, tally, surprises)


class Attack:
    """The processes, for the length of a with block."""

    def __init__(self, path, user, kinds=ROUNDS, hold=True):
        self.path, self.user, self.kinds = path, user, kinds
        self.hold = hold
        self.tally, self.surprises = collections.Counter(), []
        self._running = []

    def __enter__(self):
        plans = [(_rounds, self.kinds)] if self.kinds else []
        plans += [(_hold, None)] if self.hold else []
        for function, kinds in plans:
            ours, theirs = _fork.Pipe()
            process = self.user.start(function, self.path, kinds, theirs)
            theirs.close()
            self._running.append((process, ours))
        return self

    def stop(self):
        """All connections are closed; what was done, by kind."""
        running, self._running = self._running, []
        for _, pipe in running:
            pipe.send("stop")
        for process, pipe in running:
            try:
                assert pipe.poll(ROUND_LIMIT_S + 10), "an attacker hangs"
                tally, surprises = pipe.recv()
            finally:
                process.kill()
                process.join()
            self.tally.update(tally)
            self.surprises += surprises
        return self.tally

    def __exit__(self, *_):
        for process, _ in self._running:
            process.kill()
            process.join()
