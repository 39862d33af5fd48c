"""Floods of frames at full speed: their connection ends, and nobody else notices."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ATTACKER = Path(__file__).with_name("attacker.py")
SECONDS = 10
CUT_WITHIN_S = 1
PROTOCOL_ERROR, STREAM_CLOSED, ENHANCE_YOUR_CALM = 1, 5, 11

# What belongs together attacks together, each from a process of its own.
GROUPS = {
    "resets": ("rapid_reset", "overflow", "content_length"),
    "refusals": ("malformed_headers", "too_many_streams"),
    "errors": ("no_increment", "data_after_end"),
    "blocks": ("continuation", "continuation_of_fields"),
    "bombs": ("bomb", "bombs"),
    "control": ("settings", "ping", "priority"),
    "data": ("empty_data", "padding"),
    "windows": ("window_update", "tiny_windows"),
}
# The first such frame ends the connection, so no flood can be made of them.
OTHER_CODES = {"no_increment": PROTOCOL_ERROR, "data_after_end": STREAM_CLOSED}


class Attacker:
    """attacker.py as a process: ready, once there is one."""

    def __init__(self, port, kind):
        self.kind = kind
        self._process = subprocess.Popen(
            [sys.executable, ATTACKER, str(port), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline() == "ready\n"

    def tell(self):
        """To begin, and then to stop."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def result(self):
        output, _ = self._process.communicate(timeout=60)
        return json.loads(output)

    def kill(self):
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def attackers(target):
    """Makes attackers of the target."""
    made = []

    def make(kind):
        made.append(Attacker(target.port, kind))
        return made[-1]

    yield make
    for attacker in made:
        attacker.kill()


@pytest.mark.parametrize("group", GROUPS)
def test_flood(target, attackers, group):
    """Each connection is cut within a second, with the reason; queries beside it are exact."""
    running = [attackers(kind) for kind in GROUPS[group]]
    for attacker in running:
        attacker.tell()
    target.check_serves_for(SECONDS)
    for attacker in running:
        attacker.tell()
    for attacker in running:
        result = attacker.result()
        print(attacker.kind, result)
        code = OTHER_CODES.get(attacker.kind, ENHANCE_YOUR_CALM)
        assert set(result["ends"]) == {str(code)}
        assert sum(result["ends"].values()) >= result["connections"] - 1 > 1
        assert result["longest_s"] < CUT_WITHIN_S
    target.check_has_not_grown()
