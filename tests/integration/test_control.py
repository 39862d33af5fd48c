"""The control socket and `status`, where names and paths are unusual."""

import json
import os
import socket
import subprocess

import pytest

ODD = os.fsdecode(b"x\xff")


def ask(path, command):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        connection.sendall(json.dumps({"command": command}).encode() + b"\n")
        with connection.makefile() as answer:
            return json.loads(answer.read())


def test_names_that_are_no_utf8(bridges, tmp_path):
    """What JSON cannot say is said with question marks."""
    config, control = tmp_path / f"{ODD}.yaml", tmp_path / "control.sock"
    config.write_text("version: 1\n")
    bridges(
        listen=[f"unix:{tmp_path}/{ODD}.sock"],
        arguments=("--config", config, "--control", f"unix:{control}"),
    )
    status = ask(control, "status")["status"]
    assert status["config_file"] == f"{tmp_path}/x?.yaml"
    [listener] = status["listeners"]
    assert listener["addresses"] == [f"unix:{tmp_path}/x?.sock"]

    config.write_text("version: nought\n")
    answer = ask(control, "reload")
    assert not answer["ok"] and f"{tmp_path}/x?.yaml:1:10" in answer["error"]
    assert ask(control, "status")["status"]["last_reload"]["result"] == answer["error"]
    assert ask(control, "dance") == {"ok": False, "error": "there is no such command"}


@pytest.mark.parametrize("length", [108, 300])
def test_a_control_path_that_is_too_long(binary, length):
    directory = "/" + (length - len("//sparkbridge/control.sock")) * "x"
    done = subprocess.run(
        [binary, "status"],
        env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": directory},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == os.EX_UNAVAILABLE and done.stdout == ""
    assert "longer than 107 bytes" in done.stderr and "--control unix:PATH" in done.stderr
