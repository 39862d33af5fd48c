"""What a run leaves out: pytest plug-in of tests/conftest.py.

Where SPARKBRIDGE_SKIPS is "listed", as in CI, a test that is skipped fails unless its reason is one
of those below. SPARKBRIDGE_LEFT_OUT is what ./dev test itself has left out.
"""

import os
import re

import pytest

# What is of the machine, or of its kernel, and nothing that ./dev test could install.
LISTED = (
    r"needs the controller \w+ of cgroup v2",
    r"is probed by a call of 32-bit x86",
    r"this machine itself may have",
    r"core files do not go to the working directory of a process here",
    r"there are no core files here",
    r"notify-reload needs systemd 253",  # hundreds of megabytes, by ./dev setup systemd
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _must_be_listed():
        reason = report.longrepr[2]
        if not any(re.search(listed, reason) for listed in LISTED):
            report.outcome = "failed"
            report.longrepr = f"{reason} (not listed in tests/left_out.py)"
    return report


def pytest_terminal_summary(terminalreporter):
    if text := os.environ.get("SPARKBRIDGE_LEFT_OUT"):
        terminalreporter.write_line(f"LEFT OUT: {text}", yellow=True)


def _must_be_listed():
    return os.environ.get("SPARKBRIDGE_SKIPS") == "listed"
