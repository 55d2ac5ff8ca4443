# SPDX-License-Identifier: GPL-2.0-or-later
"""mptcpd beside us: told of, and not fought."""

import json

import pytest
from lab import until
from lab.figure import A1_4, A2_4, B_4
from lab.mptcp import MptcpTransfer, carries, endpoints
from lab.patient import findings

MPTCPD = "/usr/libexec/mptcpd"
FLAGS = ("--load-plugins=addr_adv", "--addr-flags=subflow",
         "--notify-flags=existing,skip_link_local,skip_loopback")


def mptcpd(namespace):
    return namespace.start(MPTCPD, *FLAGS)


def others(daemon):
    return json.loads(daemon.ctl("--json", "mptcp").stdout)["others"]


def test_its_endpoints_are_left_alone(figure):
    other = mptcpd(figure.a)
    until(lambda: {A1_4, A2_4} <= set(endpoints(figure.a)), 10)
    before = endpoints(figure.a)
    daemon = figure.start()
    assert {a: endpoints(figure.a)[a] for a in before} == before
    assert others(daemon) == [other.pid]
    assert str(other.pid) in daemon.ctl("mptcp").stdout
    assert findings(daemon, "mptcp-manager") == []  # two that feed it
    finding, = findings(daemon, "mptcp-endpoints")
    assert "mptcpd most likely" in finding["what"]
    daemon.terminate()
    assert {a: endpoints(figure.a)[a] for a in before} == before


@pytest.mark.parametrize("first", ["daemon", "mptcpd"])
def test_a_second_path_manager_is_told_of(figure, first):
    figure.a.sysctl("mptcp/path_manager", "userspace")
    if first == "mptcpd":
        other = mptcpd(figure.a)
    daemon = figure.start('mptcp = { path_manager = "userspace"; };')
    if first == "daemon":
        assert findings(daemon, "mptcp-manager") == []
        other = mptcpd(figure.a)
    found = until(lambda: findings(daemon, "mptcp-manager"), 10)
    assert [f["subject"] for f in found] == [f"netlink port {other.pid}"]
    figure.b.run("ip", "mptcp", "limits", "set", "subflows", "8")
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(lambda: transfer.subflows() >= 1, 10)
    until(carries(figure.r2), 20)
    transfer.end()
