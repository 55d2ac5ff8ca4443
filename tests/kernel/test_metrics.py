# SPDX-License-Identifier: GPL-2.0-or-later
"""The method Metrics: names and forms of OpenMetrics, and true numbers."""

import os
import re
import time

from lab import until
from lab.daemon import ROOT
from lab.own import own_routes, own_rules
from lab.varlink import Client, parse

CONTRACT = parse((ROOT / "docs" / "io.multihomed.varlink").read_text())
SUFFIXES = {"counter": {"_total"}, "gauge": {""}, "info": {"_info"},
            "histogram": {"_bucket", "_sum", "_count"}}
NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
OWN = ("multihomed_", "process_")


def metrics_of(daemon):
    """{name: metric}"""
    with Client(daemon.socket_path) as client:
        reply = client.call("io.multihomed.Metrics")
    wrong = CONTRACT.mismatches(reply, CONTRACT.methods["Metrics"].output)
    assert not wrong, wrong
    metrics = {metric["name"]: metric for metric in reply["metrics"]}
    assert len(metrics) == len(reply["metrics"]), "a name twice"
    return metrics


def values(daemon, name, suffix=None):
    """{labels as sorted pairs: value} of one family."""
    return {tuple(sorted(s["labels"].items())): s["value"]
            for s in metrics_of(daemon)[name]["samples"]
            if suffix in (None, s["suffix"])}


def value(daemon, name, **labels):
    return values(daemon, name)[tuple(sorted(labels.items()))]


# -- form ------------------------------------------------------------------

def test_names_units_and_suffixes(figure):
    for name, metric in metrics_of(figure.start()).items():
        assert NAME.match(name) and name.startswith(OWN), name
        # The text form appends the suffixes.
        assert not name.endswith(("_total", "_bucket", "_count", "_sum",
                                  "_info", "_created")), name
        if metric["unit"]:
            assert name.endswith(f"_{metric['unit']}"), name
        assert metric["help"].endswith("."), name
        assert metric["samples"], name
        suffixes = {s["suffix"] for s in metric["samples"]}
        assert suffixes == SUFFIXES[metric["type"]], name
        keys = [(s["suffix"], tuple(sorted(s["labels"].items())))
                for s in metric["samples"]]
        assert len(keys) == len(set(keys)), f"{name}: a sample twice"
        if metric["type"] == "counter":
            assert all(s["value"] >= 0 for s in metric["samples"])


def test_the_histogram(figure):
    daemon = figure.start()
    for i in range(20):
        figure.a.ip(f"route add 100.64.0.{i}/32 via 10.2.0.1")
        daemon.wait()
    samples = metrics_of(daemon)["multihomed_event_to_kernel_seconds"]
    buckets = [(s["labels"]["le"], s["value"]) for s in samples["samples"]
               if s["suffix"] == "_bucket"]
    total = {s["suffix"]: s["value"] for s in samples["samples"]
             if s["suffix"] != "_bucket"}
    bounds = [float(le) for le, _ in buckets]
    assert bounds == sorted(bounds) and len(set(bounds)) == len(bounds)
    assert bounds[0] == 50e-6 and bounds[-2] == 10
    assert buckets[-1] == ("+Inf", total["_count"])
    counts = [count for _, count in buckets]
    assert counts == sorted(counts)
    assert total["_count"] == 20
    assert 0 < total["_sum"] < 20


# -- numbers ---------------------------------------------------------------

def test_a_route_counts_once_as_event_and_twice_as_op(figure):
    daemon = figure.start()

    def numbers():
        return [value(daemon, "multihomed_events", kind="route"),
                value(daemon, "multihomed_ops", kind="route_put"),
                value(daemon, "multihomed_ops", kind="route_delete"),
                value(daemon, "multihomed_planned_prefixes"),
                value(daemon, "multihomed_reconciles_written")]

    before = numbers()
    figure.a.ip("route add 198.51.100.0/24 via 10.2.0.1")
    daemon.wait()
    assert [b - a for a, b in zip(before, numbers())] == [1, 2, 0, 1, 1]
    figure.a.ip("route del 198.51.100.0/24 via 10.2.0.1")
    daemon.wait()
    assert [b - a for a, b in zip(before, numbers())][:3] == [2, 2, 2]


def test_ops_are_those_of_the_status(figure):
    daemon = figure.start()
    figure.a.ip("link set eth1 down")
    daemon.wait()
    assert sum(values(daemon, "multihomed_ops").values()) == \
        daemon.status()["ops"]


def test_repairs(figure):
    daemon = figure.start()
    assert value(daemon, "multihomed_repairs") == 0
    figure.a.ip("rule del pref 7109 from 10.1.0.0/24")
    until(lambda: value(daemon, "multihomed_repairs") == 1)
    assert value(daemon, "multihomed_events", kind="rule") == 1


def test_lost_messages_and_full_reads(figure):
    """More than the socket's buffer holds."""
    daemon = figure.start()
    assert value(daemon, "multihomed_resyncs") == 0
    reads = value(daemon, "multihomed_full_reads")
    daemon.freeze()
    for verb in ("add", "del", "add", "del"):
        figure.a.ip("\n".join(f"route {verb} 100.{64 + i // 62500}."
                              f"{i // 250 % 250}.{i % 250}/32 dev eth1"
                              for i in range(10000)))
    daemon.thaw()
    daemon.wait()
    assert value(daemon, "multihomed_resyncs") >= 1
    assert value(daemon, "multihomed_events", kind="lost") >= 1
    assert value(daemon, "multihomed_full_reads") > reads


def test_refused_ops_are_errors(figure):
    a = figure.a
    daemon = figure.start()
    a.ip("""
        addr add 10.9.0.2/24 dev eth1
        route add 198.51.100.0/24 via 10.9.0.1 dev eth1
        addr del 10.9.0.2/24 dev eth1
        addr add 10.4.0.2/24 dev eth1
        route add default via 10.4.0.1 dev eth1 metric 300
    """)
    daemon.wait()
    assert value(daemon, "multihomed_op_errors") >= 1


def test_subnets_by_state(figure, model):
    daemon = figure.start(f'model = "{model}";')
    figure.lab.bridge(figure.a, "lan0")
    figure.a.ip("addr add 10.3.0.2/24 dev lan0")
    daemon.wait()

    def states():
        return {dict(key)["state"]: n for key, n in
                values(daemon, "multihomed_subnets").items()}

    assert states() == {"congruent": 4, "weak": 0, "strong_drop": 0,
                        "reject": 0, "none": 0, "not_managed": 1}
    figure.r2.ip("link set lan down")
    until(lambda: states()["congruent"] == 2)
    lost = "weak" if model == "weak" else "strong_drop"
    assert states()[lost] == 2


def test_routes_and_rules_are_those_of_the_kernel(figure, model):
    a = figure.a
    daemon = figure.start(f'model = "{model}";')

    def agree():
        daemon.wait()
        for family in (4, 6):
            ours = value(daemon, "multihomed_routes", table="ours",
                         family=f"ipv{family}")
            assert ours == len(own_routes(a, family))
            assert ours == daemon.status()["routes"][f"ipv{family}"]
        # The kernel has link-local routes of IPv6 that are left alone.
        assert value(daemon, "multihomed_routes", table="main",
                     family="ipv4") == len(a.routes("main", 4))
        assert value(daemon, "multihomed_rules", owner="ours") == \
            len(own_rules(a, 4)) + len(own_rules(a, 6))
        assert value(daemon, "multihomed_rules", owner="others") == 5

    agree()
    a.ip("\n".join(f"route add 100.64.0.{i}/32 via 10.2.0.1"
                   for i in range(40)))
    agree()
    a.ip("link set eth1 down")
    agree()
    a.ip("link set eth1 up")
    agree()


def test_clients_and_the_process(figure):
    daemon = figure.start()
    with Client(daemon.socket_path), Client(daemon.socket_path):
        until(lambda: value(daemon, "multihomed_control_clients") == 3)
    until(lambda: value(daemon, "multihomed_control_clients") == 1)
    start = value(daemon, "process_start_time_seconds")
    assert 0 < time.time() - start < 60
    time_in_kernel = value(daemon, "process_cpu_seconds")
    assert 0 < time_in_kernel < 60
    pages = value(daemon, "process_resident_memory_bytes") / os.sysconf(
        "SC_PAGESIZE")
    assert pages == int(pages) and 100 < pages
    assert value(daemon, "multihomed_steady") == 1
    assert metrics_of(daemon)["multihomed_build"]["samples"][0]["labels"] == {
        "version": daemon.status()["version"]}
