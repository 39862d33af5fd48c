"""The way to the workspace: TLS sessions, certificates of ours, and a Unix socket in between."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from raw_client import RawClient
from workspace.certificates import Authority
from workspace.processes import ChildError
from workspace.scripted import GRPC_HEADERS, message

METHOD = "Config"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"


async def here(stream):
    await stream.body()
    stream.send_headers(GRPC_HEADERS)
    await stream.send_data(message(b"here"))
    stream.trailers(0)


def call(bridge):
    with RawClient(bridge.port) as client:
        return client.call(METHOD)


def test_the_next_connection_resumes_the_session(standin, primary, bridges):
    with standin.script(primary.certificate) as server:
        server.on(PATH, here)
        bridge = bridges(port=server.port)
        ended = set()
        for _ in range(3):
            assert call(bridge).status == 0
            server.call(server.requests[-1].close_connection)
            # The next call begins when the bridge knows of it.
            line = bridge.wait_for_log(
                lambda fields: fields.get("msg") == "upstream connection ended"
                and fields["time"] not in ended
            )
            ended.add(line["time"])
        assert [tls.session_reused for tls in server.tls] == [False, True, True]


def start_without_ca_file(bridges, tenant, server, environment):
    arguments = [
        *("--listen", "localhost:0", "--host", f"{tenant.host}:{server.port}"),
        *("--cluster-id", tenant.cluster_id, "--token-file", bridges.token_file(tenant.token)),
    ]
    return bridges.start(arguments, environment=environment).wait_until_ready()


@pytest.mark.parametrize(
    ("variable", "form", "trusted"),
    [
        ("SSL_CERT_FILE", "{store}/ca.pem", True),
        ("SSL_CERT_DIR", "{store}", True),
        ("SSL_CERT_DIR", "/nonexistent:{store}", True),
        (None, None, False),
    ],
)
def test_the_systems_store(standin, primary, bridges, tmp_path_factory, variable, form, trusted):
    """Without --ca-file the system's store counts, which OpenSSL's own variables put elsewhere."""
    store = tmp_path_factory.mktemp("certificates")
    shutil.copy(standin.ca_file, store / "ca.pem")
    subprocess.run(["openssl", "rehash", store], check=True)
    with standin.script(primary.certificate) as server:
        server.on(PATH, here)
        environment = {variable: form.format(store=store)} if variable else {}
        bridge = start_without_ca_file(bridges, primary, server, environment)
        answer = call(bridge)
    assert answer.status == (0 if trusted else 9)
    assert trusted or "not trusted" in answer.message and "--ca-file" in answer.message


def test_a_store_that_changes(standin, primary, bridges, tmp_path):
    """A reload reads the system's store anew."""
    store = tmp_path / "store.pem"
    shutil.copy(Authority(tmp_path, "other").file, store)
    with standin.script(primary.certificate) as server:
        server.on(PATH, here)
        bridge = start_without_ca_file(bridges, primary, server, {"SSL_CERT_FILE": str(store)})
        assert call(bridge).status == 9
        shutil.copy(standin.ca_file, store)
        bridge.child.send_signal(signal.SIGHUP)
        bridge.wait_for_log(lambda fields: fields.get("msg") == "reloaded")
        assert call(bridge).status == 0


@pytest.fixture
def gateway(standin, primary):
    """A gateway that lets in whom the workspace's own authority vouches for."""
    with standin.script(primary.certificate, clients=standin.authority) as server:
        server.on(PATH, here)
        yield server


@pytest.mark.parametrize("one_file", [False, True])
def test_client_certificate(standin, gateway, bridges, tmp_path, one_file):
    ours = standin.authority.issue("client.test")
    arguments = ["--client-cert", ours.chain, "--client-key", ours.key]
    if one_file:
        both = tmp_path / "both.pem"
        both.write_text(ours.chain.read_text() + ours.key.read_text())
        both.chmod(0o600)
        arguments = ["--client-cert", both]
    bridge = bridges(port=gateway.port, arguments=arguments)
    assert call(bridge).status == 0
    assert gateway.tls[0].getpeercert()["subject"] == ((("commonName", "client.test"),),)


@pytest.fixture
def strict_port(standin, primary):
    """A server that says by an alert that it wants a certificate, and waits until it was read.
    (asyncio's would close without a word.)"""
    context = primary.certificate.server_context(clients=standin.authority)

    def serve(listener):
        connection, _ = listener.accept()
        with connection, context.wrap_socket(connection, True, False) as tls:
            with contextlib.suppress(ssl.SSLError):
                tls.do_handshake()
            tls.shutdown(socket.SHUT_WR)
            connection = tls.detach()
            with socket.socket(fileno=connection) as plain:
                while plain.recv(1 << 16):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as threads:
        served = threads.submit(serve, listener)
        yield listener.getsockname()[1]
        served.result(10)


def test_client_certificate_is_missing(strict_port, bridges):
    answer = call(bridges(port=strict_port))
    assert answer.status == 9
    assert "wants a certificate" in answer.message and "--client-cert" in answer.message


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--client-cert", "must hold our certificate and its chain, in PEM form"),
        ("--client-key", "must hold the certificate's private key without a password"),
    ],
)
def test_files_that_cannot_be_used(standin, bridges, tmp_path, option, words):
    ours = standin.authority.issue("client.test")
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing of use\n")
    wrong.chmod(0o600)
    files = {"--client-cert": ours.chain, "--client-key": ours.key, option: wrong}
    arguments = [word for pair in files.items() for word in pair]
    with pytest.raises(ChildError) as raised:
        bridges(arguments=arguments, expect_exit=os.EX_NOINPUT)
    assert f"{wrong}: " in str(raised.value) and words in str(raised.value)


class Passage:
    """Listens on a Unix socket and passes bytes on to a port, as a socket proxy does."""

    def __init__(self, loop, path, port):
        self._port = port
        self.connections = 0
        self._loop = loop
        self._server = loop.run(asyncio.start_unix_server(self._serve, path))

    async def _serve(self, reader, writer):
        self.connections += 1
        back, forth = await asyncio.open_connection("127.0.0.1", self._port)

        async def copy(source, target):
            while data := await source.read(1 << 16):
                target.write(data)
                await target.drain()
            target.close()

        await asyncio.gather(copy(reader, forth), copy(back, writer), return_exceptions=True)
        for end in (forth, writer):
            end.transport.abort()

    def stop(self):
        async def close():
            self._server.close()

        self._loop.run(close())


def test_via_a_unix_socket(standin, primary, bridges, tmp_path):
    """The name need not resolve and a proxy is not asked, but the certificate is checked."""
    path = tmp_path / "egress.sock"
    with standin.script(standin.authority.issue("nowhere.test")) as server:
        server.on(PATH, here)
        passage = Passage(standin.loop, path, server.port)
        arguments = ["--via", f"unix:{path}", "--proxy", "http://127.0.0.1:1"]
        bridge = bridges(host="nowhere.test", port=443, arguments=arguments)
        assert call(bridge).status == 0
        assert server.requests[0].value(":authority") == "nowhere.test"
        other = bridges(host="elsewhere.test", port=443, arguments=arguments)
        answer = call(other)
        assert (answer.status, "not trusted" in answer.message) == (9, True)
        assert passage.connections == 2
        passage.stop()


def test_via_a_socket_that_is_not_there(bridges, tmp_path):
    path = tmp_path / "egress.sock"
    answer = call(bridges(host="nowhere.test", port=443, arguments=["--via", f"unix:{path}"]))
    assert answer.status == 9
    assert f"cannot be reached at unix:{path} (No such file or directory)" in answer.message
