"""A large result over a distance: through the bridge, beside what the same client takes directly.

    ./dev latency [--delay MS] [--ceilings 4,8,16] [--rounds N]

Both ways lead through the same relay, which holds every byte for MS each way, to the same gate
with the same TLS, token and cluster; only the bridge is in one of them and not in the other. They
take turns; the first of each is not counted. Without --ceilings the bridge is as users have it,
and its median may be 1.1 times the direct one's at most: exit code 1 where it is more.
"""

import argparse
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from clients import Client, value_of
from delay_relay import DelayRelay
from workspace.bridge import Bridge
from workspace.progress import say
from workspace.standin import StandIn

ROWS = 400_000
MEGABYTES = ROWS * 264 / 1e6
MOST = 1.1
RELAY_BYTES = 512 << 20


def relay_ceiling(delay_ms):
    """MB/s that the relay itself passes on."""
    with socket.create_server(("127.0.0.1", 0)) as target:
        with DelayRelay(delay_ms, target.getsockname()[1]) as relay:
            near = socket.create_connection(("127.0.0.1", relay.port))
            far, _ = target.accept()
            with near, far:
                chunk = bytes(1 << 20)
                sender = threading.Thread(
                    target=lambda: [near.sendall(chunk) for _ in range(RELAY_BYTES >> 20)]
                )
                started = time.monotonic()
                sender.start()
                buffer, left = bytearray(1 << 20), RELAY_BYTES
                while left > 0:
                    left -= far.recv_into(buffer)
                sender.join()
                return RELAY_BYTES / 1e6 / (time.monotonic() - started)


def start_bridge(binary, standin, port, directory, ceiling):
    tenant = standin.tenants[0]
    token_file = directory / "token"
    token_file.touch(0o600)
    token_file.write_text(tenant.token + "\n")
    words = ["--listen", "localhost:0", "--host", f"{tenant.host}:{port}"]
    words += ["--cluster-id", tenant.cluster_id, "--token-file", token_file]
    words += ["--ca-file", standin.ca_file]
    if ceiling:
        words += ["--stream-window", f"{ceiling}MiB"]
    bridge = Bridge(binary, words, hosts_file=standin.hosts_file, home=directory)
    return bridge.wait_until_ready()


def take_turns(client, ways, rounds):
    """Seconds by way, in order of the rounds."""
    took = {name: [] for name in ways}
    expected = None
    for turn in range(rounds + 1):
        for name, remote in ways.items():
            reply = client.submit("large", remote, rows=ROWS).result(300)
            value = value_of(reply)
            expected = expected or value
            assert value == expected and value["in_order"]
            say(f"{name}: {reply['seconds']:.2f} s")
            if turn > 0:
                took[name].append(reply["seconds"])
    return took


def measure(standin, binary, directory, arguments):
    tenant = standin.tenants[0]
    client = Client(
        environment={
            "LD_PRELOAD": "libnss_wrapper.so",
            "NSS_WRAPPER_HOSTS": str(standin.hosts_file),
            "GRPC_DNS_RESOLVER": "native",  # the C library's, for the names above
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(standin.ca_file),
        }
    )
    bridges = {}
    with DelayRelay(arguments.delay, standin.gate.port) as relay:
        try:
            for ceiling in arguments.ceilings:
                name = f"bridge, {ceiling} MiB" if ceiling else "bridge"
                bridges[name] = start_bridge(binary, standin, relay.port, directory, ceiling)
            direct = f"sc://{tenant.host}:{relay.port}/;use_ssl=true;token={tenant.token}"
            ways = {"direct": f"{direct};x-databricks-cluster-id={tenant.cluster_id}"}
            ways |= {name: bridge.remote for name, bridge in bridges.items()}
            return take_turns(client, ways, arguments.rounds)
        finally:
            client.stop()
            for bridge in bridges.values():
                bridge.child.stop()


def report(took):
    """Prints the figures; the ratios of the medians to the direct one's."""
    direct = statistics.median(took["direct"])
    ratios = []
    for name, seconds in took.items():
        median = statistics.median(seconds)
        ratios.append(median / direct)
        each = " ".join(f"{one:.2f}" for one in seconds)
        print(
            f"{name:16} median {median:.2f} s, {MEGABYTES / median:.0f} MB/s, {ratios[-1]:.2f}"
            f" of the direct way ({each})"
        )
    return ratios[1:]


def main():
    parser = argparse.ArgumentParser(prog="./dev latency")
    parser.add_argument("--delay", type=float, default=20, help="milliseconds each way (20)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--ceilings",
        type=lambda text: [int(word) for word in text.split(",")],
        help="of the bridge's stream window, in MiB: 4,8,16",
    )
    arguments = parser.parse_args()
    checked = arguments.ceilings is None
    arguments.ceilings = arguments.ceilings or [None]
    print(f"the relay alone passes on {relay_ceiling(arguments.delay):.0f} MB/s")
    binary = os.environ["SPARKBRIDGE_RELEASE_BIN"]
    with StandIn(say=say) as standin, tempfile.TemporaryDirectory() as directory:
        ratios = report(measure(standin, binary, Path(directory), arguments))
    sys.exit(checked and ratios[0] > MOST)


if __name__ == "__main__":
    main()
