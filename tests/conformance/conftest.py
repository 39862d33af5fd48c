"""What the suites share: their tools, and a place without Spark for them to run in."""

import os
from pathlib import Path

import pytest
from workspace.place import Place
from workspace.scripted import ScriptedServer


@pytest.fixture(scope="session")
def standin():
    """Takes the stand-in workspace's place here, which would start a Spark."""
    with Place("conformance") as made:
        yield made


@pytest.fixture
def open_bridge(bridges):
    """Makes bridges to a port that let every path and every header pass, as the suites want."""

    def make(port):
        return bridges(
            port=port,
            arguments=("--forward-header", "*"),
            environment={"SPARKBRIDGE_TEST_ANY_PATH": "1"},
        )

    return make


@pytest.fixture
def upstream(standin):
    """A scripted server with the workspace's certificate."""
    with ScriptedServer(standin.loop, standin.certificate) as server:
        yield server


@pytest.fixture(scope="session")
def tools():
    """The directory with the suites that are written in Go."""
    directory = os.environ.get("SPARKBRIDGE_GO_TOOLS")
    if not directory or not os.path.exists(os.path.join(directory, "h2spec")):
        pytest.exit("SPARKBRIDGE_GO_TOOLS does not name ./dev's Go tools: run ./dev test", 2)
    return Path(directory)
