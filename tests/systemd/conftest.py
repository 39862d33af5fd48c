"""One booted systemd with the Debian package installed, for all tests of this place."""

import contextlib
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from clients import WORKER
from door import Door
from installed import PROFILE_FILE, PROFILES, Installed, section
from machine import Machine

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# The Python environment is the host's, and its home may be closed to others.
HOOK = """
set -euo pipefail
cp {package} "$R/root/sparkbridge.deb"
mkdir -p "$R/srv/tests"
cp {here}/*.py {worker} "$R/srv/tests/"
directory={prefix}
until [[ $directory == / || $directory == . ]]; do
    chmod a+rx "$R$directory"
    directory=$(dirname "$directory")
done
rm -rf "$R/root/.databrickscfg" "$R/etc/sparkbridge" "$R/usr/sbin/policy-rc.d"
for user in alice bob carol; do chroot "$R" useradd -m "$user"; done
"""


def _package():
    """That of this tree's version."""
    version = re.search(r"^ *version: '(.*)',$", (ROOT / "meson.build").read_text(), re.M)[1]
    packages = list((ROOT / "build-packages").glob(f"sparkbridge_{version}-*.deb"))
    if not packages:
        pytest.skip(f"NO PACKAGE {version} in build-packages/: run ./dev package deb")
    [package] = packages
    return package


@pytest.fixture(scope="session")
def new_machine(tmp_path_factory):
    """Boots machines; each has the package in /root, not installed, and people."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("NOT TESTED: booting systemd needs root and namespaces")
    package = _package()
    running = []

    def boot(root="/"):
        prefix = sys.prefix if root == "/" else "/root"
        words = {"package": package, "here": HERE, "worker": WORKER, "prefix": prefix}
        hook = HOOK.format_map({name: shlex.quote(str(word)) for name, word in words.items()})
        running.append(Machine(tmp_path_factory.mktemp("machine"), hook, root))
        return running[-1]

    yield boot
    try:
        journals = [booted.run("journalctl", "-o", "export") for booted in running]
    finally:
        with contextlib.ExitStack() as stack:  # each is stopped, also where another one fails
            for booted in running:
                stack.callback(booted.stop)
    for journal in journals:
        assert "SPARKBRIDGE_LISTENER" in journal
        assert "dapi-of-" not in journal, "a token is in the journal"
        assert "dapi-canary" not in journal, "a token is in the journal"


@pytest.fixture(scope="session")
def machine(new_machine):
    """The one that most tests use."""
    return new_machine()


@pytest.fixture(scope="session")
def fresh(machine):
    """The package installed and nothing done with it."""
    machine.run("dpkg", "-i", "/root/sparkbridge.deb")
    machine.run("usermod", "-a", "-G", "sparkbridge-clients", "alice")
    installed = Installed(machine)
    installed.put(PROFILE_FILE, PROFILES)
    return installed


@pytest.fixture
def service(fresh):
    """The system service, running."""
    fresh.start()
    yield fresh
    fresh.stop()


@pytest.fixture(scope="session")
def workspace(machine, standin):
    """The stand-in workspace as from inside: its names, port 443, an authority that is trusted."""
    names = " ".join(tenant.host for tenant in standin.tenants)
    machine.shell(f"echo 127.0.0.1 {names} >>/etc/hosts")
    authority = "/usr/local/share/ca-certificates/workspace.crt"
    machine.shell(f"cat >{authority} <<'END'\n{standin.ca_file.read_text()}END")
    machine.run("update-ca-certificates")
    door = Door(standin.loop, machine, 443, standin.gate.port)
    yield standin
    door.stop()


@pytest.fixture(scope="module")
def forwarding(fresh, workspace):
    """The system service, running, with the stand-in workspace as what its profiles name."""
    one, two = workspace.tenants
    fresh.put(PROFILE_FILE, section("DEFAULT", one) + "\n" + section("prod", two))
    fresh.machine.run("usermod", "-a", "-G", "sparkbridge-clients", "carol")
    fresh.start()
    yield fresh
    fresh.stop()
    fresh.machine.run("gpasswd", "-d", "carol", "sparkbridge-clients")
    fresh.put(PROFILE_FILE, PROFILES)
