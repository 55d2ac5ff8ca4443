# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own counters of a namespace."""


def counters(namespace):
    """All of /proc/net/netstat and /proc/net/snmp: {"TCPTimeouts": 0, ...}"""
    found = {}
    for name in ("netstat", "snmp"):
        lines = namespace.run("cat", f"/proc/net/{name}").stdout.splitlines()
        for keys, values in zip(lines[::2], lines[1::2]):
            found.update(zip(keys.split()[1:],
                             map(int, values.split()[1:])))
    return found


def retransmission_timeouts(*namespaces):
    """How often TCP waited in vain for an acknowledgement. Probes that a busy
    machine provokes (TCPLossProbes) are not among them: nothing was lost."""
    return sum(counters(each)["TCPTimeouts"] for each in namespaces)
