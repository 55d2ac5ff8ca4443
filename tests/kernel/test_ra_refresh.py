# SPDX-License-Identifier: GPL-2.0-or-later
"""An advertisement that says what is known already costs nothing."""

import os
import time

from lab import until
from lab.ra import (B, Pio, Rio, Site, all_is_well, cpu_seconds, learned,
                    message, net, router_ll, source, via)
from lab.watch import Watch

ONE, TWO = net(1), net(2)
OTHER = "2001:db8:e:1::/64"
MANY = 200


def steady_site(lab, **kwargs):
    site = Site(lab)
    daemon = lab.daemon(site.a)
    site.advert(1).send(pios=[Pio(ONE)], **kwargs)
    site.advert(2).send(pios=[Pio(TWO)])
    site.learned(daemon, 1, ONE)
    site.learned(daemon, 2, TWO)
    until(lambda: site.a.leaves_by(B, source(ONE)) == via(1) and
          site.a.leaves_by(B, source(TWO)) == via(2))
    daemon.wait()
    until(lambda: TWO in text_of(state_file(daemon)))
    return site, daemon


def state_file(daemon):
    return f"{daemon.socket_path}.bindings"


def text_of(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def test_two_hundred_refreshes_change_nothing(lab):
    site, daemon = steady_site(lab, rios=[Rio(OTHER)])
    state = os.stat(state_file(daemon))
    before, lines = daemon.status()["ops"], len(daemon.log().splitlines())
    frame = site.advert(1).frame
    same = frame(message(pios=[Pio(ONE)], rios=[Rio(OTHER)]))
    with Watch(site.a) as watch:
        used = cpu_seconds(daemon)
        site.advert(1).paced([same] * MANY, 1000)
        daemon.wait()
        until(lambda: learned(daemon)[router_ll(1), ONE] > 1799)
        used = cpu_seconds(daemon) - used
        assert watch.by(daemon) == []
        assert not [e for e in watch.events() if e.protocol == 109]
    after = os.stat(state_file(daemon))
    print(f"{MANY} refreshes: {used * 1000:.0f} ms of processor time")
    assert daemon.status()["ops"] == before
    assert len(daemon.log().splitlines()) == lines
    assert (after.st_ino, after.st_mtime_ns) == \
        (state.st_ino, state.st_mtime_ns)
    assert used < 0.1
    all_is_well(daemon)


def test_a_refresh_is_a_refresh(lab):
    """It changes nothing, but the binding lives on by it."""
    site, daemon = steady_site(lab)
    pio = Pio(net(1, 2), valid=2, autonomous=False)
    site.advert(1).send(pios=[pio])
    site.learned(daemon, 1, pio.prefix)
    until(lambda: learned(daemon)[router_ll(1), pio.prefix] < 1)
    site.advert(1).send(pios=[pio])
    until(lambda: learned(daemon)[router_ll(1), pio.prefix] > 1)
    site.unlearned(daemon, 1, pio.prefix, timeout=3)


def test_lifetimes_that_count_down_change_nothing(lab):
    """As a router does that has its prefix from somebody else: every message
    says a little less. The times are new, and nothing else."""
    site, daemon = steady_site(lab)
    before = daemon.status()["ops"]
    with Watch(site.a) as watch:
        for second in range(100):
            site.advert(1).send(lifetime=1800 - second,
                                pios=[Pio(ONE, valid=3600 - second)])
        until(lambda: learned(daemon)[router_ll(1), ONE] < 1702)
        daemon.wait()
        assert watch.by(daemon) == []
    assert daemon.status()["ops"] == before
    all_is_well(daemon)


def test_no_wake_up_without_news(lab):
    """It sleeps until something ends or somebody speaks."""
    site, daemon = steady_site(lab)
    assert site.passes(source(ONE)) == 1 and site.passes(source(TWO)) == 2
    all_is_well(daemon)
    time.sleep(0.2)  # for the clients' good-byes
    before = daemon.switches()
    time.sleep(2)  # that time passes is what is tested
    assert daemon.switches() == before
    site.advert(1).send(pios=[Pio(ONE)])
    until(lambda: learned(daemon)[router_ll(1), ONE] > 1799.0)
