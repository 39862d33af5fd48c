"""The developer's commands: the demo runs the main job, the stand-in runs alone, both clean up."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from workspace.processes import Child

ROOT = Path(__file__).resolve().parents[2]
ROWS = ["| id|", *(f"|{number:3}|" for number in range(1, 10))]
START_TIMEOUT_S = 240


def processes_of(directory):
    """The processes that name `directory` in their command or run in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = process.joinpath("cmdline").read_bytes().decode("utf-8", "replace")
            if str(directory) in command + str(process.joinpath("cwd").readlink()):
                found.append((process.name, command.replace("\0", " ")))
    return found


@pytest.fixture
def started(tmp_path):
    """Starts a Python program of tests/, with a directory for all that it writes; what it started
    and wrote must have gone when it ends."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    children = []

    def start(*words):
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests"), "TMPDIR": str(directory)}
        children.append(Child("the command", [sys.executable, *words], env=environment))
        return children[-1]

    yield start
    for child in children:
        child.stop()
    assert processes_of(directory) == []
    assert list(directory.iterdir()) == []


def test_demo(started, release_binary):
    """It shows the rows, of a client that was given an address and nothing else."""
    demo = started(ROOT / "tests/dev/demo.py", release_binary)
    assert demo.wait(START_TIMEOUT_S) == 0, demo.output()
    assert [line for line in demo.stdout if line.startswith("|")] == ROWS
    assert re.search(r'remote\("sc://localhost:\d+"\)', demo.output())


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "==> starting a Spark Connect server"),
        (signal.SIGTERM, "==> starting a Spark Connect server"),
        (signal.SIGINT, "    spark.range(1, 10).show()"),
    ],
)
def test_demo_is_interrupted(started, release_binary, number, moment):
    demo = started(ROOT / "tests/dev/demo.py", release_binary)
    demo.wait_for_line(lambda line: line == moment, timeout=START_TIMEOUT_S)
    os.killpg(demo.pid, number)  # as a terminal does, also to the client in the same group
    assert demo.wait(30) == 128 + number, demo.output()


def test_workspace_alone(started, release_binary, v43, tmp_path):
    """What it says works as it stands: its own Spark, and the bridge by the command it prints."""
    workspace = started("-m", "workspace")
    direct = workspace.wait_for_line(
        re.compile(r"the same Spark is at (\S+?)\.$").search, timeout=START_TIMEOUT_S
    )[1]
    workspace.wait_for_line(lambda line: line.startswith("Ctrl-C ends it"), timeout=10)
    assert v43.run("range", direct) == list(range(1, 10))
    with bridge_as_told("\n".join(workspace.stdout), release_binary, tmp_path) as remote:
        assert v43.run("range", remote) == list(range(1, 10))
    request = workspace.wait_for_line(
        lambda line: "/ExecutePlan" in line and line.split(), timeout=10
    )
    assert request[:3] == ["POST", "/spark.connect.SparkConnectService/ExecutePlan", "200"]
    workspace.send_signal(signal.SIGTERM)
    assert workspace.wait(30) == 0, workspace.output()


@contextlib.contextmanager
def bridge_as_told(text, binary, home):
    """The bridge by the command in the workspace's text, but on a free port: its address."""
    command = text.partition("./dev build`:")[2].partition("and then")[0]
    words = shlex.split(command.replace("\\\n", " "))
    assert "build/daemon/sparkbridge" in words and "localhost:15002" in words
    places = {"build/daemon/sparkbridge": str(binary), "localhost:15002": "localhost:0"}
    words = [places.get(word, word) for word in words]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    bridge = Child("the bridge", ["env", *words], env=environment)
    try:
        port = bridge.wait_for_line(re.compile(r"127\.0\.0\.1:(\d+)").search, timeout=30)[1]
        yield f"sc://localhost:{port}"
    finally:
        assert bridge.stop() == 0, bridge.output()


def dev(*words):
    return subprocess.run([ROOT / "dev", *words], capture_output=True, text=True, timeout=30)


def test_verbs():
    """Each verb that ./dev names has its script, and each script with a verb's form is named."""
    usage = dev("help").stdout
    named = set(re.findall(r"^  ([a-z]+) ", usage, re.M))
    assert {"setup", "build", "demo", "test", "workspace", "bench", "lint", "fuzz"} <= named
    scripts = {path.stem for path in (ROOT / "tests/dev").glob("*.sh")}
    assert named == scripts - {"common", "go_tools"}


def test_an_unknown_verb():
    done = dev("nonsense")
    assert done.returncode == os.EX_USAGE
    assert "no verb 'nonsense'" in done.stderr and "usage: ./dev VERB" in done.stderr


@pytest.mark.parametrize("verb", ["demo", "workspace", "build", "lint"])
def test_arguments_that_a_verb_does_not_know(verb):
    done = dev(verb, "--nonsense")
    assert done.returncode == os.EX_USAGE
    assert "it takes no arguments" in done.stderr and "--nonsense" in done.stderr


STEP = """\
set -euo pipefail
source tests/dev/common.sh
work() { sh -c 'echo "it runs" >&3; sleep 600; true' "$TMPDIR"; }
exec 3>&1
step "a long step" work
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_step_is_interrupted(tmp_path, number):
    """What it has started ends with it, and its log goes."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = Child("the step", ["bash", "-c", STEP], env=environment, cwd=ROOT)
    try:
        command.wait_for_line(lambda line: line == "it runs", timeout=30)
        command.send_signal(number)
        assert command.wait(30) == 128 + number
        assert "==> interrupted: a long step" in command.output()
        assert processes_of(tmp_path) == []
    finally:
        command.stop()
    assert list(tmp_path.iterdir()) == []
