"""Deadlines are the client's: passed on unchanged, and what a client leaves behind is freed."""

import asyncio

import grpc
import h2.errors
import pytest
from raw_client import RawClient
from workspace.scripted import GRPC_HEADERS, SilentServer, message

METHOD = "Config"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"


@pytest.fixture
def upstream(standin, primary):
    with standin.script(primary.certificate) as server:
        yield server


@pytest.fixture
def bridge(bridges, upstream):
    return bridges(port=upstream.port)


def test_deadlines_are_the_clients(upstream, bridge):
    """A real gRPC client's deadline: the workspace learns of it, and of its passing."""

    async def handler(stream):
        await stream.gone.wait()

    upstream.on(PATH, handler)
    with grpc.insecure_channel(f"localhost:{bridge.port}") as channel:
        with pytest.raises(grpc.RpcError) as raised:
            channel.unary_unary(PATH)(b"", timeout=1)
    assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    seen = upstream.wait_for_request(PATH)
    assert seen.value("grpc-timeout")
    upstream.run(asyncio.wait_for(seen.gone.wait(), 10))


@pytest.mark.parametrize("answered", [False, True])
def test_a_client_that_outstays_its_deadline(upstream, bridge, answered):
    """Its call is freed at both ends some seconds later, without a status of ours."""

    async def handler(stream):
        if answered:
            stream.send_headers(GRPC_HEADERS)
            await stream.send_data(message(b"part"))
        await stream.gone.wait()

    upstream.on(PATH, handler)
    with RawClient(bridge.port) as client:
        stream = client.start(METHOD, metadata=[("grpc-timeout", "100m")], end=True)
        seen = upstream.wait_for_request(PATH)
        assert seen.value("grpc-timeout") == "100m"
        answer = client.wait_for_end(stream, timeout=15)
    assert (answer.reset, answer.status) == (h2.errors.ErrorCodes.CANCEL, None)
    upstream.run(asyncio.wait_for(seen.gone.wait(), 10))
    assert seen.reset_code == h2.errors.ErrorCodes.CANCEL


def test_a_deadline_passes_while_the_call_waits(standin, bridges):
    """The workspace takes connections and says nothing; the call waits for one."""
    with SilentServer(standin.loop) as server:
        bridge = bridges(port=server.port, arguments=["--connect-timeout", "60s"])
        with RawClient(bridge.port) as client:
            stream = client.start(METHOD, metadata=[("grpc-timeout", "100m")], end=True)
            assert client.wait_for_end(stream, timeout=15).reset == h2.errors.ErrorCodes.CANCEL
            assert client.call("Any", path="/x/y").status == 12  # the connection lives
