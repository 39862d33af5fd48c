"""A mixed load on the sanitized bridge for as long as one likes, its open files watched.

    ./dev soak [SECONDS] [--seed NUMBER]

The bridge has two listeners: one leads to a real Spark behind the gate, where PySpark works; the
other to a gRPC server that ends its connections every few seconds and is restarted. Calls of every
kind, some of them cancelled, and phases without any; then SIGTERM, the daemon's own checks and
LeakSanitizer's. Resident memory is only shown: a sanitizer's allocator does not tell a leak from
none, test_leaks.py does.
"""

import argparse
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from clients import Client
from grpc_workspace import SERVICE, GrpcWorkspace
from measures import SMALL_QUARANTINE, files, proportional_kib, resident_kib
from workspace.bridge import Bridge
from workspace.interrupts import Interrupted, Interrupts
from workspace.progress import say
from workspace.standin import StandIn

BUSY_S = 6
QUIET_S = 2
WORKERS = 6
CALLS_PER_WORKER_AND_S = 50
# How a call may end while its server is restarted.
LOST = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
# What open files may grow by, from the first half after the warm-up to the second.
GROWTH_FILES = 4
LEAST_SAMPLES = 4  # of which halves can be made


@dataclass(frozen=True)
class Sample:
    """Of a moment in which nothing was under way."""

    seconds: float
    resident_kib: int
    proportional_kib: int
    files: int


@dataclass(frozen=True)
class Plan:
    seconds: float
    seed: int
    wait: Callable = threading.Event().wait  # seconds; raises Interrupted when it has to end
    on_sample: Callable = lambda sample: None


@dataclass
class Report:
    samples: list = field(default_factory=list)
    calls: Counter = field(default_factory=Counter)
    problems: list = field(default_factory=list)
    interrupted: Interrupted | None = None

    def halves(self, figure):
        """Means of a figure in the two halves of what follows the warm-up, a quarter; None where
        it ended too early."""
        if len(self.samples) < LEAST_SAMPLES:
            return None
        values = [getattr(sample, figure) for sample in self.samples]
        values = values[len(values) // 4 :]
        middle = len(values) // 2
        return statistics.fmean(values[:middle]), statistics.fmean(values[middle:])

    def check(self):
        """Adds what is wrong with the figures to the problems."""
        halves = self.halves("files")
        if halves is not None and halves[1] > halves[0] + GROWTH_FILES:
            self.problems.append("open files grew from {:.0f} to {:.0f}".format(*halves))

    def text(self):
        lines = [f"{sum(self.calls.values())} calls: {dict(sorted(self.calls.items()))}"]
        for figure in ("resident_kib", "proportional_kib", "files") if self.samples else ():
            values = [getattr(sample, figure) for sample in self.samples]
            line = f"{figure}: begin {values[0]}, end {values[-1]}"
            line += f", range {min(values)} to {max(values)}"
            if (halves := self.halves(figure)) is not None:
                line += ", means of the halves {:.0f} and {:.0f}".format(*halves)
            lines.append(line)
        return "\n".join(lines)


class Load:
    """Threads that work while `busy`, and count those of them that do."""

    def __init__(self, report, numbers):
        self.busy = threading.Event()
        self._numbers = numbers
        self._report = report
        self._stopped = threading.Event()
        self._changed = threading.Condition()
        self._working = 0
        self._threads = []

    def add(self, work, pause_s):
        """`work(numbers)` again and again, about `pause_s` seconds apart."""
        numbers = random.Random(self._numbers.getrandbits(64))
        thread = threading.Thread(target=self._run, args=(work, pause_s, numbers), daemon=True)
        self._threads.append(thread)
        thread.start()

    def quieten(self):
        """No work is begun any more; returns when none is under way."""
        self.busy.clear()
        with self._changed:
            if not self._changed.wait_for(lambda: self._working == 0, 120):
                self._report.problems.append("work did not end within 120 s")

    def count(self, what):
        with self._changed:
            self._report.calls[what] += 1

    def stop(self):
        self._stopped.set()
        self.busy.set()
        for thread in self._threads:
            thread.join(120)

    def _run(self, work, pause_s, numbers):
        while True:
            self.busy.wait()
            if self._stopped.wait(numbers.expovariate(1 / pause_s)):
                return
            with self._changed:
                if not self.busy.is_set():
                    continue
                self._working += 1
            try:
                work(numbers)
            except Exception as error:
                self._report.problems.append(f"{type(error).__name__}: {error}")
            with self._changed:
                self._working -= 1
                self._changed.notify_all()


class Calls:
    """One worker's calls, each on the channel of the moment."""

    def __init__(self, target, count):
        self._target = target
        self._count = count
        self._channel = None

    def __call__(self, numbers):
        if self._channel is None or numbers.random() < 0.02:
            self.close()
            options = [("grpc.use_local_subchannel_pool", 1)]
            self._channel = grpc.insecure_channel(self._target, options)
        kind = numbers.choice((self._unary, self._unary, self._download, self._upload, self._echo))
        try:
            ended = kind(numbers)
        except grpc.RpcError as error:
            if error.code() not in LOST:
                raise
            ended = "lost"
        self._count(f"{kind.__name__[1:]} {ended}")

    def close(self):
        if self._channel is not None:
            self._channel.close()

    def _unary(self, numbers):
        sent = numbers.randbytes(numbers.randrange(2000))
        assert self._channel.unary_unary(f"/{SERVICE}/Unary")(sent, timeout=60) == sent
        return "done"

    def _download(self, numbers):
        count, size = numbers.randrange(1, 20), numbers.randrange(1 << 17)
        limit = numbers.choice((count, count, numbers.randrange(count)))
        call = self._channel.unary_stream(f"/{SERVICE}/Download")
        replies = call(b"%d %d" % (count, size), timeout=60)
        for number in range(limit):
            reply = next(replies)
            assert len(reply) == 4 + size and int.from_bytes(reply[:4], "big") == number
        if limit < count:
            replies.cancel()
            return "cancelled"
        assert next(replies, None) is None
        return "done"

    def _upload(self, numbers):
        parts = [bytes(numbers.randrange(1 << 16)) for _ in range(numbers.randrange(1, 10))]
        reply = self._channel.stream_unary(f"/{SERVICE}/Upload")(iter(parts), timeout=60)
        assert int(reply) == sum(len(part) for part in parts)
        return "done"

    def _echo(self, numbers):
        parts = [numbers.randbytes(numbers.randrange(4000)) for _ in range(8)]
        replies = self._channel.stream_stream(f"/{SERVICE}/Echo")(iter(parts), timeout=60)
        if numbers.random() < 0.3:
            next(replies)
            replies.cancel()
            return "cancelled"
        assert list(replies) == parts
        return "done"


class Queries:
    """PySpark's part; its own retries see to it that every query succeeds."""

    def __init__(self, client, remote, count):
        self._client = client
        self._remote = remote
        self._count = count
        self._expected = None

    def __call__(self, numbers):
        kind = numbers.choice(("range", "mixed", "large", "upload"))
        getattr(self, "_" + kind)(numbers)
        self._count(f"PySpark {kind}")

    def _run(self, op, **arguments):
        return self._client.run(op, self._remote, session="soak", **arguments)

    def _range(self, numbers):
        end = numbers.randrange(2, 500)
        assert self._run("range", end=end) == list(range(1, end))

    def _mixed(self, numbers):
        assert self._run("mixed", rounds=1, seed=numbers.randrange(1000))

    def _large(self, numbers):
        got = self._run("large", rows=50_000)
        assert got["in_order"] and got == (self._expected or got)
        self._expected = got

    def _upload(self, numbers):
        got = self._run("upload", rows=numbers.randrange(1, 3000))
        assert got["got"] == got["expected"]


_CONFIG = """\
version: 1
listeners:
  - name: spark
    listen: ["127.0.0.1:0"]
    connection: {{host: "{host}:{gate}", token_file: {token_file}, cluster_id: {cluster}}}
  - name: grpc
    listen: ["unix:{socket}"]
    connection: {{host: "{host}:{grpc}", token_file: {token_file}, cluster_id: {cluster}}}
upstream: {{ca_file: {ca_file}}}
"""


def start_bridge(binary, standin, workspace, directory):
    tenant = standin.tenants[0]
    token_file = directory / "token"
    token_file.touch(0o600)
    token_file.write_text(tenant.token + "\n")
    config = directory / "sparkbridge.yaml"
    config.write_text(
        _CONFIG.format(
            host=tenant.host,
            gate=standin.gate.port,
            grpc=workspace.port,
            socket=directory / "grpc.sock",
            token_file=token_file,
            cluster=tenant.cluster_id,
            ca_file=standin.ca_file,
        )
    )
    bridge = Bridge(
        binary,
        ["--config", config],
        hosts_file=standin.hosts_file,
        home=directory,
        environment=SMALL_QUARANTINE,
    )
    return bridge.wait_until_ready()


def soak(plan, standin, client, binary, directory):
    """Runs it as planned; the Report, with every problem that there was."""
    report = Report()
    numbers = random.Random(plan.seed)
    workspace = GrpcWorkspace(standin.tenants[0].certificate, max_age_s=BUSY_S // 2)
    bridge = start_bridge(binary, standin, workspace, directory)
    load = Load(report, numbers)
    calls = [Calls(f"unix:{directory}/grpc.sock", load.count) for _ in range(WORKERS)]
    for one in calls:
        load.add(one, 1 / CALLS_PER_WORKER_AND_S)
    load.add(Queries(client, bridge.remote, load.count), 0.2)
    started = time.monotonic()
    try:
        while time.monotonic() - started < plan.seconds and not report.problems:
            load.busy.set()
            plan.wait(numbers.uniform(0, BUSY_S))
            workspace.restart(numbers.choice((0, 0.5)))
            bridge.child.send_signal(signal.SIGHUP)
            plan.wait(BUSY_S / 2)
            load.quieten()
            plan.wait(QUIET_S)
            pid, elapsed = bridge.child.pid, time.monotonic() - started
            sample = Sample(elapsed, resident_kib(pid), proportional_kib(pid), files(pid))
            report.samples.append(sample)
            plan.on_sample(sample)
    except Interrupted as interrupted:
        report.interrupted = interrupted
    finally:
        load.stop()
        for one in calls:
            one.close()
        code = bridge.child.stop(signal.SIGTERM, timeout=60)
        workspace.stop()
    output = bridge.child.output()
    if code != 0 or "Sanitizer" in output or "runtime error:" in output:
        report.problems.append(f"the bridge ended with {code}:\n{bridge.child.tail()}")
    report.check()
    return report


def show(sample):
    print(
        f"{sample.seconds:.0f} s: {sample.resident_kib} KiB resident,"
        f" {sample.proportional_kib} KiB proportional, {sample.files} files",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(prog="./dev soak")
    parser.add_argument("seconds", nargs="?", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    say(f"{arguments.seconds:.0f} s of soak, seed {arguments.seed}")
    interrupts = Interrupts()
    plan = Plan(arguments.seconds, arguments.seed, interrupts.wait, show)
    try:
        report = run(plan, interrupts)
    except Interrupted as interrupted:  # before it began
        sys.exit(interrupted.exit_code)
    print(report.text())
    for problem in report.problems:
        print("PROBLEM:", problem)
    if report.interrupted and not report.problems:
        sys.exit(report.interrupted.exit_code)
    sys.exit(bool(report.problems))


def run(plan, interrupts):
    binary = os.environ["SPARKBRIDGE_BIN"]
    with (
        StandIn(tick=lambda _: interrupts.check(), say=say) as standin,
        tempfile.TemporaryDirectory() as directory,
    ):
        interrupts.check()
        client = Client()
        try:
            return soak(plan, standin, client, binary, Path(directory))
        finally:
            client.stop()


if __name__ == "__main__":
    main()
