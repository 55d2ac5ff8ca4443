# SPDX-License-Identifier: GPL-2.0-or-later
"""Each call on a netlink socket fails once, with each errno it may have.

The same story each time: a start, and what a host goes through. A start may
end with a message and status 1, and the next one is fine; a daemon that was
ready goes on, and ends up where one ends up to which nothing happened.

MULTIHOMED_FAULTS=all tries every call with every errno, or it names one fault
("send:71:ENOBUFS"); else each call has one errno, and of many calls only so many
are tried.
"""

import os
import re

import pytest

from lab import Daemon, Figure, until
from lab.own import nothing_is_ours, own_routes, own_rules, \
    own_sources, own_state
from lab.shim import new_counts, preload, read_counts

pytestmark = pytest.mark.no_sandbox("a shim is loaded before it")

ERRNOS = {
    "socket": ("EMFILE", "ENOMEM", "EAFNOSUPPORT"),
    "bind": ("EADDRINUSE", "ENOMEM"),
    "setsockopt": ("ENOBUFS", "ENOPROTOOPT", "EPERM"),
    "send": ("ENOBUFS", "EAGAIN", "ENOMEM", "ECONNREFUSED", "EINTR"),
    "receive": ("ENOBUFS", "EAGAIN", "ENOMEM", "EINTR"),
    "ack": ("EBUSY", "ENOBUFS", "ENOMEM", "EPERM", "EEXIST", "ESRCH",
            "EINVAL"),
}
ASKED_FOR = os.environ.get("MULTIHOMED_FAULTS", "")
TRIED_MAX = 12
CONFIG = "settle_ms = 0;"


def story(figure, daemon):
    """Back at the beginning when it ends."""
    a = figure.a
    a.ip("""
        route add 198.51.100.0/24 via 10.2.0.1
        route add 2001:db8:ee::/48 via fe80::1 dev eth1
        addr add 10.4.0.2/24 dev eth1
    """)
    daemon.wait()
    a.ip("link set eth1 down")
    daemon.wait()
    a.ip("""
        link set eth1 up
        addr add 2001:db8:2::2/64 dev eth1
        route add default via 10.2.0.1 dev eth1 metric 200
        route add default via fe80::1 dev eth1 metric 200
        rule flush protocol 109
    """)
    daemon.wait()
    a.ip("addr del 10.4.0.2/24 dev eth1")
    daemon.wait()


def content(a):
    """Rules and routes of ours, with the source in the table's place: who could
    not read all at the start gives out other numbers."""
    found = []
    for family in (4, 6):
        sources = {number: source
                   for source, number in own_sources(a, family).items()}
        found += [(priority, what, sources.get(table, table))
                  for priority, what, table in own_rules(a, family)]
        found += [re.sub(r"table (\d+)", lambda m: "table " + sources.get(
            int(m[1]), m[1]), line) for line in own_routes(a, family)]
    # What is refused as it is, is tried with onlink: the same way.
    return sorted(str(line).replace(" onlink", "") for line in found)


def left_to_do(daemon):
    """A neighbour entry that the kernel refuses is done without."""
    return [line for line in daemon.plan().splitlines()
            if " neigh " not in line]


def must_be(figure, daemon, right):
    """The kernel may say up to a second later that a link has carrier."""
    def is_so():
        daemon.wait()
        return left_to_do(daemon) == [] and content(figure.a) == right

    try:
        until(is_so, 10, 0.1)
    except AssertionError:
        assert left_to_do(daemon) == []
        assert content(figure.a) == right
    # The fault may hit its own question: then it says so, and is asked again.
    until(lambda: daemon.ctl("verify", check=False).returncode == 0, 5, 0.1)


def live(figure, env):
    """A daemon that went through the story, and whether it started at once."""
    daemon = Daemon(figure.a, CONFIG, env=env)
    figure.lab.daemons.append(daemon)
    started = True
    try:
        daemon.start()
    except AssertionError:
        # It may give up, but not without a word.
        assert daemon.process.poll() == 1, daemon.log()
        assert "multihomed: error: " in daemon.log()
        daemon.env = {}
        daemon.start()
        started = False
    story(figure, daemon)
    return daemon, started


def gone(figure, daemon):
    daemon.terminate()
    figure.lab.daemons.remove(daemon)
    daemon.finish()
    assert nothing_is_ours(figure.a), own_state(figure.a)


@pytest.fixture
def counted(lab):
    """The figure, how often each call is made, and where that ends."""
    figure = Figure(lab)
    path = new_counts(f"{lab.directory}/counts")
    daemon, _ = live(figure, preload(counts=path))
    counts = read_counts(path)
    until(lambda: left_to_do(daemon) == [], 10, 0.1)
    right = content(figure.a)
    gone(figure, daemon)
    return figure, counts, right


def cases(call, count):
    """(which, errno): spread over all of them."""
    if ":" in ASKED_FOR:
        return [tuple(ASKED_FOR.split(":")[1:])] \
            if ASKED_FOR.startswith(f"{call}:") else []
    if ASKED_FOR == "all":
        return [(n, name) for n in range(1, count + 1)
                for name in ERRNOS[call]]
    tried = min(count, TRIED_MAX)
    return [(1 + i * count // tried, ERRNOS[call][i % len(ERRNOS[call])])
            for i in range(tried)]


@pytest.mark.parametrize("call", ERRNOS)
def test_one_call_fails(counted, call):
    figure, counts, right = counted
    assert counts[call] > 0
    gave_up = 0
    for which, name in cases(call, counts[call]):
        fault = f"{call}:{which}:{name}"
        print(fault, "of", counts[call])
        daemon, started = live(figure, preload(fault=fault))
        gave_up += not started
        must_be(figure, daemon, right)
        gone(figure, daemon)
    print(f"{call}: {counts[call]} calls, {gave_up} starts that gave up")
    # Sockets are made at the start; what is said over them is repeated.
    assert gave_up == 0 or call in ("socket", "bind", "setsockopt")
