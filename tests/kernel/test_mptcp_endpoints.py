# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's MPTCP endpoints follow routing (draft section 5)."""

import json
import os
import resource
import signal
import time

import pytest
from lab import Daemon, until
from lab.figure import A1_4, A1_6, A2_4, A2_6, B_4, B_6
from lab.mptcp import MptcpTransfer, carries, endpoints, limits
from lab.own import own_rules
from lab.shim import (fail_from_now, new_counts, preload, read_counts,
                      starts_without_a_socket)

ALL = {A1_4, A2_4, A1_6, A2_6}
SHORT_HOLD = "pinning = { hold_ms = 300; }; "


def shown(daemon):
    return json.loads(daemon.ctl("--json", "mptcp").stdout)


def kept(daemon):
    """Addresses of endpoints that would take a connection along."""
    return [e["address"] for e in shown(daemon)["endpoints"] if "kept" in e]


def test_each_uplink_has_an_endpoint_in_the_order_of_metrics(figure):
    daemon = figure.start()
    found = endpoints(figure.a)
    assert set(found) == ALL
    assert all(flags == {"subflow"} and not dev
               for _, flags, dev in found.values())
    by_id = sorted(found, key=lambda address: found[address][0])
    assert by_id.index(A1_4) < by_id.index(A2_4)
    assert by_id.index(A1_6) < by_id.index(A2_6)
    assert limits(figure.a) == (8, 8)
    reply = shown(daemon)
    assert reply["available"] and reply["path_manager"] == "kernel"
    assert {e["address"] for e in reply["endpoints"] if e["ours"]} == ALL
    assert reply["missing"] == []


def prefer_the_second(figure):
    figure.a.ip("""
        route add default via 10.2.0.1 dev eth1 metric 50
        route del default via 10.2.0.1 dev eth1 metric 200
    """)


def order_of(figure):
    """In which the kernel tries them; it shows them so."""
    return [address for address in endpoints(figure.a)
            if address in (A1_4, A2_4)]


def test_another_order_of_metrics_is_followed(figure):
    daemon = figure.start()
    assert order_of(figure) == [A1_4, A2_4]
    prefer_the_second(figure)
    daemon.wait()
    until(lambda: order_of(figure) == [A2_4, A1_4], 5)
    assert set(endpoints(figure.a)) == ALL


def test_but_not_at_the_cost_of_a_subflow(figure):
    daemon = figure.start()
    figure.b.run("ip", "mptcp", "limits", "set", "subflows", "8")
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(lambda: transfer.subflows() >= 1, 10)
    before = endpoints(figure.a)
    prefer_the_second(figure)
    daemon.wait()
    until(transfer.goes_on(), 20)
    assert endpoints(figure.a) == before
    transfer.end()
    until(lambda: order_of(figure) == [A2_4, A1_4], 15)


def test_sigterm_takes_them_along_and_a_restart_knows_them(figure):
    before = limits(figure.a)
    daemon = figure.start()
    found = endpoints(figure.a)
    for end in ("leave", "kill"):
        getattr(daemon, end)()
        assert endpoints(figure.a) == found
        daemon.start()
        assert endpoints(figure.a) == found
        assert all(e["ours"] for e in shown(daemon)["endpoints"])
    daemon.terminate()
    assert endpoints(figure.a) == {}
    assert limits(figure.a) == before


def test_a_reload_takes_the_limits_back(figure):
    """As far as the new configuration wants less, and nobody changed them."""
    a = figure.a
    a.run("ip", "mptcp", "limits", "set", "subflows", "2",
          "add_addr_accepted", "2")

    def reload(config, want):
        daemon.set_config(f"mptcp = {{ {config} }};")
        daemon.ctl("reload")
        daemon.wait()
        until(lambda: limits(a) == want, 5)
    daemon = figure.start()
    assert limits(a) == (8, 8)
    reload("subflows = 3;", (3, 3))
    reload("subflows = 5;", (5, 5))
    reload("subflows = 0;", (2, 2))
    reload("", (8, 8))
    reload('path_manager = "off";', (2, 2))
    reload("", (8, 8))
    # A crash in between is no difference, and neither is somebody else.
    daemon.kill()
    daemon.set_config("mptcp = { subflows = 4; };")
    daemon.start()
    until(lambda: limits(a) == (4, 4), 5)
    a.run("ip", "mptcp", "limits", "set", "subflows", "7")
    reload("subflows = 1;", (7, 4))
    daemon.terminate()
    assert limits(a) == (7, 4)


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_killed_while_it_adds_them_all_are_known_as_ours(figure):
    """Before each message of a start's end, where they are added."""
    a, before = figure.a, limits(figure.a)
    daemon = Daemon(a, "")
    figure.lab.daemons.append(daemon)
    counts = new_counts(f"{figure.lab.directory}/counts")
    daemon.env = preload(counts=counts)
    daemon.start()
    sends = read_counts(counts)["send"]
    daemon.terminate()
    partly = 0
    for last in range(sends - 2 * len(ALL) - 4, sends + 1):
        daemon.env = preload(fault=f"send:{last}:KILL")
        daemon.start(wait=False)
        assert daemon.process.wait(timeout=20) == -signal.SIGKILL
        partly += 0 < len(endpoints(a)) < len(ALL)
        daemon.env = {}
        daemon.start()
        assert set(endpoints(a)) == ALL
        assert all(e["ours"] for e in shown(daemon)["endpoints"])
        daemon.terminate()
        assert endpoints(a) == {}
        assert limits(a) == before
    assert partly >= len(ALL) - 1


def test_flush_removes_ours_and_no_others(figure):
    figure.a.run("ip", "mptcp", "endpoint", "add", "192.0.2.9", "signal")
    daemon = figure.start()
    assert set(endpoints(figure.a)) == ALL | {"192.0.2.9"}
    daemon.kill()
    daemon.flush()
    assert set(endpoints(figure.a)) == {"192.0.2.9"}


def test_foreign_endpoints_are_left_alone(figure):
    figure.a.run("ip", "mptcp", "endpoint", "add", A2_4, "dev", "eth1",
                 "signal")
    daemon = figure.start()
    found = endpoints(figure.a)
    assert found[A2_4][1:] == ({"signal"}, "eth1")
    assert set(found) == ALL
    others = [e for e in shown(daemon)["endpoints"] if not e["ours"]]
    assert [e["address"] for e in others] == [A2_4]
    daemon.terminate()
    assert set(endpoints(figure.a)) == {A2_4}


def make_implicit(figure):
    """The peer announces an address; from one without an endpoint the kernel
    joins it all the same, and makes itself one. The transfer goes on."""
    joined = "203.0.113.10"
    figure.b.ip(f"addr add {joined}/24 dev br0")
    figure.b.run("ip", "mptcp", "endpoint", "add", joined, "signal")
    for namespace in (figure.a, figure.b):
        namespace.run("ip", "mptcp", "limits", "set", "subflows", "8",
                      "add_addr_accepted", "8")
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A2_4, listen="0.0.0.0")
    until(lambda: A1_4 in endpoints(figure.a), 10)
    return transfer


def of_address(daemon, address):
    return [e for e in shown(daemon)["endpoints"] if e["address"] == address]


def test_one_that_the_kernel_made_gives_way(figure):
    daemon = figure.start('interfaces = ( { match = "eth0"; mptcp = "off"; });')
    transfer = make_implicit(figure)
    found = of_address(daemon, A1_4)
    assert found[0]["flags"] == ["implicit"] and not found[0]["ours"]
    assert "the kernel" in daemon.ctl("mptcp").stdout
    daemon.reload("")
    assert of_address(daemon, A1_4)[0]["ours"]
    assert endpoints(figure.a)[A1_4] == (found[0]["id"], {"subflow"}, "")
    assert shown(daemon)["missing"] == []
    until(transfer.goes_on(), 20)
    transfer.end()


def test_one_that_the_kernel_made_is_not_taken_for_ours(figure):
    """Somebody deleted ours, and the kernel's has the same address and id."""
    daemon = figure.start('interfaces = ( { match = "eth1"; mptcp = "off"; });')
    before = endpoints(figure.a)[A1_4]
    figure.a.run("ip", "mptcp", "endpoint", "flush")
    transfer = make_implicit(figure)
    assert endpoints(figure.a)[A1_4] == (before[0], set(), "")
    assert not of_address(daemon, A1_4)[0]["ours"]
    assert A1_4 in shown(daemon)["missing"]
    daemon.reload()
    assert of_address(daemon, A1_4)[0]["ours"]
    until(transfer.goes_on(), 20)
    transfer.end()


def test_both_subflows_carry_data(figure):
    figure.start()
    figure.b.run("ip", "mptcp", "limits", "set", "subflows", "8")
    for dst, source in ((B_4, A1_4), (B_6, None)):
        transfer = MptcpTransfer(figure.a, figure.b, dst, source)
        until(lambda: transfer.subflows() >= 1, 10)
        until(carries(figure.r1), 20)
        until(carries(figure.r2), 20)
        transfer.end()
    assert figure.dropped() == 0


@pytest.mark.parametrize("dst, source", [(B_4, A1_4), (B_6, A1_6)])
def test_a_pulled_cable_and_its_return(figure, dst, source):
    daemon = figure.start(SHORT_HOLD)
    figure.b.run("ip", "mptcp", "limits", "set", "subflows", "8")
    transfer = MptcpTransfer(figure.a, figure.b, dst, source)
    until(lambda: transfer.subflows() >= 1, 10)
    until(carries(figure.r2), 20)
    old = endpoints(figure.a)[source]
    figure.unplug()
    until(transfer.goes_on(), 20)
    until(lambda: source not in endpoints(figure.a), 5)
    assert A2_4 in endpoints(figure.a)
    figure.plug_in()
    # On a slow host its router may be asked once more before it answers.
    until(lambda: endpoints(figure.a).get(source, old) != old, 10)
    # On the running connection a new subflow leaves by the first uplink.
    until(carries(figure.r1), 20)
    until(transfer.goes_on(), 20)
    transfer.end()
    daemon.wait()


def test_a_short_loss_closes_nothing(figure):
    daemon = figure.start("settle_ms = 0; pinning = { hold_ms = 20000; };")
    found = endpoints(figure.a)
    figure.a.ip("route del default via 10.1.0.1 dev eth0 metric 100")
    daemon.wait()
    waiting = [e for e in shown(daemon)["endpoints"] if "seconds_left" in e]
    assert [e["address"] for e in waiting] == [A1_4]
    assert 0 < waiting[0]["seconds_left"] <= 20
    figure.a.ip("route add default via 10.1.0.1 dev eth0 metric 100")
    daemon.wait()
    assert endpoints(figure.a) == found
    assert not [e for e in shown(daemon)["endpoints"] if "seconds_left" in e]


def test_an_outage_does_not_end_a_connection_that_has_no_other_subflow(figure):
    daemon = figure.start(SHORT_HOLD)
    figure.b.run("ip", "mptcp", "limits", "set", "subflows", "0")
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(carries(figure.r1), 20)
    until(lambda: transfer.subflows() == 0, 10)
    figure.unplug()
    until(lambda: kept(daemon) == [A1_4], 5)
    assert set(endpoints(figure.a)) == {A1_4, A2_4, A2_6}
    figure.plug_in()
    until(transfer.goes_on(), 20)
    transfer.end()


@pytest.mark.no_sandbox("its limits are changed from outside")
def test_an_endpoint_stays_where_connections_cannot_be_listed(figure):
    """There is no descriptor left for it: one may depend on the endpoint."""
    daemon = figure.start(SHORT_HOLD)
    figure.b.run("ip", "mptcp", "limits", "set", "subflows", "0")
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(carries(figure.r1), 20)
    until(lambda: transfer.subflows() == 0, 10)
    pid = daemon.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (
        len(os.listdir(f"/proc/{pid}/fd")), before[1]))
    figure.unplug()
    until(lambda: "kept, though" in daemon.log() or
          A1_4 not in endpoints(figure.a), 5)
    assert A1_4 in endpoints(figure.a)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    until(lambda: kept(daemon) == [A1_4], 10)
    figure.plug_in()
    until(transfer.goes_on(), 20)
    transfer.end()


def test_a_kept_endpoint_goes_when_its_connection_has_ended(figure):
    daemon = figure.start(SHORT_HOLD)
    figure.b.run("ip", "mptcp", "limits", "set", "subflows", "0")
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(carries(figure.r1), 20)
    until(lambda: transfer.subflows() == 0, 10)
    figure.unplug()
    until(lambda: kept(daemon) == [A1_4], 5)
    transfer.client.shutdown(2)
    figure.a.run("ss", "-K", "src", A1_4)
    until(lambda: A1_4 not in endpoints(figure.a), 15)


@pytest.mark.parametrize("joins", ["0", "8"])
def test_sigterm_ends_no_connection(figure, joins):
    daemon = figure.start()
    figure.b.run("ip", "mptcp", "limits", "set", "subflows", joins)
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(carries(figure.r1), 20)
    if joins != "0":
        until(carries(figure.r2), 20)
    daemon.terminate()
    until(transfer.goes_on(), 20)
    left = endpoints(figure.a)
    assert len(left) == 1
    daemon.start()
    assert set(endpoints(figure.a)) == ALL
    assert all(e["ours"] for e in shown(daemon)["endpoints"])
    until(transfer.goes_on(), 20)
    transfer.end()
    daemon.terminate()
    until(lambda: endpoints(figure.a) == {})


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_a_start_that_could_not_ask_the_kernel_tries_again(figure):
    for daemon in starts_without_a_socket(figure.lab, figure.a, ""):
        until(lambda: set(endpoints(figure.a)) == ALL, 10)
    assert endpoints(figure.a) == {}
    assert daemon.log().count("the kernel cannot be asked for") == 1


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_what_the_kernel_refuses_is_said_and_tried_seldom(figure):
    """No endpoint of IPv6 without CONFIG_MPTCP_IPV6, for example."""
    a = figure.a
    refused = fail_from_now(f"{figure.lab.directory}/refused", "EINVAL")
    daemon = Daemon(a, "settle_ms = 0;", env=preload(endpoints=refused))
    figure.lab.daemons.append(daemon)
    daemon.start()
    for metric in range(300, 320):  # a reason to look again
        a.ip(f"route add default via 10.2.0.1 dev eth1 metric {metric}")
        daemon.wait()
    # At once, and on a slow host once or twice more.
    assert daemon.log().count("adding endpoint") <= 3 * len(ALL)
    assert set(shown(daemon)["missing"]) == ALL
    fail_from_now(refused)
    daemon.reload()
    until(lambda: set(endpoints(a)) == ALL, 5)


def test_an_address_that_goes_takes_its_endpoint_along(figure):
    daemon = figure.start()
    figure.a.ip(f"addr del {A2_4}/24 dev eth1")
    daemon.wait()
    assert set(endpoints(figure.a)) == ALL - {A2_4}


def test_no_endpoint_before_duplicate_address_detection(figure):
    daemon = figure.start()
    figure.a.ip(f"addr del {A2_6}/64 dev eth1")
    daemon.wait()
    figure.a.sysctl("ipv6/conf/eth1/accept_dad", 1)
    figure.a.sysctl("ipv6/conf/eth1/dad_transmits", 1)
    figure.a.ip(f"""
        addr add {A2_6}/64 dev eth1
        route replace default via fe80::1 dev eth1 metric 200
    """)
    daemon.wait()
    assert A2_6 not in endpoints(figure.a)
    until(lambda: A2_6 in endpoints(figure.a), 5)


def test_links_have_their_flags(figure):
    daemon = figure.start('''interfaces = (
        { match = "eth0"; mptcp = "off"; },
        { match = "eth1"; mptcp = "backup"; } );
        mptcp = { announce = true; };''')
    found = endpoints(figure.a)
    assert set(found) == {A2_4, A2_6}
    assert all(flags == {"subflow", "backup", "signal"}
               for _, flags, _ in found.values())
    daemon.reload('interfaces = ( { match = "eth1"; mptcp = "fullmesh"; } );')
    until(lambda: set(endpoints(figure.a)) == ALL)
    assert endpoints(figure.a)[A2_4][1] == {"subflow", "fullmesh"}
    daemon.reload('mptcp = { path_manager = "off"; };')
    until(lambda: endpoints(figure.a) == {})


def test_none_while_a_tunnel_is_yielded_to(figure):
    daemon = figure.start()
    figure.a.tun("tun0")
    figure.a.ip("""
        link set tun0 up
        route add default dev tun0 table 51820
        rule add not fwmark 51820 table 51820
    """)
    daemon.wait()
    assert set(endpoints(figure.a)) == {A1_6, A2_6}
    figure.a.ip("rule del not fwmark 51820 table 51820")
    daemon.wait()
    until(lambda: set(endpoints(figure.a)) == ALL)


def test_at_most_as_many_as_the_kernel_takes(figure):
    for number in range(3, 10):
        figure.a.run("ip", "mptcp", "endpoint", "add", f"192.0.2.{number}",
                     "subflow")
    daemon = figure.start()
    found = endpoints(figure.a)
    assert len(found) == 8
    missing = shown(daemon)["missing"]
    assert len(missing) == 3 and set(missing) < ALL


@pytest.mark.parametrize("what", ["flush", "del"])
def test_what_others_removed_comes_back_with_a_reload(figure, what):
    daemon = figure.start()
    if what == "flush":
        figure.a.run("ip", "mptcp", "endpoint", "flush")
    else:
        number = endpoints(figure.a)[A2_4][0]
        figure.a.run("ip", "mptcp", "endpoint", "delete", "id", str(number))
    assert A2_4 in shown(daemon)["missing"]
    daemon.reload()
    until(lambda: set(endpoints(figure.a)) == ALL)


def test_without_mptcp_all_else_works(figure):
    figure.a.sysctl("mptcp/enabled", 0)
    daemon = figure.start()
    assert daemon.ctl("verify").returncode == 0
    assert daemon.ctl("mptcp").returncode == 0


def test_a_vip_moves_no_endpoint(figure):
    """keepalived's: a /32 that is lower than the host's own address."""
    a = figure.a
    a.ip("""
        addr add 10.2.0.50/24 dev eth1
        addr del 10.2.0.2/24 dev eth1
        addr replace 10.2.0.50/24 dev eth1
        route replace default via 10.2.0.1 dev eth1 metric 200
    """)
    daemon = figure.lab.daemon(a, SHORT_HOLD)
    before = endpoints(a)
    assert "10.2.0.50" in before
    a.ip("addr add 10.2.0.40/32 dev eth1")
    daemon.wait()
    time.sleep(1)  # longer than the hold
    assert endpoints(a) == before


def test_a_rule_that_somebody_deletes_closes_no_subflow(figure):
    daemon = figure.start()
    figure.b.run("ip", "mptcp", "limits", "set", "subflows", "8")
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(lambda: transfer.subflows() >= 1, 10)
    before = endpoints(figure.a)
    for priority, what, table in own_rules(figure.a, 4):
        figure.a.ip(f"rule del pref {priority} {what} table {table}")
    daemon.wait()
    assert endpoints(figure.a) == before
    until(transfer.goes_on(), 20)
    transfer.end()


@pytest.mark.slow
def test_an_endpoint_returns_with_its_rule(figure):
    """Somebody deletes the rule again and again: it is put back later."""
    a = figure.a
    daemon = figure.start()
    rule = [rule for rule in own_rules(a, 4) if "10.2.0" in rule[1]][0]
    line = f"rule del pref {rule[0]} {rule[1]} table {rule[2]}"
    for _ in range(10):
        a.run("ip", "-force", "-batch", "-", check=False,
              stdin="\n".join([line] * 4000))
    until(lambda: rule in own_rules(a, 4), 35)
    daemon.wait()
    until(lambda: A2_4 in endpoints(a), 10)


@pytest.mark.slow
@pytest.mark.no_sandbox("a shim is loaded before it")
@pytest.mark.parametrize("call", ["send", "receive", "ack"])
def test_no_endpoint_is_left_if_a_call_fails(figure, call):
    """Any of the last at the start, which are those for endpoints."""
    a = figure.a
    counts = new_counts(f"{figure.lab.directory}/counts")
    daemon = Daemon(a, "")
    figure.lab.daemons.append(daemon)
    daemon.env = preload(counts=counts)
    daemon.start()
    daemon.wait()
    calls = read_counts(counts)[call]
    daemon.terminate()
    left = {}
    for n in range(max(1, calls - 25), calls + 1):
        daemon.env = preload(counts=new_counts(counts),
                             fault=f"{call}:{n}:ENOBUFS")
        daemon.start(wait=False)
        until(lambda: daemon.ctl("wait", check=False).returncode == 0, 30)
        daemon.terminate()
        if endpoints(a):
            left[n] = endpoints(a)
            a.run("ip", "mptcp", "endpoint", "flush")
    assert left == {}
