"""What the bridge is to reach: ratios within a run, but for memory and times of its own."""

from dataclasses import dataclass

BEST, DIRECT, FLOOR, ITSELF = "best", "direct", "floor", "itself"


@dataclass(frozen=True)
class Target:
    work: str
    metric: str
    limit: float  # in the metric's unit where it is about the bridge itself, else a ratio
    of: str = BEST
    at_least: bool = False

    def is_met(self, value):
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self):
        of = {BEST: " of the best", DIRECT: " of direct", FLOOR: " of the floor", ITSELF: ""}
        return f"{'at least' if self.at_least else 'at most'} {self.limit:g}{of[self.of]}"


def _stalled(title):
    return (
        Target(title, "MB a reader", 1, ITSELF),
        Target(title, "ms of another's call", 50, ITSELF),
    )


ALL = (
    Target("unary, 1 at a time", "CPU us a call", 0.8),
    Target("unary, 1 at a time", "p50 us", 0.9),
    Target("unary, 1 x 256", "CPU us a call", 0.65),
    Target("unary, 1 x 256", "calls/s", 1.15, at_least=True),
    Target("unary, 8 x 32", "CPU us a call", 0.7),
    Target("unary, 8 x 32", "calls/s", 1.3, at_least=True),
    Target("download", "CPU s a GB", 0.9),
    Target("download", "CPU s a GB", 1.15, FLOOR),
    Target("download", "MB/s", 1, at_least=True),
    Target("upload", "CPU s a GB", 0.85),
    Target("upload", "MB/s", 1, at_least=True),
    Target("open loop, 200/s", "p50 us over direct", 0.8),
    Target("open loop, 2000/s", "p50 us over direct", 0.8),
    Target("9,000 idle connections", "KB a connection", 8, ITSELF),
    Target("9,000 idle connections", "MB left after them", 12, ITSELF),
    Target("1,000 calls that wait", "KB a call", 2, ITSELF),
    *_stalled("1 stalled reader"),
    *_stalled("8 stalled readers"),
    *_stalled("40 stalled readers"),
    Target("start", "MB resident", 6, ITSELF),
    Target("start", "ms to listening", 15, ITSELF),
    Target("download, 50 ms each way, window 16 MiB", "MB/s", 0.95, DIRECT, at_least=True),
)
