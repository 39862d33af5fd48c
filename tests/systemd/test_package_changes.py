"""An upgrade, what autopkgtest would run, and the package's end, in a machine of their own."""

import subprocess
import sys
from pathlib import Path

import pytest
from installed import CONFIG, PROFILE_FILE, PROFILES, Installed

SMOKE = Path(__file__).resolve().parents[2] / "packaging/debian/tests/smoke"
NEWER = "1.0.0-1"


@pytest.fixture(scope="module")
def other(new_machine):
    """The package installed, a socket enabled, and the service in use."""
    machine = new_machine()
    machine.run("dpkg", "-i", "/root/sparkbridge.deb")
    installed = Installed(machine)
    machine.run("usermod", "-a", "-G", "sparkbridge-clients", "alice")
    installed.put(PROFILE_FILE, PROFILES)
    machine.run("systemctl", "enable", "--now", "sparkbridge.socket")
    assert installed.ask("localhost:15002") == "SERVING"
    return installed


@pytest.fixture(scope="module")
def newer_package(other):
    """The package with a higher version, and a configuration that differs from the old one's."""
    other.machine.shell(
        "cd /root; rm -rf tree; dpkg-deb -R sparkbridge.deb tree\n"
        f"sed -i 's/^Version: .*/Version: {NEWER}/' tree/DEBIAN/control\n"
        "echo '# A newer sample.' >>tree/etc/sparkbridge/sparkbridge.yaml\n"
        "sed -i '/ etc.sparkbridge.sparkbridge.yaml$/d' tree/DEBIAN/md5sums\n"
        "dpkg-deb -b tree newer.deb"
    )
    return "/root/newer.deb"


def test_what_autopkgtest_runs(other):
    """debian/tests/smoke, with the installed package."""
    other.put("/root/smoke", SMOKE.read_text().rstrip("\n"), "755")
    other.machine.run("/root/smoke")


def test_an_upgrade(other, newer_package):
    """The administrator's configuration stays, the daemon is the new package's, the sockets stay
    open, and nobody who connects meanwhile is refused."""
    other.machine.shell(f"sed -i 's/idle_exit: 10m/idle_exit: 11m/' {CONFIG}")
    pid, socket = other.show("MainPID"), other.show("InvocationID", "sparkbridge.socket")
    knocking = other.machine.start(
        *(sys.executable, "/srv/tests/knocker.py", "/run/sparkbridge.sock", "15002"),
        user="alice", text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    other.machine.run("dpkg", "--force-confdef", "--force-confold", "-i", newer_package)
    served, *faults = knocking.communicate(timeout=60)[0].splitlines()
    assert int(served) > 0
    assert faults == [], other.machine.run("journalctl", "-n", "150", "-o", "short-precise")
    assert other.machine.run("dpkg-query", "-W", "-f", "${Version}", "sparkbridge") == NEWER
    text = other.machine.run("cat", CONFIG)
    assert "idle_exit: 11m" in text
    assert "A newer sample" not in text
    assert "A newer sample" in other.machine.run("cat", f"{CONFIG}.dpkg-dist")
    assert "dapi-of-the-machine" in other.machine.run("cat", PROFILE_FILE)
    assert other.show("MainPID") != pid
    assert other.show("InvocationID", "sparkbridge.socket") == socket
    assert other.show("UnitFileState", "sparkbridge.socket") == "enabled"
    assert other.ask("localhost:15002") == "SERVING"


def test_an_upgrade_starts_nothing(other, newer_package):
    """Neither what is stopped nor what was never enabled."""
    other.stop()
    other.machine.run("dpkg", "--force-confdef", "--force-confold", "-i", newer_package)
    assert other.show("ActiveState") == "inactive"
    assert other.show("UnitFileState") == "disabled"


def test_removal_and_purge(other):
    """Removal stops it and keeps the configuration; a purge leaves nothing."""
    other.start()
    other.machine.run("dpkg", "-r", "sparkbridge")
    assert other.show("ActiveState") in ("inactive", "failed")
    other.machine.run("test", "-e", CONFIG)
    other.machine.run("test", "-e", PROFILE_FILE)
    other.machine.run("dpkg", "-P", "sparkbridge")
    left = other.machine.shell(
        "systemctl daemon-reload; find /etc /usr /lib /run -xdev -name '*sparkbridge*' "
        "-not -path '/usr/share/doc/*' -not -path '/run/user/*'",
        check=False,
    )
    assert left.split() == []
