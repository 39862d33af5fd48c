"""Clients that do not read: bounded memory, and nobody else is held up."""

import re
import time
import uuid

from measures import wait_until_still
from pyspark.sql.connect.proto import base_pb2
from raw_client import RawClient
from workspace.scripted import GRPC_HEADERS, message

METHOD = "Config"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"
MIB = 1 << 20


def peak_mib(bridge):
    with open(f"/proc/{bridge.child.pid}/status") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) / 1024


class Flood:
    """Sends without end; how much the bridge took."""

    def __init__(self):
        self.sent = 0
        self.streams = 0

    async def __call__(self, stream):
        self.streams += 1
        stream.send_headers(GRPC_HEADERS)
        chunk = message(bytes(64 * 1024 - 5))
        for _ in range(1 << 14):  # 1 GiB
            await stream.send_data(chunk)
            self.sent += len(chunk)
        stream.trailers(0)


async def small(stream):
    await stream.body()
    stream.send_headers(GRPC_HEADERS)
    await stream.send_data(message(b"here"))
    stream.trailers(0)


def test_stalled_readers(bridges, standin, primary, release_binary):
    """One client that reads nothing of a large result, then forty; another works beside them."""
    flood = Flood()
    with standin.script(primary.certificate) as server:
        server.on(PATH, flood)
        server.on(PATH.replace(METHOD, "Interrupt"), small)
        bridge = bridges(port=server.port, binary=release_binary)
        stalled = []
        try:
            for count in (1, 40):
                while len(stalled) < count:
                    client = RawClient(bridge.port)
                    stalled.append(client)
                    client.start(METHOD, end=True)
                server.wait_for_request(PATH, count=count)
                sent = wait_until_still(lambda: flood.sent)
                # The kernel's buffers on both connections take several MiB a client besides.
                assert sent / count < 16 * MIB
                with RawClient(bridge.port) as working:
                    for _ in range(50):
                        started = time.monotonic()
                        assert working.call("Interrupt").status == 0
                        assert time.monotonic() - started < 1
                if count == 1:
                    assert peak_mib(bridge) < 64
            assert peak_mib(bridge) < 64 + 40 * 5
        finally:
            for client in stalled:
                client.close()


def plan(query):
    """A serialized ExecutePlan request, as a client makes it that does not re-attach."""
    request = base_pb2.ExecutePlanRequest(session_id=str(uuid.uuid4()))
    request.user_context.user_id = "stalled"
    request.plan.root.sql.query = query
    return request.SerializeToString()


def test_spark_beside_a_stalled_reader(bridges, v43, release_binary):
    """A real result of 264 MB of which nothing is read, and a real client beside it. (Spark keeps
    what is not read in its heap; of the whole 1 GiB the server above is the one to ask.)"""
    bridge = bridges(binary=release_binary)
    query = "select id, repeat(md5(cast(id as string)), 8) s from range(1000000)"
    with RawClient(bridge.port) as stalled:
        stream = stalled.start("ExecutePlan")
        stalled.send(stream, message(plan(query)), end=True)
        # The result has begun; from here on nothing is read.
        stalled.wait_for(stream, lambda answer: answer.headers is not None, timeout=60)
        assert v43.run("range", bridge.remote, session="beside") == list(range(1, 10))
        assert v43.run("large", bridge.remote, session="beside", rows=100_000)["in_order"]
        assert not stalled.answer(stream).done
        assert peak_mib(bridge) < 64
