# SPDX-License-Identifier: GPL-2.0-or-later
"""Whoever is on a link can send advertisements: malformed ones, and more of
them than anybody can use. What counts is what the daemon believes of it, what
that costs, and whether it still answers."""

import contextlib
import multiprocessing
import os
import time

import pytest

from lab import until
from lab.own import own_state
from lab.ra import (Advertiser, B, Pio, Rio, Site, all_is_well, bindings,
                    cpu_seconds, learned, message, net, resident_kib,
                    router_ll, source, via)
from lab.varlink import Client
from lab.visit import after_others, is_sanitized, limit

ONE, TWO, EVIL = net(1), net(2), net(0xbad)
STATUS_S = 0.1
# More than are kept of a link. Linux has 1024 neighbours for all namespaces, and if
# they are used up, other tests' routers find no place. So only the host hears of
# them; and they are of one solicited-node group, which is a neighbour too.
ROUTERS = 600
_fork = multiprocessing.get_context("fork")


def start(site, config=""):
    daemon = site.lab.daemon(site.a, config)
    site.advert(1).send(pios=[Pio(ONE)])
    site.advert(2).send(pios=[Pio(TWO)])
    site.learned(daemon, 1, ONE)
    site.learned(daemon, 2, TWO)
    until(lambda: site.passes(source(ONE)) == 1 and
          site.passes(source(TWO)) == 2)
    daemon.wait()
    return daemon


def quiet_pio(prefix, **fields):
    """The kernel does nothing with it."""
    return Pio(prefix, autonomous=False, on_link=False, **fields)


def taken_in(site, daemon, sentinel):
    """What was sent before has been looked at: this comes after it."""
    site.advert(1).send(pios=[quiet_pio(sentinel)])
    site.learned(daemon, 1, sentinel)


# -- malformed -------------------------------------------------------------


def with_bits(prefix, bits):
    data = bytearray(quiet_pio(prefix).bytes())
    data[2] = bits
    return bytes(data)


GOOD = quiet_pio(EVIL).bytes()
# Whole messages that count for nothing.
BAD_MESSAGES = {
    "no body": message(raw=GOOD)[:8],
    "one byte short": message()[:15],
    "an option of length zero": message(raw=GOOD + bytes([3, 0]) + bytes(6)),
    "zero-length options to the end": message(raw=GOOD + bytes(800)),
    "an option beyond the end": message(raw=GOOD + bytes([3, 4]) + bytes(22)),
    "half an option's header": message(raw=GOOD + bytes([3])),
    "an option of 255": message(raw=GOOD + bytes([1, 255]) + bytes(1000)),
    "another code": message(raw=GOOD)[:1] + b"\1" + message(raw=GOOD)[2:],
}
# Options that count for nothing in messages that do.
BAD_OPTIONS = {
    "a prefix of one unit": bytes([3, 1]) + bytes(6),
    "a prefix of three units": bytes([3, 3]) + GOOD[2:24],
    "129 bits": with_bits(EVIL, 129),
    "255 bits": with_bits(EVIL, 255),
    "no bits": with_bits(EVIL, 0),
    "link-local": quiet_pio("fe80::/64").bytes(),
    "multicast": quiet_pio("ff0e::/16").bytes(),
    "a route of 200 bits": bytes([24, 3, 200, 0]) + bytes(20),
    "unknown": bytes([200, 4]) + bytes(30),
}


def test_malformed_messages_teach_nothing(lab):
    site = Site(lab)
    daemon = start(site)
    before, ops = learned(daemon).keys(), daemon.status()["ops"]
    for number, (why, body) in enumerate(BAD_MESSAGES.items()):
        for _ in range(3):
            site.advert(2).transmit(site.advert(2).frame(body))
        taken_in(site, daemon, net(1, 0x70 + number))
        known = {key for key in learned(daemon) if key[0] == router_ll(2)}
        assert known == {(router_ll(2), TWO)}, why
    assert before <= learned(daemon).keys()
    assert daemon.status()["ops"] == ops
    assert 0 < daemon.log().count("was ignored") <= 2
    all_is_well(daemon)


def test_malformed_options_are_passed_over(lab):
    site = Site(lab)
    daemon = start(site)
    ops = daemon.status()["ops"]
    for number, (why, option) in enumerate(BAD_OPTIONS.items()):
        whole = net(2, 0x70 + number)
        raw = option + quiet_pio(whole).bytes()
        site.advert(2).send(pios=[Pio(TWO)], raw=raw)
        site.learned(daemon, 2, whole)
        assert not [p for _, p in learned(daemon)
                    if "bad" in p or p.startswith(("f", ":"))], why
    assert daemon.status()["ops"] == ops
    all_is_well(daemon)


@pytest.mark.parametrize("fields", [
    {"hop_limit": 64}, {"hop_limit": 254}, {"src": "2001:db8:1::1"},
    {"src": "::"}, {"src": "::1"}], ids=str)
def test_messages_that_cannot_be_from_a_router_of_the_link(lab, fields):
    """RFC 4861, 6.1.2: neither to learn from nor to forget by."""
    site = Site(lab)
    daemon = start(site)
    before = learned(daemon).keys()
    for _ in range(5):
        site.advert(1).send(pios=[quiet_pio(EVIL)], **fields)
        site.advert(1).send(lifetime=0, pios=[Pio(ONE, valid=0)], **fields)
    taken_in(site, daemon, net(1, 0x70))
    assert learned(daemon).keys() == before | {(router_ll(1), net(1, 0x70))}
    assert daemon.log().count("was ignored") <= 1
    assert site.a.leaves_by(B, source(ONE)) == via(1)
    all_is_well(daemon)


def test_many_options_in_one_message(lab):
    """As many as fit; the digest of the rest is not disturbed by them."""
    site = Site(lab)
    daemon = start(site)
    pios = [quiet_pio(net(1, 0x100 + i)) for i in range(44)]
    site.advert(1).send(pios=pios)
    site.learned(daemon, 1, pios[-1].prefix)
    assert len(learned(daemon)) == 46
    all_is_well(daemon)


# -- floods ----------------------------------------------------------------


class Flood:
    """Frames sent by another process, while this one asks for the status."""

    def __init__(self, site, daemon, frames, per_second):
        self.site, self.daemon = site, daemon
        self.frames, self.per_second = frames, per_second
        self.status_s, self.files = [], set()

    def _send(self):
        after_others()
        self.site.advert(1).paced(self.frames, self.per_second)

    def run(self, name):
        daemon = self.daemon
        self.site.advert(1)
        before = cpu_seconds(daemon), resident_kib(daemon), \
            daemon.status()["ops"], daemon.log().count("\n")
        process = _fork.Process(target=self._send, daemon=True)
        began = time.monotonic()
        process.start()
        with Client(daemon.socket_path) as client:
            while process.is_alive():
                self._ask(client)
                time.sleep(0.005)  # a pace, not a wait
        process.join()
        self.seconds = time.monotonic() - began
        with Client(daemon.socket_path, timeout=30) as client:
            client.call("io.multihomed.Wait")
        self.settled = time.monotonic() - began - self.seconds
        self.cpu = cpu_seconds(daemon) - before[0]
        self.grown = resident_kib(daemon) - before[1]
        self.ops = daemon.status()["ops"] - before[2]
        self.lines = daemon.log().count("\n") - before[3]
        print(f"{name}: {len(self.frames)} messages in {self.seconds:.2f} s, "
              f"{self.cpu / (self.seconds + self.settled) * 100:.0f} % of a "
              "processor, "
              f"{self.ops} ops, {self.lines} lines of the log, "
              f"{len(self.files)} files, {self.grown:+} KiB, "
              f"status after {max(self.status_s) * 1000:.1f} ms at most, "
              f"settled {self.settled:.2f} s later")
        return self

    def _ask(self, client):
        begin = time.monotonic()
        client.call("io.multihomed.Status")
        self.status_s.append(time.monotonic() - begin)
        with contextlib.suppress(FileNotFoundError):
            self.files.add(
                os.stat(f"{self.daemon.socket_path}.bindings").st_mtime_ns)

    def assert_responsive(self, seconds=STATUS_S):
        assert len(self.status_s) > 3
        assert max(self.status_s) < limit(self.daemon, seconds)

    def assert_bounded(self, kib=1024):
        if not is_sanitized(self.daemon.process.pid):
            assert self.grown < kib


def second_link(site):
    """Another link with a router and a binding of its own; its Advertiser."""
    lab, router = site.lab, site.lab.router("r9")
    lab.wire(site.a, "eth1", router, "lan")
    router.ip("addr add fe80::9/64 dev lan nodad")
    site.a.ip("addr add 2001:db8:9:1::a/64 dev eth1 nodad\n"
              "route add default via fe80::9 dev eth1 metric 4096")
    return Advertiser(router, "fe80::9")


def test_ten_thousand_refreshes_a_second(lab):
    site = Site(lab)
    daemon = start(site)
    state = own_state(site.a)
    frame = site.advert(1).frame(message(pios=[Pio(ONE)]))
    flood = Flood(site, daemon, [frame] * 20000, 10000).run("refreshes")
    flood.assert_responsive()
    assert flood.ops == 0 and own_state(site.a) == state
    flood.assert_bounded()
    assert len(flood.files) == 1
    all_is_well(daemon)


def test_lifetimes_that_make_it_look_at_the_routes(lab):
    """Each message is news about the routes; they are read a few times a
    second, not for each."""
    site = Site(lab)
    daemon = start(site)
    frames = [site.advert(1).frame(message(lifetime=1000 + i % 800,
                                           pios=[Pio(ONE)],
                                           rios=[Rio(net(7), lifetime=0)]))
              for i in range(10000)]
    flood = Flood(site, daemon, frames, 10000).run("lifetimes")
    flood.assert_responsive()
    assert flood.ops == 0
    all_is_well(daemon)


def test_thousands_of_prefixes(lab):
    """512 of a link are kept, those heard last; the config's and those of
    other links are nobody's to take."""
    site = Site(lab)
    other = second_link(site)
    daemon = start(site, """
        bindings = ( { router = "fe80::2"; dev = "eth0";
                       prefixes = ( "2001:db8:2::/48" ); } );""")
    other.send(pios=[quiet_pio("2001:db8:9:1::/64")])
    until(lambda: ("fe80::9", "2001:db8:9:1::/64") in learned(daemon))
    configured = bindings(daemon)["bindings"][:1]
    advert = site.advert(1)
    frames = [advert.frame(message(pios=[quiet_pio(net(f"{i:x}", f"{j:x}"))
                                         for j in range(40)]))
              for i in range(0x100, 0x100 + 500)]
    flood = Flood(site, daemon, frames, 1000).run("20,000 prefixes")
    flood.assert_responsive()
    flood.assert_bounded()
    # What the socket's buffer does not take is lost; routers repeat themselves.
    last = ("fe80::1", f"2001:db8:{0x100 + 499:x}:27::/64")
    advert.transmit(frames[-1])
    until(lambda: last in learned(daemon))
    known = learned(daemon)
    of_link = [key for key in known if key[0] != "fe80::9"]
    assert len(of_link) == 512
    assert last in known
    assert ("fe80::9", "2001:db8:9:1::/64") in known
    assert bindings(daemon)["bindings"][:1] == configured
    assert site.passes(source(TWO)) == 2
    assert daemon.log().count("more than 512 prefixes") == 1
    assert daemon.log().count(" advertises prefix=") < 50
    # Who still speaks is heard again.
    site.advert(1).send(pios=[Pio(ONE)])
    site.learned(daemon, 1, ONE)
    assert site.passes(source(ONE)) == 1
    all_is_well(daemon)
    daemon.leave()
    daemon.start()
    assert len(learned(daemon)) == 513
    all_is_well(daemon)


@pytest.mark.slow
def test_very_many_routers(lab):
    """With a lifetime each is a default route of main, which the kernel keeps
    without a limit: that much is to be looked at for each change."""
    site = Site(lab)
    daemon = start(site)
    # One after the other: the neighbours of both are the same.
    from_very_many(site, daemon, 0).assert_responsive(STATUS_S)
    from_very_many(site, daemon, 1800).assert_responsive(1)
    assert len(site.a.route_lines("main", 6)) > ROUTERS
    all_is_well(daemon)


def from_very_many(site, daemon, lifetime):
    advert = site.advert(1)
    body = message(lifetime=lifetime, pios=[quiet_pio(EVIL)])
    host = site.a.mac("eth0")
    frames = [host + advert.frame(body, f"fe80::{i:x}:0:bad")[6:]
              for i in range(1, 1 + ROUTERS)]
    flood = Flood(site, daemon, frames, 1000).run(f"routers of {lifetime} s")
    flood.assert_bounded(4096)
    assert len(learned(daemon)) <= 512
    advert.send(pios=[Pio(ONE)])
    site.advert(2).send(pios=[Pio(TWO)])
    site.learned(daemon, 1, ONE)
    site.learned(daemon, 2, TWO)
    assert site.passes(source(ONE)) == 1 and site.passes(source(TWO)) == 2
    return flood


FLAPS = {
    "prefix": lambda i: {"pios": [Pio(ONE, valid=3600 * (i % 2),
                                      autonomous=False)]},
    "router": lambda i: {"pios": [Pio(ONE)], "lifetime": 1800 * (i % 2)},
    "preference": lambda i: {"pios": [Pio(ONE)], "preference": i % 2},
}


@pytest.mark.parametrize("kind", FLAPS)
def test_flapping(lab, kind):
    """Back and forth a thousand times a second. The second router's sources
    are not concerned, and the last word counts."""
    site = Site(lab)
    daemon = start(site)
    frames = [site.advert(1).frame(message(**FLAPS[kind](i)))
              for i in range(2000)]
    flood = Flood(site, daemon, frames, 1000).run(f"flapping {kind}")
    flood.assert_responsive()
    assert flood.cpu < limit(daemon, 0.5) * flood.seconds
    flood.assert_bounded()
    assert len(flood.files) <= 11 * flood.seconds + 2
    site.learned(daemon, 1, ONE)
    until(lambda: site.a.leaves_by(B, source(ONE)) == via(1))
    assert site.passes(source(ONE)) == 1 and site.passes(source(TWO)) == 2
    all_is_well(daemon)
