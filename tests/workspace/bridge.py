"""The bridge as a child process, as the tests and the demo run it."""

import os
import re
import shlex
import time

from .processes import Child

READY_TIMEOUT_S = 30


def parse_logfmt(line):
    """The fields of a log line; empty for a line of another kind."""
    if not line.startswith("time="):
        return {}
    try:
        words = shlex.split(line)
    except ValueError:
        return {}
    return dict(word.split("=", 1) for word in words if "=" in word)


def bridge_environment(hosts_file, home):
    """What the program needs in a test, whichever subcommand it is."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LD_PRELOAD": "libnss_wrapper.so",
        "NSS_WRAPPER_HOSTS": str(hosts_file),
        "SPARKBRIDGE_SANDBOX_READ": str(hosts_file),
        "SPARKBRIDGE_LOG_FORMAT": "logfmt",
        "NSS_WRAPPER_DISABLE_DEEPBIND": "1",  # the sanitizers refuse it
        # The sanitizers are linked in, so a library may be preloaded in front of them.
        "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=1:abort_on_error=0",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    }


class Bridge:
    """`sparkbridge run` with these arguments. `environment` is all that it gets, but for the
    means to find the stand-in's names: a developer's own settings never reach a test. `prefix` is
    a command that runs it, in its place."""

    def __init__(
        self, binary, arguments, *, hosts_file, home, environment=None, prefix=(), pass_fds=()
    ):
        self.child = Child(
            "the bridge",
            [*prefix, os.path.abspath(binary), "run", *arguments],
            pass_fds=pass_fds,
            env=bridge_environment(hosts_file, home) | (environment or {}),
            cwd=home,
        )
        self.started = time.monotonic()

    def wait_until_ready(self, timeout=READY_TIMEOUT_S):
        self.wait_for_log(lambda fields: fields.get("msg") == "ready", timeout=timeout)
        return self

    def wait_for_log(self, matches, *, timeout=10):
        """The fields of the first log line for which `matches(fields)` is true."""

        def of_line(line):
            fields = parse_logfmt(line)
            return fields if fields and matches(fields) else None

        return self.child.wait_for_line(of_line, timeout=timeout)

    @property
    def addresses(self):
        """What it says it listens on: "127.0.0.1:41234", "[::1]:41234", "unix:/path"."""
        lines = [parse_logfmt(line) for line in list(self.child.stderr)]
        return [fields["address"] for fields in lines if fields.get("msg") == "listening"]

    @property
    def port(self):
        """The port of the first TCP listener."""
        for address in self.addresses:
            if found := re.fullmatch(r"(?:127\.0\.0\.1|\[::1\]):(\d+)", address):
                return int(found[1])
        raise LookupError(f"no TCP listener among {self.addresses}")

    @property
    def remote(self):
        """The connection string that a client needs: nothing but an address."""
        return f"sc://localhost:{self.port}"
