# SPDX-License-Identifier: GPL-2.0-or-later
"""One network namespace, and everything a test does inside it.

The test process enters a namespace for a moment (setns() acts on the calling
thread alone) to start a command or to open a socket, and leaves again. The
command or the socket stays where it was made. So a TCP exchange between two
hosts costs microseconds, not two interpreters.
"""

import ctypes
import errno
import fcntl
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
TUNSETIFF = 0x400454CA
TUNSETCARRIER = 0x400454E2
IFF_TUN, IFF_TAP, IFF_NO_PI = 0x0001, 0x0002, 0x1000
COMMAND_LIMIT_S = 60  # it hangs; ten tests may share a processor

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    """Runs in a child before exec: kill -9 of the tests ends it too."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class CommandFailed(AssertionError):
    """A command ended with another status than 0."""


def until(condition, timeout=2.0, step=0.005, what=""):
    """The first true value of condition(); AssertionError after timeout s."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or condition}")
        time.sleep(step)


def family_of(text):
    """socket.AF_INET or AF_INET6 of an address or prefix."""
    return socket.AF_INET6 if ":" in text else socket.AF_INET


@dataclass
class Answer:
    """What `ip route get` said. kind is "unicast", "local", "unreachable"...
    error is the errno of a refused lookup (113 EHOSTUNREACH), else 0."""

    kind: str = ""
    via: str = ""
    dev: str = ""
    src: str = ""
    table: str = ""
    error: int = 0
    raw: dict = field(default_factory=dict)


# What iproute2 prints for an errno of the lookup; a reject route of IPv6 is
# answered with a route and the error inside, the others with an error only.
LOOKUP_ERRORS = {
    "No route to host": errno.EHOSTUNREACH,
    "Network is unreachable": errno.ENETUNREACH,
    "Permission denied": errno.EACCES,
    "Invalid argument": errno.EINVAL,
    "Network is down": errno.ENETDOWN,
    "No such device": errno.ENODEV,
}


class Namespace:
    """A network namespace; made by Lab, deleted by Lab."""

    def __init__(self, lab, role, name):
        self.lab, self.role, self.name = lab, role, name
        subprocess.run(["ip", "netns", "add", name], check=True,
                       timeout=COMMAND_LIMIT_S)
        self._fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        self._sockets = []
        self._processes = []
        self._tuns = []

    def __repr__(self):
        return f"<{self.role}>"

    # -- entering ----------------------------------------------------------

    @contextmanager
    def inside(self):
        """The calling thread is in this namespace for the with block."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._setns(self._fd)
            yield self
        finally:
            self._setns(home)
            os.close(home)

    @staticmethod
    def _setns(fd):
        if _libc.setns(fd, CLONE_NEWNET) != 0:
            err = ctypes.get_errno()
            raise OSError(err, f"setns: {os.strerror(err)}")

    # -- commands ----------------------------------------------------------

    def run(self, *argv, check=True, timeout=COMMAND_LIMIT_S, stdin=None):
        """Run a command here to its end; a CompletedProcess with text."""
        with self.inside():
            done = subprocess.run(argv, input=stdin, capture_output=True,
                                  text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise CommandFailed(f"{self.role}: {' '.join(argv)}\n{stdin or ''}"
                                f"{done.stdout}{done.stderr}")
        return done

    def start(self, *argv, before_exec=None, **popen_args):
        """Start a command here and return its Popen; Lab ends it.

        before_exec() is called in the new process, as the last thing."""
        def prepare():
            _die_with_parent()
            if before_exec:
                before_exec()
        with self.inside():
            process = subprocess.Popen(argv, preexec_fn=prepare, **popen_args)
        self._processes.append(process)
        return process

    def ip(self, text, family=None):
        """Run the lines of text through one `ip -batch`.

        Empty lines and # comments are allowed. Give family=6 where a line
        does not show it (`route add unreachable default`)."""
        lines = "".join(f"{line.strip()}\n" for line in text.splitlines())
        argv = ["ip"] + ([f"-{family}"] if family else []) + ["-batch", "-"]
        self.run(*argv, stdin=lines)

    def ip_json(self, *argv):
        """`ip -j -d -N ARGS` as Python values; numbers stay numbers."""
        out = self.run("ip", "-j", "-d", "-N", *argv).stdout
        return json.loads(out) if out.strip() else []

    def nft(self, text):
        """Load nftables text."""
        self.run("nft", "-f", "-", stdin=text)

    def sysctl(self, key, value=None):
        """Read or write net.KEY of this namespace; KEY with slashes."""
        with self.inside():
            with open(f"/proc/sys/net/{key}", "r+", encoding="ascii") as file:
                if value is None:
                    return file.read().strip()
                file.write(f"{value}\n")
        return str(value)

    # -- what the kernel has -----------------------------------------------

    def rules(self, family=4):
        """The rules of one family, as `ip -j rule` gives them, in order.
        "from" of ours is put back together as "10.1.0.0/24"."""
        rules = self.ip_json(f"-{family}", "rule", "show")
        for rule in rules:
            for key, name in (("src", "from"), ("dst", "to")):
                if key in rule and rule[key] != "all":
                    full = 32 if family == 4 else 128
                    length = rule.get(f"{key}len", full)
                    rule[name] = f"{rule[key]}/{length}"
        return rules

    def routes(self, table="main", family=4):
        """The routes of a table as `ip -j -d -N route show` gives them."""
        done = self.run("ip", "-j", "-d", "-N", f"-{family}", "route", "show",
                        "table", str(table), check=False)
        out = done.stdout.strip()
        return json.loads(out) if out else []

    def route_lines(self, table="main", family=4, numeric=True):
        """The same as text, one route per line, blanks squeezed. Words say
        more than iproute2's JSON does (mtu lock, seg6 segments)."""
        argv = ["ip", f"-{family}"] + (["-N"] if numeric else [])
        out = self.run(*argv, "route", "show", "table", str(table),
                       check=False).stdout
        joined = re.sub(r"\n[ \t]+", " ", out)
        return [" ".join(line.split()) for line in joined.splitlines()]

    def route_get(self, dst, source=None, oif=None, mark=None, tos=None):
        """The kernel's own decision for a packet of this host: an Answer.

        Never with `iif`: that would ask about a packet that comes in."""
        argv = ["ip", "-j", "-d", "-N", "route", "get", dst]
        for word, value in (("from", source), ("oif", oif), ("mark", mark),
                            ("tos", tos)):
            if value is not None:
                argv += [word, str(value)]
        done = self.run(*argv, check=False)
        if done.returncode != 0 or not done.stdout.strip():
            for text, number in LOOKUP_ERRORS.items():
                if text in done.stderr:
                    return Answer(kind="error", error=number)
            raise CommandFailed(f"{' '.join(argv)}: {done.stderr}")
        raw = json.loads(done.stdout)[0]
        via = raw.get("gateway", "") or raw.get("via", {}).get("host", "")
        error = abs(raw.get("error", 0))
        return Answer(kind=raw.get("type", "unicast"), via=via,
                      dev=raw.get("dev", ""), src=raw.get("prefsrc", ""),
                      table=str(raw.get("table", "254")), error=error, raw=raw)

    def leaves_by(self, dst, source=None, **kwargs):
        """route_get() as the short text "via GATEWAY dev LINK", "dev LINK",
        or the name of the error: "EHOSTUNREACH"."""
        answer = self.route_get(dst, source, **kwargs)
        if answer.error:
            return errno.errorcode[answer.error]
        via = f"via {answer.via} " if answer.via else ""
        return f"{via}dev {answer.dev}"

    def ifindex(self, link):
        with self.inside():
            return socket.if_nametoindex(link)

    def mac(self, link):
        """Six bytes."""
        with self.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                          0) as sock:
            sock.bind((link, 0))
            return sock.getsockname()[4]

    # -- traffic -----------------------------------------------------------

    def socket(self, family, kind=socket.SOCK_STREAM, proto=0, timeout=1.0):
        """A socket of this namespace; Lab closes it."""
        with self.inside():
            made = socket.socket(family, kind, proto)
        made.settimeout(timeout)
        self._sockets.append(made)
        return made

    def adopt(self, sock):
        """Lab closes this socket too (one that accept() made)."""
        self._sockets.append(sock)

    def ping(self, dst, source=None, count=3, wait=0.5):
        """Echo requests from source; how many of count were answered.

        A test that expects none pays wait seconds."""
        argv = ["ping", "-n", "-q", "-c", str(count), "-i", "0.01",
                "-W", str(wait)]
        argv += ["-I", source] if source else []
        done = self.run(*argv, dst, check=False)
        found = re.search(r"(\d+) received", done.stdout)
        return int(found.group(1)) if found else 0

    def connect_error(self, dst, source=None, port=9):
        """Name of the error of a UDP connect(), "" when a route exists. No
        packet is sent: this is what an application sees of the routing."""
        sock = self.socket(family_of(dst), socket.SOCK_DGRAM)
        try:
            if source:
                sock.bind((source, 0))
            sock.connect((dst, port))
        except OSError as err:
            return errno.errorcode[err.errno]
        finally:
            sock.close()
        return ""

    def chosen_source(self, dst, port=9):
        """The source address an unbound socket gets for dst."""
        sock = self.socket(family_of(dst), socket.SOCK_DGRAM)
        with sock:
            sock.connect((dst, port))
            return sock.getsockname()[0]

    def count_sent(self):
        """Start counting what this host sends; see sent()."""
        self.nft("""
            table inet lab_sent {
                set s4 { type ifname . ipv4_addr; flags dynamic; size 65535;
                         counter; }
                set s6 { type ifname . ipv6_addr; flags dynamic; size 65535;
                         counter; }
                chain out {
                    type filter hook output priority 300;
                    oifname "lo" accept
                    ip saddr 0.0.0.0/0 update @s4 { oifname . ip saddr }
                    ip6 saddr ::/0 update @s6 { oifname . ip6 saddr }
                }
            }""")

    def sent(self):
        """{(link, source): packets} since count_sent(), of this host's own
        packets (kernel-made replies included, forwarded ones not)."""
        result = {}
        for name in ("s4", "s6"):
            out = self.run("nft", "-j", "list", "set", "inet", "lab_sent",
                           name).stdout
            for item in json.loads(out)["nftables"]:
                for elem in item.get("set", {}).get("elem", []):
                    link, source = elem["elem"]["val"]["concat"]
                    packets = elem["elem"]["counter"]["packets"]
                    result[(link, source)] = packets
        return result

    def tun(self, link, tap=False):
        """Make a tun (or tap) link, held open by this process: a Tun."""
        tun = Tun(self, link, tap)
        self._tuns.append(tun)
        return tun

    # -- the end -----------------------------------------------------------

    def end_processes(self):
        """Kill, by pid, what start() started and is still alive."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(timeout=COMMAND_LIMIT_S)
        self._processes.clear()

    def delete(self):
        """End all that lives here, then the namespace itself."""
        self.end_processes()
        for tun in self._tuns:
            tun.close()
        for sock in self._sockets:
            sock.close()
        os.close(self._fd)
        subprocess.run(["ip", "netns", "del", self.name], check=False,
                       capture_output=True, timeout=COMMAND_LIMIT_S)


class Tun:
    """A tun or tap link; it has carrier while it is open and not told
    otherwise. Packets the host sends into it are read() here."""

    def __init__(self, namespace, link, tap):
        self.link = link
        with namespace.inside():
            self.fd = os.open("/dev/net/tun",
                              os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            mode = (IFF_TAP if tap else IFF_TUN) | IFF_NO_PI
            fcntl.ioctl(self.fd, TUNSETIFF,
                        struct.pack("16sH22x", link.encode(), mode))

    def read(self, timeout=0.0):
        """One packet as bytes, or None when none came within timeout."""
        if not select.select([self.fd], [], [], timeout)[0]:
            return None
        try:
            return os.read(self.fd, 65535)
        except OSError as err:
            if err.errno in (errno.EAGAIN, errno.EIO, errno.EBADFD):
                return None
            raise

    def read_all(self):
        """Every packet that waits here now."""
        packets = []
        while (packet := self.read()) is not None:
            packets.append(packet)
        return packets

    def write(self, packet):
        """Give the host a packet that came through the tunnel."""
        os.write(self.fd, packet)

    def carrier(self, on):
        """Set the carrier; the link stays."""
        fcntl.ioctl(self.fd, TUNSETCARRIER, struct.pack("i", int(on)))

    def close(self):
        """Close the holder: the link is gone."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
