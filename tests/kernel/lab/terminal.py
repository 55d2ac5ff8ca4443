# SPDX-License-Identifier: GPL-2.0-or-later
"""A program on a terminal of its own, for what it does on a terminal only.

    with Terminal(ctl_binary(), "-s", path, "reload", "--try", "30") as tty:
        tty.expect("Press Enter")
        tty.type("\\n")                  # "\\x03" is Ctrl-C, and a SIGINT
        assert tty.end() == 0            # the exit status
        print(tty.lines())               # as a person sees them at the end
"""

import os
import pty
import re
import select
import signal
import subprocess
import time

LIMIT_S = 15
CHUNK = 4096
STYLES = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """One program; `text` is all that it has written so far."""

    def __init__(self, *argv, env=None, **popen_args):
        self.text = ""
        self._master, slave = pty.openpty()
        try:
            # setsid --ctty: so that Ctrl-C reaches it as a signal.
            self.process = subprocess.Popen(
                ["setsid", "--ctty", "--wait", *argv], stdin=slave,
                stdout=slave, stderr=slave,
                env={**os.environ, "TERM": "xterm", **(env or {})},
                **popen_args)
        finally:
            os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hang_up()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=LIMIT_S)

    def hang_up(self):
        """The connection is lost."""
        if self._master >= 0:
            os.close(self._master)
        self._master = -1

    def type(self, keys):
        os.write(self._master, keys.encode())

    def _read(self, deadline):
        """More text; False when there is no more to come."""
        left = deadline - time.monotonic()
        if not select.select([self._master], [], [], max(left, 0))[0]:
            raise AssertionError(f"nothing more, only {self.text!r}")
        try:
            data = os.read(self._master, CHUNK)
        except OSError:  # EIO: the last one that had it open is gone
            data = b""
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def expect(self, words, timeout=LIMIT_S):
        """Return when the words were written."""
        deadline = time.monotonic() + timeout
        while words not in self.text:
            assert self._read(deadline), f"ended with {self.text!r}"

    def end(self, timeout=LIMIT_S):
        """Read to the end; the exit status."""
        deadline = time.monotonic() + timeout
        while self._read(deadline):
            pass
        return self.process.wait(timeout=timeout)

    def lines(self):
        """What is to be seen: no styles, lines written over, blanks behind."""
        seen = []
        for line in STYLES.sub("", self.text).split("\n"):
            cells = []
            for part in line.split("\r"):
                cells[:len(part)] = part
            seen.append("".join(cells).rstrip())
        return seen
