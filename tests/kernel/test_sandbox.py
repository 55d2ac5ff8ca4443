# SPDX-License-Identifier: GPL-2.0-or-later
"""The unit's sandbox, as tests/kernel/sandbox sets it up without systemd: its
doors are closed, and the daemon works behind them. The whole suite goes through
it with ./dev netns --sandbox, and tests/vm looks at the real one."""

import grp
import os
import pathlib
import subprocess

import pytest

from lab.daemon import ROOT, daemon_binary

SANDBOX = ROOT / "tests/kernel/sandbox"
SECCOMP = pytest.mark.skipif(
    subprocess.run(["/usr/bin/python3", "-c", "import seccomp"],
                   capture_output=True, check=False).returncode != 0,
    reason="python3-seccomp is not installed")
pytestmark = SECCOMP

# What a program inside is answered: "ok", or the name of the error.
PROBE = r"""
import ctypes, errno, mmap, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def tell(name, function):
    ctypes.set_errno(0)
    try:
        result = function()
        number = ctypes.get_errno() if result == -1 else 0
        answer = errno.errorcode[number] if number else "ok"
    except OSError as err:
        answer = errno.errorcode[err.errno]
    print(name, answer, file=out)
base = os.path.dirname(os.path.abspath(sys.argv[0]))
out = open(base + "/answers", "w")
call = lambda name, *args: lambda: getattr(libc, name)(*args)
for family in ("AF_UNIX", "AF_NETLINK", "AF_INET6", "AF_INET", "AF_PACKET"):
    kind = socket.SOCK_RAW if family == "AF_PACKET" else socket.SOCK_DGRAM
    tell(family, lambda: socket.socket(getattr(socket, family), kind))
tell("ICMPv6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58))
for path in ("/etc", "/usr", "/var", "/proc/sys/net"):
    tell(path, lambda: os.open(path + "/x", os.O_CREAT | os.O_WRONLY))
tell("sysctl", lambda: os.open("/proc/sys/net/ipv4/ip_forward", os.O_WRONLY))
tell("own", lambda: os.open(base + "/x", os.O_CREAT | os.O_WRONLY, 0o600))
tell("suid", lambda: os.chmod(base + "/x", 0o4755))
tell("init", lambda: os.stat("/proc/1/status"))
tell("home", lambda: os.listdir("/root"))
tell("disk", lambda: os.stat("/dev/loop-control"))
tell("null", lambda: open("/dev/null", "w"))
tell("unshare", call("unshare", 0x10000000))
tell("setns", call("setns", 0, 0))
tell("mount", call("mount", b"x", b"/", b"tmpfs", 0, None))
tell("ptrace", call("ptrace", 0, 0, 0, 0))
tell("chown", lambda: os.chown(base + "/x", -1, os.getgid()))
tell("setuid", lambda: os.setuid(0))
tell("hostname", call("sethostname", b"x", 1))
tell("w+x", lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | 4) and 0)
tell("kexec", call("syscall", 246, 0, 0, 0, 0))
tell("bpf", call("syscall", 321, 0, 0, 0))
tell("realtime", lambda: os.sched_setscheduler(0, 1, os.sched_param(1)))
"""

OPEN = ("AF_UNIX", "AF_NETLINK", "AF_INET6", "ICMPv6", "own", "null")


@pytest.fixture
def answers(lab):
    """{door: what the probe was answered}."""
    host = lab.host("a")
    base = pathlib.Path(lab.directory) / "probe"
    base.mkdir()
    script = base / "probe.py"
    script.write_text(PROBE, encoding="ascii")
    # "-s FILE" is the socket to the daemon, and the script to the interpreter.
    done = host.run("env", "MULTIHOMED_SANDBOXED=/usr/bin/python3",
                    str(SANDBOX), "-s", str(script), check=False)
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in
                (base / "answers").read_text(encoding="ascii").splitlines())


def test_only_the_doors_it_needs_are_open(answers):
    assert len(answers) > 25
    assert [name for name, answer in answers.items() if answer == "ok"] == \
        [name for name in answers if name in OPEN]
    for name in ("AF_INET", "AF_PACKET"):
        assert answers[name] == "EAFNOSUPPORT"
    for name in ("/etc", "/usr", "/var", "sysctl"):
        assert answers[name] == "EROFS"
    assert answers["init"] == "ENOENT", "hidden"


def test_a_drop_in_does_without_ipv6():
    """systemd starts no unit that names a path which is not there, unless there
    is a dash before it; with ipv6.disable=1 those of IPv6 are not there."""
    words = [word for path in (ROOT / "systemd").glob("*.conf")
             for word in path.read_text(encoding="ascii").split()
             if "/net/ipv6" in word]
    assert words
    assert [word for word in words if not word.startswith("-/")] == []


def plain_daemon():
    return os.environ.get("MULTIHOMED_SANDBOXED") or daemon_binary()


@pytest.fixture
def inside(monkeypatch):
    """Daemons that start are in the sandbox."""
    monkeypatch.setenv("MULTIHOMED_SANDBOXED", plain_daemon())
    monkeypatch.setenv("MULTIHOMED_BIN_DAEMON", str(SANDBOX))
    monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=0")


@pytest.mark.usefixtures("inside")
def test_threads_may_write_for_it(figure):
    """Two of them: for many IPv6 routes, and where there are two processors."""
    figure.a.run("ip", "-6", "-batch", "-", stdin="".join(
        f"route add 2001:db8:ff:{i:x}::/64 via fe80::1 dev eth0\n"
        for i in range(300)))
    daemon = figure.start()
    threads = os.listdir(f"/proc/{daemon.process.pid}/task")
    assert len(threads) == 1 + min(2, len(os.sched_getaffinity(0)))


@pytest.mark.usefixtures("inside")
def test_members_of_the_group_may_ask_it(figure):
    """Although it may not give files to a group: the socket has the right one
    from the start."""
    daemon = figure.start('control = { group = "games"; };')
    found = os.stat(daemon.socket_path)
    assert (found.st_gid, found.st_mode & 0o777) == \
        (grp.getgrnam("games").gr_gid, 0o660)
    daemon.terminate()
