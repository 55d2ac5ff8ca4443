# SPDX-License-Identifier: GPL-2.0-or-later
"""Router advertisements: a site with several routers on one link, messages
made byte by byte and sent when a test says so, and radvd.

    site = Site(lab, routers=2)             # A, R1, R2 on one switch, B behind
    daemon = lab.daemon(site.a)
    site.advert(1).send(pios=[Pio(net(1))])
    site.learned(daemon, 1, net(1))         # waits for the binding
    assert site.a.leaves_by(B, source(net(1))) == via(1)
    assert site.passes(source(net(1))) == 1 # packets, counted at the routers

    with Radvd(site.routers[1], prefixes=[net(1)]) as radvd:
        radvd.rewrite(prefixes=[net(1, 2)], gone=[net(1)])  # told at once

Nothing is shared with the daemon's own reading of the messages.
"""

import contextlib
import errno
import ipaddress
import os
import signal
import socket
import struct
import time
from dataclasses import dataclass

from .daemon import daemon_binary, processor_ns
from .netns import until
from .traffic import udp_send
from .varlink import Client
from .world import filter_counts, ingress_filter

LINK = "eth0"  # A's; that of the routers is "lan"
MAC_A = "02:00:00:00:00:0a"
TOKEN = 0xfffe00000a  # what A makes of its MAC, behind a /64
ALL_NODES = "ff02::1"
ALL_NODES_MAC = bytes.fromhex("333300000001")
B = "2001:db8:b::9"
ULA = "fd00:db8:1:1::/64"
FOREVER = 0xffffffff
ETH_P_IPV6, ICMPV6 = 0x86dd, 58
ROUTER_SOLICIT, ROUTER_ADVERT = 133, 134
HIGH, MEDIUM, LOW = 1, 0, 3
PREFERENCE_SHIFT = 3
FORCED_BUFFER = 32  # SO_SNDBUFFORCE


def net(number, part=1):
    """A /64 of router `number`: what its ingress filter lets pass."""
    return f"2001:db8:{number}:{part}::/64"


def source(prefix):
    """The address that A makes for itself in an advertised /64."""
    return str(ipaddress.ip_network(prefix).network_address + TOKEN)


def router_ll(number):
    return f"fe80::{number}"


# -- messages --------------------------------------------------------------

@dataclass(frozen=True)
class Pio:
    """Prefix information option."""

    prefix: str
    valid: int = 3600
    preferred: int = 1800
    on_link: bool = True
    autonomous: bool = True

    def bytes(self):
        prefix = ipaddress.ip_network(self.prefix)
        flags = self.on_link << 7 | self.autonomous << 6
        return struct.pack("!BBBBIII16s", 3, 4, prefix.prefixlen, flags,
                           self.valid, min(self.preferred, self.valid), 0,
                           prefix.network_address.packed)


@dataclass(frozen=True)
class Rio:
    """Route information option."""

    prefix: str
    lifetime: int = 1800
    preference: int = MEDIUM

    def bytes(self):
        prefix = ipaddress.ip_network(self.prefix)
        return struct.pack("!BBBBI16s", 24, 3, prefix.prefixlen,
                           self.preference << PREFERENCE_SHIFT, self.lifetime,
                           prefix.network_address.packed)


def message(lifetime=1800, pios=(), rios=(), preference=MEDIUM, raw=b""):
    """A router advertisement from its ICMPv6 type on, checksum 0."""
    head = struct.pack("!BBHBBHII", ROUTER_ADVERT, 0, 0, 64,
                       preference << PREFERENCE_SHIFT, lifetime, 0, 0)
    return head + b"".join(o.bytes() for o in (*pios, *rios)) + raw


def _checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet(body, src, dst=ALL_NODES, hop_limit=255):
    """An IPv6 packet around an ICMPv6 message, checksum and all."""
    ends = socket.inet_pton(socket.AF_INET6, src) + \
        socket.inet_pton(socket.AF_INET6, dst)
    pseudo = ends + struct.pack("!II", len(body), ICMPV6)
    body = body[:2] + struct.pack("!H", _checksum(pseudo + body)) + body[4:]
    return struct.pack("!IHBB", 6 << 28, len(body), ICMPV6, hop_limit) + \
        ends + body


class Advertiser:
    """Sends any advertisement over a link of a router, from any source."""

    def __init__(self, namespace, address, link="lan"):
        self.address = address
        with namespace.inside():
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        namespace.adopt(self._sock)
        self._sock.setsockopt(socket.SOL_SOCKET, FORCED_BUFFER, 1 << 24)
        self._sock.bind((link, 0))
        self._mac = self._sock.getsockname()[4]

    def frame(self, body, src=None, mac=None, hop_limit=255):
        """For transmit(), made once for many."""
        return ALL_NODES_MAC + (mac or self._mac) + \
            struct.pack("!H", ETH_P_IPV6) + \
            packet(body, src or self.address, hop_limit=hop_limit)

    def transmit(self, frame):
        self._sock.send(frame)

    def send(self, src=None, hop_limit=255, **fields):
        """One advertisement; the fields of message()."""
        self.transmit(self.frame(message(**fields), src, hop_limit=hop_limit))

    def paced(self, frames, per_second):
        """All of them at that rate, or as near as this machine comes to it;
        the seconds it took."""
        start = time.monotonic()
        for i, frame in enumerate(frames):
            ahead = start + i / per_second - time.monotonic()
            if ahead > 0.002:
                time.sleep(ahead)
            self.transmit(frame)
        return time.monotonic() - start


class Solicitations:
    """Counts what hosts ask on a router's link, from when it is made."""

    def __init__(self, namespace, link="lan"):
        with namespace.inside():
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                       socket.htons(ETH_P_IPV6))
        namespace.adopt(self._sock)
        self._sock.bind((link, ETH_P_IPV6))
        self._sock.setblocking(False)
        self.times = []  # time.monotonic() when each was read

    def count(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                data = self._sock.recv(2048)
                if len(data) > 54 and data[20] == ICMPV6 and \
                        data[54] == ROUTER_SOLICIT:
                    self.times.append(time.monotonic())
        return len(self.times)

    def wait(self, count=1, timeout=2.0):
        until(lambda: self.count() >= count, timeout,
              what=f"{count} solicitations, {len(self.times)} came")


# -- radvd -----------------------------------------------------------------

class Radvd:
    """The real one, on a router's link, for the length of a with block.

    Its shortest interval is a few seconds. It advertises when it is asked,
    when it reads its file again and, with lifetime 0, when it ends."""

    def __init__(self, router, link="lan", **settings):
        self.router, self.link, self.settings = router, link, settings
        self.process = None
        base = f"{router.lab.directory}/radvd-{router.role}"
        self._config, self._pid = f"{base}.conf", f"{base}.pid"
        self._log = f"{base}.log"

    def _write(self):
        s = {"lifetime": 1800, "prefixes": (), "gone": (), "valid": 3600,
             "preferred": 1800, **self.settings}
        kept = "".join(f"""
            prefix {prefix} {{ AdvValidLifetime {s["valid"]};
                AdvPreferredLifetime {s["preferred"]}; }};"""
                       for prefix in s["prefixes"])
        gone = "".join(f"""
            prefix {prefix} {{ AdvValidLifetime 7200;
                AdvPreferredLifetime 0; }};""" for prefix in s["gone"])
        with open(self._config, "w", encoding="ascii") as file:
            file.write(f"""interface {self.link} {{
            AdvSendAdvert on; IgnoreIfMissing off;
            MinRtrAdvInterval 3; MaxRtrAdvInterval 4; MinDelayBetweenRAs 3;
            AdvDefaultLifetime {s["lifetime"]};{kept}{gone}\n}};\n""")

    def __enter__(self):
        self._write()
        with open(self._log, "ab") as log:
            self.process = self.router.start(
                "radvd", "-n", "-m", "stderr", "-C", self._config,
                "-p", self._pid, stdout=log, stderr=log)
        return self

    def rewrite(self, **settings):
        """A new configuration, told at once."""
        self.settings.update(settings)
        self._write()
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        """It says good-bye: lifetime 0."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=5)

    def kill(self):
        """It falls silent."""
        self.process.kill()
        self.process.wait(timeout=5)

    def __exit__(self, *_):
        self.stop()
        for path in (self._config, self._pid):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


# -- the site --------------------------------------------------------------

class Site:
    """A and routers 1 to n on one switch, B behind all of them.

    Router n is fe80::n, and drops what does not come from 2001:db8:n::/48 or
    from the site's ULA. A takes advertisements as the kernel does by itself,
    unless accept_ra says otherwise; nobody but the daemon solicits."""

    def __init__(self, lab, routers=2, accept_ra=1):
        self.lab, self.a, self.b = lab, lab.host("a"), lab.server("b")
        self.switch = lab.server("switch")
        self.routers = {n: lab.router(f"r{n}") for n in range(1, routers + 1)}
        self._advertisers = {}
        lab.wire(self.a, LINK, self.switch, "p0")
        for number, router in self.routers.items():
            lab.wire(router, "lan", self.switch, f"p{number}")
            lab.wire(self.b, f"p{number}", router, "wan")
            self._address(number, router)
        ports = [f"p{number}" for number in self.routers]
        lab.bridge(self.switch, "br0", ("p0", *ports))
        lab.bridge(self.b, "br0", ports)
        self.b.ip(f"addr add {B}/64 dev br0")
        self.b.ip("\n".join(
            f"route add 2001:db8:{n}::/48 via 2001:db8:b::{n}"
            for n in self.routers))
        self.b.ip(f"route add {ULA} via 2001:db8:b::1")
        self._configure_a(accept_ra)

    def _address(self, number, router):
        router.ip("addr flush dev lan scope link\n"
                  "link set lan addrgenmode none")
        router.ip(f"""
            addr add {router_ll(number)}/64 dev lan
            addr add 2001:db8:b::{number}/64 dev wan
            route add 2001:db8:{number}::/48 dev lan
            route add {ULA} dev lan
        """)
        ingress_filter(router, "lan", (f"2001:db8:{number}::/48", ULA))

    def _configure_a(self, accept_ra):
        self.a.ip(f"""
            link set {LINK} down
            link set {LINK} address {MAC_A}
            link set {LINK} up
        """)
        self.set_a(accept_ra=accept_ra, accept_ra_rt_info_max_plen=64)
        # A message into a link that just came up is lost without a word.
        for number in self.routers:
            until(lambda n=number: self.a.ping(f"{router_ll(n)}%{LINK}",
                                               count=1, wait=0.1),
                  timeout=10)

    def set_a(self, **sysctls):
        """Sysctls of A's link."""
        for key, value in sysctls.items():
            self.a.sysctl(f"ipv6/conf/{LINK}/{key}", value)

    # -- advertising -------------------------------------------------------

    def advert(self, number):
        """The Advertiser of a router."""
        if number not in self._advertisers:
            self._advertisers[number] = Advertiser(self.routers[number],
                                                   router_ll(number))
        return self._advertisers[number]

    def learned(self, daemon, number, prefix, timeout=2.0):
        """Waits until the daemon has this binding."""
        until(lambda: (router_ll(number), prefix) in learned(daemon), timeout,
              what=f"router {number} serves {prefix}; {learned(daemon)}")
        daemon.wait()

    def unlearned(self, daemon, number, prefix, timeout=2.0):
        """Waits until it has no longer."""
        until(lambda: (router_ll(number), prefix) not in learned(daemon),
              timeout, what=f"router {number} no longer serves {prefix}; "
              f"{learned(daemon)}")
        daemon.wait()

    # -- traffic -----------------------------------------------------------

    def counts(self):
        """{router: (packets let pass, packets dropped)}, of IPv6 from A."""
        counts = {n: filter_counts(r) for n, r in self.routers.items()}
        return {n: (c["ok6"], c["drop6"]) for n, c in counts.items()}

    def dropped(self):
        return sum(drops for _, drops in self.counts().values())

    def passes(self, src, packets=5):
        """The number of the router by which packets of A with that source go
        to B; 0: none passed one, or A has no such address (yet). A filter's
        drops are counted as well."""
        before = self.counts()
        try:
            for _ in range(packets):
                udp_send(self.a, B, source=src)
        except OSError as err:
            if err.errno != errno.EADDRNOTAVAIL:
                raise
            return 0

        def changed():
            now = self.counts()
            return {n: (now[n][0] - before[n][0], now[n][1] - before[n][1])
                    for n in now}
        with contextlib.suppress(AssertionError):
            until(lambda: sum(map(sum, changed().values())) >= packets, 2)
        by = changed()
        ways = [n for n, (passed, _) in by.items() if passed]
        assert len(ways) <= 1, f"{src} goes several ways: {by}"
        return ways[0] if ways else 0


def via(number):
    """leaves_by() of what goes by router `number`."""
    return f"via {router_ll(number)} dev {LINK}"


# -- what the daemon says --------------------------------------------------

def bindings(daemon):
    """The reply of Bindings."""
    with Client(daemon.socket_path) as client:
        return client.call("io.multihomed.Bindings")


def learned(daemon):
    """{(router, prefix): seconds left, or None} of what was learned."""
    return {(b["router"], b["prefix"]): b.get("seconds_left")
            for b in bindings(daemon)["bindings"] if b["origin"] == "learned"}


def all_is_well(daemon, restart=True):
    """What holds in every quiet moment: the kernel does what the rules say
    and, unless what was learned cannot be kept, one who starts now finds
    nothing to do."""
    daemon.wait()
    with Client(daemon.socket_path, timeout=30) as client:
        reply = client.call("io.multihomed.Verify")
    assert reply["found"] == 0, reply
    assert reply["subnets"] > 0
    if restart:
        # What is new is written a moment later.
        until(lambda: plan(daemon) == "", what=f"no plan; {plan(daemon)}")


def plan(daemon):
    """What the next start would change; it knows what this one has learned."""
    return daemon.namespace.run(daemon_binary(), "-c", daemon.config_path,
                                "-s", daemon.socket_path, "--plan").stdout


def cpu_seconds(daemon):
    """How long the daemon has been on a processor, system calls included."""
    return processor_ns(daemon.process.pid) / 1e9


def resident_kib(daemon):
    path = f"/proc/{daemon.process.pid}/status"
    with open(path, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file
                    if line.startswith("VmRSS:"))
