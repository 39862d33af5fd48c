"""h2spec: what RFC 9113 and RFC 7541 demand of a server, asked of the daemon as users have it."""

import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

# How long h2spec waits for what it expects; it waits that long only where it would fail, or where
# nothing may come. Generous, for a busy machine.
PATIENCE_S = 10


def run_h2spec(tools, port, report, *options):
    """The outcome of every case: {"section / case": "" or why it did not pass}."""
    done = subprocess.run(
        [
            *(tools / "h2spec", "--host", "127.0.0.1", "--port", str(port)),
            *("--timeout", str(PATIENCE_S), "--junit-report", report),
            *options,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    outcomes = {}
    for suite in ElementTree.parse(report).iter("testsuite"):
        for number, case in enumerate(suite.iter("testcase"), 1):
            problems = [f"{child.tag}: {' '.join(child.itertext())}" for child in case]
            name = f"{suite.get('package')}/{number} {case.get('classname')}"
            outcomes[name] = "; ".join(problems)
    return outcomes


@pytest.mark.parametrize(("options", "cases"), [((), 145), (("--strict",), 146)])
def test_h2spec(bridges, release_binary, upstream, tools, tmp_path, options, cases):
    """Its requests are not gRPC: each gets the bridge's own 415, with DATA."""
    bridge = bridges(port=upstream.port, binary=release_binary)
    outcomes = run_h2spec(tools, bridge.port, tmp_path / "report.xml", *options)
    assert {name: problem for name, problem in outcomes.items() if problem} == {}
    assert len(outcomes) == cases
