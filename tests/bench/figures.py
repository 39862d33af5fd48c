"""The figures of a run: gathered round by round, then one row for each work, peer and metric."""

import statistics
import time
from dataclasses import dataclass, field

import floors
import load
import peers
from raw_connection import Unanswered
from works import HANGS
from workspace.progress import say

BRIDGE, DIRECT, FLOOR = "sparkbridge", "direct", "floor"


@dataclass
class Figures:
    series: dict = field(default_factory=dict)  # (work, peer, metric): a value for each round
    failures: list = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)

    def _say(self, text):
        say(f"{text} ({time.monotonic() - self._started:.0f} s)")

    def take_turns(self, about, rounds, *groups, warm_up=False):
        """`groups` are pairs: works, and the subjects by their name. Each round every work with
        every subject, in another order."""
        for turn in range(0 if warm_up else 1, rounds + 1):
            pairs = [
                (work, name, subjects[name])
                for works, subjects in groups
                for work in works
                for name in list(subjects)[:: 1 if turn % 2 == 0 else -1]
                if turn > 0 or work.warms_up
            ]
            if pairs:
                title = "to warm up" if turn == 0 else f"{turn} of {rounds}"
                self._say(f"{about}: round {title}")
            for work, name, subject in pairs:
                self._measure(work, name, subject, turn > 0)

    def _measure(self, work, name, subject, counts):
        try:
            found = work.measure(subject)
        except (load.LoadError, Unanswered) as error:
            self.failures.append(f"{work.name}, {name}: {error}")
            say(self.failures[-1])
            return
        for metric, value in found.items() if counts else ():
            if name != DIRECT or not metric.startswith("CPU"):
                self.series.setdefault((work.name, name, metric), []).append(value)

    def derive(self):
        """What follows from two figures of a round: what a peer adds to the direct way, and what
        the floors mean for a work."""
        added = {}
        for (work, name, metric), values in self.series.items():
            direct = self.series.get((work, DIRECT, metric), ())
            is_wanted = work.startswith("open loop") and metric == "p50 us"
            if is_wanted and name != DIRECT and len(direct) == len(values):
                differences = [one - other for one, other in zip(values, direct, strict=True)]
                added[work, name, "p50 us over direct"] = differences
        self.series |= added
        measured = {m: v for (_, name, m), v in self.series.items() if name == FLOOR}
        for values in zip(*measured.values(), strict=True):
            least = floors.derived(dict(zip(measured, values, strict=True)))
            for (work, metric), value in least.items():
                self.series.setdefault((work, FLOOR, metric), []).append(value)

    def rows(self):
        return [
            {
                "work": work,
                "peer": name,
                "metric": metric,
                "median": statistics.median(values),
                "min": min(values),
                "max": max(values),
            }
            for (work, name, metric), values in self.series.items()
        ]


def is_better_when_less(metric):
    return metric not in ("calls/s", "MB/s")


class Results:
    """The rows of a run, to be looked up."""

    def __init__(self, rows):
        self._rows = {(row["work"], row["peer"], row["metric"]): row for row in rows}
        names = {name for _, name, _ in self._rows}
        self.peers = [name for name in peers.NAMES if name in names and name != BRIDGE]

    def titles(self):
        """(work, metric) in the order of the works."""
        works = list(dict.fromkeys(work for work, _, _ in self._rows))
        both = dict.fromkeys((work, metric) for work, _, metric in self._rows)
        return sorted(both, key=lambda title: works.index(title[0]))

    def row(self, work, name, metric):
        return self._rows.get((work, name, metric))

    def median(self, work, name, metric):
        row = self.row(work, name, metric)
        return row and row["median"]

    def best_peer(self, work, metric):
        """The best of the others where no call hangs: its name, or None."""
        medians = {name: self.median(work, name, metric) for name in self.peers}
        medians = {
            name: median
            for name, median in medians.items()
            if median is not None and not self._hangs(work, name)
        }
        choose = min if is_better_when_less(metric) else max
        return choose(medians, key=medians.get) if medians else None

    def _hangs(self, work, peer):
        return any(
            row["median"] >= HANGS
            for (one, name, _), row in self._rows.items()
            if (one, name) == (work, peer)
        )

    def ratio(self, work, metric, name):
        """The bridge's to another's; None where either is missing."""
        ours, theirs = (self.median(work, one, metric) for one in (BRIDGE, name))
        return None if ours is None or not theirs or theirs < 0 else ours / theirs
