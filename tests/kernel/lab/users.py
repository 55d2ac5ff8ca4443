# SPDX-License-Identifier: GPL-2.0-or-later
"""Users who are not root, without an entry in any file of this machine.

    member = User(groups=(gid_of(GROUP),))
    assert member.does(lambda: ask(path, "io.multihomed.Status").error) == ""

The function runs in a child process that has become the user; what it returns
or raises comes back. A group is one that every Debian has, and a private
/etc/group is mounted for the daemon alone: see daemon_with_groups().
"""

import grp
import multiprocessing
import os
import pathlib
import shlex
import stat
import traceback

from .daemon import daemon_binary

LIMIT_S = 20
MEMBER_UID, STRANGER_UID = 64901, 64902
PRIVATE_GID = 64910
GROUP = "games"  # of base-passwd: it is everywhere, and nobody's

_fork = multiprocessing.get_context("fork")


def gid_of(group):
    return grp.getgrnam(group).gr_gid


class User:
    """Somebody without privileges."""

    def __init__(self, uid=MEMBER_UID, groups=()):
        self.uid, self.groups = uid, tuple(groups)

    def become(self):
        """The calling process is this user from here on, for good."""
        os.setgroups(list(self.groups))
        os.setresgid(self.uid, self.uid, self.uid)
        os.setresuid(self.uid, self.uid, self.uid)

    def start(self, function, *args):
        """function(*args) in a child that is this user; its Process."""
        process = _fork.Process(target=self._run, args=(function, args),
                                daemon=True)
        process.start()
        return process

    def _run(self, function, args):
        self.become()
        function(*args)

    def does(self, function):
        """What function() returns when this user calls it."""
        receiver, sender = _fork.Pipe(duplex=False)

        def report():
            try:
                sender.send((True, function()))
            except BaseException as err:  # it is raised again on our side
                sender.send((False, (type(err).__name__, str(err),
                                     traceback.format_exc())))

        process = self.start(report)
        sender.close()
        try:
            assert receiver.poll(LIMIT_S), f"no end within {LIMIT_S} s"
            good, value = receiver.recv()
        finally:
            process.kill()
            process.join()
            receiver.close()
        if good:
            return value
        raise AssertionError(f"uid {self.uid}: {value[0]}: {value[1]}\n"
                             f"{value[2]}")

    def fails(self, function):
        """Name of the OSError that function() raises; "" when it works."""
        import errno

        def attempt():
            try:
                function()
            except OSError as err:
                return errno.errorcode.get(err.errno, str(err))
            return ""
        return self.does(attempt)


def let_in(lab):
    """Users may walk to the sockets below the lab's directory."""
    os.chmod(lab.directory, 0o711)


def daemon_with_groups(lab, monkeypatch, lines):
    """From now on daemons see an /etc/group with these lines besides root's;
    nobody else does."""
    base = pathlib.Path(lab.directory)
    groups = base / "group"
    groups.write_text("root:x:0:\n" + "".join(f"{line}\n" for line in lines),
                      encoding="ascii")
    script = base / "daemon-with-groups"
    script.write_text(
        "#!/bin/sh\n"
        f"mount --bind {shlex.quote(str(groups))} /etc/group || exit 99\n"
        f'exec {shlex.quote(daemon_binary())} "$@"\n', encoding="ascii")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    wrapper = base / "daemon-in-a-mount-namespace"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'exec unshare --mount {shlex.quote(str(script))} "$@"\n',
        encoding="ascii")
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("MULTIHOMED_BIN_DAEMON", str(wrapper))
