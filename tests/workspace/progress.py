"""What long steps say on standard error."""

import sys


def say(text):
    print("==>", text, file=sys.stderr, flush=True)


class Ticker:
    """Elapsed seconds: in place on a terminal, else a line now and then."""

    def __init__(self):
        self._said = 0

    def __call__(self, elapsed):
        if sys.stderr.isatty():
            print(f"\r    {elapsed:.0f} s\r", end="", file=sys.stderr, flush=True)
        elif elapsed - self._said >= 10:
            self._said = elapsed
            print(f"    {elapsed:.0f} s", file=sys.stderr, flush=True)
