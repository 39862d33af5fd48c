"""What is measured on a peer that has just been started and has served nobody else: how soon it
listens, and what its memory is and becomes."""

import contextlib
import os
import random
import shutil
import signal
import statistics
import threading
import time

from accounting import descriptors, proportional_kib, tree
from load import LoadError
from proxies import answers
from raw_connection import Connection, Unanswered
from works import HANGS, Work, grpc_message

STALLED_BYTES = 1 << 30
WARM_BYTES = 16 << 20
SMALL_CALL = grpc_message(b"x" * 16)
ACTIVE_CONNECTIONS, ACTIVE_CALLS = 10, 1000
STILL_KIB = 64  # others come and go, and with them the share of pages that all of them have
_pause = threading.Event()


def settled_kib(pid, still_s, most_s=8):
    """The memory of a process and its descendants, once it has hardly changed for a while."""
    deadline = time.monotonic() + most_s
    value, since = proportional_kib(tree(pid)), time.monotonic()
    while time.monotonic() - since < still_s and time.monotonic() < deadline:
        _pause.wait(0.05)
        now = proportional_kib(tree(pid))
        if abs(now - value) > STILL_KIB:
            value, since = now, time.monotonic()
    return value


def largest_kib(pid, still_s, most_s=10):
    """The most it has had, once that has not grown for a while."""
    deadline = time.monotonic() + most_s
    pids = tree(pid)
    value, since = proportional_kib(pids), time.monotonic()
    while time.monotonic() - since < still_s and time.monotonic() < deadline:
        _pause.wait(0.05)
        now = proportional_kib(pids)
        if now > value:
            value, since = now, time.monotonic()
    return value


def wait_for_closing(pid, most):
    """Until a process and its descendants have no more descriptors than these."""
    deadline = time.monotonic() + 20
    while descriptors(tree(pid)) > most:
        if time.monotonic() > deadline:
            raise LoadError("connections that the client has closed stay open")
        _pause.wait(0.02)


def _download(size):
    return grpc_message(b"%d %d" % (size, 1 << 20))


class FreshWorks:
    """`name` is a peer's; each work starts it, once or more often."""

    def __init__(self, backends, hangs_after_s, still_s, idle, stalled):
        """`still_s`: how long memory must not change. Numbers: of idle connections; of readers
        that stall, a work each."""
        self._backends = backends
        self._hangs_after_s, self._still_s = hangs_after_s, still_s
        self.all = [
            Work("start", self._start),
            Work(f"{idle:,} idle connections", lambda name: self._idle(name, idle)),
            Work(f"{ACTIVE_CALLS:,} calls that wait", self._active),
        ]
        for count in stalled:
            title = f"{count} stalled reader{'s' * (count > 1)}"
            self.all.append(Work(title, lambda name, n=count: self._stalled(name, n)))

    def _settled(self, pid, times=1):
        return settled_kib(pid, times * self._still_s)

    def _start(self, name):
        took = [self._time_to_listen(name) for _ in range(3)]
        with self._backends.start(name) as proxy:
            resident = self._settled(proxy.child.pid)
        return {"ms to listening": statistics.median(took), "MB resident": resident / 1024}

    def _time_to_listen(self, name):
        """By vfork(2) and exec, without Child's threads and callbacks in between."""
        words, port, environment = self._backends.command(name)
        words = [str(word) for word in words]
        nowhere = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in range(3)]
        binary = shutil.which(words[0])
        started = time.monotonic()
        pid = os.posix_spawn(binary, words, environment or os.environ, file_actions=nowhere)
        try:
            while not answers(port):
                if time.monotonic() - started > 20:
                    raise LoadError(f"{name} does not listen")
                _pause.wait(0.0002)
            return (time.monotonic() - started) * 1000
        finally:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)

    def _idle(self, name, count):
        with self._backends.start(name) as proxy, contextlib.ExitStack() as stack:
            pid = proxy.child.pid
            before, opened = self._settled(pid), descriptors(tree(pid))
            connections = []
            for _ in range(count):
                connections.append(Connection(proxy.port))
                stack.callback(connections[-1].close)
                connections[-1].shake_hands()
            during = self._settled(pid)
            random.Random(count).shuffle(connections)  # any order but the allocator's dearest
            for connection in connections:
                connection.close()
            wait_for_closing(pid, opened)
            return {
                "KB a connection": (during - before) / count,
                "MB left after them": self._settled(pid, 3) / 1024,
            }

    def _active(self, name):
        with self._backends.start(name) as proxy, contextlib.ExitStack() as stack:
            before = self._settled(proxy.child.pid)
            connections = []
            for _ in range(ACTIVE_CONNECTIONS):
                connections.append(Connection(proxy.port))
                stack.callback(connections[-1].close)
                connections[-1].shake_hands()
            # A first call, so that those that wait find a connection to the workspace.
            connections[0].wait_for(connections[0].call("Config", SMALL_CALL), 10)
            with self._backends.waiting(ACTIVE_CALLS):
                for number in range(ACTIVE_CALLS):
                    connection = connections[number % ACTIVE_CONNECTIONS]
                    connection.call("ExecutePlan", grpc_message(b"wait"))
            return {"KB a call": (self._settled(proxy.child.pid) - before) / ACTIVE_CALLS}

    def _stalled(self, name, count):
        with self._backends.start(name) as proxy, contextlib.ExitStack() as stack:
            first = Connection(proxy.port).shake_hands()
            first.wait_for(first.call("ExecutePlan", _download(WARM_BYTES)), 20)
            first.close()
            before = self._settled(proxy.child.pid)
            for _ in range(count):
                connection = Connection(proxy.port, receive_buffer=1 << 16)
                stack.callback(connection.close)
                with contextlib.suppress(Unanswered):  # it may hang already
                    connection.shake_hands(1)
                connection.call("ExecutePlan", _download(STALLED_BYTES))
            growth = largest_kib(proxy.child.pid, 3 * self._still_s) - before
            return {
                "MB a reader": growth / 1024 / count,
                "ms of another's call": self._other_call_ms(proxy.port),
            }

    def _other_call_ms(self, port):
        """The median of a few; HANGS where one of them hangs."""
        took = []
        connection = Connection(port)
        try:
            connection.shake_hands(self._hangs_after_s)
            for _ in range(5):
                started = time.monotonic()
                stream = connection.call("Config", SMALL_CALL)
                connection.wait_for(stream, self._hangs_after_s)
                took.append((time.monotonic() - started) * 1000)
        except Unanswered:
            return HANGS
        finally:
            connection.close()
        return statistics.median(took)
