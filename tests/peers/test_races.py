"""Connections whose client is gone, or another one, when the daemon looks: 10,000 of each kind, and
not one wrong answer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from daemons import addresses_of
from people import ALICE, MALLORY
from workspace.bridge import parse_logfmt

RACER = Path(__file__).parent / "racer.py"
COUNT = 10_000
# How each may end for whoever is allowed to connect. The kernel may not know him any more, and
# of many who are refused at the same time some get no answer.
UNKNOWN = "it cannot be told which user connects"


def race(bridge, address, kind, count, *, stop):
    options = {
        "race": kind,
        "address": address,
        "attacker": MALLORY.uid,
        "victim": ALICE.uid,
        "path": "/spark.connect.SparkConnectService/Config",
        "daemon": bridge.child.pid,
        "count": count,
        "stop": stop,
    }
    words = [sys.executable, RACER, json.dumps(options)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("stop", [True, False], ids=["before-accept", "at-full-speed"])
@pytest.mark.parametrize("kind", ["write_and_close", "reset", "reuse"])
def test_race(kind, stop, daemons, workspace):
    """Root's daemon admits root and Alice. Mallory's calls are never forwarded, and Alice is served
    or, at worst, not known: never taken for somebody else."""
    bridge = daemons.start(peer_users=["self", "alice"])
    outcomes = {}
    for address in addresses_of(bridge)[1:]:
        for outcome, count in race(bridge, address, kind, COUNT // 2, stop=stop).items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    assert workspace.requests == []
    assert "Config" not in calls(bridge)  # nor begun, and given up because the client is gone
    wrong = [text for text in outcomes if text not in ("served", "closed") and UNKNOWN not in text]
    assert wrong == []
    assert outcomes["served"] >= (COUNT if kind == "reuse" else COUNT // 100) * 0.9
    assert calls(bridge) == {"other"}  # of the victim, who asks for health
    assert refused_users(bridge) <= {"unknown", str(MALLORY.uid)}


def calls(bridge):
    """The methods of the calls that were let in."""
    return {fields["rpc"] for fields in log_of(bridge) if fields.get("msg") == "call ended"}


def refused_users(bridge):
    return {fields["uid"] for fields in log_of(bridge) if fields.get("msg") == "connection refused"}


def log_of(bridge):
    return [parse_logfmt(line) for line in list(bridge.child.stderr)]
