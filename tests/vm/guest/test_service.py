# SPDX-License-Identifier: GPL-2.0-or-later
"""The unit under systemd: its sandbox, its signals, its place at boot."""

import grp
import os
import pwd
import signal
import subprocess
import time

import host

NET_ADMIN, NET_RAW = 12, 13
SPARED = "/usr/lib/systemd/networkd.conf.d/multihomed.conf"


def test_each_source_leaves_by_its_own_router(service):
    assert host.unreached() == []
    assert [s["default"]["kind"] for s in host.ctl("subnets")["subnets"]] == \
        ["congruent"] * 4


def test_it_is_nobody_but_itself(service):
    status = host.proc_status(host.pid())
    user = pwd.getpwnam("multihomed")
    assert status["Uid"].split() == [str(user.pw_uid)] * 4
    assert status["Gid"].split() == [str(user.pw_gid)] * 4
    assert status["Groups"].split() in ([], [str(user.pw_gid)])


def test_it_has_two_capabilities_and_a_filter(service):
    status = host.proc_status(host.pid())
    both = 1 << NET_ADMIN | 1 << NET_RAW
    for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) & ~both == 0, name
    assert int(status["CapEff"], 16) & 1 << NET_ADMIN
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_exposure(service):
    out = host.ask(f"systemd-analyze security --threshold=15 {host.UNIT}")
    assert "Overall exposure level" in out


def test_systemd_finds_nothing_to_say_of_the_units(service):
    done = host.run("systemd-analyze verify --man=no multihomed.service "
                    "multihomed@blue.service")
    assert done.stdout + done.stderr == ""


def test_a_thread_may_write_for_it(service):
    """For many routes; the filter and TasksMax let it."""
    routes = [f"20.0.{i}.0/24 via 10.1.0.1" for i in range(250)]
    host.run("systemctl stop multihomed")
    host.run("ip -batch -", stdin="".join(f"route add {r}\n" for r in routes))
    try:
        host.run("systemctl start multihomed")
        host.run("multihomectl wait")
        assert host.proc_status(host.pid())["Threads"] == "2"
    finally:
        host.run("ip -batch -",
                 stdin="".join(f"route del {r}\n" for r in routes))


def test_the_system_is_read_only_for_it(service):
    root = f"/proc/{host.pid()}/root"
    for path in ("/etc", "/usr", "/var", "/home", "/proc/sys/net"):
        done = host.run(f"nsenter -t {host.pid()} -m touch {path}/here",
                        check=False)
        assert done.returncode != 0, f"{path} can be written"
    assert os.path.isdir(root + "/run/multihomed")


def test_members_of_the_group_may_ask(service):
    gid = grp.getgrnam("multihomed").gr_gid
    for groups, status in (((gid,), 0), ((), 3)):
        done = subprocess.run(["multihomectl", "status"], user=65534,
                              group=65534, extra_groups=groups, check=False,
                              capture_output=True)
        assert done.returncode == status, (groups, done.stderr)


def test_ip_knows_our_name(service):
    assert "proto multihomed" in host.ask("ip rule")


def test_reload_takes_a_new_configuration(service):
    old = host.pid()
    host.configure('model = "strong";')
    host.run("systemctl reload multihomed")
    host.run("multihomectl wait")
    assert host.ctl("status")["model"] == "strong"
    assert host.pid() == old


def test_reload_with_an_error_changes_nothing(service):
    before = host.ours()
    host.configure('modell = "strong";')
    host.run("systemctl reload multihomed", check=False)
    done = host.run("multihomectl reload", check=False)
    assert done.returncode == 1 and "modell" in done.stdout + done.stderr
    assert host.ctl("status")["model"] == "weak"
    assert host.ours() == before
    assert host.unit("ActiveState") == "active"


def test_restart_moves_no_flow_and_writes_nothing(service):
    """Also not one that is pinned: its path is not the one of the plan."""
    flows = [host.Flow(source) for source in host.SOURCES]
    host.run(f"ip route add {host.SERVER4} via 10.1.0.1 dev eth1")
    try:
        pins = host.until(lambda: host.ctl("pins")["pins"], "a pin")
        before, dropped, old = host.ours(), host.foreign(), host.pid()
        with host.Events() as events:
            host.run("systemctl restart multihomed")
            host.run("multihomectl wait")
        assert host.pid() != old
        assert events.ours == []
        assert host.ours() == before
        assert [p["destination"] for p in host.ctl("pins")["pins"]] == \
            [p["destination"] for p in pins]
        for flow in flows:
            flow.finish()
        assert host.foreign() == dropped
    finally:
        host.run(f"ip route del {host.SERVER4} via 10.1.0.1 dev eth1")


def restarted(old):
    """The daemon that systemd started in the place of old."""
    host.until(lambda: host.pid() not in (0, old), "a new daemon", 60)
    host.until(lambda: host.unit("ActiveState") == "active", "READY=1")
    host.run("multihomectl wait")
    return host.pid()


def test_kill_9_is_survived(service):
    flow, old = host.Flow("10.2.0.2"), host.pid()
    with host.Events() as events:
        os.kill(old, signal.SIGKILL)
        restarted(old)
    assert events.ours == []
    flow.finish()


def test_the_watchdog_ends_one_that_hangs(service):
    """With a shorter time than the unit's 30 s, which is systemd's affair."""
    host.drop_in("[Service]\nWatchdogSec=4s\n")
    host.run("systemctl restart multihomed")
    flow, old = host.Flow("10.2.0.2"), host.pid()
    time.sleep(6)
    assert host.pid() == old, "it does not feed the watchdog"
    with host.Events() as events:
        os.kill(old, signal.SIGSTOP)
        restarted(old)
    assert events.ours == []
    assert host.unit("NRestarts") != "0"
    flow.finish()


def test_stop_removes_what_is_ours_and_start_brings_it_back(service):
    before = host.ours()
    host.run("systemctl stop multihomed")
    assert host.ours() == []
    assert host.unit("Result") == "success"
    assert os.listdir("/run/multihomed") == ["io.multihomed.lock"]
    host.run("systemctl start multihomed")
    host.run("multihomectl wait")
    assert host.ours() == before


def test_its_place_is_before_network_target(service):
    """And a mount over the network is behind that, by systemd's own rule."""
    assert "network.target" in host.unit("Before").split()
    assert "network.target" in host.unit("Wants").split(), \
        "nobody else may want it, and then it orders nothing"
    assert "network-pre.target" in host.unit("After").split()
    with open("/run/systemd/system/mnt-share.mount", "w",
              encoding="ascii") as file:
        file.write("[Mount]\nWhat=192.0.2.1:/share\nWhere=/mnt/share\n"
                   "Type=nfs\n")
    host.run("systemctl daemon-reload")
    assert "network.target" in host.unit("After", "mnt-share.mount").split()


def findings():
    return host.run("multihomectl doctor", check=False).stdout


def test_networkd_leaves_us_alone(service):
    """It deletes foreign rules, but not with the drop-in that we install."""
    os.makedirs("/run/systemd/network", exist_ok=True)
    with open("/run/systemd/network/90-new.network", "w",
              encoding="ascii") as file:
        file.write("[Match]\nName=new0\n[Network]\nAddress=192.0.2.77/24\n")
    host.run("ip rule add priority 500 to 192.0.2.99 lookup main protocol 4")
    try:
        with host.Events() as events:
            host.run("systemctl start systemd-networkd")
            host.run("ip link add new0 type veth peer name other0")
            host.run("ip link set other0 up")
            host.until(lambda: "192.0.2.77" in host.ask("ip addr"),
                       "networkd's address")
        assert [line for line in events.ours if "Deleted" in line] == []
        assert "192.0.2.99" in host.ask("ip rule"), "a foreign rule"
        assert "networkd" not in findings()
        os.rename(SPARED, SPARED + ".away")
        assert "networkd-rules" in findings(), "it sees networkd run"
    finally:
        if os.path.exists(SPARED + ".away"):
            os.rename(SPARED + ".away", SPARED)
        host.run("systemctl stop systemd-networkd.socket systemd-networkd")
        host.run("ip link del new0")
        host.run("ip rule del priority 500")


def linkdown(link):
    return host.ask(f"sysctl -n net.ipv4.conf.{link}."
                    "ignore_routes_with_linkdown")


def sysctls_drop_in():
    with open(f"{host.PLACE}/systemd/sysctls.conf", encoding="ascii") as file:
        return file.read()


def test_sysctls_are_closed_but_for_a_drop_in(service):
    host.configure("ignore_linkdown = true;")
    host.run("systemctl restart multihomed")
    host.run("multihomectl wait")
    assert linkdown("eth1") == "0"
    assert "ignore_routes_with_linkdown" in \
        host.ask("journalctl -u multihomed -o cat")
    host.drop_in(sysctls_drop_in())
    host.run("systemctl restart multihomed")
    host.run("multihomectl wait")
    assert linkdown("eth1") == "1"
    done = host.run(f"nsenter -t {host.pid()} -m sysctl -q -w "
                    "kernel.sysrq=1", check=False)
    assert done.returncode != 0, "other sysctls are open too"
    host.run("systemctl stop multihomed")
    assert linkdown("eth1") == "0"


def test_after_crashes_for_good_the_next_one_knows_what_was_set(service):
    """As after too many of them: systemd has given up, till somebody starts
    it."""
    host.configure("ignore_linkdown = true;")
    host.drop_in(sysctls_drop_in() + "[Service]\nRestart=no\n")
    host.run("systemctl restart multihomed")
    host.run("multihomectl wait")
    host.run("systemctl kill --signal=KILL multihomed")
    host.until(lambda: host.unit("ActiveState") == "failed", "its end")
    assert linkdown("eth1") == "1"
    host.run("systemctl start multihomed")
    host.run("multihomectl wait")
    host.run("systemctl stop multihomed")
    assert linkdown("eth1") == "0"


def pm_type():
    return host.ask("sysctl -n net.mptcp.pm_type")


def test_the_path_managers_sysctl_is_open_by_a_drop_in(service):
    host.configure('mptcp = { path_manager = "userspace"; };')
    with open(f"{host.PLACE}/systemd/path_manager.conf",
              encoding="ascii") as file:
        host.drop_in(file.read())
    host.run("systemctl restart multihomed")
    host.run("multihomectl wait")
    assert pm_type() == "1"
    for key in ("net.mptcp.enabled=1", "net.ipv4.ip_forward=0"):
        done = host.run(f"nsenter -t {host.pid()} -m sysctl -q -w {key}",
                        check=False)
        assert done.returncode != 0, f"{key} is open too"
    host.run("systemctl stop multihomed")
    assert pm_type() == "0"


def test_a_namespace_has_a_daemon_of_its_own(service, blue):
    host.run("multihomectl wait")
    assert blue.states() == ["congruent", "congruent"]
    status = host.proc_status(int(host.unit("MainPID", blue.unit)))
    assert status["Seccomp"] == "2"
    host.run(f"systemctl stop {blue.unit}")
    assert blue.ours() == []
    assert len(host.ours()) > 0, "the host's own daemon goes on"
