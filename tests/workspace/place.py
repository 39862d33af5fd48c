"""A workspace's name, certificate and token without a workspace: a test brings the server."""

import tempfile
from pathlib import Path

from .certificates import Authority
from .loop import LoopThread
from .nginx import GRPC
from .standin import Tenant


class Place:
    """Takes the stand-in workspace's part where no Spark is needed."""

    def __init__(self, name):
        self._directory = tempfile.TemporaryDirectory(prefix=f"sparkbridge-{name}-")
        self.directory = Path(self._directory.name)
        self.loop = LoopThread()
        self.authority = Authority(self.directory, name)
        self.certificate = self.authority.issue("workspace.test")
        token = f"dapi-canary-{name}"
        cluster = f"1122-334455-{name}"
        self.tenants = (Tenant("workspace.test", token, cluster, self.certificate, GRPC),)
        self.ca_file = self.authority.file
        self.hosts_file = self.directory / "hosts"
        self.hosts_file.write_text("127.0.0.1 workspace.test\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.stop()
        self._directory.cleanup()
