# SPDX-License-Identifier: GPL-2.0-or-later
"""Random things that happen to a host and to the daemon on it.

    chaos = Chaos(lab, seed)
    chaos.burst()           # 1 to 12 of them, without a pause in between
    chaos.said              # what was done, in words that can be repeated

What is drawn depends on the seed alone, never on what the host answered: the
same seed draws the same. What comes of it depends on the kernel's timing too.
"""

import contextlib
import os
import random
import signal
import socket
import struct

from .draft import Config, network
from .netns import family_of, until
from .ra import Advertiser, Pio, Rio

PEERS, MANY, PORT = 3, 8, 80
FAR = {4: "192.0.2.200", 6: "2001:db8:77::1"}
LINKS = ("eth0", "eth1", "eth2", "br9", "dum9")
PREFIXES = {4: ("default", "default", "198.51.100.0/24", "198.51.0.0/16",
                "203.0.113.7", "0.0.0.0/1", "169.254.169.254"),
            6: ("default", "default", "2001:db8:ee::/48",
                "2001:db8:ee:1::/64", "2001:db8:ff::7", "2000::/3")}
REJECTS = ("unreachable", "blackhole", "prohibit", "throw")
CONFIG_FAULTS = ("model = ;", "no_such_key = 1;", 'model = "strange";')
LINKDOWN = "ignore_routes_with_linkdown"
SYSCTLS = (("ipv4/conf/all/rp_filter", (0, 1, 2)),
           ("ipv4/conf/{}/rp_filter", (0, 1, 2)),
           ("ipv4/conf/{}/arp_ignore", (0, 1)),
           ("ipv4/conf/all/promote_secondaries", (0, 1)),
           ("ipv6/conf/{}/keep_addr_on_down", (0, 1)),
           ("ipv6/conf/{}/disable_ipv6", (0, 0, 1)),
           (LINKDOWN, (0, 0, 1)),
           ("ipv6/conf/{}/accept_ra", (0, 1, 2)),
           ("ipv6/conf/{}/accept_ra_rt_info_max_plen", (0, 64)))


def address(net, which, family, link):
    """An address of net's prefixes that no other link ever has; its length
    follows from which, so that no address comes with two lengths."""
    tail = 10 + 10 * link + which
    length = {4: (24, 24, 24, 32, 16), 6: (64, 64, 64, 128, 48)}
    prefix = f"10.{net}.0." if family == 4 else f"2001:db8:{net}::"
    return f"{prefix}{tail}/{length[family][which]}"


class Chaos:
    """A host A with three uplinks to be, a bridge and a dummy link; a router R
    that is the gateway of each; the daemon; and what happens to them."""

    def __init__(self, lab, seed, one_life=False):
        self.rng = random.Random(seed)
        self.one_life = one_life  # the daemon's, through all of it
        self.said, self.advertised = [], set()
        self.lab, self.a, self.r = lab, lab.host("a"), lab.router("r")
        self._advertisers = {}
        for net in range(PEERS):
            self._wire(net)
        self._listen()
        lab.bridge(self.a, "br9")
        self.a.ip("addr add 10.3.0.40/24 dev br9")
        for net in range(PEERS):
            for family in (4, 6):
                self.a.ip(f"addr add {address(net, 0, family, net)} "
                          f"dev eth{net}")
        self.config = self._draw_config()
        # Freed memory that the sanitizer keeps is no leak.
        options = os.environ.get("ASAN_OPTIONS", "detect_leaks=1")
        self.daemon = lab.daemon(self.a, self.config.text(), env={
            "ASAN_OPTIONS": f"{options}:quarantine_size_mb=1"})

    def _wire(self, net):
        self.lab.wire(self.a, f"eth{net}", self.r, f"e{net}")
        self.r.ip(f"""
            addr add 10.{net}.0.1/16 dev e{net}
            addr add 2001:db8:{net}::1/48 dev e{net}
            addr add fe80::1/64 dev e{net}
            addr add 192.168.3.1/32 dev e{net}
        """)

    def _listen(self):
        """R is all that is far away, too."""
        self.open = []
        for family, place in FAR.items():
            full = 32 if family == 4 else 128
            self.r.ip(f"addr add {place}/{full} dev lo nodad"
                      if family == 6 else f"addr add {place}/{full} dev lo")
            sock = self.r.socket(family_of(place))
            sock.bind((place, PORT))
            sock.listen(MANY * 4)

    # -- drawing -----------------------------------------------------------

    def burst(self):
        kinds = [self.routes] * 8 + [self.addresses] * 5 + [self.links] * 4 + \
            [self.nexthops] * 2 + [self.cables] * 2 + [self.adverts] * 4 + \
            [self.neighbours, self.sysctls, self.meddling, self.tunnels,
             self.anew, self.names, self.flush, self.heal, self.heal] + \
            [self.flows] * 3
        for _ in range(self.rng.randint(1, 12)):
            if self.rng.random() < 0.12:
                self.daemon_act()
            else:
                self.rng.choice(kinds)()

    def say(self, text):
        self.said.append(text)

    def ip(self, family, words):
        """Many of these are refused by the kernel, and that is all right."""
        self.say(f"ip -{family} {words}")
        self.a.run("ip", f"-{family}", *words.split(), check=False)

    def addresses(self):
        family, link = self.rng.choice((4, 6)), self.rng.randrange(5)
        verb = self.rng.choice(("add", "add", "del"))
        kind, net = self.rng.random(), self.rng.choice((0, 1, 2, link))
        if kind < 0.1:
            self.ip(4, f"addr {verb} 10.{link}.0.{70 + link}/32 dev lo")
        elif kind < 0.2:
            self.ip(4, f"addr {verb} 10.9.9.{link} peer 10.9.8.{link} "
                       f"dev {LINKS[link]}")
        elif kind < 0.3:
            life = self.rng.choice(("0", "forever"))
            self.ip(6, f"addr change {address(net, 0, 6, link)} dev "
                       f"{LINKS[link]} valid_lft forever preferred_lft {life}")
        else:
            text = address(net, self.rng.randrange(5), family, link)
            self.ip(family, f"addr {verb} {text} dev {LINKS[link]}")

    def links(self):
        way = self.rng.choice(("up", "up", "down"))
        self.ip(4, f"link set {self.rng.choice(LINKS)} {way}")

    def cables(self):
        way, net = self.rng.choice(("up", "up", "down")), self.rng.randrange(3)
        self.say(f"(r) ip link set e{net} {way}")
        if way == "up":
            self._plug(net)
        else:
            self.r.run("ip", "link", "set", f"e{net}", "down", check=False)

    def _plug(self, net):
        """Its link takes a router's IPv6 addresses away as it goes down."""
        self.r.run("ip", "-force", "-batch", "-", check=False, stdin=f"""
            link set e{net} up
            addr replace 2001:db8:{net}::1/48 dev e{net}
            addr replace fe80::1/64 dev e{net}
        """)

    def gateway(self, family, link):
        dead = self.rng.random() < 0.15
        if family == 4:
            return f"via 10.{link}.0.{99 if dead else 1}"
        if dead:
            return "via fe80::99"
        return self.rng.choice((f"via 2001:db8:{link}::1", "via fe80::1"))

    def nexthops(self):
        family, link = self.rng.choice((4, 6)), self.rng.randrange(3)
        number = self.rng.randrange(1, 4)
        verb = self.rng.choice(("add", "replace", "del"))
        via = self.gateway(family, link)
        if verb == "del":
            self.ip(4, f"nexthop del id {number}")
        elif number == 3:
            self.ip(4, f"nexthop {verb} id 3 group 1/2")
        else:
            self.ip(family, f"nexthop {verb} id {number} {via} "
                            f"dev {LINKS[link]}")

    def routes(self):
        family, link = self.rng.choice((4, 6)), self.rng.randrange(5)
        verb = self.rng.choice(("add", "add", "replace", "append", "del"))
        prefix = self.rng.choice(PREFIXES[family])
        metric = self.rng.choice(("", "metric 10", "metric 20", "metric 300"))
        how = self.next_hop(family, link)
        if how in REJECTS:
            self.ip(family, f"route {verb} {how} {prefix} {metric}")
        else:
            self.ip(family, f"route {verb} {prefix} {how} {metric}")

    def next_hop(self, family, link):
        dev, net, other = LINKS[link], min(link, 2), (link + 1) % 3
        via = self.gateway(family, net)
        special = (f"from 2001:db8:{net}::/48 via fe80::1 dev {dev}"
                   if family == 6 else self.rng.choice((
                       f"via 192.168.3.1 dev {dev} onlink",
                       f"tos 0x10 via 10.{net}.0.1 dev {dev}",
                       f"via inet6 fe80::1 dev {dev}")))
        return self.rng.choice((
            f"{via} dev {dev}", f"{via} dev {dev}", f"{via} dev {dev}",
            f"{via} dev {dev} mtu 1400", f"dev {dev}",
            f"nhid {self.rng.randrange(1, 4)}",
            f"nexthop {via} dev {dev} nexthop {self.gateway(family, other)} "
            f"dev {LINKS[other]}", self.rng.choice(REJECTS), special))

    def flush(self):
        family = self.rng.choice((4, 6))
        self.ip(family, self.rng.choice((
            "route flush table main", "route flush table main proto boot",
            f"addr flush dev {self.rng.choice(LINKS)} scope global",
            "neigh flush all", "nexthop flush")))

    def neighbours(self):
        net = self.rng.randrange(3)
        entry = f"neigh replace 10.{net}.0.1 dev eth{net}"
        state = self.rng.choice(("nud failed", "nud stale",
                                 "lladdr 02:00:00:00:00:99 nud reachable"))
        if state == "nud failed":
            # Of one that fails from the start the kernel says nothing.
            self.ip(4, f"{entry} lladdr 02:00:00:00:00:99 nud stale")
        self.ip(4, f"{entry} {state}")

    def sysctls(self):
        key, values = self.rng.choice(SYSCTLS)
        link, value = self.rng.choice(LINKS), self.rng.choice(values)
        keys = [key.format(link)]
        if key == LINKDOWN:
            # Of some links only, a table passes on what another one answers.
            keys = [f"ipv{family}/conf/{name}/{key}" for family in (4, 6)
                    for name in ("default", *LINKS, "wan9")]
        self.say(f"sysctl {key.format(link)}={value}")
        for key in keys:
            with contextlib.suppress(OSError):
                self.a.sysctl(key, value)

    def meddling(self):
        """Somebody deletes and alters what is ours, or adds what looks so. A
        daemon that lives long backs off from that, as it should."""
        if self.one_life:
            return
        family = self.rng.choice((4, 6))
        table = 7100 + self.rng.randrange(6)
        self.ip(family, self.rng.choice((
            f"route flush table {table}", "rule flush protocol 109",
            f"route del default table {table}",
            f"route replace unreachable default table {table} metric 1024 "
            "proto 109",
            f"route add unreachable 198.18.0.0/15 table {table} proto 109"
            if family == 4 else
            f"route add unreachable 2001:2::/48 table {table} proto 109",
            "rule del pref 7109" if family == 4 else "rule del pref 7165",
            f"rule add pref 7150 from all table {table} protocol 109")))

    def tunnels(self):
        """A full tunnel begins, or (more often) ends."""
        family = self.rng.choice((4, 6))
        self.ip(family, self.rng.choice((
            "rule add pref 5000 table 51820", "rule del pref 5000",
            "rule del pref 5000", "rule del pref 5000",
            "route add unreachable default table 51820",
            "route flush table 51820")))

    def anew(self):
        """A link goes, or one that is not there comes back."""
        link = self.rng.choice(LINKS)
        if self.rng.random() < 0.4:
            return self.ip(4, f"link del {link}")
        if link == "br9":
            return self.ip(4, "link add br9 type bridge forward_delay 0")
        if link == "dum9":
            self.ip(4, "link add dum9 type dummy")
            return self.ip(4, "link set dum9 up")
        self.say(f"wire {link} anew")
        with contextlib.suppress(AssertionError):
            self._wire(int(link[-1]))
        return None

    def heal(self):
        """One uplink as a host has it: link, addresses, routers, defaults."""
        net, model = self.rng.randrange(PEERS), self.rng.choice((4, 6))
        metric = self.rng.choice((10, 20, 100))
        if net == 2:
            self.ip(4, "link set wan9 name eth2")
        self.say(f"wire eth{net} anew")
        with contextlib.suppress(AssertionError):
            self._wire(net)
        self.ip(4, f"link set eth{net} up")
        self._plug(net)
        for family in (4, 6):
            self.ip(family, f"addr add {address(net, 0, family, net)} "
                            f"dev eth{net}")
        via = f"10.{net}.0.1" if model == 4 else "fe80::1"
        self.ip(model, f"route replace default via {via} dev eth{net} "
                       f"metric {metric}")

    def flows(self):
        """A connection from one of the uplinks begins, or one ends."""
        family, net = self.rng.choice((4, 6)), self.rng.randrange(PEERS)
        which = self.rng.randrange(MANY)
        if self.rng.random() < 0.3:
            self.say(f"connection {which} ends")
            if which < len(self.open):
                self.open.pop(which).close()
            return
        source = address(net, 0, family, net).split("/")[0]
        self.say(f"connect from {source} to {FAR[family]}")
        sock = self.a.socket(family_of(source), timeout=0.05)
        # Gone without a word when it is closed, whatever the path is by then.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        try:
            sock.bind((source, 0))
            sock.connect((FAR[family], PORT))
            self.open.append(sock)
        except OSError:
            sock.close()
        while len(self.open) > MANY:
            self.open.pop(0).close()

    def names(self):
        """Of one link only: no other may get its name, and then addresses
        that this one has."""
        one, other = self.rng.choice((("eth2", "wan9"), ("wan9", "eth2")))
        self.ip(4, f"link set {one} name {other}")

    def adverts(self):
        """An advertisement of one of R's links, as R or as another router."""
        net = self.rng.randrange(3)
        router = self.rng.choice(("fe80::1", "fe80::1", "fe80::2"))
        life = self.rng.choice((0, 1800, 1800, 3600))
        pios = [Pio(f"2001:db8:{self.rng.choice((net, 5))}:"
                    f"{self.rng.randrange(2)}::/64",
                    self.rng.choice((0, 3600, 3600)),
                    autonomous=self.rng.random() < 0.3)
                for _ in range(self.rng.randrange(3))]
        rios = [Rio("2001:db8:ee::/48", self.rng.choice((0, 1800)))
                ] * self.rng.randrange(2)
        preference = self.rng.choice((0, 0, 1, 3))
        self.say(f"advert of {router} on eth{net}: lifetime {life} "
                 f"preference {preference} {pios} {rios}")
        self.advertised |= {(router, str(network(pio.prefix, 6)))
                            for pio in pios}
        with contextlib.suppress(OSError):
            Advertiser(self.r, router, f"e{net}").send(
                lifetime=life, pios=pios, rios=rios, preference=preference)

    # -- the daemon --------------------------------------------------------

    def _draw_config(self):
        rng, config = self.rng, Config()
        config.model = rng.choice(("weak", "weak", "strong"))
        config.vpn = rng.choice(("yield", "override"))
        config.settle_ms = rng.choice((0, 50, 200))
        if rng.random() < 0.5:
            config.interfaces.append({
                "match": rng.choice(("eth1", "eth*", "br9")),
                **rng.choice(({"model": "strong"}, {"model": "weak"},
                              {"manage": "always"}, {"manage": "never"},
                              {"metric_add": 150}))})
        if rng.random() < 0.3:
            net = rng.randrange(3)
            config.routes.append({
                "to": rng.choice(("default", "198.51.100.0/24")),
                "via": f"10.{net}.0.1", "dev": f"eth{net}", "metric": 15})
        if rng.random() < 0.3:
            net = rng.randrange(3)
            config.bindings.append(rng.choice((
                {"dev": "eth0", "prefixes": [f"10.{net}.0.0/24"]},
                {"router": "fe80::1", "dev": f"eth{net}",
                 "prefixes": [f"2001:db8:{net}::/64"]},
                {"router": f"10.{net}.0.1", "prefixes": ["10.0.0.0/8"]})))
        return config

    def daemon_act(self):
        acts = [self.reload, self.spoil, self.freeze]
        if not self.one_life:
            acts += [self.crash, self.crash, self.restart]
        self.rng.choice(acts)()

    def reload(self):
        self.config = self._draw_config()
        self.say(f"reload {self.config.text()}".replace("\n", " "))
        self.daemon.set_config(self.config.text())
        self._running()
        self.daemon.signal(signal.SIGHUP)

    def spoil(self):
        """A config that is not taken; the old one stays in place."""
        fault = self.rng.choice(CONFIG_FAULTS)
        self.say(f"reload with {fault}")
        self._running()
        self.daemon.set_config(fault)
        self.daemon.ctl("reload", check=False)
        self.daemon.set_config(self.config.text())

    def freeze(self):
        self.say("SIGSTOP, till all is quiet")
        self.daemon.freeze()

    def crash(self):
        """kill -9, perhaps several times before it is ready."""
        for _ in range(self.rng.choice((1, 1, 3))):
            after = self.rng.uniform(0, 0.1)
            self.say(f"kill -9, start, {after:.3f} s")
            self.daemon.kill()
            self.daemon.start(wait=False)
            with contextlib.suppress(AssertionError):
                until(lambda: False, after)

    def restart(self):
        how = self.rng.choice(("leave", "terminate"))
        self.say(f"{how}, start")
        self._running()
        getattr(self.daemon, how)()
        self.daemon.start(wait=False)

    def _running(self):
        """Signals mean something only once it has got that far."""
        self.daemon.thaw()
        until(self._answers, 20, 0.02, "the daemon answers")

    def _answers(self):
        return self.daemon.ctl("status", check=False).returncode == 0

    def quiet(self):
        """Nothing happens any more."""
        self._running()
        self.daemon.wait()

    def rest(self):
        """Nobody connects to anybody any more, and it is quiet."""
        while self.open:
            self.open.pop().close()
        self.quiet()

    # -- what it costs -----------------------------------------------------

    def sockets(self):
        """{inode: what it is}: netlink's by family (0 rtnetlink, 4 sock_diag,
        16 generic), unix ones by their state (01 listens or is of datagrams,
        03 is a client's) and name. Clients of other namespaces are missing."""
        base = f"/proc/{self.daemon.process.pid}/net"
        found = {}
        with open(f"{base}/netlink", encoding="ascii") as file:
            for words in map(str.split, file.readlines()[1:]):
                found[words[-1]] = f"netlink {words[1]}"
        with open(f"{base}/raw6", encoding="ascii") as file:
            for words in map(str.split, file.readlines()[1:]):
                found[words[9]] = "raw6"
        with open(f"{base}/unix", encoding="utf-8") as file:
            for words in map(str.split, file.readlines()[1:]):
                found[words[6]] = " ".join(["unix", words[5], *words[7:]])
        return found

    def descriptors(self):
        """What the daemon has open, in words. What it reads from /proc once
        it needs it stays open, and is left out."""
        base = f"/proc/{self.daemon.process.pid}/fd"
        sockets, found = self.sockets(), []
        for name in os.listdir(base):
            with contextlib.suppress(FileNotFoundError):
                what = os.readlink(f"{base}/{name}")
                inode = what.removeprefix("socket:[").rstrip("]")
                if not what.startswith("/proc/"):
                    found.append(sockets.get(inode, what.split("[")[0]))
        return sorted(found)

    def resident_kib(self):
        with open(f"/proc/{self.daemon.process.pid}/status",
                  encoding="ascii") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        return 0
