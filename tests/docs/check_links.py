#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the markdown files say of this tree is there: links, with their
headings, and names of files and folders in `backticks`. What README.md shows of
multihomectl is what docs/troubleshooting.md shows, which a kernel test holds to
the program. What explain refers to, and the daemon's files, are in the manual."""

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


def check_lines(findings):
    """explain numbers the lines of "On-subnet": they are the same in both
    places that have them, and where it says they are."""
    said = re.search(r'see \\"(.*?)\\" in multihomed\(8\)',
                     (pages.ROOT / "ctl/render/explain.c").read_text())
    manual = "\n".join(pages.lines_of("multihomed.8"))
    in_manual = re.search(rf"^\.Ss {said[1]}\n(.*?)^\.Ss ", manual,
                          re.M | re.S) if said else None
    findings.expect(in_manual, "explain refers to nothing in multihomed.8")
    page = (pages.ROOT / "docs/model.md").read_text(encoding="utf-8")
    in_page = re.search(r"^## On-subnet\n(.*?)^## ", page, re.M | re.S)
    if in_manual and in_page:
        lines = len(re.findall(r"^\.It$", in_manual[1], re.M))
        findings.expect(lines == len(re.findall(r"^\d+\. ", in_page[1], re.M)),
                        f"On-subnet has {lines} lines in multihomed.8, not as "
                        "many as in docs/model.md")


def check_state_files(findings):
    """What the daemon keeps beside its socket is among the manual's files."""
    sources = "".join(path.read_text()
                      for path in pages.ROOT.glob("daemon/**/*.c"))
    listed = {path[-1] for path, _, _ in pages.items("multihomed.8", "Pa")}
    suffixes = set(re.findall(r'"%s\.([a-z]+)"', sources)) - {"new"}
    findings.expect(len(suffixes) >= 3, f"only {suffixes} beside the socket?")
    for suffix in suffixes:
        path = f"/run/multihomed/io.multihomed.{suffix}"
        findings.expect(path in listed, f"multihomed.8: no {path}")


def main():
    findings = pages.Findings()
    files = set(pages.tree_files())
    for path in pages.markdown_files():
        text = (pages.ROOT / path).read_text(encoding="utf-8")
        prose = without_code(text)
        check_links(findings, path, prose)
        check_names(findings, path, prose, files)
    check_shown(findings)
    check_lines(findings)
    check_state_files(findings)
    return findings.report(least=30)


if __name__ == "__main__":
    sys.exit(main())
