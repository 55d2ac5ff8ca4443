# SPDX-License-Identifier: GPL-2.0-or-later
"""Asking multihomectl doctor, and doing what it says."""

import re
import shlex

from .contract import call

FILE_LINE = re.compile(r"(/\S+): (.*)", re.DOTALL)
SYSCTL_FILE = "/etc/sysctl.d/90-multihomed.conf"


def doctor(daemon):
    return call(daemon, "Doctor")


def findings(daemon, check):
    """Those of one check."""
    reply = doctor(daemon)
    assert check in reply["checks"]
    return [f for f in reply["findings"] if f["id"] == check]


def finding(daemon, check, subject=None):
    """The one of a check (and a subject)."""
    found = [f for f in findings(daemon, check)
             if subject in (None, f["subject"])]
    assert len(found) == 1, found or doctor(daemon)
    return found[0]


def write_config(daemon, line):
    """A setting that is there already is replaced, as a person would do."""
    key = line.split(" = ")[0]
    with open(daemon.config_path, encoding="utf-8") as file:
        lines = [old for old in file.read().splitlines()
                 if not old.startswith(f"{key} = ")]
    daemon.set_config("\n".join([*lines, line, ""]))


def mend_one(daemon, fix, shell):
    named = FILE_LINE.fullmatch(fix)
    if named and named[1] == daemon.config_path:
        write_config(daemon, named[2])
    elif named:
        # Whoever reads that file at the next start has to understand it.
        assert named[1] == SYSCTL_FILE
        shell(f"printf '%s\\n' {shlex.quote(named[2])} | sysctl -p -")
    elif fix == "multihomectl reload":
        daemon.ctl("reload")
    elif fix == "systemctl restart multihomed":
        daemon.terminate()
        daemon.start()
    else:
        shell(fix)


def mend(daemon, ill, shell=None, **blanks):
    """Do what a finding says, word for word; blanks are its CAPITALS."""
    host = daemon.namespace
    assert ill["what"] and ill["breaks"] and ill["fix"]
    for fix in ill["fix"]:
        for word, value in blanks.items():
            fix = fix.replace(word, value)
        mend_one(daemon, fix,
                 shell or (lambda text: host.run("sh", "-ec", text)))
    daemon.wait()


def mend_check(daemon, check, count=1, **blanks):
    """Every finding of a check, till there is none."""
    ills = findings(daemon, check)
    assert len(ills) == count, ills
    for ill in ills:
        mend(daemon, ill, **blanks)
    assert findings(daemon, check) == []
