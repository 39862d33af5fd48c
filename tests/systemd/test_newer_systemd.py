"""What Debian 12's systemd cannot do: the package in a tree of ./dev setup systemd's."""

import os
import subprocess
from pathlib import Path

import pytest
from installed import CONFIG, PROFILE_FILE, PROFILES, Installed

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
TREE = CACHE / "sparkbridge-dev/systemd-257"


@pytest.fixture(scope="module")
def newer(new_machine):
    if not (TREE / ".complete").exists():
        pytest.skip("NOT TESTED: notify-reload needs systemd 253: ./dev setup systemd makes a tree")
    machine = new_machine(TREE)
    machine.run("dpkg", "-i", "/root/sparkbridge.deb")
    installed = Installed(machine)
    machine.run("usermod", "-a", "-G", "sparkbridge-clients", "alice")
    installed.put(PROFILE_FILE, PROFILES)
    installed.drop_in("10-notify-reload")
    installed.start()
    return installed


def test_units_are_understood_there(newer):
    """Neither the units nor the drop-in are strange to it."""
    said = newer.machine.shell(
        "systemd-analyze verify --man=no sparkbridge.service 2>&1", check=False
    )
    assert [line for line in said.splitlines() if "sparkbridge" in line] == []
    assert newer.show("Type") == "notify-reload"


def test_it_serves_there(newer):
    """A user of the group is answered by both sockets."""
    words = ("python3", "/srv/tests/knocker.py", "/run/sparkbridge.sock", "15002")
    knocking = newer.machine.start(
        *words, user="alice", text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    served, *faults = knocking.communicate(timeout=60)[0].splitlines()
    assert faults == [], newer.machine.run("journalctl", "-n", "30", "-u", "sparkbridge")
    assert int(served) > 0


def test_a_reload_ends_when_it_is_done(newer):
    """`systemctl reload` returns after the daemon has the new configuration, which is in force."""
    config = newer.machine.run("cat", CONFIG)
    pid = newer.show("MainPID")
    for level in ("debug", "info", "debug"):
        before = newer.events("04")
        newer.put(CONFIG, f"{config}log:\n  level: {level}", "644")
        newer.machine.run("systemctl", "reload", "sparkbridge.service")
        newer.machine.run("journalctl", "--sync")
        assert newer.events("04") == before + 1
    assert newer.show("MainPID") == pid
    newer.put(CONFIG, f"{config}log:\n  level: loud", "644")
    newer.machine.run("systemctl", "reload", "sparkbridge.service", check=False)
    assert "not reloaded" in newer.show("StatusText")
    assert newer.show("ActiveState") == "active"
