# SPDX-License-Identifier: GPL-2.0-or-later
"""A network lab for tests: namespaces, links, routers, traffic, the daemon.

A test takes the fixture `lab` (an empty Lab) or `figure` (the draft's section 3
network, see figure.py) and reads like this:

    def test_second_uplink_leaves_through_its_own_router(lab):
        a, r = lab.host(), lab.router("r")
        lab.wire(a, "eth0", r, "lan")           # a veth pair, both ends up
        a.ip('''                                # one `ip -batch`
            addr add 192.0.2.2/24 dev eth0
            route add default via 192.0.2.1
        ''')
        d = lab.daemon(a, 'model = "strong";')  # started, READY=1, steady
        assert a.leaves_by("203.0.113.9", "192.0.2.2") == \\
            "via 192.0.2.1 dev eth0"
        a.ip("route del default")
        d.wait()                                # all that is taken in
        assert a.connect_error("203.0.113.9", "192.0.2.2") == "EHOSTUNREACH"

Lab        host() server() router() wire() bridge() tunnel() daemon()
Namespace  ip() ip_json() nft() sysctl() run() start() tun() inside()
           rules() routes() route_lines() route_get() leaves_by()
           ping() connect_error() chosen_source() socket()
           count_sent() sent()
Daemon     wait() status() subnet() table() ctl() plan() flush() log()
           reload() set_config() terminate() leave() kill() freeze() thaw()
           start()
Figure     a r1 r2 b start() unplug() plug_in() dropped()
Family     V4 and V6: the figure's addresses; fixture `family` runs over both
functions  until() ingress_filter() filter_counts() nat()
           tcp_open() tcp_works() listen() udp_send()

Nothing sleeps: wait for a condition with until(), for the daemon with
Daemon.wait(). Every command has a time limit. When the test ends, the lab ends
its daemons (SIGTERM, exit status 0 and a clean sanitizer log are required) and
deletes its namespaces; when it failed, the report shows them as they were.
"""

from .daemon import Daemon, ctl_binary, daemon_binary, processor_ns
from .figure import V4, V6, Family, Figure
from .netns import Answer, CommandFailed, Namespace, Tun, family_of, until
from .traffic import (Connection, listen, receive_exactly, tcp_open, tcp_works,
                      udp_send)
from .world import Lab, filter_counts, ingress_filter, nat, sweep_stale

__all__ = [
    "Answer", "CommandFailed", "Connection", "Daemon", "Family", "Figure",
    "Lab", "Namespace", "Tun", "V4", "V6", "ctl_binary", "daemon_binary",
    "family_of", "filter_counts", "ingress_filter", "listen", "nat",
    "processor_ns", "receive_exactly", "sweep_stale", "tcp_open", "tcp_works", "udp_send",
    "until",
]
