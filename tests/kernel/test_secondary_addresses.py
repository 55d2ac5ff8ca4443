# SPDX-License-Identifier: GPL-2.0-or-later
"""Several addresses of one subnet share its rule and its table."""

DST = "203.0.113.9"


def own_sources(a, number=4):
    return [rule["from"] for rule in a.rules(number)
            if str(rule.get("protocol")) == "109" and "from" in rule]


def test_every_address_of_a_subnet_uses_its_one_table(figure, model):
    a = figure.a
    a.ip("""
        addr add 10.2.0.3/24 dev eth1
        addr add 2001:db8:2::3/64 dev eth1
    """)
    daemon = figure.start(f'model = "{model}";')
    assert own_sources(a) == ["10.1.0.0/24", "10.2.0.0/24"]
    subnet = daemon.subnet("eth1", "10.2.0.0/24")
    assert sorted(subnet["addresses"]) == ["10.2.0.2", "10.2.0.3"]
    for source in ("10.2.0.2", "10.2.0.3"):
        assert a.leaves_by(DST, source) == "via 10.2.0.1 dev eth1"
        assert a.ping(DST, source) == 3
    assert a.ping("2001:db8:b::9", "2001:db8:2::3") == 3


def test_an_address_that_comes_later_needs_no_new_rule(figure):
    a = figure.a
    daemon = figure.start()
    before = a.rules(4), a.routes(daemon.table("eth1", "10.2.0.0/24"))
    a.ip("addr add 10.2.0.3/24 dev eth1")
    daemon.wait()
    after = a.rules(4), a.routes(daemon.table("eth1", "10.2.0.0/24"))
    assert before == after
    assert a.ping(DST, "10.2.0.3") == 3


def test_the_subnet_goes_with_its_last_address(figure):
    """Without promote_secondaries the kernel takes the secondaries along."""
    a = figure.a
    a.sysctl("ipv4/conf/eth1/promote_secondaries", 0)
    a.sysctl("ipv4/conf/all/promote_secondaries", 0)
    a.ip("addr add 10.2.0.3/24 dev eth1")
    daemon = figure.start()
    number = daemon.table("eth1", "10.2.0.0/24")
    a.ip("addr del 10.2.0.2/24 dev eth1")
    daemon.wait()
    assert a.run("ip", "-4", "addr", "show", "dev", "eth1").stdout == "" or \
        "10.2.0" not in a.run("ip", "-4", "addr").stdout
    assert own_sources(a) == ["10.1.0.0/24"]
    assert a.routes(number) == []


def test_a_promoted_secondary_keeps_the_subnet(figure):
    a = figure.a
    a.sysctl("ipv4/conf/eth1/promote_secondaries", 1)
    a.ip("addr add 10.2.0.3/24 dev eth1")
    daemon = figure.start()
    number = daemon.table("eth1", "10.2.0.0/24")
    a.ip("addr del 10.2.0.2/24 dev eth1")
    daemon.wait()
    subnet = daemon.subnet("eth1", "10.2.0.0/24")
    assert subnet["addresses"] == ["10.2.0.3"]
    assert subnet["table"] == number
    # The gateway route may have gone with the address: a DHCP client puts it
    # back.
    a.ip("route replace default via 10.2.0.1 dev eth1 metric 200")
    daemon.wait()
    assert a.leaves_by(DST, "10.2.0.3") == "via 10.2.0.1 dev eth1"
    assert a.ping(DST, "10.2.0.3") == 3


def test_copies_do_not_keep_a_source_address_that_is_gone(figure):
    """The kernel leaves a dead prefsrc in other tables: ours carry none."""
    a = figure.a
    a.ip("""
        addr add 10.2.0.3/24 dev eth1
        route add 198.51.100.0/24 via 10.2.0.1 dev eth1 src 10.2.0.3
    """)
    daemon = figure.start()
    number = daemon.table("eth1", "10.2.0.0/24")
    assert not [r for r in a.routes(number) if "prefsrc" in r]
    a.ip("addr del 10.2.0.3/24 dev eth1")
    daemon.wait()
    # main has lost the route together with the address.
    assert not [r for r in a.routes(number) if r["dst"] == "198.51.100.0/24"]
    assert a.leaves_by("198.51.100.7", "10.2.0.2") == "via 10.2.0.1 dev eth1"
