"""The soak in its short form; SPARKBRIDGE_SOAK's seconds and SPARKBRIDGE_SOAK_SEED change it."""

import os
import random
import signal
import sys
from pathlib import Path

from soak import Plan, Report, Sample, soak
from workspace.processes import Child

TESTS = Path(__file__).resolve().parents[1]
SECONDS = float(os.environ.get("SPARKBRIDGE_SOAK", "120"))
SEED = int(os.environ.get("SPARKBRIDGE_SOAK_SEED", random.randrange(1 << 32)))


def test_soak(standin, v43, binary, tmp_path):
    print(f"seed {SEED}")
    report = soak(Plan(SECONDS, SEED), standin, v43, binary, tmp_path)
    print(report.text())
    assert report.problems == []


def test_an_early_end_is_reported():
    """What went wrong, and not that nothing can be made of so few figures."""
    for count in range(4):
        report = Report(samples=[Sample(0, 1, 1, 1)] * count, problems=["it fell over"])
        report.check()
        assert report.problems == ["it fell over"]
        assert report.text().startswith("0 calls")


def test_files_that_stay_open_are_a_problem():
    report = Report(samples=[Sample(number, 1, 1, 10 * number) for number in range(8)])
    report.check()
    assert report.problems == ["open files grew from 30 to 60"]


def test_sigterm_ends_it(binary, tmp_path):
    """With the bridge's own checks, the figures so far, and nothing left."""
    rooms = [TESTS, TESTS / "integration", TESTS / "resilience"]
    environment = {
        **os.environ,
        "PYTHONPATH": ":".join(map(str, rooms)),
        "TMPDIR": str(tmp_path),
        "SPARKBRIDGE_BIN": str(binary),
    }
    words = [sys.executable, TESTS / "resilience/soak.py", "600", "--seed", "1"]
    command = Child("the soak", words, env=environment)
    try:
        command.wait_for_line(lambda line: " files" in line, timeout=240)
        command.send_signal(signal.SIGTERM)
        assert command.wait(120) == 128 + signal.SIGTERM, command.output()
    finally:
        command.stop()
    assert "PROBLEM" not in command.output()
    assert any(line.startswith("files: begin") for line in command.stdout), command.output()
    assert list(tmp_path.iterdir()) == []
