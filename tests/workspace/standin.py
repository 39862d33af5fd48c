"""The stand-in workspace as a whole: Spark, the gate, its certificates, tokens and clusters."""

import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .certificates import Authority, Certificate
from .loop import LoopThread
from .nginx import GRPC, HTML, Gate
from .relay import RecordingRelay
from .scripted import ScriptedServer
from .spark import SparkServer


@dataclass(frozen=True)
class Tenant:
    """One workspace at the gate."""

    host: str
    token: str
    cluster_id: str
    certificate: Certificate
    refuses_with: str  # GRPC or HTML


class StandIn:
    """A context manager. All it writes is in one temporary directory, which goes with it.

    `tenants` are `workspace.test`, which refuses in gRPC, and `workspace-two.test`, which
    refuses in HTML as a front door does. `scripted` answers the methods whose names begin with
    Test, behind the gate. `tick` and `say` report the start's progress; `on_request` is called
    with the gate's log, request by request.
    """

    def __init__(self, *, tick=None, say=lambda text: None, on_request=None):
        self._tick = tick
        self._on_request = on_request
        self._say = say
        self._open = []

    def __enter__(self):
        try:
            return self._start()
        except BaseException:
            self._stop()
            raise

    def __exit__(self, *_):
        self._stop()

    @property
    def hosts_file(self):
        """For NSS_WRAPPER_HOSTS: the tenants' names are on 127.0.0.1."""
        return self.directory / "hosts"

    @property
    def ca_file(self):
        return self.authority.file

    def record(self):
        """A recording relay in front of Spark, for the first tenant's name. The caller stops it."""
        return RecordingRelay(
            self.loop, self.tenants[0].certificate, ("127.0.0.1", self.spark.port)
        )

    def script(self, certificate=None, **options):
        """A ScriptedServer in the workspace's place, as a context manager."""
        return ScriptedServer(self.loop, certificate, **options)

    def _start(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sparkbridge-workspace-"))
        self._open.append(lambda: shutil.rmtree(self.directory, ignore_errors=True))
        self.loop = LoopThread()
        self._open.append(self.loop.stop)
        self.authority = Authority(self.directory, "workspace")
        self.tenants = (
            self._tenant("workspace.test", "1122-334455-primary1", GRPC),
            self._tenant("workspace-two.test", "5544-332211-second22", HTML),
        )
        names = " ".join((*(tenant.host for tenant in self.tenants), "other.test"))
        self.hosts_file.write_text(f"127.0.0.1 {names}\n")
        self._say("starting a Spark Connect server")
        self.spark = SparkServer(self.directory / "spark", tick=self._tick)
        self._open.append(self.spark.stop)
        self.scripted = ScriptedServer(self.loop)
        self._open.append(self.scripted.stop)
        self._say("starting the TLS gate in front of it")
        self.gate = Gate(
            self.directory / "gate",
            self.tenants,
            self.spark.port,
            self.scripted.port,
            self._on_request,
        )
        self._open.append(self.gate.stop)
        return self

    def _tenant(self, host, cluster_id, refuses_with):
        # The token's form is a real one's. It is made up anew each time and says what it is, so
        # that a search for it through any output is meaningful.
        token = f"dapi-canary-{secrets.token_hex(12)}"
        return Tenant(host, token, cluster_id, self.authority.issue(host), refuses_with)

    def _stop(self):
        while self._open:
            self._open.pop()()
