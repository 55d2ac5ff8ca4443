# SPDX-License-Identifier: GPL-2.0-or-later
"""A pytest plugin: each test's result in one line to the file $TELL.

    passed|failed|skipped SUITE TEST SECONDS [REASON]
"""

import os


def _reason(report):
    if isinstance(report.longrepr, tuple):  # of a skip: file, line, why
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message if crash else str(report.longrepr)


def _tell(word, report, reason=""):
    suite = os.environ.get("TELL_SUITE", "-")
    name = report.nodeid.split("/")[-1].replace(".py", "").replace(" ", "_")
    line = f"{word} {suite} {name} {report.duration:.1f} {reason}"
    with open(os.environ["TELL"], "a", encoding="utf-8") as file:
        file.write(" ".join(line.split())[:400] + "\n")


def pytest_runtest_logreport(report):
    # With xdist the workers report to the one that started them: tell once.
    if os.environ.get("PYTEST_XDIST_WORKER"):
        return
    if report.when == "call" and report.passed:
        _tell("passed", report)
    elif report.skipped:
        _tell("skipped", report, _reason(report))
    elif report.failed:
        what = "" if report.when == "call" else f"{report.when}: "
        _tell("failed", report, what + _reason(report))
