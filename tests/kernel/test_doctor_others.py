# SPDX-License-Identifier: GPL-2.0-or-later
"""Each ill made for real: doctor finds it, what it says to do is done as it
says, doctor does not find it any more, and packets go where they should.

Ills of routers, of the kernel's settings and of other programs; what it
costs."""

import os
import socket
import struct
import subprocess
import time

import pytest

from lab import daemon_binary, until
from lab.patient import doctor, finding, findings, mend, mend_check


# -- routers ---------------------------------------------------------------


def test_one_router_behind_two_prefixes(figure):
    """A's own way out of it: a tunnel to R2, bound to the second prefix."""
    a, r1, r2 = figure.a, figure.r1, figure.r2
    r1.ip("addr add 10.2.0.1/24 dev lan")
    a.ip("""
        link set eth1 down
        addr flush dev eth1
        addr add 10.2.0.2/24 dev eth0
        route add default via 10.2.0.1 dev eth0 metric 200
    """)
    figure.lab.tunnel(a, "tun0", r2, "tun0")
    daemon = figure.lab.daemon(a)
    for gateway in ("10.1.0.1", "10.2.0.1"):
        assert a.ping(gateway) == 3
    ill = until(lambda: findings(daemon, "shared-router"))[0]
    assert ill["severity"] == "hint"
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.2.0.1 dev eth0"
    mend(daemon, ill, TUNNEL="tun0")
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "dev tun0"
    assert a.leaves_by("203.0.113.9", "10.1.0.2") == "via 10.1.0.1 dev eth0"
    assert findings(daemon, "shared-router") == []


def advertise(router):
    """One router advertisement on lan, without options, as fe80::1."""
    sock = router.socket(socket.AF_INET6, socket.SOCK_RAW,
                         socket.IPPROTO_ICMPV6)
    with sock, router.inside():
        index = socket.if_nametoindex("lan")
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        sock.bind(("fe80::1", 0, 0, index))
        sock.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0),
                    ("ff02::1", 0, 0, index))


def learned(a):
    return [line for line in a.route_lines("main", 6)
            if line.startswith("default") and "expires" in line]


def test_forwarding_host_that_ignores_advertisements(figure):
    a = figure.a
    a.ip("route del default via fe80::1 dev eth0")
    a.sysctl("ipv6/conf/eth0/accept_ra", 1)
    advertise(figure.r1)
    until(lambda: learned(a))
    daemon = figure.lab.daemon(a)
    assert findings(daemon, "forwarding-ra") == []
    # What container software does.
    a.sysctl("ipv6/conf/all/forwarding", 1)
    until(lambda: not learned(a))
    advertise(figure.r1)
    daemon.wait()
    assert not learned(a)
    ill = until(lambda: findings(daemon, "forwarding-ra"))[0]
    assert (ill["severity"], ill["subject"]) == ("error", "eth0")
    mend(daemon, ill)
    assert findings(daemon, "forwarding-ra") == []
    advertise(figure.r1)
    until(lambda: learned(a))
    daemon.wait()
    assert findings(daemon, "no-default") == []


def test_name_with_a_dot(lab):
    """The setting of a VLAN is found by sysctl all the same."""
    a, r = lab.host(), lab.router("r")
    lab.wire(a, "eth0.5", r, "lan")
    a.ip("""
        addr add 2001:db8:1::2/64 dev eth0.5
        route add default via fe80::1 dev eth0.5
    """)
    with a.inside():
        for key, value in (("forwarding", 1), ("accept_ra", 1)):
            with open(f"/proc/sys/net/ipv6/conf/eth0.5/{key}", "w",
                      encoding="ascii") as file:
                file.write(str(value))
    daemon = lab.daemon(a)
    mend_check(daemon, "forwarding-ra")


# -- the kernel's settings -------------------------------------------------


def test_mptcp_off(figure):
    figure.a.sysctl("mptcp/enabled", 0)
    daemon = figure.start()
    mend_check(daemon, "mptcp-off")
    assert figure.a.sysctl("mptcp/enabled") == "1"


def test_another_path_manager(figure):
    def found():
        return [f["subject"] for f in findings(daemon, "mptcp-manager")
                if f["subject"] != "this kernel"]  # an older one
    daemon = figure.start('mptcp = { path_manager = "userspace"; };')
    assert found() == []
    monitor = figure.a.start("ip", "mptcp", "monitor")
    assert until(found) == [f"netlink port {monitor.pid}"]
    figure.a.sysctl("mptcp/pm_type", 0)
    assert len(found()) == 2


def test_next_hops_that_are_not_shown(figure, family):
    a = figure.a
    a.sysctl("ipv4/nexthop_compat_mode", 0)
    a.ip(f"""
        nexthop add id 7 {family.via2}
        route add {family.other} nhid 7
    """, family=family.number)
    daemon = figure.start()
    assert finding(daemon, "nexthop-compat")["severity"] == "error"
    mend_check(daemon, "nexthop-compat")
    assert a.leaves_by(family.other_host, family.a2) == family.via2
    assert daemon.status()["steady"]


def test_too_few_tables(figure):
    daemon = figure.lab.daemon(figure.a,
                               "tables = { first = 7100; last = 7102; };\n")
    ill = finding(daemon, "no-table")
    mend(daemon, ill)
    assert doctor(daemon)["findings"] == []
    assert len({s["table"] for s in daemon.status()["subnets"]}) == 4


# -- systemd-networkd and DHCP clients, with files of their own -------------


@pytest.fixture
def private(lab, monkeypatch):
    """The daemon sees copies of /etc and /var/lib, and nothing that packages say
    to networkd; a shell to write there."""
    wrapper = os.path.join(lab.directory, "wrapper")
    with open(wrapper, "w", encoding="utf-8") as file:
        file.write(f"""#!/bin/sh
            mkdir -p {lab.directory}/etc {lab.directory}/var {lab.directory}/none
            cp -a /etc/. {lab.directory}/etc
            exec unshare -m sh -ec '
                mount --bind {lab.directory}/etc /etc
                mount --bind {lab.directory}/var /var/lib
                said=/usr/lib/systemd/networkd.conf.d
                [ ! -d $said ] || mount --bind {lab.directory}/none $said
                exec "$0" "$@"' {daemon_binary()} "$@"
        """)
    os.chmod(wrapper, 0o755)
    monkeypatch.setenv("MULTIHOMED_BIN_DAEMON", wrapper)

    def shell(daemon, text):
        done = subprocess.run(["nsenter", "-t", str(daemon.process.pid), "-m",
                               "-n", "sh", "-ec", text], text=True, timeout=10,
                              capture_output=True, check=False)
        assert done.returncode == 0, done
    return shell


def stand_in(host, name):
    """A process of that name, which is all that is looked for."""
    process = host.start("/usr/bin/python3", "-c", f"""
import ctypes, sys, time
ctypes.CDLL(None).prctl(15, b"{name}")
print("ready", flush=True)
time.sleep(60)
""", stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.no_sandbox("other users' processes are hidden: networkd is found "
                        "by its control group, tests/vm")
def test_networkd_that_deletes_what_it_did_not_make(figure, private):
    daemon = figure.start()
    assert findings(daemon, "networkd-rules") == []
    stand_in(figure.b, "systemd-network")
    assert findings(daemon, "networkd-rules") == [], "another namespace"
    stand_in(figure.a, "systemd-network")

    def shell(text):
        if text != "systemctl restart systemd-networkd":
            private(daemon, text)
    assert findings(daemon, "networkd-routes")
    mend(daemon, finding(daemon, "networkd-rules"), shell)
    assert findings(daemon, "networkd-rules") == []
    assert findings(daemon, "networkd-routes") == [], "one file for both"
    # Somebody's drop-in comes later, and says so with blanks.
    private(daemon, "printf '[Network]\\n ManageForeignRoutes = yes\\n' "
                    "> /etc/systemd/networkd.conf.d/zz.conf")
    ill = finding(daemon, "networkd-routes",
                  "/etc/systemd/networkd.conf.d/zz.conf")
    mend(daemon, ill, shell)
    assert findings(daemon, "networkd-routes") == []


@pytest.mark.no_sandbox("the test writes where only the daemon's view is")
def test_second_dhcp_client_that_could_not_set_its_default(figure, private):
    a = figure.a
    a.ip("route del default via 10.2.0.1 dev eth1")
    daemon = figure.lab.daemon(a)
    private(daemon, """
        mkdir -p /var/lib/dhcp
        cat > /var/lib/dhcp/dhclient.eth1.leases <<-END
        lease {
          interface "eth1";
          fixed-address 10.2.0.2;
          option subnet-mask 255.255.255.0;
          option routers 10.2.0.1;
          expire 4 2036/01/10 00:00:00;
        }
        END
    """)
    ill = finding(daemon, "no-default", "eth1")
    assert ill["severity"] == "warning"
    assert "/var/lib/dhcp/dhclient.eth1.leases" in ill["what"]
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.1.0.1 dev eth0"
    mend(daemon, ill)
    assert a.ping("203.0.113.9", "10.2.0.2") == 3
    assert findings(daemon, "no-default") == []


# -- how much it costs -----------------------------------------------------


def test_many_routes_are_no_burden(figure):
    """With a strict filter every row is looked at."""
    a = figure.a
    a.ip("\n".join(f"route add 100.{n // 256}.{n % 256}.0/24 via 10.2.0.1"
                   for n in range(20000)))
    a.sysctl("ipv4/conf/all/rp_filter", 1)
    a.sysctl("ipv4/conf/eth0/rp_filter", 1)
    daemon = figure.start()
    begin = time.monotonic()
    assert findings(daemon, "rp-filter")[0]["severity"] == "error"
    assert time.monotonic() - begin < 1


# -- multihomectl ----------------------------------------------------------


def test_the_exit_status_says_whether_there_is_anything_to_mend(figure):
    daemon = figure.start()
    assert daemon.ctl("doctor", check=False).returncode == 0
    figure.a.ip("rule add lookup main pref 7000")
    daemon.wait()
    done = daemon.ctl("doctor", check=False)
    assert done.returncode == 1
    assert "ip -4 rule del priority 7000 from all lookup main" in done.stdout
