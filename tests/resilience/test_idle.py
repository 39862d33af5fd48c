"""An idle daemon sleeps."""

import time

from measures import let_pass, wait_until_still, wakeups
from raw_client import RawClient
from workspace.scripted import GRPC_HEADERS, message

PATH = "/spark.connect.SparkConnectService/Config"
SECONDS = 30


async def small(stream):
    await stream.body()
    stream.send_headers(GRPC_HEADERS)
    await stream.send_data(message(b"here"))
    stream.trailers(0)


def test_wakes_less_than_once_in_ten_seconds(bridges, standin, primary, release_binary):
    """With a client and the workspace connected, and nothing to do."""
    with standin.script(primary.certificate) as server:
        server.on(PATH, small)
        bridge = bridges(port=server.port, binary=release_binary)
        pid = bridge.child.pid
        with RawClient(bridge.port) as client:
            assert client.call("Config").status == 0
            before = wait_until_still(lambda: wakeups(pid))
            began = time.monotonic()
            let_pass(SECONDS)
            woken = wakeups(pid) - before
            elapsed = time.monotonic() - began
            print(f"woken {woken} times in {elapsed:.0f} s")
            assert woken < elapsed / 10
            # It was asleep and not dead, and both connections are those from before.
            assert client.call("Config").status == 0
            assert wakeups(pid) > before + woken
        assert server.connections == 1
