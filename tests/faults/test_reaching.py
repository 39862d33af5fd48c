"""Names that move, are slow or lead to dead addresses, and proxies that misbehave."""

import fcntl
import os
import signal
import socket
from contextlib import contextmanager

import pytest
from frames import ANSWER, OK, Upstream, data, goaway, headers, message
from scene import METHOD, SOON_S, describe

AGAIN = "10 bytes, trailers 0"
TIMEOUT_S = 2


class Names:
    """The hosts file of one bridge, which libnss_wrapper reads anew when it is another one."""

    def __init__(self, directory):
        self.path = directory / "names"
        self._generation = 0

    def say(self, *addresses):
        """workspace.test is at these addresses, in this order; without any it is not known."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text("".join(f"{address} workspace.test\n" for address in addresses))
        self._put(fresh)

    @contextmanager
    def stalled(self, *addresses):
        """Look-ups get this answer when the context is left, and wait until then.

        The file has a lease (fcntl(2)): the kernel lets nobody open it before that is given up.
        """
        fresh = self.path.with_suffix(".new")
        fresh.write_text("".join(f"{address} workspace.test\n" for address in addresses))
        with fresh.open() as file:
            fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # one that nobody minds
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            self._put(fresh)
            yield
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)

    def _put(self, fresh):
        self._generation += 10
        os.utime(fresh, (self._generation, self._generation))
        fresh.rename(self.path)


@pytest.fixture
def names(tmp_path):
    return Names(tmp_path)


def named_scene(scenes, names, *, environment=None, **options):
    """A scene whose workspace's name is looked up in `names`."""
    return scenes(
        environment={
            "NSS_WRAPPER_HOSTS": str(names.path),
            "SPARKBRIDGE_SANDBOX_READ": str(names.path.parent),
        }
        | (environment or {}),
        listen=("127.0.0.1:0",),
        arguments=["--connect-timeout", f"{TIMEOUT_S}s"],
        **options,
    )


@pytest.fixture
def named(scenes, names):
    names.say("127.0.0.1")
    return named_scene(scenes, names)


def call(scene, client, upstream=None):
    stream = client.start(METHOD, end=True)
    request = (upstream or scene.upstream).request()
    request.answer(b"again")
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == AGAIN
    return request


def test_the_name_moves(named, names, place):
    """What runs goes on at the old address; new connections go to the new one."""
    moved = Upstream(place.certificate.server_context(), "127.0.0.2", named.upstream.port)
    with named.client() as client:
        stream, request = named.begin(client)
        names.say("127.0.0.2")
        request.send(headers(1, ANSWER), goaway(1))
        client.wait_for(stream, lambda answer: answer.headers)
        call(named, client, moved)
        request.send(data(1, message(b"again")), headers(1, OK, end=True))
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == AGAIN
    moved.stop()


def test_the_name_is_not_known_for_a_while(named, names):
    """9 with the name and where it comes from; the next call asks anew."""
    names.say()
    with named.client() as client:
        stream = client.start(METHOD, end=True)
        answer = client.wait_for_end(stream, timeout=TIMEOUT_S + SOON_S)
        assert describe(answer) == "Trailers-Only 9"
        assert "cannot be resolved" in answer.message
        names.say("127.0.0.1")
        call(named, client)


def test_the_name_server_is_slow(named, names):
    """Nothing else waits for it: a PING and a call that needs no workspace are answered."""
    with named.client() as client:
        with names.stalled("127.0.0.1"):
            stream = client.start(METHOD, end=True)
            client.ping()
            health = client.call("", message(b""), path="/grpc.health.v1.Health/Check")
            assert describe(health) == "7 bytes, trailers 0"
            assert not client.answer(stream).done
        named.upstream.request().answer(b"again")
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == AGAIN


def test_stopping_while_the_name_server_hangs(scenes, names):
    """Nobody waits for its answer: asked a second time to stop the bridge ends."""
    names.say("127.0.0.1")
    scene = named_scene(scenes, names, expect_exit=os.EX_TEMPFAIL)
    child = scene.bridge.child
    with scene.client() as client, names.stalled("127.0.0.1"):
        client.start(METHOD, end=True)
        client.ping()
        child.send_signal(signal.SIGTERM)
        scene.bridge.wait_for_log(lambda fields: "draining" in fields.get("msg", ""))
        child.send_signal(signal.SIGTERM)
        assert child.wait(SOON_S) == os.EX_TEMPFAIL


def test_stopping_after_a_look_up_was_given_up(scenes, names):
    """Its thread still hangs then."""
    names.say("127.0.0.1")
    scene = named_scene(scenes, names)
    with names.stalled("127.0.0.1"):
        with scene.client() as client:
            stream = client.start(METHOD, end=True)
            client.wait_for_end(stream, timeout=TIMEOUT_S + SOON_S)
        scene.bridge.child.send_signal(signal.SIGTERM)
        assert scene.bridge.child.wait(SOON_S) == 0


def test_the_name_server_never_answers(named, names):
    """9 when the time for a connection is over; the next call asks anew."""
    with named.client() as client:
        with names.stalled("127.0.0.1"):
            stream = client.start(METHOD, end=True)
            ended = client.wait_for_end(stream, timeout=TIMEOUT_S + SOON_S)
            assert describe(ended) == "Trailers-Only 9"
        call(named, client)


# ---- several addresses ---------------------------------------------------------------------------


class BlackHole:
    """An address that answers no SYN: a listener whose queue is full."""

    def __init__(self, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._sockets = [socket.create_server((address, port), family=family, backlog=0)]
        for _ in range(2):
            client = socket.socket(family)
            self._sockets.append(client)
            client.setblocking(False)
            client.connect_ex((address, port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self._sockets:
            each.close()


@pytest.mark.parametrize("dead", ["::1", "127.0.0.2"], ids=["v6", "v4"])
def test_the_first_address_refuses(named, names, dead):
    names.say(dead, "127.0.0.1")
    with named.client() as client:
        call(named, client)


@pytest.mark.parametrize("dead", ["::1", "127.0.0.2"], ids=["v6", "v4"])
def test_the_first_address_is_silent(named, names, dead):
    """The next one is tried after 250 ms, of whichever family it is."""
    names.say(dead, "127.0.0.1")
    with BlackHole(dead, named.upstream.port), named.client() as client:
        call(named, client)


def test_all_addresses_are_silent(named, names):
    names.say("127.0.0.2", "127.0.0.3")
    port = named.upstream.port
    with BlackHole("127.0.0.2", port), BlackHole("127.0.0.3", port), named.client() as client:
        stream = client.start(METHOD, end=True)
        answer = client.wait_for_end(stream, timeout=TIMEOUT_S + SOON_S)
    assert describe(answer) == "Trailers-Only 9"
    assert "no answer within 2000 ms" in answer.message


# ---- proxies -------------------------------------------------------------------------------------

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
ASKS = b'HTTP/1.1 407 Who\r\nproxy-authenticate: Basic realm="corp"\r\ncontent-length: 0\r\n\r\n'
ASKS_AND_CLOSES = ASKS.replace(b"content-length: 0", b"connection: close")


class Proxy:
    """A port where CONNECT is answered as the test says, in the test's own thread."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(SOON_S)
        self.port = self.listener.getsockname()[1]
        self.heads = []

    def accept(self):
        """A connection whose CONNECT has been read."""
        sock, _ = self.listener.accept()
        sock.settimeout(SOON_S)
        self.read_head(sock)
        return sock

    def read_head(self, sock):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            received = sock.recv(1 << 16)
            assert received, f"the bridge left after {head}"
            head += received
        self.heads.append(head.decode())


@pytest.fixture(scope="module")
def proxy():
    made = Proxy()
    yield made
    made.listener.close()


def behind(scenes, proxy, user=""):
    """A bridge that has been to the proxy once: libcurl, once loaded, keeps sockets of its own."""
    url = f"http://{user}127.0.0.1:{proxy.port}"
    arguments = ["--connect-timeout", f"{TIMEOUT_S}s"]
    scene = scenes(environment={"HTTPS_PROXY": url}, arguments=arguments)
    with scene.client() as client:
        stream = client.start(METHOD, end=True)
        proxy.accept().close()
        client.wait_for_end(stream, timeout=SOON_S)
    scene.count_sockets()
    return scene


@pytest.fixture(scope="module")
def known(scenes, proxy):
    """A bridge with a password for the proxy."""
    return behind(scenes, proxy, "user:secret@")


@pytest.fixture(scope="module")
def unknown(scenes, proxy):
    """One without, that never gets through."""
    return behind(scenes, proxy)


def bytewise(sock, payload):
    for at in range(len(payload)):
        sock.sendall(payload[at : at + 1])


@pytest.mark.parametrize("closes", [False, True], ids=["on the same connection", "on another"])
def test_proxy_answers_407_then_200(known, proxy, closes):
    """With the password that it asked for, and only then."""
    with known.client() as client:
        stream = client.start(METHOD, end=True)
        sock = proxy.accept()
        sock.sendall(ASKS_AND_CLOSES if closes else ASKS)
        if closes:
            sock.close()
            sock = proxy.accept()
        else:
            proxy.read_head(sock)
        first, second = proxy.heads[-2:]
        assert "proxy-authorization" not in first.lower()
        assert "proxy-authorization: basic" in second.lower()
        sock.sendall(ESTABLISHED)
        link = known.upstream.adopt(sock)
        link.hello, link.acknowledges = known.upstream.hello, True
        known.upstream.request().answer(b"again")
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == AGAIN
    known.check_nothing_is_left()


def test_proxy_answers_byte_by_byte_and_ends_in_mid_call(known, proxy):
    with known.client() as client:
        stream = client.start(METHOD, end=True)
        sock = proxy.accept()
        bytewise(sock, ESTABLISHED)
        link = known.upstream.adopt(sock)
        link.hello, link.acknowledges = known.upstream.hello, True
        known.upstream.request().send(headers(1, ANSWER))
        client.wait_for(stream, lambda answer: answer.headers)
        sock.close()
        link.open = False
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "0 bytes, trailers 14"
    known.check_nothing_is_left()


def end_at_once(scene):
    """Two signals: the second one ends what still runs."""
    scene.bridge.child.send_signal(signal.SIGTERM)
    scene.bridge.wait_for_log(lambda fields: fields.get("msg", "").startswith("draining"))
    scene.bridge.child.send_signal(signal.SIGTERM)
    assert scene.bridge.child.wait(SOON_S) == os.EX_TEMPFAIL


def test_the_end_while_a_proxy_is_silent(scenes, proxy):
    environment = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}
    scene = scenes(environment=environment, expect_exit=os.EX_TEMPFAIL)
    with scene.client() as client:
        stream = client.start(METHOD, end=True)
        sock = proxy.accept()
        end_at_once(scene)
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "Trailers-Only 14"
        sock.close()


def test_the_end_while_a_name_is_looked_up(scenes, names):
    names.say("127.0.0.1")
    scene = named_scene(scenes, names, expect_exit=os.EX_TEMPFAIL)
    with scene.client() as client, names.stalled("127.0.0.1"):
        stream = client.start(METHOD, end=True)
        client.ping()
        end_at_once(scene)
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "Trailers-Only 14"


# libcurl never leaves a silent address for the next one of its family where it is told no limit of
# its own for a connection.
@pytest.mark.parametrize("dead", ["::1", "127.0.0.2"], ids=["v6", "v4"])
def test_the_first_address_of_the_proxy_is_silent(scenes, names, proxy, dead):
    """The other family is tried after 250 ms, the same one after half of the time for it."""
    names.say(dead, "127.0.0.1")
    environment = {"HTTPS_PROXY": f"http://workspace.test:{proxy.port}"}
    scene = named_scene(scenes, names, environment=environment)
    with BlackHole(dead, proxy.port), scene.client() as client:
        stream = client.start(METHOD, end=True)
        sock = proxy.accept()
        sock.sendall(ESTABLISHED)
        link = scene.upstream.adopt(sock)
        link.hello, link.acknowledges = scene.upstream.hello, True
        scene.upstream.request().answer(b"again")
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == AGAIN


# name: (what the proxy says before it closes, words that the client reads)
PROXY_FAULTS = {
    "closes at once": (b"", ""),
    "closes in the status line": (ESTABLISHED[:10], ""),
    "closes in the head": (ESTABLISHED[:-3], ""),
    "answers garbage": (b"\0\1\2\3 what?\r\n\r\n", ""),
    "answers 407": (ASKS_AND_CLOSES, "407"),
    "answers 407 without saying how": (b"HTTP/1.1 407 Who\r\ncontent-length: 0\r\n\r\n", "407"),
    "answers 302": (b"HTTP/1.1 302 No\r\nlocation: http://x/\r\ncontent-length: 0\r\n\r\n", "302"),
    "answers 503": (b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", "503"),
    "answers with an endless head": (b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 400_000, ""),
}


@pytest.mark.parametrize("name", PROXY_FAULTS)
def test_proxy_gives_no_tunnel(unknown, proxy, name):
    """9 at once, with what the proxy said."""
    says, words = PROXY_FAULTS[name]
    with unknown.client() as client:
        stream = client.start(METHOD, end=True)
        with proxy.accept() as sock:
            sock.sendall(says)
            if says.endswith(b"\r\n\r\n"):
                answer = client.wait_for_end(stream, timeout=SOON_S)
        answer = client.wait_for_end(stream, timeout=SOON_S)
    assert describe(answer) == "Trailers-Only 9"
    assert words in answer.message
    unknown.check_nothing_is_left()


def test_proxy_stalls(unknown, proxy):
    with unknown.client() as client:
        stream = client.start(METHOD, end=True)
        with proxy.accept():
            answer = client.wait_for_end(stream, timeout=TIMEOUT_S + SOON_S)
    assert describe(answer) == "Trailers-Only 9"
    assert "no answer within 2000 ms" in answer.message
    unknown.check_nothing_is_left()
