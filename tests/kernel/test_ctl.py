# SPDX-License-Identifier: GPL-2.0-or-later
"""multihomectl and a real daemon: each command, its exit status, its form."""

import json
import re
import signal
import subprocess

import pytest

from lab import ctl_binary, until
from lab.terminal import Terminal

LIMIT_S = 15
COLUMNS = 80
PROMPT = "Press Enter to keep it"

# As they are told apart in the names of the tests.
COMMANDS = [
    "", "status", "subnets", "table", "table eth1", "table 10.1.0.0/24",
    "table 10.1.0.2", "table 7100", "bindings", "explain 203.0.113.9",
    "explain 10.2.0.2 203.0.113.9", "explain 2001:db8:2::2 2001:db8:b::9",
    "explain 10.2.0.2 203.0.113.9 --without eth1",
    "explain 192.0.2.77 203.0.113.9", "explain 10.2.0.2 10.1.0.1 --dev eth0",
    "explain 10.2.0.2 203.0.113.9 --tos 0x10", "verify", "doctor", "metrics",
    "metrics --prometheus", "reload", "wait", "wait --timeout 5",
    "complete links", "complete subnets", "complete commands", "help",
]
FOR_MACHINES = ("metrics", "complete")


def name_of(argv):
    """Its first word; status is the default."""
    return argv.split()[0] if argv else "status"


@pytest.fixture
def host(figure):
    """The figure with a route that fits one uplink only; its daemon runs."""
    figure.a.ip("route add 198.51.100.0/24 via 10.1.0.1 metric 50")
    figure.daemon = figure.start()
    return figure


# -- each command ----------------------------------------------------------

def test_every_command_is_fine_on_a_healthy_host(host):
    for argv in COMMANDS:
        done = host.daemon.ctl(*argv.split())
        assert done.stderr == "", argv
        silent = name_of(argv) in ("reload", "wait")
        assert bool(done.stdout) != silent, argv
        assert "\x1b" not in done.stdout, argv
        if name_of(argv) in FOR_MACHINES:
            continue
        for line in done.stdout.splitlines():
            assert len(line) <= COLUMNS, (argv, line)
            assert line == line.rstrip(), (argv, line)


def test_every_command_as_json(host):
    for argv in COMMANDS:
        if name_of(argv) in ("complete", "help") or "--prom" in argv:
            continue
        out = host.daemon.ctl("--json", *argv.split()).stdout
        if argv.startswith("table"):
            for line in out.splitlines():
                assert json.loads(line)["entries"], argv
        else:
            assert isinstance(json.loads(out), dict), argv


def test_text_and_json_are_of_one_answer(host):
    for reply in host.daemon.ctl("--json", "table").stdout.splitlines():
        reply = json.loads(reply)
        shown = host.daemon.ctl("table", reply["prefix"]).stdout
        assert str(reply["table"]) in shown and reply["link"] in shown
        for entry in reply["entries"]:
            prefix = entry["prefix"]
            name = re.escape(prefix)
            if prefix.endswith("/0"):
                name = f"({name}|default)"  # as ip(8) says it
            assert re.search(rf"^{name} ", shown, re.M), prefix


def test_colours_on_a_terminal_only(host):
    for argv in ("status", "subnets", "table", "explain 10.2.0.2 203.0.113.9",
                 "doctor", "verify"):
        for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            with Terminal(ctl_binary(), "-s", host.daemon.socket_path,
                          *argv.split(), env=env) as tty:
                assert tty.end() == 0
            assert ("\x1b[" in tty.text) == coloured, (argv, env)
            for line in tty.lines():
                assert len(line) <= COLUMNS, (argv, line)


# -- bad news --------------------------------------------------------------

def test_bad_news_are_an_exit_status(host):
    """Somebody's rule sends the second uplink's packets through main."""
    questions = ("verify", "doctor", "explain 10.2.0.2 203.0.113.9")
    for argv in questions:
        assert host.daemon.ctl(*argv.split(), check=False).returncode == 0
    host.a.ip("rule add pref 50 from 10.2.0.0/24 lookup main")
    host.daemon.wait()
    for argv in questions:
        for form in ((), ("--json",)):
            done = host.daemon.ctl(*argv.split(), *form, check=False)
            assert (done.returncode, done.stderr) == (1, ""), done
    host.a.ip("rule del pref 50")
    host.daemon.wait()
    for argv in questions:
        assert host.daemon.ctl(*argv.split(), check=False).returncode == 0


@pytest.mark.parametrize("argv, status, words", [
    ("table 10.77.0.0/24", 1, "no managed subnet fits: 10.77.0.0/24"),
    ("table eth7", 1, "no managed subnet fits: eth7"),
    ("explain 203.0.113.9 --dev eth7", 1, "no link of that name: eth7"),
    ("explain 203.0.113.9 --without eth7", 1, "no link of that name: eth7"),
    ("confirm", 1, "no configuration is on trial"),
    ("undo", 1, "no configuration is on trial"),
    ("explain", 2, "usage: multihomectl explain [SRC] DST"),
    ("explain r1 203.0.113.9", 2, "'r1' is no address"),
    ("explain 203.0.113.9 --tos 3", 2, "no multiple of 4: 3"),
    ("explain 203.0.113.9 --dev eth0 --without eth1", 2,
     "--dev and --without do not go together"),
    ("mptcp zz", 2, "'zz' is no token"),
    ("unpin foo", 2, "'foo' is no address"),
    ("explain ::ffff:10.2.0.2 ::ffff:203.0.113.9", 2, "give 10.2.0.2"),
    ("explain ::FFFF:cb00:7109", 2, "give 203.0.113.9"),
    ("unpin ::ffff:203.0.113.9", 2, "give 203.0.113.9"),
    ("table eth0 eth1", 2, "too many arguments: eth1"),
    ("nonsense", 2, "no such command: nonsense"),
])
def test_mistakes_are_told(figure, argv, status, words):
    daemon = figure.start()
    done = daemon.ctl(*argv.split(), check=False)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr


def test_without_a_daemon(host):
    host.daemon.terminate()
    for argv in COMMANDS + ["monitor", "reload --try 5", "confirm"]:
        done = host.daemon.ctl(*argv.split(), check=False)
        if argv in ("help", "complete commands"):
            assert done.returncode == 0
            continue
        assert (done.returncode, done.stdout) == (3, ""), argv
        if name_of(argv) == "complete":
            assert done.stderr == ""
        else:
            assert "is multihomed running?" in done.stderr


# -- monitor ---------------------------------------------------------------

LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{3} (heard  |planned|wrote  |failed |"
                  r"done   ) \S| {21}\S")


def start_monitor(host, *argv):
    """Its Popen, and the file its output goes to. Back when it listens."""
    path = f"{host.daemon.log_path}.monitor"
    before = clients(host)
    with open(path, "w", encoding="utf-8") as out:
        # pylint: disable=consider-using-with
        process = subprocess.Popen(
            [ctl_binary(), "-s", host.daemon.socket_path, "monitor", *argv],
            stdout=out, stderr=subprocess.STDOUT)
    until(lambda: clients(host) > before)
    return process, path


def clients(host):
    """How many listen."""
    reply = json.loads(host.daemon.ctl("--json", "metrics").stdout)
    for metric in reply["metrics"]:
        if metric["name"] == "multihomed_control_monitors":
            return metric["samples"][0]["value"]
    raise AssertionError("no such metric")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_monitor_tells_what_led_to_what(host):
    process, path = start_monitor(host)
    host.a.ip("route add 192.0.2.0/24 via 10.2.0.1")
    until(lambda: "done " in read(path))
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=LIMIT_S) == 0
    lines = read(path).splitlines()
    for line in lines:
        # In a pipe a line is whole, however long: somebody may search it.
        assert LINE.match(line), line
    assert any(line[13:18] == "heard" and "192.0.2.0/24" in line
               for line in lines)
    wrote = [line for line in lines if line[13:18] == "wrote"]
    assert len(wrote) == 2 and all("192.0.2.0/24" in line for line in wrote)
    assert re.search(r"done +heard \d+, planned 1 prefix, wrote 2, "
                     r"\d+\.\d\d ms", "\n".join(lines))


def test_monitor_as_json_is_one_object_a_line(host):
    process, path = start_monitor(host, "--json")
    for i in range(3):
        host.a.ip(f"route add 192.0.{i}.0/24 via 10.2.0.1")
        host.daemon.wait()
    until(lambda: read(path).count("\n") >= 3)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=LIMIT_S) == 0
    rounds = [json.loads(line) for line in read(path).splitlines()]
    wrote = [line for one in rounds for line in one["wrote"]]
    for i in range(3):
        assert sum(f"192.0.{i}.0/24" in line for line in wrote) == 2


def test_monitor_tells_that_the_daemon_ended(host):
    process, path = start_monitor(host)
    host.daemon.leave()
    assert process.wait(timeout=LIMIT_S) == 3
    assert "hung up" in read(path)


# -- metrics ---------------------------------------------------------------

def test_promtool_takes_the_older_format(host):
    """promtool is in the Debian package prometheus."""
    page = host.daemon.ctl("metrics", "--prometheus").stdout
    done = subprocess.run(["promtool", "check", "metrics"], input=page,
                          capture_output=True, text=True, timeout=LIMIT_S)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    # It would not have taken just anything.
    done = subprocess.run(["promtool", "check", "metrics"],
                          input=page.replace("# HELP", "# HLEP"),
                          capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode != 0


def test_openmetrics_passes_a_strict_parser(host):
    """It is in the Debian package python3-prometheus-client."""
    from prometheus_client.openmetrics.parser import \
        text_string_to_metric_families as parse
    page = host.daemon.ctl("metrics").stdout
    families = {family.name: family for family in parse(page)}
    reply = json.loads(host.daemon.ctl("--json", "metrics").stdout)
    assert set(families) == {metric["name"] for metric in reply["metrics"]}
    for metric in reply["metrics"]:
        family = families[metric["name"]]
        assert family.type == metric["type"]
        assert len(family.samples) == len(metric["samples"])
        assert family.unit in ("", metric["unit"])
    with pytest.raises(ValueError):
        list(parse(page.replace("# EOF\n", "")))


# -- a configuration on trial ----------------------------------------------

def model(daemon):
    return daemon.status()["model"]


def start_trial(host, seconds):
    host.daemon.set_config('model = "strong";')
    tty = Terminal(ctl_binary(), "-s", host.daemon.socket_path, "reload",
                   "--try", str(seconds))
    tty.expect(PROMPT)
    assert model(host.daemon) == "strong"
    assert host.daemon.status()["trial"]["seconds_left"] <= seconds
    return tty


@pytest.mark.parametrize("key, status, after", [
    ("\n", 0, "strong"), ("\x03", 1, "weak"), ("q", 1, "weak")],
    ids=["enter", "ctrl-c", "q"])
def test_a_trial_ends_by_a_key(host, key, status, after):
    with start_trial(host, 60) as tty:
        tty.type(key)
        assert tty.end() == status
    assert model(host.daemon) == after
    assert "trial" not in host.daemon.status()


def test_a_trial_ends_by_itself(host):
    with start_trial(host, 2) as tty:
        assert tty.end() == 1
        assert "Time is over: the old configuration is back." in tty.lines()
    assert model(host.daemon) == "weak"


@pytest.mark.parametrize("keys", ["\n", "q"])
def test_a_key_decides_about_no_trial_of_somebody_else(host, keys):
    """Who presses it has not heard of the other one yet."""
    with start_trial(host, 60) as tty:
        host.daemon.ctl("reload", "--try", "600")
        tty.type(keys)
        assert tty.end() == 1
        assert "Somebody else has put another configuration on trial." in \
            tty.lines()
    assert host.daemon.status()["trial"]["seconds_left"] > 500
    host.daemon.ctl("undo")


@pytest.mark.parametrize("command, after", [("confirm", "strong"),
                                            ("undo", "weak")])
def test_a_trial_is_ended_elsewhere(host, command, after):
    with start_trial(host, 60) as tty:
        assert host.daemon.ctl(command).stdout
        assert tty.end() == 1
        assert any("Somebody else" in line for line in tty.lines())
    assert model(host.daemon) == after


def test_a_trial_outlives_the_connection_and_returns(host):
    with start_trial(host, 2) as tty:
        tty.hang_up()
        tty.process.wait(timeout=LIMIT_S)
    until(lambda: model(host.daemon) == "weak", timeout=5)


def test_a_trial_from_a_script(host):
    host.daemon.set_config('model = "strong";')
    done = host.daemon.ctl("reload", "--try", "60")
    assert done.stdout.endswith(
        f"multihomectl -s {host.daemon.socket_path} confirm\n")
    assert model(host.daemon) == "strong"
    assert host.daemon.ctl("undo").stdout == "The old configuration is back.\n"
    assert model(host.daemon) == "weak"


def test_a_refused_trial_changes_nothing(host):
    host.daemon.set_config('model = "bold";')
    done = host.daemon.ctl("reload", "--try", "60", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{host.daemon.config_path}:1: " in done.stderr
    assert "trial" not in host.daemon.status()


def test_a_closed_output_is_an_error_and_no_socket(host):
    """What is opened next gets its number: the answer must not go there."""
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", ctl_binary(), "-s",
         host.daemon.socket_path, "status"],
        stderr=subprocess.PIPE, text=True, timeout=LIMIT_S)
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert "dropped" not in host.daemon.log()
