"""gRPC passes as it is: metadata, deadlines, both ways of ending, messages of any size, resets."""

import asyncio
import hashlib
import os
from contextlib import ExitStack

import grpc
import h2.errors
import h2.settings
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from raw_client import RawClient
from workspace.scripted import GRPC_HEADERS, message

METHOD = "Config"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"
POOL_MAX_UPSTREAMS = 64  # daemon/pool.h
DETAILS = "CAUSBm5vdCBpdA"  # google.rpc.Status{5, "not it"}


@pytest.fixture
def upstream(standin, primary):
    with standin.script(primary.certificate) as server:
        yield server


@pytest.fixture
def scripted(bridges, upstream):
    """A bridge to `upstream`, which lets metadata of the client's own pass."""
    return bridges(port=upstream.port, arguments=("--forward-header", "x-*"))


@pytest.fixture
def client(scripted):
    with RawClient(scripted.port) as raw:
        yield raw


async def echo(stream):
    """Sends back what comes, piece by piece as it comes."""
    stream.send_headers(GRPC_HEADERS)
    async for chunk in stream.chunks():
        await stream.send_data(chunk)
    stream.trailers(0)


def test_metadata_both_ways(upstream, client):
    """Names, values, duplicates and their order, up and down, in headers and trailers."""
    metadata = [
        ("x-twice", "1"),
        ("x-twice", "2"),
        ("x-blank", ""),
        ("x-punctuation", "a=b; c, \"d\" (e) %41"),
        ("grpc-timeout", "12345m"),
        ("grpc-accept-encoding", "identity, deflate, gzip"),
        ("grpc-trace-bin", "AAECAw"),
        ("x-data-bin", "AAEC"),
        ("x-data-bin", "/+8="),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("x-databricks-last-seen-server-session-version", "0"),
    ]
    leading = [("x-lead", "1"), ("x-lead", "2"), ("x-lead-bin", "AP8=")]
    trailing = [
        ("x-trail", "b"),
        ("x-trail", "a"),
        ("x-trail-bin", "//8"),
        ("grpc-status-details-bin", "CAUSBm5vdCBpdA"),
    ]

    async def handler(stream):
        await stream.body()
        stream.send_headers([*GRPC_HEADERS, *leading])
        await stream.send_data(b"\0\0\0\0\2hi")
        stream.trailers(5, "it is not %E2%80%9Chere%E2%80%9D", trailing)

    upstream.on(PATH, handler)
    answer = client.call(METHOD, b"\0\0\0\0\0", metadata=metadata)
    seen = upstream.wait_for_request(PATH)
    sent = {name for name, _ in metadata} | {"te", "content-type", "user-agent"}
    arrived = [(name, value) for name, value in seen.headers if name in sent]
    assert sorted(arrived) == sorted(
        [
            *metadata,
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", "raw-client/1"),
        ]
    )
    # The order among values of one name is part of the metadata.
    for name in ("x-twice", "x-data-bin"):
        assert [v for n, v in arrived if n == name] == [v for n, v in metadata if n == name]
    assert [field for field in answer.headers if field in leading] == leading
    assert bytes(answer.data) == b"\0\0\0\0\2hi"
    assert answer.trailers[0] == ("grpc-status", "5")
    assert sorted(answer.trailers[1:]) == sorted(
        [*trailing, ("grpc-message", "it is not %E2%80%9Chere%E2%80%9D")]
    )


@pytest.mark.parametrize(
    ("status", "extra"),
    [
        (0, []),
        (5, [("grpc-message", "no such thing"), ("x-own", "1")]),
        (3, [("grpc-status-details-bin", DETAILS)]),
        (16, [("grpc-message", "who"), ("grpc-status-details-bin", DETAILS)]),
        (7, [("grpc-message", "no"), ("grpc-status-details-bin", DETAILS)]),
    ],
    ids=["ok", "not found", "details", "unauthenticated with details", "denied with details"],
)
def test_trailers_only(upstream, client, status, extra):
    async def handler(stream):
        stream.send_headers([*GRPC_HEADERS, ("grpc-status", str(status)), *extra], end=True)

    upstream.on(PATH, handler)
    answer = client.call(METHOD, message(b"x"))
    assert answer.trailers_only
    assert answer.status == status
    for field in extra:
        assert field in answer.headers


def test_trailers_without_data(upstream, client):
    async def handler(stream):
        stream.send_headers(GRPC_HEADERS)
        stream.trailers(13, "broken", [("grpc-status-details-bin", DETAILS)])

    upstream.on(PATH, handler)
    answer = client.call(METHOD, message(b"x"))
    assert (answer.status, answer.message) == (13, "broken")
    assert answer.value("grpc-status-details-bin") == DETAILS
    assert not answer.data


def test_headers_do_not_wait_for_data(upstream, client):
    """An answer's headers are worth something before its first byte, and each byte alone."""
    release = asyncio.Event()

    async def handler(stream):
        stream.send_headers([*GRPC_HEADERS, ("x-lead", "1")])
        await release.wait()
        await stream.send_data(b"\0")
        await stream.body()
        stream.trailers(0)

    upstream.on(PATH, handler)
    stream = client.start(METHOD)
    client.wait_for(stream, lambda answer: answer.headers)
    assert not client.answer(stream).data
    upstream.call(release.set)
    client.wait_for(stream, lambda answer: answer.data == b"\0")
    assert not client.answer(stream).done
    client.send(stream, end=True)
    assert client.wait_for_end(stream).status == 0


def test_both_directions_at_once(upstream, client):
    upstream.on(PATH, echo)
    stream = client.start(METHOD)
    sent = b""
    for number in range(50):
        sent += (piece := message(str(number).encode()))
        client.send(stream, piece)
        client.wait_for(stream, lambda answer: answer.data == sent)
    client.send(stream, end=True)
    assert client.wait_for_end(stream).status == 0


def test_an_answer_before_the_request_ends(upstream, client):
    async def handler(stream):
        stream.send_headers(GRPC_HEADERS)
        stream.trailers(8, "enough")

    upstream.on(PATH, handler)
    stream = client.start(METHOD)
    client.send(stream, message(b"the first of many"))
    answer = client.wait_for_end(stream)
    assert (answer.status, answer.message) == (8, "enough")
    client.ping()
    assert client.call(METHOD, message(b"again")).status == 8


@pytest.mark.parametrize("window", [65535, 1 << 20, (1 << 31) - 1])
def test_large_messages_both_ways(upstream, scripted, window):
    """With a window of 64 KiB a leak of credit would stop the stream."""
    upstream.on(PATH, echo)
    payload = os.urandom(1 << 20) * 24
    with RawClient(scripted.port, window=window) as client:
        stream = client.start(METHOD)
        client.send(stream, message(payload), end=True, timeout=60)
        answer = client.wait_for_end(stream, timeout=60)
    assert answer.status == 0
    assert hashlib.sha256(answer.data[5:]).digest() == hashlib.sha256(payload).digest()


def test_large_frames(upstream, scripted):
    """Frames above 16 KiB, which grpc-java sends to whoever lets it."""
    upstream.on(PATH, echo)
    settings = {h2.settings.SettingCodes.MAX_FRAME_SIZE: (1 << 24) - 1}
    payload = os.urandom(300_000)
    with RawClient(scripted.port, settings=settings) as client:
        answer = client.call(METHOD, message(payload))
    assert bytes(answer.data) == message(payload)


def test_window_changes_in_mid_stream(upstream, scripted):
    """As grpc-go does all the time."""
    upstream.on(PATH, echo)
    with RawClient(scripted.port, window=1000) as client:
        stream = client.start(METHOD)
        client.send(stream, message(b"x" * 5000))
        client.wait_for(stream, lambda answer: len(answer.data) >= 1000)
        for window in (100_000, 10, 2_000_000):
            code = h2.settings.SettingCodes.INITIAL_WINDOW_SIZE
            client.h2.update_settings({code: window})
            client.flush()
            client.ping()
        client.send(stream, end=True)
        assert bytes(client.wait_for_end(stream).data) == message(b"x" * 5000)


def test_cancel_reaches_the_workspace(upstream, client):
    async def handler(stream):
        stream.send_headers(GRPC_HEADERS)
        await stream.send_data(message(b"first"))
        await stream.gone.wait()

    upstream.on(PATH, handler)
    stream = client.start(METHOD, end=True)
    client.wait_for(stream, lambda answer: answer.data)
    seen = upstream.wait_for_request(PATH)
    client.cancel(stream)
    upstream.run(asyncio.wait_for(seen.gone.wait(), 10))
    assert seen.reset_code == h2.errors.ErrorCodes.CANCEL
    client.ping()


def test_a_client_that_leaves(upstream, scripted):
    async def handler(stream):
        stream.send_headers(GRPC_HEADERS)
        await stream.gone.wait()

    upstream.on(PATH, handler)
    with RawClient(scripted.port) as client:
        stream = client.start(METHOD)
        client.wait_for(stream, lambda answer: answer.headers)
        seen = upstream.wait_for_request(PATH)
    upstream.run(asyncio.wait_for(seen.gone.wait(), 10))


def test_rich_status_reaches_a_real_client(upstream, scripted):
    """grpc-status-details-bin, as the library decodes it."""
    info = error_details_pb2.ErrorInfo(reason="BECAUSE", domain="test", metadata={"a": "b"})
    status = rpc_status.status_pb2.Status(code=9, message="it failed")
    status.details.add().Pack(info)
    fields = rpc_status.to_status(status).trailing_metadata

    async def handler(stream):
        import base64

        details = base64.b64encode(fields[0][1]).decode().rstrip("=")
        extra = [("grpc-message", "it failed"), ("grpc-status-details-bin", details)]
        stream.send_headers([*GRPC_HEADERS, ("grpc-status", "9"), *extra], end=True)

    upstream.on(PATH, handler)
    with grpc.insecure_channel(f"localhost:{scripted.port}") as channel:
        with pytest.raises(grpc.RpcError) as raised:
            channel.unary_unary(PATH)(b"", timeout=10)
    assert rpc_status.from_call(raised.value) == status


@pytest.mark.parametrize("how", ["reset", "goaway and close", "tcp reset"])
@pytest.mark.parametrize("inside", [False, True], ids=["at a boundary", "inside a message"])
def test_an_answer_that_is_cut(upstream, client, how, inside):
    """Each way of ending is one from which re-attaching clients recover. Never a clean end."""

    async def handler(stream):
        stream.send_headers(GRPC_HEADERS)
        await stream.send_data(message(b"x" * 1000))
        if inside:
            await stream.send_data(message(b"y" * 1000)[:300])
        await cut.wait()
        if how == "reset":
            stream.reset(h2.errors.ErrorCodes.INTERNAL_ERROR)
        elif how == "goaway and close":
            stream.close_connection()
        else:
            stream.abort_connection()

    cut = asyncio.Event()
    upstream.on(PATH, handler)
    stream = client.start(METHOD, end=True)
    expected = 1005 + (300 if inside else 0)
    client.wait_for(stream, lambda answer: len(answer.data) == expected)
    upstream.call(cut.set)
    answer = client.wait_for_end(stream)
    assert len(answer.data) == expected
    if inside:
        assert answer.reset == h2.errors.ErrorCodes.REFUSED_STREAM
    else:
        assert (answer.status, answer.reset) == (14, None)
        assert answer.message
    # The client's connection lives on, and the next call finds a new way.
    upstream.on(PATH, echo)
    assert client.call(METHOD, message(b"next")).status == 0


def test_a_clean_end_without_trailers_is_no_success(upstream, client):
    async def handler(stream):
        stream.send_headers(GRPC_HEADERS)
        await stream.send_data(message(b"x"), end=True)

    upstream.on(PATH, handler)
    answer = client.call(METHOD)
    assert (answer.reset, answer.status) == (None, 14)


def test_goaway_lets_calls_finish(upstream, client):
    """The workspace says GOAWAY: what runs goes on, what comes next goes elsewhere."""
    release = asyncio.Event()

    async def handler(stream):
        stream.send_headers(GRPC_HEADERS)
        stream.goaway()
        await release.wait()
        stream.trailers(0)

    upstream.on(PATH, handler)
    first = client.start(METHOD, end=True)
    client.wait_for(first, lambda answer: answer.headers)
    upstream.on(PATH, echo)
    assert client.call(METHOD, message(b"meanwhile")).status == 0
    assert upstream.connections == 2
    upstream.call(release.set)
    assert client.wait_for_end(first).status == 0


def test_many_calls_share_few_connections(upstream, client):
    upstream.on(PATH, echo)
    streams = [client.start(METHOD) for _ in range(90)]
    for stream in streams:
        client.send(stream, message(b"x"), end=True)
    for stream in streams:
        assert client.wait_for_end(stream).status == 0
    assert upstream.connections <= 2


@pytest.mark.parametrize(("allowed", "clients", "each"), [(4, 1, 20), (100, 4, 250)])
def test_more_calls_than_the_workspace_takes_at_once(
    standin, primary, bridges, allowed, clients, each
):
    """MAX_CONCURRENT_STREAMS of the workspace: the rest waits or goes by another connection. Each
    call runs once, and all of them are there before the first is answered."""
    settings = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: allowed}
    with standin.script(primary.certificate, settings=settings) as upstream, ExitStack() as opened:
        upstream.on(PATH, echo)
        bridge = bridges(port=upstream.port)
        started = []
        for _ in range(clients):
            client = opened.enter_context(RawClient(bridge.port))
            started += [(client, client.start(METHOD)) for _ in range(each)]
        for client, stream in started:
            client.send(stream, message(b"x"), end=True)
        for client, stream in started:
            assert client.wait_for_end(stream, timeout=30).status == 0
        assert len(upstream.requests) == clients * each
        assert upstream.connections <= POOL_MAX_UPSTREAMS


def test_another_connection_before_the_last_stream_is_taken(standin, primary, bridges):
    """Of sixteen streams, the fifteenth leaves less than an eighth."""
    settings = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 16}
    with standin.script(primary.certificate, settings=settings) as upstream:
        upstream.on(PATH, echo)
        bridge = bridges(port=upstream.port)
        with RawClient(bridge.port) as client:
            streams = [client.start(METHOD) for _ in range(14)]
            upstream.wait_for_request(PATH, count=14)
            assert upstream.connections == 1
            streams.append(client.start(METHOD))
            upstream.wait_for_connection(count=2)
            for stream in streams:
                client.send(stream, message(b"x"), end=True)
                assert client.wait_for_end(stream).status == 0


def test_an_idle_client_may_ping(client):
    for _ in range(20):
        client.ping()
