"""What is odd but allowed passes; what breaks HTTP/2 or gRPC ends the call, never with status 0."""

import pytest
from frames import (
    ANSWER,
    GOAWAY,
    OK,
    block,
    data,
    goaway,
    headers,
    message,
    raw,
    reset,
    settings,
    split_headers,
)
from frames import HEADERS as HEADERS_FRAME
from frames import REQUEST as REQUEST_FIELDS
from h2.errors import ErrorCodes
from hyperframe.frame import AltSvcFrame, PriorityFrame, PushPromiseFrame
from scene import SOON_S, describe

FIRST, SECOND = message(b"a" * 100), message(b"b" * 200)
WHOLE = "105 bytes, trailers 0"
KIB_16 = 16384


def begins(stream, fields=ANSWER):
    return headers(stream, fields)


def first(stream):
    return data(stream, FIRST)


def ends(stream):
    return headers(stream, OK, end=True)


def fields(*more, without=None, end=False):
    """HEADERS with these fields, in place of those of the same name."""
    kept = [(name, value) for name, value in ANSWER if name != without]
    return lambda stream: headers(stream, [*kept, *more], end=end)


def trailers(*values, end=True):
    return lambda stream: headers(stream, list(values), end=end)


# name: (frames, how the call ends for the client)
ALLOWED = {
    "headers over 8 CONTINUATION frames": ([lambda s: split_headers(s, ANSWER, 9), first, ends], WHOLE),
    "trailers over 8 CONTINUATION frames": (
        [begins, first, lambda s: split_headers(s, [*OK, ("x", "y")], 9, end=True)],
        WHOLE,
    ),
    "an empty CONTINUATION frame": (
        [lambda s: [raw(1, 0, s, block(ANSWER)), raw(9, 4, s, b"")], first, ends],
        WHOLE,
    ),
    "padded DATA": ([begins, lambda s: data(s, FIRST, pad=255), ends], WHOLE),
    "DATA that is nothing but padding": ([begins, lambda s: data(s, b"", pad=200), first, ends], WHOLE),
    "padded HEADERS": (
        [lambda s: headers(s, ANSWER, flags=["PADDED"], pad_length=200), first, ends],
        WHOLE,
    ),
    "HEADERS with a priority": (
        [lambda s: headers(s, ANSWER, flags=["PRIORITY"], depends_on=0, stream_weight=7), first, ends],
        WHOLE,
    ),
    "PRIORITY frames": ([lambda s: PriorityFrame(s, depends_on=0), begins, first, ends], WHOLE),
    "PRIORITY of an idle stream": ([PriorityFrame(99, depends_on=0), begins, first, ends], WHOLE),
    "empty DATA frames": ([begins, *[lambda s: data(s, b"")] * 20, first, ends], WHOLE),
    "one byte in a DATA frame": (
        [begins, lambda s: [data(s, FIRST[at : at + 1]) for at in range(len(FIRST))], ends],
        WHOLE,
    ),
    "unknown frames": (
        [raw(0x42, 0xFF, 0, b"abc"), begins, lambda s: raw(0x77, 5, s, b"defg"), first, ends],
        WHOLE,
    ),
    "unknown settings": ([settings(x_4660=7, x_65535=1), begins, first, ends], WHOLE),
    "ALTSVC": ([AltSvcFrame(0, origin=b"a.test", field=b'h3=":1"'), begins, first, ends], WHOLE),
    "interim answers": (
        [lambda s: headers(s, [(":status", "103"), ("link", "x")]), begins, first, ends],
        WHOLE,
    ),
    "the right content-length": ([fields(("content-length", "105")), first, ends], WHOLE),
    "content-type with a parameter": (
        [fields(("content-type", "application/grpc+proto"), without="content-type"), first, ends],
        WHOLE,
    ),
    "status 0 inside a message": ([begins, lambda s: data(s, FIRST[:50]), ends], "50 bytes, trailers 0"),
}

# What ends the call by itself and leaves the connection to the others.
ENDS_THE_CALL = {
    "END_STREAM without trailers": ([begins, lambda s: data(s, FIRST, end=True)], "105 bytes, trailers 14"),
    "trailers that say nothing": ([begins, first, trailers(("x", "y"))], "105 bytes, trailers 14"),
    "END_STREAM inside a message": (
        [begins, lambda s: data(s, FIRST[:50], end=True)],
        "0 bytes, trailers 14",
    ),
    "END_STREAM on headers without a status": ([fields(end=True)], "Trailers-Only 13"),
    "no :status": ([fields(without=":status")], "Trailers-Only 13"),
    ":status twice": ([fields((":status", "200"))], "Trailers-Only 13"),
    ":status that is no number": ([fields((":status", "2x0"), without=":status")], "Trailers-Only 13"),
    ":status behind other fields": (
        [lambda s: headers(s, [*reversed(ANSWER)])],
        "Trailers-Only 13",
    ),
    "a request's field": ([fields((":path", "/"))], "Trailers-Only 13"),
    "a name in capitals": ([fields(("X-Upper", "1"))], "Trailers-Only 13"),
    "connection: close": ([fields(("connection", "close"))], "Trailers-Only 13"),
    "no content-type": ([fields(without="content-type")], "Trailers-Only 9"),
    "another content-type": (
        [fields(("content-type", "text/plain"), without="content-type")],
        "Trailers-Only 9",
    ),
    "trailers without END_STREAM": ([begins, first, trailers(*OK, end=False)], "105 bytes, trailers 14"),
    "a :status in trailers": (
        [begins, first, trailers((":status", "200"), *OK)],
        "105 bytes, trailers 14",
    ),
    "more DATA than content-length": ([fields(("content-length", "100")), first], "0 bytes, trailers 14"),
    "less DATA than content-length": (
        [fields(("content-length", "106")), first, ends],
        "105 bytes, trailers 14",
    ),
    "200 KiB of headers": (
        [lambda s: split_headers(s, [*ANSWER, *[(f"x-{n}", "v" * 15_000) for n in range(9)]], 9)],
        "Trailers-Only 8",
    ),
    "1,000 header fields": (
        [lambda s: split_headers(s, [*ANSWER, *[(f"x-{n}", "v") for n in range(1000)]], 2)],
        "Trailers-Only 8",
    ),
    "1,000 trailer fields": (
        [begins, first, lambda s: split_headers(s, [*OK, *[(f"x-{n}", "v") for n in range(1000)]], 2, end=True)],
        "105 bytes, trailers 8",
    ),
}

# What ends the whole connection, by GOAWAY with this code (nghttp2 sends none where it is None),
# and every call on it.
ENDS_THE_CONNECTION = {
    "HPACK garbage": ([lambda s: raw(1, 4, s, b"\xff\xff\xff\xff\xff")], 9),
    "an index that HPACK does not have": ([lambda s: raw(1, 4, s, b"\xfe")], 9),
    "DATA before headers": ([first], 1),
    "DATA on an idle stream": ([data(99, b"x")], 1),
    "HEADERS on an idle stream": ([headers(99, ANSWER)], 1),
    "HEADERS on an even stream": ([headers(2, ANSWER)], 1),
    "RST_STREAM of an idle stream": ([reset(99, 8)], 1),
    "RST_STREAM of stream 0": ([raw(3, 0, 0, bytes(4))], 1),
    "DATA on stream 0": ([raw(0, 0, 0, b"x")], 1),
    "PUSH_PROMISE": ([lambda s: PushPromiseFrame(s, promised_stream_id=2, data=b"", flags=["END_HEADERS"])], 1),
    "another frame within a header block": ([lambda s: raw(1, 0, s, b""), first], 1),
    "CONTINUATION without HEADERS": ([lambda s: raw(9, 4, s, b"")], 1),
    "30 CONTINUATION frames": ([lambda s: split_headers(s, ANSWER, 31)], None),
    "a frame above 16 KiB": ([lambda s: data(s, bytes(KIB_16 + 1))], 6),
    "SETTINGS of 5 bytes": ([raw(4, 0, 0, bytes(5))], 6),
    "SETTINGS on a stream": ([lambda s: raw(4, 0, s, b"")], 1),
    "SETTINGS with ENABLE_PUSH 1": ([settings(enable_push=1)], 1),
    "MAX_FRAME_SIZE of 100": ([settings(max_frame_size=100)], 1),
    "PING of 7 bytes": ([raw(6, 0, 0, bytes(7))], 6),
    "GOAWAY of 7 bytes": ([raw(7, 0, 0, bytes(7))], 6),
    "GOAWAY that goes up": ([goaway(1), goaway(3)], 1),
    "padding longer than the frame": ([lambda s: raw(0, 8, s, b"\xff" + bytes(10))], 1),
    "HTTP/1": ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], 6),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_upstream_is_odd(scene, client, name):
    frames, outcome = ALLOWED[name]
    stream, request = scene.begin(client)
    request.send(*frames)
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == outcome
    scene.check_works(client)
    assert len(scene.upstream.links) == 1


@pytest.mark.parametrize("name", ENDS_THE_CALL)
def test_upstream_breaks_one_call(scene, client, name):
    frames, outcome = ENDS_THE_CALL[name]
    stream, request = scene.begin(client)
    other, second = scene.begin(client)
    request.send(*frames)
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == outcome
    second.answer(b"again")
    assert describe(client.wait_for_end(other, timeout=SOON_S)) == "10 bytes, trailers 0"


@pytest.mark.parametrize("name", ENDS_THE_CONNECTION)
def test_upstream_breaks_its_connection(scene, client, name):
    """Both calls are told so, and the next one goes by a new connection."""
    frames, code = ENDS_THE_CONNECTION[name]
    stream, request = scene.begin(client)
    other, second = scene.begin(client)
    second.send(begins, first)
    client.wait_for(other, lambda answer: answer.data)
    request.send(*frames)
    answer = client.wait_for_end(stream, timeout=SOON_S)
    assert (describe(answer), answer.status != 0) == ("Trailers-Only 14", True)
    assert describe(client.wait_for_end(other, timeout=SOON_S)) == "105 bytes, trailers 14"
    if code is not None:
        assert request.link.wait(GOAWAY).error_code == code
    request.link.wait_for_end(SOON_S)
    scene.check_works(client)


@pytest.mark.parametrize(
    "late",
    [
        [lambda s: data(s, b"late")],
        [lambda s: data(s, b"late", end=True)],
        [lambda s: headers(s, OK, end=True)],
        [lambda s: headers(s, ANSWER)],
        [lambda s: reset(s, 2)],
    ],
    ids=["DATA", "DATA with END_STREAM", "trailers", "headers", "RST_STREAM"],
)
@pytest.mark.parametrize("open_", [True, False], ids=["the request open", "the request ended"])
def test_upstream_goes_on_after_its_trailers(scene, client, late, open_):
    """The client has its status and keeps it; the next call finds a connection that works."""
    stream, request = scene.begin(client, message(b"x"), end=not open_)
    request.send(begins, first, ends, *late)
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE


# ---- the client's side ---------------------------------------------------------------------------

# A request that goes no further, so that it is nobody's in the next case.
NOT_SPARK = [(name, "/elsewhere" if name == ":path" else value) for name, value in REQUEST_FIELDS]

CLIENT_BREAKS = {
    "DATA after END_STREAM": ([data(1, b"x")], ErrorCodes.STREAM_CLOSED),
    "HEADERS after END_STREAM": ([headers(1, REQUEST_FIELDS, end=True)], ErrorCodes.STREAM_CLOSED),
    "DATA on an idle stream": ([data(5, b"x")], ErrorCodes.PROTOCOL_ERROR),
    "HEADERS on an even stream": ([headers(2, REQUEST_FIELDS)], ErrorCodes.PROTOCOL_ERROR),
    "HPACK garbage": ([raw(1, 4, 3, b"\xff\xff\xff\xff\xff")], ErrorCodes.COMPRESSION_ERROR),
    "PUSH_PROMISE": (
        [PushPromiseFrame(1, promised_stream_id=2, data=b"", flags=["END_HEADERS"])],
        ErrorCodes.PROTOCOL_ERROR,
    ),
    "a frame above 16 KiB": ([data(1, bytes(KIB_16 + 1))], ErrorCodes.FRAME_SIZE_ERROR),
    "CONTINUATION without HEADERS": ([raw(9, 4, 1, b"")], ErrorCodes.PROTOCOL_ERROR),
    "30 CONTINUATION frames": (
        [split_headers(3, NOT_SPARK, 31)],
        ErrorCodes.ENHANCE_YOUR_CALM,
    ),
    "MAX_FRAME_SIZE of 100": ([settings(max_frame_size=100)], ErrorCodes.PROTOCOL_ERROR),
    "RST_STREAM of an idle stream": ([reset(5, 8)], ErrorCodes.PROTOCOL_ERROR),
    "PING of 7 bytes": ([raw(6, 0, 0, bytes(7))], ErrorCodes.FRAME_SIZE_ERROR),
}


@pytest.mark.parametrize("name", CLIENT_BREAKS)
def test_client_breaks_its_connection(scene, upstream, frame_client, name):
    """It is told by GOAWAY, and the workspace sees CANCEL; other clients notice nothing."""
    frames, code = CLIENT_BREAKS[name]
    link = frame_client()
    link.send(headers(1, REQUEST_FIELDS, end=True))
    request = upstream.request()
    with scene.client() as other:
        stream, bystander = scene.begin(other)
        link.send(*frames)
        assert link.wait(GOAWAY).error_code == code
        link.wait_for_end(SOON_S)
        assert request.wait_for_reset(SOON_S) == ErrorCodes.CANCEL
        bystander.answer(b"again")
        assert describe(other.wait_for_end(stream, timeout=SOON_S)) == "10 bytes, trailers 0"


def test_client_sends_request_trailers(upstream, frame_client):
    """gRPC has none: they end the request and go no further."""
    link = frame_client()
    link.send(headers(1, REQUEST_FIELDS), data(1, FIRST), headers(1, [("x", "y")], end=True))
    request = upstream.request()
    request.link.until(lambda: request.ended)
    assert request.body == FIRST
    assert len(request.link.all(HEADERS_FRAME, 1)) == 1
    request.answer()
    link.until(lambda: len(link.all(HEADERS_FRAME, 1)) == 2)
