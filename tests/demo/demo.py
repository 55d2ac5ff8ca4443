#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The draft's section 3 in ten seconds: `sudo ./dev demo`.

Makes a host with two Internet providers out of network namespaces, shows what
fails without multihomed, starts it, shows that all of it works, cleans up.
Exits with 0 only when both halves were as expected.
"""

import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kernel"))

from lab import Figure, Lab, ctl_binary, daemon_binary  # noqa: E402
from lab import filter_counts, sweep_stale, tcp_works  # noqa: E402
from lab.figure import A1_4, A1_6, A2_4, A2_6, B_4, B_6  # noqa: E402

WAIT_S = 0.3
INTRO = f"""\
A host with two Internet providers, built from network namespaces:

     10.1.0.2       ____ R1 ____
     2001:db8:1::2 /            \\
   A              <              >---- B  203.0.113.9
     10.2.0.2      \\____ R2 ____/         2001:db8:b::9
     2001:db8:2::2

R1 and R2 are the providers' routers. Like most providers they drop a packet
whose source address is not one that they gave out. A prefers R1 (metric 100)
and keeps R2 beside it (metric 200). Two addresses, two ways: what works?
"""
OUTBOUND = ((A1_4, B_4), (A2_4, B_4), (A1_6, B_6), (A2_6, B_6))
SECOND = (A2_4, A2_6)


def heading(text):
    print(f"\n\033[1m{text}\033[0m\n" if sys.stdout.isatty() else
          f"\n{text}\n{'-' * len(text)}\n", flush=True)


def mark(works, text):
    """text, green or red on a terminal."""
    if not sys.stdout.isatty():
        return text
    return f"\033[3{2 if works else 1}m{text}\033[0m"


def shell(namespace, *argv):
    """Show a command and what it prints."""
    print(f"  A$ {' '.join(argv)}")
    for line in namespace.run(*argv, check=False).stdout.splitlines():
        if line.strip() != "cache":
            print(f"  {line.rstrip().expandtabs(8)}"[:80])
    print(flush=True)


def table(figure):
    """Try and print every pair, both directions.

    The result is {(source, destination, "ping" or "tcp"): it worked}."""
    a, b = figure.a, figure.b
    print(f"  {'from':<20}{'to':<20}{'ping':<12}TCP connection")
    results = {}
    rows = [(a, b, src, dst) for src, dst in OUTBOUND]
    rows += [(b, a, dst, src) for src, dst in OUTBOUND]
    for sender, receiver, src, dst in rows:
        pings = sender.ping(dst, src, wait=WAIT_S)
        tcp = tcp_works(sender, receiver, dst, src, timeout=WAIT_S)
        results[src, dst, "ping"] = pings == 3
        results[src, dst, "tcp"] = tcp
        ping_text = f"{pings} of 3".ljust(12)
        print(f"  {sender.role.upper() + ' ' + src:<20}"
              f"{receiver.role.upper() + ' ' + dst:<20}"
              f"{mark(pings == 3, ping_text)}"
              f"{mark(tcp, 'works' if tcp else 'times out')}", flush=True)
    return results


def dropped(figure):
    """What the two ingress filters have taken so far, and say so."""
    total = 0
    print()
    for name, router in (("R1", figure.r1), ("R2", figure.r2)):
        counts = filter_counts(router)
        total += counts["drop4"] + counts["drop6"]
        print(f"  {name} let {counts['ok4']:3} IPv4 and {counts['ok6']:3} IPv6 "
              f"packets of A pass, and dropped {counts['drop4']} and "
              f"{counts['drop6']}.")
    print(flush=True)
    return total


def before(figure):
    """The draft's problem; True when it was there to see."""
    heading("1. Without multihomed")
    results = table(figure)
    lost = dropped(figure)
    print("Linux looks at the destination only, so the second provider's "
          "addresses\nleave through the first provider, who drops them. The "
          "answers of A are lost\nin the same way: nobody can even connect to "
          "these addresses.\n")
    shell(figure.a, "ip", "route", "get", B_4, "from", A2_4)
    as_expected = all(
        works == (src not in SECOND and dst not in SECOND)
        for (src, dst, _), works in results.items())
    return as_expected and lost > 0


def after(figure):
    """The same with the daemon: whether nothing was lost, and the daemon."""
    heading("2. With multihomed")
    lost_before = figure.dropped()
    daemon = figure.lab.daemon(figure.a)
    print("  A$ multihomed          (no configuration: it finds out by "
          "itself)\n")
    results = table(figure)
    lost = dropped(figure) - lost_before
    print(f"Since it runs, the filters dropped {lost} packets. Every source "
          "address has its\nown rule and routing table now, and the tables "
          "follow the main one:\n")
    shell(figure.a, "ip", "route", "get", B_4, "from", A2_4)
    shell(figure.a, "ip", "-4", "rule")
    number = str(daemon.table("eth1", "10.2.0.0/24"))
    shell(figure.a, "ip", "-4", "route", "show", "table", number)
    for words in (("status",), ("explain", A2_4, B_4), ("verify",)):
        print(f"  A$ multihomectl {' '.join(words)}")
        for line in daemon.ctl(*words).stdout.splitlines():
            print(f"  {line}".rstrip())
        print()
    return all(results.values()) and lost == 0, daemon


def end(figure, daemon):
    """Stop it; True when nothing of it is left."""
    heading("3. Stopped again")
    daemon.terminate()
    shell(figure.a, "ip", "-4", "rule")
    rules = figure.a.rules(4) + figure.a.rules(6)
    return not [rule for rule in rules if str(rule.get("protocol")) == "109"]


def demo(lab):
    """True when every part showed what it should."""
    print(INTRO, end="")
    figure = Figure(lab)
    if not before(figure):
        print("This is not the failure that was expected: see above.")
        return False
    works, daemon = after(figure)
    if not works:
        print(f"Something did not arrive. The log of multihomed:\n\n"
              f"{daemon.log()}")
        return False
    if not end(figure, daemon):
        print("A rule of ours was left behind: see above.")
        return False
    print("The network of this demo is gone; yours was not touched. README.md "
          "goes on\nfrom here.")
    return True


def main():
    if os.geteuid() != 0:
        sys.exit("The demo makes network namespaces: sudo ./dev demo")
    try:
        daemon_binary()
        ctl_binary()
    except AssertionError as err:
        sys.exit(str(err))
    sweep_stale()
    lab = Lab()
    try:
        shown = demo(lab)
        lab.check_daemons()
    except KeyboardInterrupt:
        sys.exit(130)
    except AssertionError as err:
        sys.exit(f"\nThe demo failed: {err}")
    finally:
        lab.close()
    sys.exit(0 if shown else 1)


if __name__ == "__main__":
    main()
