# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/io.multihomed.varlink against what the daemon really answers.

The file is parsed by a parser of our own. Every method is called on hosts of
every kind, and every reply is walked key by key: none unknown, none missing
but the optional ones, each of its documented type.
"""

import contextlib
import ipaddress
import json

import pytest

from lab.contract import (CONTRACT, SCENES, TEXT, assert_error, assert_fits,
                          call, call_monitor, call_table, checked, full,
                          make_scene)
from lab.varlink import (INTERFACE, SERVICE, Array, Basic, Client, Enum, Map,
                         Named, ask, parse)


@pytest.fixture
def host(figure):
    """The figure's host A, as it is, with a daemon."""
    return figure.start()


@pytest.fixture(params=list(SCENES))
def scene(request, figure, model):
    """A daemon on a host of each kind, weak and strong."""
    return make_scene(figure, request.param, model)


# -- the description -------------------------------------------------------

def test_the_file_is_served_byte_for_byte(host):
    reply = ask(host.socket_path, f"{SERVICE}.GetInterfaceDescription",
                {"interface": INTERFACE})
    assert reply.value() == {"description": TEXT}


def test_info_names_every_interface_and_each_is_described(host):
    with Client(host.socket_path) as client:
        info = client.call(f"{SERVICE}.GetInfo")
        assert set(info) == {"vendor", "product", "version", "url",
                             "interfaces"}
        assert sorted(info["interfaces"]) == [INTERFACE, SERVICE]
        assert info["version"] == call(host, "Status")["version"]
        for name in info["interfaces"]:
            text = client.call(f"{SERVICE}.GetInterfaceDescription",
                               interface=name)["description"]
            assert parse(text).name == name


def test_the_service_interface_is_the_standard_one(host):
    """org.varlink.service, as https://varlink.org/Service has it."""
    text = ask(host.socket_path, f"{SERVICE}.GetInterfaceDescription",
               {"interface": SERVICE}).value()["description"]
    service = parse(text)
    assert set(service.methods) == {"GetInfo", "GetInterfaceDescription"}
    assert {name: list(error.fields) for name, error
            in service.errors.items()} == {
        "InterfaceNotFound": ["interface"],
        "MethodNotFound": ["method"],
        "MethodNotImplemented": ["method"],
        "InvalidParameter": ["parameter"],
        "PermissionDenied": [],
        "ExpectedMore": [],
    }


def test_every_described_method_is_there(host):
    """None is described and not built."""
    for method in CONTRACT.methods:
        reply = ask(host.socket_path, full(method), {"?": 0})
        assert reply.error == f"{SERVICE}.InvalidParameter", (method, reply)


# -- every method, on every host -------------------------------------------

def test_status(scene):
    status = call(scene, "Status")
    assert status["pid"] == scene.process.pid
    assert status["model"] == scene.model
    assert status["steady"] is True
    assert status["routes"]["ipv4"] > 0 and status["routes"]["ipv6"] > 0
    tunnel = "yield" if scene.scene == "with_tunnel" else "none"
    assert status["vpn"] == {"ipv4": tunnel, "ipv6": tunnel}
    assert "trial" not in status
    assert status["last_change"]["seconds_ago"] <= status["uptime"]


def test_subnets(scene):
    subnets = call(scene, "Subnets")["subnets"]
    managed = [s["managed"] for s in subnets]
    assert managed == sorted(managed, reverse=True)
    assert sum(managed) == 4
    kinds = {s["default"]["kind"] for s in subnets if s["managed"]}
    if scene.scene == "with_lost_uplink":
        lost = "weak" if scene.model == "weak" else "strong_drop"
        assert kinds == {"congruent", lost}
    else:
        assert kinds == {"congruent"}
    for subnet in subnets:
        assert ("table" in subnet) == subnet["managed"]
        default = subnet["default"]
        if default["kind"] in ("congruent", "weak"):
            assert default["dev"].startswith("eth") and "metric" in default
            assert default["via"]
        if default["kind"] == "none":
            assert set(default) == {"kind"}
        if not subnet["managed"] or scene.scene == "with_tunnel":
            assert subnet["rules"] == []
        elif scene.scene != "with_everything":
            assert [r["from"] for r in subnet["rules"]] == [subnet["prefix"]]


def test_subnets_are_in_their_order(scene):
    """The managed ones first, then by family, prefix and link."""
    def key(subnet):
        prefix = ipaddress.ip_network(subnet["prefix"])
        return (not subnet["managed"], prefix.version,
                int(prefix.network_address), prefix.prefixlen, subnet["link"])
    subnets = call(scene, "Subnets")["subnets"]
    assert subnets == sorted(subnets, key=key)


def test_status_and_subnets_say_the_same(scene):
    def key(subnet):
        return subnet["link"], subnet["prefix"]
    assert sorted(call(scene, "Status")["subnets"], key=key) == \
        sorted(call(scene, "Subnets")["subnets"], key=key)


def test_table(scene):
    """Of each managed subnet, what the kernel has in its table."""
    a = scene.namespace
    seen = {}
    for reply in call_table(scene):
        entries = seen.setdefault((reply["link"], reply["prefix"],
                                   reply["table"]), [])
        entries += reply["entries"]
    assert sorted(seen) == sorted(
        (s["link"], s["prefix"], s["table"])
        for s in call(scene, "Subnets")["subnets"] if s["managed"])
    for (_, prefix, table), entries in seen.items():
        family = 6 if ":" in prefix else 4
        assert len(entries) == len(a.route_lines(table, family))
        states = {e["state"] for e in entries}
        assert states == {"in_place"}
        for entry in entries:
            rejects = entry["type"] in ("unreachable", "prohibit", "blackhole",
                                        "throw")
            assert rejects == (entry["next_hops"] == [])


def test_table_finds_a_subnet_by_any_of_its_names(host):
    """By prefix, by an address of the host, by link, by table number."""
    for name, prefixes in {
            "10.2.0.0/24": {"10.2.0.0/24"},
            "10.2.0.2": {"10.2.0.0/24"},
            "2001:db8:2::2": {"2001:db8:2::/64"},
            "eth1": {"10.2.0.0/24", "2001:db8:2::/64"},
            str(host.table("eth0", "10.1.0.0/24")): {"10.1.0.0/24"}}.items():
        replies = call_table(host, subnet=name)
        assert {reply["prefix"] for reply in replies} == prefixes, name


@pytest.mark.parametrize("name", [
    "eth9", "10.9.0.0/24", "10.9.0.2", "9999", "", " ", "10.2.0.0/33",
    "10.2.0.0/", "eth1 ", "-1", "99999999999999999999", "2001:db8:2::/129",
    "\u00e9th1", "x" * 1000, " 7100", "+7100", "07100", "7100 ", "0x1bbc",
    "4294974396", "18446744073709558716"])
def test_a_subnet_that_is_not_there(host, name):
    reply = ask(host.socket_path, full("Table"), {"subnet": name}, more=True)
    assert_error(reply, full("NoSuchSubnet"), subnet=name)


def test_doctor(scene):
    answer = call(scene, "Doctor")
    ids = [finding["id"] for finding in answer["findings"]]
    assert set(ids) <= set(answer["checks"])
    assert len(answer["checks"]) == len(set(answer["checks"])) >= 9
    for finding in answer["findings"]:
        assert finding["what"] and finding["breaks"]


def test_metrics(scene):
    metrics = call(scene, "Metrics")["metrics"]
    names = [metric["name"] for metric in metrics]
    assert len(names) == len(set(names)) > 5
    for metric in metrics:
        assert metric["help"] and metric["samples"], metric["name"]
        assert not metric["name"].endswith("_total")
        if metric["unit"]:
            assert metric["name"].endswith(f"_{metric['unit']}")
        allowed = {"counter": {"_total", "_created"}, "gauge": {""},
                   "info": {"_info"},
                   "histogram": {"_bucket", "_count", "_sum", "_created"}}
        for sample in metric["samples"]:
            assert sample["suffix"] in allowed[metric["type"]], metric["name"]
        keys = [(s["suffix"], sorted(s["labels"].items()))
                for s in metric["samples"]]
        assert len(keys) == len({str(key) for key in keys}), metric["name"]


def test_histograms_add_up(host):
    host.namespace.ip("route add 10.60.0.0/16 via 10.1.0.1 dev eth0")
    host.wait()
    metrics = call(host, "Metrics")["metrics"]
    histograms = [m for m in metrics if m["type"] == "histogram"]
    assert histograms
    for metric in histograms:
        buckets = [s for s in metric["samples"] if s["suffix"] == "_bucket"]
        counts = [s["value"] for s in buckets]
        bounds = [float(s["labels"]["le"]) for s in buckets]
        assert counts == sorted(counts) and bounds == sorted(bounds)
        assert buckets[-1]["labels"]["le"] == "+Inf"
        total = [s["value"] for s in metric["samples"]
                 if s["suffix"] == "_count"]
        assert total == [counts[-1]] and total[0] >= 1


def test_monitor(scene):
    a = scene.namespace
    reply = call_monitor(
        scene, lambda: a.ip("route add 10.60.0.0/16 via 10.1.0.1 dev eth0"))
    assert reply["cause"] == "kernel"
    assert any("10.60.0.0/16" in line for line in reply["heard"])
    assert any("10.60.0.0/16" in line for line in reply["wrote"])
    assert reply["failed"] == [] and reply["prefixes"] >= 1
    assert reply["heard_more"] == reply["wrote_more"] == 0


def test_monitor_keeps_its_lists_short(host):
    """A hundred lines and a number."""
    a = host.namespace
    text = "\n".join(f"route add 10.61.{i}.0/24 via 10.1.0.1 dev eth0"
                     for i in range(250))
    def add():
        host.freeze()
        a.ip(text)
        host.thaw()
    with Client(host.socket_path) as client:
        client.send(full("Monitor"), more=True)
        checked("Status", ask(host.socket_path, full("Status")))
        add()
        heard = wrote = 0
        while wrote < 500:
            reply = checked("Monitor", client.receive())
            for key in ("heard", "wrote"):
                assert len(reply[key]) <= 100
                if reply[f"{key}_more"]:
                    assert len(reply[key]) == 100
            heard += len(reply["heard"]) + reply["heard_more"]
            wrote += len(reply["wrote"]) + reply["wrote_more"]
    assert wrote == 500 and heard >= 250


def test_monitor_tells_of_a_reload(host):
    def reload():
        host.set_config('model = "strong";')
        assert not ask(host.socket_path, full("Reload")).error
    reply = call_monitor(host, reload)
    assert reply["cause"] == "config" and reply["wrote"]


def test_wait(scene):
    assert call(scene, "Wait") == {}
    assert call(scene, "Wait", timeout_ms=5000) == {}


def test_wait_runs_out(figure):
    """A gateway route that is gone is waited for, so it is not steady."""
    daemon = figure.start("settle_ms = 60000;")
    figure.a.ip("route del default via 10.2.0.1 dev eth1")
    reply = ask(daemon.socket_path, full("Wait"), {"timeout_ms": 30})
    assert_error(reply, full("Timeout"))


def test_reload(scene):
    assert call(scene, "Reload") == {}


def test_reload_with_errors(scene):
    scene.set_config('model = "big";\n\nsettle = 5;\n')
    reply = ask(scene.socket_path, full("Reload"))
    assert reply.error == full("ConfigInvalid")
    assert_fits(CONTRACT.errors["ConfigInvalid"], reply.parameters, "error")
    assert [(e["file"], e["line"]) for e in reply.parameters["errors"]] == \
        [(scene.config_path, 1), (scene.config_path, 3)]


def test_a_trial_is_confirmed_or_taken_back(scene):
    other = {"weak": "strong", "strong": "weak"}[scene.model]
    for keep, after in (({"keep": False}, scene.model),
                        ({"keep": True}, other), ({}, other)):
        scene.set_config(f'model = "{other}";')
        assert call(scene, "Reload", try_seconds=100) == {}
        status = call(scene, "Status")
        assert status["model"] == other
        assert 90 < status["trial"]["seconds_left"] <= 100
        assert call(scene, "Confirm", **keep) == {}
        status = call(scene, "Status")
        assert status["model"] == after and "trial" not in status
        assert_error(ask(scene.socket_path, full("Confirm"), keep),
                     full("NoTrial"))


# -- multihomectl passes it on ---------------------------------------------

JSON_COMMANDS = {
    "Status": ["status"], "Subnets": ["subnets"],
    "Explain": ["explain", "10.1.0.2", "203.0.113.9"], "Verify": ["verify"],
    "Doctor": ["doctor"], "Metrics": ["metrics"],
}


@pytest.mark.parametrize("method", list(JSON_COMMANDS))
def test_json_of_multihomectl_is_the_reply(host, method):
    done = host.ctl("--json", *JSON_COMMANDS[method], check=False)
    assert done.returncode in (0, 1), done.stderr
    assert_fits(CONTRACT.methods[method].output, json.loads(done.stdout),
                method)


def test_json_of_table_is_a_reply_each(host):
    """Values one behind the other, or one list of them."""
    text, found = host.ctl("--json", "table").stdout.strip(), []
    decoder = json.JSONDecoder()
    while text:
        value, end = decoder.raw_decode(text)
        found += value if isinstance(value, list) else [value]
        text = text[end:].strip()
    assert len({each["table"] for each in found}) == 4
    for each in found:
        assert_fits(CONTRACT.methods["Table"].output, each, "Table")


# -- the test of the tests -------------------------------------------------

def test_the_checker_sees_what_is_wrong():
    """A reply that is spoilt in one place is told from a good one."""
    status = {"version": "1", "pid": 1, "uptime": 1.5, "model": "weak",
              "steady": True, "subnets": [], "vpn": {"ipv4": "none",
                                                     "ipv6": "yield"},
              "routes": {"ipv4": 1, "ipv6": 2},
              "pins": {"path": 1, "hold": 0, "away": 0},
              "ops": 3, "problems": []}
    kind = CONTRACT.methods["Status"].output
    assert CONTRACT.mismatches(status, kind) == []
    for key, value in (("pid", "1"), ("pid", 1.5), ("pid", True),
                       ("model", "big"), ("steady", 1), ("steady", None),
                       ("trial", None), ("trial", {}), ("new", 1),
                       ("vpn", {"ipv4": "none"}), ("subnets", [{}]),
                       ("problems", [1]), ("problems", {}),
                       ("routes", {"ipv4": 1, "ipv6": 2, "x": 3})):
        assert len(CONTRACT.mismatches({**status, key: value}, kind)) >= 1
    for key in status:
        less = {k: v for k, v in status.items() if k != key}
        assert CONTRACT.mismatches(less, kind) == [f".{key}: missing"]
    assert CONTRACT.mismatches({"a": 1}, Map(Basic("int"))) == []
    assert CONTRACT.mismatches({"a": "b"}, Map(Basic("int")))
    assert CONTRACT.mismatches(["none", "x"], Array(Named("Vpn")))


@pytest.mark.parametrize("text", [
    "interface a", "interface a.b\nmethod x() -> ()",
    "interface a.b\ntype X (a, b: int)", "interface a.b\ntype X (a: Y)",
    "interface a.b\nerror X (a)", "interface a.b\nmethod X() ()",
    "interface a.b\ntype X (a, a)", "interface a.b\ntype X (a: int, a: int)",
    "interface a.b\nmethod X() -> ()\nmethod X() -> ()",
    "interface a.b\ntype X (a_: int)", "interface a.b\ntype X (a: ??int)"])
def test_the_parser_refuses_what_is_not_varlink(text):
    with pytest.raises(AssertionError):
        parse(text)
    with contextlib.suppress(KeyError):
        assert isinstance(parse("interface a.b\ntype X (a, b)").types["X"],
                          Enum)
