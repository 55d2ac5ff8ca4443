# SPDX-License-Identifier: GPL-2.0-or-later
"""The network of the draft's section 3, ready made.

      ____R1____ {            }
     /a1         {            }
    A            { Internet   }------ B
     \\____R2_____{            }
      a2         {            }

R1 and R2 drop what does not have a source of theirs. B has one link and one
address of each family, and returns each packet by the router it belongs to.
"""

from dataclasses import dataclass

from .world import filter_counts, ingress_filter

A1_4, A2_4 = "10.1.0.2", "10.2.0.2"
A1_6, A2_6 = "2001:db8:1::2", "2001:db8:2::2"
NET1_4, NET2_4 = "10.1.0.0/24", "10.2.0.0/24"
NET1_6, NET2_6 = "2001:db8:1::/64", "2001:db8:2::/64"
R1_4, R2_4 = "10.1.0.1", "10.2.0.1"
R_LL = "fe80::1"
B_4, B_6 = "203.0.113.9", "2001:db8:b::9"

PAIRS_4 = ((A1_4, B_4), (A2_4, B_4))
PAIRS_6 = ((A1_6, B_6), (A2_6, B_6))
PAIRS = PAIRS_4 + PAIRS_6


@dataclass(frozen=True)
class Family:
    """One address family of the figure, for tests that run over both."""

    number: int
    a1: str
    a2: str
    net1: str
    net2: str
    via1: str  # how a1's and a2's own packets should leave
    via2: str
    gw2: str
    b: str
    other: str  # a prefix that is nowhere yet, and a host in it
    other_host: str

    @property
    def full(self):
        """Length of a host prefix."""
        return 32 if self.number == 4 else 128


V4 = Family(4, A1_4, A2_4, NET1_4, NET2_4, f"via {R1_4} dev eth0",
            f"via {R2_4} dev eth1", R2_4, B_4, "198.51.100.0/24",
            "198.51.100.7")
V6 = Family(6, A1_6, A2_6, NET1_6, NET2_6, f"via {R_LL} dev eth0",
            f"via {R_LL} dev eth1", R_LL, B_6, "2001:db8:ee::/48",
            "2001:db8:ee::7")


class Figure:
    """a, r1, r2 and b; A's defaults prefer R1 (metric 100 before 200)."""

    def __init__(self, lab, metrics=(100, 200)):
        self.lab = lab
        self.a = lab.host("a")
        self.r1, self.r2 = lab.router("r1"), lab.router("r2")
        self.b = lab.server("b")
        lab.wire(self.a, "eth0", self.r1, "lan")
        lab.wire(self.a, "eth1", self.r2, "lan")
        lab.wire(self.b, "p1", self.r1, "wan")
        lab.wire(self.b, "p2", self.r2, "wan")
        lab.bridge(self.b, "br0", ("p1", "p2"))
        self._address(metrics)
        ingress_filter(self.r1, "lan", (NET1_4, NET1_6))
        ingress_filter(self.r2, "lan", (NET2_4, NET2_6))

    def _address(self, metrics):
        for number, router in ((1, self.r1), (2, self.r2)):
            router.ip(f"""
                addr add 10.{number}.0.1/24 dev lan
                addr add 2001:db8:{number}::1/64 dev lan
                addr add fe80::1/64 dev lan
                addr add 203.0.113.{number}/24 dev wan
                addr add 2001:db8:b::{number}/64 dev wan
            """)
        self.b.ip("""
            addr add 203.0.113.9/24 dev br0
            addr add 2001:db8:b::9/64 dev br0
            route add 10.1.0.0/24 via 203.0.113.1
            route add 10.2.0.0/24 via 203.0.113.2
            route add 2001:db8:1::/64 via 2001:db8:b::1
            route add 2001:db8:2::/64 via 2001:db8:b::2
        """)
        self.a.ip(f"""
            addr add 10.1.0.2/24 dev eth0
            addr add 10.2.0.2/24 dev eth1
            addr add 2001:db8:1::2/64 dev eth0
            addr add 2001:db8:2::2/64 dev eth1
            route add default via 10.1.0.1 dev eth0 metric {metrics[0]}
            route add default via 10.2.0.1 dev eth1 metric {metrics[1]}
            route add default via fe80::1 dev eth0 metric {metrics[0]}
            route add default via fe80::1 dev eth1 metric {metrics[1]}
        """)

    def start(self, config=""):
        """Start the daemon on A, and see that it is at work: a test of what
        stays as it was would pass without it too."""
        daemon = self.lab.daemon(self.a, config)
        for family in (V4, V6):
            assert self.a.leaves_by(family.b, family.a1) == family.via1
            assert self.a.leaves_by(family.b, family.a2) == family.via2
        return daemon

    def unplug(self):
        """R1's cable: A's eth0 loses its carrier."""
        self.r1.ip("link set lan down")

    def plug_in(self):
        """And back, with the addresses that a link set down has lost."""
        self.r1.ip("""
            link set lan up
            addr replace 2001:db8:1::1/64 dev lan
            addr replace fe80::1/64 dev lan
        """)

    def dropped(self):
        """Packets the ingress filters took, all families and routers."""
        counts = [filter_counts(router) for router in (self.r1, self.r2)]
        return sum(c["drop4"] + c["drop6"] for c in counts)
