# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a namespace's routing is the daemon's, and what is not."""

PROTOCOL = 109
TABLES = range(7100, 8000)
FAMILIES = (4, 6)
TYPES = {"6": "blackhole", "7": "unreachable", "8": "prohibit", "9": "throw"}


def own_rules(namespace, family):
    """[(priority, "from 10.1.0.0/24" or "to fe80::/10", table)] of ours,
    sorted: the order within one priority says when each was added."""
    found = []
    for rule in namespace.rules(family):
        if str(rule.get("protocol")) != str(PROTOCOL):
            continue
        word = "from" if "from" in rule else "to"
        found.append((rule["priority"], f"{word} {rule.get(word, 'all')}",
                      int(rule["table"])))
    return sorted(found)


def own_sources(namespace, family):
    """{source prefix: table number} of our rules."""
    return {what.split()[1]: table
            for _, what, table in own_rules(namespace, family)
            if what.startswith("from ")}


def _worded(line):
    """With -N, for the protocols, ip prints the types as numbers too."""
    first, _, rest = line.partition(" ")
    return f"{TYPES[first]} {rest}" if first in TYPES else line


def all_routes(namespace, family):
    """Every route of every table but local, one line each, sorted."""
    lines = namespace.route_lines("all", family)
    return sorted(_worded(line) for line in lines if "table 255" not in line)


def _is_ours(line):
    return f" proto {PROTOCOL} " in f"{line} "


def own_routes(namespace, family):
    """Our routes of every table, one line each, sorted."""
    return [line for line in all_routes(namespace, family) if _is_ours(line)]


def foreign_routes(namespace, family):
    """Every other route, the kernel's own table local left out."""
    return [line for line in all_routes(namespace, family)
            if not _is_ours(line)]


def foreign_rules(namespace, family):
    return [rule for rule in namespace.rules(family)
            if str(rule.get("protocol")) != str(PROTOCOL)]


def own_neighbours(namespace):
    """The neighbour entries we made: "10.1.0.1 dev eth0", sorted. Their state
    changes by itself and is left out."""
    found = []
    for family in FAMILIES:
        out = namespace.run("ip", "-N", f"-{family}", "neigh", "show").stdout
        for line in out.splitlines():
            words = line.split()
            if "proto" in words and \
                    words[words.index("proto") + 1] == str(PROTOCOL):
                found.append(" ".join(words[:3]))
    return sorted(found)


def own_state(namespace):
    """All that is ours, to be compared as a whole."""
    state = {"neighbours": own_neighbours(namespace)}
    for family in FAMILIES:
        state[f"rules{family}"] = own_rules(namespace, family)
        state[f"routes{family}"] = own_routes(namespace, family)
    return state


def foreign_state(namespace):
    """All routes and rules that are not ours, to be compared as a whole."""
    state = {}
    for family in FAMILIES:
        state[f"rules{family}"] = foreign_rules(namespace, family)
        state[f"routes{family}"] = foreign_routes(namespace, family)
    return state


def nothing_is_ours(namespace):
    """True when not one rule, route or neighbour entry of ours is left."""
    return not any(own_state(namespace).values())
