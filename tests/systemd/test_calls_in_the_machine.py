"""Real calls through the installed service: queries, also while it reloads and restarts."""

import subprocess
import sys

import pytest
from installed import CONFIG, HeldCall
from machine import wait_for
from workspace.scripted import GRPC_HEADERS

SOCKETS = ["unix:/run/sparkbridge.sock", "sc://localhost:15002"]
ECHO = "/spark.connect.SparkConnectService/TestEcho"


@pytest.fixture(scope="module")
def people(forwarding):
    """PySpark of two users."""
    clients = {user: forwarding.spark(user) for user in ("alice", "carol")}
    yield clients
    for client in clients.values():
        client.stop()


@pytest.fixture(scope="module")
def echo(workspace):
    async def handler(stream):
        stream.send_headers(GRPC_HEADERS)
        async for chunk in stream.chunks():
            await stream.send_data(chunk)
        stream.trailers(0)

    workspace.scripted.on(ECHO, handler)
    return ECHO


@pytest.fixture
def config(forwarding):
    text = forwarding.machine.run("cat", CONFIG)
    yield text
    forwarding.put(CONFIG, text.rstrip("\n"), "644")
    forwarding.start()


def knock(installed):
    """Somebody who connects all the time, by both sockets."""
    return installed.machine.start(
        *(sys.executable, "/srv/tests/knocker.py", "/run/sparkbridge.sock", "15002"),
        user="alice", text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def visits(knocking):
    """How often he was served; he never was not."""
    served, *faults = knocking.communicate(timeout=60)[0].splitlines()
    assert faults == []
    return int(served)


def begin_loads(people):
    """Loads of all users by both sockets; futures of whether every answer was right."""
    return [
        client.submit("mixed", target, session=f"load-{index}", rounds=4, seed=index)
        for index, (client, target) in enumerate(
            (client, target) for client in people.values() for target in SOCKETS
        )
    ]


@pytest.mark.parametrize("target", SOCKETS)
def test_a_query_of_another_user(people, forwarding, workspace, target):
    """PySpark of a user without a token, cluster or code, and the service's credential."""
    assert people["alice"].run("range", target, end=1000) == list(range(1, 1000))
    assert people["carol"].run("sql", target, query="select 6 * 7") == [[42]]
    tenant = workspace.tenants[0]
    request = workspace.gate.requests()[-1]
    assert request["authorization"] == f"Bearer {tenant.token}"
    assert request["cluster"] == tenant.cluster_id


def test_reloads_lose_no_call(people, forwarding, config):
    """Two users by two sockets, and each reload replaces what calls are made with."""
    pid = forwarding.show("MainPID")
    loads = begin_loads(people)
    knocking = knock(forwarding)
    reloads = 0
    while reloads < 5 or not all(load.done() for load in loads):
        window = ("1MiB", "4MiB")[reloads % 2]
        forwarding.put(CONFIG, f"{config}upstream:\n  stream_window: {window}", "644")
        forwarding.reload()
        reloads += 1
    assert [load.result().get("value") for load in loads] == [True] * 4, loads
    assert visits(knocking) > 0
    assert forwarding.show("MainPID") == pid


def test_a_stream_outlives_reloads(forwarding, config, echo):
    """A call that is open goes on over the connection that it began on."""
    held = HeldCall(forwarding, SOCKETS[0], echo)
    assert held.say("before") == "before"
    for window in ("1MiB", "2MiB"):
        forwarding.put(CONFIG, f"{config}upstream:\n  stream_window: {window}", "644")
        forwarding.reload()
        assert held.say(window) == window
    assert held.end() == "OK"


def test_a_restart_waits_for_open_calls(forwarding, echo):
    """What runs may finish; who connects meanwhile waits and is served by the next daemon."""
    pid = forwarding.show("MainPID")
    held = HeldCall(forwarding, SOCKETS[0], echo)
    assert held.say("before") == "before"
    restart = forwarding.machine.start("systemctl", "restart", "sparkbridge.service")
    wait_for(lambda: forwarding.show("SubState") == "stop-sigterm", "it drains")
    words = (sys.executable, "/srv/tests/client.py", "localhost:15002")
    late = forwarding.machine.start(
        *words, "/grpc.health.v1.Health/Check", user="alice", text=True, stdout=subprocess.PIPE
    )
    assert held.say("meanwhile") == "meanwhile"
    assert forwarding.show("MainPID") == pid
    assert forwarding.show("StatusText") == "draining: running calls may finish"
    assert held.end() == "OK"
    assert late.communicate(timeout=60)[0].strip() == "SERVING"
    assert restart.wait(60) == 0
    assert forwarding.show("MainPID") != pid


def test_a_restart_does_not_wait_for_ever(forwarding, config, echo):
    """After timeouts.drain a call is ended so that clients know it as lost."""
    forwarding.put(CONFIG, config.replace("timeouts:", "timeouts:\n  drain: 300ms"), "644")
    forwarding.reload()
    ended = forwarding.events("08")
    held = HeldCall(forwarding, SOCKETS[0], echo)
    assert held.say("before") == "before"
    forwarding.machine.run("systemctl", "restart", "sparkbridge.service")
    assert held.end() == "UNAVAILABLE"
    assert forwarding.events("08") == ended + 1
    assert forwarding.ask(SOCKETS[0]) == "SERVING"


def test_restarts_under_load(people, forwarding):
    """A query that runs ends by the old daemon, loads go over to the new one, and nobody who
    connects is refused."""
    alice, carol = people["alice"], people["carol"]
    nap = alice.submit("nap", SOCKETS[0], session="nap", seconds=2, marker="machine")
    carol.run("wait_until_runs", SOCKETS[1], marker="machine")
    knocking = knock(forwarding)
    loads = begin_loads(people)
    for _ in range(3):
        forwarding.machine.run("systemctl", "restart", "sparkbridge.service")
    assert nap.result(60).get("value") == [0]
    assert [load.result(120).get("value") for load in loads] == [True] * 4, loads
    assert visits(knocking) > 0
    assert forwarding.show("NRestarts") == "0"
