"""Credit in drops, windows below zero, SETTINGS that change in mid-call, and windows that overflow.

The clients here are made of frames: a library would give credit by itself.
"""

import select

import pytest
from frames import (
    ANSWER,
    DATA,
    GOAWAY,
    HEADERS,
    OK,
    PING,
    REQUEST,
    RESET,
    SETTINGS,
    credit,
    data,
    headers,
    message,
    settings,
    settings_ack,
)
from h2.errors import ErrorCodes
from scene import METHOD, SOON_S, describe

MAX_WINDOW = (1 << 31) - 1
MIB = 1 << 20
DEFAULT_WINDOW = 65535


def call(link, upstream, body=b"", stream=1):
    """A call of a client made of frames; as the upstream sees it."""
    link.send(headers(stream, REQUEST, end=not body), *([data(stream, body, end=True)] if body else []))
    return upstream.request()


def size(link, stream=1):
    return sum(len(frame.data) for frame in link.all(DATA, stream))


def settle(*links):
    """What has been sent has taken effect, and come back."""
    for _ in range(2):
        for link in links:
            link.ping()


# ---- the client's windows ------------------------------------------------------------------------


def test_client_gives_credit_byte_by_byte(frame_client, upstream):
    """From a window of zero: exactly one byte comes for each byte of credit, trailers need none."""
    link = frame_client(initial_window_size=0)
    request = call(link, upstream)
    payload = message(b"x" * 40)
    request.send(headers(1, ANSWER), data(1, payload), headers(1, OK, end=True))
    link.wait(HEADERS, 1)
    settle(request.link, link)
    assert size(link) == 0
    for count in range(1, len(payload) + 1):
        link.send(credit(1, 1))
        link.until(lambda: size(link) == count)
    link.until(lambda: len(link.all(HEADERS, 1)) == 2)
    assert link.data(1) == payload


def test_client_window_of_one_byte(frame_client, upstream):
    """By SETTINGS, and one byte at a time after that."""
    link = frame_client(initial_window_size=1)
    request = call(link, upstream)
    payload = message(b"y" * 40)
    request.send(headers(1, ANSWER), data(1, payload), headers(1, OK, end=True))
    for count in range(1, len(payload) + 1):
        link.until(lambda: size(link) == count)
        link.send(credit(1, 1))
    assert {len(frame.data) for frame in link.all(DATA, 1)} <= {0, 1}


def test_client_connection_window_is_used_up(frame_client, upstream):
    """65,535 bytes in all for two streams, whatever their own windows; then as credit comes."""
    link = frame_client(initial_window_size=MIB)
    requests = [call(link, upstream, stream=stream) for stream in (1, 3)]
    for request in requests:
        stream = request.stream
        request.send(headers(stream, ANSWER))
        for _ in range(4):
            request.send(data(stream, b"z" * 16000))
    total = lambda: size(link, 1) + size(link, 3)  # noqa: E731
    link.until(lambda: total() == DEFAULT_WINDOW)
    for step in (1, 2, 1000):
        before = total()
        link.send(credit(0, step))
        link.until(lambda: total() == before + step)
    settle(link)
    assert total() == DEFAULT_WINDOW + 1003


def test_client_lowers_its_window_below_what_is_in_flight(frame_client, upstream):
    """A window of -9,900: nothing comes before it is above zero, and then exactly that."""
    link = frame_client(initial_window_size=10_000)
    request = call(link, upstream)
    payload = message(b"n" * 11_000)
    request.send(headers(1, ANSWER), data(1, payload), headers(1, OK, end=True))
    link.until(lambda: size(link) == 10_000)
    link.send(settings(initial_window_size=100))
    settle(link)
    for step, expected in ((9_000, 10_000), (900, 10_000), (50, 10_050)):
        link.send(credit(1, step))
        settle(link)
        assert size(link) == expected
    link.send(settings(initial_window_size=MIB))
    link.until(lambda: len(link.all(HEADERS, 1)) == 2)
    assert link.data(1) == payload


def test_client_raises_its_window_in_flight(frame_client, upstream):
    link = frame_client(initial_window_size=100)
    request = call(link, upstream)
    request.send(headers(1, ANSWER), data(1, b"r" * 5_000))
    for window in (100, 101, 1_000, 5_000):
        link.send(settings(initial_window_size=window))
        settle(link)
        assert size(link) == window


@pytest.mark.parametrize(
    ("frames", "where"),
    [
        ([credit(1, MAX_WINDOW)], "stream"),
        ([credit(0, MAX_WINDOW)], "connection"),
        ([credit(1, MAX_WINDOW - DEFAULT_WINDOW), settings(initial_window_size=MIB)], "stream"),
        ([settings(initial_window_size=MAX_WINDOW + 1)], "connection"),
    ],
    ids=["by WINDOW_UPDATE", "of the connection", "by SETTINGS", "in SETTINGS"],
)
def test_client_window_overflows(frame_client, upstream, frames, where):
    """RST_STREAM or GOAWAY with FLOW_CONTROL_ERROR; the workspace sees CANCEL."""
    link = frame_client()
    request = call(link, upstream)
    link.send(*frames)
    ended = link.wait(RESET if where == "stream" else GOAWAY)
    assert ended.error_code == ErrorCodes.FLOW_CONTROL_ERROR
    assert request.wait_for_reset(SOON_S) == ErrorCodes.CANCEL
    if where == "connection":
        link.wait_for_end(SOON_S)


@pytest.mark.parametrize("stream", [0, 1])
def test_client_gives_no_credit_in_a_window_update(frame_client, upstream, stream):
    """An increment of 0 is an error of the protocol (RFC 9113, 6.9)."""
    link = frame_client()
    request = call(link, upstream)
    link.send(b"\0\0\4\x08\0" + stream.to_bytes(4, "big") + bytes(4))
    assert link.wait(GOAWAY).error_code == ErrorCodes.PROTOCOL_ERROR
    assert request.wait_for_reset(SOON_S) == ErrorCodes.CANCEL


def test_client_sends_more_than_its_window(frame_client, upstream):
    """The upstream takes nothing; the client goes on past 1 MiB: FLOW_CONTROL_ERROR."""
    upstream.hello = [settings(initial_window_size=0)]
    link = frame_client()
    link.wait(SETTINGS)
    link.send(headers(1, REQUEST))
    request = upstream.request()
    link.send(*(data(1, bytes(16384)) for _ in range(65)))
    ended = link.until(lambda: link.first(RESET) or link.first(GOAWAY))
    assert ended.error_code == ErrorCodes.FLOW_CONTROL_ERROR
    assert request.wait_for_reset(SOON_S) == ErrorCodes.CANCEL


# ---- the upstream's windows ----------------------------------------------------------------------


def test_upstream_gives_credit_byte_by_byte(scene, client):
    scene.upstream.hello = [settings(initial_window_size=0)]
    body = message(b"u" * 40)
    stream, request = scene.begin(client, body)
    settle(request.link)
    assert request.body == b""
    for count in range(1, len(body) + 1):
        request.send(credit(1, 1))
        request.wait_for_body(count)
        assert len(request.body) == count
    request.link.until(lambda: request.ended)
    request.answer(b"again")
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "10 bytes, trailers 0"


def test_upstream_connection_window_is_used_up(scene, client):
    """65,535 bytes in all; a call without a body is not held up by those that wait."""
    scene.upstream.hello = [settings(initial_window_size=MIB)]
    streams = []
    for _ in range(2):
        streams.append(client.start(METHOD))
        client.send(streams[-1], bytes(50_000), end=True)
    first, second = scene.upstream.requests(2)
    link = first.link
    link.until(lambda: len(first.body) + len(second.body) == DEFAULT_WINDOW)
    third, small = scene.begin(client)
    small.answer(b"again")
    assert describe(client.wait_for_end(third, timeout=SOON_S)) == "10 bytes, trailers 0"
    link.send(credit(0, 50_000))
    for request, stream in zip((first, second), streams):
        link.until(lambda: request.ended)
        request.answer(b"again")
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "10 bytes, trailers 0"


def test_upstream_lowers_its_window_below_what_is_in_flight(scene, client):
    scene.upstream.hello = [settings(initial_window_size=10_000)]
    body = bytes(11_000)
    stream, request = scene.begin(client, body)
    request.wait_for_body(10_000)
    request.send(settings(initial_window_size=100))
    settle(request.link)
    for step, expected in ((9_000, 10_000), (900, 10_000), (50, 10_050)):
        request.send(credit(1, step))
        settle(request.link)
        assert len(request.body) == expected
    request.send(settings(initial_window_size=DEFAULT_WINDOW))
    request.link.until(lambda: request.ended)
    request.answer(b"again")
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "10 bytes, trailers 0"


UPSTREAM_OVERFLOWS = {
    "by WINDOW_UPDATE": ([credit(1, MAX_WINDOW)], RESET, "Trailers-Only 13"),
    "of the connection": ([credit(0, MAX_WINDOW)], GOAWAY, "Trailers-Only 14"),
    "by SETTINGS": (
        [credit(1, MAX_WINDOW - DEFAULT_WINDOW), settings(initial_window_size=MIB)],
        RESET,
        "Trailers-Only 13",
    ),
    "in SETTINGS": ([settings(initial_window_size=MAX_WINDOW + 1)], GOAWAY, "Trailers-Only 14"),
}


@pytest.mark.parametrize("name", UPSTREAM_OVERFLOWS)
def test_upstream_window_overflows(scene, client, name):
    frames, kind, outcome = UPSTREAM_OVERFLOWS[name]
    stream, request = scene.begin(client, message(b"x"))
    request.wait_for_body(6)
    request.send(*frames)
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == outcome
    assert request.link.wait(kind).error_code == ErrorCodes.FLOW_CONTROL_ERROR


@pytest.mark.parametrize("number", [0, 1])
def test_upstream_gives_no_credit_in_a_window_update(scene, client, number):
    stream, request = scene.begin(client)
    request.send(b"\0\0\4\x08\0" + number.to_bytes(4, "big") + bytes(4))
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "Trailers-Only 14"
    assert request.link.wait(GOAWAY).error_code == ErrorCodes.PROTOCOL_ERROR


def test_upstream_sends_more_than_its_window(frame_client, upstream):
    """The client takes 1,000 bytes; the upstream goes on past 1 MiB: its call is lost."""
    link = frame_client(initial_window_size=1000)
    request = call(link, upstream)
    request.send(headers(1, ANSWER))
    payload = message(bytes(2 * MIB))
    request.send(*(data(1, payload[at : at + 16384]) for at in range(0, MIB + 1, 16384)))
    ended = request.link.until(lambda: request.link.first(RESET) or request.link.first(GOAWAY))
    assert ended.error_code == ErrorCodes.FLOW_CONTROL_ERROR
    assert link.wait(RESET, 1).error_code == ErrorCodes.REFUSED_STREAM
    assert size(link) == 1000


def test_trailers_wait_for_a_window_that_is_used_up(frame_client, upstream):
    """nghttp2 asks for the end of a body only where the window is open. The call is not lost."""
    link = frame_client(initial_window_size=0)
    request = call(link, upstream)
    request.send(headers(1, ANSWER))
    link.wait(HEADERS, 1)
    request.send(headers(1, OK, end=True))
    settle(request.link, link)
    link.send(credit(1, 1))
    link.until(lambda: len(link.all(HEADERS, 1)) == 2)
    assert size(link) == 0


# ---- SETTINGS in mid-call ------------------------------------------------------------------------


def test_client_max_frame_size_changes(frame_client, upstream):
    """A larger one is not used, and a smaller one cannot be: 16,384 is both default and minimum."""
    link = frame_client(initial_window_size=MIB, max_frame_size=(1 << 24) - 1)
    request = call(link, upstream)
    request.send(headers(1, ANSWER), data(1, bytes(16384)), data(1, bytes(16384)))
    link.until(lambda: size(link) == 32768)
    link.send(settings(max_frame_size=16384))
    link.until(lambda: len(link.all(SETTINGS)) >= 2)
    request.send(data(1, bytes(16384)), headers(1, OK, end=True))
    link.until(lambda: len(link.all(HEADERS, 1)) == 2)
    assert max(len(frame.data) for frame in link.all(DATA, 1)) <= 16384
    link.send(settings(max_frame_size=16383))
    assert link.wait(GOAWAY).error_code == ErrorCodes.PROTOCOL_ERROR


@pytest.mark.parametrize("side", ["client", "upstream"])
def test_header_table_goes_to_nothing_and_back(frame_client, upstream, side):
    """The decoder here insists on the table sizes that it has announced (RFC 7541, 4.2)."""
    link = frame_client()
    request = call(link, upstream)
    changing = link if side == "client" else request.link
    for size_ in (0, 4096, 0, 65536, 100):
        changing.send(settings(header_table_size=size_))
        settle(changing)
        changing.decoder.max_allowed_table_size = size_
        number = request.stream
        request.send(
            headers(number, [*ANSWER, ("x-lead", "some value")]),
            headers(number, [*OK, ("x-trail", "some value")], end=True),
        )
        link.until(lambda: len(link.all(HEADERS, number)) == 2)
        assert ("x-trail", "some value") in link.all(HEADERS, number)[1].fields
        request = call(link, upstream, stream=number + 2)
        assert (":path", "/spark.connect.SparkConnectService/Config") in request.fields
    request.answer()


def test_max_concurrent_streams_is_lowered_in_flight(scene, client):
    """Three run, one is allowed: those go on, the next call takes another connection."""
    begun = [scene.begin(client) for _ in range(3)]
    link = begun[0][1].link
    link.send(settings(max_concurrent_streams=1))
    link.ping()
    stream, request = scene.begin(client)
    assert request.link is not link
    for stream, request in [*begun, (stream, request)]:
        request.answer(b"again")
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "10 bytes, trailers 0"


def test_no_stream_is_allowed_for_now(scene, client):
    """The call waits, on one connection: another one would be told the same."""
    scene.upstream.close_links()
    scene.upstream.hello = [settings(max_concurrent_streams=0)]
    stream = client.start(METHOD, end=True)
    link = scene.upstream.open()
    link.ping()
    link.ping()
    assert not select.select([scene.upstream.listener], [], [], 0)[0]
    link.send(settings(max_concurrent_streams=1))
    request = scene.upstream.request()
    assert request.link is link
    request.answer(b"again")
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "10 bytes, trailers 0"


def test_max_concurrent_streams_is_raised_in_flight(scene, client):
    """The second call waits for the first, or for more room: which comes first."""
    scene.upstream.hello = [settings(max_concurrent_streams=1)]
    begun = [scene.begin(client)]
    link = begun[0][1].link
    link.send(settings(max_concurrent_streams=3))
    link.ping()
    begun += [scene.begin(client) for _ in range(2)]
    for stream, request in begun:
        assert request.link is link
        request.answer(b"again")
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "10 bytes, trailers 0"


@pytest.mark.parametrize("side", ["client", "upstream"])
def test_settings_are_never_acknowledged(upstream, frame_client, side):
    """The bridge does not insist. Its own window stays at 64 KiB, then, as the peer knows it."""
    link = frame_client(acknowledges=side != "client", initial_window_size=8 * MIB)
    link.send(credit(0, 8 * MIB), headers(1, REQUEST, end=True))
    upstream_link = upstream.accept()
    upstream_link.hello = [*upstream.hello]
    upstream_link.acknowledges = side != "upstream"
    upstream_link.shake_hands()
    request = upstream.request()
    request.send(headers(1, ANSWER))
    for count in range(1, 4 if side == "upstream" else 129):
        request.send(data(1, bytes(16384)))
        link.until(lambda: size(link) == count * 16384)
    request.send(headers(1, OK, end=True))
    link.until(lambda: len(link.all(HEADERS, 1)) == 2)


@pytest.mark.parametrize("side", ["client", "upstream"])
def test_settings_ack_that_nobody_asked_for(upstream, frame_client, side):
    """nghttp2 takes it for an error: the connection ends, and the call with it."""
    link = frame_client()
    request = call(link, upstream)
    wrong = link if side == "client" else request.link
    wrong.until(lambda: wrong.first(SETTINGS))
    settle(wrong)
    wrong.send(settings_ack())
    assert wrong.wait(GOAWAY).error_code == ErrorCodes.PROTOCOL_ERROR
    if side == "client":
        assert request.wait_for_reset(SOON_S) == ErrorCodes.CANCEL
    else:
        assert ("grpc-status", "14") in link.wait(HEADERS, 1).fields


# ---- PING ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["client", "upstream"])
def test_pings_in_a_row_are_answered(upstream, frame_client, side):
    """500 at once, on a connection with a call: each is answered, in order, and nothing is cut."""
    link = frame_client()
    request = call(link, upstream)
    asking = link if side == "client" else request.link
    payloads = [number.to_bytes(8, "big") for number in range(500)]
    asking.send(*(PING(0, opaque_data=payload) for payload in payloads))
    asking.until(lambda: len(asking.all(PING)) >= 500)
    assert [frame.opaque_data for frame in asking.all(PING)] == payloads
    request.answer(b"again")
    link.until(lambda: len(link.all(HEADERS, 1)) == 2)
    assert link.first(GOAWAY) is None
