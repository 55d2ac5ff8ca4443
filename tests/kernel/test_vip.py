# SPDX-License-Identifier: GPL-2.0-or-later
"""Virtual addresses as keepalived adds them: a /32 or /128 on the link."""

VIP = {4: "10.2.0.100", 6: "2001:db8:2::100"}


def test_a_vip_belongs_to_the_subnet_it_lies_in(figure, family, model):
    a, vip = figure.a, VIP[family.number]
    a.ip(f"addr add {vip}/{family.full} dev eth1")
    daemon = figure.start(f'model = "{model}";')
    subnet = daemon.subnet("eth1", family.net2)
    assert sorted(subnet["addresses"]) == sorted([family.a2, vip])
    assert [rule["from"] for rule in subnet["rules"]] == [family.net2]
    assert a.leaves_by(family.b, vip) == family.via2
    assert a.ping(family.b, vip) == 3
    assert figure.b.ping(vip) == 3
    assert figure.dropped() == 0


def test_a_vip_can_come_and_go(figure, family):
    a, vip = figure.a, VIP[family.number]
    daemon = figure.start()
    before = a.rules(family.number)
    a.ip(f"addr add {vip}/{family.full} dev eth1")
    daemon.wait()
    assert a.leaves_by(family.b, vip) == family.via2
    assert a.rules(family.number) == before
    a.ip(f"addr del {vip}/{family.full} dev eth1")
    daemon.wait()
    assert a.rules(family.number) == before
    assert a.leaves_by(family.b, family.a2) == family.via2


def test_a_vip_of_another_links_subnet_is_not_pulled_over(figure, family):
    """eth0 carries an address of eth1's prefix: eth1 falls back to rules for
    its own addresses, and the stray address follows table main."""
    a, vip = figure.a, VIP[family.number]
    a.ip(f"addr add {vip}/{family.full} dev eth0")
    daemon = figure.start()
    rules = daemon.subnet("eth1", family.net2)["rules"]
    assert [rule["from"] for rule in rules] == [f"{family.a2}/{family.full}"]
    assert a.leaves_by(family.b, family.a2) == family.via2
    assert a.leaves_by(family.b, vip) == family.via1
