# SPDX-License-Identifier: GPL-2.0-or-later
"""What was learned by events is what a fresh start reads: `--plan`, the view
of a process that starts now, has nothing to do beside a steady daemon."""

import pytest

P6 = "2001:db8:ee::/48"


def nothing_to_do(daemon):
    daemon.wait()
    lines = [line for line in daemon.plan().splitlines()
             if line and not line.startswith("#")]
    assert lines == []


def test_after_the_start(figure, model):
    nothing_to_do(figure.start(f'model = "{model}";'))


CHANGES = {
    "a leg is appended":
        f"""route add {P6} via 2001:db8:1::1 dev eth0
            route append {P6} via 2001:db8:2::1 dev eth1""",
    "a second leg on one link":
        f"""route add {P6} via 2001:db8:2::1 dev eth1 metric 20
            route append {P6} via fe80::1 dev eth1 metric 20""",
    "a leg with other metrics":
        f"""route add {P6} via 2001:db8:2::1 dev eth1
            route append {P6} via fe80::1 dev eth1 mtu lock 1300""",
    "a leg is removed again":
        f"""route add {P6} via 2001:db8:2::1 dev eth1
            route append {P6} via fe80::1 dev eth1
            route append {P6} via fe80::1 dev eth0
            route del {P6} via 2001:db8:2::1 dev eth1""",
    "one address, two lengths":
        "addr add 10.2.0.2/16 dev eth1",
    "a second subnet":
        """addr add 10.9.0.2/24 dev eth1
           route add default via 10.9.0.1 dev eth1 metric 50 onlink""",
    "a nested subnet":
        """addr add 10.2.0.9/26 dev eth1
           route add default via 10.2.0.8 dev eth1 metric 50""",
    "a link goes and comes back":
        """link set eth1 down
           link set eth1 up""",
    "a nexthop object moves":
        """nexthop add id 4 via 10.2.0.1 dev eth1
           route add 198.51.100.0/24 nhid 4
           nexthop replace id 4 via 10.1.0.1 dev eth0""",
}


@pytest.fixture
def more_routers(figure):
    """Every gateway in CHANGES exists."""
    figure.r2.ip("addr add 10.9.0.1/24 dev lan\naddr add 10.2.0.8/24 dev lan")
    return figure


@pytest.mark.parametrize("what", CHANGES)
def test_after_a_change(more_routers, what):
    figure = more_routers
    daemon = figure.start()
    for line in CHANGES[what].splitlines():
        figure.a.ip(line)
        daemon.wait()
    nothing_to_do(daemon)


@pytest.mark.parametrize("what", CHANGES)
def test_after_a_change_that_was_seen_late(more_routers, what):
    figure = more_routers
    daemon = figure.start()
    daemon.freeze()
    figure.a.ip(CHANGES[what])
    daemon.thaw()
    nothing_to_do(daemon)


def test_when_it_dies_and_starts_again(figure, model):
    a = figure.a
    daemon = figure.start(f'model = "{model}";')
    a.ip("route add 198.51.100.0/24 via 10.2.0.1 dev eth1 mtu 1400")
    daemon.wait()
    before = [a.rules(f) + a.route_lines("all", f) for f in (4, 6)]
    daemon.kill()
    assert daemon.plan() == ""
    daemon.start()
    assert [a.rules(f) + a.route_lines("all", f) for f in (4, 6)] == before
