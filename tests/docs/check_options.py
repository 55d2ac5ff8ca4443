#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands and options: the help texts of the programs, the manual pages and
the bash completions name the same."""

import re
import subprocess
import sys

import pages

DAEMON_PAGE, CTL_PAGE = "multihomed.8", "multihomectl.1"


def flags(line):
    """The options in what follows `.It`: "Fl s Ar socket , Fl -socket"."""
    return {f"-{name}" for name in re.findall(r"\bFl (\S+)", line)}


def page_options(page):
    """{command, or "" for the program itself: its options}."""
    found = {}
    for path, rest, _ in pages.items(page, "Fl"):
        command = path[0] if len(path) > 1 else ""
        found.setdefault(command, set()).update(
            flags(f"Fl {path[-1]} {rest}"))
    return found


def synopsis_options(page):
    text = "\n".join(pages.lines_of(page))
    text = text[text.index(".Sh SYNOPSIS"):text.index(".Sh DESCRIPTION")]
    options = flags(text)
    # ".Fl -check | -plan" goes on behind the bar.
    return options | {f"-{name}" for name in re.findall(r"\| (-\w+)", text)}


def completed(program, line):
    """What the completion of PROGRAM offers for a line, without a daemon."""
    script = f"""
    source {pages.ROOT}/completions/{program}
    COMP_LINE='{line}' COMP_POINT=${{#COMP_LINE}}
    COMP_WORDS=($COMP_LINE) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
    _{program} {program}
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return set(subprocess.run(["bash", "-c", script], capture_output=True,
                              text=True, timeout=pages.LIMIT_S,
                              check=True).stdout.split())


def long_ones(options):
    return {option for option in options if option.startswith("--")}


def check_daemon(findings):
    in_help = pages.options_in(pages.help_of(pages.daemon, "--help"))
    in_page = page_options(DAEMON_PAGE)[""]
    findings.same(in_page, in_help, DAEMON_PAGE, "multihomed --help")
    for option in synopsis_options(DAEMON_PAGE):
        findings.expect(option in in_help,
                        f"{option}: only in the synopsis of {DAEMON_PAGE}")
    findings.same(completed("multihomed", "multihomed --"),
                  long_ones(in_help), "completions/multihomed",
                  "multihomed --help")


def commands_in_help(text):
    block = re.search(r"^commands:\n((?: .*\n)+)", text, re.M)
    return set(re.findall(r"^  ([a-z]+)", block[1], re.M)) if block else set()


def check_commands(findings, in_help):
    in_page = {path[0] for path, _, _ in pages.items(CTL_PAGE, "Cm")}
    findings.same(in_page, in_help, CTL_PAGE, "multihomectl --help")
    offered = set(pages.help_of(pages.ctl, "complete", "commands").split())
    findings.same(offered, in_help, "multihomectl complete commands",
                  "multihomectl --help")


def check_ctl_options(findings, help_text, commands):
    in_page = page_options(CTL_PAGE)
    everywhere = set().union(*in_page.values())
    findings.same(everywhere, pages.options_in(help_text), CTL_PAGE,
                  "multihomectl --help")
    for option in synopsis_options(CTL_PAGE):
        findings.expect(option in in_page[""],
                        f"{option}: only in the synopsis of {CTL_PAGE}")
    for command in commands:
        in_help = pages.options_in(
            pages.help_of(pages.ctl, "help", command)) - in_page[""]
        findings.same(in_page.get(command, set()), in_help,
                      f"{CTL_PAGE}, {command}",
                      f"multihomectl help {command}")
        findings.same(
            completed("multihomectl", f"multihomectl {command} --"),
            long_ones(in_help | in_page[""]),
            f"completions/multihomectl, {command}",
            f"multihomectl help {command}")


def check_streams(findings):
    """Which commands print one JSON object per line."""
    rows = re.findall(r'\.name = "(\w+)"(.*?)\n\t\},',
                      (pages.ROOT / "ctl/command.c").read_text(), re.S)
    in_code = {name for name, row in rows
               if re.search(r"REPLIES_(STREAM|ENDLESS)", row)}
    text = "\n".join(pages.lines_of(CTL_PAGE))
    said = re.search(r"daemon's reply\.\n(.*?)\nprint one object per line",
                     text, re.S)
    findings.same(set(re.findall(r"^\.Cm (\w+)", said[1], re.M)), in_code,
                  f"{CTL_PAGE}, JSON", "ctl/command.c")


def check_monitor_example(findings):
    """The causes of rounds in the example are those of the interface."""
    text = (pages.ROOT / "docs/io.multihomed.varlink").read_text()
    causes = re.search(r"^type \w+ \((start, [a-z, ]*timer[a-z, ]*)\)", text,
                       re.M)[1].split(", ")
    guide = (pages.ROOT / "docs/troubleshooting.md").read_text()
    for cause in re.findall(r" done .* ms \((.*)\)$", guide, re.M):
        findings.expect(cause in causes, f"monitor: no such cause: {cause}")


def main():
    findings = pages.Findings()
    check_daemon(findings)
    help_text = pages.help_of(pages.ctl, "--help")
    commands = commands_in_help(help_text)
    check_commands(findings, commands)
    check_ctl_options(findings, help_text, commands)
    check_streams(findings)
    check_monitor_example(findings)
    return findings.report(least=100)


if __name__ == "__main__":
    sys.exit(main())
