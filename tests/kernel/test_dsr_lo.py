# SPDX-License-Identifier: GPL-2.0-or-later
"""Service addresses on lo: direct server return, anycast."""

SERVICE = {4: "10.2.0.50", 6: "2001:db8:2::50"}
ELSEWHERE = {4: "192.0.2.50", 6: "2001:db8:ffff::50"}


def test_an_address_on_lo_uses_the_managed_subnet_it_lies_in(figure, family,
                                                             model):
    a, service = figure.a, SERVICE[family.number]
    a.ip(f"addr add {service}/{family.full} dev lo")
    daemon = figure.start(f'model = "{model}";')
    assert a.leaves_by(family.b, service) == family.via2
    rules = daemon.subnet("eth1", family.net2)["rules"]
    assert [rule["from"] for rule in rules] == [family.net2]


def test_an_answer_from_lo_leaves_by_the_right_router(figure):
    """The load balancer's side of it: the request comes in through R2."""
    a, service = figure.a, SERVICE[4]
    a.ip(f"addr add {service}/32 dev lo")
    figure.start()
    assert figure.b.ping(service) == 3
    assert figure.dropped() == 0


def test_an_address_on_lo_in_no_managed_subnet_follows_main(figure, family,
                                                            model):
    a, stray = figure.a, ELSEWHERE[family.number]
    a.ip(f"addr add {stray}/{family.full} dev lo")
    figure.start(f'model = "{model}";')
    assert a.leaves_by(family.b, stray) == family.via1
    assert not [rule for rule in a.rules(family.number)
                if rule.get("from", "").startswith(stray)]


def test_an_address_on_lo_that_two_subnets_contain_belongs_to_neither(lab):
    """Two links with one prefix: nobody can say whose address it is."""
    a = lab.host("a")
    for number in (0, 1):
        router = lab.router(f"r{number}")
        lab.wire(a, f"eth{number}", router, "lan")
        router.ip("addr add 10.1.0.1/24 dev lan")
        a.ip(f"""
            addr add 10.1.0.{number + 2}/24 dev eth{number}
            route add default via 10.1.0.1 dev eth{number} metric {number}00
        """)
    a.ip("addr add 10.1.0.50/32 dev lo")
    lab.daemon(a)
    sources = [rule["from"] for rule in a.rules(4)
               if str(rule.get("protocol")) == "109" and "from" in rule]
    assert sources == ["10.1.0.2/32", "10.1.0.3/32"]


def test_an_address_on_lo_can_come_later(figure, family):
    a, service = figure.a, SERVICE[family.number]
    daemon = figure.start()
    a.ip(f"addr add {service}/{family.full} dev lo")
    daemon.wait()
    assert a.leaves_by(family.b, service) == family.via2
    assert a.leaves_by(family.b, family.a2) == family.via2
