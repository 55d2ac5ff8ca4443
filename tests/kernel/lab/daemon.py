# SPDX-License-Identifier: GPL-2.0-or-later
"""multihomed and multihomectl under test.

MULTIHOMED_BIN_DAEMON and MULTIHOMED_BIN_CTL name other binaries, for example
those of a sanitizer build.
"""

import itertools
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import time

from .netns import until

ROOT = pathlib.Path(__file__).resolve().parents[3]
START_LIMIT_S = 60  # it hangs, as of any command
CTL_LIMIT_S = 15
LOG_SHOWN = 8000
BAD_WORDS = ("AddressSanitizer", "LeakSanitizer", "runtime error:",
             "ssertion", "UndefinedBehaviorSanitizer", "stack smashing")

_serial = itertools.count(1)


def binary(variable, default):
    """Full path of a program under test."""
    path = pathlib.Path(os.environ.get(variable) or ROOT / default)
    if not os.access(path, os.X_OK):
        raise AssertionError(f"{path} is not there: build it with ./dev build "
                             f"or set {variable}")
    return str(path)


def daemon_binary():
    return binary("MULTIHOMED_BIN_DAEMON", "build/daemon/multihomed")


def processor_ns(pid):
    """How long its threads have been on a processor, system calls included."""
    total = 0
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text().split()[0])
    return total


def ctl_binary():
    return binary("MULTIHOMED_BIN_CTL", "build/ctl/multihomectl")


class Daemon:
    """One multihomed in one namespace, with its config, socket and log.

    The log is one file over restarts. A crash, a sanitizer report or an
    unexpected exit fails the test, in finish() at the latest."""

    def __init__(self, namespace, config, args=(), env=None):
        base = os.path.join(namespace.lab.directory, f"d{next(_serial)}")
        os.mkdir(base)
        self.namespace, self.args = namespace, tuple(args)
        self.env = env or {}
        self.config_path = f"{base}/multihomed.conf"
        self.socket_path = f"{base}/io.multihomed"
        self.log_path = f"{base}/log"
        self._notify_path = f"{base}/notify"
        self.process = None
        self.set_config(config)

    # -- life --------------------------------------------------------------

    def start(self, wait=True):
        """Start it; with wait, return when READY=1 came and it is steady."""
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with notify:
            if os.path.exists(self._notify_path):
                os.unlink(self._notify_path)
            notify.bind(self._notify_path)
            env = {**os.environ, **self.env,
                   "NOTIFY_SOCKET": self._notify_path}
            with open(self.log_path, "ab") as log:
                self.process = self.namespace.start(
                    daemon_binary(), "-c", self.config_path,
                    "-s", self.socket_path, *self.args,
                    env=env, stdout=log, stderr=log)
            if wait:
                self._await_ready(notify)
        if wait:
            self.wait()

    def _await_ready(self, notify):
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if select.select([notify], [], [], 0.02)[0]:
                if b"READY=1" in notify.recv(4096).split(b"\n"):
                    return
            status = self.process.poll()
            if status is not None:
                raise AssertionError(f"multihomed ended with {status} before "
                                     f"it was ready:\n{self.log_end()}")
        raise AssertionError(f"no READY=1 within {START_LIMIT_S} s:\n"
                             f"{self.log_end()}")

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def _end(self, number, expect):
        self.signal(number)
        status = self.process.wait(timeout=START_LIMIT_S)
        assert status == expect, f"exit status {status} after signal {number}"

    def terminate(self):
        """SIGTERM: it removes what it owns and exits with 0."""
        self._end(signal.SIGTERM, 0)

    def leave(self):
        """SIGUSR1: it exits with 0 and leaves all in place."""
        self._end(signal.SIGUSR1, 0)

    def kill(self):
        """kill -9: as a crash."""
        self._end(signal.SIGKILL, -signal.SIGKILL)

    def freeze(self):
        """SIGSTOP, for a test that wants events to pile up; thaw() ends it."""
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    # -- config ------------------------------------------------------------

    def set_config(self, text):
        """Write the config file; it counts from the next start or reload."""
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(text)

    def reload(self, text=None):
        """SIGHUP, after an optional new config; back when it is steady."""
        if text is not None:
            self.set_config(text)
        self.signal(signal.SIGHUP)
        self.wait()

    # -- questions ---------------------------------------------------------

    def ctl(self, *argv, check=True):
        """Run multihomectl; a CompletedProcess with text."""
        try:
            done = subprocess.run([ctl_binary(), "-s", self.socket_path, *argv],
                                  capture_output=True, text=True,
                                  timeout=CTL_LIMIT_S)
        except subprocess.TimeoutExpired as err:
            raise AssertionError(f"multihomectl {' '.join(argv)}: no answer "
                                 f"within {CTL_LIMIT_S} s") from err
        if check and done.returncode != 0:
            raise AssertionError(f"multihomectl {' '.join(argv)}: exit "
                                 f"{done.returncode}\n{done.stdout}"
                                 f"{done.stderr}\n{self.log_end()}")
        return done

    def wait(self):
        """Return when every kernel change made before is taken in."""
        self.ctl("wait")

    def switches(self):
        """How often it went to sleep or was put aside, once it sleeps: who has
        an answer of it may see it on its way there."""
        base = f"/proc/{self.process.pid}/status"
        lines = []

        def sleeps():
            with open(base, encoding="ascii") as file:
                lines[:] = file.read().splitlines()
            return any(line.split()[:2] == ["State:", "S"] for line in lines)
        until(sleeps)
        return sum(int(line.split()[1]) for line in lines
                   if "ctxt_switches" in line)

    def status(self):
        """`multihomectl --json status` as Python values."""
        return json.loads(self.ctl("--json", "status").stdout)

    def subnet(self, link, prefix):
        """status() of one subnet."""
        subnets = self.status()["subnets"]
        for subnet in subnets:
            if subnet["link"] == link and subnet["prefix"] == prefix:
                return subnet
        have = [(s["link"], s["prefix"]) for s in subnets]
        raise AssertionError(f"no subnet {prefix} on {link}, only {have}")

    def table(self, link, prefix):
        """The table number of a managed subnet."""
        number = self.subnet(link, prefix)["table"]
        assert number, f"{prefix} on {link} has no table"
        return number

    def plan(self):
        """`multihomed --plan`: what it would do, as text; changes nothing."""
        return self.namespace.run(daemon_binary(), "-c", self.config_path,
                                  "-s", self.socket_path, "--plan").stdout

    def flush(self):
        """`multihomed --flush`: remove all that is ours."""
        return self.namespace.run(daemon_binary(), "-c", self.config_path,
                                  "-s", self.socket_path, "--flush")

    def log(self):
        """Everything logged so far, over restarts."""
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def log_end(self):
        """As much of it as somebody may want to read."""
        return self.log()[-LOG_SHOWN:]

    def describe(self):
        """For the report of a failed test."""
        lines = [f"===== multihomed in {self.namespace.role}: log",
                 self.log_end()]
        if self.running:
            try:
                status = self.ctl("status", check=False).stdout
                lines += ["----- status", status]
            except AssertionError as err:
                lines += [f"----- status: {err}"]
        else:
            status = self.process and self.process.returncode
            lines += [f"----- ended with {status}"]
        return "\n".join(lines)

    # -- the end -----------------------------------------------------------

    def finish(self):
        """End a daemon that still runs and judge what it left in the log."""
        if self.process is None:
            return
        status = self.process.poll()
        expected = (None, 0, -signal.SIGKILL)
        assert status in expected, f"multihomed ended with {status}"
        if status is None:
            self.thaw()
            self.terminate()
        log = self.log()
        for word in BAD_WORDS:
            assert word not in log, f"{word!r} in the log:\n{self.log_end()}"

    def close(self):
        """Gone, whatever state it is in."""
        if self.running:
            self.process.kill()
            self.process.wait(timeout=START_LIMIT_S)
