# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package: installed, upgraded, removed."""

import os
import pwd

import host

# dpkg's own records, the journal, and what time changes by itself.
NOT_RESIDUE = ("/var/lib/dpkg/", "/var/log/", "/run/systemd/", "/run/log/",
               "/run/udev/", "/var/cache/", "/run/user/", "/var/tmp/",
               "/var/lib/systemd/", "/etc/passwd-", "/etc/group-",
               "/etc/shadow-", "/etc/gshadow-", "/run/netns", "/usr/lib/python")


def residue(before):
    return sorted(path for path in host.files() - before
                  if not path.startswith(NOT_RESIDUE)
                  and "__pycache__" not in path)


def test_install_starts_and_enables(network):
    host.run("dpkg --purge multihomed", check=False)
    host.run("dpkg -i " + host.PACKAGE)
    assert host.installed() == "0.1.0"
    assert host.unit("ActiveState") == "active"
    assert host.unit("UnitFileState") == "enabled"
    assert host.unreached() == []


def test_upgrade_moves_no_flow_and_writes_nothing(service):
    flows = [host.Flow(source) for source in host.SOURCES]
    before, dropped, old = host.ours(), host.foreign(), host.pid()
    with host.Events() as events:
        host.run("dpkg -i " + host.NEXT)
        host.run("multihomectl wait")
    assert host.installed() == "0.1.0+next"
    assert host.pid() != old, "the old daemon still runs"
    assert events.ours == []
    assert host.ours() == before
    for flow in flows:
        flow.finish()
    assert host.foreign() == dropped


def test_upgrade_restarts_instances_too(service, blue):
    before = host.unit("MainPID", blue.unit)
    with blue.events() as events:
        host.run("dpkg -i " + host.NEXT)
        blue.wait()
    assert host.unit("MainPID", blue.unit) != before
    assert events.ours == []


def test_a_stopped_service_stays_disabled_over_an_upgrade(service):
    host.run("systemctl disable --now multihomed")
    try:
        host.run("dpkg -i " + host.NEXT)
        assert host.unit("UnitFileState") == "disabled"
    finally:
        host.run("systemctl enable multihomed")


def test_apt_installs_the_file(service):
    host.run(f"apt-get install -y --allow-downgrades {host.NEXT}")
    assert host.installed() == "0.1.0+next"


def test_remove_leaves_no_rule_or_route(service, blue):
    flow = host.Flow("10.1.0.2")
    host.run("dpkg -r multihomed")
    assert host.ours() == []
    assert blue.ours() == []
    assert not os.path.exists("/run/multihomed")
    assert os.path.exists(host.CONFIG), "the configuration is the admin's"
    flow.finish()  # by table main it is on the same path


def test_remove_cleans_up_behind_a_daemon_that_crashed(service):
    """As after too many crashes: systemd does not start it again."""
    host.drop_in("[Service]\nRestart=no\n")
    host.run("systemctl kill --signal=KILL multihomed")
    host.until(lambda: host.unit("ActiveState") == "failed", "its end")
    assert host.ours() != []
    host.run("dpkg -r multihomed")
    assert host.ours() == []
    assert not os.path.exists("/run/multihomed")


def test_purge_leaves_no_file(network):
    """The user stays, as Debian's policy wants: files may belong to it."""
    host.run("dpkg --purge multihomed", check=False)
    before = host.files()
    host.run("dpkg -i " + host.PACKAGE)
    assert residue(before), "the package has files"
    host.run("dpkg --purge multihomed")
    assert residue(before) == []
    assert host.installed() == ""
    assert host.unit("LoadState") == "not-found"
    assert pwd.getpwnam("multihomed").pw_shell == "/usr/sbin/nologin"


def test_the_demo_network(service):
    """debian/tests/demo, as autopkgtest runs it."""
    done = host.run(f"env -C {host.PLACE} sh debian/tests/demo", check=False,
                    limit_s=400)
    assert done.returncode == 0, done.stdout + done.stderr
