# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets without a source after a loss of carrier.

Table main is not ours, and the kernel goes on using its routes over a link
without carrier; only the setting ignore_routes_with_linkdown changes that.
"""

import os
import signal
import socket

import pytest

from lab import Daemon, tcp_open, until
from lab.daemon import daemon_binary

SETTING = "ignore_routes_with_linkdown"


def setting(a, link):
    """(IPv4, IPv6) of one link."""
    return tuple(int(a.sysctl(f"ipv{n}/conf/{link}/{SETTING}"))
                 for n in (4, 6))


def lose_carrier(figure, daemon):
    """eth0, by which A's best default leads, keeps its routes."""
    figure.r1.ip("link set lan down")
    until(lambda: "NO-CARRIER" in figure.a.run("ip", "link", "show",
                                               "eth0").stdout)
    until(lambda: linkdown_seen(figure.a))
    daemon.wait()


def linkdown_seen(a):
    """The routes carry the flag; the link watch may be late."""
    return all("linkdown" in line for number in (4, 6)
               for line in a.route_lines("main", number)
               if line.startswith("default") and "dev eth0" in line)


def test_with_it_they_leave_by_the_other_uplink(figure, family):
    daemon = figure.start("ignore_linkdown = true;")
    lose_carrier(figure, daemon)
    with tcp_open(figure.a, figure.b, family.b) as connection:
        connection.exchange()
        assert connection.client.getsockname()[0] == family.a2
    figure.r1.ip("link set lan up")


def test_without_it_they_follow_main(figure, family):
    """As without the daemon: the source is eth0's."""
    a = figure.a
    daemon = figure.start()
    before = a.route_lines("main", family.number)
    lose_carrier(figure, daemon)
    assert setting(a, "eth0") == setting(a, "eth1") == (0, 0)
    assert a.chosen_source(family.b) == family.a1
    assert a.leaves_by(family.b) == family.via1
    figure.r1.ip("link set lan up")
    until(lambda: not any("linkdown" in line for line in
                          a.route_lines("main", family.number)))
    assert a.route_lines("main", family.number) == before


def test_bound_sockets_do_not_need_it(figure, family, model):
    """a2's own link works: whatever main says."""
    daemon = figure.start(f'model = "{model}";')
    lose_carrier(figure, daemon)
    with tcp_open(figure.a, figure.b, family.b, family.a2) as connection:
        connection.exchange()


def test_with_it_all_goes_back_when_the_carrier_is_back(figure, family):
    a = figure.a
    daemon = figure.start("ignore_linkdown = true;")
    lose_carrier(figure, daemon)
    assert a.chosen_source(family.b) == family.a2
    figure.r1.ip("link set lan up\naddr replace 2001:db8:1::1/64 dev lan")
    until(lambda: a.leaves_by(family.b, family.a1) == family.via1)
    until(lambda: a.chosen_source(family.b) == family.a1)


def test_it_is_set_on_managed_links_only(figure):
    a = figure.a
    figure.lab.bridge(a, "br0")
    a.ip("addr add 10.50.0.1/24 dev br0")
    daemon = figure.start("ignore_linkdown = true;")
    assert setting(a, "eth0") == setting(a, "eth1") == (1, 1)
    assert setting(a, "br0") == setting(a, "lo") == (0, 0)
    assert setting(a, "all") == setting(a, "default") == (0, 0)
    daemon.terminate()
    assert setting(a, "eth0") == setting(a, "eth1") == (0, 0)


def test_a_link_that_is_managed_later_gets_it(figure):
    a = figure.a
    figure.lab.wire(a, "eth2", figure.b, "p9")
    daemon = figure.start("ignore_linkdown = true;")
    assert setting(a, "eth2") == (0, 0)
    a.ip("""
        addr add 10.3.0.2/24 dev eth2
        route add default via 10.3.0.1 dev eth2 metric 900
    """)
    daemon.wait()
    assert setting(a, "eth2") == (1, 1)
    daemon.terminate()
    assert setting(a, "eth2") == (0, 0)


def test_what_was_set_before_stays_set(figure):
    a = figure.a
    a.sysctl(f"ipv4/conf/eth1/{SETTING}", 1)
    daemon = figure.start("ignore_linkdown = true;")
    assert setting(a, "eth1") == (1, 1)
    daemon.terminate()
    assert setting(a, "eth0") == (0, 0)
    assert setting(a, "eth1") == (1, 0)


def test_it_is_remembered_over_a_crash(figure):
    a = figure.a
    daemon = figure.start("ignore_linkdown = true;")
    daemon.kill()
    assert setting(a, "eth0") == setting(a, "eth1") == (1, 1)
    daemon.start()
    assert setting(a, "eth0") == setting(a, "eth1") == (1, 1)
    daemon.terminate()
    assert setting(a, "eth0") == setting(a, "eth1") == (0, 0)


@pytest.mark.no_sandbox("the drop-in is needed till it is put back")
def test_after_a_crash_it_may_be_off_in_the_config(figure):
    a = figure.a
    daemon = figure.start("ignore_linkdown = true;")
    daemon.kill()
    daemon.set_config("")
    daemon.start()
    assert setting(a, "eth0") == setting(a, "eth1") == (0, 0)


def test_a_record_of_what_is_so_no_longer_does_not_count(figure):
    """Of another boot, of a namespace that was made anew under its name, or of
    a link: names and numbers are the same, the setting is not."""
    a = figure.a
    daemon = figure.start("ignore_linkdown = true;")
    daemon.kill()
    a.sysctl(f"ipv4/conf/eth0/{SETTING}", 0)
    a.sysctl(f"ipv6/conf/eth1/{SETTING}", 0)
    daemon.start()
    assert setting(a, "eth0") == setting(a, "eth1") == (1, 1)
    daemon.terminate()
    assert setting(a, "eth0") == setting(a, "eth1") == (0, 0)


def test_it_is_left_in_place_for_a_restart(figure):
    a = figure.a
    daemon = figure.start("ignore_linkdown = true;")
    daemon.leave()
    assert setting(a, "eth0") == setting(a, "eth1") == (1, 1)
    daemon.start()
    daemon.terminate()
    assert setting(a, "eth0") == setting(a, "eth1") == (0, 0)


def test_it_is_put_back_on_a_link_that_was_renamed(figure):
    a = figure.a
    daemon = figure.start("ignore_linkdown = true;")
    a.ip("link set eth1 down\nlink set eth1 name wan1\nlink set wan1 up")
    daemon.wait()
    daemon.terminate()
    assert setting(a, "wan1") == (0, 0)


UPLINK = """
    link add wan9 type veth peer name wan9p
    link set wan9p up
    link set wan9 up
    address add 10.9.0.2/24 dev wan9
    route add default via 10.9.0.1 dev wan9 metric 900
"""


def test_another_link_of_that_name_keeps_its_own(figure):
    """The first is gone before the daemon hears of either."""
    a = figure.a
    a.ip(UPLINK)
    daemon = figure.start("ignore_linkdown = true;")
    assert setting(a, "wan9") == (1, 1)
    daemon.process.send_signal(signal.SIGSTOP)
    a.ip("link del wan9\n" + UPLINK)
    for number in (4, 6):
        a.sysctl(f"ipv{number}/conf/wan9/{SETTING}", 1)
    daemon.process.send_signal(signal.SIGCONT)
    daemon.wait()
    assert setting(a, "wan9") == (1, 1)
    daemon.terminate()
    assert setting(a, "wan9") == (1, 1)


@pytest.mark.parametrize("config", ["", "ignore_linkdown = false;"])
def test_off_by_default(figure, config):
    a = figure.a
    figure.start(config)
    assert setting(a, "eth0") == setting(a, "eth1") == (0, 0)


def test_udp_without_a_source_too(figure, family):
    """One socket, not connected: each packet is a decision of its own."""
    daemon = figure.start("ignore_linkdown = true;")
    kind = socket.AF_INET if family.number == 4 else socket.AF_INET6
    inbox = figure.b.socket(kind, socket.SOCK_DGRAM)
    inbox.bind((family.b, 0))
    out = figure.a.socket(kind, socket.SOCK_DGRAM)
    to = (family.b, inbox.getsockname()[1])
    out.sendto(b"x", to)
    assert inbox.recvfrom(9)[1][0] == family.a1
    lose_carrier(figure, daemon)
    out.sendto(b"x", to)
    assert inbox.recvfrom(9)[1][0] == family.a2


# -- where it cannot be set ------------------------------------------------

READ_ONLY = ("mount --bind /proc/sys /proc/sys && "
             "mount -o remount,bind,ro /proc/sys && exec \"$@\"")


def start_read_only(daemon):
    """As in the unit's sandbox without the drop-in."""
    with open(daemon.log_path, "ab") as log:
        daemon.process = daemon.namespace.start(
            "unshare", "-m", "sh", "-c", READ_ONLY, "sh", daemon_binary(),
            "-c", daemon.config_path, "-s", daemon.socket_path,
            stdout=log, stderr=log)
    until(lambda: "ready\n" in daemon.log())


@pytest.mark.no_sandbox("it has mounts of its own")
def test_that_it_cannot_be_set_is_not_said_in_every_round(figure):
    a = figure.a
    daemon = Daemon(a, "ignore_linkdown = true;")
    figure.lab.daemons.append(daemon)
    start_read_only(daemon)
    for i in range(20):
        a.ip(f"route add 198.51.{i}.0/24 via 10.1.0.1")
        daemon.wait()
    told = [line for line in daemon.log().splitlines() if SETTING in line]
    assert told and len(told) <= 8, "\n".join(told)


@pytest.mark.no_sandbox("it has mounts of its own")
def test_what_could_not_be_put_back_is_still_known(figure):
    """The drop-in went away while it was needed."""
    a = figure.a
    daemon = figure.start('ignore_linkdown = true; '
                          'mptcp = { path_manager = "userspace"; };')
    daemon.kill()
    os.truncate(daemon.log_path, 0)
    start_read_only(daemon)
    daemon.terminate()
    assert setting(a, "eth0") == setting(a, "eth1") == (1, 1)
    assert a.sysctl("mptcp/pm_type") == "1"
    daemon.flush()
    assert setting(a, "eth0") == setting(a, "eth1") == (0, 0)
    assert a.sysctl("mptcp/pm_type") == "0"
