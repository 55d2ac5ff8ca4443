# SPDX-License-Identifier: GPL-2.0-or-later
"""What a call must not say, and how it is told: every method of
docs/io.multihomed.varlink with every wrong parameter, names nobody knows, and
the flags of a call."""

import json

import pytest

from lab.contract import (CONTRACT, WITH_MORE_ONLY, assert_error, call,
                          call_table, checked, full)
from lab.varlink import SERVICE, Basic, Client, Optional, ask


@pytest.fixture
def host(figure):
    """The figure's host A with a daemon."""
    return figure.start()


VALUES = {"string": "10.1.0.2", "int": 1, "float": 1.5, "bool": True,
          "array": [], "object": {}}
RANGES = {("Explain", "tos"): (-1, 256), ("Wait", "timeout_ms"):
          (-1, 24 * 3600 * 1000 + 1), ("Reload", "try_seconds"):
          (0, -1, 24 * 3600 + 1)}
RIGHT = {("Explain", "destination"): "203.0.113.9"}


def inputs():
    """(method, parameter, its type's name, may be missing)"""
    for name, method in CONTRACT.methods.items():
        for key, kind in method.input.fields.items():
            optional = isinstance(kind, Optional)
            kind = kind.of if optional else kind
            assert isinstance(kind, Basic), f"{name}.{key}: teach the test"
            yield name, key, kind.name, optional


INPUTS = list(inputs())


def right_ones(method):
    return {key: value for (name, key), value in RIGHT.items()
            if name == method}


def refused(daemon, method, parameters, parameter):
    reply = ask(daemon.socket_path, full(method), parameters,
                more=method in WITH_MORE_ONLY)
    assert (reply.error, reply.parameters) == \
        (f"{SERVICE}.InvalidParameter", {"parameter": parameter}), \
        f"{method} {parameters}"


def test_a_parameter_of_another_type_is_named(host):
    for method, key, kind, _ in INPUTS:
        for name, value in VALUES.items():
            if name != kind:
                refused(host, method, {**right_ones(method), key: value}, key)


def test_a_parameter_out_of_range_is_named(host):
    numbers = {(m, k) for m, k, kind, _ in INPUTS if kind == "int"}
    assert numbers == set(RANGES)
    far = (2**31, 2**63 - 1, 2**63, 2**64, -2**63, -2**64, 10**400)
    for (method, key), values in RANGES.items():
        for value in (*values, *far):
            refused(host, method, {**right_ones(method), key: value}, key)


def test_a_tos_is_a_multiple_of_4(host):
    """The two bits below are ECN's."""
    for tos in (1, 2, 3, 5, 253, 255):
        refused(host, "Explain", {**right_ones("Explain"), "tos": tos}, "tos")
    for tos in (0, 4, 0x10, 252):
        call(host, "Explain", **right_ones("Explain"), tos=tos)


def test_a_parameter_that_must_be_there_is_named(host):
    for method, key, _, optional in INPUTS:
        if not optional:
            given = right_ones(method)
            given.pop(key)
            refused(host, method, given, key)
            refused(host, method, {**given, key: None}, key)
            refused(host, method, None, key)


def test_a_parameter_nobody_knows_is_named(host):
    for method in CONTRACT.methods:
        for key in ("nonsense", "Subnet", "", "timeout-ms", "\u00e9", "x" * 99):
            refused(host, method, {**right_ones(method), key: 1}, key)


def test_null_is_a_parameter_left_out(host):
    for method in ("Explain", "Wait"):
        given = right_ones(method)
        given.update({key: None for name, key, _, optional in INPUTS
                      if name == method and optional})
        call(host, method, **given)
    assert call_table(host, subnet=None) == call_table(host)


ADDRESSES = ("", " ", "nonsense", "10.1.0", "10.1.0.2.3", "10.1.0.256",
             "010.001.000.002x", "10.1.0.2/24", "10.1.0.2 ", " 10.1.0.2",
             "2001:db8::1::2", "2001:db8::g", "fe80::1%eth0", "1",
             "0x0a010002", "x" * 5000, "10.1.0.2\u0000", "\u0000")


@pytest.mark.parametrize("key", ["source", "destination"])
def test_what_is_no_address_is_named(host, key):
    for text in ADDRESSES:
        refused(host, "Explain", {**right_ones("Explain"), key: text}, key)


def test_a_source_of_the_other_family_is_named(host):
    for source, destination in (("10.1.0.2", "2001:db8:b::9"),
                                ("2001:db8:1::2", "203.0.113.9")):
        reply = ask(host.socket_path, full("Explain"),
                    {"source": source, "destination": destination})
        assert reply.error == f"{SERVICE}.InvalidParameter"
        assert reply.parameters in ({"parameter": "source"},
                                    {"parameter": "destination"})


@pytest.mark.parametrize("key", ["dev", "without"])
@pytest.mark.parametrize("link", ["eth9", "", " ", "eth0 ", "eth0/..",
                                  "x" * 16, "x" * 3000, "\u00e9"])
def test_a_link_that_is_not_there(host, key, link):
    reply = ask(host.socket_path, full("Explain"),
                {"destination": "203.0.113.9", key: link})
    assert_error(reply, full("NoSuchLink"), link=link)


def test_a_text_with_a_nul_inside_is_no_text(host):
    for method, key, kind, _ in INPUTS:
        if kind == "string":
            refused(host, method, {**right_ones(method), key: "eth0\0"}, key)


# -- more, oneway, upgrade -------------------------------------------------

@pytest.mark.parametrize("method", WITH_MORE_ONLY)
def test_what_needs_more_says_so(host, method):
    assert_error(ask(host.socket_path, full(method)),
                 f"{SERVICE}.ExpectedMore")


def test_more_for_what_answers_once(host):
    """It is allowed, and there is one reply, without `continues`."""
    for method in CONTRACT.methods:
        if method in WITH_MORE_ONLY + ("Verify", "Confirm"):
            continue
        reply = ask(host.socket_path, full(method), right_ones(method),
                    more=True)
        checked(method, reply)
        assert not reply.continues, method


def test_an_error_of_a_call_with_more_is_the_last_reply(host):
    with Client(host.socket_path) as client:
        for method in CONTRACT.methods:
            reply = client.ask(full(method),
                               {**right_ones(method), "nonsense": 1},
                               more=True)
            assert_error(reply, f"{SERVICE}.InvalidParameter",
                         parameter="nonsense")
        client.call(full("Status"))


def test_oneway_is_never_answered(host):
    """Neither with a reply nor with an error; the next call is."""
    with Client(host.socket_path) as client:
        for method in CONTRACT.methods:
            if method == "Monitor":
                continue
            client.send(full(method), right_ones(method), oneway=True)
            client.send(full(method), {"nonsense": 1}, oneway=True)
        client.send("com.example.Nothing", oneway=True)
        info = client.call(f"{SERVICE}.GetInfo")
        assert info["interfaces"]


def test_monitor_oneway_does_not_stay(host):
    """Nobody would ever hear it."""
    with Client(host.socket_path) as client:
        client.send(full("Monitor"), oneway=True)
        assert client.call(f"{SERVICE}.GetInfo")["interfaces"]


def test_more_and_oneway_exclude_each_other(host):
    with Client(host.socket_path) as client:
        client.send(full("Status"), more=True, oneway=True)
        assert client.is_closed()


def test_an_upgrade_is_refused(host):
    with Client(host.socket_path) as client:
        reply = client.ask(full("Status"), upgrade=True)
        assert_error(reply, f"{SERVICE}.InvalidParameter",
                     parameter="upgrade")


# -- names nobody knows ----------------------------------------------------

@pytest.mark.parametrize("name", [full("Nope"), full("status"), full("Statu"),
                                  full("Statuss"), f"{SERVICE}.Nope"])
def test_an_unknown_method(host, name):
    assert_error(ask(host.socket_path, name),
                 f"{SERVICE}.MethodNotFound", method=name)


@pytest.mark.parametrize("interface", ["com.example", "io", "io.multihomed.x",
                                       "IO.multihomed", "io.multihomed.Status",
                                       "\u00e9.b"])
def test_an_unknown_interface(host, interface):
    assert_error(ask(host.socket_path, f"{interface}.Status"),
                 f"{SERVICE}.InterfaceNotFound", interface=interface)
    assert_error(ask(host.socket_path, f"{SERVICE}.GetInterfaceDescription",
                     {"interface": interface}),
                 f"{SERVICE}.InterfaceNotFound", interface=interface)


def test_a_name_of_any_length_is_answered(host):
    for length in (100, 127, 128, 129, 1000, 60000):
        name = "x" * length + ".Y"
        reply = ask(host.socket_path, name)
        assert reply.error == f"{SERVICE}.InterfaceNotFound"
        assert set(reply.parameters) == {"interface"}
        assert ("x" * length).startswith(reply.parameters["interface"])
        assert len(reply.parameters["interface"]) >= 100


@pytest.mark.parametrize("message", [
    {"method": "Status"}, {"method": ""}, {"method": "."}, {"method": 1},
    {"method": None}, {}, {"method": full("Status"), "parameters": []},
    {"method": full("Status"), "parameters": "x"},
    {"method": full("Status"), "more": "yes"},
    {"method": full("Status"), "oneway": 1}, {"method": "a.\u0000"},
    {"error": full("Timeout")}])
def test_what_is_no_call_ends_the_connection(host, message):
    with Client(host.socket_path) as client:
        client.send_raw(json.dumps(message).encode() + b"\0")
        assert client.is_closed()
    checked("Status", ask(host.socket_path, full("Status")))
