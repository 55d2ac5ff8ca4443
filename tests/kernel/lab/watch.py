# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel tells about changes, as the daemon hears it.

    with Watch(a) as watch:
        a.ip("rule del pref 7109")
        gone = watch.wait_for(lambda e: e.kind == "DELRULE")
        back = watch.wait_for(lambda e: e.kind == "NEWRULE")
    assert back.time - gone.time < 0.1

A thread reads the messages as they come and notes when. Every event says who
made the change: the netlink port of a process's first socket is its pid, 0 is
the kernel itself.
"""

import os
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from .netns import until

NETLINK_ROUTE = 0
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP = 270, 1
SO_RCVBUFFORCE = 33
RECEIVE_BUFFER = 256 << 20
PORT_PID_MASK = (1 << 22) - 1  # libnl: the pid, and a number above it

# RTNLGRP_ of links, neighbours, addresses, routes and rules.
GROUPS = (1, 3, 5, 7, 8, 9, 11, 19)
KINDS = {16: "NEWLINK", 17: "DELLINK", 20: "NEWADDR", 21: "DELADDR",
         24: "NEWROUTE", 25: "DELROUTE", 28: "NEWNEIGH", 29: "DELNEIGH",
         32: "NEWRULE", 33: "DELRULE"}
HEADER_SIZE = {"LINK": 16, "ADDR": 8, "ROUTE": 12, "NEIGH": 12, "RULE": 12}

RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_TABLE = 1, 4, 5, 6, 15
FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_PRIORITY = 1, 2, 3, 6
FRA_TABLE, FRA_PROTOCOL = 15, 21
NDA_DST, NDA_PROTOCOL = 1, 12
RTM_NEWRULE = 32
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE = 1, 4, 0x400


@dataclass(frozen=True)
class Event:
    """One message; what a kind does not have is left at its default."""

    time: float  # time.monotonic() when it was read
    kind: str  # "NEWROUTE", "DELRULE", ...
    port: int  # netlink port of who asked for it; 0: the kernel
    family: int = 0  # 4 or 6
    table: int = 0
    prefix: str = ""  # "10.1.0.0/24": a route's destination, a rule's source
    metric: int = 0  # of a route; a rule's priority
    protocol: int = 0
    ifindex: int = 0
    raw: bytes = field(default=b"", repr=False)

    @property
    def pid(self):
        return self.port & PORT_PID_MASK


def attributes(data):
    """{type: value} of a message's attributes; the last of a type counts."""
    found, at = {}, 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("HH", data, at)
        if length < 4:
            break
        found[kind & 0x3fff] = data[at + 4:at + length]
        at += (length + 3) & ~3
    return found


def _number(value):
    return struct.unpack("I", value)[0] if len(value) == 4 else 0


def _prefix(family, value, length):
    if family not in (socket.AF_INET, socket.AF_INET6):
        return ""
    size = 4 if family == socket.AF_INET else 16
    value = value or bytes(size)
    if len(value) != size:
        return ""
    return f"{socket.inet_ntop(family, value)}/{length}"


def _route(family, body, found):
    return {
        "table": _number(found.get(RTA_TABLE, b"")) or body[4],
        "prefix": _prefix(family, found.get(RTA_DST), body[1]),
        "metric": _number(found.get(RTA_PRIORITY, b"")),
        "protocol": body[5],
        "ifindex": _number(found.get(RTA_OIF, b"")),
    }


def _rule(family, body, found):
    return {
        "table": _number(found.get(FRA_TABLE, b"")) or body[4],
        "prefix": _prefix(family, found.get(FRA_SRC), body[2]),
        "metric": _number(found.get(FRA_PRIORITY, b"")),
        "protocol": found.get(FRA_PROTOCOL, b"\0")[0],
    }


def _neighbour(family, body, found):
    value = found.get(NDA_DST)
    return {
        "prefix": _prefix(family, value, len(value or b"") * 8),
        "protocol": found.get(NDA_PROTOCOL, b"\0")[0],
        "ifindex": struct.unpack_from("i", body, 4)[0],
    }


READERS = {"ROUTE": _route, "RULE": _rule, "NEIGH": _neighbour}


def _event(now, kind, port, body):
    family = body[0]
    what = kind[3:]
    fields = {}
    if what in READERS:
        found = attributes(body[HEADER_SIZE[what]:])
        fields = READERS[what](family, body, found)
    number = {socket.AF_INET: 4, socket.AF_INET6: 6}.get(family, 0)
    return Event(now, kind, port, number, raw=body, **fields)


class Watch:
    """Listens in a namespace, in a thread, for the length of a with block."""

    def __init__(self, namespace):
        self._events = []
        self.lost = False  # the kernel had to drop messages for us
        with namespace.inside():
            self._sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                       NETLINK_ROUTE)
        self._sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE,
                              RECEIVE_BUFFER)
        self._sock.bind((0, 0))
        for group in GROUPS:
            self._sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
        self._sock.setblocking(False)
        self._wake, self._waker = os.pipe()
        self._empty = threading.Event()
        self._stop = False
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop = True
        os.write(self._waker, b"x")
        self._thread.join(timeout=10)
        self._sock.close()
        os.close(self._wake)
        os.close(self._waker)

    # -- the thread --------------------------------------------------------

    def _listen(self):
        while not self._stop:
            ready, _, _ = select.select([self._sock, self._wake], [], [])
            asked = self._wake in ready and os.read(self._wake, 64)
            while self._read():
                pass
            if asked:
                self._empty.set()

    def _read(self):
        """One datagram; False when there is none."""
        try:
            data = self._sock.recv(1 << 16)
        except BlockingIOError:
            return False
        except OSError:
            self.lost = True  # ENOBUFS: the rest is still there
            return True
        now, at = time.monotonic(), 0
        while at + 16 <= len(data):
            length, kind, _, _, port = struct.unpack_from("IHHII", data, at)
            if kind in KINDS:
                self._events.append(_event(now, KINDS[kind], port,
                                           data[at + 16:at + length]))
            at += (max(length, 16) + 3) & ~3
        return True

    # -- questions ---------------------------------------------------------

    def events(self):
        """All so far; every change that was made before this call is there."""
        self._empty.clear()
        os.write(self._waker, b"?")
        assert self._empty.wait(timeout=20), "the watch hangs"
        assert not self.lost, "the watch itself lost messages"
        return list(self._events)

    def clear(self):
        """Forget what came so far."""
        self.events()
        self._events.clear()

    def wait_for(self, condition, timeout=2.0, what=""):
        """The first event for which condition(event) is true."""
        def look():
            return next((e for e in list(self._events) if condition(e)), None)
        return until(look, timeout, 0.002, what or "the event")

    def by(self, daemon):
        """The changes that this daemon has written."""
        pid = daemon.process.pid
        return [e for e in self.events() if e.port and e.pid == pid]

    def lost_rules(self, protocol=109):
        """DELRULE events of rules with this protocol."""
        return [e for e in self.events()
                if e.kind == "DELRULE" and e.protocol == protocol]


def _attribute(kind, value):
    padding = bytes(-len(value) % 4)
    return struct.pack("HH", 4 + len(value), kind) + value + padding


class Meddler:
    """A netlink socket of this process that changes rules: its port is our
    pid, and it can do what ip(8) refuses: add the same rule twice."""

    def __init__(self, namespace):
        with namespace.inside():
            self._sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                       NETLINK_ROUTE)
        self._sock.bind((0, 0))
        self._sock.settimeout(5)
        self.port = self._sock.getsockname()[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._sock.close()

    def send(self, kind, flags, body):
        """One request; the errno it was answered with, 0 for success."""
        flags |= NLM_F_REQUEST | NLM_F_ACK
        self._sock.send(struct.pack("IHHII", 16 + len(body), kind, flags, 1, 0)
                        + body)
        answer = self._sock.recv(1 << 16)
        return -struct.unpack_from("i", answer, 16)[0]

    def repeat(self, event, delete=False):
        """Do again what an event of the Watch reported, or undo it. A rule
        that is there already is added a second time."""
        kind = next(number for number, name in KINDS.items()
                    if name == event.kind)
        kind = (kind | 1) if delete else (kind & ~1)
        return self.send(kind, 0 if delete else NLM_F_CREATE, event.raw)
