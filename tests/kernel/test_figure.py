# SPDX-License-Identifier: GPL-2.0-or-later
"""The draft's section 3: host A, two ISPs with ingress filters, server B."""

import pytest

from lab import filter_counts, tcp_works
from lab.figure import (A1_4, A1_6, A2_4, A2_6, B_4, B_6, PAIRS, R1_4, R2_4,
                        R_LL)


def test_without_the_daemon_the_second_address_fails(figure):
    """The lab shows the draft's problem: else the tests below prove nothing."""
    a, b = figure.a, figure.b
    assert [a.ping(dst, src, wait=0.2) for src, dst in PAIRS] == [3, 0, 3, 0]
    assert b.ping(A2_4, wait=0.2) == 0
    assert not tcp_works(a, b, B_4, A2_4, timeout=0.2)
    assert not tcp_works(b, a, A2_6, timeout=0.2)
    counts = filter_counts(figure.r1)
    assert counts["drop4"] >= 6 and counts["drop6"] >= 3


def test_every_source_reaches_b_and_is_reached(figure, model):
    a, b = figure.a, figure.b
    figure.start(f'model = "{model}";')
    a.count_sent()
    for src, dst in PAIRS:
        assert a.ping(dst, src) == 3
        assert tcp_works(a, b, dst, src)
        assert b.ping(src) == 3
        assert tcp_works(b, a, src)
    assert figure.dropped() == 0
    sent = a.sent()
    wrong = (("eth1", A1_4), ("eth0", A2_4), ("eth1", A1_6), ("eth0", A2_6))
    assert not [pair for pair in wrong if pair in sent]


def test_each_source_has_its_own_router_for_every_destination(figure):
    figure.start()
    for src, dst, want in (
            (A1_4, B_4, f"via {R1_4} dev eth0"),
            (A2_4, B_4, f"via {R2_4} dev eth1"),
            (A1_4, "198.51.100.1", f"via {R1_4} dev eth0"),
            (A2_4, "198.51.100.1", f"via {R2_4} dev eth1"),
            (A1_6, B_6, f"via {R_LL} dev eth0"),
            (A2_6, B_6, f"via {R_LL} dev eth1"),
            (A2_6, "2001:db8:ffff::1", f"via {R_LL} dev eth1")):
        assert figure.a.leaves_by(dst, src) == want


def test_refused_connections_are_answered_from_the_address_asked(figure):
    """RST and ICMP port unreachable are made by the kernel, without socket."""
    a, b = figure.a, figure.b
    figure.start()
    a.count_sent()
    for src in (A1_4, A2_4, A1_6, A2_6):
        with b.socket(10 if ":" in src else 2) as sock:
            with pytest.raises(ConnectionRefusedError):
                sock.connect((src, 9))
    assert figure.dropped() == 0


def test_status_names_both_uplinks_as_congruent(figure):
    daemon = figure.start()
    for link, prefix, via in (("eth0", "10.1.0.0/24", R1_4),
                              ("eth1", "10.2.0.0/24", R2_4),
                              ("eth0", "2001:db8:1::/64", R_LL),
                              ("eth1", "2001:db8:2::/64", R_LL)):
        subnet = daemon.subnet(link, prefix)
        assert subnet["managed"]
        assert subnet["default"]["kind"] == "congruent"
        assert subnet["default"]["via"] == via
        assert subnet["default"]["dev"] == link
    status = daemon.status()
    assert status["steady"] and status["model"] == "weak"
