"""Clients that do a lot of what attackers do, as honest ones do it: none is cut."""

import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from raw_client import SERVICE, RawClient
from workspace.scripted import GRPC_HEADERS, message

CANCELLED = 10_000
OUT_OF_TIME = 2_000
AT_ONCE = 4
DEADLINE_S = 0.05
CONNECTIONS = 1_000
KEEPALIVE_MS = 1_000


async def first_of_many(stream):
    """One message of a stream that has no end."""
    await stream.body()
    stream.send_headers(GRPC_HEADERS)
    await stream.send_data(message(b"first"))
    await stream.gone.wait()


async def never(stream):
    await stream.gone.wait()


async def small(stream):
    await stream.body()
    stream.send_headers(GRPC_HEADERS)
    await stream.send_data(message(b"here"))
    stream.trailers(0)


@pytest.fixture
def bridge(bridges, standin, primary, release_binary):
    with standin.script(primary.certificate) as server:
        server.on(SERVICE + "ExecutePlan", first_of_many)
        server.on(SERVICE + "ReattachExecute", never)
        server.on(SERVICE + "Config", small)
        yield bridges(port=server.port, binary=release_binary)


class Channel:
    """A grpcio channel that notes when its connection is lost."""

    def __init__(self, bridge, *options):
        own = ("grpc.use_local_subchannel_pool", 1)
        self._channel = grpc.insecure_channel(f"localhost:{bridge.port}", options=[own, *options])
        self.states = []
        self._channel.subscribe(self.states.append, try_to_connect=True)

    def __enter__(self):
        grpc.channel_ready_future(self._channel).result(30)
        return self

    def __exit__(self, *_):
        self._channel.close()

    def unary(self, method, timeout=30):
        return self._channel.unary_unary(SERVICE + method)(b"request", timeout=timeout)

    def stream(self, method, timeout=60):
        return self._channel.unary_stream(SERVICE + method)(b"request", timeout=timeout)

    def check_was_not_cut(self):
        assert self.unary("Config") == b"here"
        connected = self.states.index(grpc.ChannelConnectivity.READY)
        assert set(self.states[connected:]) == {grpc.ChannelConnectivity.READY}


def test_cancels(bridge):
    """Ten thousand calls, each cancelled when its first message has come, as fast as it goes; one
    more client pings all the while."""
    keepalive = (
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    )
    began = time.monotonic()
    with Channel(bridge, *keepalive) as pinging, Channel(bridge) as cancelling:
        for _ in range(CANCELLED):
            call = cancelling.stream("ExecutePlan")
            assert next(call) == b"first"
            call.cancel()
        print(f"{CANCELLED / (time.monotonic() - began):.0f} cancelled calls a second")
        cancelling.check_was_not_cut()
        pinging.check_was_not_cut()


def test_short_deadlines(bridge):
    """Calls that are never answered, of a client with short deadlines, several at once."""
    with Channel(bridge) as channel, ThreadPoolExecutor(AT_ONCE) as pool:

        def call(_):
            with pytest.raises(grpc.RpcError) as failure:
                channel.unary("ReattachExecute", DEADLINE_S)
            return failure.value.code()

        codes = set(pool.map(call, range(OUT_OF_TIME)))
        assert codes == {grpc.StatusCode.DEADLINE_EXCEEDED}
        channel.check_was_not_cut()


def test_connections(bridge):
    """A thousand connections one after another, each of which carries a call."""
    port = bridge.port
    for _ in range(CONNECTIONS):
        with RawClient(port) as client:
            assert client.call("Config").status == 0
