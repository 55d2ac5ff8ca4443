# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's ifupdown and static addresses: its gateways are routes with onlink,
and two of them need metrics."""

from lab import until
from lab.clients import Ifupdown
from lab.dhcp import Site, agrees
from lab.patient import findings
from lab.watch import Watch


class Host:
    def __init__(self, lab, metrics):
        self.site = Site(lab)
        self.a = self.site.a
        self.daemon = lab.daemon(self.a)
        self.client = Ifupdown(self.site, metrics)

    def is_right(self):
        until(lambda: len(self.a.addresses(6)) == 2, 5)  # DAD
        self.daemon.wait()
        assert all(s["default"]["kind"] == "congruent"
                   for s in self.daemon.status()["subnets"])
        self.site.each_source_leaves_by_its_router()
        assert self.site.dropped() == 0
        agrees(self.daemon)


def test_two_gateways_with_metrics(lab):
    host = Host(lab, metrics=(100, 101))
    assert host.client.up("-a")
    host.is_right()
    assert findings(host.daemon, "no-default") == []


def test_one_link_goes_and_returns(lab):
    host = Host(lab, metrics=(100, 101))
    assert host.client.up("-a")
    host.is_right()
    kept, _ = host.site.routers
    with host.site.traffic(of=kept), Watch(host.a) as watch:
        host.client.down("eth1")
        host.daemon.wait()
        assert {s["link"] for s in host.daemon.status()["subnets"]} == {"eth0"}
        assert host.client.up("eth1")
        until(lambda: len(host.a.addresses(6)) == 2, 5)
        host.daemon.wait()
        lost = [e for e in watch.lost_rules() if e.prefix.startswith("10.1.")]
        assert lost == []
    host.is_right()


def test_without_metrics_the_second_gateway_is_refused(lab):
    """ifup gives up the link where it stands: IPv6 is not even tried."""
    host = Host(lab, metrics=(None, None))
    assert not host.client.up("-a")
    host.daemon.wait()
    assert not host.daemon.subnet("eth1", "10.2.0.0/24")["managed"]
    finding, = findings(host.daemon, "no-default")
    assert finding["subject"] == "eth1"
