"""What the daemon says to a service manager, and the sockets that it gets from one.

systemd-socket-activate is the part of systemd that hands sockets over, without a systemd running.
"""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import grpc
import pytest
from workspace.tokens import jwt

HEALTH = "/grpc.health.v1.Health/Check"
ENVIRONMENT = {
    "DATABRICKS_HOST": "https://workspace.example.com",
    "DATABRICKS_TOKEN": "dapi-none",
    "DATABRICKS_CLUSTER_ID": "0123-456789-abcdefgh",
}

pytestmark = pytest.mark.skipif(
    not shutil.which("systemd-socket-activate"), reason="NOT TESTED: needs systemd-socket-activate"
)


class Manager:
    """Hands two sockets named `spark` and one that nobody uses to a daemon that it starts on the
    first connection, and listens to its notifications."""

    def __init__(self, binary, directory, *options, **environment):
        self.paths = [directory / name for name in ("one.sock", "unused.sock", "two.sock")]
        self._notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notes.bind(str(directory / "notify"))
        self._notes.settimeout(30)
        words = ["systemd-socket-activate", "--fdname=spark:other:spark"]
        words += [word for path in self.paths for word in ("-l", path)]
        passed = {**ENVIRONMENT, **environment, "NOTIFY_SOCKET": directory / "notify", "WATCHDOG_USEC": "200000"}
        words += [word for name, value in passed.items() for word in ("-E", f"{name}={value}")]
        words += [binary, "run", "--control", "none", "--listen", "systemd:spark", *options]
        self.process = subprocess.Popen(
            words, stderr=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]}
        )
        self.said = []
        self._reader = threading.Thread(target=lambda: self.said.extend(self.process.stderr))
        self._reader.start()

    def wait_for_note(self, begin):
        """The notification that begins so, as a mapping; those before it are left out."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            note = dict(line.split("=", 1) for line in self._notes.recv(8192).decode().split("\n"))
            if begin in note:
                return note
        raise TimeoutError(f"no {begin} among the notifications")

    def check(self, path):
        with grpc.insecure_channel(f"unix:{path}") as channel:
            return channel.unary_unary(HEALTH)(b"", timeout=30, wait_for_ready=True)

    def finish(self):
        """The exit status."""
        status = self.process.wait(30)
        self._reader.join()
        return status

    def close(self):
        self.process.kill()
        self.process.wait(30)
        self._reader.join()
        self.process.stderr.close()
        self._notes.close()


@pytest.fixture
def start(binary, tmp_path):
    managers = []

    def begin(*options, **environment):
        managers.append(Manager(binary, tmp_path, *options, **environment))
        deadline = time.monotonic() + 30
        pause = threading.Event()
        while not all(path.exists() for path in managers[-1].paths):
            assert managers[-1].process.poll() is None and time.monotonic() < deadline
            pause.wait(0.01)
        return managers[-1]

    yield begin
    for manager in managers:
        manager.close()


def test_status_has_the_next_token_expiry(start):
    """An OAuth token says when."""
    manager = start(DATABRICKS_TOKEN=jwt(4_102_444_800))
    assert manager.check(manager.paths[0]) == b"\x08\x01"
    assert manager.wait_for_note("READY")["STATUS"] == (
        "1 listener, 1 profile ready, next token expiry 2100-01-01T00:00:00Z"
    )


def test_sockets_by_name_and_notifications(start):
    """All sockets of a name are served, an unused one is named, and each step is told."""
    manager = start()
    assert manager.check(manager.paths[0]) == b"\x08\x01"
    assert manager.wait_for_note("READY")["STATUS"] == "1 listener, 1 profile ready"
    assert manager.check(manager.paths[2]) == b"\x08\x01"
    manager.wait_for_note("WATCHDOG")
    manager.process.send_signal(signal.SIGHUP)
    reloading = manager.wait_for_note("RELOADING")
    assert int(reloading["MONOTONIC_USEC"]) > 0
    assert manager.wait_for_note("READY")["STATUS"] == "1 listener, 1 profile ready"
    manager.process.send_signal(signal.SIGTERM)
    assert int(manager.wait_for_note("STOPPING")["EXTEND_TIMEOUT_USEC"]) >= 60_000_000
    assert manager.finish() == 0
    assert any("systemd:other" in line and "not be answered" in line for line in manager.said)


def test_idle_exit(start):
    """It ends by itself with 0, once the last connection has been gone for so long."""
    manager = start("--idle-exit", "300ms")
    assert manager.check(manager.paths[0]) == b"\x08\x01"
    assert manager.finish() == 0
    assert any("unused for 300 ms" in line for line in manager.said)


def test_idle_exit_counts_only_with_inherited_sockets(start, tmp_path):
    """A socket of our own would be gone with the daemon."""
    own = tmp_path / "own.sock"
    manager = start("--idle-exit", "200ms", "--listen", f"unix:{own}")
    assert manager.check(manager.paths[0]) == b"\x08\x01"
    for _ in range(4):  # each is half of 200 ms after the last
        manager.wait_for_note("WATCHDOG")
    assert manager.check(own) == b"\x08\x01"
    manager.process.send_signal(signal.SIGTERM)
    assert manager.finish() == 0


def test_a_name_that_was_not_passed(binary):
    """The message says where the name comes from."""
    done = subprocess.run(
        [binary, "run", "--control", "none", "--listen", "systemd:spark"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 73
    assert "FileDescriptorName=" in done.stderr


def test_credentials_are_found(binary, tmp_path):
    """The profile file and the token of $CREDENTIALS_DIRECTORY count without configuration."""
    (tmp_path / "databrickscfg").write_text(
        "[DEFAULT]\nhost = https://one.example.com\ntoken = a\ncluster_id = 0-0-a\n"
    )
    (tmp_path / "token").write_text("dapi-of-a-credential\n")
    for name in ("databrickscfg", "token"):
        (tmp_path / name).chmod(0o600)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "HOME": "/nonexistent"}

    def check(*options):
        done = subprocess.run(
            [binary, "check", *options], env=environment, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert f"{tmp_path}/databrickscfg:2" in check()
    assert f"credential {tmp_path}/token" in check(
        "--host", "https://two.example.com", "--cluster-id", "0-0-a"
    )
