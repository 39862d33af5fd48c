"""The smallest form of ./dev bench; and README.md has the table of the kept figures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import figures
import pytest
import table
import targets

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.mark.skipif(os.geteuid() != 0, reason="root may read the memory of a process that hides it")
def test_it_runs(tmp_path):
    rooms = [ROOT / "tests", HERE, ROOT / "tests" / "resilience"]
    words = [
        sys.executable,
        HERE / "bench.py",
        "--tiny",
        "--only",
        "sparkbridge",
        "--only",
        "nginx",
    ]
    words += ["--json", tmp_path / "figures.json", "--plot", tmp_path / "growth.svg"]
    done = subprocess.run(
        [str(word) for word in words],
        env=os.environ | {"PYTHONPATH": ":".join(map(str, rooms))},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "figures.json").read_text())
    assert {*found} == {"rows", "machine", "versions"}
    for row in found["rows"]:
        assert {*row} == {"work", "peer", "metric", "median", "min", "max"}
        assert row["min"] <= row["median"] <= row["max"]
    assert {row["peer"] for row in found["rows"]} == {"sparkbridge", "nginx", "direct", "floor"}
    assert "target" in done.stdout and "met: at most" in done.stdout
    assert (tmp_path / "growth.svg").read_text().startswith("<svg")


def test_readme_has_the_table():
    found = json.loads((HERE / "results" / "full.json").read_text())
    made = table.markdown(figures.Results(found["rows"]), found["machine"], found["versions"])
    assert made in (ROOT / "README.md").read_text(), "./dev bench --from FILE --readme README.md"


def test_targets_are_about_what_is_measured():
    found = json.loads((HERE / "results" / "full.json").read_text())
    measured = {(row["work"], row["metric"]) for row in found["rows"]}
    assert {(target.work, target.metric) for target in targets.ALL} <= measured
