"""Requests that no honest client makes: what each is answered, and that none of it gets through.

Each row of the table is sent on a connection of its own, followed by an honest call. The scripted
workspace shows what has arrived: for a row that is answered here nothing at all, for one that is
forwarded nothing that is not meant to be.
"""

import asyncio
import contextlib
import re
import socket
import time
from dataclasses import dataclass, field

import pytest
from raw_client import RawClient
from workspace.scripted import GRPC_HEADERS, message

METHOD = "Config"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"
BODY = message(b"a request")

# What a row may be answered with.
FORWARDED = "grpc 0"
INVALID_ARGUMENT = "grpc 3"
PERMISSION_DENIED = "grpc 7"
TOO_LARGE = "grpc 8"
UNIMPLEMENTED = "grpc 12"
UNAUTHENTICATED = "grpc 16"
NOT_GRPC = "http 415"
MALFORMED = "reset 1"  # RST_STREAM(PROTOCOL_ERROR)
CUT = "goaway 1"  # GOAWAY(PROTOCOL_ERROR)

# All that may arrive of a call that these tests make.
EXPECTED_NAMES = {
    ":method",
    ":scheme",
    ":path",
    ":authority",
    "te",
    "content-type",
    "user-agent",
    "grpc-timeout",
    "x-request-id",
    "authorization",
    "x-databricks-cluster-id",
}


@dataclass(frozen=True)
class Row:
    title: str
    answer: str
    headers: list
    body: bytes = BODY
    trailers: list = field(default=None)
    begun: bool = False  # it had begun to be forwarded, and is cancelled there


def good(*more, without=(), **changed):
    """The headers of an honest call, some of them changed: `path` stands for :path."""
    headers = [
        (":method", changed.get("method", "POST")),
        (":scheme", changed.get("scheme", "http")),
        (":path", changed.get("path", PATH)),
        (":authority", changed.get("authority", "localhost:15002")),
        ("te", changed.get("te", "trailers")),
        ("content-type", changed.get("content_type", "application/grpc")),
        ("user-agent", "a-test/1"),
    ]
    return [pair for pair in headers if pair[0] not in without] + list(more)


def added(title, answer, *pairs):
    return Row(title, answer, good(*pairs))


# Everything that a client sends in these has the word "hostile" in it.
CREDENTIALS = [
    added(f"{name}: {value}", FORWARDED, (name, value))
    for name, value in [
        ("authorization", "Bearer hostile"),
        ("authorization", "Basic hostile"),
        ("authorization", "hostile"),
        ("authorization-bin", "hostile="),
        ("authorization_", "hostile"),
        ("authentication", "hostile"),
        ("proxy-authorization", "Bearer hostile"),
        ("proxy_authorization", "Bearer hostile"),
        ("x-databricks-cluster-id", "hostile"),
        ("x_databricks_cluster_id", "hostile"),
        ("x-databricks_cluster-id", "hostile"),
        ("x.databricks.cluster.id", "hostile"),
        ("x-databricks-cluster-id-bin", "hostile="),
        ("x-databricks-session-id", "hostile"),
        ("x-databricks-org-id", "hostile"),
        ("x-databricks-explicit-usage-policy-id", "hostile"),
        ("x-databricks-azure-sp-management-token", "hostile"),
        ("x-databricks-anything", "hostile"),
        ("x-forwarded-for", "hostile"),
        ("x-forwarded-host", "hostile.test"),
        ("x-forwarded-access-token", "hostile"),
        ("x-real-ip", "hostile"),
        ("x-original-url", "/hostile"),
        ("forwarded", "for=hostile"),
        ("x-api-key", "hostile"),
        ("x-http-method-override", "hostile"),
        ("content-encoding", "hostile"),
        ("expect", "hostile"),
        ("priority", "hostile"),
    ]
] + [
    added(
        "authorization three times",
        FORWARDED,
        *[("authorization", f"Bearer hostile{number}") for number in range(3)],
    ),
    added("authorization, empty", FORWARDED, ("authorization", "")),
]

PATHS = [
    Row(f"path {path}", UNIMPLEMENTED, good(path=path))
    for path in [
        "/api/2.0/secrets/list",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/spark.connect.SparkConnectService",
        "/spark.connect.SparkConnectService/",
        "/spark.connect.SparkConnectService/../../api/2.0/token/create",
        "/spark.connect.SparkConnectService/..%2f..%2fapi",
        "/spark.connect.SparkConnectService/%43onfig",
        "/spark.connect.SparkConnectService/Config%00",
        "/spark.connect.SparkConnectService/Config?o=1",
        "/spark.connect.SparkConnectService/Config#x",
        "/spark.connect.SparkConnectService/Config;x",
        "/spark.connect.SparkConnectService/Config/",
        "/spark.connect.SparkConnectService//Config",
        "/spark.connect.SparkConnectService\\Config",
        "//spark.connect.SparkConnectService/Config",
        "/./spark.connect.SparkConnectService/Config",
        "/SPARK.connect.SparkConnectService/Config",
        "/spark.connect.SparkConnectServiceX/Config",
        "/spark.connect.SparkConnectService/Cönfig",
        "/grpc.health.v1.Health/Other",
        "/",
    ]
] + [
    Row("path in absolute form", MALFORMED, good(path=f"http://hostile.test{PATH}")),
    Row("path without a slash", MALFORMED, good(path=PATH[1:])),
    Row("path *", MALFORMED, good(path="*")),
    Row("path with a blank", MALFORMED, good(path=PATH + " HTTP/1.1")),
    Row("path, empty", MALFORMED, good(path="")),
    Row("path with a NUL", MALFORMED, good(path=PATH + "\0hostile")),
]

AUTHORITIES = [
    Row(f"authority {authority}", PERMISSION_DENIED, good(authority=authority))
    for authority in [
        "hostile.test",
        "hostile.test:15002",
        "localhost.hostile.test",
        "127.0.0.1.hostile.test",
        "hostile@localhost",
        "localhost:80:80",
        "192.168.1.1:15002",
        "0.0.0.0:15002",
        "[::]:15002",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "localhost%00.hostile.test",
    ]
] + [
    Row("authority with a blank", MALFORMED, good(authority="localhost hostile.test")),
    Row("authority with a slash", MALFORMED, good(authority="localhost/hostile")),
    Row("no authority", MALFORMED, good(without=[":authority"])),
    added("host beside authority", PERMISSION_DENIED, ("host", "hostile.test")),
    added("the same host beside authority", FORWARDED, ("host", "localhost:1")),
    Row(
        "host for authority",
        PERMISSION_DENIED,
        good(("host", "hostile.test"), without=[":authority"]),
    ),
    added("host twice", MALFORMED, ("host", "localhost"), ("host", "hostile.test")),
]

BROWSERS = [
    added(f"{name}: {value}", PERMISSION_DENIED, (name, value))
    for name, value in [
        ("origin", "https://hostile.test"),
        ("origin", "null"),
        ("origin", "http://localhost:15002"),
        ("referer", "https://hostile.test/"),
        ("cookie", "hostile=1"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-fetch-site", "same-origin"),
        ("access-control-request-method", "POST"),
    ]
]

METHODS = [
    Row(f"method {method}", NOT_GRPC, good(method=method))
    for method in ["GET", "PUT", "OPTIONS", "HEAD", "post", "PRI"]
] + [
    Row(
        "CONNECT",
        NOT_GRPC,
        [(":method", "CONNECT"), (":authority", "hostile.test:443")],
    ),
    Row("method with a blank", MALFORMED, good(method="POST /hostile")),
    Row("method, empty", MALFORMED, good(method="")),
]

TYPES = [
    Row(f"content-type {kind}", NOT_GRPC, good(content_type=kind))
    for kind in [
        "text/plain",
        "application/json",
        "application/x-www-form-urlencoded",
        "application/grpc-web",
        "application/grpc-web+proto",
        "application/grpc-web-text",
        "application/grpcx",
        "Application/GRPC",
        "",
    ]
] + [
    Row("no content-type", NOT_GRPC, good(without=["content-type"])),
    Row("content-type with +proto", FORWARDED, good(content_type="application/grpc+proto")),
    added("content-type twice", INVALID_ARGUMENT, ("content-type", "text/hostile")),
]

PSEUDO = [
    added("path twice", MALFORMED, (":path", "/api/2.0/hostile")),
    Row("path twice, side by side", MALFORMED, [(":path", "/hostile"), *good()]),
    Row("method twice", MALFORMED, [(":method", "GET"), *good()]),
    Row("authority twice", MALFORMED, [(":authority", "hostile.test"), *good()]),
    Row("scheme twice", MALFORMED, [(":scheme", "https"), *good()]),
    Row("an unknown one", MALFORMED, [(":hostile", "1"), *good()]),
    Row("one of responses", MALFORMED, [(":status", "200"), *good()]),
    Row("extended CONNECT", MALFORMED, [(":protocol", "websocket"), *good()]),
    Row("behind a header", MALFORMED, [("x-hostile", "1"), *good()]),
    Row("no method", MALFORMED, good(without=[":method"])),
    Row("no path", MALFORMED, good(without=[":path"])),
    Row("no scheme", MALFORMED, good(without=[":scheme"])),
    Row("in upper case", MALFORMED, [(":PATH", "/hostile"), *good()]),
    Row("none at all", MALFORMED, [("te", "trailers"), ("content-type", "application/grpc")]),
    Row("scheme https", FORWARDED, good(scheme="https")),
    Row("scheme file", FORWARDED, good(scheme="file")),
    Row("in trailers", MALFORMED, good(), trailers=[(":path", "/hostile")], begun=True),
]

SMUGGLING = [
    added("connection", MALFORMED, ("connection", "authorization")),
    added("connection: close", MALFORMED, ("connection", "close")),
    added("keep-alive", MALFORMED, ("keep-alive", "timeout=5")),
    added("proxy-connection", MALFORMED, ("proxy-connection", "keep-alive")),
    added("transfer-encoding", MALFORMED, ("transfer-encoding", "chunked")),
    added("upgrade", MALFORMED, ("upgrade", "websocket")),
    added("http2-settings", FORWARDED, ("http2-settings", "hostile")),
    Row("te: gzip", MALFORMED, good(te="gzip")),
    Row("te: trailers, gzip", MALFORMED, good(te="trailers, gzip")),
    added("te twice", INVALID_ARGUMENT, ("te", "trailers")),
    Row("no te", INVALID_ARGUMENT, good(without=["te"])),
    added("grpc-timeout twice", INVALID_ARGUMENT, ("grpc-timeout", "1S"), ("grpc-timeout", "9H")),
    added("grpc-encoding twice", INVALID_ARGUMENT, ("grpc-encoding", "gzip"), ("grpc-encoding", "x")),
    added("user-agent twice", INVALID_ARGUMENT, ("user-agent", "hostile")),
    Row("content-length too small", MALFORMED, good(("content-length", "1")), begun=True),
    Row("content-length too large", MALFORMED, good(("content-length", "1000")), begun=True),
    added("content-length right", FORWARDED, ("content-length", str(len(BODY)))),
    added("content-length twice", MALFORMED, ("content-length", "1"), ("content-length", "14")),
    added("content-length negative", MALFORMED, ("content-length", "-1")),
    added("content-length that overflows", MALFORMED, ("content-length", "9" * 30)),
    added("a name in upper case", MALFORMED, ("X-Hostile", "1")),
    added("Authorization", MALFORMED, ("Authorization", "Bearer hostile")),
    added("a name with a blank", MALFORMED, ("authorization ", "Bearer hostile")),
    added("a name with a colon", MALFORMED, ("x:authorization", "Bearer hostile")),
    added("a name with a newline", MALFORMED, ("x\r\nauthorization", "Bearer hostile")),
    added("a name with a NUL", MALFORMED, ("authorization\0", "Bearer hostile")),
    added("a name that is not ASCII", MALFORMED, ("authorizatiön", "Bearer hostile")),
    added("an empty name", MALFORMED, ("", "Bearer hostile")),
    added("a value with a newline", MALFORMED, ("x-request-id", "1\r\nauthorization: hostile")),
    added("a value with a line feed", MALFORMED, ("x-request-id", "1\nhostile")),
    added("a value with a carriage return", MALFORMED, ("x-request-id", "1\rhostile")),
    added("a value with a NUL", MALFORMED, ("x-request-id", "1\0hostile")),
    added("a value with DEL", MALFORMED, ("x-request-id", "1\x7fhostile")),
    added("too many headers", TOO_LARGE, *[("x-hostile", "1")] * 600),
    Row(
        "authorization in trailers",
        FORWARDED,
        good(),
        trailers=[("authorization", "Bearer hostile"), ("x-databricks-cluster-id", "hostile")],
    ),
    Row(
        "connection in trailers",
        MALFORMED,
        good(),
        trailers=[("connection", "hostile")],
        begun=True,
    ),
]

ROWS = (
    CREDENTIALS + PATHS + AUTHORITIES + BROWSERS + METHODS + TYPES + PSEUDO + SMUGGLING
)


async def succeed(stream):
    await stream.body()
    stream.send_headers(GRPC_HEADERS)
    stream.trailers(0)


@pytest.fixture(scope="module")
def workspace(standin, primary):
    with standin.script(primary.certificate) as server:
        server.on("*", succeed)
        yield server


@pytest.fixture(scope="module")
def shared(module_bridges, workspace):
    """A bridge for the whole table: no row may harm the next."""
    return module_bridges(port=workspace.port)


def outcome(client, stream):
    """How a call ended: "grpc 0", "http 415", "reset 1", "goaway 1" or "closed"."""
    try:
        answer = client.wait_for_end(stream)
    except ConnectionError:
        return f"goaway {client.goaway.error_code}" if client.goaway else "closed"
    if answer.reset is not None:
        return f"reset {answer.reset}"
    if answer.value(":status") != "200":
        return f"http {answer.value(':status')}"
    if answer.status:
        assert answer.trailers_only
        assert answer.message.startswith("sparkbridge: ")
    return f"grpc {answer.status}"


def send(client, row, workspace):
    count = sum(request.path == PATH for request in workspace.requests)
    stream = client.start_with(row.headers)
    if row.begun:
        workspace.wait_for_request(PATH, count=count + 1)
    client.send(stream, row.body, end=row.trailers is None)
    if row.trailers is not None:
        client.h2.send_headers(stream, row.trailers, end_stream=True)
        client.flush()
    return outcome(client, stream)


def check_arrived(request, workspace, primary):
    """Nothing of the client's but what is meant to pass, and ours exactly once."""
    names = [name for name, _ in request.headers]
    assert set(names) <= EXPECTED_NAMES
    assert len(names) == len(set(names))
    assert "hostile" not in str(request.headers)
    assert request.value("authorization") == f"Bearer {primary.token}"
    assert request.value("x-databricks-cluster-id") == primary.cluster_id
    assert request.value(":authority") == f"{primary.host}:{workspace.port}"
    assert request.value(":scheme") == "https"
    assert request.value("te") == "trailers"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_hostile_request(row, shared, workspace, primary):
    before = len(workspace.requests)
    with RawClient(shared.port) as client:
        assert send(client, row, workspace) == row.answer
    with RawClient(shared.port) as client:
        honest = client.call(METHOD, BODY, metadata=[("x-request-id", "honest")])
    assert honest.status == 0
    arrived = workspace.requests[before:]
    assert len(arrived) == (2 if row.answer == FORWARDED or row.begun else 1)
    assert arrived[-1].value("x-request-id") == "honest"
    for request in arrived:
        check_arrived(request, workspace, primary)
    if row.begun:
        workspace.run(asyncio.wait_for(arrived[0].gone.wait(), 10))
        assert arrived[0].reset_code is not None


def test_the_table_is_long_enough():
    assert len({row.title for row in ROWS}) == len(ROWS) >= 60


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


HTTP1 = rb"HTTP/1\.1 505 HTTP Version Not Supported\r\n.*\r\n\r\nThis port is sparkbridge\. .*\n"
ALERT = rb"\x15\x03\x01\x00\x02\x02\x46"  # fatal: protocol_version (RFC 8446, 6)
# After SETTINGS of three entries: of stream 0, PROTOCOL_ERROR, with a reason.
GOAWAY = rb"\0\0\x12\x04.{23}\0\0.\x07\0\0{4}\0{4}\0\0\0\x01SETTINGS expected"
NOTHING = rb""


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (
            b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\n"
            b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
            HTTP1,
        ),
        (b"CONNECT workspace.test:443 HTTP/1.1\r\nHost: workspace.test:443\r\n\r\n", HTTP1),
        (b"GET http://workspace.test" + PATH.encode() + b" HTTP/1.1\r\n\r\n", HTTP1),
        (b"PRI * HTTP/2.0\r\nOrigin: http://hostile.test\r\n\r\nSM\r\n\r\n", NOTHING),
        (PREFACE.replace(b"\r\n", b"\n"), NOTHING),
        (PREFACE + b"\0\0\x08\x06\0\0\0\0\0hostile!", GOAWAY),
        (PREFACE + b"\0\0\x01\x01\x05\0\0\0\x01\x82", GOAWAY),
        (b"\x16\x03\x01\0\xa5\x01\0\0\xa1\x03\x03" + b"h" * 100, ALERT),
        (b"\0" * 24, NOTHING),
    ],
    ids=[
        "upgrade to h2c",
        "HTTP/1 CONNECT",
        "HTTP/1 proxy request",
        "a preface with a header inside",
        "a preface with line feeds",
        "PING before SETTINGS",
        "HEADERS before SETTINGS",
        "TLS",
        "zeros",
    ],
)
def test_what_is_not_http2(sent, answer, shared, workspace):
    """Whatever begins otherwise is told so in its own protocol, and cut at once."""
    before = len(workspace.requests)
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as client:
        client.sendall(sent)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := client.recv(1 << 16):
                received += chunk
    assert time.monotonic() - began < 2
    assert re.fullmatch(answer, received, re.DOTALL), received
    assert len(workspace.requests) == before


def test_what_is_not_http2_fills_no_log(bridges):
    """A line for the first ones, which help whoever has the wrong client."""
    bridge = bridges()
    for _ in range(60):
        with socket.create_connection(("127.0.0.1", bridge.port), timeout=10) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert client.recv(1 << 16).startswith(b"HTTP/1.1 505")
    with RawClient(bridge.port) as client:
        client.ping()  # what was logged before has been read with its line
    lines = [line for line in bridge.child.stderr if "spoke HTTP/1" in line]
    assert 1 <= len(lines) <= 20
