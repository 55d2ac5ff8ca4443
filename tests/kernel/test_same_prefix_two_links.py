# SPDX-License-Identifier: GPL-2.0-or-later
"""The same prefix on two links is two subnets, told apart by exact rules."""

from lab import tcp_works

NEAR = {4: ("10.1.0.2", "10.1.0.3"), 6: ("2001:db8:1::2", "2001:db8:1::3")}
PREFIX = {4: "10.1.0.0/24", 6: "2001:db8:1::/64"}
B = {4: "203.0.113.9", 6: "2001:db8:b::9"}


def twins(lab):
    """Two LANs with the same prefix and the same gateway address."""
    a, b = lab.host("a"), lab.server("b")
    for number in (1, 2):
        router = lab.router(f"r{number}")
        lab.wire(a, f"eth{number - 1}", router, "lan")
        lab.wire(b, f"p{number}", router, "wan")
        router.ip(f"""
            addr add 10.1.0.1/24 dev lan
            addr add 2001:db8:1::1/64 dev lan
            addr add 203.0.113.{number}/24 dev wan
            addr add 2001:db8:b::{number}/64 dev wan
        """)
        a.ip(f"""
            addr add 10.1.0.{number + 1}/24 dev eth{number - 1}
            addr add 2001:db8:1::{number + 1}/64 dev eth{number - 1}
            route add default via 10.1.0.1 dev eth{number - 1} metric {number}
            route add default via 2001:db8:1::1 dev eth{number - 1} \
                metric {number}
        """.replace("\\\n", ""))
    lab.bridge(b, "br0", ("p1", "p2"))
    b.ip("addr add 203.0.113.9/24 dev br0\naddr add 2001:db8:b::9/64 dev br0")
    for number in (1, 2):
        b.ip(f"""
            route add 10.1.0.{number + 1} via 203.0.113.{number}
            route add 2001:db8:1::{number + 1} via 2001:db8:b::{number}
        """)
    return a, b


def own_rules(a, number):
    """The sources of our rules, link-local's destination rule left out."""
    return sorted(rule["from"] for rule in a.rules(number)
                  if str(rule.get("protocol")) == "109" and "from" in rule)


def test_each_address_keeps_to_its_own_link(lab, family, model):
    a, b = twins(lab)
    lab.daemon(a, f'model = "{model}";')
    gateway = PREFIX[family.number].split("/")[0].rstrip("0") + "1"
    for link, source in enumerate(NEAR[family.number]):
        dst = B[family.number]
        assert a.leaves_by(dst, source) == f"via {gateway} dev eth{link}"
        assert a.leaves_by(gateway, source) == f"dev eth{link}"
        assert a.ping(dst, source) == 3
        assert tcp_works(b, a, source)


def test_rules_are_exact_while_the_prefix_is_shared(lab, family):
    a, _ = twins(lab)
    daemon = lab.daemon(a)
    one, two = NEAR[family.number]
    length = PREFIX[family.number].split("/")[1]
    assert own_rules(a, family.number) == [f"{one}/{family.full}",
                                           f"{two}/{family.full}"]
    a.ip(f"addr del {two}/{length} dev eth1")
    daemon.wait()
    assert own_rules(a, family.number) == [PREFIX[family.number]]
    a.ip(f"addr add {two}/{length} dev eth1")
    daemon.wait()
    assert f"{one}/{family.full}" in own_rules(a, family.number)
