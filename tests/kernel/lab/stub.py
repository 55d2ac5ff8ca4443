# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon of a few lines: it answers multihomectl as the test says.

    with Stub({"Status": [{"steady": True}],
               "Verify": [{"asked": 1, "total": 2}, {"found": 0}],
               "Table": [Fault("NoSuchSubnet", {"subnet": "x"})]}) as stub:
        subprocess.run([ctl_binary(), "-s", stub.path, "verify"])
        assert stub.calls == [("Verify", {}, True)]

Each method has the replies to one call; all but the last say that more follow.
A function in their place is called with the parameters and returns them. HANG
in their place: no answer; HANG_UP: the connection is closed.
"""

import json
import os
import shutil
import socket
import tempfile
import threading
from dataclasses import dataclass, field

INTERFACE = "io.multihomed"
HANG, HANG_UP = "hang", "hang up"


@dataclass(frozen=True)
class Fault:
    """An error, of our interface unless it names another."""

    name: str
    parameters: dict = field(default_factory=dict)


class Stub:
    """Listens from the start to the end of a with block."""

    def __init__(self, methods):
        self.methods = methods
        self.calls = []  # (method, parameters, more)
        self._directory = tempfile.mkdtemp(prefix="multihomed-stub-")
        self.path = os.path.join(self._directory, "io.multihomed")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._clients = []

    def __enter__(self):
        self._socket.bind(self.path)
        self._socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for sock in (self._socket, *self._clients):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
        shutil.rmtree(self._directory)

    def _accept(self):
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self._clients.append(client)
            threading.Thread(target=self._serve, args=(client,),
                             daemon=True).start()

    def _serve(self, client):
        pending = b""
        try:
            while data := client.recv(1 << 16):
                *messages, pending = (pending + data).split(b"\0")
                for message in messages:
                    self._answer(client, json.loads(message))
        except OSError:
            pass
        finally:
            client.close()

    def _answer(self, client, call):
        method = call["method"].removeprefix(f"{INTERFACE}.")
        parameters = call.get("parameters", {})
        self.calls.append((method, parameters, call.get("more", False)))
        replies = self.methods[method]
        if callable(replies):
            replies = replies(parameters)
        for i, reply in enumerate(replies):
            if reply == HANG:
                return
            if reply == HANG_UP:
                client.shutdown(socket.SHUT_RDWR)
                return
            if isinstance(reply, Fault):
                name = reply.name
                if "." not in name:
                    name = f"{INTERFACE}.{name}"
                message = {"error": name, "parameters": reply.parameters}
            else:
                message = {"parameters": reply}
                if i + 1 < len(replies):
                    message["continues"] = True
            client.sendall(json.dumps(message).encode() + b"\0")
