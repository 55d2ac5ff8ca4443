# SPDX-License-Identifier: GPL-2.0-or-later
"""MPTCP between two namespaces, and what the kernel says about it."""

import json
import re
import socket
import threading

from .netns import family_of, until

IPPROTO_MPTCP = 262
SOL_MPTCP, MPTCP_INFO = 284, 1


def endpoints(namespace):
    """{address: (id, {flags}, dev)} as `ip mptcp endpoint` has them."""
    out = namespace.run("ip", "-j", "mptcp", "endpoint", "show").stdout
    found = {}
    for item in json.loads(out) if out.strip() else []:
        flags = {word for word in ("signal", "subflow", "backup", "fullmesh")
                 if item.get(word) or word in item.get("flags", [])}
        found[item["address"]] = (item["id"], flags, item.get("dev", ""))
    return found


def limits(namespace):
    """(additional subflows, announced addresses that are taken)"""
    out = namespace.run("ip", "mptcp", "limits", "show").stdout
    numbers = dict(re.findall(r"(\w+) (\d+)", out))
    return (int(numbers.get("subflows", 0)),
            int(numbers.get("add_addr_accepted", 0)))


class MptcpTransfer:
    """A connection from client to server, with data flowing to the server.

    dual: both sockets can have subflows of both families.
    listen: on this address instead of dst; others of the server's can be
    joined only if it listens on all.
    """

    def __init__(self, client, server, dst, source=None, dual=False,
                 listen=None):
        family = socket.AF_INET6 if dual else family_of(dst)
        # Without it the server's kernel refuses subflows that come later.
        self._listener = server.socket(family, proto=IPPROTO_MPTCP)
        self._listener.bind(("::" if dual else listen or dst, 0))
        self._listener.listen(4)
        self.client = client.socket(family, proto=IPPROTO_MPTCP, timeout=20)
        if source:
            self.client.bind((source, 0))
        to = "::ffff:" + dst if dual else dst
        self.client.connect((to, self._listener.getsockname()[1]))
        self.server, _ = self._listener.accept()
        self.server.settimeout(20)
        server.adopt(self.server)
        self.sent, self.received, self.error = 0, 0, None
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True)
                         for run in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    def _send(self):
        # More at once than one window takes: the rest goes on the other path.
        data = b"x" * 500000
        try:
            while not self._ended.is_set():
                self.client.sendall(data)
                self.sent += len(data)
                self._ended.wait(0.005)
            self.client.close()
        except OSError as err:
            self.error = err

    def _receive(self):
        try:
            while chunk := self.server.recv(65536):
                self.received += len(chunk)
        except OSError as err:
            self.error = err

    def subflows(self):
        """Additional ones, established now (struct mptcp_info)."""
        return self.client.getsockopt(SOL_MPTCP, MPTCP_INFO, 8)[0]

    def goes_on(self, size=200000):
        """Whether so much more has arrived, as a condition."""
        target = self.received + size

        def condition():
            assert not self.error, f"the transfer died: {self.error!r}"
            return self.received >= target
        return condition

    def end(self):
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=25)
        self.server.close()
        self._listener.close()
        assert not self.error, f"the transfer died: {self.error!r}"


def bytes_through(router):
    """Bytes that the router was given to forward by lan, since it was made."""
    with router.inside():
        with open("/proc/net/dev", encoding="ascii") as file:
            for line in file:
                name, _, rest = line.partition(":")
                if name.strip() == "lan":
                    return int(rest.split()[0])
    raise AssertionError("no link lan")


def carries(router, size=100000):
    """Whether so much more came in at the router, as a condition."""
    target = bytes_through(router) + size
    return lambda: bytes_through(router) >= target


__all__ = ["MptcpTransfer", "bytes_through", "carries", "endpoints", "limits",
           "until"]
