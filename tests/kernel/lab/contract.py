# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/io.multihomed.varlink, calls whose replies are held to it, and hosts of
many kinds to make them on."""

import json

from .daemon import ROOT
from .varlink import INTERFACE, Client, ask, parse

FILE = ROOT / "docs" / f"{INTERFACE}.varlink"
TEXT = FILE.read_text(encoding="utf-8")
CONTRACT = parse(TEXT)
WITH_MORE_ONLY = ("Table", "Monitor")
MARK = 51820


def full(method):
    return f"{INTERFACE}.{method}"


def assert_fits(kind, value, what):
    wrong = CONTRACT.mismatches(value, kind)
    shown = "\n".join(wrong[:20])
    assert not wrong, f"{what}:\n{shown}\n{json.dumps(value)[:2000]}"


def checked(method, reply):
    """The reply's parameters, which are as the contract has them."""
    assert not reply.error, f"{method}: {reply}"
    assert_fits(CONTRACT.methods[method].output, reply.parameters, method)
    return reply.parameters


def assert_error(reply, name, **parameters):
    """Exactly this error, with exactly these parameters; of ours, as the
    contract describes it."""
    assert (reply.error, reply.parameters) == (name, parameters)
    assert not reply.continues
    interface, _, member = name.rpartition(".")
    if interface == INTERFACE:
        assert_fits(CONTRACT.errors[member], reply.parameters, name)


def call(daemon, method, **parameters):
    """One method that answers once."""
    with Client(daemon.socket_path) as client:
        reply = client.ask(full(method), parameters)
    assert not reply.continues
    return checked(method, reply)


def call_table(daemon, **parameters):
    """All replies to Table."""
    with Client(daemon.socket_path) as client:
        client.send(full("Table"), parameters, more=True)
        replies = [client.receive()]
        while replies[-1].continues:
            replies.append(client.receive())
    return [checked("Table", reply) for reply in replies]


def call_monitor(daemon, cause):
    """The first reply to Monitor after cause() was called."""
    with Client(daemon.socket_path) as client:
        client.send(full("Monitor"), more=True)
        # On another connection, so it is heard after the first call.
        checked("Status", ask(daemon.socket_path, full("Status")))
        cause()
        reply = client.receive()
    assert reply.continues
    return checked("Monitor", reply)


# -- hosts -----------------------------------------------------------------

def plain(figure):
    figure.a.ip("""
        route add 198.51.100.0/24 via 10.1.0.1 dev eth0
        route add 2001:db8:ee::/48 via fe80::1 dev eth1
    """)


def with_others(figure):
    """Subnets that are not managed, and a link without any."""
    figure.lab.bridge(figure.a, "docker0")
    figure.lab.bridge(figure.a, "empty0")
    figure.a.ip("""
        addr add 172.17.0.1/16 dev docker0
        addr add 2001:db8:17::1/64 dev docker0
        addr add 192.0.2.77/32 dev lo
    """)


def with_tunnel(figure):
    """A full tunnel of both families, as wg-quick sets it up."""
    figure.a.tun("wg0")
    figure.a.ip("link set wg0 up\naddr add 10.99.0.2/32 dev wg0\n"
                "addr add fd99::2/128 dev wg0")
    for family in (4, 6):
        figure.a.ip(f"""
            route add default dev wg0 table {MARK}
            rule add not fwmark {MARK} table {MARK}
            rule add table main suppress_prefixlength 0
        """, family=family)


def with_lost_uplink(figure):
    """eth1 keeps its addresses and loses its routers."""
    def lose():
        figure.a.ip("route del default via 10.2.0.1 dev eth1\n"
                    "route del default via fe80::1 dev eth1")
    return lose


def with_everything(figure):
    """Routes of every kind that ip(8) can make."""
    a = figure.a
    a.ip("""
        addr add 10.1.0.99/32 dev eth0
        route add 203.0.113.0/24 nexthop via 10.1.0.1 dev eth0 weight 2 \
            nexthop via 10.2.0.1 dev eth1
        route add 203.0.113.0/28 via 10.1.0.1 dev eth0 mtu lock 1400 metric 7
        route add 203.0.113.0/28 via 10.2.0.1 dev eth1 metric 9
        route add 203.0.113.16/28 via 10.1.0.1 dev eth0 tos 0x10
        route add unreachable 198.51.100.0/25
        route add prohibit 198.51.100.128/25
        route add blackhole 192.0.2.0/25
        route add throw 192.0.2.128/25
        route add 10.44.0.0/16 dev eth1
        route add 10.45.0.0/16 via 172.31.0.1 dev eth0 onlink
        route add 10.46.0.0/16 via inet6 fe80::1 dev eth1
        route add 10.47.0.0/16 via 10.1.0.1 dev eth0 metric 4294967294
        nexthop add id 7 via 10.2.0.1 dev eth1
        route add 10.48.0.0/16 nhid 7
        route add 10.70.0.0/16 dev eth1 src 10.1.0.2 metric 5
        route add 10.70.0.0/16 via 10.1.0.1 dev eth0 metric 6
        route add 2001:db8:ee::/48 via fe80::1 dev eth0 pref high
        route add 2001:db8:ef::/48 nexthop via fe80::1 dev eth0 \
            nexthop via fe80::1 dev eth1
        route add unreachable 2001:db8:f0::/48
        route add 2001:db8:f1::/48 from 2001:db8:1::/48 via fe80::1 dev eth0
    """)


SCENES = {scene.__name__: scene for scene in
          (plain, with_others, with_tunnel, with_lost_uplink, with_everything)}


def make_scene(figure, name, model):
    """A daemon on that host; it says .scene and .model."""
    later = SCENES[name](figure)
    daemon = figure.lab.daemon(figure.a, f'model = "{model}";\n'
                               'interfaces = ( { match = "eth1"; '
                               'metric_add = 5; } );')
    if later:
        later()
        daemon.wait()
    daemon.scene, daemon.model = name, model
    return daemon
