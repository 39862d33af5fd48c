"""What is measured: each work runs a load against one peer and gives figures by metric."""

from dataclasses import dataclass

import load
from accounting import processor_s

ANSWER_BYTES = 16


@dataclass(frozen=True)
class Subject:
    """Whom a load goes to: a peer, or the backend itself."""

    name: str
    url: str
    pids: tuple = ()  # none for the direct way
    token: str | None = None  # for the direct way


def grpc_message(content):
    return b"\0" + len(content).to_bytes(4, "big") + content


class Works:
    """`scale` divides the numbers of calls and bytes."""

    def __init__(self, directory, scale):
        self._directory = directory
        self._scale = scale
        self._log = directory / "h2load.log"
        self._small = self._body("small", grpc_message(b"x" * ANSWER_BYTES))
        piece = 1 << 20
        self._down_bytes = (512 << 20) // scale
        self._down = self._body("down", grpc_message(b"%d %d" % (self._down_bytes, piece)))
        self._up_bytes = (128 << 20) // scale
        self._up = self._body("up", grpc_message(b"u" * piece) * (self._up_bytes // piece))
        self.all = {
            "unary, 1 at a time": lambda subject: self._unary(subject, 6000, 1, 1),
            "unary, 1 x 256": lambda subject: self._unary(subject, 60000, 1, 256),
            "unary, 8 x 32": lambda subject: self._unary(subject, 60000, 8, 32),
            "download": self._download,
            "upload": self._upload,
            "open loop, 200/s": lambda subject: self._open(subject, 200),
            "open loop, 2000/s": lambda subject: self._open(subject, 2000),
        }

    def _body(self, name, content):
        path = self._directory / f"{name}.bin"
        path.write_bytes(content)
        return path

    def _timed(self, subject, method, body, calls, *options, log=None):
        before = processor_s(subject.pids)
        outcome = load.run(
            subject.url, method, body, calls, *options, token=subject.token, log=log
        )
        return outcome, processor_s(subject.pids) - before

    def _unary(self, subject, calls, clients, streams):
        calls = max(calls // self._scale, clients * streams)
        outcome, cpu_s = self._timed(
            subject, "Config", self._small, calls, "-c", clients, "-m", streams, log=self._log
        )
        return {
            "CPU us a call": cpu_s / calls * 1e6,
            "calls/s": calls / outcome.seconds,
            "p50 us": outcome.latencies_us[calls // 2],
            "p99 us": outcome.latencies_us[calls * 99 // 100],
        }

    def _download(self, subject):
        outcome, cpu_s = self._timed(subject, "ExecutePlan", self._down, 2, "-c", 1, "-m", 1)
        if outcome.data_bytes < 2 * self._down_bytes:
            raise load.LoadError(f"{subject.name}: only {outcome.data_bytes} bytes came")
        return {
            "CPU s a GB": cpu_s / (outcome.data_bytes / 1e9),
            "MB/s": outcome.data_bytes / outcome.seconds / 1e6,
        }

    def _upload(self, subject):
        outcome, cpu_s = self._timed(subject, "AddArtifacts", self._up, 3, "-c", 1, "-m", 1)
        sent = 3 * self._up_bytes
        return {"CPU s a GB": cpu_s / (sent / 1e9), "MB/s": sent / outcome.seconds / 1e6}

    def _open(self, subject, rate):
        calls = rate * 4 // min(self._scale, 2)
        options = ("-c", 4, "-m", 100, "--rps", rate // 4)
        outcome, cpu_s = self._timed(
            subject, "Config", self._small, calls, *options, log=self._log
        )
        return {
            "CPU us a call": cpu_s / calls * 1e6,
            "p50 us": outcome.latencies_us[calls // 2],
            "p99 us": outcome.latencies_us[calls * 99 // 100],
        }
