# SPDX-License-Identifier: GPL-2.0-or-later
"""Explain: the draft's rule, the candidates, and the kernel's own answer."""

import errno
import socket

import pytest

from lab import until
from lab.figure import (A1_4, A1_6, A2_4, A2_6, B_4, B_6, R1_4, R2_4, R_LL)
from lab.varlink import Client, VarlinkError


def explain(daemon, **question):
    with Client(daemon.socket_path) as client:
        return client.call("io.multihomed.Explain", **question)


def hops(reply):
    return [(hop.get("via"), hop["dev"]) for hop in reply["next_hops"]]


def test_each_source_is_explained_and_the_kernel_agrees(figure, model):
    daemon = figure.start(f'model = "{model}";')
    for source, dst, hop in ((A1_4, B_4, (R1_4, "eth0")),
                             (A2_4, B_4, (R2_4, "eth1")),
                             (A1_6, B_6, (R_LL, "eth0")),
                             (A2_6, B_6, (R_LL, "eth1"))):
        reply = explain(daemon, source=source, destination=dst)
        assert (reply["rule"], reply["kind"]) == (4, "congruent")
        assert hops(reply) == [hop]
        assert reply["agrees"] is True
        assert reply["kernel"]["ours"] is True
        assert (reply["kernel"]["via"], reply["kernel"]["dev"]) == hop
        assert reply["kernel"]["table"] == reply["subnet"]["table"]
        assert f"lookup {reply['kernel']['table']}" in reply["kernel"]["rule"]


def test_a_more_specific_route_is_weak_or_dropped(figure, model):
    figure.a.ip(f"route add 198.18.7.0/24 via {R2_4} dev eth1")
    daemon = figure.start(f'model = "{model}";')
    reply = explain(daemon, source=A1_4, destination="198.18.7.9")
    assert reply["agrees"] is True and reply["rule"] == 3
    assert [c["prefix"] for c in reply["candidates"]] == ["198.18.7.0/24"]
    assert reply["candidates"][0]["line"] == 2
    if model == "weak":
        assert reply["kind"] == "weak" and hops(reply) == [(R2_4, "eth1")]
    else:
        assert reply["kind"] == "strong_drop" and hops(reply) == []
        assert reply["kernel"]["error"] == "EHOSTUNREACH"


def test_an_unbound_source_is_the_one_the_kernel_takes(figure):
    daemon = figure.start()
    reply = explain(daemon, destination=B_4)
    assert (reply["source_is"], reply["source"]) == ("unbound", A1_4)
    assert hops(reply) == [(R1_4, "eth0")] and reply["agrees"] is True


def test_sources_that_are_not_ours(lab, figure):
    daemon = lab.daemon(figure.a, 'interfaces = ({ match = "eth1"; '
                        'manage = "never"; });')
    foreign = explain(daemon, source="192.0.2.77", destination=B_4)
    assert (foreign["source_is"], foreign["rule"]) == ("foreign", 0)
    assert "agrees" not in foreign
    other = explain(daemon, source=A2_4, destination=B_4)
    assert (other["source_is"], other["rule"]) == ("not_managed", 0)
    # Table main alone: the first uplink's router, whatever the source.
    assert hops(other) == [(R1_4, "eth0")]


def test_no_route(figure):
    daemon = figure.start('interfaces = ({ match = "eth*"; '
                          'manage = "always"; });')
    figure.a.ip("route flush default")
    daemon.wait()
    reply = explain(daemon, source=A1_4, destination=B_4)
    assert (reply["rule"], reply["kind"]) == (2, "none")
    assert reply["candidates"] == [] and reply["next_hops"] == []
    assert reply["kernel"]["error"] == "ENETUNREACH"
    assert reply["agrees"] is True


@pytest.mark.parametrize("change", (
    f"route add default via {R1_4} table 253",
    f"""route add default via {R1_4} table 99
        rule add priority 32000 from {A2_4} lookup 99"""))
def test_where_nothing_of_ours_leads_other_rules_may(figure, change):
    """Weak: a packet that no table of ours has a route for goes on."""
    daemon = figure.start()
    figure.a.ip("route flush default")
    figure.a.ip(change)
    daemon.wait()
    assert figure.a.leaves_by(B_4, A2_4) == f"via {R1_4} dev eth0"
    reply = explain(daemon, source=A2_4, destination=B_4)
    assert (reply["rule"], reply["kind"]) == (2, "none")
    assert hops(reply) == [(R1_4, "eth0")] and reply["agrees"] is True
    assert "rules of others decide" in reply["why"]
    told = daemon.ctl("explain", A2_4, B_4).stdout
    assert "dropped" not in told and f"=> via {R1_4} dev eth0" in told


def test_a_reject_route_is_no_way_out(figure):
    """Its metric is the lowest of what is left for the second subnet: nothing
    is congruent about packets that are dropped."""
    daemon = figure.start()
    figure.a.ip("route add unreachable default metric 150")
    daemon.wait()
    reply = explain(daemon, source=A2_4, destination=B_4)
    assert (reply["rule"], reply["kind"]) == (4, "reject")
    assert reply["agrees"] is True and reply["next_hops"] == []
    assert daemon.subnet("eth1", "10.2.0.0/24")["default"]["kind"] == "reject"
    assert daemon.subnet("eth0", "10.1.0.0/24")["default"]["kind"] == \
        "congruent"
    problems = daemon.status()["problems"]
    assert any("10.2.0.0/24" in problem for problem in problems)


def test_a_throw_is_called_so(figure):
    daemon = figure.start()
    figure.a.ip("route add throw default metric 50")
    daemon.wait()
    assert daemon.subnet("eth0", "10.1.0.0/24")["default"]["kind"] == "reject"
    problems = [p for p in daemon.status()["problems"] if "10.1.0.0/24" in p]
    assert "throw" in str(problems) and "blackhole" not in str(problems)


def test_no_default_at_all_is_a_problem_of_each_subnet(figure):
    daemon = figure.start()
    figure.a.ip("route flush default")
    daemon.wait()
    problems = daemon.status()["problems"]
    assert [p.split()[0] for p in problems] == ["10.1.0.0/24", "10.2.0.0/24"]
    assert "no default" in problems[0]
    assert "2 problems" in daemon.ctl("status").stdout


def test_without_a_link_is_what_happens_without_it(figure):
    """The answer to "what if" is the kernel's answer once it has happened."""
    daemon = figure.start()
    questions = ((A1_4, B_4), (A2_4, B_4), (A2_6, B_6))
    said = [explain(daemon, source=source, destination=dst, without="eth0")
            for source, dst in questions]
    assert not [reply for reply in said if "kernel" in reply]
    figure.a.ip("link set eth0 down")
    daemon.wait()
    for (source, dst), before in zip(questions, said):
        after = explain(daemon, source=source, destination=dst)
        assert hops(after) == hops(before), (source, dst)
        assert after["kind"] == before["kind"]
        assert after["agrees"] is True


def test_a_config_route_over_a_link_that_is_down(figure, family, model):
    """It stays a candidate, and what it leads to is dropped."""
    daemon = figure.start(f"""
        model = "{model}";
        routes = ( {{ to = "{family.other}"; via = "{family.gw2}";
                      dev = "eth1"; }} );""")
    before = explain(daemon, source=family.a1, destination=family.other_host,
                     without="eth1")
    figure.a.ip("link set eth1 down")
    daemon.wait()
    assert figure.a.connect_error(family.other_host, family.a1)
    reply = explain(daemon, source=family.a1, destination=family.other_host)
    assert hops(before) == hops(reply) == []
    assert reply["candidates"][0]["origin"] == "config"
    assert reply["agrees"] is True
    assert "=> dropped" in daemon.ctl("explain", family.a1,
                                      family.other_host).stdout


def test_a_rule_before_ours_is_named(figure):
    daemon = figure.start()
    figure.a.ip(f"""
        rule add priority 50 from {A2_4} lookup 99
        route add default via {R1_4} dev eth0 table 99
    """)
    daemon.wait()
    reply = explain(daemon, source=A2_4, destination=B_4)
    assert reply["agrees"] is False
    assert reply["kernel"]["ours"] is False
    assert reply["kernel"]["rule"].startswith("priority 50 ")


STACKED = {
    "macvlan": ("eth1", "link add top link eth1 type macvlan mode bridge"),
    "bridge": ("port", """
        link add top type bridge
        link add port type veth peer name cable
        link set cable up
        link set port master top up"""),
}


@pytest.mark.parametrize("kind", STACKED)
def test_without_a_link_those_on_top_of_it_have_no_carrier(figure, kind):
    a = figure.a
    lower, make = STACKED[kind]
    a.ip(make)
    a.ip(f"""
        link set top up
        addr add 10.4.0.2/24 dev top
        route add 198.18.7.0/24 via 10.4.0.1 dev top metric 10
        route add 198.18.7.0/24 via {R1_4} dev eth0 metric 20
    """)
    daemon = figure.start()
    question = {"source": "10.4.0.2", "destination": "198.18.7.9"}
    until(lambda: "NO-CARRIER" not in a.run("ip", "link", "show", "top").stdout)
    daemon.wait()
    assert hops(explain(daemon, **question)) == [("10.4.0.1", "top")]
    before = explain(daemon, **question, without=lower)
    a.ip(f"link set {lower} down")
    until(lambda: "LOWER_UP" not in a.run("ip", "link", "show", "top").stdout)
    daemon.wait()
    assert hops(explain(daemon, **question)) == hops(before) == \
        [(R1_4, "eth0")]


def test_without_a_link_the_source_is_the_one_the_kernel_takes(figure):
    """The primary address of the link that is left, not the lowest."""
    a = figure.a
    a.ip(f"""
        addr del {A2_4}/24 dev eth1
        addr add 10.2.0.9/24 dev eth1
        addr add {A2_4}/24 dev eth1
        route replace default via {R2_4} dev eth1 metric 200
    """)
    daemon = figure.start()
    before = explain(daemon, destination=B_4, without="eth0")
    a.ip("link set eth0 down")
    daemon.wait()
    assert before["source"] == a.chosen_source(B_4) == "10.2.0.9"


def test_without_a_link_under_a_tunnel_is_no_answer_of_ours(figure):
    daemon = figure.start()
    figure.a.ip("""
        link add tun9 type veth peer name tun9p
        link set tun9 up
        link set tun9p up
        route add default dev tun9 table 51820
        rule add priority 90 not fwmark 0xca6c lookup 51820
    """)
    daemon.wait()
    for more in ((), ("--without", "eth0")):
        told = daemon.ctl("explain", A2_4, B_4, *more).stdout
        assert f"So our tables say: via {R2_4} dev eth1" in told
        assert "=>" not in told and "full tunnel is up" in told
    # Without the tunnel the answer is ours.
    assert f"=> via {R2_4} dev eth1" in \
        daemon.ctl("explain", A2_4, B_4, "--without", "tun9").stdout


def test_a_broadcast_route_of_main_is_in_our_tables(figure):
    daemon = figure.start()
    figure.a.ip("route add broadcast 198.18.7.255 dev eth0 table main")
    daemon.wait()
    reply = explain(daemon, source=A1_4, destination="198.18.7.255")
    assert (reply["rule"], reply["kind"]) == (4, "congruent")
    assert hops(reply) == [(None, "eth0")] and reply["agrees"] is True
    assert reply["kernel"]["table"] == reply["subnet"]["table"]
    # Table local has this one.
    own = explain(daemon, source=A1_4, destination="10.1.0.255")
    assert own["rule"] == 0 and "table local" in own["why"]


@pytest.mark.parametrize("rule, error", (
    ("blackhole", "EINVAL"), ("prohibit", "EACCES"),
    ("unreachable", "ENETUNREACH")))
def test_a_rule_before_ours_that_rejects_is_named(figure, family, rule, error):
    daemon = figure.start()
    source = family.a2
    figure.a.ip(f"rule add priority 50 from {source} {rule}", family.number)
    daemon.wait()
    reply = explain(daemon, source=source, destination=family.b)
    assert reply["agrees"] is False and reply["kernel"]["error"] == error
    assert reply["kernel"]["rule"].startswith("priority 50 ")
    assert any(f"drops it: priority 50 from {source}" in note
               for note in reply["notes"]), reply["notes"]


@pytest.mark.parametrize("rule, tos", (
    ("tos 0x10 lookup main", 16), ("ipproto udp lookup main", 0),
    pytest.param("uidrange 0-0 lookup main", 0, marks=pytest.mark.no_sandbox(
        "the daemon is another user, and asks as such")), ("goto 32766", 0)))
def test_a_rule_before_ours_that_may_match_is_no_certain_cause(figure, rule,
                                                               tos):
    """The daemon does not keep what such a rule looks at: it names the rule,
    and not the one at 32766 as if it had led there."""
    daemon = figure.start()
    figure.a.ip(f"rule add priority 50 from {A2_4} {rule}")
    daemon.wait()
    reply = explain(daemon, source=A2_4, destination=B_4, tos=tos)
    assert reply["agrees"] is False and reply["kernel"]["dev"] == "eth0"
    assert "rule" not in reply["kernel"]
    assert any(f"may have taken it: priority 50 from {A2_4}" in note
               for note in reply["notes"]), reply["notes"]
    if not tos:
        with Client(daemon.socket_path) as client:
            found = client.call("io.multihomed.Verify")["disagreements"]
        assert found and all("may have taken it" in it["hint"]
                             for it in found)


def bound_leaves_by(a, source, link):
    """The link that a socket with this source and SO_BINDTODEVICE sends by,
    or None: there is no route."""
    a.count_sent()
    before = a.sent()
    sock = a.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, link.encode())
    sock.bind((source, 0))
    try:
        sock.connect((B_6, 9))
    except OSError as err:
        assert err.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH)
        return None
    sock.send(b"x")
    (sent,) = until(lambda: {way for way in a.sent().items() - before.items()
                             if way[0][1] == source})
    return sent[0][0]


def test_an_ipv6_socket_bound_to_source_and_link(figure, model):
    """The kernel's lookup takes the link for a wish then, a socket does not."""
    daemon = figure.start(f'model = "{model}";')
    ways = [(source, link) for source in (A1_6, A2_6)
            for link in ("eth0", "eth1")]
    for source, link in ways:
        reply = explain(daemon, source=source, destination=B_6, dev=link)
        sent = bound_leaves_by(figure.a, source, link)
        assert hops(reply) == [(R_LL, sent)], (source, link)
        assert reply.get("kernel", {"dev": link})["dev"] == link
    figure.a.ip("route del default dev eth1", family=6)
    daemon.wait()
    for source, link in ways:
        reply = explain(daemon, source=source, destination=B_6, dev=link)
        sent = bound_leaves_by(figure.a, source, link)
        assert hops(reply) == ([(R_LL, sent)] if sent else []), (source, link)


@pytest.mark.parametrize("bad, error, named", (
    ({"destination": "nonsense"}, "InvalidParameter", "destination"),
    ({"destination": "10.0.0.0/8"}, "InvalidParameter", "destination"),
    ({"destination": B_4, "source": A1_6}, "InvalidParameter", "source"),
    ({"destination": B_4, "tos": 3}, "InvalidParameter", "tos"),
    ({"destination": B_4, "tos": 256}, "InvalidParameter", "tos"),
    ({"destination": B_4, "without": "nope"}, "NoSuchLink", "nope"),
    ({"destination": B_4, "dev": "eth0", "without": "eth1"},
     "InvalidParameter", "without"),
    ({"destination": B_4, "dev": "nope"}, "NoSuchLink", "nope")))
def test_bad_questions_are_refused(figure, bad, error, named):
    daemon = figure.start()
    with pytest.raises(VarlinkError) as caught:
        explain(daemon, **bad)
    assert caught.value.name.endswith(f".{error}")
    assert named in caught.value.parameters.values()
