"""The units of single users, beyond the story that the papers tell."""

import re

import pytest
from installed import DROP_INS, PROFILE_FILE
from machine import wait_for

USER_UNITS = "/usr/lib/systemd/user"


@pytest.fixture
def bob(fresh):
    """bob's own systemd runs, and he has a profile file; a function that does as bob."""
    fresh.machine.run("loginctl", "enable-linger", "bob")
    wait_for(
        lambda: "bus" in fresh.machine.shell("ls /run/user/$(id -u bob)", check=False), "the bus"
    )
    fresh.machine.run("install", "-m", "600", "-o", "bob", PROFILE_FILE, "/home/bob/.databrickscfg")
    yield lambda script, **keywords: fresh.machine.shell(script, user="bob", **keywords)
    fresh.machine.shell(
        "systemctl --user stop sparkbridge.socket sparkbridge.service; "
        "rm -rf ~/.config/systemd ~/.databrickscfg; systemctl --user daemon-reload",
        user="bob",
        check=False,
    )


@pytest.mark.parametrize("unit", ["sparkbridge.service", "sparkbridge@.service"])
def test_exposure_of_user_units(bob, unit):
    """0.4 of it are for running as root, which a user's systemd does not."""
    said = bob(
        f"systemd-analyze --user security --offline=true --no-pager {USER_UNITS}/{unit}",
        check=False,
    )
    level = re.search(r"exposure level for \S+ (\d+\.\d)", said)
    assert level, said
    assert float(level[1]) <= 1.5


def namespace_of(fresh, pid):
    return fresh.machine.run("readlink", f"/proc/{pid}/ns/user").strip()


def test_a_user_namespace_where_there_may_be_one(fresh, bob):
    """The unit as it is hides the home and has a namespace of its own."""
    bob("systemctl --user start sparkbridge.socket sparkbridge.service")
    pid = bob("systemctl --user show -P MainPID sparkbridge.service").strip()
    manager = bob("systemctl show -P MainPID user@$(id -u).service").strip()
    assert namespace_of(fresh, pid) != namespace_of(fresh, manager)
    seen = fresh.machine.shell(f"ls -A /proc/{pid}/root/home/bob").split()
    assert seen == [".databrickscfg"]
    assert bob("systemctl --user show -P StatusText sparkbridge.service").strip() == (
        "1 listener, 1 profile ready"
    )


def test_without_a_user_namespace(fresh, bob):
    """90-no-userns.conf: it serves, and its own sandbox is what is left and says so."""
    bob(
        "mkdir -p ~/.config/systemd/user/sparkbridge.service.d; "
        f"cp {DROP_INS}/90-no-userns.conf ~/.config/systemd/user/sparkbridge.service.d; "
        "systemctl --user daemon-reload; "
        "systemctl --user start sparkbridge.socket sparkbridge.service"
    )
    pid = bob("systemctl --user show -P MainPID sparkbridge.service").strip()
    manager = bob("systemctl show -P MainPID user@$(id -u).service").strip()
    assert namespace_of(fresh, pid) == namespace_of(fresh, manager)
    assert fresh.ask("localhost:15002", user="bob") == "SERVING"
    assert fresh.ask("localhost:15002", user="alice").startswith("PERMISSION_DENIED")
    said = bob("sparkbridge status")
    assert re.search(r"landlock +on", said)
    assert re.search(r"seccomp +on", said)
