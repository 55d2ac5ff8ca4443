# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: namespaces and the wires between them, gone when the test ends."""

import itertools
import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
import threading

from .daemon import Daemon
from .netns import COMMAND_LIMIT_S, Namespace, Tun, family_of
from .report import describe

_serial = itertools.count(1)

# Before any link exists in a namespace: no waiting for duplicate address
# detection, no router solicitations, quiet bridges.
SYSCTLS = {
    "ipv6/conf/default/dad_transmits": 0,
    "ipv6/conf/default/accept_dad": 0,
    "ipv6/conf/default/accept_ra": 0,
    "ipv6/conf/default/router_solicitations": 0,
    "ipv4/ping_group_range": "0 2147483647",
}
FORWARDING = ("ipv4/conf/all/forwarding", "ipv6/conf/all/forwarding")


def sweep_stale():
    """Remove what test runs left behind whose process is gone (kill -9)."""
    for name in _leftovers("/run/netns", "mh-"):
        subprocess.run(["ip", "netns", "del", name], check=False,
                       capture_output=True, timeout=COMMAND_LIMIT_S)
    for name in _leftovers(tempfile.gettempdir(), "mh-lab-"):
        shutil.rmtree(os.path.join(tempfile.gettempdir(), name),
                      ignore_errors=True)


def _leftovers(directory, prefix):
    """Names PREFIX<pid>-... in directory whose process does not exist."""
    if not os.path.isdir(directory):
        return []
    found = []
    for name in os.listdir(directory):
        pid = name.removeprefix(prefix).split("-")[0]
        if (name.startswith(prefix) and pid.isdigit()
                and not os.path.exists(f"/proc/{pid}")):
            found.append(name)
    return found


class Lab:
    """Makes hosts, routers, servers and what connects them."""

    def __init__(self):
        self.serial = next(_serial)
        self.directory = tempfile.mkdtemp(prefix=f"mh-lab-{os.getpid()}-")
        self.namespaces = []
        self.daemons = []
        self.tunnels = []

    # -- parts -------------------------------------------------------------

    def host(self, role="a"):
        """An end host as Debian configures it: rp_filter loose."""
        return self._namespace(role, rp_filter=2)

    def server(self, role="b"):
        """An end host somewhere in the Internet."""
        return self._namespace(role, rp_filter=0)

    def router(self, role):
        """A host that forwards; see ingress_filter() and nat()."""
        router = self._namespace(role, rp_filter=0)
        for key in FORWARDING:
            router.sysctl(key, 1)
        return router

    def _namespace(self, role, rp_filter):
        name = f"mh-{os.getpid()}-{self.serial}-{role}"
        namespace = Namespace(self, role, name)
        self.namespaces.append(namespace)
        for key, value in SYSCTLS.items():
            namespace.sysctl(key, value)
        for conf in ("all", "default"):
            namespace.sysctl(f"ipv4/conf/{conf}/rp_filter", rp_filter)
        namespace.ip("link set lo up")
        return namespace

    def wire(self, one, link, other, other_link):
        """A veth pair between two namespaces, both ends up."""
        one.ip(f"link add {link} type veth peer name {other_link} "
               f"netns {other.name}\nlink set {link} up")
        other.ip(f"link set {other_link} up")

    def bridge(self, namespace, link, ports=()):
        """A bridge that forwards at once, with existing links as ports."""
        lines = [f"link add {link} type bridge forward_delay 0 "
                 "mcast_snooping 0", f"link set {link} up"]
        lines += [f"link set {port} master {link}" for port in ports]
        namespace.ip("\n".join(lines))

    def tunnel(self, one, link, other, other_link):
        """A tunnel of two tun links: what goes in here comes out there."""
        tunnel = Tunnel(one.tun(link), other.tun(other_link))
        one.ip(f"link set {link} up")
        other.ip(f"link set {other_link} up")
        self.tunnels.append(tunnel)
        return tunnel

    # -- the daemon --------------------------------------------------------

    def daemon(self, namespace, config="", **kwargs):
        """Start multihomed in namespace and wait until it is steady."""
        daemon = Daemon(namespace, config, **kwargs)
        self.daemons.append(daemon)
        daemon.start()
        return daemon

    # -- the end -----------------------------------------------------------

    def report(self):
        """All there is to know, for a failed test."""
        parts = [describe(namespace) for namespace in self.namespaces]
        parts += [daemon.describe() for daemon in self.daemons]
        return "\n".join(parts)

    def check_daemons(self):
        """What no test may do to a daemon: crash it, or make a sanitizer
        speak. Ends those that run, so that leaks are found too."""
        for daemon in self.daemons:
            daemon.finish()

    def close(self):
        """Everything goes, whatever state it is in."""
        for tunnel in self.tunnels:
            tunnel.close()
        for daemon in self.daemons:
            daemon.close()
        for namespace in self.namespaces:
            namespace.delete()
        shutil.rmtree(self.directory, ignore_errors=True)


class Tunnel:
    """Carries packets between two Tun ends in a thread."""

    def __init__(self, one: Tun, other: Tun):
        self.ends = (one, other)
        self.packets = 0
        self._wake, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self):
        one, other = self.ends
        while True:
            ready, _, _ = select.select([one.fd, other.fd, self._wake], [], [])
            if self._wake in ready:
                return
            for source, sink in ((one, other), (other, one)):
                if source.fd in ready:
                    self._pass_on(source, sink)

    def _pass_on(self, source, sink):
        packet = source.read()
        if packet is None:
            return
        self.packets += 1
        try:
            sink.write(packet)
        except OSError:
            pass  # the far end is down: the packet is lost, as on a wire

    def close(self):
        os.write(self._stop, b"x")
        self._thread.join(timeout=COMMAND_LIMIT_S)
        os.close(self._wake)
        os.close(self._stop)


def ingress_filter(router, link, prefixes):
    """router drops what arrives on link to be forwarded with a source outside
    prefixes, as an ISP does; read the result with filter_counts()."""
    four = ", ".join(p for p in prefixes if family_of(p) == socket.AF_INET)
    six = ", ".join(p for p in prefixes if family_of(p) == socket.AF_INET6)
    accept4 = f"ip saddr {{ {four} }} counter name ok4 accept" if four else ""
    accept6 = f"ip6 saddr {{ {six} }} counter name ok6 accept" if six else ""
    router.nft(f"""
        table inet ingress {{
            counter ok4 {{ }}
            counter ok6 {{ }}
            counter drop4 {{ }}
            counter drop6 {{ }}
            chain forward {{
                type filter hook forward priority 0;
                iifname != "{link}" accept
                {accept4}
                {accept6}
                meta nfproto ipv4 counter name drop4 drop
                meta nfproto ipv6 counter name drop6 drop
            }}
        }}""")


def filter_counts(router):
    """{"ok4": packets, "drop4": ..., "ok6": ..., "drop6": ...}"""
    out = router.run("nft", "-j", "list", "counters", "table", "inet",
                     "ingress").stdout
    return {item["counter"]["name"]: item["counter"]["packets"]
            for item in json.loads(out)["nftables"] if "counter" in item}


def nat(router, link):
    """router masquerades what leaves by link, both families."""
    router.nft(f"""
        table inet nat {{
            chain post {{
                type nat hook postrouting priority 100;
                oifname "{link}" masquerade
            }}
        }}""")

