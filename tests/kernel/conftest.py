# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the kernel tests, and what they print on failure."""

import os
import sys

import pytest

# A cache directory in the tree would belong to root.
sys.dont_write_bytecode = True

from lab import (V4, V6, Figure, Lab, ctl_binary, daemon_binary,  # noqa: E402
                 sweep_stale)


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "slow: takes more than a few seconds (-m 'not slow')")
    config.addinivalue_line(
        "markers", "no_sandbox(why): not with ./dev netns --sandbox")


def pytest_runtest_setup(item):
    mark = item.get_closest_marker("no_sandbox")
    if mark and os.environ.get("MULTIHOMED_SANDBOXED"):
        pytest.skip(f"in the sandbox: {mark.args[0]}")


def pytest_sessionstart(session):
    """Say what is missing once, not in every test."""
    if os.geteuid() != 0:
        pytest.exit("the kernel tests make network namespaces: run them as "
                    "root (sudo ./dev test)", returncode=4)
    try:
        daemon_binary()
        ctl_binary()
    except AssertionError as err:
        pytest.exit(str(err), returncode=4)
    sweep_stale()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Add the lab's state to the report of a test that failed."""
    outcome = yield
    report = outcome.get_result()
    lab = getattr(item, "lab", None)
    if lab is None or not report.failed or report.when == "teardown":
        return
    report.sections.append(("lab", lab.report()))


@pytest.fixture
def lab(request):
    """An empty Lab, taken apart after the test."""
    made = Lab()
    request.node.lab = made
    try:
        yield made
        made.check_daemons()
    finally:
        made.close()


@pytest.fixture
def figure(lab):
    """The draft's section 3 network (lab.figure), no daemon yet."""
    return Figure(lab)


@pytest.fixture(params=[V4, V6], ids=["ipv4", "ipv6"])
def family(request):
    """The figure's addresses of one family: the test runs for both."""
    return request.param


@pytest.fixture(params=["weak", "strong"])
def model(request):
    """The test runs for both host models."""
    return request.param
