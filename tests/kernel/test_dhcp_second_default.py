# SPDX-License-Identifier: GPL-2.0-or-later
"""The second DHCP client cannot install its default route: Debian's
dhclient-script adds both with metric 0, and for the kernel this is one route
that exists already (EEXIST, which the script throws away)."""

from lab.clients import Dhclient
from lab.dhcp import Site, agrees
from lab.patient import findings, mend


class Plain:
    """Two dhclients without a metric; R1 and R2 in the order of whose default
    is there and whose is missing."""

    def __init__(self, lab):
        self.site = Site(lab)
        self.a = self.site.a
        self.daemon = lab.daemon(self.a)
        Dhclient(self.site, metric=None).start()
        self.site.await_sources(*self.site.routers)
        self.site.await_defaults(families=(6,))
        self.site.renewed(times=1)  # so that both scripts have ended
        self.daemon.wait()
        gateways = self.a.gateways(4)
        assert len(gateways) == 1, gateways
        present, = [r for r in self.site.routers
                    if (r.gateway(4), self.site.link_to(r)) in gateways]
        missing, = set(self.site.routers) - {present}
        self.present, self.missing = present, missing
        self.link = self.site.link_to(missing)

    def subnet(self):
        """What the daemon makes of the uplink without a default route."""
        return self.daemon.subnet(self.link, self.missing.prefix[4])


def test_the_second_default_is_refused_and_doctor_mends_it(lab):
    plain = Plain(lab)
    site, missing = plain.site, plain.missing
    assert not plain.subnet()["managed"]
    assert "not managed" in plain.daemon.ctl("status").stdout
    source, = [s for s, r in site.sources(4).items() if r is missing]
    assert plain.a.ping("203.0.113.9", source) == 0
    assert site.dropped() > 0

    finding, = findings(plain.daemon, "no-default")
    assert finding["subject"] == plain.link
    assert f"dhclient4.{plain.link}.leases" in finding["what"]
    mend(plain.daemon, finding)
    assert plain.subnet()["default"]["kind"] == "congruent"
    assert findings(plain.daemon, "no-default") == []
    dropped = site.dropped()
    site.each_source_leaves_by_its_router()
    assert site.dropped() == dropped
    agrees(plain.daemon)


def test_a_metric_for_each_link_avoids_it(lab):
    """As in /etc/network/interfaces: `metric 101`."""
    site = Site(lab)
    daemon = lab.daemon(site.a)
    Dhclient(site, metric=100).start()
    site.await_defaults()
    daemon.wait()
    metrics = {s["link"]: s["default"]["metric"]
               for s in daemon.status()["subnets"] if "." in s["prefix"]}
    assert metrics == {"eth0": 100, "eth1": 101}
    assert findings(daemon, "no-default") == []
    site.each_source_leaves_by_its_router()
    assert site.dropped() == 0
