# SPDX-License-Identifier: GPL-2.0-or-later
"""This machine as the host of the draft's section 3, and what it does there.

eth1 and eth2 are its own links; the two routers, which drop foreign sources,
and the server behind both are network namespaces.
"""

import json
import os
import re
import socket
import subprocess
import threading
import time

PLACE = "/opt/multihomed"
PACKAGE = f"{PLACE}/multihomed.deb"
NEXT = f"{PLACE}/multihomed-next.deb"
CONFIG = "/etc/multihomed.conf"
UNIT = "multihomed.service"
DROP_INS = f"/etc/systemd/system/{UNIT}.d"
SOCKET = "/run/multihomed/io.multihomed"
SOURCES = ("10.1.0.2", "10.2.0.2", "2001:db8:1::2", "2001:db8:2::2")
SERVER4, SERVER6 = "203.0.113.9", "2001:db8:b::9"
PORT = 7
LIMIT_S = 120

LINKS = """
link add eth{n} type veth peer name lan netns r{n}
link add wan{n} netns b type veth peer name wan netns r{n}
addr add 10.{n}.0.2/24 dev eth{n}
addr add 2001:db8:{n}::2/64 dev eth{n} nodad
link set eth{n} up
"""
ROUTER = """
addr add 10.{n}.0.1/24 dev lan
addr add 2001:db8:{n}::1/64 dev lan nodad
addr add 172.16.{n}.1/24 dev wan
addr add 2001:db8:f{n}::1/64 dev wan nodad
link set lan up
link set wan up
route add 203.0.113.9 via 172.16.{n}.9
route add 2001:db8:b::9 via 2001:db8:f{n}::9
"""
SERVER = """
addr add 172.16.{n}.9/24 dev wan{n}
addr add 2001:db8:f{n}::9/64 dev wan{n} nodad
link set wan{n} up
route add 10.{n}.0.0/24 via 172.16.{n}.1
route add 2001:db8:{n}::/64 via 2001:db8:f{n}::1
"""
DEFAULTS = """
route add default via 10.{n}.0.1 dev eth{n} metric {n}00
route add default via 2001:db8:{n}::1 dev eth{n} metric {n}00
"""
FILTER = """
table inet provider {{
    counter foreign {{ }}
    chain in {{
        type filter hook forward priority 0;
        iifname lan ip saddr != 10.{n}.0.0/24 counter name foreign drop
        iifname lan ip6 saddr != 2001:db8:{n}::/64 counter name foreign drop
    }}
}}
"""
ECHO = """
import socket, threading
def serve(sock):
    with sock:
        while data := sock.recv(4096):
            sock.sendall(data)
listener = socket.create_server(("::", 7), family=socket.AF_INET6,
                                dualstack_ipv6=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],)).start()
"""


def run(text, check=True, stdin=None, limit_s=LIMIT_S):
    """A command line without quoting; a CompletedProcess with text."""
    done = subprocess.run(text.split(), capture_output=True, text=True,
                          input=stdin, timeout=limit_s)
    assert not check or done.returncode == 0, \
        f"{text}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def ask(text):
    """What a command prints."""
    return run(text).stdout.strip()


def until(condition, what, limit_s=20.0):
    """The first true value of condition()."""
    deadline = time.monotonic() + limit_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {limit_s} s: {what}"
        time.sleep(0.05)
    return value


def build():
    """The whole network; once for this machine."""
    for name in ("r1", "r2", "b"):
        run(f"ip netns add {name}")
        run(f"ip -n {name} link set lo up")
        for family in ("ipv4.ip_forward", "ipv6.conf.all.forwarding"):
            if name != "b":
                run(f"ip netns exec {name} sysctl -q -w net.{family}=1")
    run("ip -n b addr add 203.0.113.9/32 dev lo")
    run("ip -n b addr add 2001:db8:b::9/128 dev lo")
    for n in (1, 2):
        run("ip -batch -", stdin=LINKS.format(n=n))
        run(f"ip -n r{n} -batch -", stdin=ROUTER.format(n=n))
        run("ip -n b -batch -", stdin=SERVER.format(n=n))
        run("ip -batch -", stdin=DEFAULTS.format(n=n))
        run(f"ip netns exec r{n} nft -f -", stdin=FILTER.format(n=n))
    return subprocess.Popen(["ip", "netns", "exec", "b", "python3", "-c",
                             ECHO])


def foreign():
    """Packets that the routers dropped: their source was not theirs."""
    return sum(int(re.search(r"packets (\d+)", ask(
        f"ip netns exec r{n} nft list counter inet provider foreign"))
        .group(1)) for n in (1, 2))


def pings(source):
    """Is an echo request from source answered?"""
    server = SERVER6 if ":" in source else SERVER4
    return run(f"ping -n -q -c 2 -i 0.1 -W 2 -I {source} {server}",
               check=False).returncode == 0


def unreached():
    """The sources whose packets do not come back."""
    return [source for source in SOURCES if not pings(source)]


def ours():
    """Every rule and route of ours, one a line, sorted."""
    lines = []
    for family in (4, 6):
        for what in ("rule list", "route list table all"):
            lines += [line.strip() for line in
                      ask(f"ip -{family} -N {what}").splitlines()
                      if "proto 109" in line]
    return sorted(lines)


def unit(key, name=UNIT):
    """One property of a unit."""
    return ask(f"systemctl show -P {key} {name}")


def configure(text):
    """For the next reload or start; conftest brings the old one back."""
    with open(CONFIG, "w", encoding="utf-8") as file:
        file.write(text)


def drop_in(text):
    """For the unit; conftest takes it away again."""
    os.makedirs(DROP_INS, exist_ok=True)
    with open(f"{DROP_INS}/test.conf", "w", encoding="ascii") as file:
        file.write(text)
    run("systemctl daemon-reload")


def pid():
    return int(unit("MainPID"))


def proc_status(number):
    """/proc/PID/status as {name: text}."""
    with open(f"/proc/{number}/status", encoding="ascii") as file:
        return dict(line.rstrip().split(":\t", 1) for line in file
                    if ":\t" in line)


def ctl(*argv, path=SOCKET):
    """multihomectl's answer as Python values."""
    return json.loads(ask(f"multihomectl -s {path} --json {' '.join(argv)}"))


def installed():
    """The version that is installed, or ""."""
    done = run("dpkg-query -W -f=${db:Status-Status}/${Version} multihomed",
               check=False)
    state, _, version = done.stdout.partition("/")
    return version if state == "installed" else ""


class Events:
    """What changes in the kernel of ours during a with block, by ip-monitor."""

    def __init__(self, namespace=None):
        self._ip = ["ip", "-n", namespace] if namespace else ["ip"]
        self._lines, self.ours = [], None

    def __enter__(self):
        self._process = subprocess.Popen(
            [*self._ip, "-N", "monitor", "rule", "route"], text=True,
            stdout=subprocess.PIPE)
        self._reader = threading.Thread(
            target=lambda: self._lines.extend(self._process.stdout))
        self._reader.start()
        self._hear(7)
        return self

    def _hear(self, mark):
        """It does not tell when it has begun to listen: rules of ours do."""
        rule = f"priority 39999 from 192.0.2.{mark} lookup main".split()

        def heard():
            for word in ("add", "del"):
                subprocess.run([*self._ip, "rule", word, *rule], check=True)
            return any(f"192.0.2.{mark} " in line for line in self._lines)

        until(heard, "ip monitor")

    def __exit__(self, *_):
        self._hear(8)
        self._process.terminate()
        self._process.wait(timeout=LIMIT_S)
        self._reader.join()
        self.ours = [line for line in self._lines if "proto 109" in line]


class Flow:
    """A TCP connection that sends a little all the time and gets it back."""

    def __init__(self, source):
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(LIMIT_S)
        self._socket.bind((source, 0))
        self._socket.connect((SERVER6 if ":" in source else SERVER4, PORT))
        self._stop = threading.Event()
        self.error, self.rounds, self.worst_s = None, 0, 0.0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        until(lambda: self.rounds, f"the first round of {source}")

    def _run(self):
        try:
            while not self._stop.is_set():
                start = time.monotonic()
                self._socket.sendall(b"x")
                assert self._socket.recv(1) == b"x"
                self.worst_s = max(self.worst_s, time.monotonic() - start)
                self.rounds += 1
                time.sleep(0.02)
        except (OSError, AssertionError) as err:
            self.error = err

    def finish(self):
        """It must have lived to the end, and through this very moment."""
        before = self.rounds
        until(lambda: self.error or self.rounds > before + 1, "another round")
        self._stop.set()
        self._thread.join()
        self._socket.close()
        assert self.error is None, self.error


def files():
    """All files of this system that a package may leave something in."""
    found = set()
    for top in ("/etc", "/lib/systemd", "/usr", "/var", "/run"):
        for path, names, others in os.walk(top):
            found.update(os.path.join(path, name) for name in names + others)
    return found
