"""Bridges made to order for tests."""

import signal

import pytest

from .bridge import Bridge

SANITIZER_WORDS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "UndefinedBehavior")


class BridgeFactory:
    """Makes bridges; each must end as expected, and clean, when its test ends.

    Unless told otherwise a bridge listens on a free port of localhost and leads to the first
    tenant of the stand-in with that tenant's token and cluster.
    """

    def __init__(self, binary, standin, directory, secrets):
        self._binary = binary
        self._standin = standin
        self._directory = directory
        self._secrets = secrets
        self._running = []

    def __call__(
        self,
        *,
        tenant=None,
        host=None,
        port=None,
        token=None,
        cluster=None,
        ca_file=None,
        listen=("localhost:0",),
        arguments=(),
        environment=None,
        binary=None,
        expect_exit=0,
    ):
        """A bridge that is ready. What is not given is the tenant's, or the gate's."""
        tenant = tenant or self._standin.tenants[0]
        target = f"{host or tenant.host}:{port or self._standin.gate.port}"
        words = [word for address in listen for word in ("--listen", address)]
        words += ["--host", target, "--cluster-id", cluster or tenant.cluster_id]
        words += ["--token-file", self.token_file(token or tenant.token)]
        words += ["--ca-file", ca_file or self._standin.ca_file]
        words += ["--log-level", "debug", *arguments]
        bridge = self.start(words, environment=environment, binary=binary, expect_exit=expect_exit)
        return bridge.wait_until_ready()

    def start(self, arguments, *, binary=None, expect_exit=0, **options):
        """A bridge with exactly these arguments, which may not become ready; `options` are the
        Bridge's."""
        bridge = Bridge(
            binary or self._binary,
            arguments,
            hosts_file=self._standin.hosts_file,
            home=self._directory,
            **options,
        )
        self._running.append((bridge, expect_exit))
        return bridge

    def token_file(self, token):
        """A file with this token. The token may then be in no output."""
        self._secrets.append(token)
        path = self._directory / f"token-{len(self._secrets)}"
        path.touch(0o600)
        path.write_text(token + "\n")
        return path

    def finish(self):
        problems = []
        while self._running:
            bridge, expect_exit = self._running.pop()
            code = bridge.child.stop(signal.SIGTERM, timeout=30)
            if code != expect_exit:
                problems.append(f"the bridge ended with {code}, not {expect_exit}")
            problems += check_output(bridge.child.output(), self._secrets)
            if problems:
                problems.append(bridge.child.tail(60))
        if problems:
            pytest.fail("\n".join(problems), pytrace=False)


def check_output(output, secrets):
    """What must not be in any output of the bridge."""
    problems = [f"its output has {word!r}" for word in SANITIZER_WORDS if word in output]
    if any(secret in output for secret in secrets):
        problems.append("its output has a token")
    return problems
