"""How the daemon starts, refuses to start, drains and stops; its sockets; what it never says."""

import os
import re
import signal
import socket
import stat
import subprocess

import pytest
from workspace.bridge_factory import check_output
from raw_client import RawClient
from workspace.bridge import parse_logfmt
from workspace.scripted import GRPC_HEADERS, message

METHOD = "Config"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"


async def echo(stream):
    stream.send_headers(GRPC_HEADERS)
    async for chunk in stream.chunks():
        await stream.send_data(chunk)
    stream.trailers(0)


@pytest.fixture
def upstream(standin, primary):
    with standin.script(primary.certificate) as server:
        server.on(PATH, echo)
        yield server


def begin(client):
    """A call that is under way."""
    stream = client.start(METHOD)
    client.send(stream, message(b"first"))
    client.wait_for(stream, lambda answer: len(answer.data) == 10)
    return stream


# ---- the end ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_drain_lets_running_calls_finish(bridges, upstream, number):
    bridge = bridges(port=upstream.port)
    with RawClient(bridge.port) as client:
        stream = begin(client)
        bridge.child.send_signal(number)
        client.wait_for_goaway()
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", bridge.port), timeout=5).close()
        client.send(stream, message(b"last"), end=True)
        answer = client.wait_for_end(stream)
        assert answer.status == 0
        assert bytes(answer.data) == message(b"first") + message(b"last")
        client.wait_for_close()
    assert bridge.child.wait(10) == 0


def test_drain_waits_for_a_greeting(bridges):
    """A client that has just connected is told by GOAWAY that its calls were not begun, so that it
    makes them elsewhere; one that says nothing is not waited for."""
    bridge = bridges()
    with (
        socket.create_connection(("127.0.0.1", bridge.port), timeout=10) as late,
        socket.create_connection(("127.0.0.1", bridge.port), timeout=10),
        RawClient(bridge.port) as witness,
    ):
        witness.ping()  # the others were accepted before it
        bridge.child.send_signal(signal.SIGTERM)
        witness.wait_for_goaway()
        with RawClient(late) as client:
            client.wait_for_goaway()
            client.wait_for_close()
        assert bridge.child.wait(10) == 0


def test_drain_has_a_limit(bridges, upstream):
    bridge = bridges(
        port=upstream.port, arguments=["--drain-timeout", "300ms"], expect_exit=os.EX_TEMPFAIL
    )
    with RawClient(bridge.port) as client:
        stream = begin(client)
        bridge.child.send_signal(signal.SIGTERM)
        answer = client.wait_for_end(stream)
        assert answer.status == 14
        assert "stopping" in answer.message
        assert bytes(answer.data) == message(b"first")
    assert bridge.child.wait(10) == os.EX_TEMPFAIL


def test_a_second_signal_ends_at_once(bridges, upstream):
    bridge = bridges(port=upstream.port, expect_exit=os.EX_TEMPFAIL)
    with RawClient(bridge.port) as client:
        stream = begin(client)
        bridge.child.send_signal(signal.SIGTERM)
        client.wait_for_goaway()
        bridge.child.send_signal(signal.SIGTERM)
        assert client.wait_for_end(stream).status == 14
    assert bridge.child.wait(10) == os.EX_TEMPFAIL


def test_a_query_survives_a_restart(bridges, v43):
    """A real query that runs when the bridge is asked to stop and another takes its port: its
    result comes by the old one, and what PySpark asks next goes to the new one."""
    bridge, beside = bridges(), bridges()
    running = v43.submit("nap", bridge.remote, session="restart", seconds=3, marker="restart-test")
    v43.run("wait_until_runs", beside.remote, marker="restart-test")
    bridge.child.send_signal(signal.SIGTERM)
    bridge.wait_for_log(lambda fields: fields.get("msg", "").startswith("draining"))
    bridges(listen=[f"localhost:{bridge.port}"])
    reply = running.result(60)
    assert reply.get("value") == [0], reply
    assert bridge.child.wait(60) == 0


# ---- Unix sockets ---------------------------------------------------------------------------------


def test_unix_socket_has_its_mode_and_goes(bridges, tmp_path):
    path = tmp_path / "sb.sock"
    bridge = bridges(listen=[f"unix:{path}"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.glob(".sb*")] == []
    bridge.child.send_signal(signal.SIGTERM)
    assert bridge.child.wait(10) == 0
    assert not path.exists()


def test_dead_unix_socket_is_replaced(bridges, tmp_path):
    path = tmp_path / "sb.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    bridges(listen=[f"unix:{path}"])
    with RawClient(str(path)) as client:
        client.ping()


def test_the_socket_of_another_is_not_removed(bridges, tmp_path):
    path = tmp_path / "sb.sock"
    first = bridges(listen=[f"unix:{path}"])
    path.unlink()
    bridges(listen=[f"unix:{path}"])
    first.child.send_signal(signal.SIGTERM)
    assert first.child.wait(10) == 0
    with RawClient(str(path)) as client:
        client.ping()


def test_localhost_is_both_families(bridges):
    bridge = bridges()
    ports = {address.rpartition(":")[2] for address in bridge.addresses}
    assert ports == {str(bridge.port)}
    families = [address[0] for address in bridge.addresses]
    if has_ipv6_loopback():
        assert families == ["1", "["]
        socket.create_connection(("::1", bridge.port), timeout=5).close()
    socket.create_connection(("127.0.0.1", bridge.port), timeout=5).close()


def has_ipv6_loopback():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


# ---- what it refuses to start with -----------------------------------------------------------------

GOOD = ["--host", "one.example.test", "--cluster-id", "c"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--nonsense"], 64, ["--nonsense"]),
        (["--listen", "15002"], 64, ["--listen", "15002"]),
        (["--listen", "localhost:99999"], 64, ["--listen", "port"]),
        (["--listen", "0.0.0.0:15002"], 64, ["--listen", "0.0.0.0"]),
        (["--listen", "unix:relative.sock"], 64, ["--listen", "absolute"]),
        (["--listen", "unix:/" + "x" * 200], 64, ["--listen", "107"]),
        (["--drain-timeout", "soon"], 64, ["--drain-timeout", "soon"]),
        (["--log-level", "loud"], 64, ["--log-level", "debug"]),
        (["--listen"], 64, ["--listen"]),
        (["--remote", "sc://h/;token=dapi-secret"], 64, ["--remote", "SPARK_REMOTE"]),
        (["--token-file", "/nonexistent/token"], 66, ["/nonexistent/token"]),
        (["--token-file", "{directory}"], 66, ["directory"]),
        (["--config", "/nonexistent.yaml"], 66, ["/nonexistent.yaml"]),
        (["--ca-file", "/nonexistent.pem"], 66, ["/nonexistent.pem"]),
        (["--ca-file", "{token}"], 66, ["{token}", "PEM"]),
        (["--listen", "unix:/nonexistent/sb.sock"], 73, ["/nonexistent/sb.sock"]),
        (["--listen", "unix:{token}"], 73, ["{token}", "not a socket"]),
        (["--listen", "localhost:{taken}"], 73, ["{taken}", "another process"]),
        (["--listen", "unix:{live}"], 73, ["{live}", "another process"]),
        (["--profile", "missing"], 78, ["missing", "profile"]),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else str(value),
)
def test_refuses_to_start(bridges, tmp_path, arguments, code, words):
    with socket.socket() as taken, socket.socket(socket.AF_UNIX) as live:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        live.bind(str(tmp_path / "live.sock"))
        live.listen()
        names = {
            "directory": tmp_path,
            "token": bridges.token_file("dapi-canary-start"),
            "taken": taken.getsockname()[1],
            "live": tmp_path / "live.sock",
        }
        arguments = [word.format(**names) for word in arguments]
        given = set(arguments)
        words_before = [] if given & {"--remote", "--profile"} else list(GOOD)
        if words_before and "--token-file" not in given:
            words_before += ["--token-file", names["token"]]
        if "--listen" not in given:
            words_before += ["--listen", "localhost:0"]
        bridge = bridges.start([*words_before, *arguments], expect_exit=code)
        assert bridge.child.wait(20) == code, bridge.child.output()
        errors = [
            fields["msg"]
            for fields in map(parse_logfmt, bridge.child.stderr)
            if fields.get("level") == "error"
        ]
        assert len(errors) == 1, bridge.child.output()
        for word in words:
            assert word.format(**names) in errors[0]
        assert "dapi-secret" not in bridge.child.output()


def test_more_directories_than_the_sandbox_takes(bridges, tmp_path):
    """What a reload will not be able to read is said at the start."""
    row = '      "#{uid}": {{config_file: /nonexistent/{uid}/%U.cfg}}\n'
    listener = '  - name: "{name}"\n    listen: ["localhost:0"]\n    profile_by_peer:\n{rows}'
    text = "version: 1\nlisteners:\n"
    for name in range(5):
        rows = "".join(row.format(uid=10_000 + 250 * name + i) for i in range(250))
        text += listener.format(name=f"l{name}", rows=rows)
    path = tmp_path / "sparkbridge.yaml"
    path.write_text(text)
    bridge = bridges.start(["--config", path, "--control", "none"]).wait_until_ready()
    said = bridge.wait_for_log(lambda fields: "leaves out" in fields["msg"])
    found = re.search(r"room for 1024 .* leaves out (\d+), the first (\S+):", said["msg"])
    assert 250 < int(found[1]) < 350 and found[2].startswith("/nonexistent/")


@pytest.mark.parametrize("option", ["--token-file", "--config", "--config-file", "--ca-file"])
def test_files_of_others(binary, tmp_path, option):
    """Files that the user may not read; root is made such a user."""
    path = tmp_path / "file"
    path.touch(0o000)
    powerless = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    environment = {} if option == "--config-file" else {"DATABRICKS_TOKEN": "t"}
    done = subprocess.run(
        [
            *(powerless if os.geteuid() == 0 else []),
            *(binary, "run", "--listen", "localhost:0", "--host", "h", "--cluster-id", "c"),
            *(option, path),
        ],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == os.EX_NOINPUT, done.stderr
    [line] = done.stderr.splitlines()
    assert str(path) in line
    assert "permission denied" in line.lower()


@pytest.mark.parametrize(
    ("remote", "phrase"),
    [
        ("http://one.example.test", "column 1: it must begin with sc://"),
        ("sc://", "column 6: the host is missing"),
        ("sc://one.example.test:99999", "column 23: a port is a number"),
        ("sc://one.example.test/path", "column 23: the path must be empty"),
        ("sc://one.example.test/;token", "column 24: this parameter has no '='"),
        ("sc://one.example.test/;a=1;A=2", "column 28: a is given twice"),
        ("sc://one.example.test/;=x", "column 24: the key in front of '=' is missing"),
        ("sc://user@one.example.test", "column 10: a user in front of the host"),
        ("sc://one.example.test/;token=dapi%ZZsecret", "column 34: in the value of token two hex"),
        ("sc://one.example.test/;token=dapi-secret;use_ssl=false", "it says use_ssl=false, but"),
    ],
)
def test_bad_connection_strings(bridges, remote, phrase):
    bridge = bridges.start(
        ["--listen", "localhost:0"], environment={"SPARK_REMOTE": remote}, expect_exit=78
    )
    assert bridge.child.wait(20) == 78
    output = bridge.child.output()
    [error] = [
        fields["msg"]
        for fields in map(parse_logfmt, bridge.child.stderr)
        if fields.get("level") == "error"
    ]
    assert error.startswith("SPARK_REMOTE: ")
    assert phrase in error
    assert "secret" not in output


# ---- secrets ----------------------------------------------------------------------------------------


def test_the_token_is_never_said(bridges, standin, primary, tmp_path, binary):
    """Flows that succeed and fail, at the most talkative level; then every output is searched."""
    token = "dapi-canary-of-this-test"
    remote = (
        f"sc://{primary.host}:{standin.gate.port}/;token={token};"
        f"x-databricks-cluster-id={primary.cluster_id}"
    )
    words = ["--listen", "localhost:0", "--ca-file", standin.ca_file, "--log-level", "debug"]
    bridge = bridges.start(words, environment={"SPARK_REMOTE": remote}).wait_until_ready()
    said = []
    with RawClient(bridge.port) as client:
        answer = client.call(METHOD, message(b"\x0a\x03abc"))
        assert answer.status == 16  # the gate does not know this token
        said += [str(answer.headers), str(answer.trailers), answer.message]
        said.append(str(client.call("X", path="/other/Service").headers))
    command_line = f"/proc/{bridge.child.pid}/cmdline"
    with open(command_line, "rb") as file:
        said.append(file.read().decode())
    bridge.child.send_signal(signal.SIGHUP)
    bridge.wait_for_log(lambda fields: fields.get("msg") == "reloaded")
    for command in ("explain", "explain --json", "explain --compare", "check", "check --json"):
        done = subprocess.run(
            [binary, *command.split()],
            env={"SPARK_REMOTE": remote, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=30,
        )
        said += [done.stdout, done.stderr]
    said.append(bridge.child.output())
    assert check_output("\n".join(said), [token, primary.token]) == []
