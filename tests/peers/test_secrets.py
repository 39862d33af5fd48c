"""Where a token is and where it never is: a marked one goes through everything the daemon does."""

import base64
import json
import os
import signal
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
from daemons import addresses_of
from memory import places_of
from notes import METHOD, call_as
from people import ALICE, MALLORY, ROOT
from workspace.scripted import GRPC_HEADERS, message

PATH = f"/spark.connect.SparkConnectService/{METHOD}"


def outside_of_guarded_memory(bridge, token):
    """In which forms the token is in memory that is not made for secrets."""
    places = places_of(bridge.child.pid, token)
    assert any(places.values())  # the search finds what there is
    return {form for form, found in places.items() if not all(f.is_guarded for f in found)}


def is_anywhere(bridge, token):
    return any(places_of(bridge.child.pid, token).values())


# ---- where a token comes from -----------------------------------------------------------------


def by_profile(daemons, host, token):
    del host, token
    return {}


def by_token_file(daemons, host, token):
    path = daemons.write(daemons.directory(ROOT) / "token", token, ROOT)
    return {"connection": {"host": host, "token_file": path, "cluster_id": "1122-334455-canary12"}}


def by_file(daemons, host, token):
    remote = f"sc://{host.removeprefix('https://')}/;token={token};x-databricks-cluster-id=1-2-c"
    return {"remote": remote}


def by_variable_in_file(daemons, host, token):
    return {**by_file(daemons, host, "${CANARY}"), "environment": {"CANARY": token}}


def by_environment(daemons, host, token):
    variables = {
        "DATABRICKS_HOST": host,
        "DATABRICKS_TOKEN": token,
        "DATABRICKS_CLUSTER_ID": "1122-334455-canary12",
    }
    return {"environment": variables, "config_file": "/nowhere"}


def by_spark_remote(daemons, host, token):
    remote = by_file(daemons, host, token)["remote"]
    return {"environment": {"SPARK_REMOTE": remote}, "config_file": "/nowhere"}


@pytest.mark.parametrize(
    "source",
    [by_profile, by_token_file, by_file, by_variable_in_file, by_environment, by_spark_remote],
)
def test_start(source, release_daemons, workspace, dialers):
    """Once it is ready, no source of the token has left it anywhere but where secrets are."""
    token = workspace.token("own")
    options = source(release_daemons, f"https://workspace.test:{workspace.port}", token)
    bridge = release_daemons.start(**options)
    assert outside_of_guarded_memory(bridge, token) == set()
    for name in ("environ", "cmdline"):
        assert token.encode() not in Path(f"/proc/{bridge.child.pid}/{name}").read_bytes()
    with dialers[ROOT].client(addresses_of(bridge)[0]) as client:
        assert call_as(client, "root").status == 0
    assert workspace.of("root") == {"own"}


# ---- what a workspace says --------------------------------------------------------------------


def in_message(sent):
    return [*GRPC_HEADERS, ("grpc-status", "13"), ("grpc-message", f"you sent {sent}")], b"", []


def percent_encoded(sent):
    encoded = "".join(f"%{byte:02X}" for byte in sent.encode())
    return [*GRPC_HEADERS, ("grpc-status", "13"), ("grpc-message", encoded)], b"", []


def in_trailers(sent):
    fields = [("grpc-status", "3"), ("grpc-message", f"you sent {sent}"), ("x-request-id", sent)]
    return GRPC_HEADERS, message(b"rows"), fields


def in_base64(sent):
    details = base64.b64encode(b"\x08\x03" + sent.encode()).decode()
    return [*GRPC_HEADERS, ("grpc-status", "3"), ("grpc-status-details-bin", details)], b"", []


def in_headers(sent):
    return [*GRPC_HEADERS, ("x-request-id", sent)], message(b"rows"), [("grpc-status", "0")]


def in_html(status):
    def page(sent):
        kind = [("content-type", "text/html"), ("x-databricks-reason", sent)]
        return [(":status", status), *kind], f"<p>you sent {sent}</p>".encode(), []

    return page


ECHOES = [
    in_message, percent_encoded, in_trailers, in_base64, in_headers, in_html("403"), in_html("500")
]  # fmt: skip


def echo(form):
    """A workspace that shows what it was sent."""

    async def handler(stream):
        await stream.body()
        headers, body, trailers = form(stream.value("authorization"))
        stream.send_headers(headers, end=not body)
        if body:
            await stream.send_data(body, end=not trailers)
        if trailers:
            stream.send_headers(trailers, end=True)

    return handler


def texts_of(answer):
    """All that a client can read in an answer."""
    for name, value in (answer.headers or []) + (answer.trailers or []):
        yield value
        yield unquote(value)
        if name.endswith("-bin"):
            yield base64.b64decode(value + "==").decode("latin-1")
    yield answer.data.decode("latin-1")


def use_in_every_way(daemons, bridge, workspace, client, token):
    """Calls, errors that quote the token, questions, and reloads that fail and that succeed; all
    texts that came of it, but for the daemon's own output."""
    texts = []
    for form in ECHOES:
        workspace.on(PATH, echo(form))
        for _ in range(3):
            texts += texts_of(call_as(client, "echo"))
    workspace.on(PATH, workspace.note)
    texts += texts_of(call_as(client, "plain"))

    config = str(daemons.directory(ROOT) / "sparkbridge.yaml")
    control = f"unix:{daemons.directory(ROOT)}/control.sock"
    good = daemons.profile("own")
    for bad in (f"[DEFAULT]\ntoken {token}\n", f"{good}{token}\n", f"{good}token = {token}x\n"):
        daemons.profile_file(ROOT, "own.cfg", bad)
        texts.append(json.dumps(daemons.ask(command="reload")))
        texts += said(daemons.tool("check", "--config", config))
    daemons.profile_file(ROOT, "own.cfg", good)
    assert daemons.ask(command="reload")["ok"]
    texts.append(json.dumps(daemons.ask()))
    for words in (
        ["status", "--control", control],
        ["status", "--json", "--control", control],
        ["explain", "--config", config],
        ["explain", "--json", "--config", config],
        ["check", "--config", config],
        ["check", "--json", "--config", config],
        ["profiles", "--config-file", str(daemons.directory(ROOT) / "own.cfg")],
    ):
        done = daemons.tool(*words)
        assert done.returncode == 0, done.stderr
        texts += said(done)
    return texts


def said(done):
    return done.stdout, done.stderr


@pytest.mark.parametrize("build", ["sanitized", "release"])
def test_canary(build, request, workspace, dialers):
    """After all of it the token is in no text, and in memory only where it has to be: guarded, and
    as HPACK wrote it in the buffers of the connection to the workspace."""
    daemons = request.getfixturevalue("daemons" if build == "sanitized" else "release_daemons")
    token = workspace.token("own")
    bridge = daemons.start(peer_users=["self", "alice"], listen=["localhost:0"])
    with dialers[ALICE].client(addresses_of(bridge)[0]) as client:
        for _ in range(3):
            texts = use_in_every_way(daemons, bridge, workspace, client, token)
            assert [text for text in texts if token in text] == []
    with dialers[MALLORY].client(addresses_of(bridge)[0]) as client:
        assert token not in "".join(texts_of(call_as(client, "mallory")))
    for name in ("environ", "cmdline"):
        assert token.encode() not in Path(f"/proc/{bridge.child.pid}/{name}").read_bytes()
    assert token not in bridge.child.output()
    assert "level=debug" in bridge.child.output()


# ---- memory -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [None, *ECHOES])
def test_token_of_before_a_reload(form, release_daemons, workspace, dialers):
    """It is nowhere in memory when another has taken its place, not even where the workspace had
    sent it back; and while it was in use it was, beside guarded memory, in the buffers of the
    connection to the workspace alone, as HPACK writes it."""
    token = workspace.token("own")
    bridge = release_daemons.start(listen=["localhost:0"])
    if form:
        workspace.on(PATH, echo(form))
    with dialers[ROOT].client(addresses_of(bridge)[0]) as client:
        for _ in range(20):
            call_as(client, "root")
        if form is None:
            assert outside_of_guarded_memory(bridge, token) <= {"huffman", "huffman alone"}
        release_daemons.profile_file(ROOT, "own.cfg", release_daemons.profile("next"))
        assert release_daemons.ask(command="reload")["ok"]
        # What the loop does before it waits again, it has done when it answers the next question.
        assert release_daemons.ask(command="status")["ok"]
        assert not is_anywhere(bridge, token)
        workspace.on(PATH, workspace.note)
        assert call_as(client, "after").status == 0
    assert workspace.of("after") == {"next"}


def dumps_core(command, **options):
    """Whether a process that aborts leaves a core file where it runs."""
    with subprocess.Popen(command, **options) as process:
        how = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        process.wait()
    return how.si_code == os.CLD_DUMPED


@pytest.fixture
def core_directory(tmp_path):
    """Where core files go, on a machine that writes them there."""
    if Path("/proc/sys/kernel/core_pattern").read_text().strip() not in ("core", "core.%p"):
        pytest.skip("core files do not go to the working directory of a process here")
    if not dumps_core(["sh", "-c", "ulimit -c unlimited; kill -ABRT $$"], cwd=tmp_path):
        pytest.skip("there are no core files here")
    for file in tmp_path.glob("core*"):
        file.unlink()
    return tmp_path


@pytest.mark.parametrize("forced", [False, True])
def test_core(forced, core_directory, release_daemons, intruder, workspace, dialers):
    """There is none; and one that is forced, against the daemon's will, has all but the guarded
    memory."""
    token = workspace.token("own")
    environment = {"LD_PRELOAD": intruder, "INTRUDER_ACT": "show memory"} if forced else {}
    bridge = release_daemons.start(
        prefix=["prlimit", "--core=unlimited"],
        arguments=("--sandbox", "off"),
        environment=environment,
        expect_exit=-signal.SIGABRT,
    )
    with dialers[ROOT].client(addresses_of(bridge)[0]) as client:
        assert call_as(client, "root").status == 0
    if forced:
        bridge.child.send_signal(signal.SIGUSR1)
        bridge.child.wait_for_line(lambda line: line == "intruder: done", timeout=30)
    bridge.child.send_signal(signal.SIGABRT)
    bridge.child.wait(30)
    cores = list(core_directory.glob("core*"))
    assert bool(cores) == forced
    for core in cores:
        content = core.read_bytes()
        assert b"workspace.test" in content and token.encode() not in content
