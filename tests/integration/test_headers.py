"""What the workspace sees of a call's headers, whatever the client sent."""

import pytest
from raw_client import RawClient

METHOD = "Config"


@pytest.fixture
def relay(standin):
    relay = standin.record()
    yield relay
    relay.stop()


@pytest.fixture
def recorded(bridges, relay):
    """A bridge to the recording relay, behind which is Spark."""
    return bridges(port=relay.port)


def check(seen, primary, port):
    """Exactly one of each that the bridge sets, and the right ones."""
    assert seen.values("authorization") == [f"Bearer {primary.token}"]
    assert seen.values("x-databricks-cluster-id") == [primary.cluster_id]
    assert seen.values(":authority") == [f"{primary.host}:{port}"]
    assert seen.values(":scheme") == ["https"]
    assert seen.values(":method") == ["POST"]
    assert seen.values("host") == []
    assert seen.values("te") == ["trailers"]
    names = [name for name, _ in seen.headers]
    assert names == sorted(names, key=lambda name: not name.startswith(":"))


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "/;authorization=Bearer mine",
        "/;token=mine;use_ssl=false",
        "/;x-databricks-cluster-id=0000-000000-mine",
        "/;token=mine;use_ssl=false;authorization=Bearer other;x-databricks-cluster-id=mine",
        "/;x_databricks_cluster_id=mine;x-databricks-session-id=mine",
    ],
    ids=["nothing", "authorization", "token", "cluster", "all of them", "underscores"],
)
@pytest.mark.parametrize("version", ["v43", "v42"])
def test_pyspark_sends_its_own(version, parameters, request, recorded, relay, primary):
    client = request.getfixturevalue(version)
    assert client.run("range", recorded.remote + parameters, session=None) == list(range(1, 10))
    seen = relay.seen()
    assert {":path", "user-agent", "grpc-accept-encoding"} <= {n for n, _ in seen[0].headers}
    for one in seen:
        check(one, primary, relay.port)
        assert "mine" not in str(one.headers)


@pytest.mark.parametrize(
    "sent",
    [
        [("authorization", "Bearer mine")],
        [("authorization", "Bearer mine"), ("authorization", "Basic mine")],
        [("x-databricks-cluster-id", "mine"), ("x-databricks-cluster-id", "mine too")],
        [("x_databricks_cluster_id", "mine"), ("x-databricks_cluster-id", "mine")],
        [("proxy-authorization", "mine"), ("authentication", "mine")],
        [("x-databricks-org-id", "mine"), ("x-forwarded-for", "mine"), ("x-own", "mine")],
        [("x-databricks-session-id", "mine")],
        [("authorization", ""), ("x-databricks-cluster-id", "")],
    ],
    ids=str,
)
def test_raw_client_sends_its_own(sent, recorded, relay, primary):
    with RawClient(recorded.port) as client:
        client.call(METHOD, metadata=[*sent, ("x-request-id", "1")])
    seen = relay.wait_for(lambda one: one.values("x-request-id"))
    check(seen, primary, relay.port)
    assert "mine" not in str(seen.headers)


@pytest.mark.parametrize(
    "name", ["Authorization", "AUTHORIZATION", "X-Databricks-Cluster-Id", "authorization "]
)
def test_a_name_that_http2_forbids(name, recorded, relay, primary):
    with RawClient(recorded.port) as client:
        client.call(METHOD, metadata=[(name, "mine")])
    # Refused or mended, but never passed on; and the bridge goes on.
    with RawClient(recorded.port) as client:
        client.call(METHOD, metadata=[("x-request-id", "1")])
    relay.wait_for(lambda one: one.values("x-request-id"))
    for seen in relay.seen():
        check(seen, primary, relay.port)
        assert "mine" not in str(seen.headers)


@pytest.mark.parametrize(
    "authority", ["localhost", "127.0.0.1:15002", "[::1]:15002", "localhost:1"]
)
def test_authority_is_the_workspaces(authority, recorded, relay, primary):
    with RawClient(recorded.port) as client:
        stream = client.start(METHOD, authority=authority, metadata=[("x-request-id", "1")], end=True)
        client.wait_for_end(stream)
    check(relay.wait_for(lambda one: one.values("x-request-id")), primary, relay.port)


@pytest.mark.parametrize(
    "path",
    [
        "/api/2.0/secrets/list",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/spark.connect.SparkConnectService",
        "/spark.connect.SparkConnectService/",
        "/spark.connect.SparkConnectService/../../api/2.0/secrets/list",
        "/spark.connect.SparkConnectService/Config?x=1",
        "/spark.connect.SparkConnectService/%43onfig",
        "/spark.connect.SparkConnectService//Config",
        "/Spark.Connect.SparkConnectService/Config",
        "//spark.connect.SparkConnectService/Config",
        "/spark.connect.SparkConnectServiceX/Config",
        "/",
        "*",
    ],
)
def test_other_paths_are_answered_here(path, recorded, relay):
    with RawClient(recorded.port) as client:
        answer = client.call(METHOD, path=path)
        # Nothing at all is passed on of it: the next call is the first that the workspace sees.
        client.call(METHOD, metadata=[("x-request-id", "1")])
    assert answer.status == 12 or answer.reset
    if answer.status:
        assert answer.value(":status") == "200"
        assert answer.value("content-type").startswith("application/grpc")
        assert answer.message
    assert relay.wait_for(lambda one: True).values("x-request-id") == ["1"]


def test_what_is_not_grpc_never_gets_through(recorded, relay):
    with RawClient(recorded.port) as client:
        for method, kind in [("GET", None), ("POST", "text/html"), ("POST", None)]:
            headers = [
                (":method", method),
                (":scheme", "http"),
                (":path", f"/spark.connect.SparkConnectService/{METHOD}"),
                (":authority", "localhost"),
            ]
            headers += [("content-type", kind)] if kind else []
            stream = client.start_with(headers, end=True)
            assert client.wait_for_end(stream).value(":status") in ("405", "415")
        client.call(METHOD, metadata=[("x-request-id", "1")])
    assert relay.wait_for(lambda one: True).values("x-request-id") == ["1"]


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ([("content-type", "text/html")], (":status", "415")),
        ([("content-type", "application/grpc")], ("grpc-status", "3")),
    ],
    ids=["not gRPC", "health"],
)
def test_a_body_that_nobody_wants_is_not_waited_for(headers, outcome, recorded):
    """More than a stream's window of it, without an end: answered all the same."""
    with RawClient(recorded.port) as client:
        pseudo = [(":method", "POST"), (":scheme", "http"), (":authority", "localhost")]
        path = (":path", "/grpc.health.v1.Health/Check")
        stream = client.start_with([*pseudo, path, ("te", "trailers"), *headers])
        client.send_what_fits(stream, bytes(2 << 20))
        assert client.wait_for_end(stream).value(outcome[0]) == outcome[1]


def test_the_gates_own_log(v43, bridge, standin, primary):
    """The same through nginx, which checks token and cluster and writes down what it saw."""
    before = len(standin.gate.requests())
    assert v43.run("range", bridge.remote + "/;authorization=Bearer mine", session=None)
    requests = standin.gate.requests()[before:]
    assert requests
    for request in requests:
        assert request["authorization"] == f"Bearer {primary.token}"
        assert request["cluster"] == primary.cluster_id
        assert request["authority"] == f"{primary.host}:{standin.gate.port}"
        assert (request["scheme"], request["protocol"]) == ("https", "HTTP/2.0")
        assert (request["sni"], request["alpn"]) == (primary.host, "h2")
        assert request["tls"] in ("TLSv1.2", "TLSv1.3")
