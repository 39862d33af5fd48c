"""PySpark interrupted, killed and started anew at random moments: the bridge stays as it was."""

import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from measures import SMALL_QUARANTINE, resident_kib, wait_until_still

ROWS = 40_000  # of 264 bytes
AT_ONCE = 3
ROUNDS = 4
TIMES = int(os.environ.get("SPARKBRIDGE_KILLS", "40")) // ROUNDS  # 200 in all are the full form
LONGEST_S = 2.5  # between two of them
# The first rounds touch memory that the later ones use again. A result's window that was lost with
# each client would be more than this in the quick form already.
GROWTH_KIB = 16 * 1024
# How PySpark tells of a query whose interruption came from its own SIGINT.
OWN_DOING = ("OPERATION_CANCELED", "KeyboardInterrupt")


class Crowd:
    """Clients of a bridge, each a process; crowd_worker.py forks them."""

    def __init__(self, remote):
        self._remote = remote
        self._numbers = 0
        self._events = queue.Queue()
        self.alive = {}  # pid -> client number
        self._worker = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("crowd_worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"PATH": os.environ["PATH"], "GRPC_ENABLE_FORK_SUPPORT": "0"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self.next_event(60)["event"] == "ready"

    def add(self):
        """One more client, which will say that it was born."""
        self._numbers += 1
        line = {"client": self._numbers, "remote": self._remote, "rows": ROWS}
        self._worker.stdin.write(json.dumps(line) + "\n")
        self._worker.stdin.flush()

    def next_event(self, timeout):
        """What a client says next; None when the time is up."""
        try:
            event = self._events.get(timeout=max(0, timeout))
        except queue.Empty:
            return None
        if event["event"] == "born":
            self.alive[event["pid"]] = event["client"]
        elif event["event"] == "died":
            self.alive.pop(event["pid"], None)
        return event

    def kill(self, pid):
        if self.alive.pop(pid, None) is not None:
            os.kill(pid, signal.SIGKILL)

    def stop(self):
        for pid in list(self.alive):
            self.kill(pid)
        self._worker.kill()
        self._worker.wait(10)
        self._reader.join(10)
        for pipe in (self._worker.stdin, self._worker.stdout):
            pipe.close()

    def _read(self):
        for line in self._worker.stdout:
            self._events.put(json.loads(line))


class Disturber:
    """Goes through a round of interruptions and kills."""

    def __init__(self, crowd, expected, numbers):
        self._crowd = crowd
        self._expected = expected
        self._numbers = numbers
        self._interrupted = set()  # pids
        self.done = {"killed": 0, "interrupted": 0}
        self.exact = 0

    def run(self, times):
        for _ in range(times):
            self._fill(AT_ONCE)
            self._listen_for(self._numbers.uniform(0, LONGEST_S))
            if not self._crowd.alive:
                continue
            pid = self._numbers.choice(sorted(self._crowd.alive))
            if self._numbers.random() < 0.6:
                self._crowd.kill(pid)
                self.done["killed"] += 1
            else:
                os.kill(pid, signal.SIGINT)
                self._interrupted.add(pid)
                self.done["interrupted"] += 1
        self._settle()

    def _fill(self, count):
        while (alive := len(self._crowd.alive)) < count:
            self._crowd.add()
            self._until(lambda alive=alive: len(self._crowd.alive) > alive)

    def _settle(self):
        """Lets one client have its result, and ends all."""
        before = self.exact
        while self.exact == before:
            self._fill(1)
            self._until(lambda: self.exact > before or not self._crowd.alive)
        for pid in list(self._crowd.alive):
            self._crowd.kill(pid)

    def _until(self, condition, timeout=120):
        deadline = time.monotonic() + timeout
        while not condition():
            event = self._crowd.next_event(deadline - time.monotonic())
            assert event, "no client has anything to say any more"
            self._judge(event)

    def _listen_for(self, seconds):
        deadline = time.monotonic() + seconds
        while event := self._crowd.next_event(deadline - time.monotonic()):
            self._judge(event)

    def _judge(self, event):
        if event["event"] == "result":
            assert event["value"] == self._expected, event
            self.exact += 1
        elif event["event"] == "error":
            own = event["pid"] in self._interrupted
            assert own and any(word in event["text"] for word in OWN_DOING), event


@pytest.fixture
def crowd_of():
    crowds = []

    def create(remote):
        crowds.append(Crowd(remote))
        return crowds[-1]

    yield create
    for crowd in crowds:
        crowd.stop()


def test_killed_and_interrupted(bridges, standin, v43, crowd_of):
    expected = v43.run("large", standin.spark.remote, rows=ROWS)
    assert expected["rows"] == ROWS and expected["in_order"]
    bridge = bridges(environment=SMALL_QUARANTINE)
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    disturber = Disturber(crowd_of(bridge.remote), expected, random.Random(seed))
    resident = []
    for _ in range(ROUNDS):
        disturber.run(TIMES)
        resident.append(wait_until_still(lambda: resident_kib(bridge.child.pid)))
    print(f"{disturber.done}, {disturber.exact} results exact, resident KiB {resident}")
    assert resident[-1] <= resident[0] + GROWTH_KIB
    assert v43.run("large", bridge.remote, rows=ROWS) == expected
