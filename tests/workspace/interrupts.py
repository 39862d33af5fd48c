"""SIGINT and SIGTERM for a program that has something to clean up."""

import os
import select
import signal


class Interrupted(Exception):
    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


class Interrupts:
    """Keeps the first of the two signals until it is asked for.

    An exception from a handler would be lost where Python ignores exceptions: in what it runs
    around a fork, or when an object goes.
    """

    def __init__(self):
        self._number = None
        self._wakeup, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._keep)

    def wait(self, timeout=None):
        """Raises Interrupted when a signal comes, or has come; returns after `timeout` seconds."""
        select.select([self._wakeup], [], [], timeout)
        self.check()

    def check(self):
        if self._number is not None:
            raise Interrupted(self._number)

    def _keep(self, number, _frame):
        self._number = self._number or number
