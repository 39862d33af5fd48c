"""Through an HTTP proxy: CONNECT, its authentication, and the hosts that go without it."""

from pathlib import Path

import pytest
from raw_client import RawClient
from workspace.connect_proxy import ConnectProxy
from workspace.scripted import GRPC_HEADERS, message

METHOD = "Config"
PATH = f"/spark.connect.SparkConnectService/{METHOD}"


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


# ---- libcurl, which nobody needs without a proxy -------------------------------------------------


def mapped(bridge, library):
    """The file of a library that the bridge has loaded, or None."""
    maps = Path(f"/proc/{bridge.child.pid}/maps").read_text()
    files = [line.split()[-1] for line in maps.splitlines()]
    return next((file for file in files if f"/{library}.so" in file), None)


def test_libcurl_is_loaded_for_the_first_tunnel(bridges, proxies, upstream, release_binary):
    """In the sandbox, which is closed by then."""
    proxy = proxies()
    environment = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
    bridge = bridges(port=upstream.port, environment=environment, binary=release_binary)
    assert not mapped(bridge, "libcurl")
    assert call(bridge).status == 0
    assert mapped(bridge, "libcurl")
    assert len(proxy.requests) == 1


def test_libcurl_is_not_loaded_without_a_proxy(bridges, upstream):
    bridge = bridges(port=upstream.port)
    assert call(bridge).status == 0
    assert not mapped(bridge, "libcurl")


@pytest.mark.parametrize(
    ("other", "words"),
    [(None, "file too short"), ("libz", "undefined symbol: curl_")],
    ids=["an empty file", "another library"],
)
def test_libcurl_cannot_be_loaded(bridges, proxies, upstream, tmp_path, other, words):
    """9 with the reason and the remedy. Once that is done calls are carried, by the same bridge."""
    proxy = proxies()
    environment = {
        "HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}",
        "LD_LIBRARY_PATH": str(tmp_path),
        "SPARKBRIDGE_SANDBOX_READ": str(tmp_path),
    }
    bridge = bridges(port=upstream.port, environment=environment)
    library = tmp_path / "libcurl.so.4"
    library.write_bytes(Path(mapped(bridge, other)).read_bytes() if other else b"")
    for _ in range(2):
        answer = call(bridge)
        assert answer.status == 9
        assert "a proxy needs libcurl, which cannot be loaded" in answer.message
        assert words in answer.message and answer.message.endswith("install libcurl4")
    library.unlink()
    assert call(bridge).status == 0
    assert len(proxy.requests) == 1
