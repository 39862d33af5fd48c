"""Serverless compute: the session id of each request's message becomes a header."""

import gzip
import uuid
import zlib

import pytest
from raw_client import RawClient
from workspace.scripted import GRPC_HEADERS, message

METHOD = "Config"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"


@pytest.fixture
def seen():
    return []


@pytest.fixture
def client(bridges, standin, primary, seen):
    async def record(stream):
        seen.append((stream.headers, await stream.body()))
        stream.send_headers(GRPC_HEADERS)
        stream.trailers(0)

    with standin.script(primary.certificate) as server:
        server.on(PATH, record)
        words = ["--listen", "localhost:0", "--host", f"{primary.host}:{server.port}"]
        words += ["--serverless", "--ca-file", standin.ca_file, "--log-level", "debug"]
        words += ["--token-file", bridges.token_file(primary.token)]
        bridge = bridges.start(words).wait_until_ready()
        with RawClient(bridge.port) as raw:
            yield raw


def field(number, content):
    return bytes([number << 3 | 2, len(content)]) + content


def compressed(payload, encode):
    packed = encode(payload)
    return b"\x01" + len(packed).to_bytes(4, "big") + packed


def values(headers, name):
    return [value for key, value in headers if key == name]


@pytest.mark.parametrize(
    ("encoding", "frame"),
    [
        (None, message),
        ("gzip", lambda payload: compressed(payload, gzip.compress)),
        ("deflate", lambda payload: compressed(payload, zlib.compress)),
    ],
    ids=["plain", "gzip", "deflate"],
)
@pytest.mark.parametrize("step", [1, 7, 1 << 16], ids="{} bytes at once".format)
def test_session_id_is_sent(client, seen, primary, encoding, frame, step):
    session = str(uuid.uuid4())
    body = frame(field(2, b"user " * 20) + field(1, session.encode()) + b"\x22\x64" + bytes(100))
    metadata = [("x-databricks-session-id", "mine"), ("x-databricks-cluster-id", "mine")]
    if encoding:
        metadata.append(("grpc-encoding", encoding))
    stream = client.start(METHOD, metadata=metadata)
    for at in range(0, len(body), step):
        client.send(stream, body[at : at + step])
    client.send(stream, b"", end=True)
    assert client.wait_for_end(stream).status == 0
    [(headers, received)] = seen
    assert received == body
    assert values(headers, "x-databricks-session-id") == [session]
    assert values(headers, "x-databricks-cluster-id") == []
    assert values(headers, "authorization") == [f"Bearer {primary.token}"]


@pytest.mark.parametrize(
    ("body", "metadata"),
    [
        (b"", ()),
        (message(b""), ()),
        (message(field(2, b"user")), ()),
        (message(field(1, b"")), ()),
        (message(field(1, b"a\r\nx-evil: 1")), ()),
        (message(field(1, b"x" * 120)[:40]), ()),
        (b"\x01" + message(b"not gzip")[1:], [("grpc-encoding", "gzip")]),
        (b"\x01" + message(field(1, b"abc"))[1:], [("grpc-encoding", "snappy")]),
    ],
    ids=["no message", "empty", "other", "blank", "header", "cut", "corrupt", "unknown encoding"],
)
def test_without_session_id_nothing_is_sent(client, seen, body, metadata):
    answer = client.call(METHOD, body, metadata=metadata)
    assert answer.status == 3, answer
    assert "session_id" in answer.message
    assert seen == []
