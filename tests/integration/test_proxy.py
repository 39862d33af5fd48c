"""Through an HTTP proxy: CONNECT, its authentication, and the hosts that go without it."""

import asyncio
import base64

import pytest
from raw_client import RawClient
from workspace.scripted import GRPC_HEADERS, message

METHOD = "Config"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"


class ConnectProxy:
    """A proxy that knows CONNECT, and asks for a password where it has one."""

    def __init__(self, loop, target_port, password=None, answer=None):
        self._loop = loop
        self._target_port = target_port
        self._password = password
        self._answer = answer
        self.requests = []
        self._server = loop.listen(self._serve)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self):
        async def close():
            self._server.close()

        self._loop.run(close())

    async def _serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests.append(head)
                if status := self._refusal(head):
                    writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())
                    continue
                break
            back, forth = await asyncio.open_connection("127.0.0.1", self._target_port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(copy(reader, forth), copy(back, writer), return_exceptions=True)
            forth.transport.abort()
        except (OSError, asyncio.IncompleteReadError):
            pass

    def _refusal(self, head):
        if self._answer:
            return self._answer
        if self._password is None:
            return None
        wanted = base64.b64encode(f"user:{self._password}".encode()).decode()
        if f"Basic {wanted}" in head:
            return None
        return '407 Who\r\nproxy-authenticate: Basic realm="corp"'


async def copy(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
def upstream(standin, primary):
    async def echo(stream):
        body = await stream.body()
        stream.send_headers(GRPC_HEADERS)
        await stream.send_data(body)
        stream.trailers(0)

    with standin.script(primary.certificate) as server:
        server.on(PATH, echo)
        yield server


@pytest.fixture
def proxies(standin, upstream):
    made = []

    def make(**options):
        made.append(ConnectProxy(standin.loop, upstream.port, **options))
        return made[-1]

    yield make
    for proxy in made:
        proxy.stop()


def call(bridge):
    with RawClient(bridge.port) as client:
        return client.call(METHOD, message(b"through"))


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_connect(bridges, proxies, upstream, primary, variable):
    proxy = proxies()
    url = f"http://127.0.0.1:{proxy.port}"
    bridge = bridges(port=upstream.port, environment={variable: url})
    answer = call(bridge)
    assert (answer.status, bytes(answer.data)) == (0, message(b"through"))
    [request] = proxy.requests
    assert request.startswith(f"CONNECT {primary.host}:{upstream.port} HTTP/1.1\r\n")
    # The proxy is no part of what it carries.
    assert "authorization" not in request.lower()


def test_password(bridges, proxies, upstream):
    proxy = proxies(password="proxy-canary")
    url = f"http://user:proxy-canary@127.0.0.1:{proxy.port}"
    bridge = bridges(port=upstream.port, environment={"HTTPS_PROXY": url})
    assert call(bridge).status == 0
    assert "proxy-canary" not in bridge.child.output()


def test_password_is_missing(bridges, proxies, upstream):
    proxy = proxies(password="proxy-canary")
    url = f"http://127.0.0.1:{proxy.port}"
    answer = call(bridges(port=upstream.port, environment={"HTTPS_PROXY": url}))
    assert answer.status == 9
    assert "407" in answer.message and "HTTPS_PROXY" in answer.message


def test_refused(bridges, proxies, upstream):
    proxy = proxies(answer="403 No")
    url = f"http://127.0.0.1:{proxy.port}"
    answer = call(bridges(port=upstream.port, environment={"HTTPS_PROXY": url}))
    assert answer.status == 9
    assert "403" in answer.message and "proxy" in answer.message


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [([], {"NO_PROXY": "workspace.test"}), (["--proxy", "none"], {})],
    ids=["NO_PROXY", "--proxy none"],
)
def test_without(bridges, proxies, upstream, arguments, environment):
    proxy = proxies()
    environment = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", **environment}
    bridge = bridges(port=upstream.port, environment=environment, arguments=arguments)
    assert call(bridge).status == 0
    assert proxy.requests == []
