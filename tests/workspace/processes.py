"""A child process: its output line by line, waiting for a line of it, and its end by pid."""

import ctypes
import os
import signal
import subprocess
import threading
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class ChildError(RuntimeError):
    """The child ended or stayed silent where it should have said something."""


class Child:
    """A process in a session of its own, that dies with this one and is never found by its name.

    Its output is kept in `stdout` and `stderr`, lists of lines; `on_stdout` is called with each
    line from a thread of its own. A Ctrl-C in the terminal does not reach the process: whoever
    started it ends it. `orphan_signal` is what it gets when this process dies.
    """

    def __init__(
        self,
        name,
        argv,
        *,
        env=None,
        cwd=None,
        pass_fds=(),
        stdin=subprocess.DEVNULL,
        on_stdout=lambda line: None,
        orphan_signal=signal.SIGKILL,
    ):
        self.name = name
        self.stdout = []
        self.stderr = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [str(word) for word in argv],
            env=env,
            cwd=cwd,
            pass_fds=pass_fds,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: _prepare_child(orphan_signal),
        )
        self._readers = [
            threading.Thread(target=self._read, args=arguments, daemon=True)
            for arguments in (
                (self._process.stdout, self.stdout, on_stdout),
                (self._process.stderr, self.stderr, lambda line: None),
            )
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self):
        return self._process.pid

    @property
    def exit_code(self):
        """None while it runs."""
        return self._process.poll()

    def output(self):
        with self._changed:
            return "\n".join(self.stdout + self.stderr)

    def tail(self, lines=40):
        with self._changed:
            return "\n".join((self.stdout + self.stderr)[-lines:])

    def wait_for_line(self, matches, *, timeout, tick=None):
        """The first line, old or new, for which `matches` returns something true: that value.

        `tick` is called with the elapsed seconds about once a second while it waits.
        """
        start = time.monotonic()
        ticked = 0
        seen = {id(self.stdout): 0, id(self.stderr): 0}
        while True:
            with self._changed:
                for lines in (self.stdout, self.stderr):
                    while seen[id(lines)] < len(lines):
                        found = matches(lines[seen[id(lines)]])
                        seen[id(lines)] += 1
                        if found:
                            return found
                elapsed = time.monotonic() - start
                ended = not any(reader.is_alive() for reader in self._readers)
                if not ended and elapsed < timeout:
                    self._changed.wait(min(1.0, timeout - elapsed))
            if ended:
                raise ChildError(f"{self.name} ended with {self.wait(10)}:\n{self.tail()}")
            if elapsed >= timeout:
                raise ChildError(f"{self.name} was not heard of in {timeout} s:\n{self.tail()}")
            if tick and elapsed - ticked >= 1:
                ticked = elapsed
                tick(elapsed)

    def send_signal(self, number):
        self._process.send_signal(number)

    def wait(self, timeout):
        """The exit code, after the last line of output has been read."""
        code = self._process.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
        return code

    def stop(self, number=signal.SIGTERM, timeout=10):
        """Ends it, by force after `timeout` seconds; its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self.wait(10)

    def _read(self, pipe, lines, on_line):
        with pipe:
            for raw in pipe:
                line = raw.decode("utf-8", "replace").rstrip("\n")
                with self._changed:
                    lines.append(line)
                    self._changed.notify_all()
                on_line(line)
        with self._changed:
            self._changed.notify_all()


def _prepare_child(orphan_signal):
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where a shell runs us in the background
    if _libc.prctl(_PR_SET_PDEATHSIG, orphan_signal) != 0:
        os._exit(127)
