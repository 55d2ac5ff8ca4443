# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may connect, who may read and who may change: with real users."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess

import pytest

from lab import Daemon, ctl_binary
from lab.users import (GROUP, PRIVATE_GID, STRANGER_UID, User,
                       daemon_with_groups, gid_of, let_in)
from lab.varlink import INTERFACE, SERVICE, Client, ask

DENIED = f"{SERVICE}.PermissionDenied"
EXIT_BAD_NEWS, EXIT_NO_DAEMON = 1, 3
READS = ("Status", "Subnets", "Verify", "Doctor", "Metrics", "Wait")
CHANGES = (("Reload", {}), ("Reload", {"try_seconds": 5}),
           ("Reload", {"try_seconds": "x"}), ("Confirm", {}),
           ("Confirm", {"keep": False}))


def full(method):
    return f"{INTERFACE}.{method}"


@pytest.fixture
def member():
    return User(groups=(gid_of(GROUP),))


@pytest.fixture
def stranger():
    return User(STRANGER_UID, (gid_of("nogroup"),))


def config(text="", group=GROUP):
    return f'control = {{ group = "{group}"; }};\n{text}'


@pytest.fixture
def daemon(figure):
    """On the figure's host, for GROUP."""
    let_in(figure.lab)
    return figure.start(config())


@pytest.fixture
def ctl(lab):
    """A multihomectl that every user can execute, wherever it was built."""
    copy = shutil.copy(ctl_binary(), lab.directory)
    os.chmod(copy, 0o755)
    return copy


def run_ctl(ctl, daemon, *argv):
    """Run by whoever calls it: (exit status, stdout, stderr)."""
    done = subprocess.run([ctl, "-s", daemon.socket_path, *argv],
                          capture_output=True, text=True, timeout=15, cwd="/")
    return done.returncode, done.stdout, done.stderr


def errors_of_reads(path):
    """{method: the error's name} of everything that changes nothing."""
    said = {method: ask(path, full(method)).error for method in READS}
    said["Explain"] = ask(path, full("Explain"),
                          {"destination": "203.0.113.9"}).error
    for method in ("Table",):
        with Client(path) as client:
            client.send(full(method), more=True)
            reply = client.receive()
            while reply.continues:
                reply = client.receive()
            said[method] = reply.error
    return said


# -- the group -------------------------------------------------------------

def test_a_member_may_read_everything(daemon, member):
    said = member.does(lambda: errors_of_reads(daemon.socket_path))
    assert said == dict.fromkeys(said, ""), said
    assert len(said) == 8


def test_a_member_may_watch(daemon, member):
    """Monitor, while root changes something."""
    a = daemon.namespace

    def watch():
        with Client(daemon.socket_path) as client:
            client.send(full("Monitor"), more=True)
            while True:
                reply = client.receive()
                if reply.error or reply.parameters["wrote"]:
                    return reply.error, reply.continues

    # A member cannot make a route: the change comes from here, again and
    # again, until the watch has one. No gateway: no settle time either.
    flap = a.start("sh", "-c", "for i in $(seq 500); do "
                   "ip route add 10.60.0.0/16 dev eth0; "
                   "ip route del 10.60.0.0/16; sleep 0.02; done")
    try:
        assert member.does(watch) == ("", True)
    finally:
        flap.kill()
        flap.wait(timeout=5)


@pytest.mark.parametrize("method,parameters", CHANGES)
def test_a_member_may_change_nothing(daemon, member, method, parameters):
    daemon.set_config(config('model = "strong";'))
    reply = member.does(lambda: ask(daemon.socket_path, full(method),
                                    parameters))
    assert (reply.error, reply.parameters) == (DENIED, {})
    member.does(lambda: Client(daemon.socket_path).send(
        full(method), parameters, oneway=True))
    status = daemon.status()
    assert status["model"] == "weak" and "trial" not in status


def test_a_member_cannot_end_somebody_elses_trial(daemon, member):
    daemon.set_config(config('model = "strong";'))
    assert not ask(daemon.socket_path, full("Reload"),
                   {"try_seconds": 60}).error
    for keep in (True, False):
        reply = member.does(lambda: ask(daemon.socket_path, full("Confirm"),
                                        {"keep": keep}))
        assert reply.error == DENIED
    assert "trial" in daemon.status()
    assert not ask(daemon.socket_path, full("Confirm"), {"keep": False}).error
    assert daemon.status()["model"] == "weak"


def test_a_member_by_primary_group(daemon):
    """The group may be the user's own, not only a supplementary one."""
    gid, path = gid_of(GROUP), daemon.socket_path

    class Primary(User):
        def become(self):
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(self.uid, self.uid, self.uid)

    assert Primary().does(lambda: ask(path, full("Status")).error) == ""


def test_who_asks_is_who_connected(daemon, member):
    """Root's connection in a member's hands stays root's, and the other way
    round: the kernel noted who connected."""
    def connect_and_ask():
        return ask(daemon.socket_path, full("Reload")).error

    # A setuid program that connected as the user and then became root.
    ours, theirs = socket.socketpair()
    with ours, theirs:
        def pass_on():
            with Client(daemon.socket_path) as client:
                socket.send_fds(theirs, [b"x"], [client.sock.fileno()])
        member.does(pass_on)
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    sock = socket.socket(fileno=fds[0])
    with sock:
        sock.settimeout(5)
        sock.sendall(b'{"method": "io.multihomed.Reload"}\0')
        assert json.loads(sock.recv(65536)[:-1])["error"] == DENIED
    assert member.does(connect_and_ask) == DENIED
    assert connect_and_ask() == ""


def test_root_may_do_everything(daemon):
    said = errors_of_reads(daemon.socket_path)
    assert said == dict.fromkeys(said, ""), said
    with Client(daemon.socket_path) as client:
        assert client.call(full("Reload")) == {}
        assert client.call(full("Reload"), try_seconds=60) == {}
        assert client.call(full("Confirm")) == {}


def test_a_stranger_cannot_connect(daemon, stranger):
    assert stranger.fails(lambda: Client(daemon.socket_path)) == "EACCES"
    assert ask(daemon.socket_path, full("Status")).error == ""


def test_denials_do_not_fill_the_log(daemon, member):
    def knock():
        with Client(daemon.socket_path) as client:
            for _ in range(2000):
                client.send(full("Reload"))
                assert client.receive().error == DENIED
    member.does(knock)
    lines = [line for line in daemon.log().splitlines()
             if "may not call" in line]
    assert 1 <= len(lines) <= 40
    assert "uid=" in lines[0] and "Reload" in lines[0]


# -- the files -------------------------------------------------------------

def test_modes_and_owners(daemon):
    path = daemon.socket_path
    owner = os.stat(os.path.dirname(path)).st_uid  # the daemon's user
    found = os.stat(path)
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == \
        (owner, gid_of(GROUP), 0o660)
    lock = os.stat(f"{path}.lock")
    assert (lock.st_uid, lock.st_mode & 0o7777) == (owner, 0o600)
    assert not os.path.exists(f"{path}.new")


@pytest.mark.no_sandbox("the unit has its directory made by systemd")
def test_a_directory_of_the_daemons_own_is_open_to_users(figure, member,
                                                         stranger):
    """Made with 0755 whatever the umask; below it only root makes files."""
    let_in(figure.lab)
    daemon = Daemon(figure.a, config())
    figure.lab.daemons.append(daemon)
    daemon.socket_path = os.path.join(os.path.dirname(daemon.socket_path),
                                      "run", "io.multihomed")
    before = os.umask(0o077)
    try:
        daemon.start()
    finally:
        os.umask(before)
    directory = os.path.dirname(daemon.socket_path)
    assert os.stat(directory).st_mode & 0o7777 == 0o755
    path = daemon.socket_path
    assert member.does(lambda: ask(path, full("Status")).error) == ""
    assert stranger.fails(lambda: Client(path)) == "EACCES"
    for user in (member, stranger):
        assert user.fails(lambda: open(f"{directory}/x", "wb")) == "EACCES"


def take_over(path):
    """Everything that would put another socket into this one's place, or
    take it away, or make the lock somebody else's: {what: errno's name}."""
    mine = "/tmp/mh-take-over-%d" % os.getpid()
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(mine)
    attempts = {
        "unlink": lambda: os.unlink(path),
        "rename away": lambda: os.rename(path, mine + ".theirs"),
        "rename over": lambda: os.rename(mine, path),
        "link over": lambda: os.link(mine, path),
        "symlink": lambda: os.symlink(mine, path + ".new"),
        "bind": lambda: socket.socket(socket.AF_UNIX).bind(path),
        "bind draft": lambda: socket.socket(socket.AF_UNIX).bind(path + ".new"),
        "chmod": lambda: os.chmod(path, 0o777),
        "chown": lambda: os.chown(path, os.getuid(), -1),
        "write": lambda: open(path, "wb"),
        "unlink lock": lambda: os.unlink(path + ".lock"),
        "rename over lock": lambda: os.rename(mine, path + ".lock"),
        "read lock": lambda: open(path + ".lock", "rb"),
        "write lock": lambda: open(path + ".lock", "wb"),
        "remove directory": lambda: os.rmdir(os.path.dirname(path)),
        "rename directory": lambda: os.rename(os.path.dirname(path),
                                              mine + ".d"),
    }
    said = {}
    try:
        for name, attempt in attempts.items():
            try:
                attempt()
                said[name] = ""
            except OSError as err:
                said[name] = type(err).__name__
    finally:
        server.close()
        if os.path.exists(mine):
            os.unlink(mine)
    return said


def test_nobody_takes_the_socket_or_the_lock_away(daemon, member, stranger):
    path = daemon.socket_path
    before = [os.stat(name).st_ino for name in (path, f"{path}.lock")]
    for user in (member, stranger):
        said = user.does(lambda: take_over(path))
        assert "" not in said.values(), said
    assert [os.stat(name).st_ino for name in (path, f"{path}.lock")] == before
    assert ask(path, full("Status")).error == ""


def test_nobody_keeps_the_daemon_from_starting_again(daemon, member):
    """A member holds connections and whatever it can of the files; the next
    daemon takes its place all the same."""
    path = daemon.socket_path

    def hold(ready):
        held = [Client(path) for _ in range(50)]
        ready.send(len(held))
        signal.pause()

    import multiprocessing
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = member.start(hold, sender)
    try:
        assert receiver.poll(10) and receiver.recv() == 50
        daemon.kill()
        daemon.start()
        assert member.does(lambda: ask(path, full("Status")).error) == ""
    finally:
        process.kill()
        process.join()


# -- groups that are missing -----------------------------------------------

def test_a_missing_default_group_means_root_alone(figure, member, stranger,
                                                  monkeypatch):
    let_in(figure.lab)
    daemon_with_groups(figure.lab, monkeypatch, [])
    daemon = figure.start()
    warnings = [line for line in daemon.log().splitlines()
                if "warning:" in line and "group multihomed" in line]
    assert len(warnings) == 1
    assert os.stat(daemon.socket_path).st_mode & 0o7777 == 0o600
    for user in (member, stranger):
        assert user.fails(lambda: Client(daemon.socket_path)) == "EACCES"
    assert daemon.status()["steady"]


def test_the_default_group_is_multihomed(figure, member, monkeypatch):
    let_in(figure.lab)
    daemon_with_groups(figure.lab, monkeypatch,
                       [f"multihomed:x:{PRIVATE_GID}:"])
    daemon = figure.start()
    path = daemon.socket_path
    assert "warning" not in daemon.log()
    assert (os.stat(path).st_gid, os.stat(path).st_mode & 0o7777) == \
        (PRIVATE_GID, 0o660)
    assert User(groups=(PRIVATE_GID,)).does(
        lambda: ask(path, full("Status")).error) == ""
    assert member.fails(lambda: Client(path)) == "EACCES"


@pytest.mark.parametrize("group", ["nosuchgroup", "multihomed", "64910"])
def test_a_missing_group_of_the_config_ends_the_start(figure, monkeypatch,
                                                      group):
    """Even the default's name, once it is asked for."""
    daemon_with_groups(figure.lab, monkeypatch, [])
    daemon = Daemon(figure.a, config(group=group))
    with pytest.raises(AssertionError, match="ended with 1"):
        daemon.start()
    assert f"there is no group {group}" in daemon.log()
    assert not os.path.exists(daemon.socket_path)
    assert figure.a.route_lines("7100") == []


def test_a_missing_group_at_a_reload_is_an_error_too(daemon, member):
    """Or it would first show at the next start, when the host boots."""
    daemon.set_config(config(group="nosuchgroup"))
    reply = ask(daemon.socket_path, full("Reload"))
    assert reply.error == full("ConfigInvalid")
    assert "nosuchgroup" in str(reply.parameters) or \
        "control.group" in str(reply.parameters)
    assert member.does(lambda: ask(daemon.socket_path,
                                   full("Status")).error) == ""


def test_another_group_at_a_reload_takes_effect_or_is_refused(daemon, member):
    """What the config says and who gets in must not differ in silence."""
    daemon.set_config(config(group="nogroup"))
    reply = ask(daemon.socket_path, full("Reload"))
    locked_out = member.fails(lambda: Client(daemon.socket_path)) == "EACCES"
    assert locked_out or "control.group" in str(reply.parameters)


# -- multihomectl of such users --------------------------------------------

def test_multihomectl_of_a_member(daemon, member, ctl):
    status, out, err = member.does(lambda: run_ctl(ctl, daemon))
    assert (status, err) == (0, "") and "10.1.0.0/24" in out
    status, out, err = member.does(lambda: run_ctl(ctl, daemon, "reload"))
    assert status == EXIT_BAD_NEWS and out == ""
    assert "root" in err and "may do this" in err and "Traceback" not in err
    assert err.count("\n") == 1
    status, out, err = member.does(
        lambda: run_ctl(ctl, daemon, "--json", "reload"))
    assert status == EXIT_BAD_NEWS
    assert json.loads(out)["error"] == DENIED


def test_multihomectl_of_a_stranger(daemon, stranger, ctl):
    for argv in ([], ["reload"], ["verify"], ["--json", "status"]):
        status, out, err = stranger.does(lambda: run_ctl(ctl, daemon, *argv))
        assert (status, out) == (EXIT_NO_DAEMON, ""), argv
        assert daemon.socket_path in err and "Permission denied" in err
        assert "group" in err
        assert err.count("\n") == 1


def test_multihomectl_where_no_daemon_is(daemon, member, ctl):
    daemon.terminate()
    status, out, err = member.does(lambda: run_ctl(ctl, daemon))
    assert (status, out) == (EXIT_NO_DAEMON, "")
    assert "is multihomed running?" in err


def test_the_lock_is_free_when_the_daemon_is_gone(daemon):
    daemon.kill()
    with open(f"{daemon.socket_path}.lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
