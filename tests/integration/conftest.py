"""What the tests share: one stand-in workspace, the real clients, and bridges made to order."""

import os
import signal
import sys
from pathlib import Path

import pytest
from clients import Client
from workspace.bridge import Bridge
from workspace.standin import StandIn

ROOT = Path(__file__).resolve().parents[2]

SANITIZER_WORDS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "UndefinedBehavior")


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


class BridgeFactory:
    """Makes bridges; each must end as expected, and clean, when its test ends.

    Unless told otherwise a bridge listens on a free port of localhost and leads to the first
    tenant of the stand-in with that tenant's token and cluster.
    """

    def __init__(self, binary, standin, directory, secrets):
        self._binary = binary
        self._standin = standin
        self._directory = directory
        self._secrets = secrets
        self._running = []

    def __call__(
        self,
        *,
        tenant=None,
        host=None,
        port=None,
        token=None,
        cluster=None,
        ca_file=None,
        listen=("localhost:0",),
        arguments=(),
        environment=None,
        binary=None,
        expect_exit=0,
    ):
        """A bridge that is ready. What is not given is the tenant's, or the gate's."""
        tenant = tenant or self._standin.tenants[0]
        target = f"{host or tenant.host}:{port or self._standin.gate.port}"
        words = [word for address in listen for word in ("--listen", address)]
        words += ["--host", target, "--cluster-id", cluster or tenant.cluster_id]
        words += ["--token-file", self.token_file(token or tenant.token)]
        words += ["--ca-file", ca_file or self._standin.ca_file]
        words += ["--log-level", "debug", *arguments]
        bridge = self.start(words, environment=environment, binary=binary, expect_exit=expect_exit)
        return bridge.wait_until_ready()

    def start(self, arguments, *, environment=None, binary=None, expect_exit=0):
        """A bridge with exactly these arguments, which may not become ready."""
        bridge = Bridge(
            binary or self._binary,
            arguments,
            hosts_file=self._standin.hosts_file,
            home=self._directory,
            environment=environment,
        )
        self._running.append((bridge, expect_exit))
        return bridge

    def token_file(self, token):
        """A file with this token. The token may then be in no output."""
        self._secrets.append(token)
        path = self._directory / f"token-{len(self._secrets)}"
        path.touch(0o600)
        path.write_text(token + "\n")
        return path

    def finish(self):
        problems = []
        while self._running:
            bridge, expect_exit = self._running.pop()
            code = bridge.child.stop(signal.SIGTERM, timeout=30)
            if code != expect_exit:
                problems.append(f"the bridge ended with {code}, not {expect_exit}")
            problems += check_output(bridge.child.output(), self._secrets)
            if problems:
                problems.append(bridge.child.tail(60))
        if problems:
            pytest.fail("\n".join(problems), pytrace=False)


def check_output(output, secrets):
    """What must not be in any output of the bridge."""
    problems = [f"its output has {word!r}" for word in SANITIZER_WORDS if word in output]
    if any(secret in output for secret in secrets):
        problems.append("its output has a token")
    return problems


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
