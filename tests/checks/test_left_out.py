"""What a run leaves out is seen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = """\
import pytest

@pytest.fixture
def missing():
    pytest.skip("NOT TESTED: needs a tool")

def test_in_a_fixture(missing):
    pass

@pytest.mark.skipif(True, reason="a mark")
def test_by_a_mark():
    pass

def test_listed():
    pytest.skip("NOT TESTED: CPUQuota= needs the controller cpu of cgroup v2")

@pytest.mark.xfail
def test_expected_to_fail():
    assert False
"""


def run(directory, **environment):
    """Like the project's own tests, which have the plug-in from their conftest.py."""
    (directory / "test_some.py").write_text(TESTS)
    words = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "left_out", "-p", "no:cacheprovider"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SPARKBRIDGE")}
    done = subprocess.run(
        words,
        cwd=directory,
        env={**clean, "PYTHONPATH": str(ROOT / "tests"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout


def test_skips_are_listed_where_they_must_be(tmp_path):
    code, said = run(tmp_path, SPARKBRIDGE_SKIPS="listed")
    assert code == 1
    assert "1 skipped, 1 xfailed, 2 errors" in said
    for reason in ("NOT TESTED: needs a tool", "a mark"):
        assert f"{reason} (not listed in tests/left_out.py)" in said


def test_skips_are_allowed_elsewhere(tmp_path):
    code, said = run(tmp_path)
    assert code == 0 and "3 skipped, 1 xfailed" in said and "LEFT OUT" not in said


def test_what_dev_test_left_out_is_said(tmp_path):
    """With the summary, whose last line stays the last."""
    _, said = run(tmp_path, SPARKBRIDGE_LEFT_OUT="the oracle")
    lines = said.splitlines()
    assert "LEFT OUT: the oracle" in lines and "3 skipped" in lines[-1]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("tests/pytest.ini", " -rfEs "),
        (".ci/run", "SPARKBRIDGE_SKIPS=listed"),
        ("tests/dev/test.sh", "SPARKBRIDGE_LEFT_OUT="),
    ],
)
def test_it_is_in_use(place, text):
    assert text in (ROOT / place).read_text()
