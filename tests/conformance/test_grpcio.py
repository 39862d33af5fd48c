"""gRPC's corners with grpcio on both sides: compression, metadata, sizes, ends, cancellation."""

import os
import queue

import grpc
import h2.errors
import pytest
from echo_server import COMPRESSIONS, SERVICE, UNLIMITED, EchoServer
from workspace.scripted import GRPC_HEADERS, message

TIMEOUT_S = 60
MIB = 1 << 20
BODIES = {
    "nothing": b"",
    "one byte": b"x",
    "a little": b"sparkbridge " * 100,
    "compressible": b"0123456789abcdef" * (20 * MIB // 16),
    "incompressible": os.urandom(5 * MIB),
}
COMPRESSIBLE = ("a little", "compressible")


@pytest.fixture(scope="module")
def server(standin):
    running = EchoServer(standin.certificate)
    yield running
    running.stop()


@pytest.fixture
def bridge(open_bridge, server):
    return open_bridge(server.port)


class Calls:
    """The server's methods by a channel to a bridge, every call with a timeout."""

    def __init__(self, bridge, **options):
        self._bridge = bridge
        self._options = {"options": UNLIMITED, **options}

    def __enter__(self):
        self.channel = grpc.insecure_channel(f"localhost:{self._bridge.port}", **self._options)
        return self

    def __exit__(self, *_):
        self.channel.close()

    def method(self, kind, name):
        return getattr(self.channel, kind)(f"/{SERVICE}/{name}")

    def start(self, kind, name, argument, **options):
        """A call that runs: iterable where the answer is a stream, a future where it is not."""
        method = self.method(kind, name)
        start = method if kind.endswith("stream") else method.future
        return start(argument, timeout=TIMEOUT_S, **options)

    def result(self, kind, name, argument, **options):
        """The answer's message, or the list of them."""
        answer = self.method(kind, name)(argument, timeout=TIMEOUT_S, **options)
        return list(answer) if kind.endswith("stream") else answer

    def with_call(self, **options):
        """The answer of Echo to an empty message, and the call, for its metadata."""
        return self.method("unary_unary", "Echo").with_call(b"", timeout=TIMEOUT_S, **options)


@pytest.fixture
def calls(bridge):
    with Calls(bridge) as made:
        yield made


def bytes_of_call(bridge, method):
    """How much of a call the bridge carried each way, in DATA."""
    fields = bridge.wait_for_log(
        lambda fields: fields.get("msg") == "call ended" and fields.get("rpc") == method
    )
    return int(fields["bytes_up"]), int(fields["bytes_down"])


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("by", ["call", "channel"])
def test_compressed_unary(bridge, by, compression, body):
    """Compressed both ways, and as it is in between: the bridge carries the small form."""
    how = {"compression": COMPRESSIONS[compression]}
    sent = BODIES[body]
    with Calls(bridge, **how if by == "channel" else {}) as calls:
        metadata = [("x-compression", compression)]
        options = how if by == "call" else {}
        assert calls.result("unary_unary", "Echo", sent, metadata=metadata, **options) == sent
    if body in COMPRESSIBLE:
        assert max(bytes_of_call(bridge, "Echo")) < len(sent) / 10


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compressed_streams(calls, bridge, compression):
    """Messages of all kinds in one stream each way, each compressed on its own."""
    how = {
        "compression": COMPRESSIONS[compression],
        "metadata": [("x-compression", compression), ("x-count", "20")],
    }
    sent = list(BODIES.values())
    assert calls.result("stream_stream", "Mirror", iter(sent), **how) == [*sent, b"bye"]
    assert calls.result("stream_unary", "Join", iter(sent), **how) == b"".join(sent)
    rows = BODIES["compressible"][:MIB]
    assert calls.result("unary_stream", "Repeat", rows, **how) == [rows] * 20
    most = len(BODIES["incompressible"]) + MIB
    assert all(carried < most for carried in bytes_of_call(bridge, "Mirror"))
    assert all(carried < most for carried in bytes_of_call(bridge, "Join"))
    assert all(carried < MIB for carried in bytes_of_call(bridge, "Repeat"))


def test_binary_metadata(calls):
    """All bytes, in any number of values of one name, in order, up and down and at the end."""
    values = [bytes(range(256)), b"", b"\0", b"\xff" * 3, b"a,b"]
    metadata = [(f"x-{where}-bin", value) for where in ("back-any", "end-any") for value in values]
    answer, call = calls.with_call(metadata=metadata)
    leading = [tuple(field) for field in call.initial_metadata() if field.key == "x-back-any-bin"]
    trailing = [tuple(field) for field in call.trailing_metadata() if field.key == "x-end-any-bin"]
    assert leading + trailing == metadata
    assert answer == b""


@pytest.mark.parametrize("count", [1, 100])
def test_64_kib_of_metadata(calls, count):
    """Up, and down as headers and as trailers, in one value or in many."""
    value = "v" * (64 * 1024 // count)
    for where in ("back", "end"):
        metadata = [(f"x-{where}-{number}", value) for number in range(count)]
        _, call = calls.with_call(metadata=metadata)
        fields = call.initial_metadata() if where == "back" else call.trailing_metadata()
        assert sorted(field for field in fields if field.key in dict(metadata)) == sorted(metadata)


def test_128_mib_messages(calls):
    """One message, both ways."""
    sent = os.urandom(MIB) * 128
    assert calls.result("unary_unary", "Echo", sent) == sent


def test_empty_messages(calls):
    """Five bytes of prefix each, and nothing else."""
    assert calls.result("stream_stream", "Mirror", iter([b""] * 1000)) == [b""] * 1000 + [b"bye"]
    metadata = [("x-count", "1000")]
    assert calls.result("unary_stream", "Repeat", b"", metadata=metadata) == [b""] * 1000


def test_client_streaming(calls):
    """Many messages and none."""
    sent = [b"%d" % number * 100 for number in range(5000)]
    assert calls.result("stream_unary", "Join", iter(sent)) == b"".join(sent)
    assert calls.result("stream_unary", "Join", iter([])) == b""


def test_half_close_by_the_client(calls):
    """In lockstep first; the server goes on after the client has said all it has to say."""
    to_send = queue.Queue()
    received = calls.start("stream_stream", "Mirror", iter(to_send.get, None))
    for number in range(50):
        to_send.put(b"%d" % number)
        assert next(received) == b"%d" % number
    to_send.put(None)
    assert list(received) == [b"bye"]


@pytest.mark.parametrize("code", ["OK", "ABORTED"])
@pytest.mark.parametrize("pending", [0, 100], ids=["client waits", "client sends on"])
def test_an_answer_while_the_request_is_open(calls, code, pending):
    """The server ends the call at the first message; the client has not half-closed."""
    to_send = queue.Queue()
    metadata = [("x-code", code)] if code != "OK" else []
    call = calls.start("stream_unary", "Early", iter(to_send.get, None), metadata=metadata)
    for _ in range(1 + pending):
        to_send.put(b"x" * MIB)
    assert call.code() == grpc.StatusCode[code]
    if code == "OK":
        assert call.result() == b"enough"
    to_send.put(None)
    assert calls.result("unary_unary", "Echo", b"next") == b"next"


def test_cancellation_by_the_client(calls, server):
    """A real server learns that it need not go on."""
    call = calls.start("unary_unary", "Wait", b"")
    assert server.begun.wait(TIMEOUT_S) and not server.cancelled.is_set()
    call.cancel()
    assert call.code() == grpc.StatusCode.CANCELLED
    assert server.cancelled.wait(TIMEOUT_S)


@pytest.fixture
def scripted_calls(open_bridge, upstream):
    """Calls to the scripted server."""
    with Calls(open_bridge(upstream.port)) as made:
        yield made


@pytest.mark.parametrize("how", ["cancelled", "deadline"])
def test_the_code_of_a_cancellation(scripted_calls, upstream, how):
    """RST_STREAM with CANCEL, and nothing else, in the middle of an answer."""

    async def handler(stream):
        stream.send_headers(GRPC_HEADERS)
        await stream.send_data(message(b"first"))
        await stream.gone.wait()

    upstream.on(f"/{SERVICE}/Repeat", handler)
    method = scripted_calls.method("unary_stream", "Repeat")
    call = method(b"", timeout=1 if how == "deadline" else TIMEOUT_S)
    assert next(call) == b"first"
    if how == "cancelled":
        call.cancel()
    with pytest.raises(grpc.RpcError):
        next(call)
    seen = upstream.wait_for_request(f"/{SERVICE}/Repeat")
    upstream.run(seen.gone.wait())
    assert seen.reset_code == h2.errors.ErrorCodes.CANCEL


@pytest.mark.parametrize("when", ["before the answer", "after headers", "after a message"])
def test_cancellation_by_the_server(scripted_calls, upstream, when):
    """RST_STREAM with CANCEL is CANCELLED for a client, behind the bridge as before it."""

    async def handler(stream):
        if when != "before the answer":
            stream.send_headers(GRPC_HEADERS)
        if when == "after a message":
            await stream.send_data(message(b"first"))
        stream.reset(h2.errors.ErrorCodes.CANCEL)

    upstream.on(f"/{SERVICE}/Repeat", handler)
    call = scripted_calls.start("unary_stream", "Repeat", b"")
    with pytest.raises(grpc.RpcError):
        list(call)
    assert call.code() == grpc.StatusCode.CANCELLED


def test_interim_answers(scripted_calls, upstream):
    """Any number of 1xx answers before the one that counts, which a gRPC client need not know."""

    async def handler(stream):
        for status in ("100", "103", "103"):
            stream.send_headers([(":status", status), ("x-interim", status)])
        stream.send_headers([*GRPC_HEADERS, ("x-final", "1")])
        await stream.send_data(message(b"hello"))
        stream.trailers(0)

    upstream.on(f"/{SERVICE}/Echo", handler)
    answer, call = scripted_calls.with_call()
    assert answer == b"hello"
    names = [field.key for field in call.initial_metadata()]
    assert "x-final" in names and "x-interim" not in names
