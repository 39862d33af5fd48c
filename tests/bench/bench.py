"""The cost of the bridge beside that of other proxies, in one run on one machine.

    ./dev bench [--quick] [--rounds N] [--only NAME]... [--work TEXT] [--json FILE] [--plot FILE]
                [--markdown] [--readme FILE] [--from FILE]

All peers do equal work: plain HTTP/2 in, verified TLS and HTTP/2 out, both headers set, one worker.
They take turns within each round, the order changes from round to round, and a round to warm up is
not counted. What counts is the ratio within a run: machines and days differ. ARCHITECTURE.md says
more. It must be root, who may read the memory of a process that hides it.
"""

import argparse
import contextlib
import json
import os
import resource
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import peers
import plot
import surroundings
import table
from distance import DistanceWorks
from figures import BRIDGE, DIRECT, FLOOR, Figures, Results
from floors import FloorWorks, agreed_cipher
from fresh import FreshWorks
from growth import GrowthWorks
from proxies import Backends
from works import LoadWorks
from workspace.progress import say


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    fresh_rounds: int
    scale: int  # divides calls and bytes
    idle: int = 9000
    stalled: tuple = (1, 8, 40)
    far_mebibytes: int = 954  # 1 GB
    hangs_after_s: float = 5
    still_s: float = 0.3  # for memory to count as settled
    most_in_flight: int = 1024


FULL = Size(rounds=5, fresh_rounds=5, scale=1)
QUICK = Size(3, 1, scale=8, idle=3000, stalled=(1, 40), far_mebibytes=150, hangs_after_s=2)
TINY = Size(
    *(1, 1),
    scale=60,
    idle=100,
    stalled=(1,),
    far_mebibytes=1,
    hangs_after_s=1,
    still_s=0.05,
    most_in_flight=16,
)


class Bench:
    def __init__(self, size, names, text, directory):
        self._size, self._names, self._text = size, names, text
        self._directory = directory
        self._binary = os.path.abspath(os.environ["SPARKBRIDGE_RELEASE_BIN"])
        self.figures = Figures()

    def run(self):
        backend = os.path.abspath(os.environ["SPARKBRIDGE_BENCH_BACKEND"])
        with Backends(self._directory, self._binary, backend) as backends:
            self._measure_fresh(backends)
            self._measure_load(backends)
            if BRIDGE in self._names:
                self._measure_distance(backends)
        self.figures.derive()

    def _wanted(self, works):
        return [work for work in works if self._text is None or self._text in work.name]

    def _measure_fresh(self, backends):
        """First, while no other process of a peer is there to share its pages."""
        size = self._size
        works = FreshWorks(backends, size.hangs_after_s, size.still_s, size.idle, size.stalled)
        group = self._wanted(works.all), {name: name for name in self._names}
        self.figures.take_turns("just started", size.fresh_rounds, group)

    def _measure_load(self, backends):
        size, directory = self._size, self._directory
        loads = self._wanted(LoadWorks(directory, size.scale).all)
        grown = self._wanted(GrowthWorks(directory, size.scale, size.most_in_flight).all)
        program = os.path.abspath(os.environ["SPARKBRIDGE_BENCH_FLOOR"])
        floors = self._wanted(FloorWorks(program, agreed_cipher(backends.port), size.scale).all)
        with contextlib.ExitStack() as stack:
            subjects = {}
            for name in self._names if loads or grown else ():
                subjects[name] = stack.enter_context(backends.start(name)).subject()
            groups = (floors, {FLOOR: None}), (loads, {DIRECT: backends.direct(), **subjects})
            self.figures.take_turns("under load", size.rounds, *groups, warm_up=True)
            self.figures.take_turns("growing", size.fresh_rounds, (grown, subjects))

    def _measure_distance(self, backends):
        ways = {DIRECT: DIRECT, BRIDGE: BRIDGE}  # the works know the rest
        with DistanceWorks(backends, self._directory, self._size.far_mebibytes) as far:
            group = self._wanted(far.all), ways
            self.figures.take_turns("far away", self._size.fresh_rounds, group)

    def results(self):
        return {
            "rows": self.figures.rows(),
            "machine": surroundings.describe(),
            "versions": surroundings.versions(self._binary),
        }


def measure(arguments):
    if os.geteuid() != 0:
        sys.exit("./dev bench: only root may read the memory of a process that hides it")
    size = TINY if arguments.tiny else QUICK if arguments.quick else FULL
    if arguments.rounds:
        size = Size(**(vars(size) | {"rounds": arguments.rounds}))
    names = peers.installed()
    missing = set(peers.NAMES) - set(names)
    if missing:
        say(f"not installed, and so left out: {', '.join(sorted(missing))}")
    names = [name for name in names if not arguments.only or name in arguments.only]
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # 9,000 connections, here and there
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(size, names, arguments.work, Path(directory))
        bench.run()
    return bench.results(), bench.figures.failures


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--quick", action="store_true", help="fewer calls and rounds: 3 minutes")
    parser.add_argument("--tiny", action="store_true", help="only to see that it works")
    parser.add_argument("--rounds", type=int, help="under load (5)")
    parser.add_argument("--only", action="append", choices=peers.NAMES, default=[])
    parser.add_argument("--work", help="only works with this in their name")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--plot", type=Path, help="an SVG file for how the cost grows")
    parser.add_argument("--markdown", action="store_true", help="the table as README.md has it")
    parser.add_argument("--readme", type=Path, help="a file whose table between the marks to renew")
    parser.add_argument("--from", dest="saved", type=Path, help="the figures of a --json before")
    return parser.parse_args()


def main():
    arguments = parse()
    if arguments.saved:
        found, failures = json.loads(arguments.saved.read_text()), []
    else:
        found, failures = measure(arguments)
    results = Results(found["rows"])
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    drawn = plot.svg(results)
    if arguments.plot and drawn:
        arguments.plot.write_text(drawn)
    made = table.markdown(results, found["machine"], found["versions"])
    if arguments.readme:
        arguments.readme.write_text(table.renewed(arguments.readme.read_text(), made))
    if arguments.markdown:
        print(made)
    else:
        print(table.plain(results))
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
