"""One booted systemd with the Debian package installed, for all tests of this place."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from machine import Machine

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# The Python environment is the host's, and its home may be closed to others.
HOOK = """
cp {package} $R/root/sparkbridge.deb
mkdir -p $R/srv/tests
cp {here}/client.py $R/srv/tests/
directory={prefix}
while [ "$directory" != / ]; do chmod a+rx "$R$directory"; directory=$(dirname "$directory"); done
rm -rf $R/root/.databrickscfg $R/etc/sparkbridge $R/usr/sbin/policy-rc.d
chroot $R useradd -m alice
chroot $R useradd -m bob
"""

PROFILES = """[DEFAULT]
host = https://workspace.example.com
token = dapi-of-the-machine
cluster_id = 0123-456789-abcdefgh
[prod]
host = https://prod.example.com
token = dapi-of-prod
cluster_id = 0123-456789-abcdefgh
"""


def _package():
    packages = sorted((ROOT / "build-packages").glob("sparkbridge_*.deb"))
    if not packages:
        pytest.skip("NO PACKAGE in build-packages/: run ./dev package deb")
    return packages[-1]


class Installed:
    """The machine with the package, and what the tests do there again and again."""

    def __init__(self, machine):
        self.machine = machine

    def put(self, path, text, mode="600"):
        self.machine.shell(f"cat >{path} <<'END'\n{text}\nEND\nchmod {mode} {path}")

    def ask(self, address, user="alice", method="/grpc.health.v1.Health/Check"):
        """What a real gRPC client of that user is told."""
        return self.machine.run(
            sys.executable, "/srv/tests/client.py", address, method, user=user
        ).strip()

    def show(self, name, unit="sparkbridge.service"):
        return self.machine.property(unit, name)

    def start(self):
        self.machine.run("systemctl", "reset-failed", check=False)
        self.machine.run("systemctl", "start", "sparkbridge.socket", "sparkbridge-diag.socket")
        self.machine.run("systemctl", "restart", "sparkbridge.service")


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("NOT TESTED: booting systemd needs root and namespaces")
    hook = HOOK.format(package=_package(), here=HERE, prefix=sys.prefix)
    booted = Machine(tmp_path_factory.mktemp("machine"), hook)
    yield booted
    journal = booted.run("journalctl", "-o", "export")
    booted.stop()
    assert "SPARKBRIDGE_LISTENER" in journal
    assert "dapi-of-" not in journal, "a token is in the journal"


@pytest.fixture(scope="session")
def fresh(machine):
    """The package installed and nothing done with it."""
    machine.run("dpkg", "-i", "/root/sparkbridge.deb")
    machine.run("usermod", "-a", "-G", "sparkbridge-clients", "alice")
    installed = Installed(machine)
    installed.put("/etc/sparkbridge/databrickscfg", PROFILES)
    return installed


@pytest.fixture
def service(fresh):
    """The system service, running."""
    fresh.start()
    yield fresh
    units = ["sparkbridge.socket", "sparkbridge-diag.socket", "sparkbridge.service"]
    fresh.machine.run("systemctl", "stop", *units, check=False)
