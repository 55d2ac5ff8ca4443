# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks that configure their hosts.

    scene = Scene(lab, Dhcpcd, stateful=True)   # configured and steady
    with scene.site.traffic():                  # nothing is lost meanwhile
        scene.client.renew()
    scene.is_right()

Site       two routers with a dnsmasq each, on a LAN each or on one LAN
Scene      a site with a daemon and a client (clients.py) at work
"""

import contextlib
import ipaddress
import json
import os
import re
import signal
import socket
import tempfile

from .machine import Machine
from .netns import COMMAND_LIMIT_S, until
from .traffic import tcp_works
from .world import filter_counts, ingress_filter

B = {4: "203.0.113.9", 6: "2001:db8:b::9"}
# Of clients and dnsmasq, which ask again after some seconds, then after twice as
# many; how fast they are is not what is tested.
CONFIGURED_S = 60
RENEWED_S = 60
T1_S = 3  # when an IPv4 lease is renewed; the shortest that dnsmasq takes


class Router:
    """R1 or R2: its prefixes, and a dnsmasq that hands out from them."""

    def __init__(self, lab, number, stateful):
        self.number, self.stateful = number, stateful
        self.ns = lab.router(f"r{number}")
        self.prefix = {4: f"10.{number}.0.0/24", 6: f"2001:db8:{number}::/64"}
        self._files = os.path.join(lab.directory, f"dnsmasq{number}")
        self._dnsmasq, self._starts, self._known_as = None, 0, ""

    def address(self):
        """When its links are there."""
        number = self.number
        self.ns.ip(f"""
            addr add 10.{number}.0.1/24 dev lan
            addr add 2001:db8:{number}::1/64 dev lan
            addr add 203.0.113.{number}/24 dev wan
            addr add 2001:db8:b::{number}/64 dev wan
        """)
        ingress_filter(self.ns, "lan", self.prefix.values())
        self._known_as = until(self._link_local)

    def gateway(self, family):
        """What the host should have as its next hop."""
        return f"10.{self.number}.0.1" if family == 4 else self._known_as

    def _link_local(self):
        out = self.ns.run("ip", "-6", "address", "show", "dev", "lan",
                          "scope", "link", "-tentative").stdout
        found = re.search(r"inet6 (\S+)/64", out)
        return found and found[1]

    def start(self):
        """DHCPv4 and router advertisements; addresses by SLAAC or, where it is
        stateful, by DHCPv6. Leases are short and renewed after T1_S."""
        four, six = f"10.{self.number}.0", f"2001:db8:{self.number}::"
        range6 = f"{six}100,{six}1ff,64,2m" if self.stateful else \
            f"{six},ra-only,64,10m"
        self._starts += 1
        with open(f"{self._files}.log", "ab") as log:
            self._dnsmasq = self.ns.start(
                "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
                "--user=root", "--port=0", "--pid-file=", "--log-facility=-",
                "--interface=lan", "--except-interface=lo", "--no-ping",
                "--log-dhcp", f"--dhcp-leasefile={self._files}.leases",
                f"--dhcp-range={four}.100,{four}.199,2m",
                f"--dhcp-option=option:T1,{T1_S}", f"--dhcp-range={range6}",
                "--enable-ra", "--ra-param=lan,600,1800",
                stdout=log, stderr=log)
        until(lambda: self.log().count("advertisement enabled") ==
              self._starts, CONFIGURED_S, 0.02, "dnsmasq")

    def lose_power(self):
        """The host's link to it has no carrier, and it says no farewell."""
        self._dnsmasq.kill()
        self._dnsmasq.wait(timeout=COMMAND_LIMIT_S)
        self.ns.ip("link set lan down")

    def return_power(self):
        self.ns.ip(f"""
            link set lan up
            addr replace 2001:db8:{self.number}::1/64 dev lan
        """)
        until(lambda: "state UP" in self.ns.run("ip", "link", "show", "dev",
                                                "lan").stdout)
        # Its link-local address went with the link, and comes a little later.
        until(lambda: self._link_local() == self._known_as)
        self.start()

    def log(self):
        with open(f"{self._files}.log", encoding="utf-8") as file:
            return file.read()

    def said(self, what):
        """How many times it did that: "DHCPACK", "DHCPREPLY", ..."""
        return len(re.findall(rf"{what}\(lan\)", self.log()))


class Site:
    """a with eth0 and eth1, each on the LAN of one router; on_one_lan: with
    eth0 on the LAN of both. B is behind both routers, which drop what does not
    have a source of theirs."""

    def __init__(self, lab, stateful=False, on_one_lan=False):
        self.lab, self.a, self.b = lab, Machine(lab), lab.server("b")
        self.stateful = stateful
        self.routers = [Router(lab, n, stateful) for n in (1, 2)]
        self.links = ("eth0",) if on_one_lan else ("eth0", "eth1")
        if on_one_lan:
            self._switch()
        for router in self.routers:
            if not on_one_lan:
                lab.wire(self.a, self.link_to(router), router.ns, "lan")
            lab.wire(self.b, f"p{router.number}", router.ns, "wan")
            router.address()
        lab.bridge(self.b, "br0", ("p1", "p2"))
        self.b.ip("""
            addr add 203.0.113.9/24 dev br0
            addr add 2001:db8:b::9/64 dev br0
            route add 10.1.0.0/24 via 203.0.113.1
            route add 10.2.0.0/24 via 203.0.113.2
            route add 2001:db8:1::/64 via 2001:db8:b::1
            route add 2001:db8:2::/64 via 2001:db8:b::2
        """)
        for router in self.routers:
            router.start()

    def _switch(self):
        switch = self.lab.server("switch")
        self.lab.wire(self.a, "eth0", switch, "p0")
        for router in self.routers:
            self.lab.wire(router.ns, "lan", switch, f"p{router.number}")
        self.lab.bridge(switch, "br0", ("p0", "p1", "p2"))

    def link_to(self, router):
        return self.links[min(router.number, len(self.links)) - 1]

    # -- what the client has done ------------------------------------------

    def sources(self, family):
        """{address: the router that gave it}"""
        found = {}
        for text in self.a.addresses(family):
            address = ipaddress.ip_interface(text).ip
            for router in self.routers:
                if address in ipaddress.ip_network(router.prefix[family]):
                    found[str(address)] = router
        return found

    def await_sources(self, *routers, family=4):
        """Until the host has an address of each of them."""
        return until(lambda: set(routers) <= set(self.sources(family).values()),
                     CONFIGURED_S, 0.02, f"IPv{family} addresses")

    def await_defaults(self, *routers, families=(4, 6)):
        """Until it has an address, and main a default route, of each router
        (of all of them, if none is named)."""
        for family in families:
            for router in routers or self.routers:
                self.await_sources(router, family=family)
                hop = (router.gateway(family), self.link_to(router))
                until(lambda: hop in self.a.gateways(family), CONFIGURED_S,
                      0.02, f"a default route via {hop}")

    # -- what the packets do -----------------------------------------------

    def leaves_by_its_router(self, source, router):
        """Its packets pass there and nowhere else, and are answered."""
        family = 6 if ":" in source else 4
        self._acquaint(source, family)
        before = self._passed(family)
        answered = self.a.ping(B[family], source)
        passed = [now - then for now, then in zip(self._passed(family), before)]
        want = [3 if r is router else 0 for r in self.routers]
        assert (passed, answered) == (want, 3), source
        assert tcp_works(self.a, self.b, B[family], source)

    def _acquaint(self, source, family):
        """Let the neighbours learn each other's addresses. A router whose link
        came up just now may miss the first question; the kernel asks again
        after a second. A packet at the wrong router counts in dropped()."""
        until(lambda: self.a.ping(B[family], source, count=1), 5,
              what=f"an answer to {source}")

    def _passed(self, family):
        """Packets that each router let pass so far."""
        return [filter_counts(r.ns)[f"ok{family}"] for r in self.routers]

    def each_source_leaves_by_its_router(self, families=(4, 6), of=None):
        """Each that the host has, or each that one router gave."""
        for family in families:
            sources = self.sources(family)
            wanted = {of} if of else set(self.routers)
            assert wanted <= set(sources.values()), sources
            for source, router in sources.items():
                if router in wanted:
                    self.leaves_by_its_router(source, router)

    def dropped(self):
        """What the ingress filters took so far."""
        counts = [filter_counts(router.ns) for router in self.routers]
        return sum(c["drop4"] + c["drop6"] for c in counts)

    @contextlib.contextmanager
    def traffic(self, of=None, families=(4, 6)):
        """Every source of all routers, or of one, sends all the time: none of
        its packets comes to the wrong router, and none is lost."""
        before = self.dropped()
        pings = [self._ping(source, family) for family in families
                 for source, router in self.sources(family).items()
                 if of in (None, router)]
        yield
        for ping, file in pings:
            ping.send_signal(signal.SIGINT)
            ping.wait(timeout=COMMAND_LIMIT_S)
            file.seek(0)
            text = file.read()
            file.close()
            sent = int(re.search(r"(\d+) packets transmitted", text)[1])
            # The last one may still be on its way.
            lost = set(range(1, sent)) - set(
                map(int, re.findall(r"icmp_seq=(\d+) ttl", text)))
            assert not lost, (f"{ping.args}: lost {sorted(lost)} of {sent}, "
                              f"dropped {self.dropped() - before}")
        assert self.dropped() == before

    def _ping(self, source, family):
        """Pings for ever; returns when the first packet is answered."""
        self._acquaint(source, family)
        file = tempfile.TemporaryFile("w+", dir=self.lab.directory)
        ping = self.a.start("ping", "-n", "-i", "0.02", "-I", source, B[family],
                            stdout=file, stderr=file)
        until(lambda: b"bytes from" in os.pread(file.fileno(), 1000, 0), 5,
              0.01, f"an answer to {source}")
        return ping, file

    def solicit(self):
        """Ask the routers to advertise themselves, as any host on the LAN may;
        dnsmasq would let up to 20 seconds pass."""
        with self.a.socket(socket.AF_INET6, socket.SOCK_RAW,
                           socket.IPPROTO_ICMPV6) as sock:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS,
                            255)
            for link in self.links:
                to = ("ff02::2", 0, 0, self.a.ifindex(link))
                until(lambda: self._sent(sock, to), what=f"solicit on {link}")

    @staticmethod
    def _sent(sock, to):
        """A client that starts may take the link's addresses for a moment."""
        try:
            return sock.sendto(b"\x85" + bytes(7), to)
        except OSError:
            return False

    def renewed(self, times=2):
        """Until that many times from now every lease was renewed and every
        router has advertised itself. Addresses stay what they are."""
        held = self.sources(4)
        for _ in range(times):
            before = {(router, what): router.said(what)
                      for router in self.routers
                      for what in ("DHCPACK", "RTR-ADVERT")
                      if what != "DHCPACK" or router in held.values()}
            self.solicit()
            until(lambda: all(router.said(what) > count
                              for (router, what), count in before.items()),
                  RENEWED_S, 0.05, f"more than {before}")
        assert self.sources(4) == held


class Scene:
    """A site, its daemon and its client: configured and steady."""

    def __init__(self, lab, make_client, stateful=False):
        self.site = Site(lab, stateful)
        self.a = self.site.a
        self.daemon = lab.daemon(self.a)
        self.client = make_client(self.site)
        self.client.start()
        self.site.await_defaults()
        self.daemon.wait()

    def is_right(self):
        """What must hold whenever nothing is under way."""
        self.daemon.wait()
        self.site.each_source_leaves_by_its_router()
        agrees(self.daemon)


def agrees(daemon):
    """The kernel does what the draft's rules say."""
    daemon.wait()
    verdict = json.loads(daemon.ctl("--json", "verify").stdout)
    assert verdict["found"] == 0, verdict
