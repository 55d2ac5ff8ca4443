# SPDX-License-Identifier: GPL-2.0-or-later
"""With log_level = "debug" every change that is written is logged as text."""


def test_every_written_change_is_logged(figure, family):
    a = figure.a
    daemon = figure.start('log_level = "debug";')
    a.ip(f"route add {family.other} {family.via2} mtu 1333")
    daemon.wait()
    assert daemon.log().count("mtu 1333") == 2  # one per table
    a.ip(f"route del {family.other} {family.via2}")
    daemon.wait()
    deleted = [line for line in daemon.log().splitlines()
               if "route del" in line and family.other in line]
    assert len(deleted) == 2


def test_what_a_lost_link_takes_along_is_logged_too(figure):
    a = figure.a
    a.ip("""
        route add 198.51.100.0/24 via 10.2.0.1 dev eth1 mtu 1400
        route add 2001:db8:ee::/48 via fe80::1 dev eth1 mtu 1400
    """)
    daemon = figure.start('log_level = "debug"; settle_ms = 0;')
    a.ip("link set eth1 down")
    daemon.wait()
    a.ip("link set eth1 up")
    daemon.wait()
    a.ip("link del eth1")
    daemon.wait()
    assert daemon.running
