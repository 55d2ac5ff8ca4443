# SPDX-License-Identifier: GPL-2.0-or-later
"""Explain and Verify on hosts of every kind: replies as the contract has them,
that say what the kernel says."""

import errno
import json

import pytest

from lab.contract import (CONTRACT, SCENES, assert_fits, call, call_table,
                          checked, full, make_scene)
from lab.varlink import Client, ask


@pytest.fixture(params=list(SCENES))
def scene(request, figure, model):
    """A daemon on a host of each kind, weak and strong."""
    return make_scene(figure, request.param, model)


EXPLAIN = (
    {"destination": "203.0.113.9"},
    {"destination": "2001:db8:b::9"},
    {"source": "10.1.0.2", "destination": "203.0.113.9"},
    {"source": "10.2.0.2", "destination": "203.0.113.9"},
    {"source": "10.2.0.2", "destination": "198.51.100.7"},
    {"source": "2001:db8:1::2", "destination": "2001:db8:ee::7"},
    {"source": "2001:db8:2::2", "destination": "2001:db8:b::9"},
    {"source": "192.0.2.200", "destination": "203.0.113.9"},
    {"source": "2001:db8:77::7", "destination": "2001:db8:b::9"},
    {"source": "172.17.0.1", "destination": "203.0.113.9"},
    {"source": "127.0.0.1", "destination": "127.0.0.1"},
    {"source": "10.1.0.2", "destination": "10.1.0.1"},
    {"source": "10.1.0.2", "destination": "10.1.0.2"},
    {"source": "10.1.0.2", "destination": "10.1.0.255"},
    {"source": "10.1.0.2", "destination": "255.255.255.255"},
    {"source": "10.1.0.2", "destination": "224.0.0.5"},
    {"source": "10.1.0.2", "destination": "0.0.0.0"},
    {"source": "2001:db8:1::2", "destination": "fe80::1"},
    {"source": "fe80::2", "destination": "fe80::1", "dev": "eth0"},
    {"source": "2001:db8:1::2", "destination": "ff02::1", "dev": "eth0"},
    {"source": "2001:db8:1::2", "destination": "::1"},
    {"source": "10.1.0.2", "destination": "203.0.113.9", "dev": "eth1"},
    {"source": "2001:db8:1::2", "destination": "2001:db8:b::9", "dev": "eth1"},
    {"destination": "203.0.113.9", "dev": "eth1"},
    {"destination": "2001:db8:b::9", "dev": "eth1"},
    {"destination": "203.0.113.9", "dev": "lo"},
    {"source": "10.1.0.2", "destination": "203.0.113.17", "tos": 16},
    {"source": "10.1.0.2", "destination": "203.0.113.17", "tos": 252},
    {"source": "10.1.0.2", "destination": "203.0.113.9", "without": "eth0"},
    {"source": "10.2.0.2", "destination": "203.0.113.9", "without": "eth0"},
    {"source": "10.1.0.2", "destination": "203.0.113.9", "without": "lo"},
    {"destination": "192.0.2.1"}, {"destination": "192.0.2.129"},
    {"destination": "198.51.100.1"}, {"destination": "198.51.100.129"},
    {"destination": "2001:db8:f0::1"}, {"destination": "2001:db8:f1::1"},
    {"source": "10.1.0.2", "destination": "10.48.0.1"},
    {"source": "10.1.0.2", "destination": "10.46.0.1"},
    {"destination": "10.44.0.1"}, {"destination": "10.70.0.1"},
    {"source": "10.2.0.2", "destination": "10.70.0.1"},
    {"source": "0.0.0.0", "destination": "203.0.113.9"},
    {"source": "::", "destination": "2001:db8:b::9"},
    {"source": "10.1.0.255", "destination": "203.0.113.9"},
    {"source": "224.0.0.1", "destination": "203.0.113.9"},
)
# Table local answers for these, or main by the fe80::/10 rule.
NOT_ROUTED = ("10.1.0.2", "10.1.0.255", "255.255.255.255", "224.0.0.5",
              "0.0.0.0", "fe80::1", "ff02::1", "::1", "127.0.0.1")


def expected_source(daemon, source):
    """What kind of source an address is, from the kernel and from Subnets."""
    if source is None:
        return "unbound"
    if source.startswith("fe80"):
        return None
    for subnet in call(daemon, "Subnets")["subnets"]:
        if source in subnet["addresses"]:
            return "managed" if subnet["managed"] else "not_managed"
    out = daemon.namespace.run("ip", "-j", "address").stdout
    here = {address["local"] for link in json.loads(out)
            for address in link["addr_info"]}
    if source in here or source.startswith("127."):
        return "not_managed"
    return "foreign"


def assert_explained(daemon, asked, answer):
    for key in ("destination", "dev", "without"):
        assert answer.get(key) == asked.get(key), key
    if "source" in asked:
        assert answer["source"] == asked["source"]
    kind = expected_source(daemon, asked.get("source"))
    assert kind in (None, answer["source_is"])
    ours = answer["source_is"] == "managed" or (
        "subnet" in answer and "table" in answer["subnet"])
    if ours and answer["why"].startswith("table local answers"):
        # No table of ours is asked: an own address, broadcast or multicast.
        assert asked["destination"] in NOT_ROUTED
        assert answer["next_hops"] == [] and "agrees" not in answer
        ours = False
    assert answer["rule"] in ((2, 3, 4) if ours else (0,))
    chosen = [c for c in answer["candidates"] if c["chosen"]]
    assert all(0 <= c["line"] <= 7 for c in answer["candidates"])
    assert all(c["origin"] in ("main", "config") for c in answer["candidates"])
    # Of IPv6 the kernel cannot be asked about both, and then it is not shown.
    told = "source" not in asked or "dev" not in asked or \
        ":" not in asked["source"] or \
        answer.get("kernel", {}).get("dev") == asked["dev"]
    if answer["next_hops"] and ours and told:
        assert chosen and answer["kind"] in ("congruent", "weak")
        assert {(h.get("via"), h["dev"]) for h in answer["next_hops"]} == \
            {(c.get("via"), c["dev"]) for c in chosen}
    if answer["rule"] == 2:
        assert answer["next_hops"] == [] and answer["kind"] == "none"
    assert ("kernel" in answer) == ("without" not in asked and told)
    if "without" in asked:
        assert "agrees" not in answer
        assert asked["without"] not in [h["dev"] for h in answer["next_hops"]]
    if "dev" in asked or not ours or daemon.scene == "with_tunnel":
        assert "agrees" not in answer
    elif "without" not in asked and asked["destination"] not in NOT_ROUTED:
        # On a host in peace the kernel does what the draft says.
        assert answer["agrees"] is True, json.dumps(answer, indent=1)


def test_explain(scene):
    for asked in EXPLAIN:
        with Client(scene.socket_path) as client:
            reply = client.ask(full("Explain"), asked)
        try:
            assert_explained(scene, asked, checked("Explain", reply))
        except AssertionError as err:
            raise AssertionError(f"{asked}: {err}") from err


def test_explain_says_what_the_kernel_says(scene):
    """The kernel's answer beside ours is that of `ip route get`."""
    a = scene.namespace
    for asked in EXPLAIN:
        if {"without", "dev", "tos"} & set(asked):
            continue
        kernel = call(scene, "Explain", **asked)["kernel"]
        source = asked.get("source")
        try:
            want = a.route_get(asked["destination"], source)
        except AssertionError:
            continue  # ip(8) has no name for this error
        if want.error:
            assert kernel["error"] == errno.errorcode[want.error], asked
        elif want.kind == "unicast":
            assert (kernel.get("via", ""), kernel["dev"]) == \
                (want.via, want.dev), asked
            assert kernel.get("table") == int(want.table), asked
            if source is None:
                assert kernel["source"] == want.src, asked


def test_verify(scene):
    answer = call(scene, "Verify")
    assert answer["disagreements"] == answer["unheard"] == []
    assert answer["found"] == 0
    assert answer["asked"] == answer["total"]
    if scene.scene == "with_tunnel":
        assert answer["skipped"] == ["ipv4", "ipv6"]
        assert answer["asked"] == 0
    else:
        assert answer["skipped"] == []
        assert answer["subnets"] == 4 and answer["prefixes"] > 0
        assert answer["asked"] > 10 and answer["local"] > 0


def test_verify_with_more_tells_how_far_it_is(scene):
    with Client(scene.socket_path) as client:
        client.send(full("Verify"), more=True)
        replies = [client.receive()]
        while replies[-1].continues:
            replies.append(client.receive())
    answers = [checked("Verify", reply) for reply in replies]
    assert [a["asked"] for a in answers] == sorted(a["asked"] for a in answers)
    assert answers[-1]["found"] == 0


def test_a_disagreement_is_as_described(figure):
    """An entry of ours that a rule before ours keeps the kernel from."""
    a = figure.a
    daemon = figure.start()
    a.ip("route add 198.51.100.0/24 via 10.2.0.1 dev eth1 table 99\n"
         "rule add from 10.1.0.2 table 99 pref 5\n"
         "route add 198.51.100.0/24 via 10.1.0.1 dev eth0")
    daemon.wait()
    answer = call(daemon, "Verify")
    assert answer["found"] == len(answer["disagreements"]) > 0
    for each in answer["disagreements"]:
        assert (each["link"], each["prefix"]) == ("eth0", "10.1.0.0/24")
        assert each["source"] == "10.1.0.2"
        assert each["destination"].startswith("198.51.100.")
    said = call(daemon, "Explain", source="10.1.0.2",
                destination="198.51.100.7")
    assert said["agrees"] is False
    assert said["kernel"]["table"] == 99 and said["kernel"]["ours"] is False
    assert "99" in said["kernel"]["rule"]


def test_the_rule_that_the_kernel_follows_is_named(figure):
    """Also one that is for some destinations only."""
    a = figure.a
    daemon = figure.start()
    a.ip("route add 198.51.100.0/24 via 10.2.0.1 dev eth1 table 99\n"
         "rule add from 10.1.0.2 to 198.51.100.0/24 table 99 pref 5")
    daemon.wait()
    said = call(daemon, "Explain", source="10.1.0.2",
                destination="198.51.100.7")
    assert said["kernel"]["table"] == 99
    assert "99" in said["kernel"]["rule"]


def test_somebody_elses_entry_in_our_table(figure):
    """Table shows it, Verify finds what it does."""
    a = figure.a
    daemon = figure.start()
    table = daemon.table("eth1", "10.2.0.0/24")
    a.ip(f"route add 10.51.0.0/16 via 10.1.0.1 dev eth0 table {table}")
    daemon.wait()
    entries = call_table(daemon, subnet=str(table))[0]["entries"]
    assert {e["prefix"]: e["state"] for e in entries
            if e["state"] != "in_place"} == {"10.51.0.0/16": "foreign"}
    answer = call(daemon, "Verify")
    assert {d["destination"] for d in answer["disagreements"]} == \
        {"10.51.0.0", "10.51.255.255"}
    assert "reload" not in answer["disagreements"][0]["hint"]


def test_table_where_nothing_is_managed(lab):
    """There is no reply to give but an error."""
    daemon = lab.daemon(lab.host())
    reply = ask(daemon.socket_path, full("Table"), more=True)
    assert reply.error == full("NoSuchSubnet")
    assert_fits(CONTRACT.errors["NoSuchSubnet"], reply.parameters, "error")
