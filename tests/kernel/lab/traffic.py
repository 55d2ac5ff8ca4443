# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP and UDP between two namespaces, from inside the test process."""

import socket

from .netns import family_of

GREETING = b"multihomed"


class Connection:
    """An established TCP connection; client and server are sockets."""

    def __init__(self, client, server):
        self.client, self.server = client, server

    def exchange(self, data=GREETING):
        """Send data both ways; an exception (timeout) when it is lost."""
        for sender, receiver in ((self.client, self.server),
                                 (self.server, self.client)):
            sender.sendall(data)
            receive_exactly(receiver, len(data))

    def retransmissions(self):
        """Retransmitted segments so far, both ends together."""
        return sum(tcp_total_retrans(end) for end in (self.client, self.server))

    def close(self):
        self.client.close()
        self.server.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def receive_exactly(sock, size):
    """size bytes of a stream, or ConnectionError when it ends before."""
    data = b""
    while len(data) < size:
        chunk = sock.recv(size - len(data))
        if not chunk:
            raise ConnectionError(f"ended after {len(data)} of {size} bytes")
        data += chunk
    return data


def tcp_total_retrans(sock):
    """struct tcp_info.tcpi_total_retrans."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return int.from_bytes(info[100:104], "little")


def listen(namespace, address):
    """A TCP listener on a port the kernel chose."""
    sock = namespace.socket(family_of(address))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, 0))
    sock.listen(64)
    return sock


def tcp_open(client, server, dst, source=None, timeout=1.0):
    """Connect client to a new listener on server's address dst, from source.

    The handshake is the kernel's, so one thread can be both ends. Raises
    OSError (TimeoutError when SYN or SYN-ACK are lost)."""
    with listen(server, dst) as listener:
        sock = client.socket(family_of(dst), timeout=timeout)
        try:
            if source:
                sock.bind((source, 0))
            sock.connect(listener.getsockname()[:2])
            listener.settimeout(timeout)
            accepted, _ = listener.accept()
        except OSError:
            sock.close()  # else its SYN would be sent again and again
            raise
    accepted.settimeout(timeout)
    server.adopt(accepted)
    return Connection(sock, accepted)


def tcp_works(client, server, dst, source=None, timeout=1.0):
    """True when a connection opens and carries data both ways."""
    try:
        with tcp_open(client, server, dst, source, timeout) as connection:
            connection.exchange()
    except OSError:
        return False
    return True


def udp_send(sender, dst, source=None, count=1, port=9):
    """Send count datagrams, bound to source; the source that was used."""
    sock = sender.socket(family_of(dst), socket.SOCK_DGRAM)
    with sock:
        if source:
            sock.bind((source, 0))
        sock.connect((dst, port))
        for _ in range(count):
            try:
                sock.send(GREETING)
            except ConnectionRefusedError:
                # The answer to an earlier one: this one was not sent.
                sock.send(GREETING)
        return sock.getsockname()[0]
