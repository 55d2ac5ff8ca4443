#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/control.md against docs/io.multihomed.varlink: methods, errors and their
parameters, commands; and its Python client talks to a stub."""

import json
import math
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading

import pages

PAGE = "docs/control.md"
INTERFACE = "docs/io.multihomed.varlink"
STATUS = {"subnets": [
    {"managed": True, "link": "eth0", "prefix": "10.1.0.0/24",
     "default": {"kind": "congruent"}},
    {"managed": False, "link": "docker0", "prefix": "172.17.0.0/16",
     "default": {"kind": "none"}},
    {"managed": True, "link": "eth1", "prefix": "10.2.0.0/24",
     "default": {"kind": "congruent"}},
]}


def text_of(name):
    return (pages.ROOT / name).read_text(encoding="utf-8")


def rows(text, heading):
    """The cells of the table below a heading."""
    section = re.search(rf"^## {heading}\n(.*?)(^## |\Z)", text, re.M | re.S)
    for line in re.findall(r"^\|(.*)\|$", section[1], re.M)[1:]:
        cells = [cell.strip() for cell in line.split("|")]
        if not set(cells[0]) <= set("- "):
            yield cells


def check_methods(findings, page, interface):
    described = set(re.findall(r"^method (\w+)", interface, re.M))
    table = {cells[0]: cells for cells in rows(page, "Methods")}
    findings.same(set(table), described, PAGE, INTERFACE)
    commands = set(pages.help_of(pages.ctl, "complete", "commands").split())
    named = set()
    for cells in table.values():
        named |= set(re.findall(r"`([a-z]+)`", cells[1]))
    findings.same(named, commands - {"help"}, PAGE,
                  "multihomectl complete commands")


def check_errors(findings, page, interface):
    described = {f"io.multihomed.{name}": set(re.findall(r"(\w+):", rest))
                 for name, rest in re.findall(r"^error (\w+) \((.*)\)$",
                                              interface, re.M)}
    table = {cells[0]: set(re.findall(r"`(\w+)`", cells[2]))
             if len(cells) > 2 else set()
             for cells in rows(page, "Errors")
             if not cells[0].startswith("org.varlink.service.")}
    findings.same({f"{k} {sorted(v)}" for k, v in table.items()},
                  {f"{k} {sorted(v)}" for k, v in described.items()},
                  PAGE, INTERFACE)


def check_limits(findings, page):
    """The numbers of the server, where they are given names."""
    sources = "".join(
        path.read_text() for path in pages.ROOT.glob("daemon/server/*.c"))
    values = {name: math.prod(int(float(factor)) for factor in value.split("*"))
              for name, value in re.findall(
                  r"\b([A-Z_]+)(?: = |\s+)(\d[\d.* ]*)(?:,|$)", sources, re.M)}
    limits = {cells[0]: cells[1] for cells in rows(page, "Limits")}
    queue = values["QUEUE_MAX"]
    for what, want in (
            ("clients at a time", str(values["CLIENTS_MAX"])),
            ("one call", f"{values['MESSAGE_MAX'] >> 10} KiB, nested 32 deep"),
            ("answers that a client has not read", f"{queue >> 20} MiB"),
            ("the same for all clients together",
             f"{values['QUEUES'] * queue >> 20} MiB"),
            ("a client that reads nothing of its answer",
             f"{values['STALL_MS'] // 1000} s")):
        findings.expect(limits.get(what) == want,
                        f"{PAGE}: {what}: {limits.get(what)}, not {want}")
    lines = f"{values['LOG_BURST']} in {values['LOG_PERIOD_S']} seconds"
    findings.expect(lines in page, f"{PAGE}: the log has {lines}")


def serve(listening, calls):
    """Answer one client's Status, in two pieces."""
    client, _ = listening.accept()
    with client:
        received = b""
        while b"\0" not in received:
            received += client.recv(4096)
        calls.append(json.loads(received.rstrip(b"\0")))
        reply = json.dumps({"parameters": STATUS}).encode() + b"\0"
        client.sendall(reply[:50])
        client.sendall(reply[50:])


def check_client(findings, page):
    programs = pages.fenced(PAGE, "python")
    findings.expect(len(programs) == 1, f"{PAGE}: where is the client?")
    calls = []
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX) as listening:
        path = os.path.join(folder, "socket")
        listening.bind(path)
        listening.listen()
        listening.settimeout(pages.LIMIT_S)
        thread = threading.Thread(target=serve, args=(listening, calls))
        thread.start()
        done = subprocess.run([sys.executable, "-c", programs[0], path],
                              capture_output=True, text=True,
                              timeout=pages.LIMIT_S)
        thread.join()
    shown = re.search(r"such as\n\n((?:    .*\n)+)", page)[1]
    findings.expect(calls == [{"method": "io.multihomed.Status",
                               "parameters": {}}], f"it called {calls}")
    findings.expect(done.stdout == re.sub(r"^    ", "", shown, flags=re.M),
                    f"it printed {done.stdout}{done.stderr}")


def main():
    findings = pages.Findings()
    page, interface = text_of(PAGE), text_of(INTERFACE)
    check_methods(findings, page, interface)
    check_errors(findings, page, interface)
    check_limits(findings, page)
    check_client(findings, page)
    return findings.report(least=50)


if __name__ == "__main__":
    sys.exit(main())
