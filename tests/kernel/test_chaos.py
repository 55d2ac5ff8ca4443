# SPDX-License-Identifier: GPL-2.0-or-later
"""Random things to a host and to the daemon, for as long as one likes.

After each burst it becomes quiet, and then three must agree about all sources
and many destinations: the kernel's own lookup, the daemon (Verify, Explain, and
a process that starts now and finds nothing to do) and the draft's rules as
lab/draft.py states them, from nothing but what ip(8) shows.

MULTIHOMED_CHAOS_SECONDS says how long (60), MULTIHOMED_CHAOS_SEED from what seed;
without it every day has its own. `./dev chaos [SECONDS [SEED]]` runs it alone.
"""

import contextlib
import datetime
import ipaddress
import os
import random
import re
import time

import pytest

from lab import until
from lab.ask import Asker
from lab.chaos import FAR, Chaos
from lab.draft import Draft, Host
from lab.own import nothing_is_ours, own_rules
from lab.varlink import Client

SECONDS = float(os.environ.get("MULTIHOMED_CHAOS_SECONDS", "60"))
SEED = int(os.environ.get("MULTIHOMED_CHAOS_SEED") or
           datetime.date.today().strftime("%Y%m%d"))
PATIENCE_S = 8
DESCRIPTORS_MAX = 24
GROWTH_KIB = 4096
FIXED = {4: ("8.8.8.8", "198.51.100.9", "198.51.7.7", "203.0.113.7",
             "10.0.0.99", "10.1.0.99", "10.3.0.99", "192.0.2.1"),
         6: ("2606:4700::1", "2001:db8:ee::9", "2001:db8:ee:1::9",
             "2001:db8:ff::7", "2001:db8:0::99", "2001:db8:1::99")}
SCRATCH = "6999"


def destinations(rows, family):
    """Inside and just outside of every prefix of main."""
    found = {ipaddress.ip_address(text) for text in FIXED[family]}
    for prefix in rows[family]:
        first, last = int(prefix[0]), int(prefix[-1])
        for number in (first, last, first - 1, last + 1):
            if 0 < number < 1 << prefix.max_prefixlen:
                found.add(type(prefix[0])(number))
    found.discard(ipaddress.ip_address(FAR[family]))  # of pins, not of rules
    return sorted(one for one in found if not (
        one.is_multicast or one.is_loopback or one.is_reserved and
        family == 4 or one.is_link_local and family == 6 or
        one.is_unspecified))


def family_of_text(address):
    return 6 if ":" in address else 4


def tunnelled(a, family):
    """Whether a foreign rule catches all, with a default in its table."""
    return any(rule.get("priority") == 5000 for rule in a.rules(family)) and \
        any("default" in line
            for line in a.route_lines("51820", family))


class Judge:
    """Compares; each fault is a line of text."""

    def __init__(self, chaos):
        self.chaos, self.asked, self.unsaid = chaos, 0, 0
        self.rng = random.Random(SEED)
        self.refused, self.tunnel = 0, False

    def faults(self):
        chaos, found = self.chaos, []
        host = Host(chaos.a)
        with Client(chaos.daemon.socket_path) as client:
            subnets = client.call("io.multihomed.Subnets")["subnets"]
            bindings = client.call("io.multihomed.Bindings")["bindings"]
            found += self.of_verify(client)
            learned = {(b["dev"], b["router"], b["prefix"])
                       for b in bindings if b["origin"] == "learned"}
            found += [f"nobody advertised {b}" for b in learned
                      if b[1:] not in chaos.advertised]
            managed = {(s["link"], s["prefix"]) for s in subnets
                       if s["managed"]}
            draft = Draft(host, chaos.config, managed, learned)
            found += self.of_subnets(draft, managed)
            for family in (4, 6):
                found += self.of_family(draft, family, client)
        return found + self.of_plan(self.hidden(subnets))

    def hidden(self, subnets):
        """Links that an earlier life is known to have managed by its rules only,
        which are withdrawn while a tunnel is up: a fresh start knows these not
        to be uplinks, in the other family as well (docs/model.md)."""
        families = [f for f in (4, 6) if tunnelled(self.chaos.a, f)]
        return {s["link"] for s in subnets if s["managed"] and
                family_of_text(s["prefix"]) in families}

    def of_plan(self, hidden):
        """A fresh start has nothing to do. Neighbours change by themselves;
        tables that no rule leads to (a tunnel is up, or each address is on
        another link too) get other numbers, which nobody notices."""
        tables = {str(table) for family in (4, 6)
                  for _, _, table in own_rules(self.chaos.a, family)}
        lines = self.chaos.daemon.plan().splitlines()
        tables |= {line.split(" lookup ")[1].split()[0] for line in lines
                   if " rule " in line}
        return [f"a fresh start would: {line}" for line in lines
                if " neigh " not in line and (
                    " rule " in line or
                    line.split(" table ")[1].split()[0] in tables) and
                not (hidden and hidden & self.links_of(line)) and
                not self.is_refused(line)]

    def links_of(self, line):
        """Those it names, and those that main has a way over to its prefix: a
        way that fits lets a reject route win that would not count alone."""
        named = re.findall(r" dev (\S+)", line)
        route = re.search(r"^(-[46]) route .*?([0-9a-f.:]+/\d+)", line)
        if route:
            prefix = ipaddress.ip_network(route[2])
            named += [one.link for one in
                      Host(self.chaos.a).rows[prefix.version].get(prefix, [])
                      if one.link]
        return set(named)

    def is_refused(self, line):
        """Whether the kernel takes no such route: then the daemon has found
        that out, and a fresh start would have to find it out again."""
        words = re.fullmatch(r"(-[46]) route replace (.*) proto 109 metric "
                             r"1024 table \d+(.*)", line)
        return bool(words) and not self.takes(words[1], words[2] + words[3])

    def may_be_taken(self, place, ways):
        """Not when the kernel takes no such route: docs/model.md, "Refused
        copies"."""
        hops = [words for words in ways if "dev" in words]
        return not hops or any(self.takes(
            f"-{family_of_text(place)}",
            f"default {words} {'onlink' if 'via' in words else ''}")
            for words in hops)

    def takes(self, family, route):
        done = self.chaos.a.run("ip", family, "route", "add", "table", SCRATCH,
                                *route.split(), check=False)
        self.chaos.a.run("ip", family, "route", "flush", "table", SCRATCH,
                         check=False)
        self.refused += done.returncode != 0
        return done.returncode == 0

    def of_verify(self, client):
        reply = client.call("io.multihomed.Verify")
        return [f"verify: {one}" for one in reply["disagreements"]
                if self.may_be_taken(one["destination"], {
                    one["wanted"].split(", table")[0]})]

    @staticmethod
    def of_subnets(draft, managed):
        known = {subnet.key for subnet in draft.subnets}
        found = [f"managed, but no subnet by ip(8): {key}"
                 for key in managed - known]
        found += [f"an uplink that is not managed: {subnet.key}"
                  for subnet in draft.uplinks()
                  if subnet.key not in managed]
        return found + [f"managed against the config: {subnet.key}"
                        for subnet in draft.managed
                        if not draft.may_be_managed(subnet)]

    def of_family(self, draft, family, client):
        chaos = self.chaos
        self.tunnel = tunnelled(chaos.a, family)
        if self.tunnel and chaos.config.vpn == "yield":
            return [f"a tunnel is up, and yet: {rule}"
                    for rule in own_rules(chaos.a, family)]
        sources = [str(address) for address, home in draft.home.items()
                   if address.version == family and home in draft.managed]
        found, places = [], destinations(draft.rows, family)
        explained = self.rng.sample(
            [(s, d) for s in sources for d in places],
            min(3, len(sources) * len(places)))
        with Asker(chaos.a) as asker:
            for source in sources:
                for place in places:
                    found += self.of_pair(draft, asker, source, str(place))
        for source, place in explained:
            found += self.of_explain(draft, client, source, str(place))
        return found

    def of_pair(self, draft, asker, source, place):
        ways = draft.answer(source, place)
        if ways is None:
            self.unsaid += 1
            return []
        said = asker.ask(source, place)
        self.asked += 1
        if said.words == "" or said.words in ways.words:
            return []
        if ways.falls_on and self.tunnel:
            return []  # what main does not answer is the tunnel's
        if not self.may_be_taken(place, ways.words):
            return []
        return [f"{source} -> {place}: the kernel says {said.words} (table "
                f"{said.table}), the draft {sorted(ways.words)} by rule "
                f"{ways.rule} {ways.why}"]

    @staticmethod
    def of_explain(draft, client, source, place):
        ways = draft.answer(source, place)
        reply = client.call("io.multihomed.Explain", source=source,
                            destination=place)
        if ways is None or reply["rule"] == 0:
            return []
        words = {" ".join([*(["via", hop["via"]] if "via" in hop else []),
                           "dev", hop["dev"]]) for hop in reply["next_hops"]}
        wanted = {word for word in ways.words if "dev" in word}
        # Where the draft leaves it open, no way out is one of the answers.
        if words <= wanted and (words or ways.words != wanted):
            return []
        return [f"{source} -> {place}: explain says {words} by rule "
                f"{reply['rule']}, the draft {sorted(ways.words)} by rule "
                f"{ways.rule}"]


def settle(chaos, judge):
    """What is wrong once it is quiet. What the kernel does by itself in that
    time, a neighbour that fails, a carrier, takes a moment to be heard of."""
    chaos.quiet()
    found = []

    def agrees():
        chaos.daemon.wait()
        found[:] = judge.faults()
        return not found

    try:
        until(agrees, PATIENCE_S, 0.1)
    except AssertionError:
        raise AssertionError("\n".join(
            [f"seed {SEED}, MULTIHOMED_CHAOS_SEED={SEED} says the same again:",
             *chaos.said[-60:], "under " + chaos.config.text(),
             *chaos.daemon.ctl("bindings").stdout.splitlines(),
             chaos.a.run("ip", "-d", "neigh").stdout,
             chaos.daemon.ctl("table").stdout,
             "and then:", *found[:20]])) from None


def run(chaos, judge, seconds):
    """Bursts and quiet moments; a line of numbers, and KiB after each."""
    end, rounds, most, resident = time.monotonic() + seconds, 0, 0, []
    while time.monotonic() < end:
        chaos.say(f"-- round {rounds}")
        chaos.burst()
        settle(chaos, judge)
        rounds += 1
        most = max(most, len(chaos.descriptors()))
        assert most <= DESCRIPTORS_MAX, chaos.descriptors()
        resident.append(chaos.resident_kib())
    print(f"chaos: {rounds} rounds, {len(chaos.said)} events, {judge.asked} "
          f"packets compared, {judge.unsaid} left to the kernel, "
          f"{judge.refused} refused, at most {most} files open")
    return resident


@pytest.mark.slow
def test_chaos(lab):
    """With kill -9, restarts and other configs."""
    print(f"chaos: seed {SEED}, {SECONDS:.0f} s")
    chaos = Chaos(lab, SEED)
    run(chaos, Judge(chaos), SECONDS * 2 / 3)
    chaos.daemon.terminate()
    assert nothing_is_ours(chaos.a)


def said_twice(read):
    """What it says twice in a row: a client may just be going."""
    said = [read()]
    until(lambda: said.append(read()) or said[-1] == said[-2], PATIENCE_S, 0.2)
    return said[-1]


@pytest.mark.slow
def test_chaos_in_one_life(lab):
    """The daemon lives through all of it, and is not fatter at the end."""
    print(f"chaos: seed {SEED}, {SECONDS:.0f} s")
    chaos = Chaos(lab, SEED, one_life=True)
    # But a client that is still there from the start, of another namespace.
    before = [what for what in said_twice(chaos.descriptors)
              if what != "socket:"]
    resident = run(chaos, Judge(chaos), SECONDS / 3)
    early = max(resident[:len(resident) // 3])
    late = max(resident[-len(resident) // 3:])
    print(f"chaos: {early} KiB in the first third, {late} in the last")
    assert late <= early + GROWTH_KIB
    chaos.rest()
    with contextlib.suppress(AssertionError):
        until(lambda: chaos.descriptors() == before, PATIENCE_S)
    assert "\n".join(chaos.descriptors()) == "\n".join(before)
