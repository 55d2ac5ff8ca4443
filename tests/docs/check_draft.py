#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each test that docs/draft.md names is there, and each section of the draft has
a row. (Golden cases are files: check_links.py looks for those.)"""

import re
import sys

import pages

SECTIONS = ("3", "4", "4, rule 1", "4, rule 2", "4, rule 3",
            "4, rule 3, alternate", "4, rule 4", "4.1", "5.1",
            "5.1, steps 1 to 5", "5.2", "6.1", "6.2.1", "6.2.2", "7", "8")
FOLDERS = {".py": ("tests/kernel",), ".c": ("tests/unit", "tests/property")}


def is_there(file, name):
    """A test of that name: a function, and in C one that is in a table."""
    suffix = file[file.rindex("."):]
    form = rf"^def {name}\(" if suffix == ".py" else \
        rf"cmocka_unit_test\w*\({name}\b"
    return any(re.search(form, path.read_text(encoding="utf-8"), re.M)
               for folder in FOLDERS[suffix]
               for path in [pages.ROOT / folder / file] if path.exists())


def main():
    findings = pages.Findings()
    text = (pages.ROOT / "docs/draft.md").read_text(encoding="utf-8")
    for file, name in re.findall(r"`(\w+\.(?:py|c))::(\w+)`", text):
        findings.expect(is_there(file, name), f"there is no {file}::{name}")
    rows = {line.split("|")[1].strip() for line in text.splitlines()
            if line.startswith("| ")}
    for section in SECTIONS:
        findings.expect(section in rows, f"no row for section {section}")
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 6 and cells[1] in SECTIONS:
            findings.expect("`" in cells[4] or "not done" in cells[3],
                            f"section {cells[1]}: nothing shows it")
    return findings.report(50)


if __name__ == "__main__":
    sys.exit(main())
