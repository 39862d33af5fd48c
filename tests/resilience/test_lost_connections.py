"""The connection to the workspace is cut in the middle of a large result: PySpark re-attaches by
itself and has exactly the rows that the server has."""

import os
import random

import pytest
from workspace.bridge import parse_logfmt
from workspace.nginx import Gate
from workspace.relay import CuttingRelay
from workspace.spark import SparkServer

ROWS = 400_000  # of 264 bytes
RESULT_BYTES = ROWS * 264
ROUNDS = int(os.environ.get("SPARKBRIDGE_CUTS", "10"))  # 50 are the full form


def reattaches(bridge):
    """How many ReattachExecute calls have ended so far."""
    lines = [parse_logfmt(line) for line in list(bridge.child.stderr)]
    return sum(1 for fields in lines if fields.get("rpc") == "ReattachExecute")


def cut_and_compare(client, bridge, relay, expected, rounds):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}, {rounds} rounds")
    numbers = random.Random(seed)
    for turn in range(rounds):
        cuts, before = relay.cuts, reattaches(bridge)
        after = numbers.randrange(RESULT_BYTES // 100, RESULT_BYTES)
        reset = numbers.random() < 0.5
        relay.cut_after(after, reset=reset)
        got = client.run("large", bridge.remote, rows=ROWS)
        what = f"round {turn}: {'RST' if reset else 'FIN'} after {after} bytes"
        assert got == expected, what
        assert relay.cuts == cuts + 1, what
        bridge.wait_for_log(lambda _: reattaches(bridge) > before)
    print(f"{reattaches(bridge)} ReattachExecute calls")


def result_of(client, spark):
    """What a client gets without a bridge."""
    expected = client.run("large", spark.remote, rows=ROWS)
    assert expected["rows"] == ROWS and expected["in_order"]
    return expected


@pytest.fixture
def far_reader(standin, tmp_path):
    """A gate that reads far ahead of its client, as nginx does with 2 GiB of window, and a Spark
    that keeps as much for clients that re-attach."""
    conf = {"spark.connect.execute.reattachable.observerRetryBufferSize": "1g"}
    spark = SparkServer(tmp_path / "spark", conf=conf)
    try:
        gate = Gate(tmp_path / "gate", standin.tenants, spark.port, standin.scripted.port)
        try:
            yield spark, gate
        finally:
            gate.stop()
    finally:
        spark.stop()


def test_behind_a_gate_that_reads_far_ahead(bridges, standin, far_reader, v43):
    spark, gate = far_reader
    with CuttingRelay(standin.loop, ("127.0.0.1", gate.port)) as relay:
        bridge = bridges(port=relay.port)
        cut_and_compare(v43, bridge, relay, result_of(v43, spark), ROUNDS)


def test_behind_a_gate_of_bounded_windows(bridges, standin, primary, v43):
    """The gate only ends TLS, so that the bridge's own windows bound what Spark sends; then the
    10 MB that Spark keeps by default are enough."""
    target = ("127.0.0.1", standin.spark.port)
    with CuttingRelay(standin.loop, target, primary.certificate) as relay:
        bridge = bridges(port=relay.port)
        cut_and_compare(v43, bridge, relay, result_of(v43, standin.spark), max(5, ROUNDS // 2))
