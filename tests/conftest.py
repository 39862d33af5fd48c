"""What the tests share: one stand-in workspace, the real clients, and bridges made to order."""

import os
import sys
from pathlib import Path

import pytest
from clients import Client
from workspace.bridge_factory import BridgeFactory
from workspace.standin import StandIn

pytest_plugins = ["left_out"]
ROOT = Path(__file__).resolve().parents[1]

def _binary(variable, default):
    path = Path(os.environ.get(variable, ROOT / default))
    if not os.access(path, os.X_OK):
        pytest.exit(f"there is no daemon at {path}: run ./dev test, or set {variable}", 2)
    return path


@pytest.fixture(scope="session")
def binary():
    """The daemon under test, by default the sanitized build."""
    return _binary("SPARKBRIDGE_BIN", "build-asan/daemon/sparkbridge")


@pytest.fixture(scope="session")
def release_binary():
    """The daemon as users have it, for what is measured."""
    return _binary("SPARKBRIDGE_RELEASE_BIN", "build/daemon/sparkbridge")


@pytest.fixture(scope="session")
def standin():
    with StandIn() as running:
        yield running


@pytest.fixture(scope="session")
def primary(standin):
    """The workspace that most tests use."""
    return standin.tenants[0]


@pytest.fixture
def bridges(binary, standin, tmp_path):
    """The BridgeFactory of a test."""
    secrets = [tenant.token for tenant in standin.tenants]
    factory = BridgeFactory(binary, standin, tmp_path, secrets)
    yield factory
    factory.finish()


@pytest.fixture(scope="module")
def module_bridges(binary, standin, tmp_path_factory):
    """The same for bridges that serve all tests of a module."""
    secrets = [tenant.token for tenant in standin.tenants]
    factory = BridgeFactory(binary, standin, tmp_path_factory.mktemp("bridges"), secrets)
    yield factory
    factory.finish()


@pytest.fixture
def bridge(bridges):
    """A bridge on TCP to the first tenant."""
    return bridges()


@pytest.fixture(scope="session")
def v43():
    """PySpark 4.3, of the environment that the tests run in."""
    client = Client(sys.executable)
    yield client
    client.stop()


@pytest.fixture(scope="session")
def v42():
    """pyspark-client 4.2."""
    python = os.environ.get("SPARKBRIDGE_V42_PYTHON")
    if not python:
        pytest.exit("SPARKBRIDGE_V42_PYTHON does not name the Python of ./dev's v42", 2)
    client = Client(python)
    yield client
    client.stop()
