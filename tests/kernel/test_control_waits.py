# SPDX-License-Identifier: GPL-2.0-or-later
"""How long answers take while the kernel takes its time.

Others' writes hold up ours, by some ms or by a hundred. Many routes are written
by threads, so that answers wait for none of it. Where no thread can be made,
long turns of the daemon's own follow one another, and a question, which has to
be accepted, read and answered, waits for one of them and no more.
"""

import re
import statistics
import threading
import time

import pytest

from lab import Daemon, until
from lab.shim import preload, put_number
from lab.varlink import Client

pytestmark = pytest.mark.no_sandbox("a shim is loaded before it")

ROUTES = 4000
SLOW_MS = 60  # what each hundred of our routes takes
ASKED = 15
WINDOW = 200  # calls of one client that are on their way
VERY_SLOW_MS = 300
MORE = 4000  # as many messages as are heard at one go eight times


def routes(first, n):
    return "".join(f"route add {first}.{i >> 8}.{i & 255}.0/24 via 10.1.0.1\n"
                   for i in range(n))


def begin(figure, threads, slow_ms=SLOW_MS):
    """A daemon that writes 8000 routes, which takes it five seconds."""
    slow = put_number(f"{figure.lab.directory}/slow", 0)
    daemon = Daemon(figure.a, "settle_ms = 0;",
                    env=preload(slow=slow, threads=threads))
    figure.lab.daemons.append(daemon)
    daemon.start()
    put_number(slow, slow_ms)
    figure.a.run("ip", "-batch", "-", stdin=routes(20, ROUTES))
    until(lambda: written(daemon) > 500, 10, 0.01, "that it writes")
    return daemon


@pytest.fixture
def aside(figure):
    return begin(figure, threads=True)


@pytest.fixture
def busy(figure):
    return begin(figure, threads=False)


def written(daemon):
    return sum(int(n) for n in re.findall(
        r"^multihomed_ops_total\S* (\d+)", daemon.ctl("metrics").stdout, re.M))


def took_ms(ask):
    start = time.monotonic()
    ask()
    return (time.monotonic() - start) * 1000


def waits(daemon, ask):
    """In ms; all of them while it still writes."""
    found = [took_ms(ask) for _ in range(ASKED)]
    assert written(daemon) < 2 * ROUTES, "it was done too early"
    return found


def of_one_client(daemon):
    with Client(daemon.socket_path) as client:
        return waits(daemon, lambda: client.ask("io.multihomed.Status"))


def of_new_clients(daemon):
    def ask():
        with Client(daemon.socket_path) as client:
            client.ask("io.multihomed.Status")
    return waits(daemon, ask)


@pytest.mark.parametrize("ask", [of_one_client, of_new_clients])
def test_a_question_waits_for_no_write(aside, ask):
    found = ask(aside)
    assert statistics.median(found) < SLOW_MS / 5, found


def test_what_asks_the_kernel_does_neither(aside):
    found = waits(aside, lambda: aside.ctl("explain", "20.0.1.1"))
    assert statistics.median(found) < SLOW_MS, found


def test_what_comes_meanwhile_is_heard_before_the_next_write(figure):
    """Else the default would be heard of after MORE / 512 of them."""
    a = figure.a
    daemon = begin(figure, threads=True, slow_ms=VERY_SLOW_MS)
    a.run("ip", "-batch", "-", stdin=routes(21, MORE) +
          "route replace default via 10.1.0.77 dev eth0 metric 100\n")
    start = time.monotonic()
    until(lambda: a.leaves_by("203.0.113.9", "10.1.0.2") ==
          "via 10.1.0.77 dev eth0", 30, 0.01)
    took_ms = (time.monotonic() - start) * 1000
    assert written(daemon) < 2 * ROUTES, "it was done too early"
    assert took_ms < 4 * VERY_SLOW_MS


@pytest.mark.parametrize("ask", [of_one_client, of_new_clients])
def test_without_threads_it_waits_for_one_turn(busy, ask):
    found = ask(busy)
    assert "no thread to write routes (Resource temporarily" in busy.log()
    assert SLOW_MS / 3 < statistics.median(found) < 1.5 * SLOW_MS, found


def ask_without_end(path, is_over):
    """A call waits for its turn at all times."""
    with Client(path) as client:
        for _ in range(WINDOW):
            client.send("io.multihomed.Status")
        while not is_over.is_set():
            client.send("io.multihomed.Status")
            client.receive()


def test_questions_without_end_stop_nothing(busy):
    """Every other round of the loop is theirs, not every."""
    left = 2 * ROUTES - written(busy)
    start, is_over = time.monotonic(), threading.Event()
    askers = [threading.Thread(target=ask_without_end,
                               args=(busy.socket_path, is_over))
              for _ in range(5)]
    for asker in askers:
        asker.start()
    until(lambda: written(busy) >= 2 * ROUTES, 30, 0.05)
    took = time.monotonic() - start
    is_over.set()
    for asker in askers:
        asker.join()
    assert took < 3 * left / 100 * SLOW_MS / 1000
