#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""multihomed.conf(5) and conf/multihomed.conf against the program.

Types and ranges are taken from what the program says when they are violated, so
that neither the page nor this check can be right by being copied from the
other."""

import re
import sys
import tempfile

import pages

PAGE = "multihomed.conf.5"
# A valid entry of each list, so that one member can be tried.
ENTRIES = {
    "interfaces": {"match": '"x"'},
    "routes": {"to": '"192.0.2.0/24"', "dev": '"x"'},
    "bindings": {"dev": '"x"', "prefixes": '( "192.0.2.0/24" )'},
}


def complaints(text):
    """The errors of a config text; none: it is correct."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        done = pages.daemon("-c", file.name, "--check")
    assert done.returncode in (0, 1), done.stderr
    lines = done.stderr.replace(file.name, "FILE").splitlines()
    assert bool(lines) == (done.returncode == 1), done
    return lines


def keys_of_source():
    """Paths of all keys in config_keys.c."""
    source = (pages.ROOT / "daemon/config/config_keys.c").read_text()
    tables, groups = {}, {}
    for name, body in re.findall(
            r"struct config_key (\w+)\[\] = \{(.*?)^\};", source, re.M | re.S):
        tables[name] = re.findall(
            r'\.name = "(\w+)"((?:(?!\.name = ).)*)', body, re.S)
    for name, body in re.findall(
            r"struct config_group (\w+) = \{(.*?)\};", source, re.S):
        groups[name] = re.search(r"\.keys = (\w+)", body)[1]

    def walk(table, path):
        for name, rest in tables[table]:
            yield path + (name,)
            group = re.search(r"\.group = &(\w+)", rest)
            if group:
                yield from walk(groups[group[1]], path + (name,))

    return set(walk("root_keys", ()))


def setting(path, value):
    """A config in which only PATH may be wrong."""
    if len(path) == 1:
        return f"{path[0]} = {value};"
    group, name = path
    members = {**ENTRIES.get(group, {}), name: value}
    text = " ".join(f"{key} = {text};" for key, text in members.items())
    if group in ENTRIES:
        return f"{group} = ( {{ {text} }} );"
    return f"{group} = {{ {text} }};"


def expected_by_program(path):
    """The first words of the setting's description, as the program sees it."""
    def said(value):
        lines = complaints(setting(path, value)) or [""]
        found = re.search(r"expected (.*?)(, not|, as|$)", lines[0])
        return found[1] if found else lines[0]

    words = said("-1")
    if words == "a string":
        choices = said('"?"')
        return f"Text: {choices}." if choices.startswith('"') else "Text."
    if re.fullmatch(r"\d+ to \d+", words):
        return f"Number: {words}."
    return {
        "true or false": "True or false.",
        "a group { ... }": "Group.",
        "a list ( { ... }, ... )": "List of groups.",
        "a list of one or more prefixes": "List of texts.",
    }.get(words, f"(the program says: {words})")


def check_keys(findings):
    documented = {}
    for path, rest, body in pages.items(PAGE, "Ic"):
        documented[path] = (rest, body)
    findings.same({".".join(path) for path in documented},
                  {".".join(path) for path in keys_of_source()},
                  PAGE, "config_keys.c")
    for path, (_, body) in documented.items():
        want = expected_by_program(path)
        findings.expect(body and body[0] == want,
                        f"{'.'.join(path)}: the page begins with "
                        f"{body[:1]}, the program wants '{want}'")
    return documented


def check_required(findings, documented):
    for group in ENTRIES:
        program = set()
        for line in complaints(f"{group} = ( {{ }} );"):
            program |= set(re.findall(r"\[0\]: (\w+) is missing", line))
        page = {path[1] for path, (_, body) in documented.items()
                if path[0] == group and len(path) == 2 and
                "Must be there." in body}
        findings.same(page, program, f"what {PAGE} requires in {group}",
                      "what the program requires")


def check_defaults(findings, documented):
    """Those of conf/multihomed.conf, which a unit test holds to the code."""
    page = {".".join(path): re.sub(r"^No = ", "", pages.unescape(rest))
            for path, (rest, _) in documented.items()
            if rest and (len(path) == 1 or path[0] not in ENTRIES)}
    conf = {}
    text = (pages.ROOT / "conf/multihomed.conf").read_text()
    text = re.sub(r"(\{[^}\n]*)\n#(\w)", r"\1 \2", text)  # a group in 2 lines
    for name, value in re.findall(r"^#(\w+) = (.*);$", text, re.M):
        if value.startswith("{"):
            for member, inner in re.findall(r"(\w+) = ([^;]*);", value):
                conf[f"{name}.{member}"] = inner
        else:
            conf[name] = value
    findings.same({f"{k} = {v}" for k, v in page.items()},
                  {f"{k} = {v}" for k, v in conf.items()},
                  f"the defaults of {PAGE}", "conf/multihomed.conf")


def config_examples():
    """(where, text) of every config in the documentation."""
    for text in pages.examples(PAGE):
        if not text.startswith(("$", "@")):
            yield PAGE, text
    whole = (pages.ROOT / "conf/multihomed.conf").read_text()
    yield "conf/multihomed.conf", whole
    yield ("conf/multihomed.conf, uncommented",
           re.sub(r"^#(?=\w+ = )", "", whole, flags=re.M))
    for block in re.findall(r"(?:^#     .*\n)+", whole, re.M):
        yield ("conf/multihomed.conf, an example",
               re.sub(r"^#", "", block, flags=re.M))
    for path in pages.markdown_files():
        for text in pages.fenced(path, "conf"):
            yield str(path), text


def check_examples(findings):
    for where, text in config_examples():
        lines = complaints(text)
        findings.expect(not lines,
                        f"{where}: {' '.join(lines)}\n{text}")


def check_errors(findings):
    """The output that the page shows is what the program prints."""
    shown = [text for text in pages.examples(PAGE)
             if text.startswith("$ multihomed --check")]
    findings.expect(len(shown) == 1, "where are the errors?")
    said = complaints('modell = "weak";\n\nsettle_ms = 70000;\n')
    want = [line.replace("FILE", "/etc/multihomed.conf") for line in said]
    findings.expect(shown and shown[0].splitlines()[1:] == want,
                    f"the page's errors are not those of the program: {want}")


def main():
    findings = pages.Findings()
    documented = check_keys(findings)
    check_required(findings, documented)
    check_defaults(findings, documented)
    check_examples(findings)
    check_errors(findings)
    return findings.report(least=100)


if __name__ == "__main__":
    sys.exit(main())
