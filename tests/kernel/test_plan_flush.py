# SPDX-License-Identifier: GPL-2.0-or-later
"""multihomed --plan, --flush and --check; wrong use; a second daemon."""

import ctypes
import multiprocessing
import os
import shutil
import socket
import subprocess

import pytest

from lab import Daemon, daemon_binary, until
from lab.daemon import ROOT
from lab.mptcp import endpoints, limits
from lab.own import (foreign_state, nothing_is_ours, own_neighbours,
                     own_state)
from lab.shim import new_counts, preload, read_counts
from lab.users import MEMBER_UID, User
from lab.watch import Watch


@pytest.fixture
def idle(figure):
    """idle(config): a daemon of the figure's host that was not started."""
    def make(config=""):
        daemon = Daemon(figure.a, config)
        figure.lab.daemons.append(daemon)
        return daemon
    return make


def multihomed(daemon, *args, prefix=()):
    """Run the binary with the daemon's config and socket to its end."""
    return daemon.namespace.run(*prefix, daemon_binary(), "-c",
                                daemon.config_path, "-s", daemon.socket_path,
                                *args, check=False)


def carry_out(namespace, plan):
    """Feed the lines of --plan to ip, in order, a batch per family in a row;
    comments, for what ip has no words, are left out."""
    batch, family = [], ""
    for line in plan.splitlines() + ["end"]:
        if line.startswith("#"):
            continue
        first, _, rest = line.partition(" ")
        if first != family and batch:
            namespace.ip("\n".join(batch), family.lstrip("-"))
            batch = []
        family = first
        batch.append(rest)


def odd_host(figure):
    """Something of everything that ip(8) must be told right."""
    figure.a.ip("""
        addr add 10.2.0.3/32 dev eth1
        route add 198.51.100.0/24 via 10.2.0.1 dev eth1 mtu lock 1300 \
advmss 1200 initcwnd 20
        route add 192.0.2.0/24 nexthop via 10.1.0.1 dev eth0 weight 3 \
nexthop via 10.2.0.1 dev eth1
        route add 198.18.0.0/15 via 192.168.7.1 dev eth1 onlink
        route add 198.51.101.0/24 via inet6 fe80::1 dev eth0
        route add unreachable 10.0.0.0/8 metric 500
        route add blackhole 10.66.0.0/16
        route add 198.51.102.0/24 via 10.1.0.1 tos 0x10
        route add 2001:db8:ee::/48 via fe80::1 dev eth1 mtu 1400 pref high
        route add prohibit 2001:db8:ef::/48
        route add 2001:db8:f1::/48 nexthop via fe80::1 dev eth0 \
nexthop via fe80::1 dev eth1
    """)


# -- --plan ----------------------------------------------------------------


def test_plan_is_what_the_daemon_does(figure, idle, model):
    """Its lines, carried out by ip, leave the daemon nothing to do."""
    a = figure.a
    odd_host(figure)
    daemon = idle(f'model = "{model}";')
    plan = daemon.plan()
    assert nothing_is_ours(a), "--plan must not change anything"
    carry_out(a, plan)
    by_hand = own_state(a)
    assert daemon.plan() == ""
    with Watch(a) as watch:
        daemon.start()
        assert watch.by(daemon) == []
    assert own_state(a) == by_hand
    daemon.terminate()
    assert nothing_is_ours(a)
    daemon.start()
    assert own_state(a) == by_hand


def test_plan_with_an_encapsulation(figure, idle):
    """A tunnel's bytes have no words: such a route is a comment, and what is
    around it can be carried out."""
    a = figure.a
    a.ip("""
        route add 2001:db8:f0::/48 encap seg6 mode encap segs fc00::1 \
via fe80::1 dev eth0
        route add 198.51.100.0/24 encap ip id 5 dst 10.1.0.1 \
via 10.1.0.1 dev eth0
    """)
    daemon = idle()
    carry_out(a, daemon.plan())
    with Watch(a) as watch:
        daemon.start()
        written = {e.prefix for e in watch.by(daemon)}
        assert written <= {"2001:db8:f0::/48", "198.51.100.0/24"}
    assert "encap" in str(a.route_lines(daemon.table("eth0", "10.1.0.0/24")))


def test_plan_writes_nothing(figure, idle):
    a = figure.a
    daemon = idle()
    before = foreign_state(a)
    with Watch(a) as watch:
        assert daemon.plan().count("rule add") == 5
        assert [e for e in watch.events() if "NEIGH" not in e.kind] == []
    assert nothing_is_ours(a)
    assert foreign_state(a) == before


def test_plan_beside_a_running_daemon_is_empty(figure, model):
    odd_host(figure)
    daemon = figure.start(f'model = "{model}";')
    assert daemon.plan() == ""


def test_plan_shows_the_effect_of_a_new_config(figure, family):
    """An administrator's way to see what a reload will do."""
    a = figure.a
    daemon = figure.start('model = "weak";')
    daemon.set_config('model = "strong";')
    plan = daemon.plan()
    assert "unreachable" in plan and "rule" not in plan
    daemon.ctl("reload")
    daemon.wait()
    assert daemon.plan() == ""
    assert a.leaves_by(family.b, family.a2) == family.via2


def test_plan_without_any_uplink_is_empty(lab):
    a = lab.host()
    daemon = Daemon(a, "")
    assert daemon.plan() == ""


# -- --flush ---------------------------------------------------------------


def test_flush_removes_what_a_dead_daemon_left_and_nothing_else(figure, model):
    a = figure.a
    a.ip("""
        rule add pref 7109 from 10.1.0.0/24 table 400
        route add default via 10.1.0.1 table 400
        route add default via 10.2.0.1 table 7900
        neigh add 10.1.0.77 lladdr 02:00:00:00:00:01 dev eth0 nud permanent
    """)
    before = foreign_state(a)
    daemon = figure.start(f'model = "{model}";')
    assert own_neighbours(a)
    daemon.kill()
    done = multihomed(daemon, "--flush")
    assert done.returncode == 0, done.stderr
    assert nothing_is_ours(a)
    assert foreign_state(a) == before
    assert "10.1.0.77" in a.run("ip", "neigh", "show", "nud",
                                "permanent").stdout


def test_flush_takes_rules_first(figure):
    a = figure.a
    daemon = figure.start()
    daemon.kill()
    with Watch(a) as watch:
        multihomed(daemon, "--flush")
        kinds = [e.kind for e in watch.events() if e.protocol == 109]
    assert "DELRULE" in kinds and "DELROUTE" in kinds
    last_rule = max(i for i, kind in enumerate(kinds) if kind == "DELRULE")
    assert last_rule < kinds.index("DELROUTE")


def flush_with(daemon, env):
    """Its exit status."""
    process = daemon.namespace.start(
        daemon_binary(), "-c", daemon.config_path, "-s", daemon.socket_path,
        "--flush", env={**os.environ, **env}, stderr=subprocess.DEVNULL)
    return process.wait(timeout=30)


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_a_flush_that_could_not_remove_an_endpoint_says_so(figure):
    """Any of its messages fails once; what is left the next one removes."""
    a = figure.a
    before = limits(a)
    counts = new_counts(f"{figure.lab.directory}/counts")
    daemon = figure.start()
    daemon.kill()
    assert flush_with(daemon, preload(counts=counts)) == 0
    left = 0
    for n in range(1, read_counts(counts)["send"] + 1):
        daemon.start()
        daemon.kill()
        status = flush_with(daemon, preload(fault=f"send:{n}:ENOBUFS"))
        if endpoints(a) or limits(a) != before:
            assert status == 1, f"send {n}: left are {endpoints(a)}"
            left += 1
            assert flush_with(daemon, {}) == 0
        assert endpoints(a) == {} and limits(a) == before
    assert left >= 5


@pytest.mark.no_sandbox("without its drop-in the unit may write no sysctl")
def test_a_flush_that_could_not_put_a_setting_back_says_so(figure):
    """/proc/sys cannot be written; later it can."""
    daemon = figure.start('mptcp = { path_manager = "userspace"; };')
    daemon.kill()
    done = multihomed(daemon, "--flush", prefix=(
        "unshare", "--mount", "sh", "-c", "mount --bind /proc/sys /proc/sys &&"
        "mount -o remount,bind,ro /proc/sys && exec \"$@\"", "sh"))
    assert done.returncode == 1
    assert "put back" in done.stderr
    assert figure.a.sysctl("mptcp/pm_type") == "1"
    assert multihomed(daemon, "--flush").returncode == 0
    assert figure.a.sysctl("mptcp/pm_type") == "0"


def test_flush_where_nothing_is_ours(figure, idle):
    before = foreign_state(figure.a)
    assert multihomed(idle(), "--flush").returncode == 0
    assert foreign_state(figure.a) == before


def test_flush_is_refused_while_the_daemon_runs(figure):
    a = figure.a
    daemon = figure.start()
    before = own_state(a)
    done = multihomed(daemon, "--flush")
    assert done.returncode == 1
    assert "running" in done.stderr
    assert own_state(a) == before


def test_flush_removes_a_gateway_that_does_not_answer(figure):
    """The kernel asks for it again and again; it has no state to show."""
    a = figure.a
    a.ip("route add 198.18.0.0/15 via 192.168.7.1 dev eth1 onlink")
    daemon = figure.start()
    assert "192.168.7.1 dev eth1" in own_neighbours(a)
    daemon.kill()
    assert multihomed(daemon, "--flush").returncode == 0
    assert own_neighbours(a) == []


def test_flush_finds_tables_of_an_earlier_config(figure):
    """Everything that carries our mark is ours, whatever its table."""
    a = figure.a
    daemon = figure.start("tables = { first = 3000; last = 3010; };")
    daemon.kill()
    daemon.set_config("")
    assert multihomed(daemon, "--flush").returncode == 0
    assert nothing_is_ours(a)


@pytest.mark.parametrize("config", ["protocol = 142;\nmodel = ",
                                    "protocol = 142;\nsettle_ms = -1;",
                                    None])
def test_flush_goes_on_whatever_the_configuration(figure, config):
    """Who removes the package has no use for a lesson on its syntax."""
    a = figure.a
    daemon = figure.start("protocol = 142;" if config and "settle" in config
                          else "")
    daemon.kill()
    if config is None:
        os.unlink(daemon.config_path)
    else:
        daemon.set_config(config)
    done = multihomed(daemon, "--flush")
    assert done.returncode == 0
    assert daemon.config_path in done.stderr
    assert nothing_is_ours(a)
    for family in "46":
        assert "proto" not in a.run("ip", f"-{family}", "rule").stdout


SETTINGS = ("mptcp/pm_type", "ipv4/conf/eth0/ignore_routes_with_linkdown",
            "ipv6/conf/eth1/ignore_routes_with_linkdown")


@pytest.mark.no_sandbox("the drop-in is needed till it is put back")
def test_flush_puts_back_what_a_dead_daemon_had_set(figure):
    """Else new MPTCP connections would wait for a manager that is no more."""
    a = figure.a
    before = [a.sysctl(name) for name in SETTINGS]
    daemon = figure.start('ignore_linkdown = true; '
                          'mptcp = { path_manager = "userspace"; };')
    assert [a.sysctl(name) for name in SETTINGS] == ["1", "1", "1"]
    daemon.kill()
    daemon.set_config("")
    a.ip("link set eth1 down\nlink set eth1 name wan\nlink set wan up")
    assert multihomed(daemon, "--flush").returncode == 0
    a.ip("link set wan down\nlink set wan name eth1\nlink set eth1 up")
    assert [a.sysctl(name) for name in SETTINGS] == before
    left = os.path.basename(daemon.socket_path) + "."
    assert sorted(name for name in os.listdir(
        os.path.dirname(daemon.socket_path)) if name.startswith(left)) == [
            left + "lock"]


PACKAGE_IS_REMOVED = """
    mount -t tmpfs run /run
    cp -a {directory}/run/. /run
    touch /run/netns/blue
    mount --bind /proc/{pid}/ns/net /run/netns/blue
    PATH={directory}:$PATH sh {prerm} remove
    ls -d /run/multihomed*
"""


@pytest.mark.no_sandbox("dpkg runs it, not the unit")
def test_removing_the_package_flushes_instances(figure):
    """One that had crashed, one whose namespace is gone; what is only named
    like one stays."""
    daemon = figure.start()
    daemon.kill()
    directory = figure.lab.directory
    os.symlink(daemon_binary(), f"{directory}/multihomed")
    left = f"{directory}/run/multihomed-"
    shutil.copytree(os.path.dirname(daemon.socket_path), left + "blue",
                    ignore=shutil.ignore_patterns("io.multihomed", "notify"))
    for path in ("netns", "multihomed", "multihomed-gone", "multihomed-notes"):
        os.mkdir(f"{directory}/run/{path}")
    with open(f"{left}gone/io.multihomed.lock", "wb"):
        pass
    holder = figure.a.start("sleep", "60")
    done = figure.b.run("unshare", "-m", "sh", "-ec", PACKAGE_IS_REMOVED.format(
        directory=directory, pid=holder.pid,
        prerm=ROOT / "debian/multihomed.prerm"))
    assert done.stdout == "/run/multihomed-notes\n"
    assert nothing_is_ours(figure.a)


# -- one daemon only -------------------------------------------------------


def test_a_second_daemon_is_refused_and_touches_nothing(figure):
    a = figure.a
    daemon = figure.start()
    before = own_state(a)
    with Watch(a) as watch:
        done = multihomed(daemon)
        assert [e for e in watch.events() if e.protocol == 109] == []
    assert done.returncode == 1
    assert daemon.socket_path in done.stderr
    assert own_state(a) == before
    assert daemon.status()["pid"] == daemon.process.pid


def another(daemon):
    """Arguments for a socket beside that daemon's."""
    return ("-s", daemon.socket_path + ".2")


def test_a_second_daemon_with_a_socket_of_its_own_is_refused_too(figure):
    a = figure.a
    daemon = figure.start()
    before = own_state(a)
    for args in (), ("--flush",):
        for _ in range(40):  # more than may wait for an answer
            done = multihomed(daemon, *another(daemon), *args)
            assert done.returncode == 1
        assert f"pid {daemon.process.pid}" in done.stderr
    assert own_state(a) == before
    daemon.kill()
    assert multihomed(daemon, *another(daemon), "--flush").returncode == 0
    assert nothing_is_ours(a)


AS_A_SERVICE = ("setpriv", f"--reuid={MEMBER_UID}", f"--regid={MEMBER_UID}",
                "--clear-groups", "--inh-caps=-all,+net_admin",
                "--ambient-caps=-all,+net_admin")


@pytest.mark.no_sandbox("it has a user of its own")
def test_a_second_daemon_beside_one_of_another_user_is_refused_too(figure,
                                                                   idle):
    """As the service, which is not root, and somebody at the shell, who is."""
    daemon = idle()
    directory = os.path.dirname(daemon.socket_path)
    os.chmod(figure.lab.directory, 0o755)
    os.chown(directory, MEMBER_UID, MEMBER_UID)
    with open(daemon.log_path, "ab") as log:
        daemon.process = figure.a.start(
            *AS_A_SERVICE, daemon_binary(), "-c", daemon.config_path, "-s",
            daemon.socket_path, stdout=log, stderr=log)
    until(lambda: "ready\n" in daemon.log())
    for args in (), ("--flush",):
        done = multihomed(daemon, *another(daemon), *args)
        assert done.returncode == 1
        assert f"pid {daemon.process.pid}" in done.stderr


CLONE_NEWUSER = 0x10000000


def take_the_name(taken, done):
    """As anybody may: in the calling process's network namespace."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as name:
        name.bind("\0multihomed")
        name.listen()
        taken.set()
        done.wait(60)


def take_it_as_root_of_a_namespace(taken, done):
    """With all capabilities there are, in a user namespace of one's own."""
    if ctypes.CDLL(None).unshare(CLONE_NEWUSER) < 0:
        raise OSError("no user namespaces for users")
    take_the_name(taken, done)


def take_it_and_become_root(taken, _done, program):
    """By a program that anybody may run as root, as passwd is."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as name:
        name.bind("\0multihomed")
        name.listen()
        name.set_inheritable(True)
        taken.set()
        os.execv(program, [program, "60"])


@pytest.mark.parametrize("how", [
    take_the_name, take_it_as_root_of_a_namespace, take_it_and_become_root])
def test_a_user_who_takes_the_name_keeps_no_daemon_from_starting(figure, how):
    taken, done = multiprocessing.Event(), multiprocessing.Event()
    args = (taken, done)
    if how is take_it_and_become_root:
        program = shutil.copy("/bin/sleep", figure.lab.directory)
        os.chmod(figure.lab.directory, 0o755)
        os.chmod(program, 0o4755)
        args += (program,)
    with figure.a.inside():
        process = User().start(how, *args)
    try:
        assert taken.wait(10)
        if how is take_it_and_become_root:
            until(lambda: f"{program}" in os.readlink(
                f"/proc/{process.pid}/exe"))
        daemon = figure.start()
        assert "somebody who may not took its name" in daemon.log()
    finally:
        done.set()
        if how is take_it_and_become_root:
            process.kill()
        process.join()


def test_the_socket_of_a_dead_daemon_is_no_hindrance(figure):
    daemon = figure.start()
    daemon.kill()
    assert os.path.exists(daemon.socket_path)
    daemon.start()
    assert daemon.status()["pid"] == daemon.process.pid


# -- wrong use -------------------------------------------------------------


@pytest.mark.parametrize("args", [
    ("--nonsense",), ("-x",), ("--plan", "--flush"), ("--check", "--plan"),
    ("word",), ("-c",), ("--flush", "eth0"),
])
def test_wrong_arguments_are_status_2(figure, args):
    done = figure.a.run(daemon_binary(), *args, check=False)
    assert done.returncode == 2
    assert "--help" in done.stderr
    assert nothing_is_ours(figure.a)


@pytest.mark.parametrize("args", [("--help",), ("--version",)])
def test_help_and_version_are_status_0(args):
    done = subprocess.run([daemon_binary(), *args], capture_output=True,
                          text=True, timeout=10)
    assert done.returncode == 0
    assert "multihomed" in done.stdout and done.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("option", ["--help", "--version", "--plan"])
def test_output_that_is_lost_is_told(idle, option):
    daemon = idle()
    done = daemon.namespace.run(
        "sh", "-c", '"$@" >/dev/full', "sh", daemon_binary(), "-c",
        daemon.config_path, "-s", daemon.socket_path, option, check=False)
    assert done.returncode == 1
    assert "No space left" in done.stderr


def test_check_says_whether_the_config_is_right(figure, idle):
    daemon = idle('model = "strong";')
    assert multihomed(daemon, "--check").returncode == 0
    daemon.set_config('model = "strong";\nsettle_msec = 5;\n')
    done = multihomed(daemon, "--check")
    assert done.returncode == 1
    assert f"{daemon.config_path}:2: " in done.stderr
    assert "settle_ms" in done.stderr  # the nearest key there is
    assert nothing_is_ours(figure.a)


def test_a_bad_config_starts_nothing(figure, idle):
    daemon = idle("model = 5;")
    done = multihomed(daemon)
    assert done.returncode == 1
    assert f"{daemon.config_path}:1: " in done.stderr
    assert nothing_is_ours(figure.a)


NO_ADMIN = ("setpriv", "--bounding-set", "-net_admin", "--inh-caps",
            "-net_admin")


@pytest.mark.no_sandbox("it is run by a user, not by the unit")
def test_without_the_right_to_it_a_clear_message(figure, idle):
    done = multihomed(idle(), prefix=NO_ADMIN)
    assert done.returncode == 1
    assert "CAP_NET_ADMIN" in done.stderr
    assert nothing_is_ours(figure.a)


def test_without_the_right_to_it_flush_says_so(figure):
    a = figure.a
    daemon = figure.start()
    daemon.kill()
    before = own_state(a)
    done = multihomed(daemon, "--flush", prefix=NO_ADMIN)
    assert done.returncode == 1
    assert done.stderr != ""
    assert own_state(a) == before


@pytest.mark.no_sandbox("it is run by a user, not by the unit")
def test_plan_needs_no_rights(figure, idle):
    daemon = idle()
    everything = daemon.plan()
    done = multihomed(daemon, "--plan", prefix=NO_ADMIN)
    assert done.returncode == 0
    assert done.stdout == everything != ""
