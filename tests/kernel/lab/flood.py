# SPDX-License-Identifier: GPL-2.0-or-later
"""Senders that never pause, and where their packets left.

    tally = Tally(a)
    with Flood(a, [("10.1.0.2", "203.0.113.9")]) as flood:
        ...change something...
        tally.reset()
        ...
        assert tally.counts()[("eth1", "10.1.0.2", "203.0.113.9")] == 0
    assert flood.sent > 1000

The sender is a process of its own (this file): it shares no lock with the
test that changes things meanwhile. Its sockets are not connected, so every
packet is a routing decision of its own.
"""

import collections
import errno
import json
import select
import signal
import socket
import subprocess
import sys
import threading

PORT = 9
START_LIMIT_S = 10
REFUSALS = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN,
            errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.EINVAL, errno.EPERM,
            errno.EACCES, errno.ECONNREFUSED, errno.ENODEV}


class Flood:
    """Sends from every source to its destination in turns, all the time.

    pairs: (source or "" for an unbound socket, destination). Afterwards sent
    and refused say how many packets the kernel took and how many it did not
    (no route: an error for the sender)."""

    def __init__(self, namespace, pairs):
        self.sent = self.refused = 0
        self._namespace = namespace
        self._argv = [f"{source}>{dst}" for source, dst in pairs]
        self._process = None

    def __enter__(self):
        self._process = self._namespace.start(
            sys.executable, "-I", __file__, *self._argv,
            stdout=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self._process.stdout], [], [],
                                    START_LIMIT_S)
        assert ready, "the sender does not start"
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """End the sender and learn what it did; may be called twice."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        out, _ = self._process.communicate(timeout=START_LIMIT_S)
        self._process = None
        self.sent, self.refused = (int(word) for word in out.split())


class Tally:
    """Counts the UDP packets to the floods' port that leave a host."""

    def __init__(self, namespace):
        self._namespace = namespace
        namespace.nft(f"""
            table inet lab_tally {{
                set t4 {{ type ifname . ipv4_addr . ipv4_addr; flags dynamic;
                          size 65535; counter; }}
                set t6 {{ type ifname . ipv6_addr . ipv6_addr; flags dynamic;
                          size 65535; counter; }}
                chain out {{
                    type filter hook postrouting priority 300;
                    udp dport {PORT} \\
                        update @t4 {{ oifname . ip saddr . ip daddr }}
                    udp dport {PORT} \\
                        update @t6 {{ oifname . ip6 saddr . ip6 daddr }}
                }}
            }}""")

    def reset(self):
        self._namespace.nft("flush set inet lab_tally t4\n"
                            "flush set inet lab_tally t6")

    def counts(self):
        """Counter {(link, source, destination): packets} since the reset."""
        result = collections.Counter()
        for name in ("t4", "t6"):
            out = self._namespace.run("nft", "-j", "list", "set", "inet",
                                      "lab_tally", name).stdout
            for item in json.loads(out)["nftables"]:
                for elem in item.get("set", {}).get("elem", []):
                    key = tuple(elem["elem"]["val"]["concat"])
                    result[key] += elem["elem"]["counter"]["packets"]
        return result

    def by(self, link):
        """How many packets left by this link since the reset."""
        return sum(packets for (name, _, _), packets in self.counts().items()
                   if name == link)


def swallow(router, *links):
    """router counts and drops the floods' packets as they come in on links:
    no answers, no forwarding. swallowed() reads the number."""
    devices = ", ".join(links)
    router.nft(f"""
        table netdev lab_swallow {{
            counter took {{ }}
            chain in {{
                type filter hook ingress devices = {{ {devices} }} \\
                    priority 0;
                udp dport {PORT} counter name took drop
            }}
        }}""")


def swallowed(router, reset=False):
    """Packets that swallow() took; with reset, the count starts anew."""
    verb = "reset" if reset else "list"
    out = router.run("nft", "-j", verb, "counters", "table", "netdev",
                     "lab_swallow").stdout
    return sum(item["counter"]["packets"]
               for item in json.loads(out)["nftables"] if "counter" in item)


class Repeater:
    """Feeds the same lines to one `ip -batch` after the other, in a thread,
    for the length of a with block; done counts the lines."""

    def __init__(self, namespace, lines):
        self.done = 0
        self.failure = ""
        self._namespace, self._lines = namespace, list(lines)
        self._text = "\n".join(self._lines) + "\n"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(timeout=2 * START_LIMIT_S)
        assert not self.failure, self.failure

    def _repeat(self):
        while not self._stop.is_set():
            done = self._namespace.run("ip", "-batch", "-", stdin=self._text,
                                       check=False)
            if done.returncode != 0:
                self.failure = done.stderr[-500:]
                return
            self.done += len(self._lines)


def _open(source, dst):
    number = socket.AF_INET6 if ":" in dst else socket.AF_INET
    sock = socket.socket(number, socket.SOCK_DGRAM)
    if source:
        sock.bind((source, 0))
    return sock


def _send_all(ways, running):
    """The loop of the sender process; (sent, refused)."""
    sent = refused = 0
    first = True
    while running[0]:
        for send, to in ways:
            try:
                send(b"flood", to)
                sent += 1
            except OSError as err:
                if err.errno not in REFUSALS:
                    raise
                refused += 1
        if first:
            print("ready", flush=True)
            first = False
    return sent, refused


def _main(argv):
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.__setitem__(0, False))
    ways = []
    for word in argv:
        source, dst = word.split(">")
        ways.append((_open(source, dst).sendto, (dst, PORT)))
    print(*_send_all(ways, running))


if __name__ == "__main__":
    _main(sys.argv[1:])
