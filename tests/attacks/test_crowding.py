"""Connections that are slow, many, or more than there are descriptors."""

import resource
import socket
import threading
import time

import pytest
from attacker import OPENING, PREFACE, REQUEST, goaway_code, headers
from hpack import Encoder
from hyperframe.frame import ContinuationFrame
from measures import files, processor_s
from raw_client import RawClient

SECONDS = 10
TIMEOUT_S = 2  # as in the configuration, for the first frame and for a header block
CUT_WITHIN_S = 2 * TIMEOUT_S
CONNECTIONS = 64
BYTE_EVERY_S = 0.1
FLOOD_KEEPS = 1000  # connections; more than one user may have

HEADERS = headers(1, Encoder().encode(REQUEST), "END_HEADERS")
# What is sent at once, and what follows byte by byte.
SLOW = {
    "silent": (b"", b""),
    "preface": (b"", PREFACE),
    "first_frame": (PREFACE, OPENING.removeprefix(PREFACE)),
    "headers": (OPENING + HEADERS[:9], HEADERS[9:]),
    # Whole frames, each of which moves the block on.
    "continuation": (OPENING + headers(1, b""), ContinuationFrame(1).serialize() * 3),
}


class SlowClient:
    def __init__(self, port, at_once, text):
        self.began = time.monotonic()
        self._left = list(text[:-1])  # it never comes to its end
        self._received = b""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.sendall(at_once)
        self.socket.setblocking(False)

    def send_a_byte(self):
        if self._left:
            try:
                self.socket.send(bytes([self._left.pop(0)]))
            except OSError:
                self._left = []

    def seconds_until_its_end(self):
        """None while it is open, and else for how long it was."""
        try:
            while data := self.socket.recv(4096):
                self._received += data
        except BlockingIOError:
            return None
        except ConnectionResetError:
            pass
        return time.monotonic() - self.began

    def goaway_code(self):
        return goaway_code(self._received)


class Background(threading.Thread):
    """Does something again and again while a test does another thing: a context manager."""

    def __init__(self, act, pause_s):
        super().__init__(daemon=True)
        self._act, self._pause_s = act, pause_s
        self._stop_wanted = threading.Event()
        self._error = None

    def run(self):
        try:
            while not self._stop_wanted.wait(self._pause_s):
                self._act()
        except Exception as error:
            self._error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._stop_wanted.set()
        self.join(60)
        if self._error is not None:
            raise self._error


@pytest.mark.parametrize("kind", SLOW)
def test_slow(target, kind):
    """Clients that never finish what they have begun, again and again."""
    clients = []
    ended = []  # (seconds, the code of its GOAWAY)

    def act():
        for client in list(clients):
            client.send_a_byte()
            if (seconds := client.seconds_until_its_end()) is not None:
                ended.append((seconds, client.goaway_code()))
                client.socket.close()
                clients.remove(client)
        while len(clients) < CONNECTIONS:
            clients.append(SlowClient(target.port, *SLOW[kind]))

    with Background(act, BYTE_EVERY_S):
        target.check_serves_for(SECONDS)
    for client in clients:
        client.socket.close()
    assert len(ended) >= CONNECTIONS
    took = [seconds for seconds, _ in ended]
    assert TIMEOUT_S <= min(took) and max(took) < CUT_WITHIN_S
    # Nothing is sent to what may not be HTTP/2 at all.
    assert {code for _, code in ended} == {None if kind == "silent" else 11}
    target.check_has_not_grown()


def test_connection_flood(target):
    """Connections opened as fast as it goes, and kept."""
    kept = []
    opened = 0
    most_files = 0

    def act():
        nonlocal opened, most_files
        for _ in range(100):
            client = socket.socket()
            client.settimeout(10)
            client.connect(("127.0.0.1", target.port))
            client.sendall(OPENING)
            kept.append(client)
            opened += 1
        most_files = max(most_files, files(target.bridge.child.pid))
        while len(kept) > FLOOD_KEEPS:
            kept.pop(0).close()

    with Background(act, 0):
        target.check_serves_for(SECONDS)
    for client in kept:
        client.close()
    print(f"{opened} connections, at most {most_files} files")
    assert opened > FLOOD_KEEPS
    target.check_has_not_grown()
    with RawClient(target.port) as client:
        client.ping()


@pytest.fixture
def descriptors(target):
    """Sets how many descriptors the bridge may have; afterwards it may have as many as before."""
    pid = target.bridge.child.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)

    def limit(count):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, before[1]))

    yield limit
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("short", ["for a client", "for any"])
def test_no_descriptors(target, descriptors, short):
    """A reserve is kept for what runs, and where even that is gone accepting goes on later."""
    pid = target.bridge.child.pid
    used = files(pid)
    # With the second the kernel itself refuses each accept().
    descriptors(used + 60 if short == "for a client" else used)
    kept = []

    def act():
        for _ in range(20):
            kept.append(socket.create_connection(("127.0.0.1", target.port), timeout=10))
        while len(kept) > FLOOD_KEEPS:
            kept.pop(0).close()

    with Background(act, 0.02):
        target.check_serves_for(SECONDS)
    target.check_has_not_grown()
    # With what remains the bridge is not busy.
    before, began = processor_s(pid), time.monotonic()
    threading.Event().wait(2)
    assert processor_s(pid) - before < (time.monotonic() - began) / 4
    for client in kept:
        client.close()
    descriptors(1024)
    deadline = time.monotonic() + 10
    while not answers_a_ping(target.port):
        assert time.monotonic() < deadline


def answers_a_ping(port):
    try:
        with RawClient(port) as client:
            client.ping()
            return True
    except OSError:
        return False
