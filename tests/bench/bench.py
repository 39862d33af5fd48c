"""The cost of the bridge beside that of other proxies, in one run on one machine.

    ./dev bench [--quick] [--rounds N] [--only NAME]... [--work TEXT] [--json FILE]

All peers do equal work: plain HTTP/2 in, verified TLS and HTTP/2 out, both headers set, one worker.
They take turns within each round, the order changes from round to round, and a round to warm up is
not counted. What counts is the ratio within a run: machines and days differ.
"""

import argparse
import json
import os
import platform
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import peers
from accounting import tree
from works import Subject, Works
from workspace.certificates import Authority
from workspace.ports import free_ports
from workspace.processes import Child
from workspace.progress import say

HOST = "bench.test"
TOKEN = "dapi-of-the-bench"


def wait_for_port(port, child):
    deadline = time.monotonic() + 20
    pause = threading.Event()
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if child.exit_code is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{child.name} does not listen:\n{child.tail()}") from None
            pause.wait(0.01)


class Run:
    """The processes of a run: a context manager."""

    def __init__(self, directory, binary, backend, wanted):
        self._directory, self._binary, self._backend = directory, binary, backend
        self._wanted = wanted
        self._children = []

    def __enter__(self):
        names = ("tls", "plain", *peers.NAMES)
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        authority = Authority(self._directory, "bench")
        certificate = authority.issue(HOST)
        self.place = peers.Place(self._directory, HOST, ports["tls"], authority.file, TOKEN)
        hosts = self._directory / "hosts"
        hosts.write_text(f"127.0.0.1 {HOST}\n")
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._directory),
            "LD_PRELOAD": "libnss_wrapper.so",
            "NSS_WRAPPER_HOSTS": str(hosts),
            "SPARKBRIDGE_SANDBOX_READ": str(hosts),
        }
        key_pair = (certificate.chain, certificate.key)
        self._start("backend", [self._backend, ports["tls"], TOKEN, *key_pair], ports["tls"])
        self._start("backend", [self._backend, ports["plain"], TOKEN], ports["plain"])
        commands, missing = peers.commands(self.place, ports, self._binary)
        if missing:
            say(f"not installed, and so left out: {', '.join(sorted(missing))}")
        self.subjects = [Subject("direct", f"https://127.0.0.1:{ports['tls']}", token=TOKEN)]
        for name, words in commands.items():
            if self._wanted and name not in self._wanted:
                continue
            child = self._start(name, words, ports[name])
            url = f"http://127.0.0.1:{ports[name]}"
            self.subjects.append(Subject(name, url, tuple(tree(child.pid))))
        return self

    def _start(self, name, words, port):
        environment = self._environment if name == "sparkbridge" else None
        child = Child(name, words, env=environment)
        self._children.append(child)
        wait_for_port(port, child)
        return child

    def __exit__(self, *_):
        for child in reversed(self._children):
            child.stop()


# ---- figures ----------------------------------------------------------------------------------------


def measure(run, works, rounds):
    """{(work, peer, metric): [value of each round]}"""
    values = {}
    for turn in range(rounds + 1):
        say("warming up" if turn == 0 else f"round {turn} of {rounds}")
        for work, measure_one in works.items():
            for subject in run.subjects if turn % 2 == 0 else run.subjects[::-1]:
                figures = measure_one(subject)
                if turn == 0:
                    continue
                for metric, value in figures.items():
                    if subject.pids or not metric.startswith("CPU"):
                        values.setdefault((work, subject.name, metric), []).append(value)
    return values


def is_better_when_less(metric):
    return metric not in ("calls/s", "MB/s")


def best_peer(medians, work, metric):
    """The best of the others: (name, median), or None."""
    others = [
        (name, median)
        for (other_work, name, other_metric), median in medians.items()
        if (other_work, other_metric) == (work, metric) and name not in ("direct", "sparkbridge")
    ]
    if not others:
        return None
    return (min if is_better_when_less(metric) else max)(others, key=lambda one: one[1])


def print_table(values):
    medians = {key: statistics.median(series) for key, series in values.items()}
    works = list(dict.fromkeys(work for work, _, _ in values))
    in_order = sorted(values.items(), key=lambda item: (works.index(item[0][0]), item[0][2]))
    last = None
    for (work, name, metric), series in in_order:
        title = f"{work}: {metric}"
        if title != last:
            print(f"\n{title}")
            last = title
        best = best_peer(medians, work, metric)
        ratios = []
        if best is not None and name != "direct":
            ratios.append(f"{medians[work, name, metric] / best[1]:.2f} of {best[0]}")
        direct = medians.get((work, "direct", metric))
        if direct is not None and name != "direct":
            ratios.append(f"{medians[work, name, metric] / direct:.2f} of direct")
        spread = f"{min(series):.4g} to {max(series):.4g}"
        print(f"  {name:12} {statistics.median(series):10.4g}  ({spread})  {', '.join(ratios)}")


def rows(values):
    return [
        {
            "work": work,
            "peer": name,
            "metric": metric,
            "median": statistics.median(series),
            "min": min(series),
            "max": max(series),
        }
        for (work, name, metric), series in values.items()
    ]


def machine():
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": int(memory[1]) // 1024,
        "kernel": platform.release(),
    }


def main():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--quick", action="store_true", help="fewer calls and 3 rounds: 3 minutes")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", action="append", choices=peers.NAMES, default=[])
    parser.add_argument("--work", help="only works with this in their name")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rounds = arguments.rounds or (3 if arguments.quick else 5)
    binary, backend = os.environ["SPARKBRIDGE_RELEASE_BIN"], os.environ["SPARKBRIDGE_BENCH_BACKEND"]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        works = {
            title: work
            for title, work in Works(directory, 4 if arguments.quick else 1).all.items()
            if arguments.work is None or arguments.work in title
        }
        with Run(directory, os.path.abspath(binary), os.path.abspath(backend), arguments.only) as run:
            values = measure(run, works, rounds)
    print_table(values)
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"rows": rows(values), "machine": machine()}, indent=1) + "\n"
        )


if __name__ == "__main__":
    sys.exit(main())
