# SPDX-License-Identifier: GPL-2.0-or-later
"""A restart changes no cell, though the next advertisement may be half an hour
away: what was learned is in a file, and routers are asked."""

import contextlib
import os
import re
import signal
import socket
import threading
import time

import pytest

from lab import Daemon, until
from lab.own import own_state
from lab.ra import (B, Pio, Radvd, Site, Solicitations, all_is_well, learned,
                    net, router_ll, source, via)
from lab.shim import fail_from_now, preload
from lab.watch import Watch

ONE, TWO = net(1), net(2)
BOTH = {(router_ll(1), ONE), (router_ll(2), TWO)}


def state_file(daemon):
    return f"{daemon.socket_path}.bindings"


def text_of(daemon):
    if not os.path.isfile(state_file(daemon)):
        return ""  # nor is a pipe waited for here
    with contextlib.suppress(FileNotFoundError):
        with open(state_file(daemon), encoding="ascii",
                  errors="replace") as file:
            return file.read()
    return ""


def has_addresses(site):
    out = site.a.run("ip", "-6", "addr", "show").stdout
    return source(ONE) in out and source(TWO) in out


def start(site, model="strong"):
    """Each router has spoken once, and says nothing more unless told to."""
    daemon = site.lab.daemon(site.a, f'model = "{model}";')
    site.advert(1).send(pios=[Pio(ONE)])
    site.advert(2).send(pios=[Pio(TWO)])
    site.learned(daemon, 1, ONE)
    site.learned(daemon, 2, TWO)
    until(lambda: has_addresses(site))
    until(lambda: ONE in text_of(daemon) and TWO in text_of(daemon))
    daemon.wait()
    return daemon


def own_routes_changed(watch):
    """Events of our tables, rules and neighbours."""
    return [e for e in watch.events() if e.protocol == 109 or
            7100 <= e.table < 8000]


class Senders:
    """A packet of each source every other millisecond, in a thread."""

    def __init__(self, site):
        self.socks = []
        for prefix in (ONE, TWO):
            sock = site.a.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            sock.bind((source(prefix), 0))
            self.socks.append(sock)
        self.sent, self.errors = 0, []
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._stop:
            for sock in self.socks:
                try:
                    sock.sendto(b"x", (B, 9))
                    self.sent += 1
                except ConnectionRefusedError:
                    pass
                except OSError as err:
                    self.errors.append(err)
            time.sleep(0.002)  # a pace, not a wait

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop = True
        self._thread.join(timeout=10)


@pytest.mark.parametrize("how", ["kill", "leave"])
def test_no_cell_changes_over_a_restart(lab, how, model):
    """Nothing is written, all is known at once, and no packet strays."""
    site = Site(lab)
    daemon = start(site, model)
    before = own_state(site.a)
    with Senders(site) as senders, Watch(site.a) as watch:
        for _ in range(3):
            getattr(daemon, how)()
            sent = senders.sent
            until(lambda: senders.sent > sent + 20)
            daemon.start()
            assert learned(daemon).keys() == BOTH
            sent = senders.sent
            until(lambda: senders.sent > sent + 20)
        assert watch.by(daemon) == []
        assert own_routes_changed(watch) == []
        assert senders.errors == []
    assert daemon.status()["ops"] == 0
    assert own_state(site.a) == before
    assert site.dropped() == 0
    assert all(passed > 50 for passed, _ in site.counts().values())
    all_is_well(daemon)


@pytest.mark.no_sandbox("a shim is loaded before it")
@pytest.mark.parametrize("call", [1, 3])
def test_no_cell_changes_if_the_first_reading_fails(lab, call):
    """What is in the file can be told from nonsense only by what is read."""
    site = Site(lab)
    daemon = start(site)
    before = own_state(site.a)
    daemon.kill()
    daemon.env = preload(fault=f"receive:{call}:ENOBUFS")
    daemon.start()
    assert learned(daemon).keys() == BOTH
    assert daemon.status()["ops"] == 0
    assert own_state(site.a) == before
    all_is_well(daemon)


def test_what_was_learned_keeps_its_time(lab):
    """A restart prolongs nothing."""
    site = Site(lab)
    daemon = start(site)
    site.advert(1).send(lifetime=60, pios=[Pio(ONE)])
    until(lambda: learned(daemon)[router_ll(1), ONE] <= 60)
    daemon.leave()
    daemon.start()
    assert 30 < learned(daemon)[router_ll(1), ONE] <= 60
    assert 1700 < learned(daemon)[router_ll(2), TWO] <= 1800


def test_the_end_removes_the_file(lab):
    site = Site(lab)
    daemon = start(site)
    daemon.terminate()
    assert text_of(daemon) == ""
    left = os.listdir(os.path.dirname(state_file(daemon)))
    assert left and not [name for name in left if ".bindings" in name]


# -- asking ----------------------------------------------------------------


def test_routers_are_asked_at_the_start(lab):
    """Within a second, and a real router answers, though its next own message
    is far away."""
    site = Site(lab)
    heard = {n: Solicitations(site.routers[n]) for n in (1, 2)}
    began = time.monotonic()
    daemon = lab.daemon(site.a)
    for number in (1, 2):
        heard[number].wait()
        assert heard[number].times[0] - began < 1
    with Radvd(site.routers[1], prefixes=[ONE]):
        site.learned(daemon, 1, ONE, timeout=6)
        assert all(0 < s.count() <= 3 for s in heard.values())
        # It has answered: nobody is asked any more.
        asked = heard[1].count()
        daemon.leave()
        daemon.start()
        heard[1].wait(asked + 1)
        site.advert(1).send(pios=[Pio(ONE)])
        all_is_well(daemon)


@pytest.mark.slow
def test_routers_are_asked_three_times_at_most(lab):
    """RFC 4861, 6.3.7: four seconds apart, where nobody answers."""
    site = Site(lab)
    heard = Solicitations(site.routers[1])
    lab.daemon(site.a)
    heard.wait(3, timeout=10)
    gaps = [b - a for a, b in zip(heard.times, heard.times[1:])]
    # Read late under load, so with room.
    assert all(3.5 < gap < 4.8 for gap in gaps), gaps
    end = time.monotonic() + 4.5
    until(lambda: heard.count() > 3 or time.monotonic() > end, 6, 0.1)
    assert heard.count() == 3


def asked_over(namespace, link):
    """Solicitations sent over it, whoever sent them."""
    text = namespace.run("cat", f"/proc/thread-self/net/dev_snmp6/{link}").stdout
    return int(re.search(r"Icmp6OutRouterSolicits\s+(\d+)", text).group(1))


@pytest.mark.parametrize("n, asked", [(3, True), (40, False)])
def test_very_many_links_without_a_prefix_are_not_asked(lab, n, asked):
    """They are those of containers, and a question costs the kernel a look at
    all of them."""
    site = Site(lab)
    site.a.sysctl("ipv6/conf/default/router_solicitations", 0)  # the kernel's
    site.a.ip("\n".join(f"link add c{i} type veth peer name d{i}\n"
                        f"link set c{i} up\nlink set d{i} up"
                        for i in range(n // 2 + 1)))
    heard = Solicitations(site.routers[1])
    daemon = start(site)
    # eth0 has a prefix by now; with it down and up it has a router to ask.
    before = heard.count()
    site.a.ip("link set eth0 down\nlink set eth0 up")
    heard.wait(before + 1, timeout=6)
    sent = [asked_over(site.a, f"c{i}") for i in range(n // 2 + 1)]
    assert all(sent) if asked else not any(sent), sent
    daemon.leave()


def test_a_question_that_cannot_leave_is_said(lab):
    """Else who reads the log wonders why no router was heard."""
    site = Site(lab)
    site.a.nft("""
        table ip6 mute {
            chain out {
                type filter hook output priority 0;
                icmpv6 type nd-router-solicit drop
            }
        }""")
    daemon = lab.daemon(site.a)
    until(lambda: "asking for routers link=eth0: Operation not permitted"
          in daemon.log())


def test_a_link_that_comes_up_is_asked(lab):
    site = Site(lab)
    daemon = start(site)
    heard = Solicitations(site.routers[1])
    site.a.ip("link set eth0 down\nlink set eth0 up")
    heard.wait(timeout=4)
    site.advert(1).send(pios=[Pio(ONE)])
    site.advert(2).send(pios=[Pio(TWO)])
    until(lambda: has_addresses(site))
    site.learned(daemon, 1, ONE)
    site.learned(daemon, 2, TWO)
    assert site.passes(source(ONE)) == 1 and site.passes(source(TWO)) == 2
    all_is_well(daemon)


# -- an entry whose time is over -------------------------------------------


def change_file(daemon, change):
    """The lines after the first one, as lists of words, changed and back."""
    first, *lines = text_of(daemon).splitlines()
    kept = [" ".join(change(line.split())) for line in lines]
    with open(state_file(daemon), "w", encoding="ascii") as file:
        file.write("\n".join([first, *kept, ""]))


def test_an_expired_entry_waits_for_an_answer_of_its_router(lab):
    """Its router may have spoken while nobody listened: it stays for four
    seconds, in which routers are asked, and no longer."""
    site = Site(lab)
    daemon = start(site, "weak")
    daemon.leave()
    # Both are over; only the first router answers.
    change_file(daemon, lambda words: [*words[:3], "1", "1", "1"])
    with Watch(site.a) as watch:
        began = time.monotonic()
        daemon.start()
        assert learned(daemon).keys() == BOTH
        assert all(0 < left <= 4 for left in learned(daemon).values())
        site.advert(1).send(pios=[Pio(ONE)])
        until(lambda: learned(daemon)[router_ll(1), ONE] > 100)
        assert watch.by(daemon) == []
        until(lambda: learned(daemon).keys() == {(router_ll(1), ONE)}, 6)
        assert 3.5 < time.monotonic() - began < 5
    daemon.wait()
    assert site.a.leaves_by(B, source(ONE)) == via(1)
    all_is_well(daemon)


# -- a file that is not as it should be ------------------------------------


def test_of_another_boot(lab):
    site = Site(lab)
    daemon = start(site)
    daemon.kill()
    _, *lines = text_of(daemon).splitlines()
    with open(state_file(daemon), "w", encoding="ascii") as file:
        file.write("\n".join(["6c1b1e2a-0000-4000-8000-000000000000", *lines,
                              ""]))
    daemon.start()
    assert learned(daemon) == {}
    assert "not of this boot" in daemon.log()
    relearns(site, daemon)


def relearns(site, daemon):
    """Nothing was lost but bindings, and they come back."""
    site.advert(1).send(pios=[Pio(ONE)])
    site.advert(2).send(pios=[Pio(TWO)])
    site.learned(daemon, 1, ONE)
    site.learned(daemon, 2, TWO)
    assert site.passes(source(ONE)) == 1 and site.passes(source(TWO)) == 2
    until(lambda: ONE in text_of(daemon) and TWO in text_of(daemon))
    all_is_well(daemon)
    daemon.leave()
    daemon.start()
    assert learned(daemon).keys() == BOTH


BAD = {
    "empty": lambda text: b"",
    "nonsense": lambda text: bytes(range(256)) * 40,
    "one long line": lambda text: text.replace(b"\n", b" ") * 1000,
    "a number too big": lambda text: text.replace(b"fe80::1 ", b"9" * 300),
    "a global router": lambda text: text.replace(b"fe80::", b"2001:db8::"),
    "another family": lambda text: text.replace(ONE.encode(), b"10.0.0.0/8"),
    "a word too many": lambda text: text.replace(b"\n", b" x\n"),
    "NULs": lambda text: text.replace(b" ", b"\0"),
}


@pytest.mark.parametrize("kind", BAD)
def test_corrupted(lab, kind):
    site = Site(lab)
    daemon = start(site)
    daemon.kill()
    with open(state_file(daemon), "rb") as file:
        text = file.read()
    with open(state_file(daemon), "wb") as file:
        file.write(BAD[kind](text))
    lines = daemon.log().count("learned anew")
    daemon.start()
    assert learned(daemon).keys() <= BOTH
    assert daemon.log().count("learned anew") == lines + 1
    relearns(site, daemon)


def test_a_pipe_in_its_place_is_not_waited_for(lab):
    site = Site(lab)
    daemon = start(site)
    daemon.kill()
    os.unlink(state_file(daemon))
    os.mkfifo(state_file(daemon))
    daemon.start()
    relearns(site, daemon)


def test_truncated_anywhere(lab):
    """At every byte: what is whole counts, and no time is made up."""
    site = Site(lab)
    daemon = start(site)
    daemon.leave()
    with open(state_file(daemon), "rb") as file:
        text = file.read()
    ends = [i for i, byte in enumerate(text, 1) if byte == 10]
    for size in sorted({*range(0, len(text), 17), *ends}):
        with open(state_file(daemon), "wb") as file:
            file.write(text[:size])
        daemon.start()
        known = learned(daemon)
        assert len(known) == max(0, sum(end <= size for end in ends) - 1)
        assert all(left < 1800 for left in known.values())
        daemon.kill()
    daemon.start()
    relearns(site, daemon)


def test_links_that_are_not_there(lab):
    site = Site(lab)
    daemon = start(site)
    daemon.leave()
    change_file(daemon, lambda words: ["4242", *words[1:]])
    daemon.start()
    assert learned(daemon) == {}
    relearns(site, daemon)


@pytest.mark.parametrize("what", ["file", "new"])
def test_a_file_that_cannot_be_written(lab, what):
    """A directory stands in its place: all goes on, and the log says that
    bindings do not outlive a restart."""
    site = Site(lab)
    daemon = Daemon(site.a, "")
    lab.daemons.append(daemon)
    suffix = "" if what == "file" else ".new"
    os.mkdir(state_file(daemon) + suffix)
    os.mkdir(state_file(daemon) + suffix + "/kept")
    daemon.start()
    site.advert(1).send(pios=[Pio(ONE)])
    site.advert(2).send(pios=[Pio(TWO)])
    site.learned(daemon, 1, ONE)
    site.learned(daemon, 2, TWO)
    until(lambda: "do not outlive a restart" in daemon.log())
    until(lambda: has_addresses(site))
    all_is_well(daemon, restart=False)
    daemon.leave()
    daemon.start()
    assert learned(daemon) == {}
    os.rmdir(state_file(daemon) + suffix + "/kept")
    os.rmdir(state_file(daemon) + suffix)
    relearns(site, daemon)


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_a_restart_while_nothing_can_be_read_keeps_bindings(lab):
    """Two restarts in a row, of which one could not read a thing."""
    site = Site(lab)
    daemon = start(site)
    daemon.leave()
    assert os.path.exists(state_file(daemon))
    dumps = fail_from_now(f"{lab.directory}/dumps", "ENOBUFS")
    daemon.env = preload(dumps=dumps)
    daemon.start(wait=False)
    until(lambda: "No buffer space" in daemon.log())
    daemon.process.send_signal(signal.SIGUSR1)
    daemon.process.wait(10)
    assert os.path.exists(state_file(daemon))
    fail_from_now(dumps)
    daemon.start()


@pytest.mark.no_sandbox("a shim is loaded before it")
def test_bindings_are_learned_once_it_can_read(lab):
    """The first readings fail, a later one does not."""
    site = Site(lab)
    daemon = start(site)
    before = learned(daemon).keys()
    daemon.leave()
    dumps = fail_from_now(f"{lab.directory}/dumps", "ENOBUFS")
    daemon.env = preload(dumps=dumps)
    daemon.start(wait=False)
    until(lambda: "No buffer space" in daemon.log())
    time.sleep(2)  # some tries fail
    fail_from_now(dumps)
    daemon.wait()
    assert learned(daemon).keys() == before
