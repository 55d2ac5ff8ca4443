# SPDX-License-Identifier: GPL-2.0-or-later
"""What a failed test prints about a namespace."""

COMMANDS = (
    ("ip", "-br", "address"),
    ("ip", "-4", "rule"),
    ("ip", "-6", "rule"),
    ("ip", "-4", "route"),
    ("ip", "-6", "route"),
)
OWN_TABLES = range(7100, 8000)
LINES_MAX = 60


def describe(namespace):
    """Topology, rules, table main and the daemon's tables, as text."""
    parts = [f"===== {namespace.role} ({namespace.name})"]
    for command in COMMANDS:
        parts.append(_output(namespace, *command))
    for family in ("-4", "-6"):
        parts.append(_own_tables(namespace, family))
    return "\n".join(part for part in parts if part)


def _own_tables(namespace, family):
    lines = namespace.route_lines("all", int(family[1]), numeric=False)
    own = [line for line in lines if _table(line) in OWN_TABLES]
    return "\n".join([f"--- own tables {family}"] + _short(own)) if own else ""


def _table(line):
    words = line.split()
    if "table" not in words[:-1]:
        return 0
    number = words[words.index("table") + 1]
    return int(number) if number.isdigit() else 0


def _output(namespace, *command):
    out = namespace.run(*command, check=False).stdout.splitlines()
    return "\n".join(["--- " + " ".join(command)] + _short(out)) if out else ""


def _short(lines):
    if len(lines) <= LINES_MAX:
        return lines
    return lines[:LINES_MAX] + [f"... {len(lines) - LINES_MAX} more"]
