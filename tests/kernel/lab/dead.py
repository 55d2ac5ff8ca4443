# SPDX-License-Identifier: GPL-2.0-or-later
"""A router that dies without a word, and hosts that notice it soon."""

# The kernel draws the time an entry counts as reachable from half to one and a
# half times the base: short, so that two hosts can be compared.
TIMERS = {
    "base_reachable_time_ms": 40,
    "retrans_time_ms": 50,
    "delay_first_probe_time": 0,
    "ucast_solicit": 2,
    "mcast_solicit": 2,
    "gc_stale_time": 3,
    "interval_probe_time_ms": 200,
}
# Without traffic, the kernel looks after managed entries every 5 s, by a timer
# that all namespaces share: so long until it sees that a router died, or is
# back.
NOTICED_WITHIN_S = 12


def hurry(host, links=("eth0", "eth1")):
    """Short neighbour timers."""
    for number in (4, 6):
        for link in links:
            for key, value in TIMERS.items():
                host.sysctl(f"ipv{number}/neigh/{link}/{key}", value)


def die(router):
    """Nothing that comes in on lan is seen any more; the link stays up."""
    router.nft("""
        table netdev dead {
            chain in { type filter hook ingress device "lan" priority -10;
                       policy drop; }
        }""")


def revive(router):
    router.nft("delete table netdev dead")
