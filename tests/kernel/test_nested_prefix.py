# SPDX-License-Identifier: GPL-2.0-or-later
"""An address inside another subnet's longer prefix still has its own table."""

import pytest

DST = "203.0.113.9"


def nested(lab, wide):
    """eth0 has `wide`/16 with a router, eth1 10.1.5.2/24 with another."""
    a = lab.host("a")
    for number, addresses in ((0, "10.1.0.1/16"), (1, "10.1.5.1/24")):
        router = lab.router(f"r{number}")
        lab.wire(a, f"eth{number}", router, "lan")
        router.ip(f"addr add {addresses} dev lan")
    a.ip(f"""
        addr add {wide}/16 dev eth0
        addr add 10.1.5.2/24 dev eth1
        route add default via 10.1.0.1 dev eth0 metric 100
        route add default via 10.1.5.1 dev eth1 metric 200
    """)
    return a


def sources(a, table):
    """The prefixes whose rules lead to a table."""
    return [rule["from"] for rule in a.rules(4)
            if str(rule.get("table")) == str(table)]


@pytest.mark.parametrize("wide", ["10.1.0.2", "10.1.5.7"],
                         ids=["outside the longer", "inside the longer"])
def test_each_address_leaves_by_its_own_router(lab, model, wide):
    a = nested(lab, wide)
    lab.daemon(a, f'model = "{model}";')
    assert a.leaves_by(DST, wide) == "via 10.1.0.1 dev eth0"
    assert a.leaves_by(DST, "10.1.5.2") == "via 10.1.5.1 dev eth1"


def test_only_the_subnet_with_a_foreign_address_has_exact_rules(lab):
    a = nested(lab, "10.1.0.2")
    daemon = lab.daemon(a)
    wide = daemon.table("eth0", "10.1.0.0/16")
    deep = daemon.table("eth1", "10.1.5.0/24")
    assert sources(a, wide) == ["10.1.0.2/32"]
    assert sources(a, deep) == ["10.1.5.0/24"]


def test_the_longer_prefix_is_exact_when_it_holds_the_others_address(lab):
    a = nested(lab, "10.1.5.7")
    daemon = lab.daemon(a)
    wide = daemon.table("eth0", "10.1.0.0/16")
    deep = daemon.table("eth1", "10.1.5.0/24")
    assert sources(a, wide) == ["10.1.5.7/32"]
    assert sources(a, deep) == ["10.1.5.2/32"]


def test_a_longer_rule_prefix_is_looked_up_first(lab):
    """Priority says specificity: base + 1 + 32 - length."""
    a = nested(lab, "10.1.0.2")
    lab.daemon(a)
    got = [(rule["priority"], rule["from"]) for rule in a.rules(4)
           if str(rule.get("protocol")) == "109"]
    assert got == [(7101, "10.1.0.2/32"), (7109, "10.1.5.0/24")]


def test_two_subnets_nested_on_one_link_split_by_gateway(lab, model):
    """Line 3 of on-subnet: the longest prefix on the link takes the gateway."""
    a, r = lab.host("a"), lab.router("r")
    lab.wire(a, "eth0", r, "lan")
    r.ip("addr add 10.1.0.1/16 dev lan\naddr add 10.1.5.1/16 dev lan")
    a.ip("""
        addr add 10.1.0.2/16 dev eth0
        addr add 10.1.5.2/24 dev eth0
        route add default via 10.1.0.1 dev eth0 metric 100
        route add default via 10.1.5.1 dev eth0 metric 200
    """)
    lab.daemon(a, f'model = "{model}";')
    assert a.leaves_by(DST, "10.1.0.2") == "via 10.1.0.1 dev eth0"
    assert a.leaves_by(DST, "10.1.5.2") == "via 10.1.5.1 dev eth0"
