# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions to the kernel's own lookup, thousands of them in no time.

    with Asker(a) as asker:
        asker.ask("10.1.0.2", "203.0.113.9")    # Said("via 10.1.0.1 dev eth0",
                                                #      table=7100)
"""

import errno
import socket
import struct
from dataclasses import dataclass

from .netns import family_of
from .watch import RTA_DST, RTA_GATEWAY, RTA_OIF, RTA_TABLE, attributes

NETLINK_ROUTE = 0
RTM_GETROUTE, NLMSG_ERROR, NLM_F_REQUEST = 26, 2, 1
RTM_F_LOOKUP_TABLE = 0x1000
RTA_SRC, RTA_CACHEINFO, RTA_VIA = 2, 12, 18
RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST, RTN_MULTICAST = range(1, 6)
OF_THIS_HOST = (RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST, RTN_MULTICAST)
CACHEINFO_ERROR_AT = 12


@dataclass(frozen=True)
class Said:
    """words as of Namespace.leaves_by(); "" where table local answered."""

    words: str
    table: int = 0


class Asker:
    """One netlink socket in a namespace."""

    def __init__(self, namespace):
        with namespace.inside():
            self._sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                       NETLINK_ROUTE)
            self.links = dict(socket.if_nameindex())
        self._sock.settimeout(5)
        self._serial = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._sock.close()

    def ask(self, source, destination):
        """What happens to a packet of this host."""
        family = family_of(destination)
        bits = 32 if family == socket.AF_INET else 128
        body = struct.pack("BBBBBBBBI", family, bits, bits, 0, 0, 0, 0, 0,
                           RTM_F_LOOKUP_TABLE)
        for kind, text in ((RTA_DST, destination), (RTA_SRC, source)):
            value = socket.inet_pton(family, text)
            body += struct.pack("HH", len(value) + 4, kind) + value
        self._serial += 1
        self._sock.send(struct.pack("IHHII", len(body) + 16, RTM_GETROUTE,
                                    NLM_F_REQUEST, self._serial, 0) + body)
        while True:
            answer = self._sock.recv(1 << 16)
            _, kind, _, serial, _ = struct.unpack_from("IHHII", answer)
            if serial == self._serial:
                return self._said(kind, answer[16:])

    def _said(self, kind, body):
        if kind == NLMSG_ERROR:
            error = -struct.unpack_from("i", body)[0]
            return Said(errno.errorcode[error])
        found = attributes(body[12:])
        table = struct.unpack("I", found[RTA_TABLE])[0]
        error = struct.unpack_from("I", found.get(RTA_CACHEINFO, bytes(32)),
                                   CACHEINFO_ERROR_AT)[0]
        if error:
            return Said(errno.errorcode[(1 << 32) - error
                                        if error >> 31 else error], table)
        if body[7] in OF_THIS_HOST:
            return Said("", table)
        return Said(self._way(body[0], found), table)

    def _way(self, family, found):
        link = self.links.get(struct.unpack("I", found[RTA_OIF])[0], "?")
        via = ""
        if RTA_GATEWAY in found:
            via = socket.inet_ntop(family, found[RTA_GATEWAY])
        elif RTA_VIA in found:
            kind = struct.unpack_from("H", found[RTA_VIA])[0]
            via = socket.inet_ntop(kind, found[RTA_VIA][2:])
        return f"via {via} dev {link}" if via else f"dev {link}"
