# SPDX-License-Identifier: GPL-2.0-or-later
"""A configuration on trial: it returns by itself unless it is confirmed."""

import contextlib
import signal
import time

import pytest

from lab import tcp_open, until
from lab.own import own_state
from lab.varlink import INTERFACE, Client, VarlinkError

WEAK, STRONG = 'model = "weak";', 'model = "strong";'
DAY_S = 24 * 60 * 60


def call(daemon, method, **parameters):
    with Client(daemon.socket_path) as client:
        return client.call(f"{INTERFACE}.{method}", **parameters)


def error_of(daemon, method, **parameters):
    with pytest.raises(VarlinkError) as caught:
        call(daemon, method, **parameters)
    return caught.value.name


def attempt(daemon, text, seconds):
    daemon.set_config(text)
    call(daemon, "Reload", try_seconds=seconds)
    daemon.wait()


def model_of(daemon):
    daemon.wait()
    return daemon.status()["model"]


def test_the_old_one_returns_with_its_tables(figure):
    a = figure.a
    daemon = figure.start(WEAK)
    weak = own_state(a)
    attempt(daemon, STRONG, 1)
    began = time.monotonic()
    assert model_of(daemon) == "strong"
    assert own_state(a) != weak
    until(lambda: model_of(daemon) == "weak", 3)
    assert 0.7 < time.monotonic() - began < 2
    assert own_state(a) == weak
    assert "trial" not in daemon.status()
    lines = [line for line in daemon.log().splitlines()
             if "nobody confirmed" in line]
    assert len(lines) == 1 and ": warning: " in lines[0]
    assert "nobody confirmed" in daemon.status()["last_change"]["what"]


def test_the_status_shows_the_time_left(figure):
    daemon = figure.start(WEAK)
    assert "trial" not in daemon.status()
    attempt(daemon, STRONG, 60)
    first = daemon.status()["trial"]["seconds_left"]
    until(lambda: daemon.status()["trial"]["seconds_left"] < first)
    assert 50 < first <= 60
    assert "put on trial for 60 s" in daemon.status()["last_change"]["what"]


def test_confirm_keeps_it(figure):
    a = figure.a
    daemon = figure.start(WEAK)
    attempt(daemon, STRONG, 1)
    strong = own_state(a)
    call(daemon, "Confirm")
    assert "trial" not in daemon.status()
    time.sleep(1.2)  # the time of the trial
    assert model_of(daemon) == "strong"
    assert own_state(a) == strong


@pytest.mark.parametrize("keep", [True, None])
def test_confirm_with_keep_said(figure, keep):
    daemon = figure.start(WEAK)
    attempt(daemon, STRONG, 60)
    call(daemon, "Confirm", keep=keep)
    assert model_of(daemon) == "strong"


def test_undo_goes_back_at_once(figure):
    a = figure.a
    daemon = figure.start(WEAK)
    weak = own_state(a)
    attempt(daemon, STRONG, 60)
    call(daemon, "Confirm", keep=False)
    assert model_of(daemon) == "weak"
    assert own_state(a) == weak
    assert "trial" not in daemon.status()


def test_nothing_to_confirm(figure):
    daemon = figure.start(WEAK)
    assert error_of(daemon, "Confirm") == f"{INTERFACE}.NoTrial"
    assert error_of(daemon, "Confirm", keep=False) == f"{INTERFACE}.NoTrial"
    attempt(daemon, STRONG, 60)
    call(daemon, "Confirm")
    assert error_of(daemon, "Confirm") == f"{INTERFACE}.NoTrial"
    assert model_of(daemon) == "strong"


@pytest.mark.parametrize("seconds", [0, -1, DAY_S + 1, 2**40, "60", 1.5])
def test_a_time_that_makes_no_sense(figure, seconds):
    daemon = figure.start(WEAK)
    daemon.set_config(STRONG)
    with contextlib.closing(Client(daemon.socket_path)) as client:
        reply = client.ask(f"{INTERFACE}.Reload", {"try_seconds": seconds})
    assert reply.error == "org.varlink.service.InvalidParameter"
    assert reply.parameters == {"parameter": "try_seconds"}
    assert model_of(daemon) == "weak"


# -- reloads during a trial ------------------------------------------------

def test_a_reload_is_for_good(figure):
    daemon = figure.start(WEAK)
    attempt(daemon, STRONG, 1)
    call(daemon, "Reload")
    assert "trial" not in daemon.status()
    time.sleep(1.2)  # the time of the trial
    assert model_of(daemon) == "strong"
    assert error_of(daemon, "Confirm") == f"{INTERFACE}.NoTrial"


def test_sighup_is_for_good(figure):
    daemon = figure.start(WEAK)
    attempt(daemon, STRONG, 1)
    daemon.signal(signal.SIGHUP)
    until(lambda: "trial" not in daemon.status())
    time.sleep(1.2)  # the time of the trial
    assert model_of(daemon) == "strong"


def test_a_second_trial_starts_the_time_anew(figure):
    a = figure.a
    daemon = figure.start(WEAK)
    weak = own_state(a)
    attempt(daemon, STRONG, 1)
    attempt(daemon, STRONG + "\nrule_priority = 4000;", 60)
    time.sleep(1.2)  # the first one's time
    assert model_of(daemon) == "strong"
    assert 50 < daemon.status()["trial"]["seconds_left"] <= 60
    # What returns is what was there before the first.
    call(daemon, "Confirm", keep=False)
    daemon.wait()
    assert own_state(a) == weak


def test_a_second_trial_can_be_shorter(figure):
    daemon = figure.start(WEAK)
    attempt(daemon, STRONG, DAY_S)
    attempt(daemon, STRONG, 1)
    until(lambda: model_of(daemon) == "weak", 3)


@pytest.mark.parametrize("seconds", [None, 60])
def test_a_reload_that_fails_leaves_the_trial(figure, seconds):
    daemon = figure.start(WEAK)
    attempt(daemon, STRONG, 1)
    daemon.set_config("modle = 1;")
    assert error_of(daemon, "Reload", try_seconds=seconds) == \
        f"{INTERFACE}.ConfigInvalid"
    assert daemon.status()["trial"]["seconds_left"] <= 1
    assert model_of(daemon) == "strong"
    until(lambda: model_of(daemon) == "weak", 3)


def test_a_trial_of_a_wrong_file_is_none(figure):
    daemon = figure.start(WEAK)
    daemon.set_config("modle = 1;")
    assert error_of(daemon, "Reload", try_seconds=60) == \
        f"{INTERFACE}.ConfigInvalid"
    assert "trial" not in daemon.status()
    assert error_of(daemon, "Confirm") == f"{INTERFACE}.NoTrial"


def test_many_trials_in_a_row(figure):
    """Each configuration has lists of its own, freed once."""
    a = figure.a
    daemon = figure.start(WEAK)
    weak = own_state(a)
    for i in range(10):
        attempt(daemon, f"""
            interfaces = ( {{ match = "eth{i}"; metric_add = {i}; }} );
            routes = ( {{ to = "198.51.100.0/24"; via = "10.2.0.1";
                          dev = "eth1"; metric = {i}; }} );
            bindings = ( {{ dev = "tun{i}"; prefixes = ( "10.2.0.0/24" ); }} );
        """, 60)
        if i % 3 == 2:
            call(daemon, "Confirm", keep=False)
            daemon.wait()
            assert own_state(a) == weak
    call(daemon, "Confirm")
    daemon.reload(WEAK)
    assert own_state(a) == weak


# -- the end of the daemon -------------------------------------------------

def test_a_trial_does_not_outlive_the_daemon(figure):
    """The file holds the new configuration, and that is what is started."""
    daemon = figure.start(WEAK)
    attempt(daemon, STRONG, 60)
    daemon.leave()
    daemon.start()
    assert model_of(daemon) == "strong"
    assert "trial" not in daemon.status()
    attempt(daemon, WEAK, 60)
    daemon.terminate()
    assert own_state(figure.a)["rules4"] == []


# -- what it is for --------------------------------------------------------

def test_who_cuts_off_the_own_connection_gets_it_back(figure):
    """Somebody came in by eth1 and tries a configuration that leaves eth1
    alone: the answers leave by eth0, where R1 drops them."""
    a, b = figure.a, figure.b
    daemon = figure.start(WEAK)
    before = own_state(a)
    with tcp_open(b, a, "10.2.0.2", "203.0.113.9") as connection:
        connection.exchange()
        attempt(daemon, 'interfaces = ( { match = "eth1"; '
                        'manage = "never"; } );', 1)
        assert a.leaves_by("203.0.113.9", "10.2.0.2") == \
            "via 10.1.0.1 dev eth0"
        assert a.ping("203.0.113.9", "10.2.0.2", 2, 0.1) == 0
        until(lambda: own_state(a) == before, 3)
        connection.exchange()
    assert a.ping("203.0.113.9", "10.2.0.2") == 3
