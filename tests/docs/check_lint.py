#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mandoc has nothing to say about the manual pages, not even on style, and
shellcheck nothing about the completions.

It also looks up every page that is referred to. The pages of others need not be
installed where this runs: each of those we may refer to gets a stub."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pages

OTHERS = ("ip.8", "ip-route.8", "ip-rule.8", "sd_notify.3")
STUB = """\
.Dd November 24, 2026
.Dt {title} {section}
.Os
.Sh NAME
.Nm {name}
.Nd not ours
"""


def lay_out(folder):
    """A folder of manual pages: ours, and stubs."""
    ours = sorted(pages.MAN.glob("*.[1-9]"))
    for page in (*ours, *map(pathlib.Path, OTHERS)):
        name, section = page.stem, page.suffix[1:]
        place = pathlib.Path(folder, f"man{section}")
        place.mkdir(exist_ok=True)
        if page in ours:
            shutil.copy(page, place)
        else:
            (place / page.name).write_text(STUB.format(
                title=name.upper(), name=name, section=section))
    subprocess.run(["makewhatis", folder], check=True,
                   timeout=pages.LIMIT_S)
    return ours


def main():
    findings = pages.Findings()
    os.environ["PATH"] += ":/usr/sbin"
    with tempfile.TemporaryDirectory() as folder:
        ours = lay_out(folder)
        os.environ["MANPATH"] = folder
        for page in ours:
            done = subprocess.run(
                ["mandoc", "-Tlint", "-W", "style", page],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=pages.LIMIT_S)
            findings.expect(done.returncode == 0 and not done.stdout,
                            f"{page.name}:\n{done.stdout}")
    for completion in sorted((pages.ROOT / "completions").glob("multihome*")):
        done = subprocess.run(["shellcheck", completion], capture_output=True,
                              text=True, timeout=pages.LIMIT_S)
        findings.expect(done.returncode == 0, done.stdout)
    listed = (pages.MAN / "meson.build").read_text()
    for page in ours:
        findings.expect(f"'{page.name}'" in listed,
                        f"{page.name}: man/meson.build does not install it")
    return findings.report(least=8)


if __name__ == "__main__":
    sys.exit(main())
