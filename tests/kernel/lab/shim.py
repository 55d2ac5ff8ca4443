# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/shim/shim.c around a daemon: calls that fail, a clock that is wrong.

    env = shim.preload(fault="send:3:ENOBUFS")
    daemon = Daemon(a, config, env=env)
"""

import errno
import os
import pathlib
import struct

from .daemon import Daemon, daemon_binary
from .netns import until

CALLS = ("socket", "bind", "setsockopt", "send", "receive", "ack")


def preload(fault=None, counts=None, clock=None, dumps=None, flows=None,
            endpoints=None, slow=None, threads=True, ipv6=True):
    """The environment; fault as CALL:N:NAME-OF-ERRNO, or CALL:N:KILL;
    threads=False: none can be made; ipv6=False: the kernel has no rules of it;
    the others are paths."""
    library = pathlib.Path(daemon_binary()).parents[1] / "tests/shim/shim.so"
    assert library.exists(), f"{library} is not there"
    # The sanitizer need not be the first library: what is before it is ours.
    env = {"LD_PRELOAD": str(library), "ASAN_OPTIONS": ":".join(
        filter(None, (os.environ.get("ASAN_OPTIONS"),
                      "verify_asan_link_order=0")))}
    if fault:
        call, number, name = fault.split(":")
        assert call in CALLS
        code = 0 if name == "KILL" else getattr(errno, name)
        env["MULTIHOMED_SHIM_FAULT"] = f"{call}:{number}:{code}"
    if counts:
        env["MULTIHOMED_SHIM_COUNTS"] = counts
    if clock:
        env["MULTIHOMED_SHIM_CLOCK"] = clock
    if dumps:
        env["MULTIHOMED_SHIM_DUMPS"] = dumps
    if flows:
        env["MULTIHOMED_SHIM_FLOWS"] = flows
    if endpoints:
        env["MULTIHOMED_SHIM_ENDPOINTS"] = endpoints
    if slow:
        env["MULTIHOMED_SHIM_SLOW"] = slow
    if not threads:
        env["MULTIHOMED_SHIM_NO_THREADS"] = "1"
    if not ipv6:
        env["MULTIHOMED_SHIM_NO_IPV6"] = "1"
    return env


def new_counts(path):
    with open(path, "wb") as file:
        file.write(bytes(8 * len(CALLS)))
    return path


def read_counts(path):
    """{call: how many}"""
    with open(path, "rb") as file:
        return dict(zip(CALLS, struct.unpack(f"{len(CALLS)}Q", file.read())))


def starts_without_a_socket(lab, namespace, config):
    """Start a daemon once for each of the sockets of a start, which cannot be
    opened that time. Yields it for each start that was ready all the same; the
    others say so, and end."""
    counts = new_counts(f"{lab.directory}/counts")
    daemon = Daemon(namespace, config, env=preload(counts=counts))
    lab.daemons.append(daemon)
    daemon.start()
    sockets = read_counts(counts)["socket"]
    daemon.terminate()
    for number in range(1, sockets + 1):
        daemon.env = preload(fault=f"socket:{number}:EMFILE")
        daemon.start(wait=False)
        until(lambda: not daemon.running or
              daemon.ctl("wait", check=False).returncode == 0, 30)
        if daemon.running:
            yield daemon
            daemon.terminate()


def put_number(path, number):
    with open(path, "r+b" if os.path.exists(path) else "w+b") as file:
        file.write(struct.pack("q", number))
    return path


def set_clock(path, seconds):
    """The wall clock of who runs with it is wrong by so much, from now on."""
    return put_number(path, seconds)


def fail_from_now(path, name=None):
    """What the file is for fails with that errno; or does not. For dumps, which
    are rtnetlink's lists, flows, those of TCP connections, and endpoints, those
    that are to be added."""
    return put_number(path, getattr(errno, name) if name else 0)
