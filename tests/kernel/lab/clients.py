# SPDX-License-Identifier: GPL-2.0-or-later
"""What configures a host for real: the clients of Debian 12, as they are
packaged; where their settings differ from the packaged ones it says why.

They run on the Machine of a Site (dhcp.py).
"""

import os
import pathlib
import shutil

from .netns import COMMAND_LIMIT_S, until

NETWORKD = "/lib/systemd/systemd-networkd"


class Client:
    """What all of them have: a log, and processes in the foreground."""

    def __init__(self, site):
        self.site, self.a = site, site.a
        self._log = os.path.join(site.lab.directory, "client.log")
        self._running = []

    def _start(self, *argv, env=None):
        with open(self._log, "ab") as log:
            self._running.append(self.a.start(
                *argv, env={**os.environ, **(env or {})}, stdout=log,
                stderr=log))

    def _ended(self):
        for process in self._running:
            process.wait(timeout=COMMAND_LIMIT_S)
        self._running.clear()

    def keeps(self):
        """The families whose addresses stay when it is stopped."""
        return (4, 6)

    def stop(self):
        """As the first half of `systemctl restart`."""
        for process in self._running:
            process.terminate()
        self._ended()

    def log(self):
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return file.read()


class Dhcpcd(Client):
    """One process for all links. Debian's dhcpcd.conf, and: noarp, or it would
    probe an address for five seconds; nodev, or it would wait for udev."""

    def start(self):
        with open("/etc/dhcpcd.conf", encoding="utf-8") as file:
            conf = file.read()
        self.a.write("/etc/dhcpcd.conf", f"{conf}\nnoarp\nnodev\n")
        self._start("dhcpcd", "-B", "-d")

    def renew(self):
        """DHCPv4, DHCPv6 and a router solicitation at once."""
        for link in self.site.links:
            self.a.command("dhcpcd", "-N", link)

    def release(self):
        self.a.command("dhcpcd", "-k")
        self._ended()


class Dhclient(Client):
    """A process for each link and family, with Debian's dhclient-script; IPv6
    routes are the kernel's. metric: as in /etc/network/interfaces, counted up
    from link to link; None: none is set, which is the default."""

    def __init__(self, site, metric=100):
        super().__init__(site)
        self.metric = metric
        for link in site.links:
            self.a.sysctl(f"ipv6/conf/{link}/accept_ra", 1)

    def _each(self):
        for number, link in enumerate(self.site.links):
            for family in (4, 6) if self.site.stateful else (4,):
                name = f"dhclient{family}.{link}"
                argv = [f"-{family}", "-pf", f"/run/{name}.pid",
                        "-lf", f"/var/lib/dhcp/{name}.leases"]
                if self.metric is not None:
                    argv += ["-e", f"IF_METRIC={self.metric + number}"]
                yield argv + [link]

    def start(self):
        for argv in self._each():
            self._start("dhclient", "-d", *argv)
        # The kernel asks when a link comes up; these are up already.
        self.site.solicit()

    def release(self):
        for argv in self._each():
            self.a.command("dhclient", "-r", *argv)
        self._ended()


class Networkd(Client):
    """With the drop-in of README.md, or without. keep: KeepConfiguration=."""

    DROP_IN = """[Network]
ManageForeignRoutingPolicyRules=no
ManageForeignRoutes=no
"""

    def __init__(self, site, drop_in=True, keep="no"):
        super().__init__(site)
        self.keep = keep
        self.a.write("/etc/systemd/networkd.conf.d/multihomed.conf",
                     self.DROP_IN if drop_in else "")
        for link in site.links:
            self.manage(link, "DHCP=yes\nIPv6AcceptRA=yes\n"
                              f"KeepConfiguration={keep}")
        # What RuntimeDirectory= in its unit does.
        self.a.command("sh", "-ec", """
            mkdir -p /run/systemd/netif/links /run/systemd/netif/leases
            mkdir -p /run/systemd/netif/lldp
            chown -R systemd-network /run/systemd/netif""")

    def manage(self, link, settings):
        self.a.write(f"/etc/systemd/network/{link}.network",
                     f"[Match]\nName={link}\n\n[Network]\n{settings}\n")

    def start(self):
        self._start(NETWORKD)

    def keeps(self):
        """The addresses of DHCPv6 never stay, those of router advertisements
        always do."""
        four = () if self.keep == "no" else (4,)
        return four if self.site.stateful else four + (6,)

    def release(self):
        """It gives a lease back when the link is taken down."""
        for link in self.site.links:
            self.a.ip(f"link set {link} down")


class NetworkManager(Client):
    """A profile for each link, as `nmcli connection add type ethernet` makes it;
    more: lines of its keyfile, by link."""

    BUS = "/run/dbus/system_bus_socket"
    POLICY = "dbus-1/system.d/org.freedesktop.NetworkManager.conf"

    def __init__(self, site, more=None):
        super().__init__(site)
        nmcli = shutil.which("nmcli")
        assert nmcli, "no NetworkManager: ./dev deps"
        # Taken out of its package, or installed.
        self._usr = pathlib.Path(nmcli).parents[1]
        policy = self._usr / "share" / self.POLICY
        self.a.write(f"/etc/{self.POLICY}", policy.read_text("utf-8"))
        for link in site.links:
            self.profile(link, (more or {}).get(link, ""))
        self.a.command("mkdir", "-p", "/run/dbus", "/run/NetworkManager",
                       "/var/lib/NetworkManager")

    def profile(self, link, more="", auto="method=auto"):
        path = f"/etc/NetworkManager/system-connections/{link}.nmconnection"
        self.a.write(path, f"""[connection]
id={link}
type=ethernet
interface-name={link}

[ipv4]
{auto}

[ipv6]
addr-gen-mode=stable-privacy
method=auto

{more}
""")
        os.chmod(self.a.path(path), 0o600)  # else it is not taken

    def start(self):
        """The bus lives on when NetworkManager is stopped."""
        if not os.path.exists(self.a.path(self.BUS)):
            with open(self._log, "ab") as log:
                self.a.start("dbus-daemon", "--system", "--nofork",
                             "--nopidfile", stdout=log, stderr=log)
            until(lambda: os.path.exists(self.a.path(self.BUS)), 5)
        self._start(str(self._usr / "sbin" / "NetworkManager"), "--no-daemon")
        until(lambda: self._nmcli("general", "status", check=False)
              .returncode == 0, 10, what="NetworkManager")

    def _nmcli(self, *argv, **kwargs):
        return self.a.command(str(self._usr / "bin" / "nmcli"), *argv,
                              **kwargs)

    def nmcli(self, *argv):
        return self._nmcli(*argv).stdout

    def release(self):
        for link in self.site.links:
            self.nmcli("connection", "down", link)


class Ifupdown:
    """Static addresses and gateways, as most servers have them; metrics: of each
    link's gateways, or None: none is set."""

    DIRS = [f"/etc/network/{name}.d" for name in (
        "if-pre-up", "if-up", "if-down", "if-post-down")]

    def __init__(self, site, metrics):
        self.a = site.a
        self._ifup = shutil.which("ifup")
        assert self._ifup, "no ifupdown: ./dev deps"
        # Both are one program, which looks at its name.
        self.a.command("ln", "-sf", self._ifup, "/run/ifdown")
        self.a.command("mkdir", "-p", "/run/network", *self.DIRS)
        self.a.write("/etc/network/interfaces", "".join(
            self._stanzas(link, number, metric) for number, (link, metric)
            in enumerate(zip(site.links, metrics), 1)))
        for link in site.links:
            self.a.sysctl(f"ipv6/conf/{link}/accept_ra", 0)

    @staticmethod
    def _stanzas(link, number, metric):
        last = f"    metric {metric}\n" if metric is not None else ""
        return f"""
auto {link}
iface {link} inet static
    address 10.{number}.0.50/24
    gateway 10.{number}.0.1
{last}
iface {link} inet6 static
    address 2001:db8:{number}::50/64
    gateway 2001:db8:{number}::1
{last}"""

    def up(self, *argv):
        """Whether all went well."""
        return self.a.command(self._ifup, *argv, check=False).returncode == 0

    def down(self, link):
        self.a.command("/run/ifdown", link)


CLIENTS = {"dhcpcd": Dhcpcd, "dhclient": Dhclient, "networkd": Networkd,
           "NetworkManager": NetworkManager}
