"""What the log looks like, where it goes to and how much of it there is."""

import json
import os
import pty
import select
import signal
import subprocess
from datetime import datetime

import pytest
from raw_client import RawClient
from workspace.bridge import bridge_environment, parse_logfmt

AS_IT_IS = {"SPARKBRIDGE_LOG_FORMAT": "auto"}


def events(bridge):
    return [json.loads(line) for line in list(bridge.child.stderr)]


def wait_for(bridge, message):
    def is_it(line):
        event = json.loads(line)
        return event["msg"].startswith(message) and event

    return bridge.child.wait_for_line(is_it, timeout=10)


@pytest.fixture
def config(tmp_path, standin, bridges):
    """Writes a configuration file with this `log` section; its path."""
    path = tmp_path / "log.yaml"
    tenant = standin.tenants[0]
    token_file = bridges.token_file(tenant.token)

    def write(log):
        text = {
            "version": 1,
            "log": log,
            "upstream": {"ca_file": str(standin.ca_file)},
            "listeners": [
                {
                    "name": "first",
                    "listen": [f"unix:{tmp_path}/log.sock"],
                    "connection": {
                        "host": f"{tenant.host}:{standin.gate.port}",
                        "token_file": str(token_file),
                        "cluster_id": tenant.cluster_id,
                    },
                }
            ],
        }
        path.write_text(json.dumps(text))  # JSON is YAML
        return path

    return write


def test_json_where_there_is_no_terminal(bridges, config, tmp_path):
    """Every line an object, also that of a fault and of a peer's bytes."""
    bridge = bridges.start(["--config", config({"level": "debug"})], environment=AS_IT_IS)
    wait_for(bridge, "ready")
    with RawClient(str(tmp_path / "log.sock")) as raw:
        answer = raw.wait_for_end(raw.start("Nothing\"\\Here", end=True))
        assert answer.status == 12
    ended = wait_for(bridge, "call ended")
    assert ended["grpc_status"] == "UNIMPLEMENTED" and ended["level"] == "info"
    for event in events(bridge):
        assert list(event)[:3] == ["time", "level", "msg"]
        assert all(isinstance(value, str) for value in event.values())
        assert datetime.fromisoformat(event["time"].replace("Z", "+00:00")).microsecond >= 0
    resolved = wait_for(bridge, "binding resolved")
    assert resolved["listener"] == "first"


def test_json_of_a_fault(bridges, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text('version: 1\nlisteners: [{name: "a\\"b", lisen: []}]\n')
    bridge = bridges.start(["--config", path], environment=AS_IT_IS, expect_exit=78)
    bridge.child.wait(10)
    assert any(f"{path}:2:" in e["msg"] and e["level"] == "error" for e in events(bridge))


def test_logfmt_on_a_terminal(binary, standin, config, tmp_path):
    ours, terminal = pty.openpty()
    words = [binary, "run", "--config", config({})]
    environment = bridge_environment(standin.hosts_file, tmp_path) | AS_IT_IS
    text = b""
    with subprocess.Popen(words, env=environment, stderr=terminal) as process:
        os.close(terminal)
        try:
            while b"msg=ready" not in text:
                assert select.select([ours], [], [], 30)[0], text
                text += os.read(ours, 4096)
        finally:
            process.terminate()
            process.wait(30)
            os.close(ours)
    assert parse_logfmt(text.decode().splitlines()[0])["level"] in ("info", "warn")


def test_level_changes_at_run_time(bridges, config, tmp_path):
    """By a reload."""
    bridge = bridges.start(["--config", config({"level": "info"})]).wait_until_ready()
    config({"level": "debug"})
    socket = str(tmp_path / "log.sock")
    with RawClient(socket) as raw:
        raw.ping()
    assert "level=debug" not in bridge.child.output()
    bridge.child.send_signal(signal.SIGHUP)
    bridge.wait_for_log(lambda fields: fields.get("key") == "log_level")
    with RawClient(socket) as raw:
        raw.ping()
    bridge.wait_for_log(lambda fields: fields.get("level") == "debug")
