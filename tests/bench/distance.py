"""A large result over 50 ms each way: through a relay between the workspace and who reads it."""

import contextlib

import load
from delay_relay import DelayRelay
from works import Bodies, Subject, Work

DELAY_MS = 50
CEILINGS = {"16 MiB": "16MiB", "the default": None}
_CLIENT_WINDOWS = ("-w", 24, "-W", 30)  # 16 MiB for the stream


def title(ceiling):
    return f"download, {DELAY_MS} ms each way, window {ceiling}"


class DistanceWorks:
    """A context manager. The relay and the bridges are there while it is; only the bridge's stream
    window differs between the works."""

    def __init__(self, backends, directory, mebibytes):
        self._backends, self._bytes = backends, mebibytes << 20
        self._body = Bodies(directory).download(self._bytes)
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            relay = stack.enter_context(DelayRelay(DELAY_MS, self._backends.port))
            self.direct = self._backends.direct(relay.port)
            self.all = []
            for ceiling, window in CEILINGS.items():
                bridge = self._backends.start("sparkbridge", relay=relay.port, stream_window=window)
                subject = stack.enter_context(bridge).subject()
                self.all.append(self._work(title(ceiling), subject))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _work(self, name, bridge):
        return Work(name, lambda way: self._measure(self.direct if way == "direct" else bridge))

    def _measure(self, subject: Subject):
        options = ("-c", 1, "-m", 1, *_CLIENT_WINDOWS)
        outcome = load.run(subject.url, "ExecutePlan", self._body, 1, *options, token=subject.token)
        if outcome.data_bytes < self._bytes:
            raise load.LoadError(f"{subject.name}: only {outcome.data_bytes} bytes came")
        return {"MB/s": outcome.data_bytes / outcome.seconds / 1e6}
