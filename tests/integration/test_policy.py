"""What a listener lets pass: client secrets, headers of the client's own, names of this machine,
and answers without our token."""

import base64
import signal

import grpc
import pytest
from raw_client import RawClient
from workspace.scripted import GRPC_HEADERS, message

METHOD = "Config"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"
SECRET = "a-secret-of-the-clients-0123"


@pytest.fixture
def upstream(standin, primary):
    with standin.script(primary.certificate) as server:
        server.on("*", succeed)
        yield server


async def succeed(stream):
    await stream.body()
    stream.send_headers(GRPC_HEADERS)
    stream.trailers(0)


@pytest.fixture
def secret_file(tmp_path):
    path = tmp_path / "client-secret"
    path.touch(0o600)
    path.write_text(SECRET + "\n")
    return path


def bearer(secret):
    return [("authorization", f"Bearer {secret}")]


# ---- client secrets ---------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v43", "v42"])
def test_pyspark_with_the_secret(version, request, bridges, standin, primary, secret_file):
    """As the manual says it: the secret is the token of the connection string."""
    client = request.getfixturevalue(version)
    bridge = bridges(arguments=("--client-secret-file", secret_file))
    before = len(standin.gate.requests())
    remote = f"{bridge.remote}/;use_ssl=false;token={SECRET}"
    assert client.run("range", remote, session=None) == list(range(1, 10))
    for seen in standin.gate.requests()[before:]:
        assert seen["authorization"] == f"Bearer {primary.token}"
    for parameters, word in [("", "none"), ("/;use_ssl=false;token=wrong", "another one")]:
        failure = client.fail("range", bridge.remote + parameters)
        assert failure.code == "UNAUTHENTICATED"
        assert f"wants a secret of its clients, and the call has {word}" in failure.message
        assert ";use_ssl=false;token=SECRET" in failure.message
    assert SECRET not in bridge.child.output()


@pytest.mark.parametrize(
    "sent",
    [
        [],
        bearer(SECRET[:-1]),
        bearer(SECRET + "4"),
        bearer(SECRET.upper()),
        bearer(" " + SECRET),
        [("authorization", "")],
        [("authorization", SECRET)],
        [("authorization", f"Basic {SECRET}")],
        [("authentication", f"Bearer {SECRET}")],
        bearer(SECRET) + bearer(SECRET),
        bearer("wrong") + bearer(SECRET),
    ],
    ids=str,
)
def test_without_the_secret(sent, bridges, upstream, secret_file):
    bridge = bridges(port=upstream.port, arguments=("--client-secret-file", secret_file))
    with RawClient(bridge.port) as client:
        answer = client.call(METHOD, metadata=sent)
        assert (answer.status, answer.trailers_only) == (16, True)
        assert SECRET not in answer.message
        assert upstream.requests == []
        assert client.call(METHOD, metadata=bearer(SECRET)).status == 0
        assert SECRET not in str(upstream.requests[0].headers)
        # Whoever asks for the health gets nothing of anybody's.
        assert client.call(None, message(b""), path="/grpc.health.v1.Health/Check").status == 0
    assert SECRET not in bridge.child.output()


def test_a_reload_reads_the_secret_anew(bridges, upstream, secret_file):
    bridge = bridges(port=upstream.port, arguments=("--client-secret-file", secret_file))
    other = SECRET[::-1]
    with RawClient(bridge.port) as client:
        assert client.call(METHOD, metadata=bearer(SECRET)).status == 0
        secret_file.write_text(other)
        bridge.child.send_signal(signal.SIGHUP)
        bridge.wait_for_log(lambda fields: fields.get("msg") == "reloaded")
        assert client.call(METHOD, metadata=bearer(SECRET)).status == 16
        assert client.call(METHOD, metadata=bearer(other)).status == 0
        secret_file.write_text("short")
        bridge.child.send_signal(signal.SIGHUP)
        bridge.wait_for_log(lambda fields: "openssl rand" in fields.get("msg", ""))
        assert client.call(METHOD, metadata=bearer(other)).status == 0


def test_a_secret_file_that_is_missing(bridges, tmp_path, primary):
    path = tmp_path / "nowhere"
    bridge = bridges.start(
        ["--host", primary.host, "--no-compute", "--token-file", bridges.token_file("t" * 20)]
        + ["--client-secret-file", path],
        expect_exit=66,
    )
    bridge.child.wait(10)
    assert f"--client-secret-file {path}: there is no such file" in bridge.child.output()


# ---- headers of the client's own --------------------------------------------------------------


def test_a_header_passes_where_it_is_configured(bridges, upstream):
    words = ("x-own", "x-many-*", "x-databricks-org-id")
    arguments = [word for name in words for word in ("--forward-header", name)]
    bridge = bridges(port=upstream.port, arguments=arguments)
    sent = [
        ("x-own", "1"),
        ("x-many-a", "2"),
        ("x-many-b-bin", "AAEC"),
        ("x-many-a", "3"),
        ("x-databricks-org-id", "4"),
        ("x-other", "hidden"),
        ("x-databricks-other", "hidden"),
    ]
    with RawClient(bridge.port) as client:
        for _ in range(2):
            assert client.call(METHOD, metadata=sent).status == 0
    for request in upstream.requests:
        arrived = [pair for pair in request.headers if pair in sent]
        assert sorted(arrived) == sorted(sent[:5])
        assert "hidden" not in str(request.headers)
    # What is dropped is said once a name, with the remedy and never with the value.
    for name in ("x-other", "x-databricks-other"):
        line = bridge.wait_for_log(lambda fields, name=name: fields.get("header") == name)
        assert line["level"] == "warn" and "forward_headers" in line["remedy"]
        assert bridge.child.output().count(f"header={name} ") == 1
    assert "hidden" not in bridge.child.output()


def test_databricks_connects_own_headers(v43, bridges, standin, primary):
    """A session whose connection string adds what databricks-connect sends, and what a user may."""
    relay = standin.record()
    bridge = bridges(port=relay.port, arguments=("--forward-header", "x-team"))
    passing = {
        "x-databricks-last-seen-server-session-version": "0",
        "x-databricks-client-image-version": "6",
        "x-databricks-operation-id": "ab",
        "spark-connect-operation-id": "ab",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "x-team": "blue",
    }
    stopped = {
        "x-databricks-session-id": "hidden",
        "x-databricks-explicit-usage-policy-id": "hidden",
        "x-databricks-org-id": "hidden",
        "x-other": "hidden",
    }
    parameters = ";".join(f"{name}={value}" for name, value in {**passing, **stopped}.items())
    try:
        remote = f"{bridge.remote}/;{parameters}"
        assert v43.run("range", remote, session=None) == list(range(1, 10))
        for seen in relay.seen():
            for name, value in passing.items():
                assert seen.values(name) == [value]
            assert "hidden" not in str(seen.headers)
            assert seen.values("authorization") == [f"Bearer {primary.token}"]
    finally:
        relay.stop()


# ---- names of this machine --------------------------------------------------------------------


def test_grpc_over_a_unix_socket(bridges, upstream, tmp_path):
    """gRPC's C core makes the path, percent-encoded, the authority."""
    path = tmp_path / "a socket.sock"
    bridge = bridges(port=upstream.port, listen=(f"unix:{path}",))
    for target in (f"unix:{path}", f"unix://{path}"):
        with grpc.insecure_channel(target) as channel:
            channel.unary_unary(PATH)(b"", timeout=10)
    for authority in ("tonic", "localhost", "[::]:50051"):
        with RawClient(str(path)) as client:
            assert client.wait_for_end(client.start(METHOD, authority=authority, end=True)).status == 0
    assert len(upstream.requests) == 5
    assert bridge.addresses == [f"unix:{path}"]


def test_another_name_where_it_is_configured(bridges, upstream, standin, primary, tmp_path):
    config = tmp_path / "sparkbridge.yaml"
    config.write_text(
        "version: 1\n"
        "listeners:\n"
        "  - name: a\n"
        "    listen: ['localhost:0']\n"
        "    authorities: [Host.docker.internal, '[fd00::1]']\n"
        "    connection:\n"
        f"      host: {primary.host}:{upstream.port}\n"
        f"      token_file: {bridges.token_file(primary.token)}\n"
        "      compute: none\n"
        f"upstream: {{ca_file: {standin.ca_file}}}\n"
    )
    bridge = bridges.start(["--config", config]).wait_until_ready()
    expected = {
        "host.docker.internal:15002": 0,
        "HOST.docker.internal": 0,
        "[fd00::1]:1": 0,
        "localhost": 0,
        "docker.internal": 7,
        "[fd00::2]": 7,
    }
    for authority, status in expected.items():
        with RawClient(bridge.port) as client:
            answer = client.wait_for_end(client.start(METHOD, authority=authority, end=True))
        assert answer.status == status
        assert status == 0 or "the listener's authorities" in answer.message


# ---- answers ----------------------------------------------------------------------------------

STOPPED = [
    ("set-cookie", "a=b"),
    ("alt-svc", 'h2="elsewhere.test:443"'),
    ("server", "a-front-door"),
    ("www-authenticate", "Bearer realm=x"),
    ("strict-transport-security", "max-age=1"),
    ("access-control-allow-origin", "*"),
    ("location", "https://elsewhere.test/"),
    ("x-databricks-internal", "1"),
    ("authorization", "Bearer x"),
]
PASSED = [
    ("x-own", "1"),
    ("x-databricks-last-seen-server-session-version", "7"),
    ("x-databricks-effective-usage-policy-id", "p"),
]


def test_an_answers_headers_are_filtered(bridges, upstream):
    async def answer(stream):
        await stream.body()
        stream.send_headers([*GRPC_HEADERS, *STOPPED, *PASSED])
        await stream.send_data(message(b"x"))
        stream.trailers(0, None, [*STOPPED, *PASSED])

    upstream.on(PATH, answer)
    with RawClient(bridges(port=upstream.port).port) as client:
        seen = client.call(METHOD)
    assert seen.status == 0
    assert sorted(seen.headers) == sorted([*GRPC_HEADERS, *PASSED])
    assert sorted(seen.trailers) == sorted([("grpc-status", "0"), *PASSED])


def encode(text):
    """As in a -bin header, without padding."""
    return base64.b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("place", ["trailers only", "trailers", "headers", "details", "http"])
def test_our_token_never_comes_back(place, bridges, upstream, primary):
    """A workspace that repeats the request's headers in its error."""

    async def answer(stream):
        await stream.body()
        token = stream.value("authorization")
        text = f"bad%20credential%3A {token} (%64{token.removeprefix('Bearer d')})"
        details = encode(f"\x08\x03\x12\x10{token}")
        echo = [("x-echo", token), ("x-echo-bin", encode(" " + token))]
        failed = [("grpc-status", "3"), ("grpc-message", text), ("grpc-status-details-bin", details)]
        if place == "trailers only":
            stream.send_headers([*GRPC_HEADERS, *failed, *echo], end=True)
        elif place == "details":
            stream.send_headers([*GRPC_HEADERS, failed[0], failed[2]], end=True)
        elif place == "http":
            location = [("location", f"https://x/?{token}"), ("content-type", f"text/{token}")]
            stream.send_headers([(":status", "302"), *location], end=True)
        else:
            stream.send_headers([*GRPC_HEADERS, *(echo if place == "headers" else [])])
            await stream.send_data(message(b"x"))
            stream.trailers(0) if place == "headers" else stream.send_headers(
                [*failed, *echo], end=True
            )

    upstream.on(PATH, answer)
    bridge = bridges(port=upstream.port)
    with RawClient(bridge.port) as client:
        seen = client.call(METHOD)
    fields = (seen.headers or []) + (seen.trailers or [])
    for name, value in fields:
        assert primary.token not in value, name
        if name.endswith("-bin"):
            padded = value + "=" * (-len(value) % 4)
            assert primary.token.encode() not in base64.b64decode(padded)
    if place.startswith("trailers"):
        assert seen.message == "bad credential: Bearer [token] ([token])"
        assert (seen.status, seen.value("grpc-status-details-bin")) == (3, None)
        assert seen.value("x-echo") is None
    bridge.wait_for_log(lambda fields: "held the credential" in fields.get("msg", ""))


def test_a_refusal_is_quoted_without_the_token(bridges, upstream):
    """The sentence that names the token's source repeats what the workspace said."""

    async def refuse(stream):
        await stream.body()
        text = f"what is {stream.value('authorization')}?"
        stream.send_headers([*GRPC_HEADERS, ("grpc-status", "16"), ("grpc-message", text)], end=True)

    upstream.on(PATH, refuse)
    with RawClient(bridges(port=upstream.port).port) as client:
        answer = client.call(METHOD)
    assert answer.status == 16
    assert 'refused the token from --token-file' in answer.message
    assert '"what is Bearer [token]?"' in answer.message
