# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel deletes a link's neighbour entries with its carrier: they return."""

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
    # The kernel acts on the carrier, and tells of it, up to a second later.
    gone = " ".join(family.via2.split()[1:])
    until(lambda: gone not in own_neighbours(a), 3)
    until(lambda: a.leaves_by(family.b, family.a2) == family.via1, 3)
    figure.r2.ip("link set lan up")
    until(lambda: gone in own_neighbours(a), 5)
    daemon.wait()


def test_a_deleted_entry_returns_and_moves_no_source(figure, family):
    """The kernel calls it FAILED first, which says nothing of the gateway."""
    a = figure.a
    daemon = figure.start()
    kept = " ".join(family.via2.split()[1:])
    until(lambda: kept in own_neighbours(a))
    with Watch(a) as watch:
        a.ip(f"neigh del {kept}")
        daemon.wait()
        until(lambda: kept in own_neighbours(a))
        assert watch.by(daemon) == []
    assert a.leaves_by(family.b, family.a2) == family.via2
