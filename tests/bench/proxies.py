"""Starts the backends and the proxies, each on a port that is free."""

import contextlib
import os
import socket
import threading
import time
from dataclasses import replace

import peers
from accounting import tree
from load import LoadError
from works import Subject
from workspace.certificates import Authority
from workspace.ports import free_ports
from workspace.processes import Child, ChildError

HOST = "bench.test"
TOKEN = "dapi-of-the-bench"


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_for_port(port, child):
    deadline = time.monotonic() + 20
    pause = threading.Event()
    while not answers(port):
        if child.exit_code is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{child.name} does not listen:\n{child.tail()}")
        pause.wait(0.01)


class Proxy:
    """One that runs; a context manager."""

    def __init__(self, name, words, port, environment):
        self.name, self.port = name, port
        self.child = Child(name, words, env=environment)
        try:
            wait_for_port(port, self.child)
        except BaseException:
            self.child.stop()
            raise

    @property
    def pids(self):
        return tuple(tree(self.child.pid))

    def subject(self):
        return Subject(self.name, f"http://127.0.0.1:{self.port}", self.pids)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stop()


class Backends:
    """The workspace that all peers lead to; a context manager that knows how to start a peer.
    `preload` is a library for the bridge."""

    def __init__(self, directory, binary, backend, preload=None):
        self._directory, self._binary, self._backend = directory, binary, backend
        self._preload = ["libnss_wrapper.so", *([preload] if preload else [])]
        self._children = []

    def __enter__(self):
        self.port, plain = free_ports(2)
        authority = Authority(self._directory, "bench")
        certificate = authority.issue(HOST)
        self._place = peers.Place(self._directory, HOST, self.port, authority.file, TOKEN)
        hosts = self._directory / "hosts"
        hosts.write_text(f"127.0.0.1 {HOST}\n")
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._directory),
            "LD_PRELOAD": ":".join(map(str, self._preload)),
            "NSS_WRAPPER_HOSTS": str(hosts),
            "SPARKBRIDGE_SANDBOX_READ": str(hosts),
        }
        self._tls = self._start(self.port, certificate.chain, certificate.key)
        self._start(plain)
        return self

    def __exit__(self, *_):
        for child in reversed(self._children):
            child.stop()

    def _start(self, port, *key_pair):
        child = Child("backend", [self._backend, port, TOKEN, *key_pair])
        self._children.append(child)
        wait_for_port(port, child)
        return child

    @contextlib.contextmanager
    def waiting(self, count):
        """Ends when so many calls more than before wait at the backend."""
        before = len(self._tls.stdout)
        yield
        try:
            self._tls.wait_for_line(lambda _: len(self._tls.stdout) >= before + count, timeout=15)
        except ChildError as error:
            came = len(self._tls.stdout) - before
            raise LoadError(f"only {came} of {count} calls came to the backend") from error

    def direct(self, port=None):
        """The way without a proxy, or the one through a relay's port."""
        return Subject("direct", f"https://127.0.0.1:{port or self.port}", token=TOKEN)

    def command(self, name, *, relay=None, **options):
        """(words, port, environment); `options` are those of the bridge in peers.py."""
        (port,) = free_ports(1)
        place = self._place if relay is None else replace(self._place, backend_port=relay)
        words = peers.command(name, place, port, self._binary, **options)
        return words, port, self._environment if name == "sparkbridge" else None

    def start(self, name, **options):
        return Proxy(name, *self.command(name, **options))
