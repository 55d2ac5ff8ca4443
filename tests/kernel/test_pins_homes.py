# SPDX-License-Identifier: GPL-2.0-or-later
"""Pins stay with their subnet, whatever its table, and outlive its absence."""

import time
from types import SimpleNamespace

import pytest
from lab import until
from lab.nats import PATHS, Nats

AT_ONCE = "settle_ms = 0; "
LENGTH = {4: 24, 6: 64}


@pytest.fixture(params=[4, 6], ids=["ipv4", "ipv6"])
def path(request):
    return SimpleNamespace(family=request.param, **PATHS[request.param])


@pytest.fixture
def pinned(lab, path):
    """A transfer on the path that is not the plan's any more."""
    nats = Nats(lab)
    nats.daemon = nats.start(AT_ONCE)
    nats.pinned = nats.transfer(path.a1, path.b)
    until(nats.pinned.goes_on(), 10)
    nats.a.ip(f"route add {path.near} {path.via2}")
    nats.daemon.wait()
    assert nats.a.leaves_by(path.b, path.a1) == path.via1
    return nats


def is_on_its_path(nats, path):
    nats.daemon.wait()
    assert nats.a.leaves_by(path.b, path.a1) == path.via1
    until(nats.pinned.goes_on(), 10)
    nats.pinned.end()


def test_other_table_numbers(pinned, path):
    pinned.daemon.set_config(
        AT_ONCE + "tables = { first = 8100; last = 8200; };")
    assert pinned.daemon.ctl("reload").returncode == 0
    is_on_its_path(pinned, path)
    assert pinned.through(pinned.r2, path.a1) == 0


@pytest.mark.parametrize("path", [4], ids=["ipv4"], indirect=True)
def test_a_mask_that_changes_and_changes_back(pinned, path):
    """A link has an IPv6 address only once."""
    for new, old in ((16, 24), (24, 16)):
        pinned.a.ip(f"addr add {path.a1}/{new} dev eth0\n"
                    f"addr del {path.a1}/{old} dev eth0")
        pinned.daemon.wait()
        assert pinned.a.leaves_by(path.b, path.a1) == path.via1
    is_on_its_path(pinned, path)
    assert pinned.through(pinned.r2, path.a1) == 0


@pytest.mark.parametrize("away_s", [0, 0.3])
def test_an_address_that_goes_and_returns(pinned, path, away_s):
    """As when networkd is restarted. What the kernel sends while there is no
    such address, and no rule for it, is not ours to lead."""
    address = f"{path.a1}/{LENGTH[path.family]}"
    pinned.a.ip(f"addr del {address} dev eth0")
    pinned.daemon.wait()
    time.sleep(away_s)
    pinned.a.ip(f"addr add {address} dev eth0\n"
                f"route replace default {path.via1} metric 100")
    is_on_its_path(pinned, path)
