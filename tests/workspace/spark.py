"""A real Spark Connect server from the pyspark of this Python environment."""

import importlib.util
import os
import re
import signal
import sys
from pathlib import Path

from .processes import Child, ChildError

_STARTED = re.compile(r"Spark Connect server started at: .*:(\d+)$")
START_TIMEOUT_S = 240


class SparkServer:
    """Serves h2c on 127.0.0.1:`port`; everything it writes is under `directory`."""

    def __init__(self, directory, *, tick=None, conf=()):
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        home = Path(importlib.util.find_spec("pyspark").origin).parent
        settings = {
            "spark.driver.extraJavaOptions": f"-Dderby.system.home={directory}"
            f" -Djava.io.tmpdir={directory}",
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": "0",
            "spark.sql.warehouse.dir": str(directory / "warehouse"),
            "spark.local.dir": str(directory / "local"),
            "spark.sql.catalogImplementation": "in-memory",
            "spark.sql.shuffle.partitions": "2",
            # So that a test can compare what it sent with the file that the server made of it.
            "spark.sql.artifact.copyFromLocalToFs.allowDestLocal": "true",
            **dict(conf),
        }
        argv = [home / "bin" / "spark-submit", "--name", "sparkbridge-tests"]
        argv += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
        argv += ["--master", "local[4]", "--driver-memory", "2g"]
        for key, value in settings.items():
            argv += ["--conf", f"{key}={value}"]
        # spark-submit becomes the Java process by exec, so the child's pid stays the right one.
        self._child = Child(
            "the Spark Connect server",
            [*argv, "spark-internal"],
            cwd=directory,
            env=_environment(home, directory),
        )
        try:
            found = self._child.wait_for_line(_STARTED.search, timeout=START_TIMEOUT_S, tick=tick)
            self.port = int(found[1])
            self._answers()
        except BaseException:
            self.stop()
            raise

    @property
    def remote(self):
        """The connection string for a client that needs no bridge."""
        return f"sc://localhost:{self.port}"

    def tail(self):
        return self._child.tail()

    def stop(self):
        # Nothing it holds is worth an orderly end: its files are in a directory we remove.
        self._child.stop(signal.SIGKILL)

    def _answers(self):
        """One call, so that "ready" means that a session can be had."""
        import grpc
        from pyspark.sql.connect.proto import base_pb2, base_pb2_grpc

        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            request = base_pb2.AnalyzePlanRequest(
                session_id="00000000-0000-4000-8000-000000000000",
                spark_version=base_pb2.AnalyzePlanRequest.SparkVersion(),
            )
            try:
                base_pb2_grpc.SparkConnectServiceStub(channel).AnalyzePlan(request, timeout=60)
            except grpc.RpcError as error:
                raise ChildError(f"Spark does not answer: {error}\n{self.tail()}") from error


def _environment(home, directory):
    kept = ("PATH", "JAVA_HOME", "LANG", "LC_ALL", "TMPDIR", "USER")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    return {
        **environment,
        "HOME": str(directory),
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_NO_DAEMONIZE": "1",
        "PYSPARK_PYTHON": sys.executable,
    }
