# SPDX-License-Identifier: GPL-2.0-or-later
"""Varlink for tests: a client, and the interface definition language.

It shares no code with the daemon, so a misreading of the protocol shows.

    with Client(daemon.socket_path) as client:
        status = client.call("io.multihomed.Status")
        for reply in client.call_more("io.multihomed.Table", subnet="eth0"):
            ...
        client.send("io.multihomed.Status")     # pipelining: send, send, ...
        client.send("io.multihomed.Status")
        first, second = client.receive(), client.receive()
        client.send_raw(b"nonsense" + bytes(1))
        assert client.is_closed()

    interface = parse(text)             # of a .varlink file
    interface.methods["Status"].output  # a Struct
    interface.mismatches(value, type)   # [] where value is of that type
"""

import contextlib
import json
import re
import socket
import time
from dataclasses import dataclass, field

ANSWER_LIMIT_S = 10
CHUNK = 1 << 16
SERVICE = "org.varlink.service"
INTERFACE = "io.multihomed"


# -- messages --------------------------------------------------------------

class VarlinkError(AssertionError):
    """The reply was an error."""

    def __init__(self, name, parameters):
        super().__init__(f"{name} {json.dumps(parameters)}")
        self.name, self.parameters = name, parameters


class Closed(ConnectionError):
    """The other side hung up."""


@dataclass(frozen=True)
class Reply:
    """One message of the daemon."""

    parameters: dict
    error: str = ""
    continues: bool = False
    size: int = field(default=0, compare=False)  # bytes, without the NUL

    def value(self):
        """The parameters, or VarlinkError."""
        if self.error:
            raise VarlinkError(self.error, self.parameters)
        return self.parameters


def _no_doubles(pairs):
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"a key twice: {keys}"
    return dict(pairs)


def _no_constant(name):
    raise AssertionError(f"{name} is no JSON")


def decode(data):
    """Strictly: UTF-8, no key twice, no NaN; an object with known keys."""
    message = json.loads(data.decode("utf-8"), object_pairs_hook=_no_doubles,
                         parse_constant=_no_constant)
    assert isinstance(message, dict), message
    assert set(message) <= {"parameters", "error", "continues"}, set(message)
    parameters = message.get("parameters", {})
    assert isinstance(parameters, dict), parameters
    error, continues = message.get("error", ""), message.get("continues", False)
    assert isinstance(error, str) and isinstance(continues, bool), message
    assert not (error and continues), message
    return Reply(parameters, error, continues, len(data))


def encode(method, parameters=None, **flags):
    """The bytes of a call; flags: more, oneway, upgrade."""
    message = {"method": method}
    if parameters is not None:
        message["parameters"] = parameters
    message.update({key: True for key, value in flags.items() if value})
    return json.dumps(message, ensure_ascii=False).encode() + b"\0"


# -- the client ------------------------------------------------------------

class Client:
    """One connection."""

    def __init__(self, path, timeout=ANSWER_LIMIT_S):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.timeout = timeout
        self._input = bytearray()
        self._scanned = 0
        try:
            self.sock.settimeout(timeout)
            self.sock.connect(path)
        except OSError:
            self.sock.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    # -- bytes -------------------------------------------------------------

    def send_raw(self, data):
        """All of it; Closed when the daemon does not want it."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as err:
            raise Closed(str(err)) from err

    def _fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no answer within {self.timeout} s")
        self.sock.settimeout(left)
        try:
            data = self.sock.recv(CHUNK)
        except ConnectionResetError as err:
            raise Closed(str(err)) from err
        finally:
            self.sock.settimeout(self.timeout)
        if not data:
            raise Closed("the daemon hung up")
        self._input += data

    def receive_raw(self, timeout=None):
        """The bytes of one message, without the NUL."""
        deadline = time.monotonic() + (timeout or self.timeout)
        while True:
            end = self._input.find(b"\0", self._scanned)
            if end >= 0:
                break
            self._scanned = len(self._input)
            self._fill(deadline)
        message = bytes(self._input[:end])
        del self._input[:end + 1]
        self._scanned = 0
        return message

    def is_closed(self, timeout=None):
        """True once the daemon has hung up, with nothing left to read."""
        try:
            message = self.receive_raw(timeout)
        except Closed:
            assert not self._input, f"half a message: {bytes(self._input)}"
            return True
        except TimeoutError:
            return False
        raise AssertionError(f"an answer instead: {message}")

    # -- calls -------------------------------------------------------------

    def send(self, method, parameters=None, **flags):
        self.send_raw(encode(method, parameters, **flags))

    def receive(self, timeout=None):
        return decode(self.receive_raw(timeout))

    def ask(self, method, parameters=None, **flags):
        """One call, one Reply, be it an error."""
        self.send(method, parameters, **flags)
        return self.receive()

    def call(self, method, **parameters):
        """One call; the parameters of its only reply, or VarlinkError."""
        reply = self.ask(method, parameters)
        assert not reply.continues, f"{method}: more than was asked for"
        return reply.value()

    def call_more(self, method, **parameters):
        """One call with `more`; the parameters of each reply."""
        self.send(method, parameters, more=True)
        while True:
            reply = self.receive()
            yield reply.value()
            if not reply.continues:
                return


def ask(path, method, parameters=None, **flags):
    """One call on a connection of its own: a Reply."""
    with contextlib.closing(Client(path)) as client:
        return client.ask(method, parameters, **flags)


# -- the definition language -----------------------------------------------

@dataclass(frozen=True)
class Basic:
    name: str  # bool, int, float, string, object


@dataclass(frozen=True)
class Named:
    name: str


@dataclass(frozen=True)
class Array:
    of: object


@dataclass(frozen=True)
class Map:
    of: object


@dataclass(frozen=True)
class Optional:
    of: object


@dataclass(frozen=True)
class Enum:
    names: tuple


@dataclass(frozen=True)
class Struct:
    fields: dict


@dataclass(frozen=True)
class Method:
    name: str
    input: Struct
    output: Struct


BASIC = {"bool", "int", "float", "string", "object"}
TOKEN = re.compile(r"[ \t\r\n]*(?:#[^\n]*)?"
                   r"(?:(->|\[string\]|\[\]|[?():,])|([A-Za-z][\w.-]*))?")
FIELD_NAME = re.compile(r"[A-Za-z](_?[A-Za-z0-9])*\Z")
MEMBER_NAME = re.compile(r"[A-Z][A-Za-z0-9]*\Z")
INTERFACE_NAME = re.compile(r"[A-Za-z](-*[A-Za-z0-9])*"
                            r"(\.[A-Za-z0-9](-*[A-Za-z0-9])*)+\Z")


class Interface:
    """What a .varlink text defines."""

    def __init__(self, name):
        self.name = name
        self.types, self.methods, self.errors = {}, {}, {}

    def named_types(self):
        """Every name of a type that the text uses."""
        used, todo = set(), list(self.types.values())
        todo += list(self.errors.values())
        for method in self.methods.values():
            todo += [method.input, method.output]
        while todo:
            kind = todo.pop()
            if isinstance(kind, Named):
                used.add(kind.name)
            elif isinstance(kind, Struct):
                todo += list(kind.fields.values())
            elif isinstance(kind, (Array, Map, Optional)):
                todo.append(kind.of)
        return used

    def mismatches(self, value, kind, path=""):
        """What is wrong with a value that should be of this type; a list of
        texts. An optional member may be missing; null is no value."""
        if isinstance(kind, Named):
            return self.mismatches(value, self.types[kind.name], path)
        if isinstance(kind, Struct):
            return self._struct(value, kind, path)
        if isinstance(kind, Array):
            if not isinstance(value, list):
                return [f"{path}: no array: {value!r}"]
            return [text for i, item in enumerate(value) for text in
                    self.mismatches(item, kind.of, f"{path}[{i}]")]
        if isinstance(kind, Map):
            if not isinstance(value, dict):
                return [f"{path}: no object: {value!r}"]
            return [text for key, item in value.items() for text in
                    self.mismatches(item, kind.of, f"{path}[{key}]")]
        if isinstance(kind, Enum):
            good = value in kind.names
        else:
            good = _is_basic(value, kind.name)
        return [] if good else [f"{path}: {value!r} is no {kind}"]

    def _struct(self, value, kind, path):
        if not isinstance(value, dict):
            return [f"{path}: no object: {value!r}"]
        wrong = [f"{path}.{key}: not in the contract"
                 for key in value if key not in kind.fields]
        for key, of in kind.fields.items():
            if isinstance(of, Optional):
                of = of.of
            elif key not in value:
                wrong.append(f"{path}.{key}: missing")
            if key in value:
                wrong += self.mismatches(value[key], of, f"{path}.{key}")
        return wrong


def _is_basic(value, name):
    if name == "bool" or isinstance(value, bool):
        return name in ("bool", "object") and isinstance(value, bool)
    if name == "int":
        return isinstance(value, int) and -2**63 <= value < 2**63
    if name == "float":
        return isinstance(value, (int, float))
    if name == "string":
        return isinstance(value, str) and "\0" not in value
    return name == "object" and value is not None


class _Parser:
    """By recursive descent over the tokens."""

    def __init__(self, text):
        self.tokens, at = [], 0
        while at < len(text):
            found = TOKEN.match(text, at)
            assert found.end() > at, f"not Varlink: {text[at:at + 40]!r}"
            at = found.end()
            if found[1] or found[2]:
                self.tokens.append(found[1] or found[2])
        self.at = 0

    def peek(self, ahead=0):
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else ""

    def take(self, want=None):
        token = self.peek()
        assert token and want in (None, token), \
            f"{want} wanted: {' '.join(self.tokens[self.at - 8:self.at + 3])}"
        self.at += 1
        return token

    def name(self, form):
        token = self.take()
        assert form.match(token), f"not a name here: {token}"
        return token

    def kind(self):
        if self.peek() == "?":
            self.take()
            assert self.peek() != "?", "?? is no type"
            return Optional(self.kind())
        if self.peek() == "[]":
            self.take()
            return Array(self.kind())
        if self.peek() == "[string]":
            self.take()
            return Map(self.kind())
        if self.peek() == "(":
            return self.struct_or_enum()
        token = self.take()
        if token in BASIC:
            return Basic(token)
        assert MEMBER_NAME.match(token), f"no type: {token}"
        return Named(token)

    def struct_or_enum(self):
        if self.peek(1) == ")" or self.peek(2) == ":":
            return self.struct()
        self.take("(")
        names = [self.name(FIELD_NAME)]
        while self.peek() == ",":
            self.take()
            names.append(self.name(FIELD_NAME))
        self.take(")")
        assert len(names) == len(set(names)), f"a name twice: {names}"
        return Enum(tuple(names))

    def struct(self):
        fields = {}
        self.take("(")
        while self.peek() != ")":
            if fields:
                self.take(",")
            name = self.name(FIELD_NAME)
            assert name not in fields, f"a field twice: {name}"
            self.take(":")
            fields[name] = self.kind()
        self.take(")")
        return Struct(fields)

    def member(self, interface):
        word, name = self.take(), self.name(MEMBER_NAME)
        for kept in (interface.types, interface.methods, interface.errors):
            assert name not in kept, f"defined twice: {name}"
        if word == "type":
            interface.types[name] = self.struct_or_enum()
        elif word == "error":
            interface.errors[name] = self.struct()
        else:
            assert word == "method", f"neither type, method nor error: {word}"
            given = self.struct()
            self.take("->")
            interface.methods[name] = Method(name, given, self.struct())


def parse(text):
    """An Interface; AssertionError where the text is not Varlink."""
    parser = _Parser(text)
    parser.take("interface")
    interface = Interface(parser.name(INTERFACE_NAME))
    while parser.peek():
        parser.member(interface)
    unknown = interface.named_types() - set(interface.types)
    assert not unknown, f"types that are not defined: {unknown}"
    return interface
