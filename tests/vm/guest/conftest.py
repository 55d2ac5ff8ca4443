# SPDX-License-Identifier: GPL-2.0-or-later
"""Each test begins with the package installed and the service as it is then."""

import os
import shutil

import host
import pytest


def pytest_sessionstart(session):
    assert os.getpid() != 1 and os.path.isdir("/run/systemd/system"), \
        "for a virtual machine that systemd runs"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What systemd and the daemon said, to the report of a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        text = host.ask("journalctl -o cat -n 60")
        report.sections.append(("journal", text))


@pytest.fixture(scope="session")
def network():
    """The draft's network, with this machine in it; nothing of ours yet."""
    server = host.build()
    yield
    server.terminate()
    server.wait(timeout=host.LIMIT_S)


@pytest.fixture
def service(network):
    """The package as it was built, its configuration, and the daemon steady."""
    shutil.rmtree(host.DROP_INS, ignore_errors=True)
    if host.installed() != "0.1.0":
        host.run("dpkg --force-confmiss --force-confnew -i " + host.PACKAGE)
    host.run("systemctl daemon-reload")
    host.run("systemctl reset-failed", check=False)
    if host.unit("ActiveState") != "active":
        host.run("systemctl start multihomed")
    host.run("multihomectl wait")
    with open(host.CONFIG, encoding="utf-8") as file:
        config = file.read()
    yield
    if host.installed():
        with open(host.CONFIG, "w", encoding="utf-8") as file:
            file.write(config)
        host.run("multihomectl reload", check=False)


class Blue:
    """A network namespace with two uplinks and multihomed@blue.

    Nobody is at their other ends: that would show after some seconds, if the
    routers' entries were not permanent."""

    unit = "multihomed@blue.service"
    path = "/run/multihomed-blue/io.multihomed"
    config = "/etc/multihomed-blue.conf"

    def start(self):
        host.run("ip netns add blue")
        host.run("ip -n blue -batch -", stdin="".join(f"""
            link add d{n} type veth peer name p{n}
            addr add 10.7{n}.0.2/24 dev d{n}
            link set p{n} up
            link set d{n} up
            neigh add 10.7{n}.0.1 lladdr 02:00:00:00:07:0{n} dev d{n}
            route add default via 10.7{n}.0.1 dev d{n} metric {n}
            """ for n in (1, 2)))
        with open(self.config, "w", encoding="ascii") as file:
            file.write('model = "weak";\n')
        host.run(f"systemctl start {self.unit}")
        self.wait()

    def wait(self):
        host.run(f"multihomectl -s {self.path} wait")

    def states(self):
        return [subnet["default"]["kind"] for subnet in
                host.ctl("subnets", path=self.path)["subnets"]]

    def ours(self):
        return [line for line in
                host.ask("ip -n blue -N rule").splitlines()
                if "proto 109" in line]

    def events(self):
        return host.Events("blue")

    def end(self):
        host.run(f"systemctl stop {self.unit}", check=False)
        host.run("ip netns del blue")
        if os.path.exists(self.config):
            os.unlink(self.config)


@pytest.fixture
def blue():
    made = Blue()
    try:
        made.start()
        yield made
    finally:
        made.end()
