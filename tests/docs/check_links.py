#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the markdown files say of this tree is there: links, with their
headings, and names of files and folders in `backticks`. What README.md shows of
multihomectl is what docs/troubleshooting.md shows, which a kernel test holds to
the program."""

import re
import sys

import pages

SUFFIXES = r"\.(?:c|h|md|py|sh|conf|build|varlink|case|service)$"


def without_code(text):
    """The prose: no fenced and no indented blocks."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return re.sub(r"^(?: {4}|\t).*$", "", text, flags=re.M)


def anchors(path):
    """What # may lead to in a markdown file, as GitHub names headings."""
    text = without_code((pages.ROOT / path).read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ +(.*?) *$", text, re.M)}


def check_links(findings, path, text):
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    targets += re.findall(r"^\[[^\]]+\]: +(\S+)", text, re.M)
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (pages.ROOT / path).parent / name if name else \
            pages.ROOT / path
        findings.expect(file.exists(), f"{path}: {target} is not there")
        if anchor and file.exists():
            findings.expect(anchor in anchors(file),
                            f"{path}: {target}: no such heading")


def names_in(text, top):
    """Words in backticks that can only be files of this tree."""
    for word in re.findall(r"`([^`\n]+)`", text):
        if re.fullmatch(r"[\w.-]+(?:/[\w.-]*)+", word):
            if word.split("/")[0] in top:
                yield word
        elif re.fullmatch(r"[\w-]+" + SUFFIXES, word):
            yield word


def check_names(findings, path, text, files):
    top = {file.parts[0] for file in files}
    base_names = {file.name for file in files}
    for name in names_in(text, top):
        there = (pages.ROOT / name).exists() if "/" in name else \
            name in base_names
        findings.expect(there, f"{path}: there is no {name}")


def check_shown(findings):
    text = (pages.ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^    \$ multihomectl(?:.*\n    )*.*\n", text, re.M)
    held = "".join(pages.fenced("docs/troubleshooting.md", "console"))
    findings.expect(shown, "README.md: where is the output?")
    for block in shown:
        block = re.sub(r"^    ", "", block, flags=re.M)
        findings.expect(block in held, "README.md: not the output in "
                                       f"docs/troubleshooting.md:\n{block}")


def main():
    findings = pages.Findings()
    files = set(pages.tree_files())
    for path in pages.markdown_files():
        text = (pages.ROOT / path).read_text(encoding="utf-8")
        prose = without_code(text)
        check_links(findings, path, prose)
        check_names(findings, path, prose, files)
    check_shown(findings)
    return findings.report(least=30)


if __name__ == "__main__":
    sys.exit(main())
