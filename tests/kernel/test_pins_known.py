# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections are listed when one has begun since the last time, or when a
change is about one of them; and none is overlooked for that."""

import re
import threading

import pytest
from lab import until
from lab.nats import PATHS, Nats
from lab.traffic import tcp_open

ELSEWHERE = {4: "198.18.0.0/16", 6: "2001:db8:e::/48"}
DROP = """
    table inet dark {
        chain input {
            type filter hook input priority 0;
            tcp flags syn drop
        }
    }"""


@pytest.fixture(params=[4, 6], ids=["ipv4", "ipv6"])
def scene(lab, request):
    """Nats, its daemon, and the paths of one family."""
    nats = Nats(lab)
    nats.path = PATHS[request.param]
    nats.elsewhere = ELSEWHERE[request.param]
    nats.daemon = nats.start("settle_ms = 0;")
    return nats


def listings(scene):
    text = scene.daemon.ctl("metrics").stdout
    return int(re.search(r"^multihomed_flow_listings_total (\d+)", text,
                         re.MULTILINE).group(1))


def lead(scene, prefix, way):
    """By 1 or 2; how many lists were made for it."""
    before = listings(scene)
    scene.a.ip(f"route replace {prefix} {scene.path[f'via{way}']} metric 50")
    scene.daemon.wait()
    return listings(scene) - before


def test_changes_about_no_connection_list_none(scene):
    path = scene.path
    transfer = scene.transfer(path["a1"], path["b"])
    until(transfer.goes_on(), 10)
    assert lead(scene, scene.elsewhere, 1) == 1  # it began since
    assert sum(lead(scene, scene.elsewhere, k % 2 + 1) for k in range(6)) == 0
    # Another one has begun since, to somewhere else.
    with tcp_open(scene.a, scene.b, path["b2"], path["a1"]):
        assert lead(scene, scene.elsewhere, 1) == 1
        assert lead(scene, scene.elsewhere, 2) == 0
    # That it has ended is no reason.
    assert lead(scene, scene.elsewhere, 1) == 0
    # And a quarter of a second later those with a pin are counted.
    assert lead(scene, path["near"], 2) in (1, 2)
    until(transfer.goes_on(), 10)
    assert scene.through(scene.r2, path["a1"]) == 0
    transfer.end()


def test_one_whose_peer_answers_late_stays_on_its_path(scene):
    """It is counted when it begins, and listed before it is one."""
    path = scene.path
    opened = []
    scene.b.nft(DROP)
    thread = threading.Thread(target=lambda: opened.append(
        tcp_open(scene.a, scene.b, path["b"], path["a1"], timeout=20)))
    thread.start()
    until(lambda: scene.through(scene.r1, path["a1"]) > 0, 10)
    # While it opens, flows are listed and remembered.
    assert lead(scene, scene.elsewhere, 1) == 1
    assert lead(scene, scene.elsewhere, 2) == 0
    scene.b.nft("delete table inet dark")
    thread.join(timeout=25)
    connection, = opened
    with connection:
        connection.exchange()
        lead(scene, path["near"], 2)
        before = scene.through(scene.r1, path["a1"])
        connection.exchange()
        assert scene.through(scene.r1, path["a1"]) > before
        assert scene.through(scene.r2, path["a1"]) == 0
