"""The real clients, each in a worker process (client_worker.py) of its own environment."""

import itertools
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

WORKER = Path(__file__).with_name("client_worker.py")

# Settings of the developer's own must not reach a client.
_FOREIGN = ("SPARK_", "DATABRICKS_", "PYTHON", "GRPC_", "http_proxy", "HTTP_PROXY", "no_proxy")


@dataclass(frozen=True)
class Failure:
    """An exception in the client, as its user sees it."""

    type: str
    message: str
    code: str | None  # the gRPC status code's name
    seconds: float
    traceback: str


class ClientError(AssertionError):
    def __init__(self, failure):
        super().__init__(f"{failure.type}: {failure.message}\n{failure.traceback}")
        self.failure = failure


class Client:
    """One worker. Operations are the op_* functions of client_worker.py."""

    def __init__(self, python=sys.executable, environment=None, popen=subprocess.Popen, worker=WORKER):
        """`popen` starts it, with `worker` as the place of client_worker.py, elsewhere than here."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        self._process = popen(
            [python, str(worker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**kept, **(environment or {})},
            start_new_session=True,
        )
        self._numbers = itertools.count(1)
        self._ready = Future()
        self._waiting = {0: self._ready}
        self._lock = threading.Lock()
        self.stderr = []
        self._threads = [
            threading.Thread(target=self._read_replies, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, op, target, *, session="main", **arguments):
        """Starts an operation; a Future of its reply.

        `target` is a connection string or "unix:PATH"; operations with the same target and
        session share a session, and None stands for one that is used only once.
        """
        number = next(self._numbers)
        future = Future()
        with self._lock:
            self._waiting[number] = future
        self._ready.result(60)
        request = {"id": number, "op": op, "target": target, "session": session}
        line = json.dumps({**request, "arguments": arguments}) + "\n"
        with self._lock:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        return future

    def run(self, op, target, *, session="main", timeout=120, **arguments):
        """Runs an operation; its value."""
        reply = self.submit(op, target, session=session, **arguments).result(timeout)
        return value_of(reply)

    def fail(self, op, target, *, timeout=60, **arguments):
        """Runs an operation, in a new session, that must fail: the Failure."""
        reply = self.submit(op, target, session=None, **arguments).result(timeout)
        if "error" not in reply:
            raise AssertionError(f"{op} should have failed but returned {reply['value']!r}")
        return Failure(**reply["error"], seconds=reply["seconds"])

    def stop(self):
        """Ends the worker, without a word to the servers."""
        self._process.stdin.close()  # which ends one that a signal does not reach
        self._process.kill()
        self._process.wait(10)
        for thread in self._threads:
            thread.join(10)
        for pipe in (self._process.stdout, self._process.stderr):
            pipe.close()

    def _read_replies(self):
        for line in self._process.stdout:
            reply = json.loads(line)
            with self._lock:
                future = self._waiting.pop(reply["id"])
            future.set_result(reply)
        with self._lock:
            pending = list(self._waiting.values())
        for future in pending:
            future.set_exception(RuntimeError("the client ended:\n" + "\n".join(self.stderr)))

    def _read_errors(self):
        for line in self._process.stderr:
            self.stderr.append(line.rstrip("\n"))


def value_of(reply):
    """The value of a worker's reply; ClientError where the operation failed."""
    if "error" in reply:
        raise ClientError(Failure(**reply["error"], seconds=reply["seconds"]))
    return reply["value"]
