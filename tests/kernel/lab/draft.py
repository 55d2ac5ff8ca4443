# SPDX-License-Identifier: GPL-2.0-or-later
"""The draft's rules once more, in Python, from what ip(8) shows of a host.

    host = Host(a)                       # links, addresses, table main, ...
    rules = Draft(host, config, managed={("eth0", "10.1.0.0/24")})
    rules.answer("10.1.0.2", "203.0.113.9")
    # Ways({"via 10.1.0.1 dev eth0"}), by rules 1 to 4 of section 4

Nothing is shared with the daemon's own reading or planning: what both get wrong
the same way is a mistake of docs/model.md. Where that leaves the answer to the
kernel, answer() is None: nobody can say from outside what it will be.
"""

import ipaddress
import itertools
import json
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

LAST = 0xffffffff
REJECTS = {"unreachable": "EHOSTUNREACH", "prohibit": "EACCES",
           "blackhole": "EINVAL"}
LINK_LOCAL = ipaddress.ip_network("fe80::/10")
PREFERENCE = {"high": 0, "medium": 1, "low": 2}


def network(text, family):
    if text == "default":
        text = "0.0.0.0/0" if family == 4 else "::/0"
    return ipaddress.ip_network(text, strict=False)


def inside(one, other):
    return one.version == other.version and one.subnet_of(other)


def overlap(one, other):
    return one.version == other.version and one.overlaps(other)


# -- the host --------------------------------------------------------------

@dataclass(frozen=True)
class Subnet:
    link: str
    prefix: object

    @property
    def key(self):
        return self.link, str(self.prefix)


@dataclass(frozen=True)
class Candidate:
    """One next hop of one route; link "" and gateway None: a reject route."""

    prefix: object
    kind: str
    link: str
    gateway: object
    metric: int
    preference: int = 1
    source: object = None  # RTA_SRC
    prefsrc: object = None
    of: int = 0  # which route: hops of one stay together

    @property
    def words(self):
        via = f"via {self.gateway} " if self.gateway else ""
        return f"{via}dev {self.link}"


class Host:
    """What ip(8) shows, read once."""

    def __init__(self, namespace):
        self.namespace = namespace
        shown = self._shown("addr", "show")
        self.links = {link["ifname"]: set(link["flags"]) for link in shown}
        self.addresses = [(link["ifname"], *self._address(info))
                          for link in shown for info in link["addr_info"]
                          if info["scope"] == "global"]
        self.failed, self.unresolved = (
            {(neighbour["dev"], neighbour["dst"])
             for neighbour in self._shown("neigh", "show")
             if state in neighbour.get("state", [])}
            for state in ("FAILED", "INCOMPLETE"))
        self.rows = {4: {}, 6: {}}
        for family in (4, 6):
            self._read_main(family)

    def _shown(self, *argv):
        """With names, not numbers, for types and scopes."""
        out = self.namespace.run("ip", "-j", "-d", *argv, check=False).stdout
        return json.loads(out) if out.strip() else []

    @staticmethod
    def _address(info):
        """(address, network): of a point-to-point address, itself."""
        address = ipaddress.ip_address(info["local"])
        length = info["prefixlen"]
        if info.get("address", info["local"]) != info["local"]:
            length = address.max_prefixlen
        return address, network(f"{address}/{length}", address.version)

    def _read_main(self, family):
        shown = self._shown(f"-{family}", "route", "show", "table", "main")
        for number, route in enumerate(shown):
            prefix = network(route["dst"], family)
            if route.get("tos") or family == 6 and (
                    inside(prefix, LINK_LOCAL) or prefix.is_multicast):
                continue
            if route.get("expires", 1) <= 0:
                continue
            row = self.rows[family].setdefault(prefix, [])
            row += self._candidates(prefix, route, number)

    @staticmethod
    def _candidates(prefix, route, number):
        kind = route.get("type", "unicast")
        source, prefsrc = route.get("from"), route.get("prefsrc")
        for hop in route.get("nexthops", [route]):
            gateway = hop.get("gateway") or hop.get("via", {}).get("host")
            yield Candidate(
                prefix, kind, "" if kind != "unicast" else hop.get("dev", ""),
                ipaddress.ip_address(gateway) if gateway else None,
                route.get("metric", 0),
                PREFERENCE[route.get("pref", "medium")],
                network(source, prefix.version) if source else None,
                ipaddress.ip_address(prefsrc) if prefsrc else None, number)

    def usable(self, candidate, dead=()):
        """dead: neighbours to be taken for failed."""
        if candidate.kind != "unicast":
            return True
        neighbour = candidate.link, str(candidate.gateway)
        return "LOWER_UP" in self.links.get(candidate.link, ()) and \
            neighbour not in self.failed and neighbour not in dead and not (
                candidate.gateway and candidate.gateway.version == 6 and
                self.has_no_ipv6(candidate.link))

    def is_up(self, link):
        return "UP" in self.links.get(link, ())

    def has_no_ipv6(self, link):
        return self.namespace.sysctl(
            f"ipv6/conf/{link}/disable_ipv6") == "1"

    def linkdown_is_ignored(self, link, family):
        """The kernel passes over routes whose link has no carrier."""
        key = f"ipv{family}/conf/%s/ignore_routes_with_linkdown"
        return any(self.namespace.sysctl(key % name) == "1"
                   for name in ("all", link))


# -- the config ------------------------------------------------------------

@dataclass
class Config:
    """What of the daemon's config matters here, and its text."""

    model: str = "weak"
    vpn: str = "yield"
    settle_ms: int = 200
    interfaces: list = field(default_factory=list)
    routes: list = field(default_factory=list)
    bindings: list = field(default_factory=list)

    def of_link(self, link, key, default):
        for entry in self.interfaces:
            if fnmatchcase(link, entry["match"]):
                return entry.get(key, default)
        return default

    def text(self):
        def value(it):
            if isinstance(it, str):
                return f'"{it}"'
            if isinstance(it, list):
                return f"( {', '.join(value(one) for one in it)} )"
            if isinstance(it, dict):
                inner = " ".join(f"{k} = {value(v)};" for k, v in it.items())
                return f"{{ {inner} }}"
            return str(it)
        return "\n".join(f"{key} = {value(it)};"
                         for key, it in vars(self).items()) + "\n"


# -- the rules -------------------------------------------------------------

@dataclass(frozen=True)
class Ways:
    """One of these, as leaves_by() says it, and what led to them."""

    words: frozenset
    rule: int
    why: str = ""

    @property
    def falls_on(self):
        """The rules behind ours have a say: rule 2 in the weak model, throw."""
        return "ENETUNREACH" in self.words


class Draft:
    """docs/model.md for one host, one config and one set of bindings.

    managed: keys of the subnets that have tables. That an uplink is one can be
    told from here (uplinks()), what was one before cannot.
    learned: (link, router, prefix) as text, from router advertisements."""

    def __init__(self, host, config, managed=(), learned=()):
        self.host, self.config = host, config
        self.learned = [(link, ipaddress.ip_address(router), network(prefix, 6))
                        for link, router, prefix in learned]
        self._read_config_routes()
        self._make_subnets(set(managed))

    def _read_config_routes(self):
        self.rows = {family: {prefix: list(row) for prefix, row in rows.items()}
                     for family, rows in self.host.rows.items()}
        for number, entry in enumerate(self.config.routes, 1):
            via = ipaddress.ip_address(entry["via"])
            prefix = network(entry["to"], via.version)
            if entry["dev"] not in self.host.links:
                continue
            self.rows[via.version].setdefault(prefix, []).append(Candidate(
                prefix, "unicast", entry["dev"], via, entry.get("metric", 0),
                of=-number))

    # -- subnets -----------------------------------------------------------

    def _make_subnets(self, managed):
        wide = [(link, address, prefix)
                for link, address, prefix in self.host.addresses
                if prefix.prefixlen < address.max_prefixlen and link != "lo"]
        homes = {}  # an address that is on two links has two
        for link, address, prefix in self.host.addresses:
            if link == "lo":
                continue
            if prefix.prefixlen == address.max_prefixlen:
                prefix = self._around(link, address, wide) or prefix
            homes.setdefault(address, []).append(Subnet(link, prefix))
        self.subnets = {subnet for found in homes.values() for subnet in found}
        self.managed = {s for s in self.subnets if s.key in managed}
        # The managed ones', the longer's, the older link's.
        self.home = {address: min(found, key=lambda s: (
            s not in self.managed, -s.prefix.prefixlen,
            list(self.host.links).index(s.link)))
                     for address, found in homes.items()}
        for link, address, _ in self.host.addresses:
            around = [s for s in self.managed if link == "lo" and
                      s.prefix.version == address.version and
                      address in s.prefix]
            if len(around) == 1:
                self.home[address] = around[0]

    def _around(self, link, address, wide):
        """The longest subnet of the link, or else advertised prefix."""
        found = [prefix for other, _, prefix in wide
                 if other == link and address in prefix] or \
            [prefix for other, _, prefix in self.learned
             if other == link and address in prefix]
        return max(found, key=lambda prefix: prefix.prefixlen, default=None)

    def may_be_managed(self, subnet):
        return self.config.of_link(subnet.link, "manage", "auto") != "never"

    def uplinks(self):
        """The subnets that have to be managed now."""
        for subnet in self.subnets:
            manage = self.config.of_link(subnet.link, "manage", "auto")
            rows = self.rows[subnet.prefix.version].items()
            if manage == "always" or manage == "auto" and any(
                    one.kind == "unicast" and self.fits_source(one, subnet) and
                    (one.gateway or prefix.prefixlen == 0) and
                    self.on_subnet(one, subnet) and
                    not self._by_line_7(one, subnet)
                    for prefix, row in rows for one in row):
                yield subnet

    # -- "On-subnet" -------------------------------------------------------

    def on_subnet(self, hop, subnet):
        bound = self._bound(hop.link, hop.gateway, subnet)
        if bound:                                               # line 1
            return any(overlap(prefix, subnet.prefix) for prefix in bound)
        if hop.link != subnet.link:                             # lines 2, 7
            return not hop.gateway and not any(
                s.link == hop.link for s in self.managed)
        if not hop.gateway:                                     # line 6
            return True
        if hop.gateway in LINK_LOCAL:                           # line 4
            return self._serves(hop, subnet)
        nets = [s.prefix for s in self.subnets if s.link == hop.link and
                s.prefix.version == subnet.prefix.version and
                hop.gateway in s.prefix]
        if nets:                                                # line 3
            return subnet.prefix == max(nets, key=lambda n: n.prefixlen)
        home = self.home.get(hop.prefsrc)                       # line 5
        return not home or home.link != subnet.link or home == subnet

    def _by_line_7(self, hop, subnet):
        """A tunnel without addresses makes nobody an uplink."""
        return not hop.gateway and hop.link != subnet.link and \
            not self._bound(hop.link, None, subnet)

    def _bound(self, link, router, subnet):
        """Prefixes, of the subnet's family, that the config ties this to."""
        return [prefix for entry in self.config.bindings
                for prefix in map(ipaddress.ip_network, entry["prefixes"])
                if prefix.version == subnet.prefix.version and
                entry.get("dev", link) == link and
                ("router" not in entry or
                 ipaddress.ip_address(entry["router"]) == router)]

    def _serves(self, hop, subnet):
        claims = {router for link, router, prefix in self.learned
                  if link == subnet.link and overlap(prefix, subnet.prefix) and
                  not self._overridden(link, router)}
        others = any("router" in entry and
                     entry.get("dev", subnet.link) == subnet.link and
                     any(overlap(ipaddress.ip_network(prefix), subnet.prefix)
                         for prefix in entry["prefixes"])
                     for entry in self.config.bindings)
        return hop.gateway in claims or not claims and not others

    def _overridden(self, link, router):
        return any(entry.get("dev", link) == link and
                   ("router" not in entry or
                    ipaddress.ip_address(entry["router"]) == router) and
                   any(":" in prefix for prefix in entry["prefixes"])
                   for entry in self.config.bindings)

    # -- section 4 ---------------------------------------------------------

    @staticmethod
    def fits_source(candidate, subnet):
        return not candidate.source or inside(subnet.prefix, candidate.source)

    def order(self, candidate):
        add = self.config.of_link(candidate.link, "metric_add", 0) \
            if candidate.link else 0
        source = candidate.source.prefixlen if candidate.source else 0
        return (min(candidate.metric + add, LAST), candidate.preference,
                -source)

    def answer(self, source, destination):
        """Ways; or None where the kernel has a will of its own."""
        destination = ipaddress.ip_address(destination)
        subnet = self.home[ipaddress.ip_address(source)]
        strong = self.config.of_link(subnet.link, "model",
                                     self.config.model) == "strong"
        rows = {prefix: fitting
                for prefix, row in self.rows[destination.version].items()
                if destination in prefix and
                (fitting := [one for one in row
                             if self.fits_source(one, subnet)])}
        if not rows:                                            # rule 2
            return Ways(frozenset({"EHOSTUNREACH" if strong
                                   else "ENETUNREACH"}), 2)
        prefix = max(rows, key=lambda prefix: prefix.prefixlen)  # rule 1
        # Asked for just now: one that failed before has failed till it answers.
        unresolved = self.host.unresolved & {
            (one.link, str(one.gateway)) for one in rows[prefix]}
        ways = [self._pick(rows[prefix], subnet, strong, dead)
                for n in range(len(unresolved) + 1)
                for dead in itertools.combinations(sorted(unresolved), n)]
        if None in ways:
            return None
        return replace(ways[0], words=frozenset().union(
            *(one.words for one in ways)))

    def _pick(self, row, subnet, strong, dead):
        hops = [one for one in row if one.kind == "unicast"]
        rejects = [one for one in row if one.kind != "unicast"]
        # Usability shortens no prefix: where none is usable, all count.
        good = [one for one in hops if self.host.usable(one, dead)] or hops
        on = [one for one in good if self.on_subnet(one, subnet)]
        if on:                                                  # rule 4
            return self._ways(on + rejects, row, 4)
        if strong:                                              # rule 3, alt.
            return Ways(frozenset({"EHOSTUNREACH"}), 3, "strong")
        return self._ways(good + rejects, row, 3)               # rule 3

    def _ways(self, pool, row, rule):
        best = min(map(self.order, pool))
        first = [one for one in pool if self.order(one) == best]
        if any(one.kind == "unicast" and self._kernel_decides(one)
               for one in first):
            return None
        words = set()
        for one in first:
            if one.kind == "unicast":
                words.add(one.words)
            elif one.kind == "throw":
                words |= {"EHOSTUNREACH", "ENETUNREACH"}
            else:
                words.add(REJECTS[one.kind])
        return Ways(frozenset(words), rule,
                    f"of {sorted(self.judged(one) for one in row)}")

    def judged(self, one):
        """For whoever reads of a failure."""
        return one.words if self.host.usable(one) else f"{one.words} (unusable)"

    def _kernel_decides(self, hop):
        """Dead ends that the kernel itself passes over or does not take."""
        family = hop.prefix.version
        if not self.host.is_up(hop.link):
            return True
        if "LOWER_UP" not in self.host.links[hop.link] and \
                self.host.linkdown_is_ignored(hop.link, family):
            return True
        # It is FAILED for two of each five seconds, and asked for in the rest.
        return family == 6 and (not self.host.usable(hop) or (
            hop.link, str(hop.gateway)) in self.host.unresolved)
