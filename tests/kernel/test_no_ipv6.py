# SPDX-License-Identifier: GPL-2.0-or-later
"""A host that was booted with ipv6.disable=1: its kernel has no IPv6 rules, and
says so when it is asked for them."""

import pytest

from lab import Figure
from lab.own import nothing_is_ours
from lab.shim import preload

pytestmark = pytest.mark.no_sandbox("a shim is loaded before it")


@pytest.fixture
def host(lab):
    """The figure's, whose links have no IPv6."""
    figure = Figure(lab)
    for link in ("eth0", "eth1"):
        figure.a.sysctl(f"ipv6/conf/{link}/disable_ipv6", 1)
    return figure


def test_ipv4_is_routed_all_the_same(host):
    a = host.a
    daemon = host.lab.daemon(a, env=preload(ipv6=False))
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.2.0.1 dev eth1"
    a.ip("rule flush protocol 109", 4)
    daemon.wait()
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.2.0.1 dev eth1"
    assert daemon.status()["problems"] == []
    assert daemon.plan() == ""
    daemon.ctl("verify")
    daemon.terminate()
    assert nothing_is_ours(a)
