# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP connections cannot be listed, as on a kernel without tcp_diag: which there
are is not known then, and none is harmed for that."""

import json
import time

import pytest

from lab import Daemon, until
from lab.figure import A1_4, B_4
from lab.mptcp import MptcpTransfer, carries, endpoints
from lab.nats import Nats
from lab.shim import fail_from_now, preload, starts_without_a_socket
from lab.traffic import tcp_open

pytestmark = pytest.mark.no_sandbox("a shim is loaded before it")

ONE_PATH = ('pinning = { hold_ms = 200; }; '
            'interfaces = ( { match = "eth1"; mptcp = "off"; } ); ')
USERSPACE = 'mptcp = { path_manager = "userspace"; };'
OFF = 'mptcp = { path_manager = "off"; };'


class Listings:
    """Those of daemons that are started here."""

    def __init__(self, lab):
        self.lab = lab
        self._path = f"{lab.directory}/flows"
        self.mend()

    def fail(self, name="ENOENT"):
        fail_from_now(self._path, name)

    def mend(self):
        fail_from_now(self._path)

    def start(self, namespace, config=""):
        daemon = Daemon(namespace, config, env=preload(flows=self._path))
        self.lab.daemons.append(daemon)
        daemon.start()
        return daemon


@pytest.fixture
def listings(lab):
    return Listings(lab)


def test_flows_that_are_not_pinned_are_no_flood_of_the_log(figure, listings):
    """Each change that may move some would say so."""
    a = figure.a
    daemon = listings.start(a, "settle_ms = 0;")
    listings.fail()
    with tcp_open(a, figure.b, B_4, A1_4):
        for act in ("add", "del") * 3:
            a.ip(f"route {act} 203.0.113.8/29 via 10.2.0.1")
            daemon.wait()
        assert daemon.log().count("listing TCP connections") == 1


def test_a_start_that_had_no_socket_for_it_pins_all_the_same(lab):
    nats = Nats(lab)
    ready = 0
    with tcp_open(nats.a, nats.b, B_4, A1_4):
        for daemon in starts_without_a_socket(lab, nats.a, "settle_ms = 0;"):
            nats.a.ip("route add 203.0.113.8/29 via 10.2.0.1")
            daemon.wait()
            assert nats.a.leaves_by(B_4, A1_4) == "via 10.1.0.1 dev eth0"
            nats.a.ip("route del 203.0.113.8/29 via 10.2.0.1")
            ready += 1
    assert ready >= 2


def shown(daemon):
    return json.loads(daemon.ctl("--json", "mptcp").stdout)


def test_an_endpoint_that_may_carry_a_connection_stays(figure, listings):
    """The only one of its addresses: the connection would die of it."""
    a = figure.a
    daemon = listings.start(a, ONE_PATH)
    transfer = MptcpTransfer(a, figure.b, B_4, A1_4)
    until(transfer.goes_on(), 10)
    listings.fail()
    daemon.reload(ONE_PATH + OFF)
    until(lambda: "kept" in str(shown(daemon)), 10)
    daemon.reload()
    assert A1_4 in endpoints(a)
    assert daemon.log().count(
        f"endpoint {A1_4} id={endpoints(a)[A1_4][0]} kept, though "
        "path_manager is off: connections cannot be listed") == 1
    until(transfer.goes_on(), 10)
    transfer.end()
    listings.mend()
    until(lambda: endpoints(a) == {}, 10)


def test_endpoints_go_where_there_is_no_tcp_socket(figure, listings):
    daemon = listings.start(figure.a)
    listings.fail()
    assert endpoints(figure.a) != {}
    daemon.terminate()
    assert endpoints(figure.a) == {}


def test_connections_of_an_earlier_life_are_not_given_up(figure, listings):
    a, b = figure.a, figure.b
    daemon = listings.start(a, USERSPACE)
    b.run("ip", "mptcp", "limits", "set", "subflows", "8")
    transfer = MptcpTransfer(a, b, B_4, A1_4)
    until(lambda: transfer.subflows() == 1, 10)
    until(carries(figure.r2), 20)
    listings.fail()
    daemon.kill()
    daemon.start()
    time.sleep(2.5)  # it is tried again each two seconds, and said once
    assert daemon.log().count("mptcp: connections cannot be listed") == 1
    listings.mend()
    until(lambda: [c["managed"] for c in shown(daemon)["connections"]] ==
          [True], 10)
    transfer.end()
