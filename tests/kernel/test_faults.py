# SPDX-License-Identifier: GPL-2.0-or-later
"""What a machine does to a service: kills it, has no disk, memory, rights or
directory for it, and sets its clock."""

import json
import os
import pathlib
import random
import resource
import signal
import socket
import stat
import subprocess
import time

import pytest

from lab import Daemon, tcp_open, until
from lab.daemon import daemon_binary
from lab.figure import A2_4
from lab.mptcp import endpoints
from lab.own import nothing_is_ours, own_sources, own_state
from lab.shim import (fail_from_now, new_counts, preload, read_counts,
                      set_clock)
from lab.watch import Watch

MIB = 1 << 20
ROUTES = 10000
KILLS, KILL_ROUTES = 100, 3000
DECADE = 10 * 365 * 86400


def many(count):
    """Lines for ip: routes of two gateways in turn."""
    return "\n".join(f"route add 10.{100 + i // 250}.{i % 250}.0/24 "
                     f"via 10.{1 + i % 2}.0.1" for i in range(count))


def idle(figure, config="", **kwargs):
    """A daemon of the figure's host that was not started."""
    daemon = Daemon(figure.a, config, **kwargs)
    figure.lab.daemons.append(daemon)
    return daemon


def run_to_its_end(daemon, *prefix):
    return daemon.namespace.run(
        *prefix, daemon_binary(), "-c", daemon.config_path, "-s",
        daemon.socket_path, check=False)


# -- kill -9 ---------------------------------------------------------------

def die_at(daemon, send):
    """Start it, to be killed before that message; or when it is through."""
    daemon.env = preload(fault=f"send:{send}:KILL")
    daemon.start(wait=False)
    until(lambda: not daemon.running or
          daemon.ctl("wait", check=False).returncode == 0, 20)
    if daemon.running:
        daemon.kill()
    assert daemon.process.wait() == -signal.SIGKILL


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_a_hundred_kills_in_a_long_batch(figure):
    """Its tables are emptied each time, so that there is much to do, and it is
    killed somewhere in that: before a message to the kernel, which sees no
    difference between two of them."""
    a, dice, within = figure.a, random.Random(9), 0
    a.ip(many(KILL_ROUTES))
    daemon = idle(figure, 'model = "strong";')
    daemon.start()
    right = own_state(a)
    tables = list(own_sources(a, 4).values())
    full = [len(a.route_lines(table)) for table in tables]
    daemon.kill()
    counts = new_counts(f"{figure.lab.directory}/counts")
    daemon.env = preload(counts=counts)
    empty = "\n".join(f"route flush table {table}" for table in tables)
    a.ip(empty)
    daemon.start()
    sends = read_counts(counts)["send"]
    daemon.kill()
    for kill in range(KILLS):
        a.ip(empty)
        die_at(daemon, dice.randint(1, sends))
        within += any(0 < len(a.route_lines(table)) < all_of_them
                      for table, all_of_them in zip(tables, full))
        if kill % 10 == 9:
            daemon.env = {}
            daemon.start()
            assert daemon.plan() == ""
            assert own_state(a) == right
            daemon.kill()
    print(f"{within} of {KILLS} kills, before one of {sends} messages, left a "
          "table half filled")
    assert within >= 10
    daemon.env = {}
    daemon.start()
    daemon.terminate()
    assert nothing_is_ours(a)


# -- memory ----------------------------------------------------------------

def plain_binary():
    """A sanitizer needs terabytes of address space: the build without."""
    path = pathlib.Path(daemon_binary()).parents[2] / "build/daemon/multihomed"
    assert path.exists(), f"{path} is not there: ./dev build"
    return str(path)


def test_ten_thousand_routes_in_32_mib(figure, monkeypatch):
    """Of address space, in which the libraries are too."""
    a = figure.a
    a.ip(many(ROUTES))
    monkeypatch.setenv("MULTIHOMED_BIN_DAEMON", plain_binary())
    daemon = idle(figure)
    daemon.start(wait=False)
    pid = daemon.process.pid
    resource.prlimit(pid, resource.RLIMIT_AS, (32 * MIB, 32 * MIB))
    until(lambda: daemon.ctl("wait", check=False).returncode == 0, 20)
    assert daemon.status()["routes"]["ipv4"] >= 2 * ROUTES
    a.ip("route flush proto boot via 10.2.0.1", 4)
    daemon.wait()
    a.ip("route add default via 10.2.0.1 dev eth1 metric 200")
    daemon.wait()
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.2.0.1 dev eth1"
    assert daemon.process.pid == pid and daemon.running
    assert "memory" not in daemon.log()


# -- the disk --------------------------------------------------------------

@pytest.fixture
def disk(lab):
    """A directory with a file system of its own: a few pages."""
    path = f"{lab.directory}/disk"
    os.mkdir(path)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "none",
                    path], check=True, timeout=10)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True, timeout=10)


def fill(path):
    with open(f"{path}/rubbish", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


@pytest.mark.no_sandbox("the unit's directory is made by systemd")
def test_a_full_disk_costs_no_packet(figure, disk):
    """What is beside the socket helps a restart; all else is in the kernel."""
    a, b = figure.a, figure.b
    fill(disk)
    daemon = idle(figure, "settle_ms = 0;")
    daemon.socket_path = f"{disk}/io.multihomed"
    daemon.start()
    with tcp_open(a, b, "203.0.113.9", "10.2.0.2") as connection:
        # A pin, an endpoint and all that would be written down.
        a.ip("route add 203.0.113.0/24 via 10.1.0.1")
        daemon.wait()
        assert daemon.status()["pins"]["path"] == 1
        daemon.kill()
        daemon.start()
        connection.exchange()
        assert figure.dropped() == 0
    assert a.leaves_by("198.51.100.9", "10.2.0.2") == "via 10.2.0.1 dev eth1"
    until(lambda: daemon.plan() == "")
    told = [line for line in daemon.log().splitlines() if "No space" in line]
    assert told and len(told) <= 8, told
    os.unlink(f"{disk}/rubbish")
    daemon.leave()
    daemon.start()
    assert daemon.plan() == ""


@pytest.mark.no_sandbox("the unit's directory is made by systemd")
def test_a_full_disk_leaves_the_old_file(figure, disk):
    """What was written down before is not cut off."""
    daemon = idle(figure)
    daemon.socket_path = f"{disk}/io.multihomed"
    daemon.start()
    path = f"{daemon.socket_path}.endpoints"
    until(lambda: os.path.exists(path) and os.stat(path).st_size)
    with open(path, "rb") as file:
        before = file.read()
    fill(disk)
    figure.a.ip("addr del 10.2.0.2/24 dev eth1")
    daemon.wait()
    until(lambda: "No space" in daemon.log())
    with open(path, "rb") as file:
        assert file.read() == before
    daemon.kill()
    daemon.start()
    assert daemon.plan() == ""


@pytest.mark.no_sandbox("the unit's directory is made by systemd")
def test_what_a_full_disk_had_no_room_for_is_written_later(figure, disk):
    """Though nothing more happens: the next daemon needs all of it."""
    a, b = figure.a, figure.b
    fill(disk)
    daemon = idle(figure, "settle_ms = 0; ignore_linkdown = true; "
                  "pinning = { hold_ms = 60000; };")
    daemon.socket_path = f"{disk}/io.multihomed"
    daemon.start()
    with tcp_open(a, b, "203.0.113.9", "10.2.0.2"):
        a.ip("route del default via 10.2.0.1 dev eth1")
        daemon.wait()
        assert daemon.status()["pins"]["hold"] == 1
        os.unlink(f"{disk}/rubbish")
        until(lambda: all(
            os.path.exists(f"{daemon.socket_path}.{name}") and
            os.stat(f"{daemon.socket_path}.{name}").st_size
            for name in ("endpoints", "flows", "linkdown")), 15)
        daemon.kill()
        daemon.start()
        assert daemon.status()["pins"]["hold"] == 1
    daemon.terminate()
    assert endpoints(a) == {}
    assert a.sysctl("ipv4/conf/eth0/ignore_routes_with_linkdown") == "0"


# -- no directory, no rights -----------------------------------------------

@pytest.mark.no_sandbox("the unit's directory is made by systemd")
def test_without_run_it_says_so(figure):
    """/run is not there: as in a chroot, or before it is mounted."""
    daemon = idle(figure)
    daemon.socket_path = f"{figure.lab.directory}/run/multihomed/io.multihomed"
    done = run_to_its_end(daemon)
    assert done.returncode == 1
    assert "cannot make directory" in done.stderr
    assert os.path.dirname(daemon.socket_path) in done.stderr
    assert nothing_is_ours(figure.a)
    os.mkdir(f"{figure.lab.directory}/run")
    daemon.start()  # its own directory it makes itself
    assert stat.S_IMODE(os.stat(
        os.path.dirname(daemon.socket_path)).st_mode) == 0o755


@pytest.mark.no_sandbox("the unit's directory is made by systemd")
def test_a_directory_that_is_read_only(figure, disk):
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True, timeout=10)
    daemon = idle(figure)
    daemon.socket_path = f"{disk}/io.multihomed"
    done = run_to_its_end(daemon)
    assert done.returncode == 1
    assert f"cannot open {daemon.socket_path}.lock: Read-only" in done.stderr
    assert nothing_is_ours(figure.a)


@pytest.mark.parametrize("something_to_do", [True, False])
def test_without_net_admin_it_says_so(figure, something_to_do):
    """At once, and not when the first route comes."""
    if not something_to_do:
        figure.a.ip("link set eth0 down\nlink set eth1 down")
    daemon = idle(figure)
    done = run_to_its_end(daemon, "setpriv", "--bounding-set=-net_admin")
    assert done.returncode == 1
    assert "error: CAP_NET_ADMIN is missing" in done.stderr
    assert nothing_is_ours(figure.a)


def test_without_net_raw_it_says_so_and_works(figure):
    daemon = idle(figure)
    with open(daemon.log_path, "ab") as log:
        daemon.process = figure.a.start(
            "setpriv", "--bounding-set=-net_raw", daemon_binary(), "-c",
            daemon.config_path, "-s", daemon.socket_path, stdout=log,
            stderr=log)
    until(lambda: daemon.ctl("wait", check=False).returncode == 0, 5)
    assert "CAP_NET_RAW is missing" in daemon.log()
    assert figure.a.leaves_by("203.0.113.9", "10.2.0.2") == \
        "via 10.2.0.1 dev eth1"


# -- the clock -------------------------------------------------------------

@pytest.mark.no_sandbox("a shim is loaded before it")
@pytest.mark.parametrize("jump", [DECADE, -DECADE, 3600, -1])
def test_the_clock_is_set(figure, jump):
    """Nothing here is by the wall clock but what people read."""
    a, b = figure.a, figure.b
    clock = set_clock(f"{figure.lab.directory}/clock", 0)
    daemon = idle(figure, "pinning = { hold_ms = 1500; };",
                  env=preload(clock=clock))
    daemon.start()
    a.ip("route add 198.51.100.0/24 via 10.2.0.1")
    daemon.wait()
    before = daemon.status()
    with tcp_open(a, b, "203.0.113.9", "10.2.0.2"), Watch(a) as watch:
        a.ip("link set eth1 down")
        daemon.wait()
        start = time.monotonic()
        assert daemon.status()["pins"]["hold"] == 1
        set_clock(clock, jump)
        # The times that run go on as they did.
        until(lambda: daemon.status()["pins"]["hold"] == 0, 5, 0.02)
        assert 0.8 < time.monotonic() - start < 4
        # That of IPv6 goes with its address.
        assert [e for e in watch.lost_rules() if e.family == 4] == []
    a.ip("link set eth1 up\nroute add default via 10.2.0.1 dev eth1 "
         "metric 200")
    daemon.wait()
    until(lambda: daemon.plan() == "", 5, 0.1)
    after = daemon.status()
    assert 0 < after["uptime"] - before["uptime"] < 30
    shown = after["last_change"]
    assert 0 <= shown["seconds_ago"] < 30
    assert abs(shown["time"] - (time.time() + jump)) < 30
    assert json.loads(daemon.ctl("--json", "metrics").stdout)["metrics"]


def say_nonsense(daemon):
    """To the control socket; the daemon hangs up, and logs it."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(daemon.socket_path)
        client.sendall(b"nonsense\0")
        assert client.recv(1) == b""


@pytest.mark.slow
@pytest.mark.no_sandbox("a shim is loaded before it")
def test_a_clock_that_is_set_back_does_not_silence_the_log(figure):
    """It was ahead by ten years at the start, as of a board without a clock."""
    def lines():
        return daemon.log().count("is no JSON object")
    clock = set_clock(f"{figure.lab.directory}/clock", DECADE)
    daemon = idle(figure, env=preload(clock=clock))
    daemon.start()
    for _ in range(30):
        say_nonsense(daemon)
    until(lambda: lines() == 20)
    set_clock(clock, 0)
    time.sleep(10.5)  # the log's own period
    say_nonsense(daemon)
    until(lambda: lines() == 21, 5)


# -- descriptors -----------------------------------------------------------

def cpu_seconds(pid):
    """User and system, of one process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.no_sandbox("its limits are changed from outside")
def test_who_asks_for_the_claim_when_no_descriptor_is_left(figure):
    """Nobody can be answered, and nothing else suffers for it."""
    daemon = figure.start()
    pid = daemon.process.pid
    limit = len(os.listdir(f"/proc/{pid}/fd"))
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    with figure.a.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asks:
        asks.connect("\0multihomed")
        used = cpu_seconds(pid)
        time.sleep(2)  # what is measured
        assert cpu_seconds(pid) - used < 0.4
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        asks.settimeout(10)
        assert asks.recv(1) == b""
    daemon.wait()


# -- nothing can be read ---------------------------------------------------

@pytest.mark.no_sandbox("a shim is loaded before it")
def test_while_lists_fail_nothing_spins(figure):
    """An endpoint's time to go has come meanwhile: it waits for the next read
    that succeeds, as all does that needs to know what is there."""
    dumps = fail_from_now(f"{figure.lab.directory}/dumps")
    daemon = idle(figure, "settle_ms = 0; pinning = { hold_ms = 1500; };",
                  env=preload(dumps=dumps))
    daemon.start()
    assert A2_4 in endpoints(figure.a)
    figure.a.ip("route del default via 10.2.0.1 dev eth1 metric 200")
    daemon.wait()
    fail_from_now(dumps, "ENOBUFS")
    daemon.process.send_signal(signal.SIGHUP)
    until(lambda: "No buffer space" in daemon.log())
    time.sleep(1.5)
    used = cpu_seconds(daemon.process.pid)
    time.sleep(2)  # what is measured
    assert cpu_seconds(daemon.process.pid) - used < 0.2
    assert A2_4 in endpoints(figure.a)
    fail_from_now(dumps)
    until(lambda: A2_4 not in endpoints(figure.a), 10)


@pytest.mark.no_sandbox("a shim is loaded before it")
@pytest.mark.parametrize("from_the_start", [True, False])
def test_status_says_that_lists_fail(figure, from_the_start):
    """There may be no end to it, and nothing is routed until then."""
    dumps = fail_from_now(f"{figure.lab.directory}/dumps",
                       "ENOBUFS" if from_the_start else None)
    daemon = idle(figure, env=preload(dumps=dumps))
    daemon.start(wait=not from_the_start)
    if not from_the_start:
        fail_from_now(dumps, "ENOBUFS")
        daemon.process.send_signal(signal.SIGHUP)
    until(lambda: "No buffer space" in daemon.log())
    said, = daemon.status()["problems"]
    assert said.startswith(
        "reading from the kernel fails (No buffer space available)")
    assert "1 problem" in daemon.ctl("status").stdout
    fail_from_now(dumps)
    daemon.wait()
    assert daemon.status()["problems"] == []


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_a_start_that_can_read_nothing_puts_no_setting_back(figure):
    """It was killed, and its settings are still wanted."""
    setting = "ipv4/conf/eth0/ignore_routes_with_linkdown"
    daemon = figure.start("ignore_linkdown = true;")
    assert figure.a.sysctl(setting) == "1"
    daemon.kill()
    dumps = fail_from_now(f"{figure.lab.directory}/dumps", "ENOBUFS")
    daemon.env = preload(dumps=dumps)
    daemon.start(wait=False)
    until(lambda: "No buffer space" in daemon.log())
    time.sleep(0.5)
    assert figure.a.sysctl(setting) == "1"
    fail_from_now(dumps)
    daemon.wait()
    assert figure.a.sysctl(setting) == "1"


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_a_stop_while_nothing_can_be_read(figure):
    """What an earlier life left cannot be removed: that is no success."""
    daemon = figure.start()
    daemon.kill()
    dumps = fail_from_now(f"{figure.lab.directory}/dumps", "ENOBUFS")
    daemon.env = preload(dumps=dumps)
    daemon.start(wait=False)
    until(lambda: "No buffer space" in daemon.log())
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(10) == 1
    assert not nothing_is_ours(figure.a)
    fail_from_now(dumps)
    daemon.start()


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_a_list_of_endpoints_that_fails_is_no_list_of_none(figure):
    def shown():
        return json.loads(daemon.ctl("--json", "mptcp").stdout)

    counts = new_counts(f"{figure.lab.directory}/counts")
    daemon = idle(figure, env=preload(counts=counts))
    daemon.start()
    before = read_counts(counts)["send"]
    assert shown()["endpoints"]
    asked = read_counts(counts)["send"]
    daemon.terminate()
    said = []
    for number in range(before + 1, asked + 1):
        daemon.env = preload(fault=f"send:{number}:ENOBUFS")
        daemon.start()
        reply = shown()
        assert reply["missing"] == []
        said.append(reply.get("kernel_error"))
        assert said[-1] or reply["endpoints"]
        daemon.terminate()
    assert said.count("ENOBUFS") == 1
