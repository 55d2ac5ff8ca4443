# SPDX-License-Identifier: GPL-2.0-or-later
"""A host with an /etc, a /run and a /var/lib of its own, for the clients that
run there and for its daemon."""

import os
import subprocess

from .netns import COMMAND_LIMIT_S, Namespace
from .world import SYSCTLS

# Everything under /etc is there, and what is written to it stays in memory. A
# sysfs that is read-only says "container" to networkd, which then does not wait
# for a udev that will never come. Some clients change their user and are not
# told when the tests die: whatever lives here ends when the pipe does.
PLACE = r"""
mount -t tmpfs tmpfs /run
mkdir -p /run/etc /run/etc-work /run/lock
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc-work \
    overlay /etc
mount -t tmpfs tmpfs /var/lib
mkdir -p /var/lib/dhcp /var/lib/dhcpcd
mount -t sysfs -o ro sysfs /sys
echo ready
cat >/dev/null
here=$(readlink /proc/self/ns/net)
for process in /proc/[0-9]*; do
    pid=${process#/proc/}
    if [ "$pid" != $$ ] && [ "$pid" != $PPID ] &&
        [ "$(readlink "$process/ns/net")" = "$here" ]; then
        kill -9 "$pid" || :
    fi
done 2>/dev/null
"""


class Machine(Namespace):
    """A host whose programs see files of their own."""

    def __init__(self, lab, role="a"):
        self._prefix = ()
        super().__init__(lab, role, f"mh-{os.getpid()}-{lab.serial}-{role}")
        lab.namespaces.append(self)
        for key, value in SYSCTLS.items():
            self.sysctl(key, value)
        for conf in ("all", "default"):
            self.sysctl(f"ipv4/conf/{conf}/rp_filter", 2)
        self.ip("link set lo up")
        with self.inside():
            self._place = subprocess.Popen(
                ("unshare", "--mount", "--uts", "--propagation", "private",
                 "sh", "-ec", PLACE), text=True, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE)
        assert self._place.stdout.readline() == "ready\n"
        self._prefix = ("nsenter", f"--target={self._place.pid}", "--mount",
                        "--uts")

    def start(self, *argv, **popen_args):
        """As of any namespace, among the host's own files."""
        return super().start(*self._prefix, *argv, **popen_args)

    def command(self, *argv, **kwargs):
        """run(), among the host's own files."""
        return self.run(*self._prefix, *argv, **kwargs)

    def path(self, path):
        """Where the test finds this host's file."""
        return f"/proc/{self._place.pid}/root{path}"

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, path):
        with open(self.path(path), encoding="utf-8") as file:
            return file.read()

    def addresses(self, family, link=None):
        """["10.1.0.7/24", ...]: global, and fit to be a source."""
        which = ("dev", link) if link else ()
        found = []
        for entry in self.ip_json(f"-{family}", "address", "show", *which):
            found += [f"{info['local']}/{info['prefixlen']}"
                      for info in entry.get("addr_info", [])
                      if info.get("scope") == "0"
                      and not info.get("tentative")
                      and not info.get("deprecated")]
        return found

    def gateways(self, family):
        """{(gateway, link)} of the default routes in main."""
        found = set()
        for route in self.routes("main", family):
            if route["dst"] != "default":
                continue
            for hop in route.get("nexthops", [route]):
                found.add((hop["gateway"], hop["dev"]))
        return found

    def delete(self):
        """All that runs here ends, children of clients too."""
        self._place.communicate(timeout=COMMAND_LIMIT_S)
        super().delete()
