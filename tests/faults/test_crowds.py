"""As many connections as are allowed: an idle one makes place, one with a call never does."""

import json

import pytest
from frames import GOAWAY, HEADERS, PREFACE, REQUEST, RESET, Link, headers, settings
from h2.errors import ErrorCodes
from scene import METHOD, SOON_S, describe

AGAIN = "10 bytes, trailers 0"
ELSEWHERE = [(name, "/elsewhere" if name == ":path" else value) for name, value in REQUEST]
LIMITS = {"of a user": {"connections_per_user": 2}, "of all": {"connections": 2}}


@pytest.fixture(params=LIMITS)
def crowded(request, scenes, tmp_path):
    """A scene where two clients may connect."""
    config = tmp_path / "crowd.yaml"
    config.write_text(json.dumps({"version": 1, "limits": LIMITS[request.param]}))  # JSON is YAML
    return scenes(arguments=["--config", str(config)])


@pytest.fixture
def idle(crowded):
    """A client that has not called yet."""
    link = Link(crowded.dial(), is_server=False)
    link.send(PREFACE, settings())
    link.ping()
    yield link
    link.close()


def check_told(link):
    """GOAWAY without an error, and the end: what every client takes for a reason to reconnect."""
    assert link.wait(GOAWAY).error_code == ErrorCodes.NO_ERROR
    assert link.wait_for_end(SOON_S) == "FIN"
    link.close()


def test_the_idle_one_makes_place(crowded, idle):
    """Not the one with a call, though it was there before."""
    with crowded.client() as busy, crowded.client() as third:
        check_told(idle)
        stream, request = crowded.begin(busy)
        crowded.check_works(third)
        request.answer(b"again")
        assert describe(busy.wait_for_end(stream, timeout=SOON_S)) == AGAIN
    crowded.check_nothing_is_left()


def test_the_longest_idle_one_makes_place(crowded, idle):
    """A call counts: who had one since is kept."""
    with crowded.client() as client:
        client.ping()
        idle.send(headers(1, ELSEWHERE, end=True))
        idle.wait(HEADERS, 1)
        with crowded.client() as third:
            crowded.check_works(third)
            client.wait_for_goaway(timeout=SOON_S)
            idle.ping()


def test_one_that_is_cut_already_makes_place(scenes, tmp_path):
    """A client that said nothing has a moment left to read why: who comes then takes its place."""
    config = tmp_path / "crowd.yaml"
    limits = {"connections_per_user": 4}
    timeouts = {"preface": "1s"}
    config.write_text(json.dumps({"version": 1, "limits": limits, "timeouts": timeouts}))
    scene = scenes(arguments=["--config", str(config)])
    silent = [scene.dial() for _ in range(4)]
    cut = "client connection cut: too many"
    scene.bridge.wait_for_log(lambda fields: fields.get("msg") == cut, timeout=SOON_S)
    silent += [scene.dial() for _ in range(8)]
    with scene.client() as client:
        scene.check_works(client)
    for sock in silent:
        sock.close()
    scene.check_nothing_is_left()


def test_a_refused_call_is_not_reset_besides(scenes, tmp_path):
    """It has ended on both sides: a reset of ours would count as a fault of the client's."""
    config = tmp_path / "calls.yaml"
    config.write_text(json.dumps({"version": 1, "limits": {"calls_per_user": 1}}))
    scene = scenes(arguments=["--config", str(config)])
    link = Link(scene.dial(), is_server=False)
    link.send(PREFACE, settings(), headers(1, REQUEST, end=True))
    request = scene.upstream.request()
    link.send(headers(3, REQUEST, end=True))
    assert dict(link.wait(HEADERS, 3).fields)["grpc-status"] == "8"
    request.answer(b"again")
    link.until(lambda: len(link.all(HEADERS, 1)) == 2)
    link.ping()
    assert link.all(RESET) == []
    link.close()


def test_without_an_idle_one_the_next_is_refused(crowded):
    with crowded.client() as first, crowded.client() as second:
        calls = [(client, *crowded.begin(client)) for client in (first, second)]
        with crowded.client() as third:
            refused = third.wait_for_end(third.start(METHOD, end=True), timeout=SOON_S)
            assert describe(refused) == "Trailers-Only 8"
            assert "limits.connections" in refused.message
        for client, stream, request in calls:
            request.answer(b"again")
            assert describe(client.wait_for_end(stream, timeout=SOON_S)) == AGAIN
        with crowded.client() as third:
            crowded.check_works(third)
