# SPDX-License-Identifier: GPL-2.0-or-later
"""A host behind two NATs, for flows that must not cross the wrong one.

      a --eth0-- r1 (NAT) --
                            b
      a --eth1-- r2 (NAT) --

Both routers take any source: what leaves by the wrong one is masqueraded, and
a connection that began through the other one is dead. So counts decide.
"""

import json
import threading

from .figure import A1_4, A2_4, B_4, B_6
from .traffic import tcp_open
from .world import nat

A1_6, A2_6 = "2001:db8:1::2", "2001:db8:2::2"


class Nats:
    """a, r1, r2 and b; a's defaults prefer r1 (metric 100 before 200)."""

    def __init__(self, lab):
        self.lab = lab
        self.a = lab.host("a")
        self.r1, self.r2 = lab.router("r1"), lab.router("r2")
        self.b = lab.server("b")
        lab.wire(self.a, "eth0", self.r1, "lan")
        lab.wire(self.a, "eth1", self.r2, "lan")
        lab.wire(self.b, "p1", self.r1, "wan")
        lab.wire(self.b, "p2", self.r2, "wan")
        lab.bridge(self.b, "br0", ("p1", "p2"))
        self._address()
        for router in (self.r1, self.r2):
            nat(router, "wan")
            count(router)

    def _address(self):
        for number, router in ((1, self.r1), (2, self.r2)):
            router.ip(f"""
                addr add 10.{number}.0.1/24 dev lan
                addr add 2001:db8:{number}::1/64 dev lan
                addr add fe80::1/64 dev lan
                addr add 203.0.113.{number}/24 dev wan
                addr add 2001:db8:b::{number}/64 dev wan
                route add 10.{3 - number}.0.2/32 via 10.{number}.0.2
                route add 2001:db8:{3 - number}::2/128 \
                    via 2001:db8:{number}::2
            """.replace("\\\n", ""))
        self.b.ip("""
            addr add 203.0.113.9/24 dev br0
            addr add 203.0.113.10/24 dev br0
            addr add 2001:db8:b::9/64 dev br0
            addr add 2001:db8:b::a/64 dev br0
        """)
        self.a.ip("""
            addr add 10.1.0.2/24 dev eth0
            addr add 10.2.0.2/24 dev eth1
            addr add 2001:db8:1::2/64 dev eth0
            addr add 2001:db8:2::2/64 dev eth1
            route add default via 10.1.0.1 dev eth0 metric 100
            route add default via 10.2.0.1 dev eth1 metric 200
            route add default via fe80::1 dev eth0 metric 100
            route add default via fe80::1 dev eth1 metric 200
        """)

    def start(self, config="", **kwargs):
        return self.lab.daemon(self.a, config, **kwargs)

    def through(self, router, source):
        """Packets with this source that router was given to forward."""
        out = router.run("nft", "-j", "list", "counters", "table", "inet",
                         "seen").stdout
        counts = {item["counter"]["name"]: item["counter"]["packets"]
                  for item in json.loads(out)["nftables"]
                  if "counter" in item}
        return counts[NAMES[source]]

    def transfer(self, source, dst):
        return Transfer(self.a, self.b, source, dst)


NAMES = {A1_4: "a1v4", A2_4: "a2v4", A1_6: "a1v6", A2_6: "a2v6"}


def count(router):
    """Counts what comes in by lan, by source."""
    counters = "\n".join(f"counter {name} {{ }}" for name in NAMES.values())
    rules = "\n".join(
        f'iifname "lan" {"ip6" if ":" in source else "ip"} saddr {source} '
        f"counter name {name}" for source, name in NAMES.items())
    router.nft(f"""
        table inet seen {{
            {counters}
            chain pre {{
                type filter hook prerouting priority -300;
                {rules}
            }}
        }}""")


class Transfer:
    """A TCP connection that is never quiet: data goes to and fro in a thread.

    rounds grows while it is alive; end() raises what went wrong."""

    def __init__(self, client, server, source, dst):
        self.connection = tcp_open(client, server, dst, source)
        for end in (self.connection.client, self.connection.server):
            end.settimeout(20)
        self.rounds = 0
        self.error = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._ended.is_set():
                self.connection.exchange(b"x" * 1000)
                self.rounds += 1
                self._ended.wait(0.001)
        except OSError as err:
            self.error = err

    def goes_on(self, rounds=20):
        """Whether so many more rounds have been made, as a condition."""
        target = self.rounds + rounds

        def condition():
            if self.error:
                raise AssertionError(f"the transfer died: {self.error!r}")
            return self.rounds >= target
        return condition

    def end(self):
        self._ended.set()
        self._thread.join(timeout=25)
        self.connection.close()
        if self.error:
            raise AssertionError(f"the transfer died: {self.error!r}")


PATHS = {
    4: dict(a1=A1_4, a2=A2_4, b=B_4, b2="203.0.113.10", via1="via 10.1.0.1 dev eth0",
            via2="via 10.2.0.1 dev eth1", other="via 10.1.0.77 dev eth0",
            near="203.0.113.8/29", full=32),
    6: dict(a1=A1_6, a2=A2_6, b=B_6, b2="2001:db8:b::a",
            via1="via fe80::1 dev eth0", via2="via fe80::1 dev eth1",
            other="via 2001:db8:1::77 dev eth0", near="2001:db8:b::8/125",
            full=128),
}
