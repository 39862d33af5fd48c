"""Clients that stop reading: how much is under way, and that nobody else is held up."""

import statistics
import time

import h2.events
import pytest
from delay_relay import DelayRelay
from measures import resident_kib, wait_until_still
from raw_client import RawClient
from workspace.scripted import GRPC_HEADERS, message

METHOD = "ExecutePlan"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"
SMALL_PATH = "/spark.connect.SparkConnectService/Config"
KIB, MIB = 1 << 10, 1 << 20

STALLED = 40
CALLS = 300
DELAY_MS = 50  # by which the working client's calls may be slower


class Unthankful(RawClient):
    """Reads, but never gives credit back."""

    def _on_event(self, event):
        if isinstance(event, h2.events.DataReceived):
            self.answer(event.stream_id).chunks.append(len(event.data))
        else:
            super()._on_event(event)

    def received(self, stream):
        return sum(self.answer(stream).chunks)


async def flood(stream):
    """A reply of 1 GiB."""
    stream.send_headers(GRPC_HEADERS)
    chunk = message(bytes(256 * KIB - 5))
    for _ in range(1 << 12):
        await stream.send_data(chunk)
    stream.trailers(0)


async def small(stream):
    await stream.body()
    stream.send_headers(GRPC_HEADERS)
    await stream.send_data(message(b"here"))
    stream.trailers(0)


@pytest.fixture
def server(standin, primary):
    with standin.script(primary.certificate) as scripted:
        scripted.on(PATH, flood)
        scripted.on(SMALL_PATH, small)
        yield scripted


@pytest.mark.parametrize(
    ("client_window", "least", "most"),
    [(10, 896 * KIB, MIB), (64 * MIB, 3584 * KIB, 4 * MIB)],
    ids=["at once", "in full flow"],
)
def test_bytes_under_way(bridges, server, client_window, least, most):
    """What the workspace has sent of a result and the client has not taken: all of it is in the
    bridge, as the client takes whatever comes and its window is used up to the last byte. Over a
    distance a stream's window has grown to its ceiling by then."""
    with DelayRelay(50, server.port) as distance:
        bridge = bridges(port=distance.port)
        with Unthankful(bridge.port, window=client_window) as client:
            stream = client.start(METHOD, end=True)
            client.wait_for(
                stream, lambda _: client.received(stream) == client_window, timeout=120
            )
            sent = wait_until_still(lambda: server.requests[0].sent_bytes)
            under_way = sent - client_window
            print(f"{under_way} bytes are under way")
            assert least <= under_way <= most


def latencies(client):
    """In ms, of calls one after the other."""
    took = []
    for _ in range(CALLS):
        started = time.monotonic()
        assert client.call("Config").status == 0
        took.append((time.monotonic() - started) * 1000)
    return took


def percentiles(client):
    """The 50th and 99th of its calls: the best of three rounds, as the machine has other work."""
    rounds = [statistics.quantiles(latencies(client), n=100) for _ in range(3)]
    return min(cuts[49] for cuts in rounds), min(cuts[98] for cuts in rounds)


def test_forty_beside_one(bridges, server, release_binary):
    """Forty clients advertise the largest windows and never read their replies of 1 GiB; all
    share the workspace's connection with one that works."""
    bridge = bridges(port=server.port, binary=release_binary)
    stalled = []
    with RawClient(bridge.port) as working:
        latencies(working)  # to warm up
        before = percentiles(working)
        resident = resident_kib(bridge.child.pid)
        try:
            for _ in range(STALLED):
                client = RawClient(bridge.port)
                stalled.append(client)
                client.start(METHOD, end=True)
            server.wait_for_request(PATH, count=STALLED, timeout=60)
            sent = wait_until_still(
                lambda: [one.sent_bytes for one in server.requests if one.path == PATH]
            )
            during = percentiles(working)
            growth = (resident_kib(bridge.child.pid) - resident) / STALLED
        finally:
            for client in stalled:
                client.close()
    print(f"p50 and p99 in ms: before {before}, during {during}")
    print(f"{growth:.0f} KiB for each stalled client; {min(sent)} to {max(sent)} bytes were sent")
    assert server.connections == 1
    assert during[0] < before[0] + DELAY_MS and during[1] < before[1] + DELAY_MS
    assert growth <= 1280  # a stream's first window, and what the connection is made of
