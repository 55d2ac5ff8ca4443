# SPDX-License-Identifier: GPL-2.0-or-later
"""Links and addresses that go, come back, move and change their names."""

import pytest

from lab import until
from lab.own import own_rules, own_sources, own_state
from lab.watch import Watch


@pytest.fixture
def renames(lab):
    """Only where a link that is up can get another name: since Linux 6.2."""
    host = lab.host("renamed")
    host.ip("link add old type veth peer name other\nlink set old up")
    done = host.run("ip", "link", "set", "old", "name", "new", check=False)
    if "busy" in done.stderr:
        pytest.skip("this kernel renames no link that is up")


def config(model):
    return f'model = "{model}";'


def without_path(family, model):
    """How a2's packets leave while its own uplink is of no use."""
    return family.via1 if model == "weak" else "EHOSTUNREACH"


def give_back(figure, family, link="eth1"):
    """What the administrator's scripts do for a2 when its link is up again:
    the kernel itself forgets gateways, and of IPv6 the addresses too."""
    if family.number == 6:
        figure.a.ip(f"addr add 2001:db8:2::2/64 dev {link}")
    figure.a.ip(f"route add default via {family.gw2} dev {link} metric 200")


def own_lines(a, table, family, words):
    return [line for line in a.route_lines(table, family.number)
            if words in line]


# -- down and up -----------------------------------------------------------


def test_link_down_moves_or_stops_its_sources(figure, family, model):
    a = figure.a
    daemon = figure.start(config(model))
    before = daemon.table("eth0", family.net1)
    a.ip("link set eth1 down")
    daemon.wait()
    if family.number == 4:  # IPv6 addresses go with the link
        assert a.leaves_by(family.b, family.a2) == without_path(family, model)
    assert a.leaves_by(family.b, family.a1) == family.via1
    assert daemon.table("eth0", family.net1) == before
    for number in own_sources(a, family.number).values():
        assert not own_lines(a, number, family, "dev eth1")


def test_link_up_again_serves_its_sources_again(figure, family, model):
    a = figure.a
    daemon = figure.start(config(model))
    number = daemon.table("eth1", family.net2)
    a.ip("link set eth1 down")
    daemon.wait()
    a.ip("link set eth1 up")
    give_back(figure, family)
    daemon.wait()
    assert a.leaves_by(family.b, family.a2) == family.via2
    until(lambda: a.ping(family.b, family.a2, count=1, wait=0.1), 3)
    if family.number == 4:  # the subnet was there all the time
        assert daemon.table("eth1", family.net2) == number


def test_a_link_that_flaps_leaves_everything_as_it_was(figure, model):
    a = figure.a
    daemon = figure.start(config(model))
    before = own_state(a)
    for _ in range(20):
        a.ip("""
            link set eth1 down
            link set eth1 up
            addr add 2001:db8:2::2/64 dev eth1
            route add default via 10.2.0.1 dev eth1 metric 200
            route add default via fe80::1 dev eth1 metric 200
        """)
    daemon.wait()
    after = own_state(a)
    assert after["rules4"] == before["rules4"]
    assert after["routes4"] == before["routes4"]
    assert after["neighbours"] == before["neighbours"]
    # The IPv6 subnet is a new one each time; its table number may be too.
    assert sorted(own_sources(a, 6)) == ["2001:db8:1::/64", "2001:db8:2::/64"]
    assert a.leaves_by("2001:db8:b::9", "2001:db8:2::2") == \
        "via fe80::1 dev eth1"
    assert len(after["routes6"]) == len(before["routes6"])


# -- carrier ---------------------------------------------------------------


def unplug(figure):
    figure.r2.ip("link set lan down")


def plug_in(figure):
    figure.r2.ip("""
        link set lan up
        addr replace 2001:db8:2::1/64 dev lan
        addr replace fe80::1/64 dev lan
    """)


def test_carrier_loss_counts_like_a_lost_route(figure, family, model):
    """Main keeps its routes then, and lookups would go on using them."""
    a = figure.a
    daemon = figure.start(config(model))
    unplug(figure)
    daemon.wait()
    assert family.gw2 in str(a.routes("main", family.number))
    assert a.leaves_by(family.b, family.a2) == without_path(family, model)
    assert a.leaves_by(family.b, family.a1) == family.via1


def test_carrier_return_brings_the_path_back(figure, family, model):
    a = figure.a
    daemon = figure.start(config(model))
    before = own_state(a)
    unplug(figure)
    daemon.wait()
    plug_in(figure)
    # The kernel may take a second before it tells, and lets the link send.
    until(lambda: a.leaves_by(family.b, family.a2) == family.via2, 3)
    until(lambda: a.ping(family.b, family.a2, count=1, wait=0.1), 3)
    daemon.wait()
    assert own_state(a) == before


def test_where_no_link_has_carrier_all_stays_as_main_has_it(figure, family,
                                                            model):
    a = figure.a
    daemon = figure.start(config(model))
    unplug(figure)
    figure.r1.ip("link set lan down")
    # The kernel tells of one loss at once, of the next up to a second later.
    until(lambda: a.leaves_by(family.b, family.a2) == family.via2, 3)
    daemon.wait()
    assert a.leaves_by(family.b, family.a1) == family.via1
    assert a.leaves_by(family.b, family.a2) == family.via2


def test_a_tun_uplink_that_loses_carrier(figure, model):
    """A modem's link: no gateway, and its holder sets the carrier. The kernel
    tells of that within a second."""
    a = figure.a
    tun = a.tun("wwan0")
    a.ip("""
        link set wwan0 up
        addr add 10.9.0.2/32 dev wwan0
        route add default dev wwan0 metric 700
    """)
    daemon = figure.start(config(model))
    assert a.leaves_by("203.0.113.9", "10.9.0.2") == "dev wwan0"
    want = "via 10.1.0.1 dev eth0" if model == "weak" else "EHOSTUNREACH"
    for carrier, path in ((False, want), (True, "dev wwan0")):
        tun.carrier(carrier)
        until(lambda p=path: a.leaves_by("203.0.113.9", "10.9.0.2") == p, 3)
    daemon.wait()
    assert daemon.status()["steady"]


# -- names -----------------------------------------------------------------


@pytest.mark.usefixtures("renames")
def test_a_rename_changes_nothing_in_the_kernel(figure, family):
    a = figure.a
    daemon = figure.start()
    with Watch(a) as watch:
        a.ip("link set eth1 name wan0")
        daemon.wait()
        assert watch.by(daemon) == []
    assert a.leaves_by(family.b, family.a2) == \
        family.via2.replace("eth1", "wan0")
    assert daemon.subnet("wan0", family.net2)["managed"]


@pytest.mark.usefixtures("renames")
def test_two_links_that_swap_names_keep_their_tables(figure, family):
    a = figure.a
    daemon = figure.start()
    one = daemon.table("eth0", family.net1)
    two = daemon.table("eth1", family.net2)
    with Watch(a) as watch:
        a.ip("""
            link set eth0 name other
            link set eth1 name eth0
            link set other name eth1
        """)
        daemon.wait()
        assert watch.by(daemon) == []
    assert daemon.table("eth1", family.net1) == one
    assert daemon.table("eth0", family.net2) == two
    assert a.leaves_by(family.b, family.a1) == \
        family.via1.replace("eth0", "eth1")
    assert a.ping(family.b, family.a2) == 3


@pytest.mark.usefixtures("renames")
def test_interfaces_of_the_config_follow_a_rename(figure, family):
    a = figure.a
    daemon = figure.start(
        'interfaces = ( { match = "off*"; manage = "never"; } );')
    a.ip("link set eth1 name off1")
    daemon.wait()
    assert family.net2 not in own_sources(a, family.number)
    assert family.net1 in own_sources(a, family.number)
    a.ip("link set off1 name eth1")
    daemon.wait()
    assert a.leaves_by(family.b, family.a2) == family.via2


@pytest.mark.usefixtures("renames")
def test_routes_of_the_config_follow_a_rename(figure, family):
    a = figure.a
    daemon = figure.start(f"""
        routes = ( {{ to = "{family.other}"; via = "{family.gw2}";
                      dev = "wan0"; metric = 10; }} );""")
    assert a.leaves_by(family.other_host, family.a1) == family.via1
    a.ip("link set eth1 name wan0")
    daemon.wait()
    via2 = family.via2.replace("eth1", "wan0")
    assert a.leaves_by(family.other_host, family.a1) == via2
    a.ip("link set wan0 name eth1")
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a1) == family.via1


@pytest.mark.usefixtures("renames")
def test_metric_add_follows_a_rename(figure, family):
    """A third subnet without an uplink of its own uses the best of others."""
    a = figure.a
    source = {4: "10.3.0.2", 6: "2001:db8:3::2"}[family.number]
    length = {4: 24, 6: 64}[family.number]
    figure.lab.bridge(a, "lan0")
    a.ip(f"addr add {source}/{length} dev lan0")
    daemon = figure.start("""
        interfaces = ( { match = "lan0"; manage = "always"; },
                       { match = "slow*"; metric_add = 1000; } );""")
    assert a.leaves_by(family.b, source) == family.via1
    a.ip("link set eth0 name slow0")
    daemon.wait()
    assert a.leaves_by(family.b, source) == family.via2
    a.ip("link set slow0 name eth0")
    daemon.wait()
    assert a.leaves_by(family.b, source) == family.via1


@pytest.mark.usefixtures("renames")
def test_bindings_of_the_config_follow_a_rename(figure):
    """A tunnel that is tied to a2's subnet by its name."""
    a = figure.a
    a.tun("tun5")
    a.ip("""
        link set tun5 up
        addr add 10.8.0.2/32 dev tun5
        route add default dev tun5 metric 50
    """)
    daemon = figure.start("""
        bindings = ( { dev = "gre2"; prefixes = ( "10.2.0.0/24" ); } );""")
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.2.0.1 dev eth1"
    a.ip("link set tun5 name gre2")
    daemon.wait()
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "dev gre2"
    assert a.leaves_by("203.0.113.9", "10.1.0.2") == "via 10.1.0.1 dev eth0"
    a.ip("link set gre2 name tun5")
    daemon.wait()
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.2.0.1 dev eth1"


# -- gone and new ----------------------------------------------------------


def test_a_deleted_link_leaves_no_rule_and_no_route(figure, family, model):
    a = figure.a
    daemon = figure.start(config(model))
    number = daemon.table("eth1", family.net2)
    a.ip("link del eth1")
    daemon.wait()
    assert list(own_sources(a, family.number)) == [family.net1]
    assert a.routes(number, family.number) == []
    own = daemon.table("eth0", family.net1)
    assert not own_lines(a, own, family, family.net2.split("/")[0])
    assert a.leaves_by(family.b, family.a1) == family.via1


def test_a_link_made_anew_works_as_the_old_one_did(figure, family, model):
    a = figure.a
    daemon = figure.start(config(model))
    a.ip("link del eth1")
    daemon.wait()
    figure.lab.wire(a, "eth1", figure.r2, "lan")
    figure.r2.ip("""
        addr add 10.2.0.1/24 dev lan
        addr add 2001:db8:2::1/64 dev lan
        addr add fe80::1/64 dev lan
    """)
    a.ip(f"""
        addr add {family.a2}/{family.net2.split("/")[1]} dev eth1
        route add default via {family.gw2} dev eth1 metric 200
    """)
    daemon.wait()
    assert a.leaves_by(family.b, family.a2) == family.via2
    until(lambda: a.ping(family.b, family.a2, count=1, wait=0.1), 3)


def test_a_link_that_moves_to_another_namespace_is_gone(figure, family):
    """As a container's tool does it; and it comes back without addresses."""
    a, r1 = figure.a, figure.r1
    daemon = figure.start()
    a.ip(f"link set eth1 netns {r1.name}")
    daemon.wait()
    assert list(own_sources(a, family.number)) == [family.net1]
    r1.ip(f"link set eth1 netns {a.name}")
    a.ip("link set eth1 up")
    if family.number == 4:
        a.ip("addr add 10.2.0.2/24 dev eth1")
    give_back(figure, family)
    daemon.wait()
    assert a.leaves_by(family.b, family.a2) == family.via2


def test_all_addresses_and_routes_flushed_and_set_again(figure, model):
    """As a network script does that starts from nothing."""
    a = figure.a
    daemon = figure.start(config(model))
    before = own_state(a)
    a.ip("""
        route flush table main
        addr flush dev eth0 scope global
        addr flush dev eth1 scope global
    """)
    a.ip("route flush table main", 6)
    daemon.wait()
    assert own_rules(a, 4) == own_rules(a, 6) == []
    a.ip("""
        addr add 10.1.0.2/24 dev eth0
        addr add 10.2.0.2/24 dev eth1
        addr add 2001:db8:1::2/64 dev eth0
        addr add 2001:db8:2::2/64 dev eth1
        route add default via 10.1.0.1 dev eth0 metric 100
        route add default via 10.2.0.1 dev eth1 metric 200
        route replace fe80::/64 dev eth0 metric 256
        route replace fe80::/64 dev eth1 metric 256
        route add default via fe80::1 dev eth0 metric 100
        route add default via fe80::1 dev eth1 metric 200
    """)
    daemon.wait()
    after = own_state(a)
    assert [len(after[key]) for key in sorted(after)] == \
        [len(before[key]) for key in sorted(before)]
    for source, dst, path in (
            ("10.1.0.2", "203.0.113.9", "via 10.1.0.1 dev eth0"),
            ("10.2.0.2", "203.0.113.9", "via 10.2.0.1 dev eth1"),
            ("2001:db8:1::2", "2001:db8:b::9", "via fe80::1 dev eth0"),
            ("2001:db8:2::2", "2001:db8:b::9", "via fe80::1 dev eth1")):
        assert a.leaves_by(dst, source) == path


def test_disable_ipv6_takes_the_links_ipv6_subnets_only(figure, model):
    a = figure.a
    daemon = figure.start(config(model))
    before = own_state(a)
    number = daemon.table("eth1", "2001:db8:2::/64")
    a.sysctl("ipv6/conf/eth1/disable_ipv6", 1)
    daemon.wait()
    assert list(own_sources(a, 6)) == ["2001:db8:1::/64"]
    assert a.routes(number, 6) == []
    after = own_state(a)
    assert after["rules4"] == before["rules4"]
    assert after["routes4"] == before["routes4"]
    a.sysctl("ipv6/conf/eth1/disable_ipv6", 0)
    a.ip("""
        addr add 2001:db8:2::2/64 dev eth1
        route add default via fe80::1 dev eth1 metric 200
    """)
    daemon.wait()
    assert a.leaves_by("2001:db8:b::9", "2001:db8:2::2") == \
        "via fe80::1 dev eth1"


def test_ipv6_off_on_every_link_leaves_no_ipv6_rule(figure):
    """Not even the one for link-local destinations, which serves the rest."""
    a = figure.a
    daemon = figure.start()
    a.sysctl("ipv6/conf/eth0/disable_ipv6", 1)
    a.sysctl("ipv6/conf/eth1/disable_ipv6", 1)
    daemon.wait()
    assert own_rules(a, 6) == []
    assert len(own_rules(a, 4)) == 2


# -- addresses -------------------------------------------------------------


def test_an_address_that_moves_to_a_bridge_takes_its_rule_along(figure,
                                                                family, model):
    """As somebody does who makes the uplink a port of a bridge for VMs."""
    a = figure.a
    daemon = figure.start(config(model))
    length = family.net2.split("/")[1]
    a.ip(f"""
        link add br0 type bridge forward_delay 0 mcast_snooping 0
        link set br0 up
        link set eth1 master br0
        addr del {family.a2}/{length} dev eth1
        addr add {family.a2}/{length} dev br0
        route replace default via {family.gw2} dev br0 metric 200
    """)
    daemon.wait()
    via2 = family.via2.replace("eth1", "br0")
    assert a.leaves_by(family.b, family.a2) == via2
    assert a.leaves_by(family.b, family.a1) == family.via1
    assert daemon.subnet("br0", family.net2)["managed"]
    assert list(own_sources(a, family.number)) == [family.net1, family.net2]
    until(lambda: a.ping(family.b, family.a2, count=1, wait=0.1), 3)


def test_an_address_that_moves_and_is_on_both_links_for_a_while(figure,
                                                                family):
    a = figure.a
    daemon = figure.start()
    length = family.net2.split("/")[1]
    figure.lab.wire(a, "eth2", figure.r2, "lan2")
    a.ip(f"addr add {family.a2}/{length} dev eth2")
    daemon.wait()
    assert a.leaves_by(family.b, family.a2) == family.via2
    a.ip(f"""
        addr del {family.a2}/{length} dev eth1
        route replace default via {family.gw2} dev eth2 metric 200
    """)
    daemon.wait()
    assert a.leaves_by(family.b, family.a2) == \
        family.via2.replace("eth1", "eth2")
    assert sorted(own_sources(a, family.number).keys()) == \
        sorted([family.net1, family.net2])


@pytest.mark.parametrize("length", [16, 25])
def test_an_ipv4_address_that_changes_its_prefix_length(figure, model,
                                                        length):
    a = figure.a
    daemon = figure.start(config(model))
    a.ip(f"""
        addr add 10.2.0.2/{length} dev eth1
        addr del 10.2.0.2/24 dev eth1
        route replace default via 10.2.0.1 dev eth1 metric 200
    """)
    daemon.wait()
    net = {16: "10.2.0.0/16", 25: "10.2.0.0/25"}[length]
    assert [(priority, what) for priority, what, _ in own_rules(a, 4)] == \
        sorted([(7109, "from 10.1.0.0/24"), (7133 - length, f"from {net}")])
    assert a.leaves_by("203.0.113.9", "10.2.0.2") == "via 10.2.0.1 dev eth1"
    assert a.ping("203.0.113.9", "10.2.0.2") == 3


def test_an_ipv6_address_that_changes_its_prefix_length(figure, model):
    a = figure.a
    daemon = figure.start(config(model))
    a.ip("""
        addr del 2001:db8:2::2/64 dev eth1
        addr add 2001:db8:2::2/80 dev eth1
    """)
    daemon.wait()
    assert [(priority, what) for priority, what, _ in own_rules(a, 6)] == [
        (7100, "to fe80::/10"), (7149, "from 2001:db8:2::/80"),
        (7165, "from 2001:db8:1::/64")]
    assert a.leaves_by("2001:db8:b::9", "2001:db8:2::2") == \
        "via fe80::1 dev eth1"
    assert a.ping("2001:db8:b::9", "2001:db8:2::2") == 3


def test_many_routes_whose_gateway_lost_its_subnet(figure):
    """The kernel keeps them in main, and takes no more copies of them. That
    many refusals must not keep the daemon from everything else."""
    a = figure.a
    daemon = figure.start()
    a.ip("\n".join(f"route add 20.{i >> 8}.{i & 255}.0/24 via 10.2.0.1"
                   for i in range(400)))
    daemon.wait()
    figure.r2.ip("addr add 10.7.0.1/24 dev lan")
    a.ip("""
        addr add 10.7.0.2/24 dev eth1
        route add default via 10.7.0.1 dev eth1 metric 50
        addr del 10.2.0.2/24 dev eth1
    """)
    a.ip("rule flush", 6)
    daemon.wait()
    assert sorted(own_sources(a, 4)) == ["10.1.0.0/24", "10.7.0.0/24"]
    assert sorted(own_sources(a, 6)) == ["2001:db8:1::/64", "2001:db8:2::/64"]
    assert a.leaves_by("203.0.113.9", "10.7.0.2") == "via 10.7.0.1 dev eth1"
    assert len(daemon.log().splitlines()) < 100
