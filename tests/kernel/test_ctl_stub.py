# SPDX-License-Identifier: GPL-2.0-or-later
"""multihomectl and a daemon that answers what the test says: exit statuses,
streams, complaints, and the question whether to keep a configuration."""

import json
import os
import signal
import subprocess
import time

import pytest

from lab import ctl_binary, until
from lab.stub import HANG, HANG_UP, Fault, Stub
from lab.terminal import Terminal

LIMIT_S = 15
PROMPT = "Press Enter to keep it"


def ctl(stub, *argv, **run_args):
    return subprocess.run([ctl_binary(), "-s", stub.path, *argv],
                          capture_output=True, text=True, timeout=LIMIT_S,
                          **run_args)


# -- exit status -----------------------------------------------------------

EXPLAIN = ("explain", "203.0.113.9")

STATUS_CASES = [
    # command, replies, exit status, why
    (("verify",), [{"found": 0}], 0, "nothing found"),
    (("verify",), [{"found": 2}], 1, "disagreements"),
    (("verify",), [{"found": 2}, {"found": 0}], 0, "the last reply counts"),
    (("doctor",), [{"findings": []}], 0, "nothing found"),
    (("doctor",), [{"findings": [{"severity": "hint"}]}], 0, "hints only"),
    (("doctor",), [{"findings": [{"severity": "hint"},
                                 {"severity": "warning"}]}], 1, "a warning"),
    (("doctor",), [{"findings": [{"severity": "error"}]}], 1, "an error"),
    (EXPLAIN, [{"agrees": True}], 0, "the kernel agrees"),
    (EXPLAIN, [{"agrees": False}], 1, "the kernel does not"),
    (EXPLAIN, [{}], 0, "nothing to compare with"),
    (EXPLAIN, [Fault("NoSuchLink", {"link": "x"})], 1, "an error"),
    (("status",), [{"problems": ["x"]}], 0, "it could be told"),
    (("wait",), [Fault("Timeout")], 1, "an error"),
    (("confirm",), [Fault("NoTrial")], 1, "an error"),
    (("subnets",), [HANG_UP], 3, "gone"),
    (("table",), [{"entries": []}, HANG_UP], 3, "gone in the middle"),
    (("monitor",), [{"time": 0}, HANG_UP], 3, "gone"),
]


@pytest.mark.parametrize("argv, replies, status, why", STATUS_CASES,
                         ids=[f"{c[0][0]}: {c[3]}" for c in STATUS_CASES])
@pytest.mark.parametrize("form", ["text", "json"])
def test_the_exit_status(argv, replies, status, why, form):
    method = {"confirm": "Confirm"}.get(argv[0], argv[0].capitalize())
    with Stub({method: replies}) as stub:
        done = ctl(stub, *argv, *(["--json"] if form == "json" else []))
    assert done.returncode == status, (why, done)
    assert bool(done.stderr) == (status == 3 or
                                 isinstance(replies[-1], Fault)), done


def test_no_daemon(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        done = subprocess.run([ctl_binary(), "-s", str(path)],
                              capture_output=True, text=True, timeout=LIMIT_S)
        assert (done.returncode, done.stdout) == (3, "")
        assert str(path) in done.stderr


def test_a_daemon_that_answers_nonsense():
    with Stub({"Status": lambda _: [{"subnets": 7, "problems": {"a": [1]}}],
               "Subnets": [[]]}) as stub:
        assert ctl(stub, "status").returncode == 0
        done = ctl(stub, "subnets")
    assert done.returncode == 3
    assert "no Varlink service" in done.stderr


# -- what is asked ---------------------------------------------------------

CALL_CASES = [
    ((), ("Status", {}, False)),
    (("status",), ("Status", {}, False)),
    (("subnets",), ("Subnets", {}, False)),
    (("table",), ("Table", {}, True)),
    (("table", "eth0"), ("Table", {"subnet": "eth0"}, True)),
    (("explain", "192.0.2.1"),
     ("Explain", {"destination": "192.0.2.1"}, False)),
    (("explain", "192.0.2.2", "192.0.2.1"),
     ("Explain", {"source": "192.0.2.2", "destination": "192.0.2.1"}, False)),
    (("explain", "--dev", "eth0", "::1", "--tos", "0x10"),
     ("Explain", {"destination": "::1", "dev": "eth0", "tos": 16}, False)),
    (("explain", "::1", "--without=eth1"),
     ("Explain", {"destination": "::1", "without": "eth1"}, False)),
    (("bindings",), ("Bindings", {}, False)),
    (("verify",), ("Verify", {}, True)),
    (("doctor",), ("Doctor", {}, False)),
    (("monitor",), ("Monitor", {}, True)),
    (("metrics", "--prometheus"), ("Metrics", {}, False)),
    (("reload",), ("Reload", {}, False)),
    (("reload", "--try", "60"), ("Reload", {"try_seconds": 60}, False)),
    (("confirm",), ("Confirm", {"keep": True}, False)),
    (("undo",), ("Confirm", {"keep": False}, False)),
    (("wait",), ("Wait", {"timeout_ms": 30000}, False)),
    (("wait", "--timeout", "0.5"), ("Wait", {"timeout_ms": 500}, False)),
    (("--timeout=2", "wait"), ("Wait", {"timeout_ms": 2000}, False)),
]


@pytest.mark.parametrize("argv, call", CALL_CASES,
                         ids=[" ".join(c[0]) or "-" for c in CALL_CASES])
def test_what_is_asked(argv, call):
    with Stub({call[0]: [{}]}) as stub:
        done = ctl(stub, *argv)
        assert (done.returncode, done.stderr) == (0, "")
        assert stub.calls == [call]


# -- errors ----------------------------------------------------------------

ERROR_CASES = [
    (("table", "x"), Fault("NoSuchSubnet", {"subnet": "x"}),
     "table: no managed subnet fits: x"),
    (("table",), Fault("NoSuchSubnet", {"subnet": ""}),
     "table: no subnet is managed"),
    (EXPLAIN, Fault("NoSuchLink", {"link": "eth9"}),
     "explain: there is no link of that name: eth9"),
    (("status",), Fault("org.varlink.service.PermissionDenied"),
     "status: only root and the daemon's own user may do this"),
    (("doctor",), Fault("io.other.Strange", {"a": 1, "b": [2]}),
     'doctor: io.other.Strange: { "a": 1, "b": [ 2 ] }'),
    (("undo",), Fault("NoTrial"), "undo: no configuration is on trial"),
    (("verify",), Fault("KernelFailed", {"error": "E\x1b[2JX"}),
     "verify: the kernel could not be asked: E?[2JX"),
]


@pytest.mark.parametrize("argv, fault, words", ERROR_CASES,
                         ids=[c[1].name for c in ERROR_CASES])
def test_errors_in_words_and_as_json(argv, fault, words):
    method = {"undo": "Confirm"}.get(argv[0], argv[0].capitalize())
    with Stub({method: [fault]}) as stub:
        done = ctl(stub, *argv)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == words + "\n"
        done = ctl(stub, "--json", *argv)
    assert done.stderr == words + "\n"
    said = json.loads(done.stdout)
    assert said["error"].endswith(fault.name)
    assert said["parameters"] == fault.parameters


def test_an_empty_subnet_is_a_mistake_and_not_all_of_them():
    with Stub({"Table": [{"entries": []}]}) as stub:
        done = ctl(stub, "table", "")
        assert (done.returncode, done.stdout) == (2, "")
        assert "table: the name of the subnet is empty" in done.stderr
        assert stub.calls == []


# -- streams ---------------------------------------------------------------

def table_reply(i):
    return {"link": "eth0", "prefix": "10.1.0.0/24", "table": 7100,
            "entries": [{"prefix": f"10.9.{i}.0/24", "kind": "congruent",
                         "type": "unicast", "state": "in_place",
                         "next_hops": [{"via": "10.1.0.1", "dev": "eth0"}],
                         "metric": 100, "route": ""}]}


def test_a_stream_as_json_is_one_object_a_line():
    replies = [table_reply(i) for i in range(3)]
    with Stub({"Table": replies}) as stub:
        out = ctl(stub, "table", "--json").stdout
    assert [json.loads(line) for line in out.splitlines()] == replies


def test_one_answer_as_json_is_its_parameters():
    with Stub({"Verify": [{"asked": 1}, {"found": 0, "path": "a/b"}],
               "Confirm": [{}]}) as stub:
        out = ctl(stub, "--json", "verify").stdout
        assert json.loads(out) == {"found": 0, "path": "a/b"}
        assert "a/b" in out and len(out.splitlines()) > 1
        assert ctl(stub, "confirm", "--json").stdout == "{}\n"


def start(stub, *argv, **popen_args):
    return subprocess.Popen([ctl_binary(), "-s", stub.path, *argv], text=True,
                            stderr=subprocess.PIPE, **popen_args)


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_a_pager_that_ends_ends_a_long_table(form):
    replies = [table_reply(i) for i in range(5000)]
    with Stub({"Table": replies}) as stub:
        process = start(stub, "table", *form, stdout=subprocess.PIPE)
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=LIMIT_S) == 0
        assert process.stderr.read() == ""
        process.stderr.close()


def test_a_pager_that_ends_ends_a_silent_monitor():
    with Stub({"Monitor": [{"time": 0}, HANG]}) as stub:
        process = start(stub, "monitor", stdout=subprocess.PIPE)
        assert "heard 0" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=LIMIT_S) == 0
        assert process.stderr.read() == ""
        process.stderr.close()


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_monitor_goes_on_until_it_is_interrupted(form):
    """What it has heard is there at once, through a pipe too."""
    with Stub({"Monitor": [{"time": 0}, {"time": 1}, HANG]}) as stub:
        process = start(stub, "monitor", *form, stdout=subprocess.PIPE)
        process.stdout.readline()
        process.stdout.readline()
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_told():
    with Stub({"Status": [{}], "Table": [table_reply(0)]}) as stub:
        for command in ("status", "table", "help"):
            with open("/dev/full", "w", encoding="ascii") as full:
                process = start(stub, command, stdout=full)
                _, err = process.communicate(timeout=LIMIT_S)
            assert process.returncode == 1
            assert "cannot write: No space left" in err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_disk_that_was_full_before_the_end_is_no_broken_one():
    """Of more than one write: which of them failed, and why, nobody knows."""
    entries = table_reply(0)["entries"] * 500
    with Stub({"Table": [{**table_reply(0), "entries": entries}]}) as stub:
        with open("/dev/full", "w", encoding="ascii") as full:
            process = start(stub, "--json", "table", stdout=full)
            _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1
    assert "cannot write all of it (is the disk full?)" in err


@pytest.mark.parametrize("argv", [("help",), ("--help",), ("--version",),
                                  ("complete", "commands")])
def test_a_pager_that_has_ended_is_no_bad_news(argv):
    read, write = os.pipe()
    os.close(read)
    with Stub({}) as stub:
        process = start(stub, *argv, stdout=write)
        os.close(write)
        _, err = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, err) == (0, "")


def test_verify_shows_how_far_it_is_on_a_terminal_only():
    replies = [{"asked": 1200, "total": 2800}, {"asked": 2800, "total": 2800,
                                                "found": 0}]
    with Stub({"Verify": replies}) as stub:
        with Terminal(ctl_binary(), "-s", stub.path, "verify") as tty:
            assert tty.end() == 0
        assert "verify: 42 % (1200 of 2800)" in tty.text
        assert not any("verify:" in line for line in tty.lines())
        done = ctl(stub, "verify")
    assert "(1200 of" not in done.stdout + done.stderr


# -- colours ---------------------------------------------------------------

@pytest.mark.parametrize("env, coloured", [
    ({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False),
    ({"NO_COLOR": ""}, True)])
def test_colours_on_a_terminal_unless_unwanted(env, coloured):
    with Stub({"Monitor": [{"time": 0}], "Status": [{}]}) as stub:
        for command in ("status", "monitor"):
            with Terminal(ctl_binary(), "-s", stub.path, command,
                          env=env) as tty:
                assert tty.end() == 0
            assert ("\x1b[" in tty.text) == coloured
            assert "\x1b" not in ctl(stub, command).stdout


# -- completion ------------------------------------------------------------

def test_words_for_a_shell():
    subnets = [{"link": link, "prefix": prefix} for link, prefix in (
        ("eth0", "10.1.0.0/24"), ("eth0", "2001:db8::/64"),
        ("eth1", "10.1.0.0/24"), ("$(reboot)", "x y"), ("a;b", "`c`"),
        ("wg\x1b0", ""), ("vlan.7", "192.0.2.1/32"))]
    with Stub({"Subnets": [{"subnets": subnets}]}) as stub:
        assert ctl(stub, "complete", "links").stdout.split() == \
            ["eth0", "eth1", "vlan.7"]
        assert ctl(stub, "complete", "subnets").stdout.split() == \
            ["10.1.0.0/24", "2001:db8::/64", "192.0.2.1/32"]
        words = ctl(stub, "complete", "commands").stdout.split()
        assert {"status", "explain", "help"} < set(words)
        assert "complete" not in words
    with Stub({"Subnets": [HANG]}) as stub:
        begin = time.monotonic()
        done = ctl(stub, "complete", "links")
        assert (done.stdout, done.stderr, done.returncode) == ("", "", 3)
        assert time.monotonic() - begin < 5


# -- a configuration on trial ----------------------------------------------

class Trial:
    """What the daemon knows of one."""

    def __init__(self, seconds):
        self.until = time.monotonic() + seconds
        self.confirmed = []

    def status(self, _parameters=None):
        left = self.until - time.monotonic()
        return [{"trial": {"seconds_left": left}} if left > 0 else {}]

    def confirm(self, parameters):
        if time.monotonic() > self.until:
            return [Fault("NoTrial")]
        self.confirmed.append(parameters["keep"])
        self.until = 0
        return [{}]

    def end(self):
        self.until = 0


class TrialStub(Stub):
    """Stub with one trial that begins with Reload."""

    def __init__(self):
        super().__init__({"Reload": self.reload,
                          "Status": lambda p: self.trial.status(p),
                          "Confirm": lambda p: self.trial.confirm(p)})
        self.trial = None

    def reload(self, parameters):
        self.trial = Trial(parameters["try_seconds"])
        return [{}]

    def terminal(self, seconds=30):
        tty = Terminal(ctl_binary(), "-s", self.path, "reload", "--try",
                       str(seconds))
        tty.expect("The new configuration runs.")
        tty.expect(PROMPT)
        return tty


@pytest.mark.parametrize("key, keep, status, words", [
    ("\n", True, 0, "The new configuration stays."),
    ("\r", True, 0, "The new configuration stays."),
    ("\x03", False, 1, "The old configuration is back."),
    ("q", False, 1, "The old configuration is back.")],
    ids=["enter", "return", "ctrl-c", "q"])
def test_a_key_decides(key, keep, status, words):
    with TrialStub() as stub, stub.terminal() as tty:
        tty.expect("(30 s left)")
        tty.expect("(29 s left)")
        assert stub.trial.confirmed == []
        tty.type("x \t")  # neither yes nor no
        tty.type(key)
        assert tty.end() == status
        assert stub.trial.confirmed == [keep]
        assert [line for line in tty.lines() if line] == \
            ["The new configuration runs.", words]


def test_no_key_before_the_question_counts():
    with TrialStub() as stub:
        begin = stub.reload

        def slowly(parameters):
            tty.type("\n")
            time.sleep(0.2)
            return begin(parameters)

        stub.methods["Reload"] = slowly
        with Terminal(ctl_binary(), "-s", stub.path, "reload", "--try",
                      "2") as tty:
            tty.expect(PROMPT)
            tty.expect("(1 s left)")
            assert stub.trial.confirmed == []


def test_the_time_is_over():
    with TrialStub() as stub, stub.terminal(1) as tty:
        assert tty.end() == 1
        assert "Time is over: the old configuration is back." in tty.lines()
        assert stub.trial.confirmed == []


def test_somebody_else_ends_it():
    with TrialStub() as stub, stub.terminal() as tty:
        stub.trial.end()
        assert tty.end() == 1
        assert any("Somebody else has ended the trial" in line
                   for line in tty.lines())


def test_somebody_else_ends_it_at_the_last_moment():
    """The key comes before the next look at the clock."""
    with TrialStub() as stub, stub.terminal() as tty:
        stub.trial.end()
        tty.type("\n")
        assert tty.end() == 1
        assert any("Somebody else has ended the trial" in line
                   for line in tty.lines())


def test_somebody_else_tries_another():
    with TrialStub() as stub, stub.terminal() as tty:
        stub.trial = Trial(300)
        assert tty.end() == 1
        assert any("another configuration on trial" in line
                   for line in tty.lines())
        assert stub.trial.confirmed == []


def test_a_lost_terminal_confirms_nothing():
    """The connection over which it was configured may be what broke."""
    with TrialStub() as stub, stub.terminal() as tty:
        tty.hang_up()
        assert tty.process.wait(timeout=LIMIT_S) != 0
        assert stub.trial.confirmed == []


def test_the_terminal_is_as_it_was():
    with TrialStub() as stub:
        script = (f"{ctl_binary()} -s {stub.path} reload --try 30; "
                  "stty -a; echo done")
        with Terminal("sh", "-c", script) as tty:
            tty.expect(PROMPT)
            tty.type("\n")
            tty.expect("done")
            assert tty.end() == 0
        words = tty.text.replace(";", " ").split()
        assert "icanon" in words and "echo" in words


def test_the_daemon_ends_meanwhile():
    with TrialStub() as stub, stub.terminal() as tty:
        stub.methods["Status"] = [HANG_UP]
        assert tty.end() == 3
        assert any("hung up" in line for line in tty.lines())


def test_a_refused_trial_asks_nothing():
    errors = [{"file": "/etc/x.conf", "line": 3, "message": "bad"}]
    with Stub({"Reload": [Fault("ConfigInvalid", {"errors": errors})]}) as stub:
        with Terminal(ctl_binary(), "-s", stub.path, "reload", "--try",
                      "30") as tty:
            assert tty.end() == 1
    assert "/etc/x.conf:3: bad" in tty.lines()
    assert PROMPT not in tty.text


def test_without_a_terminal_it_says_what_to_do():
    with TrialStub() as stub:
        done = ctl(stub, "reload", "--try", "60", stdin=subprocess.DEVNULL)
        assert (done.returncode, done.stderr) == (0, "")
        assert "60 s" in done.stdout
        assert f"multihomectl -s {stub.path} confirm\n" in done.stdout
        until(lambda: stub.calls == [("Reload", {"try_seconds": 60}, False)])
        done = ctl(stub, "--json", "reload", "--try", "60")
        assert (done.returncode, done.stdout) == (0, "{}\n")


def test_json_asks_nothing_on_a_terminal():
    with TrialStub() as stub:
        with Terminal(ctl_binary(), "-s", stub.path, "reload", "--try", "60",
                      "--json") as tty:
            assert tty.end() == 0
        assert [line for line in tty.lines() if line] == ["{}"]
