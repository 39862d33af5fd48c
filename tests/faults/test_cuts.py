"""The connection is cut at every frame of a call, and in the middle of every frame, on either side.

A call that has not been sent yet goes by another connection, unseen by the client. After that its
client gets 14, as Trailers-Only or as trailers behind the whole messages that came; where it has
part of a message already, RST_STREAM(REFUSED_STREAM). It never gets status 0 and never loses its
connection. The other way round, the workspace sees RST_STREAM(CANCEL), or nothing at all.
"""

import pytest
from frames import (
    ANSWER,
    HEADERS,
    OK,
    PREFACE,
    REQUEST,
    SETTINGS,
    Link,
    data,
    headers,
    message,
    serialize,
    settings,
    settings_ack,
)
from scene import METHOD, SOON_S, describe

FIRST, SECOND = message(b"a" * 100), message(b"b" * 200)

# The answer that is cut: a frame, and what the client has of it once it has come in whole.
SCRIPT = [
    ("HEADERS", headers(1, ANSWER)),
    ("DATA with a message", data(1, FIRST)),
    ("DATA with half a message", data(1, SECOND[:100])),
    ("DATA with the other half", data(1, SECOND[100:])),
    ("trailers", headers(1, OK, end=True)),
]
# What the client sees when the cut comes after so many of these frames.
OUTCOMES = [
    "Trailers-Only 14",
    "0 bytes, trailers 14",
    "105 bytes, trailers 14",
    "205 bytes, RST REFUSED_STREAM",
    "310 bytes, trailers 14",
    "310 bytes, trailers 0",
]
HOW = {
    "FIN": Link.close,
    "RST": Link.abort,
}


def half(frame):
    """The first half of a frame: more than its header where it has a payload to speak of."""
    whole = serialize([frame])
    return whole[: max(5, len(whole) // 2)]


def places():
    """Rows: how many frames come in whole, and whether half of the next one follows."""
    for count in range(len(SCRIPT) + 1):
        name = f"after {SCRIPT[count - 1][0]}" if count else "before the answer"
        yield pytest.param(count, False, id=name)
        if count < len(SCRIPT):
            yield pytest.param(count, True, id=f"in {SCRIPT[count][0]}")


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(("count", "inside"), list(places()))
def test_upstream_is_cut(scene, client, count, inside, how):
    stream, request = scene.begin(client)
    assert request.stream == 1
    request.link.send(*(frame for _, frame in SCRIPT[:count]))
    sent = sum(len(frame.data) for name, frame in SCRIPT[:count] if "DATA" in name)
    if count == len(SCRIPT):
        client.wait_for_end(stream)
    elif count:
        client.wait_for(stream, lambda answer: answer.headers and len(answer.data) == sent)
    if inside:
        part = half(SCRIPT[count][1])
        request.link.send_bytes(part)
        if "DATA" in SCRIPT[count][0]:  # nghttp2 hands on the part of a frame that has come
            sent += len(part) - 9
            client.wait_for(stream, lambda answer: len(answer.data) == sent)
    HOW[how](request.link)
    answer = client.wait_for_end(stream, timeout=SOON_S)
    boundary = sent in (0, len(FIRST), len(FIRST + SECOND))
    if inside and not boundary:
        assert describe(answer) == f"{sent} bytes, RST REFUSED_STREAM"
    else:
        assert describe(answer) == OUTCOMES[count]
    if answer.status == 14:
        assert "sparkbridge: the connection to workspace.test" in answer.message.replace("%20", " ")


@pytest.mark.parametrize(
    ("count", "outcome"), [(1, "0 bytes, trailers 14"), (3, "105 bytes, trailers 14")]
)
def test_upstream_is_cut_at_once(scene, client, count, outcome):
    """The end comes with the frames in one segment: whole messages are delivered, no part is."""
    stream, request = scene.begin(client)
    link = request.link
    link.tls.write(serialize(frame for _, frame in SCRIPT[:count]))
    with pytest.raises(OSError):  # it wants to read the other side's close_notify
        link.tls.unwrap()
    link.flush()
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == outcome


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("stage", ["TCP", "TLS", "half of SETTINGS", "SETTINGS and close_notify"])
def test_upstream_is_cut_before_the_call_was_sent(scene, client, stage, how):
    """Nothing was sent, so it goes by another connection: the client sees an ordinary answer."""
    upstream = scene.upstream
    stream = client.start(METHOD, end=True)
    link = upstream.accept()
    if stage != "TCP":
        link.shake_hands()
    if stage == "half of SETTINGS":
        link.send_bytes(half(settings(x_99=1)))
    elif stage == "SETTINGS and close_notify":
        link.tls.write(serialize([settings()]))
        with pytest.raises(OSError):
            link.tls.unwrap()
        link.flush()
        link.wait_for_end()
    HOW[how](link)
    upstream.request().answer(b"elsewhere")
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "14 bytes, trailers 0"


def test_upstream_is_cut_before_it_ever_worked(scenes):
    """Nobody waits for a workspace that was never there: 9, which clients show at once."""
    scene = scenes()
    with scene.client() as client:
        stream = client.start(METHOD, end=True)
        scene.upstream.accept().close()
        answer = client.wait_for_end(stream, timeout=SOON_S)
    assert describe(answer) == "Trailers-Only 9"
    scene.check_nothing_is_left()


# ---- the client goes -----------------------------------------------------------------------------

BODY = message(b"c" * 100)
REQUEST_SCRIPT = [
    ("preface", PREFACE),
    ("SETTINGS", settings()),
    ("SETTINGS ACK", settings_ack()),
    ("HEADERS", headers(1, REQUEST)),
    ("half a message", data(1, BODY[:50])),
    ("the other half", data(1, BODY[50:])),
    ("END_STREAM", data(1, b"", end=True)),
]
CALL_IS_SENT = 4  # with so many of them


def request_places():
    for count in range(len(REQUEST_SCRIPT) + 1):
        name = f"after {REQUEST_SCRIPT[count - 1][0]}" if count else "before the preface"
        yield pytest.param(count, False, id=name)
        if count < len(REQUEST_SCRIPT):
            yield pytest.param(count, True, id=f"in {REQUEST_SCRIPT[count][0]}")


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(("count", "inside"), list(request_places()))
def test_client_goes(scene, upstream, count, inside, how):
    """The workspace hears of it where it has the call, at once; else it never hears of the call."""
    parts = [serialize([frame]) for _, frame in REQUEST_SCRIPT]
    link = Link(scene.dial(), is_server=False)
    link.send_bytes(b"".join(parts[:count]) + (half(REQUEST_SCRIPT[count][1]) if inside else b""))
    if count >= CALL_IS_SENT:
        request = upstream.request()
        size = sum(len(part) - 9 for part in parts[CALL_IS_SENT:count])
        request.wait_for_body(size)
        HOW[how](link)
        assert request.wait_for_reset(SOON_S) == 8
        return
    if count >= 2:
        link.wait(SETTINGS)
    HOW[how](link)
    # Later calls have a connection to go by; this one is on none of them.
    with scene.client() as client:
        scene.check_works(client)
    assert [frame for each in upstream.links for frame in each.calls] == []


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("state", ["headers", "a message", "half a message"])
def test_client_goes_during_the_answer(upstream, frame_client, state, how):
    link = frame_client()
    link.send(headers(1, REQUEST, end=True))
    request = upstream.request()
    count = ["headers", "a message", "half a message"].index(state) + 1
    request.link.send(*(frame for _, frame in SCRIPT[:count]))
    link.wait(HEADERS, 1)
    HOW[how](link)
    assert request.wait_for_reset(SOON_S) == 8
