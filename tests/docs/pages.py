# SPDX-License-Identifier: GPL-2.0-or-later
"""The documentation as data: manual pages, help texts, the tree's files."""

import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAN = ROOT / "man"
LIMIT_S = 20


class Findings:
    """What is wrong; a check that found nothing to look at is wrong too."""

    def __init__(self):
        self.texts, self.looked_at = [], 0

    def expect(self, good, text):
        self.looked_at += 1
        if not good:
            self.texts.append(text)

    def same(self, left, right, left_name, right_name):
        """Two sets of names, and where each is from."""
        for name in sorted(left | right):
            self.expect(name in left, f"{name}: in {right_name}, but not in "
                                      f"{left_name}")
            self.expect(name in right, f"{name}: in {left_name}, but not in "
                                       f"{right_name}")

    def report(self, least):
        """The exit status; LEAST: fewer questions than that is a mistake."""
        if self.looked_at < least:
            self.texts.append(f"only {self.looked_at} things looked at, "
                              f"{least} expected: is the check blind?")
        for text in self.texts:
            print(text)
        print(f"{self.looked_at} looked at, {len(self.texts)} wrong")
        return 1 if self.texts else 0


def binary(variable, default):
    return os.environ.get(variable) or str(ROOT / default)


def daemon(*argv):
    """Run multihomed, which never gets further than its options here."""
    return subprocess.run(
        [binary("MULTIHOMED_BIN_DAEMON", "build/daemon/multihomed"), *argv],
        capture_output=True, text=True, timeout=LIMIT_S)


def ctl(*argv):
    return subprocess.run(
        [binary("MULTIHOMED_BIN_CTL", "build/ctl/multihomectl"), *argv],
        capture_output=True, text=True, timeout=LIMIT_S)


def help_of(run, *argv):
    done = run(*argv)
    assert done.returncode == 0 and done.stdout, \
        f"{' '.join(argv)}: exit {done.returncode}\n{done.stderr}"
    return done.stdout


def options_in(text):
    """-x and --words in a help text or a completion."""
    return set(re.findall(r"(?<![\w-])(?:--[a-z][a-z-]+|-[a-z](?![\w-]))",
                          text))


# -- manual pages -----------------------------------------------------------

def unescape(text):
    """Of an mdoc line: as the reader sees it."""
    text = re.sub(r"\\\((dq|aq)", lambda m: {"dq": '"', "aq": "'"}[m[1]], text)
    return text.replace("\\&", "").replace("\\ ", " ")


def lines_of(page):
    return (MAN / page).read_text(encoding="utf-8").splitlines()


def items(page, macro):
    """(names, rest, body) of each `.It` with MACRO.

    names is the path: the items it is nested in, and its own name; rest is what
    else its line says; body are the lines up to the next item or the end of its
    list."""
    path, found, entry = [], [], None
    for line in lines_of(page):
        words = line.split()
        if line.startswith(".Bl"):
            path.append(None)
        elif line.startswith(".El"):
            path.pop()
            entry = None
        elif line.startswith(".It"):
            path[-1] = words[2] if len(words) > 2 else None
            entry = (tuple(filter(None, path)), " ".join(words[3:]), [])
            if words[1:2] == [macro]:
                found.append(entry)
        elif entry:
            entry[2].append(unescape(line))
    return found


def examples(page):
    """Texts in literal displays: blocks, and lines of their own."""
    block = None
    for line in lines_of(page):
        if line.startswith(".Bd -literal"):
            block = []
        elif line.startswith(".Ed"):
            yield "\n".join(block) + "\n"
            block = None
        elif block is not None:
            block.append(unescape(line))
        elif line.startswith(".Dl "):
            yield unescape(line[4:]) + "\n"


# -- markdown ---------------------------------------------------------------

def tree_files():
    """Every file of the project, relative to ROOT; no builds, no .git."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders
                      if name not in (".git", "__pycache__") and
                      not name.startswith("build")]
        for name in names:
            yield pathlib.Path(folder, name).relative_to(ROOT)


def markdown_files():
    return sorted(path for path in tree_files() if path.suffix == ".md")


def fenced(path, language):
    """Fenced blocks of a markdown file that are marked with LANGUAGE."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
