"""connectconformance: gRPC in some hundred cases, with the bridge in front of a server or behind a
client. Each test runs the suite without the bridge, too."""

import json
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import connect_deviations as deviations
import pytest
from workspace.ports import free_ports
from workspace.processes import Child
from workspace.relay import RecordingRelay

HERE = Path(__file__).parent
RUN_TIMEOUT_S = 300
RECEIVE_LIMIT_BYTES = 200 * 1024  # what the runner asks a server for


@dataclass(frozen=True)
class Outcome:
    cases: int
    failures: dict  # by name, what the runner says

    def assert_only(self, expected):
        """Each failure is expected, and each expectation has come true."""
        unexpected = {
            case: said
            for case, said in self.failures.items()
            if not any(deviation.covers(case, said) for deviation in expected)
        }
        assert unexpected == {}
        for deviation in expected:
            assert any(deviation.covers(*failure) for failure in self.failures.items()), deviation


class Runner:
    """connectconformance with a configuration for gRPC over HTTP/2, with TLS or without."""

    def __init__(self, tools, directory):
        self._tool = tools / "connectconformance"
        self._directory = directory

    def run(self, mode, command, *options, tls=False):
        config = self._directory / f"tls-{tls}.yaml"
        features = {
            "versions": ["HTTP_VERSION_2"],
            "protocols": ["PROTOCOL_GRPC"],
            "codecs": ["CODEC_PROTO"],
            "supportsH2c": not tls,
            "supportsTls": tls,
        }
        config.write_text(json.dumps({"features": features}))  # JSON is YAML
        done = subprocess.run(
            [self._tool, "--mode", mode, "--conf", config, *options, "--", *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
        return self._outcome(done.stdout + done.stderr)

    @staticmethod
    def _outcome(output):
        total = re.search(r"^Total cases: (\d+)$", output, re.MULTILINE)
        counts = re.search(r"^(\d+) passed, (\d+) failed$", output, re.MULTILINE)
        assert total and counts, output
        failures = {
            found[1]: found[2].replace("\t", "").rstrip("\n")
            for found in re.finditer(r"^FAILED: (.*):\n((?:\t.*\n)+)", output, re.MULTILINE)
        }
        assert int(counts[1]) + int(counts[2]) == int(total[1]), output
        assert len(failures) == int(counts[2]), output
        return Outcome(int(total[1]), failures)


@pytest.fixture
def runner(tools, tmp_path):
    return Runner(tools, tmp_path)


@pytest.fixture
def start_server(tools, tmp_path):
    """Starts one of the suite's servers as its runner would; its port."""
    with ExitStack() as running:

        def start(tool, *options, tls):
            request = tmp_path / "request.json"
            wanted = {
                "protocol": "PROTOCOL_GRPC",
                "httpVersion": "HTTP_VERSION_2",
                "useTls": tls,
                "messageReceiveLimit": RECEIVE_LIMIT_BYTES,
            }
            request.write_text(json.dumps(wanted))
            with request.open() as stdin:
                child = Child(tool, [tools / tool, "-json", *options], stdin=stdin)
            running.callback(child.stop, signal.SIGTERM)
            said = child.wait_for_line(
                lambda line: re.match(r'\s*"port":\s*(\d+)', line), timeout=30
            )
            return int(said[1])

        yield start


def naming(bridge):
    """The server under test, for the runner."""
    return [sys.executable, HERE / "connect_server.py", str(bridge.port)]


def test_before_the_reference_server(standin, runner, tools, start_server, open_bridge):
    certificate = standin.certificate
    direct = runner.run("server", [tools / "referenceserver"])
    port = start_server(
        "referenceserver", "-cert", certificate.chain, "-key", certificate.key, tls=True
    )
    outcome = runner.run("server", naming(open_bridge(port)))
    direct.assert_only([])
    outcome.assert_only(
        deviations.OF_REFUSALS_BY_HTTP + deviations.OF_CREDENTIALS_IN_DETAILS
    )
    assert outcome.cases == direct.cases == 374


def test_before_grpc_go(standin, runner, tools, start_server, open_bridge):
    """This server has no TLS, so something has it in its place."""
    direct = runner.run("server", [tools / "grpcserver"])
    target = ("127.0.0.1", start_server("grpcserver", tls=False))
    relay = RecordingRelay(standin.loop, standin.certificate, target)
    try:
        outcome = runner.run("server", naming(open_bridge(relay.port)))
    finally:
        relay.stop()
    direct.assert_only(deviations.OF_GRPC_GO_SERVER)
    outcome.assert_only(deviations.OF_GRPC_GO_SERVER + deviations.OF_CREDENTIALS_IN_DETAILS)
    assert outcome.cases == direct.cases == 374


def test_behind_a_grpc_go_client(standin, runner, tools, open_bridge):
    """Answers of a server that breaks rules, and what a client makes of them behind the bridge."""
    client = tools / "grpcclient"
    direct = runner.run("client", [client])
    [port] = free_ports(1)
    bridge = open_bridge(port)
    outcome = runner.run(
        *("client", [sys.executable, HERE / "connect_client.py", str(bridge.port), client]),
        *("--port", str(port)),
        *("--cert", standin.certificate.chain, "--key", standin.certificate.key),
        tls=True,
    )
    direct.assert_only(deviations.OF_GRPC_GO_CLIENT)
    outcome.assert_only(
        deviations.OF_GRPC_GO_CLIENT
        + deviations.OF_ANSWERS_THAT_ARE_NOT_GRPC
        + deviations.OF_ANSWERS_WITHOUT_STATUS
        + deviations.OF_CREDENTIALS_IN_DETAILS
    )
    assert outcome.cases == 235  # without those that only a server without TLS is there for
