"""GOAWAY and REFUSED_STREAM: what provably did not run is sent again, unseen by the client."""

import signal

import pytest
from frames import (
    ANSWER,
    GOAWAY,
    HEADERS,
    OK,
    PREFACE,
    REQUEST,
    RESET,
    Link,
    credit,
    data,
    goaway,
    headers,
    message,
    reset,
    settings,
)
from h2.errors import ErrorCodes
from scene import METHOD, SOON_S, describe

MAX_ID = (1 << 31) - 1
ROOM_FOR_REPLAY = 64 * 1024  # BODY_KEEP_BYTES
ATTEMPTS = 4  # 1 + CALL_MAX_REPLAYS

WHOLE = "10 bytes, trailers 0"  # an answer by request.answer(b"again")

# code and debug data of a GOAWAY
KINDS = {
    "NO_ERROR": (0, b""),
    "INTERNAL_ERROR": (2, b""),
    "ENHANCE_YOUR_CALM with debug data": (11, b"too_many_pings"),
}


@pytest.mark.parametrize("stays", [True, False], ids=["stays open", "closes"])
@pytest.mark.parametrize("kind", KINDS)
def test_before_the_call(scene, client, kind, stays):
    """On an idle connection: the next call goes by another one."""
    scene.check_works(client)
    [link] = scene.upstream.links
    link.send(goaway(1, *KINDS[kind]))
    if not stays:
        link.close()
    else:
        link.wait_for_end()  # the bridge has nothing to keep it for
    stream, request = scene.begin(client)
    assert request.link is not link
    request.answer(b"again")
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE


@pytest.mark.parametrize("last", [1, MAX_ID], ids=["its id", "2^31-1"])
@pytest.mark.parametrize("kind", KINDS)
def test_during_the_call_that_is_below(scene, client, kind, last):
    """It goes on to its end; the next call goes elsewhere meanwhile."""
    stream, request = scene.begin(client)
    request.send(headers(1, ANSWER), goaway(last, *KINDS[kind]))
    client.wait_for(stream, lambda answer: answer.headers)
    scene.check_works(client)
    assert len(scene.upstream.links) == 2
    request.send(data(1, message(b"again")), headers(1, OK, end=True))
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE


@pytest.mark.parametrize("kind", KINDS)
def test_during_the_call_that_is_above(scene, client, kind):
    """Of two calls the second did not run: it is sent again; the first goes on."""
    first, below = scene.begin(client)
    second, above = scene.begin(client, message(b"question"))
    assert above.link is below.link
    below.send(goaway(below.stream, *KINDS[kind]))
    again = scene.upstream.request()
    assert again.link is not below.link
    assert again.wait_for_body(13) == message(b"question")
    assert again.fields == above.fields
    for request, stream in ((again, second), (below, first)):
        request.answer(b"again")
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE


def test_above_when_its_answer_had_begun(scene, client):
    """A peer that contradicts itself: the stream is lost, and clients re-attach."""
    stream, request = scene.begin(client)
    request.send(headers(1, ANSWER), data(1, message(b"x")))
    client.wait_for(stream, lambda answer: answer.data)
    request.send(goaway(0))
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "6 bytes, trailers 14"


def test_twice(scene, client):
    """As gRPC servers do it: 2^31-1 first, and then the last stream that was taken."""
    first, below = scene.begin(client)
    below.send(goaway(MAX_ID))
    below.link.ping()
    second, elsewhere = scene.begin(client)
    assert elsewhere.link is not below.link
    below.send(goaway(below.stream))
    for request, stream in ((below, first), (elsewhere, second)):
        request.answer(b"again")
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE
    below.link.wait_for_end()


def test_after_the_answer(scene, client):
    stream, request = scene.begin(client)
    request.answer(b"again")
    request.send(goaway(1))
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE
    request.link.wait_for_end()


@pytest.mark.parametrize("kind", KINDS)
def test_and_the_connection_ends_at_once(scene, client, kind):
    """The call was below: nobody knows whether it ran, so the client is told, by 14."""
    stream, request = scene.begin(client)
    request.send(goaway(1, *KINDS[kind]))
    request.link.close()
    answer = client.wait_for_end(stream, timeout=SOON_S)
    assert describe(answer) == "Trailers-Only 14"


def test_in_one_segment_with_settings(scene, client):
    """The call was not even sent: it goes elsewhere."""
    scene.upstream.hello = [settings(), goaway(0)]
    stream = client.start(METHOD, end=True)
    scene.upstream.open()
    scene.upstream.hello = [settings()]
    scene.upstream.request().answer(b"again")
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE


def test_always_in_one_segment_with_settings(scene, client):
    """A workspace that never takes a call is asked four times, then the client is told."""
    scene.upstream.hello = [settings(), goaway(0)]
    stream = client.start(METHOD, end=True)
    for _ in range(ATTEMPTS):
        scene.upstream.open()
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "Trailers-Only 14"
    scene.upstream.hello = [settings()]


REFUSALS = {
    "REFUSED_STREAM": lambda request: request.send(reset(request.stream, 7)),
    "GOAWAY": lambda request: request.send(goaway(0)),
}


@pytest.mark.parametrize("how", REFUSALS)
@pytest.mark.parametrize("refusals", range(1, ATTEMPTS + 1))
def test_refused_so_often(scene, client, how, refusals):
    body = message(b"q" * 1000)
    stream, request = scene.begin(client, body)
    for _ in range(refusals - 1):
        REFUSALS[how](request)
        request = scene.upstream.request()
    assert request.wait_for_body(len(body)) == body
    REFUSALS[how](request)
    if refusals == ATTEMPTS:
        answer = client.wait_for_end(stream, timeout=SOON_S)
        assert describe(answer) == "Trailers-Only 14"
        return
    request = scene.upstream.request()
    assert request.wait_for_body(len(body)) == body
    request.answer(b"again")
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE


@pytest.mark.parametrize("how", REFUSALS)
@pytest.mark.parametrize(
    ("size", "outcome"),
    [
        (ROOM_FOR_REPLAY // 2, WHOLE),
        (ROOM_FOR_REPLAY - 1, WHOLE),
        (ROOM_FOR_REPLAY + 1, "Trailers-Only 14"),
        (4 * ROOM_FOR_REPLAY, "Trailers-Only 14"),
    ],
)
def test_refused_with_a_body(scene, client, how, size, outcome):
    """Up to 64 KiB of a body are kept. Where more was sent, the client must send it again."""
    scene.upstream.hello = [settings(initial_window_size=1 << 20)]
    body = message(bytes(range(256)) * (size // 256 + 1))[:size]
    client.start("Interrupt", end=True)  # a first stream, so that GOAWAY 0 refuses both
    other = scene.upstream.request()
    other.link.send(credit(0, 1 << 20))
    stream, request = scene.begin(client, body)
    request.wait_for_body(size)
    other.answer()
    REFUSALS[how](request)
    if outcome == WHOLE:
        again = scene.upstream.request()
        if again.link is not request.link:
            again.link.send(credit(0, 1 << 20))
        assert again.wait_for_body(size) == body
        again.answer(b"again")
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == outcome


@pytest.mark.parametrize("how", REFUSALS)
def test_refused_while_the_client_still_sends(scene, client, how):
    """What came before the refusal and what comes after it arrive in order, once."""
    stream, request = scene.begin(client, message(b"one"), end=False)
    request.wait_for_body(8)
    REFUSALS[how](request)
    again = scene.upstream.request()
    client.send(stream, message(b"two"), end=True)
    assert again.wait_for_body(16) == message(b"one") + message(b"two")
    again.link.until(lambda: again.ended)
    again.answer(b"again")
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE


def test_refused_and_then_cancelled(scene, client):
    """The client leaves while its call waits for another connection: nobody sees it again."""
    stream, request = scene.begin(client)
    request.send(goaway(0))
    link = scene.upstream.accept()
    client.cancel(stream)
    client.ping()
    link.hello, link.acknowledges = scene.upstream.hello, True
    link.shake_hands()
    link.ping()
    assert link.calls == []


# ---- the client says GOAWAY ----------------------------------------------------------------------


@pytest.mark.parametrize("last", [0, 2, MAX_ID - 1])
def test_client_says_goaway(upstream, frame_client, last):
    """It opens nothing more; what runs goes on, and then the bridge closes."""
    link = frame_client()
    link.send(headers(1, REQUEST, end=True))
    request = upstream.request()
    link.send(goaway(last))
    request.answer(b"again")
    link.until(lambda: link.all(HEADERS, 1)[1:])
    assert link.data(1) == message(b"again")
    link.wait_for_end(SOON_S)


@pytest.mark.parametrize("last", [1, 5], ids=["1", "5"])
def test_client_says_goaway_with_an_odd_id(upstream, frame_client, last):
    """As grpc-go does when it leaves: an id that is not the server's. The connection ends, and the
    workspace sees CANCEL."""
    link = frame_client()
    link.send(headers(1, REQUEST, end=True))
    request = upstream.request()
    link.send(goaway(last))
    assert request.wait_for_reset(SOON_S) == ErrorCodes.CANCEL
    assert link.wait(GOAWAY).error_code == ErrorCodes.PROTOCOL_ERROR
    link.wait_for_end(SOON_S)
    assert link.all(RESET) == []


def test_a_watch_that_begins_while_the_bridge_drains(scenes):
    """Between the notice and its acknowledgement calls are still taken: this one would never end."""
    scene = scenes()
    link = Link(scene.dial(), is_server=False)
    link.answers_pings = False
    link.send(PREFACE, settings())
    link.ping()
    scene.bridge.child.send_signal(signal.SIGTERM)
    link.wait(GOAWAY)
    watch = [(n, "/grpc.health.v1.Health/Watch" if n == ":path" else v) for n, v in REQUEST]
    link.send(headers(1, watch), data(1, message(b""), end=True))
    link.until(lambda: len(link.all(HEADERS, 1)) == 2)
    assert dict(link.all(HEADERS, 1)[1].fields)["grpc-status"] == "14"
    assert link.data(1).endswith(message(b"\x08\x02"))  # NOT_SERVING
    link.close()
    assert scene.bridge.child.wait(SOON_S) == 0
