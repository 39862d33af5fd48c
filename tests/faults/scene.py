"""What every case needs: one bridge, its upstream, and what both hold."""

import os
import select
import socket
import time

import h2.errors
from raw_client import RawClient

METHOD = "Config"
SOON_S = 5  # what is immediate, on a machine that is busy with something else


class Scene:
    """A bridge between a test's clients and its upstream."""

    def __init__(self, bridge, upstream):
        self.bridge = bridge
        self.upstream = upstream
        self.count_sockets()

    def count_sockets(self):
        """What it has now, but for a client's, is what it may keep."""
        with self.client() as client:  # the first one makes it ask the kernel who connects
            client.ping()
            self._sockets = self.sockets() - 1

    def client(self, **options):
        return RawClient(self.bridge.port, **options)

    def dial(self):
        """A TCP connection to the bridge."""
        return socket.create_connection(("127.0.0.1", self.bridge.port), timeout=SOON_S)

    def sockets(self):
        """How many sockets the bridge has."""
        folder = f"/proc/{self.bridge.child.pid}/fd"
        return sum(is_socket(f"{folder}/{number}") for number in os.listdir(folder))

    def begin(self, client, body=b"", *, end=True, timeout=SOON_S):
        """A call under way: the client's stream, and the Request as the upstream sees it."""
        stream = client.start(METHOD, end=end and not body)
        if body:
            client.send(stream, body, end=end)
        return stream, self.upstream.request(timeout)

    def check_works(self, client, timeout=SOON_S):
        """A call succeeds."""
        stream, request = self.begin(client, timeout=timeout)
        request.answer(b"again")
        assert describe(client.wait_for_end(stream)) == "10 bytes, trailers 0"

    def check_nothing_is_left(self):
        """When both sides have left, the bridge has no socket more than at its start."""
        self.upstream.close_links()
        wait_until(lambda: self.sockets() <= self._sockets, "sockets to be closed")


def is_socket(descriptor):
    try:
        return os.readlink(descriptor).startswith("socket:")
    except FileNotFoundError:  # closed since it was listed
        return False


def describe(answer):
    """How a call ended for its client, in words: what the rows of the tables are compared with."""
    if answer.trailers_only:
        return f"Trailers-Only {answer.status}"
    if answer.trailers is not None and answer.ended:
        return f"{len(answer.data)} bytes, trailers {answer.status}"
    if answer.ended:
        return f"{len(answer.data)} bytes, END_STREAM"
    if answer.reset is not None:
        return f"{len(answer.data)} bytes, RST {code_name(answer.reset)}"
    return f"{len(answer.data)} bytes, open"


def code_name(code):
    try:
        return h2.errors.ErrorCodes(code).name
    except ValueError:
        return hex(code)


def wait_until(condition, what, timeout=SOON_S):
    """For what no descriptor tells: looks again and again."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout} s for {what}"
        select.select([], [], [], 0.005)
