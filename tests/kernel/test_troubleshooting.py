# SPDX-License-Identifier: GPL-2.0-or-later
"""The output in docs/troubleshooting.md is what the programs print.

Each block behind a comment `scene: NAME` is run on the draft's network, or the
one that NETWORKS has for it, with whatever stands behind NAME as the
configuration. Times and process ids do not count. With MULTIHOMED_UPDATE=1 the
blocks are written anew; the review is the diff. (README.md shows one of them,
and tests/docs/check_links.py compares the two.)"""

import fcntl
import os
import pathlib
import re
import shlex

import pytest

from lab import Figure, daemon_binary
from lab.ra import LINK, Pio, Site, net, via

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/troubleshooting.md"
BLOCK = re.compile(r"(<!-- scene: ([^;\n]*?)(?:; ([^\n]*?))? -->\n```console\n)"
                   r"(.*?)(?=^```$)", re.M | re.S)
SOCKET, CONFIG = "/run/multihomed/io.multihomed", "/etc/multihomed.conf"
# What differs from run to run.
VARYING = (
    (r"\b\d+(\.\d+)? (s|ms|min|questions|checks)\b", r"N \2"),
    (r"just now|N s ago", "a while ago"),
    (r"\b(pid|port) \d+", r"\1 N"),
)


class TwoRouters:
    """Two IPv6 routers on A's link, each for a prefix of its own."""

    def __init__(self, lab):
        self.lab, self.site = lab, Site(lab)
        self.a = self.site.a
        for number in self.site.routers:
            address = net(number).replace("::/", "::7/")
            self.a.ip(f"addr add {address} dev {LINK} nodad")

    def start(self, config):
        """They advertise."""
        daemon = self.lab.daemon(self.a, config)
        for number in self.site.routers:
            self.site.advert(number).send(
                pios=[Pio(net(number), autonomous=False)])
            self.site.learned(daemon, number, net(number))
        return daemon


class SilentRouters(TwoRouters):
    """They do not advertise: A's default routes are made by hand."""

    def start(self, config):
        for number in self.site.routers:
            self.a.ip(f"route add default {via(number)} metric {number}00")
        return self.lab.daemon(self.a, config)


NETWORKS = {"two routers": TwoRouters, "silent routers": SilentRouters}


def blocks():
    return list(BLOCK.finditer(PAGE.read_text(encoding="utf-8")))


def comparable(text):
    """Without times; wrapped lines may break elsewhere then."""
    text = re.sub(r"\s+", " ", text)
    for pattern, name in VARYING:
        text = re.sub(pattern, name, text)
    return text


def run(network, daemon, line):
    """What one command prints, as on a host with the usual paths."""
    argv = shlex.split(line)
    if argv[0] == "multihomectl":
        done = daemon.ctl(*argv[1:], check=False)
    elif argv == ["systemctl", "stop", "multihomed"]:
        return daemon.terminate() or ""
    elif argv[0] == "multihomed":
        done = network.a.run(daemon_binary(), "-c", daemon.config_path,
                            *argv[1:], check=False)
    else:
        done = network.a.run("bash", "-c", line.replace(CONFIG,
                                                      daemon.config_path))
        daemon.wait()
    text = (done.stdout + done.stderr).replace(f" -s {daemon.socket_path}", "")
    return (text.replace(daemon.socket_path, SOCKET)
            .replace(daemon.config_path, CONFIG))


def play(network, config, script):
    """The block's commands, each with what it prints now."""
    daemon = network.start(config or "")
    shown = []
    for line in re.findall(r"^[$#] .*\n", script, re.M):
        shown.append(line + run(network, daemon, line[2:].strip()))
    return "".join(shown)


def rewrite(name, text):
    """Put one block into the page; other workers have others to put."""
    with open(PAGE, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        page = BLOCK.sub(
            lambda block: block[1] + (text if block[2] == name else block[4]),
            file.read())
        file.seek(0)
        file.write(page)
        file.truncate()


@pytest.mark.parametrize("block", blocks(), ids=lambda block: block[2])
def test_the_page_shows_what_is_printed(lab, block):
    network = NETWORKS.get(block[2], Figure)(lab)
    now = play(network, block[3], block[4])
    if os.environ.get("MULTIHOMED_UPDATE"):
        rewrite(block[2], now)
    else:
        assert comparable(now) == comparable(block[4]), now


def test_the_page_has_scenes():
    names = [block[2] for block in blocks()]
    assert len(names) >= 10 and len(set(names)) == len(names)
    assert set(NETWORKS) <= set(names)
