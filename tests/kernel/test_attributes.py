# SPDX-License-Identifier: GPL-2.0-or-later
"""A copied route forwards as the original does: every attribute comes along.

The routes are compared as iproute2 prints them. Left out are what is ours by
design (protocol, metric, source, expiry, table) and what only repeats a
default.
"""

import pytest

OURS = ("proto", "metric", "src", "expires")
STATE = ("linkdown", "dead")
P4, HOST4 = "198.51.100.0/24", "198.51.100.7"
P6, HOST6 = "2001:db8:ee::/48", "2001:db8:ee::7"
R2_4, R2_6 = "via 10.2.0.1 dev eth1", "via fe80::1 dev eth1"
S1, S2 = ("eth0", "10.1.0.0/24"), ("eth1", "10.2.0.0/24")
S1_6, S2_6 = ("eth0", "2001:db8:1::/64"), ("eth1", "2001:db8:2::/64")


def comparable(line):
    """One route of `ip route show` without what a copy may change."""
    words = [word for word in line.split() if word not in STATE]
    kept = []
    while words:
        word = words.pop(0)
        if word in OURS or (word == "pref" and words[0] == "medium"):
            words.pop(0)
        else:
            kept.append(word)
    return " ".join(kept)


def lines_for(namespace, prefix, table="main"):
    """The comparable routes for prefix, reject routes included."""
    number = 6 if ":" in prefix else 4
    return [comparable(line) for line in namespace.route_lines(table, number)
            if prefix in line.split()[:2]]


def copied(figure, prefix, subnet, config=""):
    """The routes for prefix in the table of one subnet, daemon started."""
    daemon = figure.start(config)
    return lines_for(figure.a, prefix, daemon.table(*subnet))


METRICS = {
    "mtu and advmss": "mtu 1400 advmss 1300",
    "locked": "mtu lock 1400 advmss lock 1300",
    "windows": "initcwnd 20 initrwnd 30",
    "timers": "rtt 200ms rttvar 100ms rto_min 300ms",
    "congestion control": "congctl reno",
    "locked congestion control": "congctl lock reno",
    "ecn": "features ecn",
    "others": "hoplimit 33 quickack 1 reordering 5 window 50000",
}


@pytest.mark.parametrize("what", METRICS)
def test_metrics_and_their_locks_come_along(figure, what):
    a = figure.a
    a.ip(f"""
        route add {P4} {R2_4} {METRICS[what]}
        route add {P6} {R2_6} {METRICS[what]}
    """)
    daemon = figure.start()
    for prefix, subnets in ((P4, (S1, S2)), (P6, (S1_6, S2_6))):
        want = lines_for(a, prefix)
        assert METRICS[what].split()[0] in want[0]
        for subnet in subnets:
            assert lines_for(a, prefix, daemon.table(*subnet)) == want


NEXT_HOPS = {
    "onlink": f"{P4} via 192.168.99.1 dev eth1 onlink",
    "IPv4 via IPv6": f"{P4} via inet6 fe80::1 dev eth1",
    "no gateway": f"{P4} dev eth1",
    "realm": f"{P4} {R2_4} realm 5",
    "seg6 in IPv4": f"{P4} encap seg6 mode encap segs 2001:db8:2::1 dev eth1",
    "onlink, IPv6": f"{P6} via 2001:db8:99::1 dev eth1 onlink",
    "preference": f"{P6} {R2_6} pref high",
    "low preference": f"{P6} {R2_6} pref low",
    "seg6 encap": f"{P6} encap seg6 mode encap "
                  f"segs 2001:db8:2::1,2001:db8:b::9 dev eth1",
    "seg6 inline": f"{P6} encap seg6 mode inline segs 2001:db8:2::1 {R2_6}",
    "seg6local": f"{P6} encap seg6local action End dev eth1",
}


@pytest.mark.parametrize("what", NEXT_HOPS)
def test_the_next_hop_is_copied_whole(figure, what):
    figure.r2.ip("""
        addr add 192.168.99.1/32 dev lan
        addr add 2001:db8:99::1/128 dev lan
    """)
    prefix = NEXT_HOPS[what].split()[0]
    figure.a.ip(f"route add {NEXT_HOPS[what]}")
    want = lines_for(figure.a, prefix)
    assert len(want) == 1
    subnet = S2 if prefix == P4 else S2_6
    assert copied(figure, prefix, subnet) == want


def test_the_routes_own_source_is_stripped(figure):
    a = figure.a
    a.ip(f"""
        route add {P4} {R2_4} src 10.2.0.2
        route add {P6} {R2_6} src 2001:db8:2::2
    """)
    daemon = figure.start()
    for number, subnets in ((4, (S1, S2)), (6, (S1_6, S2_6))):
        for subnet in subnets:
            routes = a.routes(daemon.table(*subnet), number)
            assert routes
            assert not [route for route in routes if "prefsrc" in route]


def test_a_copy_is_ours_and_there_is_one_per_prefix(figure, model):
    """Protocol 109, and one metric only, so that a replace is atomic. The
    strong model's last resort is the one exception."""
    a = figure.a
    a.ip(f"""
        route add {P4} {R2_4} metric 5
        route add {P4} {R2_4} metric 6 mtu 1400
        route add {P6} {R2_6} metric 5
        route add {P6} {R2_6} metric 6 mtu 1400
    """)
    daemon = figure.start(f'model = "{model}";')
    for number, subnets in ((4, (S1, S2)), (6, (S1_6, S2_6))):
        for subnet in subnets:
            routes = a.routes(daemon.table(*subnet), number)
            assert {str(route["protocol"]) for route in routes} == {"109"}
            last = [route for route in routes
                    if route.get("metric") == 4294967295]
            assert [r["type"] for r in last] == (
                ["7"] if model == "strong" else [])
            rest = [route for route in routes if route not in last]
            names = [route["dst"] for route in rest]
            assert len(names) == len(set(names))
            assert len({route.get("metric") for route in rest}) == 1


def test_the_lowest_metric_decides_which_attributes_count(figure):
    a = figure.a
    a.ip(f"""
        route add {P4} {R2_4} metric 50 mtu 1300
        route add {P4} {R2_4} metric 40 mtu 1200
    """)
    assert copied(figure, P4, S2) == [f"{P4} {R2_4} mtu 1200"]
    a.ip(f"route del {P4} {R2_4} metric 40")
    figure.lab.daemons[0].wait()
    number = figure.lab.daemons[0].table(*S2)
    assert lines_for(a, P4, number) == [f"{P4} {R2_4} mtu 1300"]


def test_a_changed_attribute_is_copied_again(figure):
    a = figure.a
    a.ip(f"route add {P4} {R2_4} mtu 1300\nroute add {P6} {R2_6} mtu 1300")
    daemon = figure.start()
    a.ip(f"""
        route replace {P4} {R2_4} mtu lock 1290 initcwnd 12
        route replace {P6} {R2_6} mtu lock 1290 initcwnd 12
    """)
    daemon.wait()
    for prefix, subnet in ((P4, S2), (P6, S2_6)):
        lines = lines_for(a, prefix, daemon.table(*subnet))
        assert lines == lines_for(a, prefix)
        assert "mtu lock 1290" in lines[0]


def test_an_expiring_route_is_copied_and_goes_with_the_original(figure):
    a = figure.a
    a.ip(f"route add {P6} {R2_6} expires 600 mtu 1400")
    daemon = figure.start()
    number = daemon.table(*S2_6)
    assert lines_for(a, P6, number) == [f"{P6} {R2_6} mtu 1400"]
    a.ip(f"route del {P6}")
    daemon.wait()
    assert lines_for(a, P6, number) == []


def test_a_foreign_route_to_us_multicast_or_link_local_is_no_cell(figure):
    a = figure.a
    a.ip("""
        route add 239.1.1.0/24 dev eth1
        route add fe80:77::/64 dev eth1
    """)
    daemon = figure.start()
    for number, subnets in ((4, (S1, S2)), (6, (S1_6, S2_6))):
        for subnet in subnets:
            names = [route["dst"] for route in
                     a.routes(daemon.table(*subnet), number)]
            assert not [name for name in names
                        if name.startswith(("239.", "ff", "fe80"))]


# -- multipath ---------------------------------------------------------------


def test_a_multipath_route_is_reduced_to_the_own_legs(figure, model):
    a = figure.a
    figure.r2.ip("addr add 10.2.0.254/24 dev lan")
    a.ip(f"""route add {P4} mtu 1400 \
        nexthop via 10.1.0.1 dev eth0 weight 1 \
        nexthop via 10.2.0.1 dev eth1 weight 2 \
        nexthop via 10.2.0.254 dev eth1 weight 3
    """)
    daemon = figure.start(f'model = "{model}";')
    assert lines_for(a, P4, daemon.table(*S1)) == [
        f"{P4} via 10.1.0.1 dev eth0 mtu 1400"]
    assert lines_for(a, P4, daemon.table(*S2)) == [
        f"{P4} mtu 1400 nexthop via 10.2.0.1 dev eth1 weight 2 "
        "nexthop via 10.2.0.254 dev eth1 weight 3"]


def test_a_multipath_route_of_ipv6_is_reduced_to_the_own_legs(figure, model):
    a = figure.a
    a.ip(f"""route add {P6} mtu 1400 \
        nexthop via 2001:db8:1::1 dev eth0 weight 1 \
        nexthop via 2001:db8:2::1 dev eth1 weight 2 \
        nexthop via fe80::1 dev eth1 weight 3
    """)
    daemon = figure.start(f'model = "{model}";')
    assert lines_for(a, P6, daemon.table(*S1_6)) == [
        f"{P6} via 2001:db8:1::1 dev eth0 mtu 1400"]
    number = daemon.table(*S2_6)
    line = " ".join(lines_for(a, P6, number))
    assert "mtu 1400" in line
    assert "nexthop via 2001:db8:2::1 dev eth1 weight 2" in line
    assert "nexthop via fe80::1 dev eth1 weight 3" in line
    assert "eth0" not in line


def test_weak_keeps_a_foreign_multipath_route_whole(figure):
    a = figure.a
    figure.r2.ip("addr add 10.2.0.254/24 dev lan")
    a.ip(f"""route add {P4} nexthop via 10.2.0.1 dev eth1 weight 2 \
        nexthop via 10.2.0.254 dev eth1 weight 3
    """)
    assert copied(figure, P4, S1) == lines_for(a, P4)


# -- nexthop objects ---------------------------------------------------------


def test_what_a_nexthop_object_says_is_written_out(figure, family):
    a = figure.a
    a.ip(f"""
        nexthop add id 7 via {family.gw2} dev eth1
        route add {family.other} nhid 7 mtu 1400
    """)
    subnet = S2 if family.number == 4 else S2_6
    lines = copied(figure, family.other, subnet)
    assert [line.replace(" nhid 7", "")
            for line in lines_for(a, family.other)] == lines
    assert "nhid" not in lines[0]


def test_a_replaced_nexthop_object_is_followed(figure):
    a = figure.a
    figure.r2.ip("addr add 10.2.0.254/24 dev lan")
    a.ip(f"""
        nexthop add id 7 via 10.2.0.1 dev eth1
        route add {P4} nhid 7
    """)
    daemon = figure.start()
    assert a.leaves_by(HOST4, "10.2.0.2") == "via 10.2.0.1 dev eth1"
    a.ip("nexthop replace id 7 via 10.2.0.254 dev eth1")
    daemon.wait()
    assert a.leaves_by(HOST4, "10.2.0.2") == "via 10.2.0.254 dev eth1"
    a.ip("nexthop replace id 7 via 10.1.0.1 dev eth0")
    daemon.wait()
    assert a.leaves_by(HOST4, "10.1.0.2") == "via 10.1.0.1 dev eth0"


def test_with_a_deleted_nexthop_object_go_the_copies(figure, family):
    """The kernel removes IPv4 routes of such an object without a word."""
    a = figure.a
    a.ip(f"""
        nexthop add id 7 via {family.gw2} dev eth1
        route add {family.other} nhid 7
    """)
    daemon = figure.start()
    a.ip("nexthop del id 7")
    daemon.wait()
    assert a.leaves_by(family.other_host, family.a2) == family.via2
    for link, net in (("eth0", family.net1), ("eth1", family.net2)):
        number = daemon.table(link, net)
        assert lines_for(a, family.other, number) == []


def test_of_a_nexthop_group_only_own_legs_are_written_out(figure, family,
                                                               model):
    a = figure.a
    gw1 = family.via1.split()[1]
    a.ip(f"""
        nexthop add id 1 via {gw1} dev eth0
        nexthop add id 2 via {family.gw2} dev eth1
        nexthop add id 9 group 1,1/2,3
        route add {family.other} nhid 9 mtu 1400
    """)
    daemon = figure.start(f'model = "{model}";')
    for link, net, via in (("eth0", family.net1, family.via1),
                           ("eth1", family.net2, family.via2)):
        lines = lines_for(a, family.other, daemon.table(link, net))
        assert lines == [f"{family.other} {via} mtu 1400"]


# -- TOS, reject routes, source prefixes -------------------------------------


def test_a_tos_row_is_mirrored_where_it_is_congruent(figure):
    """The kernel prefers the TOS row: in T(S1) it would win over an own
    candidate of TOS 0, so it must not be there."""
    a = figure.a
    a.ip(f"""
        route add {P4} via 10.1.0.1 dev eth0
        route add {P4} tos 0x10 {R2_4}
    """)
    figure.start()
    via1, via2 = "via 10.1.0.1 dev eth0", R2_4
    assert a.leaves_by(HOST4, "10.2.0.2", tos="0x10") == via2
    assert a.leaves_by(HOST4, "10.2.0.2") == via1
    assert a.leaves_by(HOST4, "10.1.0.2", tos="0x10") == via1
    assert a.leaves_by(HOST4, "10.1.0.2") == via1


def test_a_tos_row_alone_is_mirrored_for_every_source(figure):
    a = figure.a
    a.ip(f"route add {P4} tos 0x10 {R2_4}")
    figure.start()
    assert a.leaves_by(HOST4, "10.1.0.2", tos="0x10") == R2_4
    assert a.leaves_by(HOST4, "10.1.0.2") == "via 10.1.0.1 dev eth0"


REJECTS = {"blackhole": ("EINVAL", "EINVAL"),
           "unreachable": ("EHOSTUNREACH", "EHOSTUNREACH"),
           "prohibit": ("EACCES", "EACCES")}


@pytest.mark.parametrize("kind", REJECTS)
def test_a_reject_route_of_main_rejects_every_source(figure, family, kind):
    a = figure.a
    a.ip(f"route add {kind} {family.other}")
    figure.start()
    error = REJECTS[kind][family.number == 6]
    for source in (family.a1, family.a2):
        assert a.connect_error(family.other_host, source) == error
        assert a.connect_error(family.b, source) == ""


def test_a_throw_route_sends_the_lookup_on(figure, family):
    a = figure.a
    a.ip(f"route add throw {family.other}")
    figure.start()
    for source in (family.a1, family.a2):
        assert a.connect_error(family.other_host, source) == "ENETUNREACH"


def test_a_reject_route_competes_by_metric(figure, family):
    """Before a2's own default (200), behind a1's (100)."""
    a = figure.a
    a.ip("route add prohibit default metric 150", family=family.number)
    figure.lab.daemon(a)
    assert a.connect_error(family.b, family.a1) == ""
    assert a.connect_error(family.b, family.a2) == "EACCES"


def test_a_last_resort_default_does_not_switch_weak_fallback_off(figure,
                                                                 family):
    a = figure.a
    daemon = figure.start()
    a.ip("route add unreachable default metric 4278198272",
         family=family.number)
    a.ip(f"route del default {family.via2}")
    daemon.wait()
    assert a.leaves_by(family.b, family.a2) == family.via1


def test_a_route_for_a_source_prefix_counts_for_that_source_only(figure,
                                                                 model):
    a = figure.a
    a.ip(f"route add {P6} from 2001:db8:2::/48 {R2_6} mtu 1400")
    daemon = figure.start(f'model = "{model}";')
    assert lines_for(a, P6, daemon.table(*S2_6)) == [f"{P6} {R2_6} mtu 1400"]
    assert lines_for(a, P6, daemon.table(*S1_6)) == []
    assert a.leaves_by(HOST6, "2001:db8:2::2") == R2_6
    assert a.leaves_by(HOST6, "2001:db8:1::2") == "via fe80::1 dev eth0"
