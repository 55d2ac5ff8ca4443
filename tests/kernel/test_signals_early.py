# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals that come while the daemon still reads what there is."""

import os
import select
import signal
import socket

import pytest

from lab import Daemon, until
from lab.daemon import daemon_binary
from lab.own import nothing_is_ours

ROUTES = 20000  # so that reading takes its time


@pytest.fixture
def daemon(figure):
    """With much to read, not started."""
    figure.a.ip("\n".join(f"route add 10.{100 + i // 250}.{i % 250}.0/24 "
                          f"via 10.{1 + i % 2}.0.1" for i in range(ROUTES)))
    made = Daemon(figure.a, "")
    figure.lab.daemons.append(made)
    return made


def begin(daemon):
    """Start it; back as soon as it can be seen."""
    if os.path.exists(daemon.socket_path):
        os.unlink(daemon.socket_path)
    daemon.start(wait=False)
    until(lambda: os.path.exists(daemon.socket_path))


def received(told):
    """What is queued on a socket."""
    messages = []
    while select.select([told], [], [], 0)[0]:
        messages.append(told.recv(4096))
    return messages


def test_a_reload_while_it_starts(daemon):
    begin(daemon)
    daemon.signal(signal.SIGHUP)
    until(lambda: "configuration read again" in daemon.log() or
          not daemon.running)
    assert daemon.running
    daemon.wait()
    assert daemon.plan() == ""


def test_sigterm_while_it_starts_removes_what_is_ours(figure, daemon):
    daemon.start()
    daemon.kill()
    assert not nothing_is_ours(figure.a)
    begin(daemon)
    daemon.terminate()
    assert nothing_is_ours(figure.a)


@pytest.mark.no_sandbox("it has a socket of its own to tell")
def test_a_reload_does_not_make_it_ready(figure, daemon):
    """It is when the first round is through, not before."""
    path = f"{figure.lab.directory}/told"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(path)
        with open(daemon.log_path, "ab") as log:
            daemon.process = figure.a.start(
                daemon_binary(), "-s", daemon.socket_path, "-c",
                daemon.config_path, stdout=log, stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": path})
        until(lambda: os.path.exists(daemon.socket_path))
        daemon.signal(signal.SIGHUP)
        until(lambda: "ready\n" in daemon.log(), 20)
        messages = received(told)
    assert daemon.log().index("read again") < daemon.log().index("ready\n")
    assert messages == [b"READY=1"]
