# SPDX-License-Identifier: GPL-2.0-or-later
"""Managed neighbour entries come back when others, or the kernel, drop them.

The kernel deletes a link's entries when its carrier goes, and `ip neigh flush`
calls them FAILED before it deletes them, which says nothing of the gateway.
"""

from lab import until
from lab.own import own_neighbours
from lab.watch import Watch


def gateways(family):
    """The entries of both routers as own_neighbours() has them."""
    return {" ".join(via.split()[1:]) for via in (family.via1, family.via2)}


def test_entries_return_with_the_carrier(figure, family):
    a = figure.a
    daemon = figure.start()
    assert gateways(family) <= set(own_neighbours(a))
    figure.r2.ip("link set lan down")
    until(lambda: "LOWER_UP" not in a.run("ip", "link", "show", "eth1").stdout)
    daemon.wait()
    gone = " ".join(family.via2.split()[1:])
    assert gone not in own_neighbours(a)
    figure.r2.ip("link set lan up")
    until(lambda: "LOWER_UP" in a.run("ip", "link", "show", "eth1").stdout)
    daemon.wait()
    until(lambda: gone in own_neighbours(a))


def test_a_flush_of_neighbours_moves_no_source(figure, family):
    a = figure.a
    daemon = figure.start()
    until(lambda: "REACHABLE" in a.run(
        "ip", f"-{family.number}", "neigh", "show", "dev", "eth1").stdout)
    with Watch(a) as watch:
        a.run("ip", f"-{family.number}", "neigh", "flush", "dev", "eth1")
        daemon.wait()
        until(lambda: gateways(family) <= set(own_neighbours(a)))
        daemon.wait()
        assert watch.by(daemon) == []
    assert a.leaves_by(family.b, family.a2) == family.via2
