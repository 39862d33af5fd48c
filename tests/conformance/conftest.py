"""What the suites share: their tools, and a place without Spark for them to run in."""

import os
import tempfile
from pathlib import Path

import pytest
from workspace.certificates import Authority
from workspace.loop import LoopThread
from workspace.scripted import ScriptedServer
from workspace.standin import Tenant

HOST = "workspace.test"


class Place:
    """One workspace by name, without a server of its own: a test brings one and says its port."""

    def __init__(self, directory, loop):
        self.directory = Path(directory)
        self.loop = loop
        self.authority = Authority(self.directory, "conformance")
        self.certificate = self.authority.issue(HOST)
        self.ca_file = self.authority.file
        self.hosts_file = self.directory / "hosts"
        self.hosts_file.write_text(f"127.0.0.1 {HOST}\n")
        token = "dapi-canary-conformance"
        self.tenants = (Tenant(HOST, token, "1122-334455-primary1", self.certificate, "grpc"),)


@pytest.fixture(scope="session")
def standin():
    """Takes the stand-in workspace's place here, which would start a Spark."""
    loop = LoopThread()
    with tempfile.TemporaryDirectory(prefix="sparkbridge-conformance-") as directory:
        yield Place(directory, loop)
    loop.stop()


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
