"""PySpark clients in plenty: imports PySpark once, then forks a client for each line it reads.

A line is a JSON object {"client": NUMBER, "remote": CONNECTION_STRING, "rows": ROWS}. The client
says what it does in JSON lines: {"client", "pid", "event", ...}. It queries until it is killed;
SIGINT interrupts its query, and it goes on with the next.
"""

import json
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

from client_worker import Sessions, op_large, op_range  # noqa: E402


def say(**what):
    os.write(1, (json.dumps({"pid": os.getpid(), **what}) + "\n").encode())


def query(client, spark, rows):
    try:
        assert op_range(spark, 20) == list(range(1, 20))
        say(client=client, event="result", value=op_large(spark, rows))
    except KeyboardInterrupt:
        say(client=client, event="interrupted")


def live(client, remote, rows):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    say(client=client, event="born")
    try:
        spark = Sessions().get(remote, None)
        while True:
            query(client, spark, rows)
    except KeyboardInterrupt:
        say(client=client, event="interrupted")
    except BaseException as error:
        say(client=client, event="error", text=f"{type(error).__name__}: {error}")
    say(client=client, event="died")
    os._exit(0)


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    say(event="ready")
    for line in sys.stdin:
        if os.fork() == 0:
            live(**json.loads(line))
    os._exit(0)


if __name__ == "__main__":
    main()
