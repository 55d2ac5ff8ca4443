# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP connections cannot be listed, as on a kernel without tcp_diag: which there
are is not known then, and none is harmed for that."""

import json

import pytest

from lab import Daemon, until
from lab.figure import A1_4, B_4
from lab.mptcp import MptcpTransfer, carries
from lab.shim import fail_flows, preload

pytestmark = pytest.mark.no_sandbox("a shim is loaded before it")

USERSPACE = 'mptcp = { path_manager = "userspace"; };'


class Listings:
    """Those of daemons that are started here."""

    def __init__(self, lab):
        self.lab = lab
        self._path = f"{lab.directory}/flows"
        self.mend()

    def fail(self, name="ENOENT"):
        fail_flows(self._path, name)

    def mend(self):
        fail_flows(self._path)

    def start(self, namespace, config=""):
        daemon = Daemon(namespace, config, env=preload(flows=self._path))
        self.lab.daemons.append(daemon)
        daemon.start()
        return daemon


@pytest.fixture
def listings(lab):
    return Listings(lab)


def shown(daemon):
    return json.loads(daemon.ctl("--json", "mptcp").stdout)


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
    assert "mptcp: connections cannot be listed" in daemon.log()
    listings.mend()
    until(lambda: [c["managed"] for c in shown(daemon)["connections"]] ==
          [True], 10)
    transfer.end()
