# SPDX-License-Identifier: GPL-2.0-or-later
"""Each ill made for real: doctor finds it, what it says to do is done as it
says, doctor does not find it any more, and packets go where they should."""

import os
import socket
import struct
import time

import pytest

from lab import CommandFailed, daemon_binary, udp_send, until
from lab.figure import A2_4, B_4
from lab.patient import doctor, finding, findings, mend, mend_check

ETH_P_ARP = 0x0806


# -- health ----------------------------------------------------------------


def test_nothing_is_found_on_a_healthy_host(figure, model):
    figure.lab.bridge(figure.a, "docker0")
    figure.lab.wire(figure.a, "veth1", figure.b, "c1")
    figure.a.ip("""
        link set veth1 master docker0
        addr add 172.17.0.1/16 dev docker0
        addr add fd00:17::1/64 dev docker0
    """)
    daemon = figure.start(f'model = "{model}";')
    reply = doctor(daemon)
    assert reply["findings"] == []
    assert reply["not_checked"] == []
    assert len(reply["checks"]) == len(set(reply["checks"])) > 12


@pytest.mark.no_sandbox("it makes a smaller one of its own")
def test_it_needs_no_more_rights_than_the_daemon_has(figure, monkeypatch):
    """As the unit runs it: no root, CAP_NET_ADMIN only."""
    directory = figure.lab.directory
    wrapper = os.path.join(directory, "wrapper")
    with open(wrapper, "w", encoding="utf-8") as file:
        file.write(f"""#!/bin/sh
            chown -R 65534:65534 {directory}
            exec setpriv --reuid 65534 --regid 65534 --clear-groups \\
                --inh-caps -all,+net_admin --ambient-caps -all,+net_admin \\
                --bounding-set -all,+net_admin {daemon_binary()} "$@"
        """)
    os.chmod(wrapper, 0o755)
    monkeypatch.setenv("MULTIHOMED_BIN_DAEMON", wrapper)
    prefix_behind_r2(figure, "via 10.2.0.1 dev eth1")
    figure.lab.bridge(figure.a, "docker0")
    figure.a.ip("addr add 172.17.0.1/16 dev docker0")
    for conf in ("all", "eth0"):
        figure.a.sysctl(f"ipv4/conf/{conf}/rp_filter", 1)
    daemon = figure.start()
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as file:
        assert "Uid:\t65534" in file.read()
    reply = doctor(daemon)
    assert reply["not_checked"] == []
    # Without the right to look, a networkd of another namespace (tests run
    # side by side) counts as ours.
    assert [f["id"] for f in reply["findings"]
            if not f["id"].startswith("networkd-")] == ["rp-filter"]


def test_a_rule_that_jumps_over_ours(figure):
    daemon = figure.start()
    # Another one of that priority stands before it, and is to stay.
    figure.a.ip("""
        rule add priority 10 from 192.0.2.0/24 lookup main
        rule add priority 10 goto 9999
        rule add priority 9999 lookup main
    """)
    daemon.wait()
    ill = finding(daemon, "foreign-rules")
    assert "never asked" in ill["breaks"]
    assert figure.a.leaves_by(B_4, A2_4) != "via 10.2.0.1 dev eth1"
    mend(daemon, ill)
    assert findings(daemon, "foreign-rules") == []
    assert "192.0.2.0/24" in figure.a.run("ip", "rule").stdout
    assert figure.a.leaves_by(B_4, A2_4) == "via 10.2.0.1 dev eth1"


# -- reverse path filter ---------------------------------------------------


def prefix_behind_r2(figure, via):
    """203.0.112.7 is at B; A has a route to its prefix, R1 and R2 too."""
    figure.b.ip("addr add 203.0.112.7/32 dev br0")
    for router in (figure.r1, figure.r2):
        router.ip("route add 203.0.112.0/24 via 203.0.113.9")
    figure.a.ip(f"route add 203.0.112.0/24 {via}")


def arrives(figure, source, dst):
    """Whether A gets what B sends."""
    inbox = figure.a.socket(socket.AF_INET, socket.SOCK_DGRAM, timeout=0.3)
    with inbox:
        inbox.bind((dst, 0))
        udp_send(figure.b, dst, source, port=inbox.getsockname()[1])
        try:
            inbox.recv(100)
        except TimeoutError:
            return False
    return True


def test_strict_filter_and_a_weak_path(figure):
    prefix_behind_r2(figure, "via 10.2.0.1 dev eth1")
    figure.a.sysctl("ipv4/conf/all/rp_filter", 0)
    figure.a.sysctl("ipv4/conf/eth0/rp_filter", 1)
    daemon = figure.start()
    assert not arrives(figure, "203.0.112.7", "10.1.0.2")
    assert arrives(figure, "203.0.113.9", "10.1.0.2"), "congruent: fine"
    ill = finding(daemon, "rp-filter", "eth0")
    assert ill["severity"] == "error"
    mend(daemon, ill)
    assert arrives(figure, "203.0.112.7", "10.1.0.2")
    assert findings(daemon, "rp-filter") == []


@pytest.mark.parametrize("value", [1, 2])
def test_filter_and_a_strong_table(figure, value):
    prefix_behind_r2(figure, "via 10.2.0.1 dev eth1")
    for conf in ("all", "eth0", "eth1"):
        figure.a.sysctl(f"ipv4/conf/{conf}/rp_filter", value)
    daemon = figure.start('model = "strong";')
    assert not arrives(figure, "203.0.112.7", "10.1.0.2")
    ill = finding(daemon, "rp-filter", "eth0")
    assert ill["severity"] == "hint"
    mend(daemon, ill)
    assert arrives(figure, "203.0.112.7", "10.1.0.2")
    assert figure.a.ping("203.0.112.7", "10.1.0.2") == 3
    assert findings(daemon, "rp-filter") == []


# -- one prefix on two links -----------------------------------------------


def one_lan(lab, second_default=True, second="eth1"):
    """A has two links to one LAN, whose router is 10.1.0.1."""
    a, r = lab.host("a"), lab.router("r")
    lab.wire(a, "eth0", r, "p0")
    lab.wire(a, second, r, "p1")
    lab.bridge(r, "lan", ("p0", "p1"))
    r.ip("addr add 10.1.0.1/24 dev lan")
    a.ip(f"""
        addr add 10.1.0.2/24 dev eth0
        addr add 10.1.0.3/24 dev {second}
        route add default via 10.1.0.1 dev eth0 metric 1
    """)
    if second_default:
        a.ip("route add default via 10.1.0.1 dev eth1 metric 2")
    return a, r


def mac_of(host, link):
    return bytes.fromhex(host.ip_json("link", "show", "dev", link)[0]
                         ["address"].replace(":", ""))


def arp_answers(router, address, wait=0.3):
    """The MACs that answer for address."""
    mac = mac_of(router, "lan")
    request = struct.pack("!6s6sHHHBBH6s4s6s4s", b"\xff" * 6, mac, ETH_P_ARP,
                          1, 0x0800, 6, 4, 1, mac,
                          socket.inet_aton("10.1.0.1"), bytes(6),
                          socket.inet_aton(address))
    answers = set()
    with router.inside():
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                             socket.htons(ETH_P_ARP))
    with sock:
        sock.bind(("lan", ETH_P_ARP))
        sock.send(request)
        deadline = time.monotonic() + wait
        while (left := deadline - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                frame = sock.recv(100)
            except TimeoutError:
                break
            if frame[20:22] == b"\0\2" and \
                    frame[28:32] == socket.inet_aton(address):
                answers.add(frame[22:28])
    return answers


def test_arp_flux(lab):
    a, r = one_lan(lab)
    daemon = lab.daemon(a)
    both = {mac_of(a, "eth0"), mac_of(a, "eth1")}
    assert arp_answers(r, "10.1.0.3") == both
    assert {f["subject"] for f in findings(daemon, "arp-flux")} == {
        "eth0", "eth1"}
    mend_check(daemon, "arp-flux", 2)
    assert arp_answers(r, "10.1.0.2") == {mac_of(a, "eth0")}
    assert arp_answers(r, "10.1.0.3") == {mac_of(a, "eth1")}


def test_prefix_of_which_one_link_is_not_managed(lab):
    a, _ = one_lan(lab, second_default=False)
    daemon = lab.daemon(a)
    assert a.leaves_by("10.1.0.9", "10.1.0.3") == "dev eth0"
    mend(daemon, finding(daemon, "prefix-twice", "eth1"))
    assert findings(daemon, "prefix-twice") == []
    assert a.leaves_by("10.1.0.9", "10.1.0.3") == "dev eth1"
    # What it said of the default holds as well.
    mend(daemon, finding(daemon, "no-default", "eth1"))
    assert findings(daemon, "no-default") == []
    assert a.leaves_by("203.0.113.9", "10.1.0.3") == "via 10.1.0.1 dev eth1"


@pytest.mark.parametrize("name", ["x[1]", "a\\*", "br$(id)"])
def test_link_whose_name_means_more_to_others(lab, name):
    """To the config's patterns, or to a shell."""
    a, _ = one_lan(lab, second_default=False, second=name)
    a.ip(f"addr add 10.1.0.2/25 dev {name}")
    daemon = lab.daemon(a)
    mend(daemon, finding(daemon, "address-twice", "10.1.0.2"))
    mend(daemon, finding(daemon, "prefix-twice", name))
    mend(daemon, finding(daemon, "no-default", name))
    assert {f["id"] for f in doctor(daemon)["findings"]} == {"arp-flux"}
    assert a.leaves_by("203.0.113.9", "10.1.0.3") == \
        f"via 10.1.0.1 dev {name}"


def test_address_on_two_links(figure):
    figure.a.ip("addr add 10.1.0.2/25 dev eth1")
    daemon = figure.lab.daemon(figure.a)
    mend(daemon, finding(daemon, "address-twice", "10.1.0.2"))
    assert doctor(daemon)["findings"] == []
    assert figure.a.leaves_by("203.0.113.9", "10.1.0.2") == \
        "via 10.1.0.1 dev eth0"


# -- rules of others -------------------------------------------------------


def test_rule_without_a_priority_lands_before_ours(figure, family):
    """The kernel gives it one less than the lowest there is."""
    a = figure.a
    daemon = figure.start()
    a.ip(f"""
        route add default {family.via1} table 100
        rule add from {family.net2} lookup 100
    """, family=family.number)
    daemon.wait()
    assert a.leaves_by(family.b, family.a2) == family.via1
    ill = finding(daemon, "foreign-rules")
    assert ill["severity"] == "error"
    mend(daemon, ill)
    assert a.leaves_by(family.b, family.a2) == family.via2
    assert findings(daemon, "foreign-rules") == []


def test_rule_of_our_own_priority_behind_ours(figure, family):
    """The kernel asks the older one first, so it does no harm: no more than a
    hint, as the model does not keep the order."""
    daemon = figure.start()
    priority = 7109 if family.number == 4 else 7165
    figure.a.ip(f"rule add priority {priority} from {family.a2} lookup main",
                family=family.number)
    daemon.wait()
    assert figure.a.leaves_by(family.b, family.a2) == family.via2
    assert finding(daemon, "foreign-rules")["severity"] == "hint"
    assert daemon.ctl("doctor", check=False).returncode == 0


@pytest.mark.parametrize("rule", [
    "to 203.0.113.0/24 lookup main", "from 10.2.0.2 tos 0x10 lookup main",
    "uidrange 0-0 lookup main", "ipproto icmp lookup main"])
def test_rule_for_some_packets(figure, rule):
    """It may be meant so, but whoever wonders about a path must see it."""
    daemon = figure.start()
    figure.a.ip(f"rule add priority 70 {rule}")
    daemon.wait()
    ill = finding(daemon, "foreign-rules", "rule 70")
    assert ill["severity"] == "hint"
    assert "do not come to our tables" in ill["breaks"]


def test_what_a_tunnel_left_behind(figure, family):
    """A more specific route of main is used whatever the source."""
    a = figure.a
    a.ip(f"route add {family.other} {family.via1} metric 10\n"
         f"route add {family.other} {family.via2} metric 20")
    daemon = figure.start()
    a.ip("rule add lookup main suppress_prefixlength 0",
         family=family.number)
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a2) == family.via1
    ill = finding(daemon, "foreign-rules")
    assert ill["severity"] == "warning"
    mend(daemon, ill)
    assert a.leaves_by(family.other_host, family.a2) == family.via2
    assert findings(daemon, "foreign-rules") == []


def test_full_tunnel(figure, family):
    a = figure.a
    a.tun("wg0")
    a.ip(f"""
        link set wg0 up
        route add default dev wg0 table 51820
        rule add not fwmark 51820 table 51820
        rule add table main suppress_prefixlength 0
    """, family=family.number)
    daemon = figure.lab.daemon(a)
    ill = finding(daemon, "foreign-rules")
    assert ill["severity"] == "hint"
    assert a.leaves_by(family.b, family.a2) == "dev wg0"
    mend(daemon, ill)
    assert a.leaves_by(family.b, family.a2) == family.via2
    assert findings(daemon, "foreign-rules") == []


def test_our_rule_that_somebody_keeps_deleting(figure):
    a = figure.a
    daemon = figure.start()
    deletions = "rule del pref 7109 from 10.1.0.0/24 iif lo\n" * 2000

    def is_held_back():
        """One process, as fast as it can: on a slow host, too, often enough."""
        a.run("ip", "-force", "-batch", "-", check=False, stdin=deletions)
        return findings(daemon, "no-rules")
    ill = until(is_held_back, 30)[0]
    assert "10.1.0.0/24" in ill["what"]
    try:
        mend(daemon, ill)
    except CommandFailed as failed:  # the daemon was faster
        assert "File exists" in str(failed)
    assert findings(daemon, "no-rules") == []
    assert a.run("ip", "rule").stdout.count("from 10.1.0.0/24") == 1


# -- defaults --------------------------------------------------------------


def test_uplink_whose_default_main_does_not_have(figure, family):
    """The router is seen in another route."""
    a = figure.a
    a.ip(f"""
        route del default {family.via2}
        route add {family.other} {family.via2}
    """, family=family.number)
    daemon = figure.lab.daemon(a)
    mend(daemon, finding(daemon, "no-default", "eth1"))
    assert a.ping(family.b, family.a2) == 3
    assert a.leaves_by(family.b, family.a2) == family.via2
    assert findings(daemon, "no-default") == []


def test_uplink_of_which_nobody_knows_the_router(figure):
    """One finding for each family, and both may be."""
    a = figure.a
    a.ip("route del default via 10.2.0.1 dev eth1\n"
         "route del default via fe80::1 dev eth1")
    daemon = figure.lab.daemon(a)
    ills = findings(daemon, "no-default")
    assert [f["subject"] for f in ills] == ["eth1", "eth1"]
    assert {f["severity"] for f in ills} == {"hint"}
    four = ills[0] if "10.2.0.0/24" in ills[0]["what"] else ills[1]
    mend(daemon, four, GATEWAY="10.2.0.1")
    assert a.ping("203.0.113.9", "10.2.0.2") == 3
    # That eth1 is an uplink of IPv4 makes it more likely for IPv6.
    six = finding(daemon, "no-default", "eth1")
    assert six["severity"] == "warning"


def test_uplink_that_lost_its_default(figure, family):
    daemon = figure.start()
    figure.a.ip(f"route del default {family.via2}", family=family.number)
    until(lambda: findings(daemon, "no-default"))
    ill = finding(daemon, "no-default", "eth1")
    assert ill["severity"] == "warning"


@pytest.mark.no_sandbox("a sysctl is opened by a drop-in before the start")
def test_default_route_over_a_dead_link(figure, family):
    a = figure.a
    daemon = figure.start()
    figure.r1.ip("link set lan down")
    until(lambda: len(findings(daemon, "dead-default")) == 2)
    assert a.chosen_source(family.b) == family.a1
    mend(daemon, findings(daemon, "dead-default")[0])
    assert findings(daemon, "dead-default") == []
    assert a.chosen_source(family.b) == family.a2


def test_default_route_over_a_dead_link_that_is_not_managed(figure):
    a = figure.a
    daemon = figure.lab.daemon(
        a, 'interfaces = ( { match = "eth0"; manage = "never"; } );')
    figure.r1.ip("link set lan down")
    until(lambda: len(findings(daemon, "dead-default")) == 2)
    for ill in findings(daemon, "dead-default"):
        mend(daemon, ill)
    assert findings(daemon, "dead-default") == []
    assert a.chosen_source("203.0.113.9") == "10.2.0.2"
    assert a.chosen_source("2001:db8:b::9") == "2001:db8:2::2"
