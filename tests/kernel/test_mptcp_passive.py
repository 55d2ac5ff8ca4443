# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon as path manager of a server: what peers open (section 5.2)."""

import json

from lab import until
from lab.figure import A1_4, A2_4
from lab.mptcp import MptcpTransfer, endpoints

USERSPACE = 'path_manager = "userspace"; '
CONFIG = f"mptcp = {{ {USERSPACE} }}; "


def connection(daemon):
    found = [c for c in json.loads(daemon.ctl("--json", "mptcp").stdout)
             ["connections"] if c["managed"]]
    assert len(found) <= 1
    return found[0] if found else {"subflows": []}


def sources(daemon):
    return {s["source"]: s["congruent"]
            for s in connection(daemon)["subflows"]
            if s["state"] != "closing"}


def client(figure, join_to):
    """B connects to A, and opens subflows to what A announces.

    An announcement that B is too busy for is repeated; by default, after two
    minutes."""
    figure.a.sysctl("mptcp/add_addr_timeout", 1)
    figure.b.run("ip", "mptcp", "limits", "set", "subflows", "8",
                 "add_addr_accepted", "8")
    return MptcpTransfer(figure.b, figure.a, join_to, listen="0.0.0.0")


def only_by_the_first(figure):
    """A more specific route: A2 has no path of its own to B."""
    figure.a.ip("route add 203.0.113.0/24 via 10.1.0.1 dev eth0")


def test_own_addresses_are_announced_and_joined(figure):
    daemon = figure.start(f"mptcp = {{ {USERSPACE} announce = true; }};")
    transfer = client(figure, A1_4)
    until(lambda: sources(daemon) == {A1_4: True, A2_4: True}, 10)
    assert connection(daemon)["passive"]
    transfer.end()


def test_nothing_is_announced_without_a_reason(figure):
    daemon = figure.start(CONFIG)
    transfer = client(figure, A1_4)
    until(transfer.goes_on(), 10)
    assert sources(daemon) == {A1_4: True}
    transfer.end()


def test_the_right_source_is_announced_to_who_came_to_the_wrong_one(figure):
    only_by_the_first(figure)
    figure.r1.run("nft", "flush", "ruleset")  # lets A2 pass
    daemon = figure.lab.daemon(figure.a, CONFIG)
    transfer = client(figure, A2_4)
    until(lambda: sources(daemon) == {A2_4: False, A1_4: True}, 10)
    transfer.end()


def join_incongruently(figure, config):
    """A announces both its addresses, for both have a default route; but to B
    A2 has no path. B opens a subflow to it."""
    only_by_the_first(figure)
    figure.r1.run("nft", "flush", "ruleset")
    daemon = figure.lab.daemon(figure.a, config)
    transfer = client(figure, A1_4)
    until(lambda: A1_4 in sources(daemon), 10)
    return daemon, transfer


def test_incongruent_subflows_are_rejected(figure):
    daemon, transfer = join_incongruently(
        figure, f"mptcp = {{ {USERSPACE} announce = true; }};")
    until(lambda: rejected(daemon) >= 1, 10)
    until(transfer.goes_on(), 20)
    until(lambda: sources(daemon) == {A1_4: True}, 5)
    transfer.end()


def test_or_kept_if_the_config_says_so(figure):
    daemon, transfer = join_incongruently(
        figure, f"mptcp = {{ {USERSPACE} announce = true; "
                "reject_incongruent = false; };")
    until(lambda: sources(daemon) == {A1_4: True, A2_4: False}, 10)
    assert rejected(daemon) == 0
    transfer.end()


def rejected(daemon):
    for line in daemon.ctl("metrics").stdout.splitlines():
        if line.startswith("multihomed_mptcp_subflows_rejected_total "):
            return float(line.split()[1])
    raise AssertionError("no such metric")


def test_an_address_that_goes_is_withdrawn(figure):
    daemon = figure.start(f"mptcp = {{ {USERSPACE} announce = true; }};")
    transfer = client(figure, A1_4)
    until(lambda: sources(daemon) == {A1_4: True, A2_4: True}, 10)
    figure.a.ip(f"addr del {A2_4}/24 dev eth1")
    until(lambda: set(sources(daemon)) == {A1_4}, 5)
    until(transfer.goes_on(), 20)
    transfer.end()


def test_endpoints_are_none_of_its_business(figure):
    figure.a.run("ip", "mptcp", "endpoint", "add", "192.0.2.9", "signal")
    figure.start(CONFIG)
    assert set(endpoints(figure.a)) == {"192.0.2.9"}
