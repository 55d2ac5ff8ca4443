# SPDX-License-Identifier: GPL-2.0-or-later
"""Random changes of a host, and what must hold after each of them.

After every wait, a process that starts now (`--plan`) finds nothing to do:
what was followed by events is what a dump says; and the kernel's answers are
those of the draft's rules (Verify). At the end SIGTERM leaves nothing. MULTIHOMED_WALKS says how many walks (6); a failure names its seed,
and `-k seed-N` runs that one again.
"""

import os
import random

import pytest

from lab import until
from lab.varlink import Client

WALKS = int(os.environ.get("MULTIHOMED_WALKS", "6"))
STEPS = 40
LINKS = ("eth0", "eth1", "eth2", "br9")
PREFIXES = {4: ("default", "default", "198.51.100.0/24", "198.51.0.0/16",
                "203.0.113.7", "0.0.0.0/1"),
            6: ("default", "default", "2001:db8:ee::/48",
                "2001:db8:ee:1::/64", "2001:db8:ff::7", "2000::/3")}
CONFIGS = ("", 'model = "strong";', "settle_ms = 0;",
           'interfaces = ( { match = "eth1"; model = "strong"; } );',
           'interfaces = ( { match = "eth2"; manage = "always"; } );')


def host(lab):
    """A with three uplinks to be, and a bridge; gateways that answer."""
    a, r = lab.host("a"), lab.router("r")
    for n in range(3):
        lab.wire(a, f"eth{n}", r, f"e{n}")
        r.ip(f"""
            addr add 10.{n}.0.1/16 dev e{n}
            addr add 2001:db8:{n}::1/48 dev e{n}
            addr add fe80::1/64 dev e{n}
            addr add 192.168.3.1/32 dev e{n}
        """)
        a.ip(f"""
            addr add {address(n, 0, 4)} dev eth{n}
            addr add {address(n, 0, 6)} dev eth{n}
        """)
    lab.bridge(a, "br9")
    a.ip("addr add 10.3.0.40/24 dev br9")
    return a


def address(net, which, family, link=None):
    """An address of net's prefixes that no other link ever has; its length
    follows from which, so that no address comes with two lengths."""
    tail = 10 + 10 * (net if link is None else link) + which
    length = {4: (24, 24, 24, 32, 16), 6: (64, 64, 64, 128, 48)}
    prefix = f"10.{net}.0." if family == 4 else f"2001:db8:{net}::"
    return f"{prefix}{tail}/{length[family][which]}"


class Walk:
    """Draws changes as (family, words of ip)."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def step(self):
        draw = self.rng.choice((self.addresses, self.links, self.nexthops,
                                self.routes, self.routes, self.routes))
        return draw()

    def addresses(self):
        family = self.rng.choice((4, 6))
        link = self.rng.randrange(4)
        verb = self.rng.choice(("add", "add", "del"))
        if self.rng.random() < 0.2:
            return 4, f"addr {verb} 10.{link}.0.{70 + link}/32 dev lo"
        if self.rng.random() < 0.2:
            return 4, (f"addr {verb} 10.9.9.{link} peer 10.9.8.{link} "
                       f"dev {LINKS[link]}")
        net = self.rng.choice((0, 1, 2, link))
        text = address(net, self.rng.randrange(5), family, link)
        return family, f"addr {verb} {text} dev {LINKS[link]}"

    def links(self):
        way = self.rng.choice(("up", "up", "down"))
        return 4, f"link set {self.rng.choice(LINKS)} {way}"

    def gateway(self, family, link):
        if family == 4:
            return f"via 10.{link}.0.1"
        return self.rng.choice((f"via 2001:db8:{link}::1", "via fe80::1"))

    def nexthops(self):
        family, link = self.rng.choice((4, 6)), self.rng.randrange(3)
        number = self.rng.randrange(1, 4)
        verb = self.rng.choice(("add", "replace", "del"))
        if verb == "del":
            return 4, f"nexthop del id {number}"
        if number == 3:
            return 4, f"nexthop {verb} id 3 group 1/2"
        via = self.gateway(family, link)
        return family, f"nexthop {verb} id {number} {via} dev {LINKS[link]}"

    def routes(self):
        family, link = self.rng.choice((4, 6)), self.rng.randrange(4)
        verb = self.rng.choice(("add", "add", "replace", "append", "del"))
        prefix = self.rng.choice(PREFIXES[family])
        metric = self.rng.choice(("", "metric 10", "metric 20", "metric 300"))
        how = self.next_hop(family, link)
        if how.startswith("nexthop"):
            return family, f"route {verb} {prefix} {metric} {how}"
        if how in ("unreachable", "blackhole", "prohibit", "throw"):
            return family, f"route {verb} {how} {prefix} {metric}"
        return family, f"route {verb} {prefix} {how} {metric}"

    def next_hop(self, family, link):
        via, dev = self.gateway(family, link), LINKS[link]
        other = (link + 1) % 3
        return self.rng.choice((
            f"{via} dev {dev}", f"{via} dev {dev}", f"{via} dev {dev}",
            f"{via} dev {dev} mtu 1400", f"dev {dev}",
            f"nhid {self.rng.randrange(1, 4)}",
            f"nexthop {via} dev {dev} nexthop {self.gateway(family, other)} "
            f"dev {LINKS[other]}",
            self.rng.choice(("unreachable", "blackhole", "prohibit",
                             "throw")),
            self.special(family, link)))

    def special(self, family, link):
        dev = LINKS[link]
        if family == 6:
            return f"from 2001:db8:{link}::/64 via fe80::1 dev {dev}"
        return self.rng.choice((f"via 192.168.3.1 dev {dev} onlink",
                                f"tos 0x10 via 10.{link}.0.1 dev {dev}",
                                f"via inet6 fe80::1 dev {dev}"))


def leftover(a):
    """Rules and routes that carry our protocol."""
    rules = [rule for family in (4, 6) for rule in a.rules(family)
             if str(rule.get("protocol")) == "109"]
    routes = [line for family in (4, 6)
              for line in a.route_lines("all", family) if "proto 109" in line]
    return rules + routes


def agree(daemon, done):
    """A fresh start has nothing to do, now or soon: the kernel says up to a
    second later that a link has carrier. Neighbours change by themselves."""
    plan = []

    def nothing_to_do():
        daemon.wait()
        plan[:] = [line for line in daemon.plan().splitlines()
                   if " neigh " not in line]
        return not plan

    try:
        until(nothing_to_do, timeout=6, step=0.1)
    except AssertionError as err:
        raise AssertionError("\n".join(["after these:", *done[-10:],
                                        "a fresh start would:", *plan])
                             ) from err


def verified(daemon, done):
    """The kernel does what the rules say. What it passes over by itself, a
    router that has just failed, may take a moment to be heard of."""
    found = []

    def agrees():
        with Client(daemon.socket_path) as client:
            found[:] = client.call("io.multihomed.Verify")["disagreements"]
        return not found

    try:
        until(agrees, timeout=6, step=0.1)
    except AssertionError as err:
        raise AssertionError("\n".join(["after these:", *done, "verify:",
                                        *map(str, found[:5])])) from err


@pytest.mark.parametrize("seed", range(1, WALKS + 1),
                         ids=lambda seed: f"seed-{seed}")
def test_events_and_a_fresh_start_agree(lab, seed):
    walk = Walk(seed)
    a = host(lab)
    daemon = lab.daemon(a, walk.rng.choice(CONFIGS))
    done = []
    for _ in range(STEPS):
        family, words = walk.step()
        done.append(f"ip -{family} {words}")
        a.run("ip", f"-{family}", *words.split(), check=False)
        if walk.rng.random() < 0.5:
            agree(daemon, done)
            verified(daemon, done)
    daemon.wait()
    daemon.terminate()
    assert leftover(a) == []
