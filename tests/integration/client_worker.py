"""A Spark client in a process of its own: reads requests, one JSON line each, and answers so.

It runs in the environments of several client versions, so it imports nothing of the tests. Each
request runs in a thread of its own and names its session by where it connects and a key.
"""

import hashlib
import json
import logging
import os
import sys
import tempfile
import threading
import time
import traceback
import zlib

import grpc
import numpy
import pandas
from pyspark.sql.connect.client.core import ChannelBuilder
from pyspark.sql.connect.session import SparkSession


class UnixChannelBuilder(ChannelBuilder):
    """What a user writes to reach the bridge on its Unix socket."""

    def __init__(self, path):
        super().__init__()
        self._path = path

    def toChannel(self):
        return grpc.insecure_channel(
            f"unix:{self._path}", options=[*self._channel_options, *LOCAL_CHANNEL]
        )

    @property
    def host(self):
        return "localhost"


# Without this, sessions of one process share a connection.
LOCAL_CHANNEL = [("grpc.use_local_subchannel_pool", 1)]


class Sessions:
    def __init__(self):
        self._lock = threading.Lock()
        self._open = {}

    def get(self, target, key):
        with self._lock:
            if key is None or (target, key) not in self._open:
                self._open[target, key] = self._create(target)
            return self._open[target, key]

    @staticmethod
    def _create(target):
        if target.startswith("unix:"):
            builder = UnixChannelBuilder(target.removeprefix("unix:"))
            return SparkSession.builder.channelBuilder(builder).create()
        return SparkSession.builder.remote(target).create()


def op_version(spark):
    return spark.version


def op_range(spark, end=10):
    return [row.id for row in spark.range(1, end).collect()]


def op_sql(spark, query):
    return [list(row) for row in spark.sql(query).collect()]


def op_large(spark, rows):
    """A result of 264 bytes a row: its size and a digest over every row in order."""
    query = f"select id, repeat(md5(cast(id as string)), 8) s from range({rows})"
    table = spark.sql(query).toArrow().combine_chunks()
    ids = table.column("id").chunk(0).to_numpy()
    text = table.column("s").chunk(0).buffers()[2].to_pybytes()
    digest = hashlib.sha256(ids.tobytes())
    digest.update(text)
    return {
        "rows": table.num_rows,
        "bytes": len(ids) * 8 + len(text),
        "digest": digest.hexdigest(),
        "in_order": bool((numpy.diff(ids) == 1).all()),
    }


def op_upload(spark, rows):
    """createDataFrame: what the server has of it, and what it should have."""
    strings = [os.urandom(60).hex() for _ in range(rows)]
    frame = pandas.DataFrame({"a": numpy.arange(rows), "s": strings})
    uploaded = spark.createDataFrame(frame)
    row = uploaded.selectExpr("count(*)", "sum(a)", "sum(crc32(s))").collect()[0]
    expected = [rows, rows * (rows - 1) // 2, sum(zlib.crc32(s.encode()) for s in strings)]
    return {"got": list(row), "expected": expected}


def op_artifacts(spark, size):
    """addArtifacts, and the same again to a file of the server's, which can be compared."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "blob.bin")
        content = os.urandom(size)
        with open(path, "wb") as file:
            file.write(content)
        spark.addArtifacts(path, file=True)
        copy = os.path.join(directory, "copy.bin")
        spark.copyFromLocalToFs(path, copy)
        with open(copy, "rb") as file:
            return file.read() == content


def op_nap(spark, seconds, marker):
    """A query that takes its time, in a sleep that its cancellation ends."""
    nanoseconds = int(seconds * 1e9)
    rows = spark.sql(
        f"select id, reflect('java.lang.System', 'setProperty', '{marker}', 'runs') a, "
        f"reflect('java.util.concurrent.locks.LockSupport', 'parkNanos', {nanoseconds}L) b "
        "from range(1)"
    ).collect()
    return [row.id for row in rows]


def op_interrupt(spark, marker):
    """interruptAll on a query of ten minutes: how its caller learns of it."""
    ended = {}

    def run():
        try:
            ended["rows"] = op_nap(spark, 600, marker)
        except Exception as error:
            ended["error"] = f"{type(error).__name__}: {error}"

    thread = threading.Thread(target=run)
    thread.start()
    op_wait_until_runs(spark, marker)
    interrupted = spark.interruptAll()
    thread.join(60)
    return {"interrupted": len(interrupted), "ended": not thread.is_alive(), **ended}


def op_wait_until_runs(spark, marker):
    """Returns when the op_nap() with this marker runs: a property of the server's JVM says so."""
    query = f"select reflect('java.lang.System', 'getProperty', '{marker}')"
    deadline = time.monotonic() + 60
    while spark.sql(query).collect()[0][0] != "runs":
        if time.monotonic() > deadline:
            raise TimeoutError(f"no query {marker} was seen to run")


def op_mixed(spark, rounds, seed):
    """What one of several clients at once does; true where every answer was its own."""
    for turn in range(rounds):
        base = seed * 1000 + turn
        if op_range(spark, 50 + turn) != list(range(1, 50 + turn)):
            return False
        if op_sql(spark, f"select {base} + 1, '{base}'") != [[base + 1, str(base)]]:
            return False
        got = spark.sql(f"select id + {base} x from range(20000)").toArrow().column("x").to_numpy()
        if not (got == numpy.arange(20000) + base).all():
            return False
    return True


def describe(error):
    code = error.getGrpcStatusCode() if hasattr(error, "getGrpcStatusCode") else None
    return {
        "type": type(error).__name__,
        "message": str(error),
        "code": code.name if code is not None else None,
        "traceback": traceback.format_exc(),
    }


def answer(sessions, request, write):
    started = time.monotonic()
    reply = {"id": request["id"]}
    try:
        session = sessions.get(request["target"], request["session"])
        started = time.monotonic()
        reply["value"] = globals()["op_" + request["op"]](session, **request["arguments"])
    except BaseException as error:
        reply["error"] = describe(error)
    reply["seconds"] = time.monotonic() - started
    write(reply)


def main():
    logging.captureWarnings(True)
    # The protocol has standard output for itself; whatever else is printed goes to stderr.
    protocol = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    lock = threading.Lock()
    sessions = Sessions()

    def write(reply):
        with lock:
            print(json.dumps(reply), file=protocol, flush=True)

    write({"id": 0, "value": "ready"})
    for line in sys.stdin:
        arguments = (sessions, json.loads(line), write)
        threading.Thread(target=answer, args=arguments, daemon=True).start()
    # Sessions are not closed one by one: the tests' servers are about to go, and a client's
    # good-bye to a server that is gone would be retried for minutes.
    os._exit(0)


if __name__ == "__main__":
    main()
