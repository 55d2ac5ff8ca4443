# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon as path manager: the draft's section 5 per connection."""

import pytest
from lab import until
from lab.figure import A1_4, A1_6, A2_4, A2_6, B_4, B_6
from lab.mptcp import MptcpTransfer, carries, endpoints

CONFIG = 'mptcp = { path_manager = "userspace"; }; '
SHORT_HOLD = CONFIG + "pinning = { hold_ms = 300; }; "


def allow_joins(namespace, number=8):
    namespace.run("ip", "mptcp", "limits", "set", "subflows", str(number),
                  "add_addr_accepted", str(number))


def unplug(figure):
    figure.r1.ip("link set lan down")


def plug_in(figure):
    figure.r1.ip("""
        link set lan up
        addr replace 2001:db8:1::1/64 dev lan
        addr replace fe80::1/64 dev lan
    """)


@pytest.mark.parametrize("dst, source", [
    (B_4, None), (B_4, A1_4), (B_4, A2_4), (B_6, None), (B_6, A2_6)])
def test_both_paths_carry_data(figure, dst, source):
    figure.start(CONFIG)
    allow_joins(figure.b)
    assert endpoints(figure.a) == {}
    transfer = MptcpTransfer(figure.a, figure.b, dst, source)
    until(lambda: transfer.subflows() == 1, 10)
    until(carries(figure.r1), 20)
    until(carries(figure.r2), 20)
    transfer.end()
    assert figure.dropped() == 0


def test_a_pulled_cable_and_its_return(figure):
    daemon = figure.start(SHORT_HOLD)
    allow_joins(figure.b)
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(lambda: transfer.subflows() == 1, 10)
    until(carries(figure.r2), 20)
    unplug(figure)
    until(transfer.goes_on(), 20)
    plug_in(figure)
    until(carries(figure.r1), 20)
    until(transfer.goes_on(), 20)
    transfer.end()
    daemon.wait()
