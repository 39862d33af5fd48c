"""Real clients through the bridge: what they get is what Spark gave, on TCP and Unix sockets."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from clients import value_of
from workspace.bridge_factory import BridgeFactory

LARGE_ROWS = 400_000  # 105 MB
ARTIFACT_BYTES = 24_000_000
UPLOAD_ROWS = 200_000  # 26 MB


@pytest.fixture(scope="module")
def long_lived(binary, standin, tmp_path_factory):
    """One bridge for the module, as in life, on both kinds of socket."""
    directory = tmp_path_factory.mktemp("bridge")
    factory = BridgeFactory(binary, standin, directory, [t.token for t in standin.tenants])
    yield factory(listen=("localhost:0", f"unix:{directory}/bridge.sock"))
    factory.finish()


@pytest.fixture(params=["tcp", "unix"])
def target(request, long_lived):
    if request.param == "tcp":
        return long_lived.remote
    return next(address for address in long_lived.addresses if address.startswith("unix:"))


@pytest.fixture(params=["v43", "v42"])
def client(request):
    return request.getfixturevalue(request.param)


def expected_digest(rows):
    """What op_large must return for a result with nothing lost or changed."""
    ids = b"".join(number.to_bytes(8, "little") for number in range(rows))
    text = "".join(hashlib.md5(str(number).encode()).hexdigest() * 8 for number in range(rows))
    return hashlib.sha256(ids + text.encode()).hexdigest()


def test_range(client, target):
    assert client.run("range", target) == list(range(1, 10))


def test_sql(client, target):
    assert client.run("sql", target, query="select 1 + 1, 'x', null") == [[2, "x", None]]


def test_large_result_is_identical(client, target, standin):
    direct = client.run("large", standin.spark.remote, rows=LARGE_ROWS)
    through = client.run("large", target, rows=LARGE_ROWS)
    assert through["bytes"] >= 100_000_000
    assert through["in_order"]
    assert through == direct
    assert through["digest"] == expected_digest(LARGE_ROWS)


def test_upload(client, target):
    uploaded = client.run("upload", target, rows=UPLOAD_ROWS)
    assert uploaded["got"] == uploaded["expected"]


def test_artifacts(client, target):
    assert client.run("artifacts", target, size=ARTIFACT_BYTES)


def test_interrupt_all(client, target, request):
    outcome = client.run("interrupt", target, session="interrupted", marker=request.node.name)
    assert outcome["ended"]
    assert outcome["interrupted"] >= 1
    assert "OPERATION_CANCELED" in outcome["error"]
    # The session lives on.
    assert client.run("range", target, session="interrupted") == list(range(1, 10))


def test_a_query_silent_for_a_minute(v43, v42, long_lived):
    unix = next(address for address in long_lived.addresses if address.startswith("unix:"))
    naps = [
        client.submit("nap", target, session="nap", seconds=60, marker=f"nap.{number}")
        for number, (client, target) in enumerate([(v43, long_lived.remote), (v42, unix)])
    ]
    for nap in naps:
        reply = nap.result(150)
        assert value_of(reply) == [0]
        assert reply["seconds"] >= 60


def test_eight_clients_at_once(v43, v42, long_lived):
    unix = next(address for address in long_lived.addresses if address.startswith("unix:"))
    with ThreadPoolExecutor(8) as pool:
        running = [
            pool.submit(
                [v43, v42][number % 2].run,
                "mixed",
                [long_lived.remote, unix][number // 2 % 2],
                session=f"one of eight: {number}",
                rounds=4,
                seed=number,
            )
            for number in range(8)
        ]
        assert [future.result() for future in running] == [True] * 8
