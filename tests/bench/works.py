"""What is measured under load: each work runs one against one peer and gives figures by metric."""

from collections.abc import Callable
from dataclasses import dataclass

import load
from accounting import processor_s

ANSWER_BYTES = 16
HANGS = 1e9  # the milliseconds of a call that is given up


@dataclass(frozen=True)
class Work:
    name: str
    measure: Callable  # of a subject, or of a peer's name: {metric: value}
    warms_up: bool = True  # has a part in a round to warm up


@dataclass(frozen=True)
class Subject:
    """Whom a load goes to: a peer, or the backend itself."""

    name: str
    url: str
    pids: tuple = ()  # none for the direct way
    token: str | None = None  # for the direct way


def grpc_message(content):
    return b"\0" + len(content).to_bytes(4, "big") + content


class Bodies:
    """Requests as files, for h2load."""

    def __init__(self, directory):
        self._directory = directory

    def make(self, content):
        path = self._directory / f"body-{len(list(self._directory.glob('body-*')))}"
        path.write_bytes(content)
        return path

    def small(self):
        return self.make(grpc_message(b"x" * ANSWER_BYTES))

    def download(self, size):
        """For an answer of so many bytes, a multiple of 1 MiB."""
        return self.make(grpc_message(b"%d %d" % (size, 1 << 20)))


def timed(subject, method, body, calls, *options, log=None):
    """How the load went, and the processor's seconds that the peer took for it."""
    before = processor_s(subject.pids)
    outcome = load.run(subject.url, method, body, calls, *options, token=subject.token, log=log)
    return outcome, processor_s(subject.pids) - before


class LoadWorks:
    """`scale` divides the numbers of calls and bytes."""

    def __init__(self, directory, scale):
        bodies = Bodies(directory)
        self._scale = scale
        self._log = directory / "h2load.log"
        self._small = bodies.small()
        piece = 1 << 20
        self._down_bytes = 512 // scale * piece
        self._down = bodies.download(self._down_bytes)
        self._up_bytes = 128 // scale * piece
        self._up = bodies.make(grpc_message(b"u" * piece) * (self._up_bytes // piece))
        self.all = [
            Work("unary, 1 at a time", lambda subject: self._unary(subject, 6000, 1, 1)),
            Work("unary, 1 x 256", lambda subject: self._unary(subject, 60000, 1, 256)),
            Work("unary, 8 x 32", lambda subject: self._unary(subject, 60000, 8, 32)),
            Work("download", self._download),
            Work("upload", self._upload),
            # By then the others have warmed up everything.
            Work("open loop, 200/s", lambda subject: self._open(subject, 200), warms_up=False),
            Work("open loop, 2000/s", lambda subject: self._open(subject, 2000), warms_up=False),
        ]

    def _unary(self, subject, calls, clients, streams):
        calls = max(calls // self._scale, clients * streams)
        outcome, cpu_s = timed(
            subject, "Config", self._small, calls, "-c", clients, "-m", streams, log=self._log
        )
        return {
            "CPU us a call": cpu_s / calls * 1e6,
            "calls/s": calls / outcome.seconds,
            "p50 us": outcome.latencies_us[calls // 2],
            "p99 us": outcome.latencies_us[calls * 99 // 100],
        }

    def _download(self, subject):
        outcome, cpu_s = timed(subject, "ExecutePlan", self._down, 2, "-c", 1, "-m", 1)
        if outcome.data_bytes < 2 * self._down_bytes:
            raise load.LoadError(f"{subject.name}: only {outcome.data_bytes} bytes came")
        return {
            "CPU s a GB": cpu_s / (outcome.data_bytes / 1e9),
            "MB/s": outcome.data_bytes / outcome.seconds / 1e6,
        }

    def _upload(self, subject):
        outcome, cpu_s = timed(subject, "AddArtifacts", self._up, 3, "-c", 1, "-m", 1)
        sent = 3 * self._up_bytes
        return {"CPU s a GB": cpu_s / (sent / 1e9), "MB/s": sent / outcome.seconds / 1e6}

    def _open(self, subject, rate):
        calls = rate * 4 // min(self._scale, 6)
        options = ("-c", 4, "-m", 100, "--rps", rate // 4)
        outcome, cpu_s = timed(subject, "Config", self._small, calls, *options, log=self._log)
        return {
            "CPU us a call": cpu_s / calls * 1e6,
            "p50 us": outcome.latencies_us[calls // 2],
            "p99 us": outcome.latencies_us[calls * 99 // 100],
        }
