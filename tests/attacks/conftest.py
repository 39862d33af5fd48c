"""One release build under attack for a module, and a real client that must not notice."""

import time

import pytest
from measures import peak_kib, resident_kib
from workspace.bridge_factory import BridgeFactory

ROWS = 100_000  # of 264 bytes
GROWTH_KIB = 32 * 1024
LOG_LINES = 200
CONFIG = "version: 1\ntimeouts: {preface: 2s, headers: 2s}\n"
# Not a line for each of the attackers' calls, which this process would have to keep up with.
ARGUMENTS = ("--log-level", "info")


class Target:
    """A bridge, and PySpark with a connection of its own to it."""

    def __init__(self, bridge, client):
        self.bridge = bridge
        self.port = bridge.port  # read from the log, which grows
        self._remote = bridge.remote
        self._client = client
        self._expected = self._query()  # undisturbed; it has also brought the bridge to its size
        assert self._expected["rows"] == ROWS and self._expected["in_order"]
        self._lines = len(bridge.child.stderr)
        self._resident = resident_kib(bridge.child.pid)

    def _query(self):
        return self._client.run("large", self._remote, session="beside", rows=ROWS)

    def check_serves_for(self, seconds):
        """Runs queries, at least one, that must give exactly what they gave undisturbed."""
        deadline = time.monotonic() + seconds
        count = 0
        while time.monotonic() < deadline:
            assert self._query() == self._expected
            count += 1
        print(f"{count} queries beside it")

    def check_has_not_grown(self):
        """Neither its memory nor, by lines that an attacker can cause, its log."""
        lines = len(self.bridge.child.stderr)
        print(f"{lines - self._lines} lines of log")
        assert lines - self._lines < LOG_LINES
        self._lines = lines
        growth = peak_kib(self.bridge.child.pid) - self._resident
        print(f"grown by {growth} KiB")
        assert growth < GROWTH_KIB


@pytest.fixture(scope="module")
def target(release_binary, standin, v43, tmp_path_factory):
    directory = tmp_path_factory.mktemp("bridge")
    config = directory / "sparkbridge.yaml"
    config.write_text(CONFIG)
    secrets = [tenant.token for tenant in standin.tenants]
    bridges = BridgeFactory(release_binary, standin, directory, secrets)
    yield Target(bridges(arguments=("--config", config, *ARGUMENTS)), v43)
    bridges.finish()
