# SPDX-License-Identifier: GPL-2.0-or-later
"""A router dies without a word: the link stays up, nothing answers any more.

The only sign is the kernel's neighbour entry, FAILED after some unanswered
solicitations. The timers that lead there are made short, the same for hosts
with the daemon and without.
"""

import select
import socket
import struct
import time

import pytest

from lab import V4, Daemon, until
from lab.dead import NOTICED_WITHIN_S, die, hurry, revive
from lab.own import own_neighbours
from lab.shim import new_counts, preload, read_counts

STATES = ("INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED",
          "NOARP", "PERMANENT")
B = {4: "203.0.113.9", 6: "2001:db8:b::9"}
FIRST = {4: "10.1.0.1", 6: "2001:db8:1::1"}
SECOND = {4: "10.1.0.254", 6: "2001:db8:1::fe"}


def state_of(host, link, gateway):
    """The neighbour entry's state, "" where there is none."""
    family = "-6" if ":" in gateway else "-4"
    out = host.run("ip", family, "neigh", "show", gateway, "dev", link,
                   check=False).stdout.split()
    return next((word for word in out if word in STATES), "")


def leaves_within(host, family, source, want):
    until(lambda: host.leaves_by(B[family], source) == want,
          NOTICED_WITHIN_S, 0.01, f"{source}: {want}")


def shared_lan(lab, hosts):
    """Hosts on one LAN with two routers of the same prefixes, B behind."""
    b = lab.server("b")
    sw = lab.server("sw")
    routers = []
    for name, tail in (("r1", 1), ("r2", 254)):
        router = lab.router(name)
        routers.append(router)
        lab.wire(router, "lan", sw, f"s{name}")
        lab.wire(b, f"p{tail}", router, "wan")
        router.ip(f"""
            addr add 10.1.0.{tail}/24 dev lan
            addr add 2001:db8:1::{tail if tail == 1 else 'fe'}/64 dev lan
            addr add 203.0.113.{tail}/24 dev wan
            addr add 2001:db8:b::{tail}/64 dev wan
        """)
    for number, host in enumerate(hosts):
        lab.wire(host, "eth0", sw, f"h{number}")
        host.ip(f"""
            addr add 10.1.0.{10 + number}/24 dev eth0
            addr add 2001:db8:1::{10 + number}/64 dev eth0
        """)
        hurry(host, ("eth0",))
    ports = ["sr1", "sr2"] + [f"h{n}" for n in range(len(hosts))]
    lab.bridge(sw, "br0", ports)
    lab.bridge(b, "br0", ("p1", "p254"))
    b.ip("""
        addr add 203.0.113.9/24 dev br0
        addr add 2001:db8:b::9/64 dev br0
    """)
    return b, routers


def defaults(host, family, metrics):
    host.ip(f"""
        route add default via {FIRST[family]} dev eth0 metric {metrics[0]}
        route append default via {SECOND[family]} dev eth0 metric {metrics[1]}
    """)


def own_source(family, number=0):
    tail = 10 + number
    return f"10.1.0.{tail}" if family == 4 else f"2001:db8:1::{tail}"


@pytest.mark.slow
@pytest.mark.parametrize("number", [4, 6], ids=["ipv4", "ipv6"])
def test_the_other_router_of_the_subnet_takes_over(lab, model, number):
    a = lab.host("a")
    _, (r1, _) = shared_lan(lab, [a])
    defaults(a, number, (100, 200))
    daemon = lab.daemon(a, f'model = "{model}";')
    source = own_source(number)
    leaves_within(a, number, source, f"via {FIRST[number]} dev eth0")
    until(lambda: state_of(a, "eth0", FIRST[number]) not in
          ("", "INCOMPLETE", "FAILED"))
    die(r1)
    leaves_within(a, number, source, f"via {SECOND[number]} dev eth0")
    revive(r1)
    leaves_within(a, number, source, f"via {FIRST[number]} dev eth0")
    daemon.wait()


@pytest.mark.slow
def test_weak_the_other_uplink_takes_over(figure, family):
    a = figure.a
    hurry(a)
    figure.start()
    until(lambda: a.ping(family.b, family.a2, count=1) == 1)
    die(figure.r2)
    leaves_within(a, family.number, family.a2, family.via1)
    assert a.leaves_by(family.b, family.a1) == family.via1
    revive(figure.r2)
    leaves_within(a, family.number, family.a2, family.via2)
    assert a.ping(family.b, family.a2) == 3


@pytest.mark.slow
def test_strong_stays_with_its_dead_router(figure, family):
    """Where no candidate is usable, the unusable are taken as they are."""
    a = figure.a
    hurry(a)
    daemon = figure.start('model = "strong";')
    gateway = family.via2.split()[1]
    die(figure.r2)
    until(lambda: state_of(a, "eth1", gateway) == "FAILED", NOTICED_WITHIN_S)
    daemon.wait()
    assert a.leaves_by(family.b, family.a2) in (family.via2, "EHOSTUNREACH")
    revive(figure.r2)
    leaves_within(a, family.number, family.a2, family.via2)
    until(lambda: a.ping(family.b, family.a2, count=1, wait=0.2) == 1,
          NOTICED_WITHIN_S)


@pytest.mark.slow
def test_a_dead_router_of_a_longer_prefix(figure, family):
    """The prefix does not shorten in our tables. (Where a shorter one has a
    router that answers, the kernel's own IPv6 lookup may take that, as it
    does in main.)"""
    a = figure.a
    hurry(a)
    a.ip(f"route add {family.other} {family.via2}")
    daemon = figure.start()
    gateway = family.via2.split()[1]
    die(figure.r2)
    until(lambda: state_of(a, "eth1", gateway) == "FAILED", NOTICED_WITHIN_S)
    leaves_within(a, family.number, family.a2, family.via1)
    daemon.wait()
    for link, net in (("eth0", family.net1), ("eth1", family.net2)):
        lines = a.route_lines(daemon.table(link, net), family.number)
        assert [line for line in lines
                if line.startswith(f"{family.other} {family.via2} ")]
    if family is V4:
        assert a.leaves_by(family.other_host, family.a1) == family.via2


def test_gateways_in_use_are_kept_resolved(figure, family):
    """Managed entries of ours, gone after SIGTERM, others untouched."""
    a = figure.a
    permanent = "10.1.0.77" if family is V4 else "2001:db8:1::77"
    a.ip(f"neigh add {permanent} lladdr 02:00:00:00:00:77 dev eth0 "
         "nud permanent")
    daemon = figure.start()
    gateways = [family.via1, family.via2]
    for gateway in gateways:
        words = gateway.split()
        entry = f"{words[1]} dev {words[3]}"
        assert entry in own_neighbours(a)
        until(lambda w=words: state_of(a, w[3], w[1]) == "REACHABLE")
    daemon.terminate()
    assert own_neighbours(a) == []
    shown = a.run("ip", "neigh", "show", permanent, "dev", "eth0").stdout
    assert "PERMANENT" in shown and "proto" not in shown


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_a_filter_that_could_not_be_set_is_set_later(figure):
    """A router dies; to hear that it is back takes another filter, and the
    kernel has no memory for it, once."""
    a = figure.a
    hurry(a)
    config = 'mptcp = { path_manager = "off"; };'
    counts = new_counts(f"{figure.lab.directory}/counts")
    daemon = Daemon(a, config, env=preload(counts=counts))
    figure.lab.daemons.append(daemon)
    daemon.start()
    daemon.wait()
    calls = read_counts(counts)["setsockopt"]
    daemon.terminate()
    new_counts(counts)
    daemon.env = preload(counts=counts, fault=f"setsockopt:{calls + 1}:ENOMEM")
    daemon.start()
    daemon.wait()

    def route():
        return a.leaves_by("203.0.113.9", "10.2.0.2")
    # Something to compare with: a second default of the same subnet.
    a.ip("route add default via 10.2.0.254 dev eth1 metric 900")
    a.ip("neigh replace 10.2.0.254 lladdr 02:00:00:00:00:99 dev eth1 "
         "nud permanent")
    daemon.wait()
    assert route() == "via 10.2.0.1 dev eth1"
    die(figure.r2)
    until(lambda: route() == "via 10.2.0.254 dev eth1", 20)
    revive(figure.r2)
    until(lambda: route() == "via 10.2.0.1 dev eth1", 20)


def test_a_permanent_entry_of_a_gateway_is_never_touched(figure, family):
    """The administrator says where the router is; even when it is wrong."""
    a = figure.a
    gateway = family.via2.split()[1]
    a.ip(f"neigh replace {gateway} lladdr 02:00:00:00:00:99 dev eth1 "
         "nud permanent")
    before = a.run("ip", "-d", "neigh", "show", gateway, "dev", "eth1").stdout
    daemon = figure.start()
    now = a.run("ip", "-d", "neigh", "show", gateway, "dev", "eth1").stdout
    assert now == before and "PERMANENT" in now
    daemon.kill()
    daemon.start()
    daemon.terminate()
    after = a.run("ip", "-d", "neigh", "show", gateway, "dev", "eth1").stdout
    assert after == before


def test_a_permanent_entry_that_comes_later_stays(figure, family):
    """The kernel keeps our protocol in it; it is the administrator's."""
    a = figure.a
    gateway = family.via2.split()[1]
    daemon = figure.start()
    a.ip(f"neigh replace {gateway} lladdr 02:00:00:00:00:99 dev eth1 "
         "nud permanent")
    daemon.wait()
    a.ip(f"route add {family.other} {family.via2}")
    daemon.wait()
    shown = a.run("ip", "neigh", "show", gateway, "dev", "eth1").stdout
    assert "02:00:00:00:00:99" in shown and "PERMANENT" in shown
    daemon.terminate()
    shown = a.run("ip", "neigh", "show", gateway, "dev", "eth1").stdout
    assert "02:00:00:00:00:99" in shown and "PERMANENT" in shown


class Probe:
    """Datagrams from one host, one every few milliseconds; each carries the
    moment it was sent."""

    STEP_S = 0.005

    def __init__(self, b, host, number, source):
        kind = socket.AF_INET6 if number == 6 else socket.AF_INET
        self.inbox = b.socket(kind, socket.SOCK_DGRAM)
        self.inbox.bind((B[number], 0))
        self.inbox.setblocking(False)
        self.sock = host.socket(kind, socket.SOCK_DGRAM)
        self.sock.bind((source, 0))
        self.sock.setblocking(False)
        self.to = (B[number], self.inbox.getsockname()[1])

    def step(self):
        """Send one; the moments of what arrived."""
        try:
            self.sock.sendto(struct.pack("d", time.monotonic()), self.to)
        except OSError:
            pass  # no route, or the neighbour's queue is full: lost
        time.sleep(self.STEP_S)
        heard = []
        while select.select([self.inbox], [], [], 0)[0]:
            heard.append(struct.unpack("d", self.inbox.recv(16))[0])
        return heard

    def outage(self, break_it, limit):
        """Until when after break_it() all that was sent was lost, in seconds;
        limit where nothing arrived any more."""
        break_it()
        start = time.monotonic()
        while time.monotonic() < start + limit:
            after = [sent for sent in self.step() if sent > start]
            if after:
                return min(after) - start
        return limit


def advertise(router):
    """One router advertisement, as radvd sends it: a default router."""
    with router.inside():
        index = socket.if_nametoindex("lan")
    sock = router.socket(socket.AF_INET6, socket.SOCK_RAW,
                         socket.IPPROTO_ICMPV6)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    sock.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0),
                ("ff02::1", 0, 0, index))


def learn_routers(host, routers):
    """Two defaults of one metric, by router advertisements."""
    host.sysctl("ipv6/conf/eth0/accept_ra", 2)
    for router in routers:
        advertise(router)
    until(lambda: len([route for route in host.routes("main", 6)
                       if route["dst"] == "default"]) == 2)


def router_in_use(host, number, source, routers):
    via = host.route_get(B[number], source).via
    for router in routers:
        if router.run("ip", "-o", "addr", "show", "to", via).stdout:
            return router
    raise AssertionError(f"{via} is none of the routers")


def measure(b, host, number, routers, limit=2.0):
    """The outage when the router that host uses dies."""
    source = own_source(number, 0 if host.role == "a" else 1)
    probe = Probe(b, host, number, source)
    until(probe.step, 3, 0, "something arrives to begin with")
    router = router_in_use(host, number, source, routers)
    took = probe.outage(lambda: die(router), limit)
    revive(router)
    return took


@pytest.mark.parametrize("number, setup", [
    (4, "metrics"), (6, "metrics"), (6, "advertised")])
def test_no_slower_than_table_main_alone(lab, record_property, number, setup):
    """The same two routers, seen by a host with the daemon and one without."""
    with_us, without = lab.host("a"), lab.host("c")
    b, routers = shared_lan(lab, [with_us, without])
    for host in (with_us, without):
        if setup == "advertised":
            learn_routers(host, routers)
        else:
            defaults(host, number, (100, 200))
    lab.daemon(with_us)
    ours = measure(b, with_us, number, routers)
    alone = measure(b, without, number, routers)
    record_property("ours_s", round(ours, 3))
    record_property("alone_s", round(alone, 3))
    print(f"outage: {ours:.3f} s with the daemon, {alone:.3f} s without")
    assert ours < 2.0
    assert ours <= alone + 0.1
