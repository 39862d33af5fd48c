"""What a client's user reads when something is wrong: at once, and with the remedy."""

import socket
import ssl
import time

import pytest
from raw_client import RawClient
from workspace.certificates import Authority
from workspace.scripted import Http1Server, ResettingServer
from workspace.tokens import jwt

METHOD = "Config"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"
SOON_S = 3


def check(failure, code, *words):
    """The client's exception, as PySpark's user sees it."""
    assert failure.seconds < SOON_S, failure
    assert failure.code == code, failure
    for word in ("sparkbridge", *words):
        assert word in failure.message, failure
    assert "UNAVAILABLE" not in failure.message
    assert "<html" not in failure.message.lower()


@pytest.fixture(params=["v43", "v42"])
def client(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("index", [0, 1], ids=["refused in gRPC", "refused in HTML"])
def test_wrong_token(bridges, standin, client, index):
    tenant = standin.tenants[index]
    bridge = bridges(tenant=tenant, token="dapi-wrong")
    failure = client.fail("range", bridge.remote)
    check(failure, "UNAUTHENTICATED", tenant.host, "refused the token", "--token-file")


def test_expired_token(bridges, client):
    """Where the token says so itself, as OAuth's do."""
    bridge = bridges(token=jwt(1_700_000_000))
    failure = client.fail("range", bridge.remote)
    check(failure, "UNAUTHENTICATED", "refused the token", "it expired at 2023-11-14T22:13:20Z")
    assert bridge.wait_for_log(lambda fields: "expired at 2023-11-14" in fields["msg"])


@pytest.mark.parametrize("index", [0, 1], ids=["refused in gRPC", "refused in HTML"])
def test_wrong_cluster(bridges, standin, client, index):
    tenant = standin.tenants[index]
    bridge = bridges(tenant=tenant, cluster="0000-000000-nobodys")
    failure = client.fail("range", bridge.remote)
    check(
        failure,
        "PERMISSION_DENIED",
        tenant.host,
        "cluster 0000-000000-nobodys",
        "from --cluster-id",
    )


def test_workspace_down(bridges, client):
    failure = client.fail("range", bridges(port=1).remote)
    check(failure, "FAILED_PRECONDITION", "workspace.test:1", "cannot be reached", "--host")


def test_workspace_goes_down(bridges, standin, primary):
    """It was there before: the pool waits a moment for it, and then says so all the same."""
    with standin.script(primary.certificate) as server:
        bridge = bridges(port=server.port)
        with RawClient(bridge.port) as raw:
            assert raw.call(METHOD).status == 12
            server.stop()
            started = time.monotonic()
            answer = raw.call(METHOD, timeout=2 * SOON_S)
            assert answer.status == 9
            assert "cannot be reached" in answer.message
            assert time.monotonic() - started < SOON_S
            # A result that waits there is worth more patience, the client's own.
            assert raw.call("ReattachExecute", timeout=2 * SOON_S).status == 14


def test_workspace_is_silent(bridges, client):
    """PySpark makes several calls before it shows a fault: only the first waits for a connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        bridge = bridges(port=server.getsockname()[1], arguments=["--connect-timeout", "2s"])
        started = time.monotonic()
        failure = client.fail("range", bridge.remote)
        assert 2 <= time.monotonic() - started < 2 + SOON_S
    assert "no answer within 2000 ms" in failure.message


def test_name_is_unknown(bridges, client, release_binary):
    bridge = bridges(host="no-such-name.invalid", port=443, binary=release_binary)
    failure = client.fail("range", bridge.remote)
    check(failure, "FAILED_PRECONDITION", "no-such-name.invalid", "--host", "resolve")


def test_untrusted_authority(bridges, client, tmp_path):
    other = Authority(tmp_path, "other")
    failure = client.fail("range", bridges(ca_file=other.file).remote)
    check(failure, "FAILED_PRECONDITION", "workspace.test", "not trusted", "--ca-file")


def test_certificate_of_another_host(bridges, standin, client):
    failure = client.fail("range", bridges(host="other.test").remote)
    check(failure, "FAILED_PRECONDITION", "other.test", "not trusted", "mismatch", "from --host")


def test_expired_certificate(bridges, standin, client):
    expired = standin.authority.issue("workspace.test", days=-1)
    with standin.script(expired) as server:
        failure = client.fail("range", bridges(port=server.port).remote)
    check(failure, "FAILED_PRECONDITION", "workspace.test", "has expired", "renewed", "clock")


def test_http1_only(bridges, standin, primary, client):
    with Http1Server(standin.loop, primary.certificate) as server:
        failure = client.fail("range", bridges(port=server.port).remote)
    check(failure, "FAILED_PRECONDITION", "does not speak HTTP/2", "--host")


def test_http2_without_alpn(bridges, standin, primary, client):
    """A server that would speak HTTP/2 but does not say so in the handshake."""
    with standin.script(primary.certificate, alpn=()) as server:
        failure = client.fail("range", bridges(port=server.port).remote)
        assert server.requests == []
    check(failure, "FAILED_PRECONDITION", "does not speak HTTP/2", "--host")


class OldCertificate:
    """A certificate whose server speaks TLS 1.1 at most."""

    def __init__(self, certificate):
        self._certificate = certificate

    def server_context(self):
        context = self._certificate.server_context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_is_too_old(bridges, standin, primary, client):
    with standin.script(OldCertificate(primary.certificate)) as server:
        failure = client.fail("range", bridges(port=server.port).remote)
        assert server.requests == []
    check(failure, "FAILED_PRECONDITION", "workspace.test")


def test_no_tls(bridges, standin, client):
    with standin.script() as server:
        failure = client.fail("range", bridges(port=server.port).remote)
    check(failure, "FAILED_PRECONDITION", "TLS", "workspace.test")


def test_connections_are_reset(bridges, standin, client):
    with ResettingServer(standin.loop) as server:
        failure = client.fail("range", bridges(port=server.port).remote)
    check(failure, "FAILED_PRECONDITION", "workspace.test")


@pytest.mark.parametrize(
    ("status", "code"),
    [(301, 9), (400, 13), (401, 16), (403, 7), (404, 12), (429, 14), (500, 2), (502, 14), (503, 14)],
)
def test_html_never_reaches_a_client(bridges, standin, primary, status, code):
    async def refuse(stream):
        stream.send_headers([(":status", str(status)), ("content-type", "text/html")])
        await stream.send_data(b"<html>go away</html>", end=True)

    with standin.script(primary.certificate) as server:
        server.on(PATH, refuse)
        with RawClient(bridges(port=server.port).port) as raw:
            answer = raw.call(METHOD)
    assert answer.status == code
    assert answer.value(":status") == "200"
    assert answer.value("content-type") == "application/grpc"
    assert answer.data == b""
    assert "workspace.test" in answer.message


def test_login_page(bridges, standin, primary):
    async def page(stream):
        stream.send_headers([(":status", "200"), ("content-type", "text/html")])
        await stream.send_data(b"<html>sign in</html>", end=True)

    with standin.script(primary.certificate) as server:
        server.on(PATH, page)
        with RawClient(bridges(port=server.port).port) as raw:
            answer = raw.call(METHOD)
    assert answer.status == 9
    assert "text/html" in answer.message


@pytest.mark.parametrize(
    "path",
    [
        "/api/2.0/secrets/list",
        "/spark.connect.SparkConnectService/../../api/2.0/clusters/list",
        "/spark.connect.SparkConnectService/",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "//spark.connect.SparkConnectService/Config",
        "/spark.connect.SparkConnectService/Config?x=1",
    ],
)
def test_only_spark_connect_is_forwarded(bridges, standin, primary, path):
    with standin.script(primary.certificate) as server:
        with RawClient(bridges(port=server.port).port) as raw:
            answer = raw.call(METHOD, path=path)
            assert (answer.status, answer.trailers_only) == (12, True)
        assert server.requests == []
        assert server.connections == 0
