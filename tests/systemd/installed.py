"""The machine with the package installed, and what the tests do there again and again."""

import queue
import subprocess
import sys
import threading

from clients import Client
from machine import wait_for

CONFIG = "/etc/sparkbridge/sparkbridge.yaml"
PROFILE_FILE = "/etc/sparkbridge/databrickscfg"
DROP_INS = "/usr/share/doc/sparkbridge/drop-ins"
UNITS = ["sparkbridge.socket", "sparkbridge-diag.socket", "sparkbridge.service"]

PROFILES = """[DEFAULT]
host = https://workspace.example.com
token = dapi-of-the-machine
cluster_id = 0123-456789-abcdefgh
[prod]
host = https://prod.example.com
token = dapi-of-prod
cluster_id = 0123-456789-abcdefgh
"""


def section(name, tenant):
    """A section of a profile file with a workspace of the stand-in."""
    return (
        f"[{name}]\nhost = https://{tenant.host}\ntoken = {tenant.token}\n"
        f"cluster_id = {tenant.cluster_id}"
    )


class Installed:
    def __init__(self, machine):
        self.machine = machine

    def put(self, path, text, mode="600"):
        self.machine.shell(f"cat >{path} <<'END'\n{text}\nEND\nchmod {mode} {path}")

    def ask(self, address, user="alice", method="/grpc.health.v1.Health/Check"):
        """What a real gRPC client of that user is told."""
        return self.machine.run(
            sys.executable, "/srv/tests/client.py", address, method, user=user
        ).strip()

    def spark(self, user):
        """PySpark as that user; the caller stops it."""

        def popen(words, **keywords):
            return self.machine.start(*words, user=user, **keywords)

        return Client(popen=popen, worker="/srv/tests/client_worker.py")

    def show(self, name, unit="sparkbridge.service"):
        return self.machine.property(unit, name)

    def events(self, last_digits, unit="sparkbridge"):
        """How many entries the unit has of one of the catalog's events."""
        identifier = f"MESSAGE_ID=6fe12d3a4b7c4b0c9a53f5a1c8d30b{last_digits}"
        words = ["journalctl", "-q", "-u", unit, "-o", "cat", identifier]
        return len(self.machine.run(*words, check=False).splitlines())

    def start(self):
        self.machine.run("systemctl", "reset-failed", check=False)
        self.machine.run("systemctl", "start", *UNITS[:2])
        self.machine.run("systemctl", "restart", UNITS[2])

    def stop(self):
        self.machine.run("systemctl", "stop", *UNITS, check=False)

    def reload(self):
        """Returns when the daemon says that it has."""
        before = self.events("04")
        self.machine.run("systemctl", "reload", "sparkbridge.service")
        wait_for(lambda: self.events("04") > before, "it has reloaded")

    def drop_in(self, text, unit="sparkbridge.service"):
        """Adds a drop-in with this text, or one of the package's by its name."""
        directory = f"/run/systemd/system/{unit}.d"
        self.machine.run("mkdir", "-p", directory)
        if "\n" in text:
            self.put(f"{directory}/test.conf", text, "644")
        else:
            self.machine.run("cp", f"{DROP_INS}/{text}.conf", directory)
        self.machine.run("systemctl", "daemon-reload")

    def without_drop_ins(self, unit="sparkbridge.service"):
        self.machine.shell(f"rm -rf /run/systemd/system/{unit}.d; systemctl daemon-reload")


class HeldCall:
    """A bidirectional call of a user's that stays open until it is ended (holder.py)."""

    def __init__(self, installed, address, method, user="alice"):
        self._process = installed.machine.start(
            *(sys.executable, "/srv/tests/holder.py", address, method),
            user=user, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def say(self, word):
        """Sends a message; what comes back."""
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self):
        """The next message, or the status at the end."""
        return self._lines.get(timeout=60)

    def end(self):
        """Ends it in order, or notes that it has ended; its status."""
        self._process.stdin.close()
        status = self.answer()
        self._process.wait(20)
        return status

    def _read(self):
        with self._process.stdout:
            for line in self._process.stdout:
                self._lines.put(line.strip())
