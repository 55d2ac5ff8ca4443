# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon as path manager: the draft's section 5 per connection."""

import json
import socket
import time

import pytest
from lab import nat, until
from lab.figure import A1_4, A1_6, A2_4, A2_6, B_4, B_6
from lab.mptcp import IPPROTO_MPTCP, MptcpTransfer, carries, endpoints
from lab.shim import starts_without_a_socket

# The older name of net.mptcp.path_manager, which all kernels have.
PM_TYPE, KERNEL, USERSPACE = "mptcp/pm_type", "0", "1"
CONFIG = 'mptcp = { path_manager = "userspace"; }; '
SHORT_HOLD = CONFIG + "pinning = { hold_ms = 300; }; "


def allow_joins(namespace, number=8):
    namespace.run("ip", "mptcp", "limits", "set", "subflows", str(number),
                  "add_addr_accepted", str(number))


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


@pytest.mark.parametrize("dst, source", [(B_4, A1_4), (B_6, A1_6)])
def test_a_pulled_cable_and_its_return(figure, dst, source):
    daemon = figure.start(SHORT_HOLD)
    allow_joins(figure.b)
    transfer = MptcpTransfer(figure.a, figure.b, dst, source)
    until(lambda: transfer.subflows() == 1, 10)
    until(carries(figure.r2), 20)
    figure.unplug()
    until(transfer.goes_on(), 20)
    figure.plug_in()
    until(carries(figure.r1), 20)
    until(transfer.goes_on(), 20)
    transfer.end()
    daemon.wait()


def shown(daemon, *token):
    return json.loads(daemon.ctl("--json", "mptcp", *token).stdout)


def subflows(daemon):
    """{(source, destination): state} of the only managed connection. What
    was closed without a path waits for an answer till TCP gives it up."""
    found = [c for c in shown(daemon)["connections"] if c["managed"]]
    assert len(found) <= 1
    return {(s["source"], s["destination"]): s["state"]
            for c in found for s in c["subflows"]
            if s["state"] != "closing"}


def test_the_sysctl_is_ours_while_the_config_says_so(figure):
    def manager():
        return figure.a.sysctl(PM_TYPE)
    assert manager() == KERNEL
    daemon = figure.start(CONFIG)
    assert manager() == USERSPACE
    daemon.reload('mptcp = { path_manager = "kernel"; };')
    until(lambda: manager() == KERNEL and endpoints(figure.a))
    daemon.reload(CONFIG)
    until(lambda: manager() == USERSPACE and not endpoints(figure.a))
    for end in ("leave", "kill"):
        getattr(daemon, end)()
        assert manager() == USERSPACE
        daemon.start()
    daemon.terminate()
    assert manager() == KERNEL


def test_a_sysctl_that_was_userspace_already_stays(figure):
    figure.a.sysctl(PM_TYPE, USERSPACE)
    daemon = figure.start(CONFIG)
    daemon.terminate()
    assert figure.a.sysctl(PM_TYPE) == USERSPACE


def test_connections_are_shown_and_explained(figure):
    daemon = figure.start(CONFIG)
    allow_joins(figure.b)
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(lambda: transfer.subflows() == 1, 10)
    reply = shown(daemon)
    assert reply["path_manager"] == "userspace" and reply["manages"]
    assert reply["connections_total"] == 1
    connection = reply["connections"][0]
    assert not connection["passive"] and connection["failed"] == []
    by_source = {s["source"]: s for s in connection["subflows"]}
    assert set(by_source) == {A1_4, A2_4}
    assert (by_source[A1_4]["link"], by_source[A1_4]["via"]) == \
        ("eth0", "10.1.0.1")
    assert (by_source[A2_4]["link"], by_source[A2_4]["via"]) == \
        ("eth1", "10.2.0.1")
    assert all(s["congruent"] and s["state"] == "open" and not s["backup"]
               for s in by_source.values())
    until(lambda: all(s["sent"] > 100000 for s in
                      shown(daemon)["connections"][0]["subflows"]), 20)
    assert shown(daemon, connection["token"])["connections"][0]["token"] == \
        connection["token"]
    text = daemon.ctl("mptcp").stdout
    assert connection["token"] in text and "eth1" in text
    transfer.end()
    until(lambda: shown(daemon)["connections"] == [], 5)


@pytest.mark.parametrize("manager", ["kernel", "userspace", "off"])
def test_a_token_of_no_connection_is_told(figure, manager):
    daemon = figure.start(f'mptcp = {{ path_manager = "{manager}"; }};')
    done = daemon.ctl("mptcp", "00000001", check=False)
    assert done.returncode == 1
    assert done.stdout == "There is no connection 00000001.\n"
    done = daemon.ctl("--json", "mptcp", "1", check=False)
    assert (done.returncode, done.stderr) == (1, "")
    reply = json.loads(done.stdout)
    assert (reply["connections"], reply["unknown_token"]) == ([], "00000001")
    assert daemon.ctl("mptcp").returncode == 0


@pytest.mark.parametrize("source, step, chosen", [
    (A1_4, 5, A2_4), (A2_4, 5, A1_4)])
def test_explain_tells_what_will_be_opened(figure, source, step, chosen):
    daemon = figure.start(CONFIG)
    out = daemon.ctl("--json", "explain", "--mptcp", source, B_4).stdout
    subflow = json.loads(out)["subflow"]
    assert (subflow["step"], subflow["source"]) == (step, chosen)
    assert {w["verdict"] for w in subflow["ways"]} == {"used", "chosen"}
    assert chosen in daemon.ctl("explain", "--mptcp", source, B_4).stdout


def test_connections_of_the_kernels_manager_are_left_to_it(figure):
    allow_joins(figure.b)
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    daemon = figure.start(CONFIG)
    until(carries(figure.r1), 20)
    assert [c["managed"] for c in shown(daemon)["connections"]] == [False]
    assert transfer.subflows() == 0
    transfer.end()


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_a_start_without_a_socket_to_listen_with_tries_again(figure):
    for daemon in starts_without_a_socket(figure.lab, figure.a, CONFIG):
        until(lambda it=daemon: shown(it)["manages"], 10)
    # The one for commands, the one to look for the group, and the listener.
    assert daemon.log().count("path manager in user space: ") == 3


def test_a_restart_goes_on_where_it_was(figure):
    daemon = figure.start(SHORT_HOLD)
    allow_joins(figure.b)
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(lambda: transfer.subflows() == 1, 10)
    before = subflows(daemon)
    for end in ("leave", "kill"):
        getattr(daemon, end)()
        daemon.start()
        until(lambda: subflows(daemon) == before, 5)
        assert transfer.subflows() == 1
    # And it is still managed: what is lost is replaced.
    figure.unplug()
    until(lambda: (A1_4, B_4) not in subflows(daemon), 10)
    figure.plug_in()
    until(lambda: subflows(daemon) == before, 20)
    until(carries(figure.r1), 20)
    transfer.end()


def test_a_refused_subflow_is_tried_again_later(figure):
    daemon = figure.start(CONFIG)
    figure.b.nft("""
        table inet refuse {
            chain in {
                type filter hook input priority 0;
                ip saddr 10.2.0.2 tcp flags syn counter reject with tcp reset
            }
        }
    """)
    allow_joins(figure.b)
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)

    def failed():
        return shown(daemon)["connections"][0]["failed"]
    until(lambda: failed() and failed()[0]["failures"] >= 2, 10)
    way = failed()[0]
    assert (way["source"], way["destination"]) == (A2_4, B_4)
    assert way["error"] == "ECONNREFUSED" and way["seconds_left"] <= 4
    figure.b.run("nft", "delete", "table", "inet", "refuse")
    until(lambda: transfer.subflows() == 1, 10)
    until(carries(figure.r2), 20)
    transfer.end()


def test_no_subflow_without_a_route_of_its_own(figure):
    """Section 5.1, step 1: the longest prefix knows one next hop only."""
    figure.a.ip("route add 203.0.113.0/24 via 10.1.0.1 dev eth0")
    daemon = figure.lab.daemon(figure.a, CONFIG)
    allow_joins(figure.b)
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(carries(figure.r1), 20)
    assert set(subflows(daemon)) == {(A1_4, B_4)}
    # Another one, and it is used at once.
    figure.a.ip("route add 203.0.113.0/24 via 10.2.0.1 dev eth1 metric 9")
    until(lambda: transfer.subflows() == 1, 5)
    until(carries(figure.r2), 20)
    transfer.end()


def test_an_address_that_goes_takes_its_subflow_along(figure):
    daemon = figure.start(CONFIG)
    allow_joins(figure.b)
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(lambda: transfer.subflows() == 1, 10)
    figure.a.ip(f"addr del {A2_4}/24 dev eth1")
    until(lambda: set(subflows(daemon)) == {(A1_4, B_4)}, 5)
    figure.a.ip(f"""
        addr add {A2_4}/24 dev eth1
        route add default via 10.2.0.1 dev eth1 metric 200
    """)
    until(lambda: transfer.subflows() == 1, 5)
    until(carries(figure.r2), 20)
    transfer.end()


def test_at_most_as_many_as_the_config_says(figure):
    daemon = figure.start('mptcp = { path_manager = "userspace"; '
                          'subflows = 0; };')
    allow_joins(figure.b)
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(carries(figure.r1), 20)
    assert set(subflows(daemon)) == {(A1_4, B_4)}
    daemon.reload(CONFIG)
    until(lambda: transfer.subflows() == 1, 5)
    transfer.end()


def test_backup_links_carry_when_nothing_else_does(figure):
    daemon = figure.start(
        SHORT_HOLD + 'interfaces = ( { match = "eth1"; mptcp = "backup"; } );')
    allow_joins(figure.b)
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(lambda: transfer.subflows() == 1, 10)

    def backups():
        return {s["source"]: s["backup"]
                for s in shown(daemon)["connections"][0]["subflows"]}
    # Linux 6.1 is told after the subflow is open.
    until(lambda: backups() == {A1_4: False, A2_4: True}, 5)
    figure.unplug()
    until(carries(figure.r2), 20)
    transfer.end()


def test_the_peers_other_family_is_used_when_it_is_announced(figure):
    """An IPv4 connection gets IPv6 subflows where the peer offers them."""
    daemon = figure.start(CONFIG)
    allow_joins(figure.b)
    figure.b.run("ip", "mptcp", "endpoint", "add", B_6, "signal")
    transfer = MptcpTransfer(figure.a, figure.b, B_4, dual=True)
    until(lambda: set(subflows(daemon)) == {
        (A1_4, B_4), (A2_4, B_4), (A1_6, B_6), (A2_6, B_6)}, 10)
    transfer.end()
    assert figure.dropped() == 0


def test_a_socket_of_one_family_is_not_tried_with_the_other(figure):
    daemon = figure.start(CONFIG)
    allow_joins(figure.b)
    figure.b.run("ip", "mptcp", "endpoint", "add", B_6, "signal")
    transfer = MptcpTransfer(figure.a, figure.b, B_4)
    until(lambda: transfer.subflows() == 1, 10)

    def peer():
        return {p["address"]: p["usable"]
                for p in shown(daemon)["connections"][0]["peer"]}
    until(lambda: peer() == {B_4: True, B_6: False}, 5)
    assert shown(daemon)["connections"][0]["failed"] == []
    transfer.end()


@pytest.mark.parametrize("announced", [None, "203.0.113.10"])
def test_a_peer_that_denies_joins_to_its_first_address(figure, announced):
    """RFC 8684, 3.1: only to those that it announces, if any."""
    daemon = figure.start(CONFIG)
    allow_joins(figure.b)
    figure.b.sysctl("mptcp/allow_join_initial_addr_port", 0)
    if announced:
        figure.b.ip(f"addr add {announced}/24 dev br0")
        figure.b.run("ip", "mptcp", "endpoint", "add", announced, "signal")
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4, listen="0.0.0.0")
    want = {(A1_4, B_4)}
    if announced:
        want |= {(A1_4, announced), (A2_4, announced)}
    until(lambda: set(subflows(daemon)) == want, 10)
    until(transfer.goes_on(), 10)
    assert set(subflows(daemon)) == want
    connection = shown(daemon)["connections"][0]
    assert connection["failed"] == []
    assert connection["peer"][0]["usable"] is False
    assert "no further subflows" in daemon.ctl("mptcp").stdout
    transfer.end()


def metric(daemon, name):
    for line in daemon.ctl("metrics").stdout.splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise AssertionError(f"no metric {name}")


def come_and_go(figure, dst, count):
    """Connections of the host with itself: each has two ends here."""
    listener = figure.a.socket(socket.AF_INET, proto=IPPROTO_MPTCP)
    listener.bind((dst, 0))
    listener.listen(16)
    for _ in range(count):
        client = figure.a.socket(socket.AF_INET, proto=IPPROTO_MPTCP)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        client.sendall(b"x")
        server.recv(1)
        client.close()
        server.close()
    listener.close()


def test_lost_events_leave_nothing_behind(figure):
    daemon = figure.start(CONFIG)
    allow_joins(figure.b)
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(lambda: transfer.subflows() == 1, 10)
    daemon.freeze()
    come_and_go(figure, A1_4, 6000)
    daemon.thaw()
    until(lambda: metric(daemon, "multihomed_mptcp_events_lost_total") >= 1, 20)
    until(lambda: metric(daemon, "multihomed_mptcp_connections") == 1, 20)
    assert set(subflows(daemon)) == {(A1_4, B_4), (A2_4, B_4)}
    transfer.end()
    until(lambda: metric(daemon, "multihomed_mptcp_connections") == 0, 10)


def test_through_a_nat_on_each_path(figure):
    """The peer sees other addresses; both paths carry, and come back."""
    for router in (figure.r1, figure.r2):
        nat(router, "wan")
    figure.start(SHORT_HOLD)
    allow_joins(figure.b)
    transfer = MptcpTransfer(figure.a, figure.b, B_4, A1_4)
    until(lambda: transfer.subflows() == 1, 10)
    until(carries(figure.r1), 20)
    until(carries(figure.r2), 20)
    figure.unplug()
    until(transfer.goes_on(), 20)
    figure.plug_in()
    until(carries(figure.r1), 20)
    transfer.end()


def test_a_connection_within_the_host_has_one_path(figure):
    figure.start(CONFIG)
    allow_joins(figure.a)
    transfer = MptcpTransfer(figure.a, figure.a, "127.0.0.1")
    time.sleep(1)  # for what should not come
    assert transfer.subflows() == 0
    transfer.end()
