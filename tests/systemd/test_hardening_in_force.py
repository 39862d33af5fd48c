"""Every option that limits the system service, in force, and each against a unit without it.

The options are those that the unit and its drop-ins have: one without a probe fails. For each, what
it should prevent is tried by a unit of nothing, which can; by one with this option alone, which
cannot; and by one with all that the daemon's own unit has, which cannot either.
"""

import platform
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging/systemd"
DROP_INS = ["30-fixed-upstream", "40-private-root", "50-no-network"]
PYTHON = Path("/usr/bin/python3").resolve()
LIBRARIES = "-/usr/lib -/usr/lib64 -/lib -/lib64"
COULD, COULD_NOT = 0, 7

# What says how it runs, who it is and what it may: each is seen to work by other tests.
OTHER_PURPOSES = {
    *("Type", "NotifyAccess", "ExecStart", "ExecReload", "WatchdogSec", "TimeoutStopSec"),
    *("Restart", "RestartSec", "RestartPreventExitStatus", "KillMode", "Sockets"),
    *("DynamicUser", "User", "RuntimeDirectory", "RuntimeDirectoryMode", "LoadCredential"),
    *("LimitMEMLOCK", "LimitNOFILE", "ExecPaths", "BindReadOnlyPaths", "MountAPIVFS"),
    *("IPAddressAllow", "SupplementaryGroups", "SyslogIdentifier"),
}
# What a unit that runs once cannot have, or what would meet the daemon's own.
LEFT_OUT = {
    *("Type", "NotifyAccess", "ExecStart", "ExecReload", "WatchdogSec", "Restart", "RestartSec"),
    *("RestartPreventExitStatus", "Sockets", "RuntimeDirectory", "RuntimeDirectoryMode"),
}


class Probe(NamedTuple):
    name: str  # a function of sandbox_probes.py
    base: str = ""  # what all units of it have
    control: str = ""  # what the option takes back: of the unit without it and that with it alone
    needs: str = ""  # a controller of control groups


POOR = "User=bob"
PROBES = {
    "AmbientCapabilities": Probe("chown", control=f"{POOR}\nAmbientCapabilities=CAP_CHOWN"),
    "CapabilityBoundingSet": Probe("chown"),
    "DeviceAllow": Probe(
        "listed_device", control="DevicePolicy=closed\nDeviceAllow=/dev/probe-tun rw"
    ),
    "DevicePolicy": Probe("device_node"),
    "IPAddressDeny": Probe("other_address"),
    "KeyringMode": Probe("keyring", control="KeyringMode=shared"),
    "LimitCORE": Probe("core"),
    "LockPersonality": Probe("personality"),
    "MemoryDenyWriteExecute": Probe("executable_memory"),
    "MemoryMax": Probe("much_memory", needs="memory"),
    "MemorySwapMax": Probe("swap", needs="memory"),
    "NoExecPaths": Probe("other_programs", base=f"ExecPaths={PYTHON} {LIBRARIES}"),
    "NoNewPrivileges": Probe("setuid_program", control=POOR),
    "PrivateDevices": Probe("devices"),
    "PrivateIPC": Probe("shared_memory"),
    "PrivateMounts": Probe("mounts"),
    "PrivateNetwork": Probe("other_address"),
    "PrivateTmp": Probe("temporary_files"),
    "PrivateUsers": Probe("other_users"),
    "ProcSubset": Probe("proc_files", control=POOR),
    "ProtectClock": Probe("clock"),
    "ProtectControlGroups": Probe("control_groups"),
    "ProtectHome": Probe("homes"),
    "ProtectHostname": Probe("hostname"),
    "ProtectKernelLogs": Probe("kernel_log"),
    "ProtectKernelModules": Probe("modules"),
    "ProtectKernelTunables": Probe("tunables"),
    "ProtectProc": Probe("other_processes", control=POOR),
    "ProtectSystem": Probe("write_system"),
    "RestrictAddressFamilies": Probe("netlink"),
    "RestrictNamespaces": Probe("namespaces"),
    "RestrictRealtime": Probe("realtime"),
    "RestrictSUIDSGID": Probe("set_user_id"),
    "RootDirectory": Probe("whole_root", base="BindReadOnlyPaths=/srv/tests"),
    "SystemCallArchitectures": Probe("foreign_system_call"),
    "SystemCallErrorNumber": Probe("keyctl_kills", control="SystemCallFilter=~@keyring"),
    "SystemCallFilter": Probe("keyctl"),
    "TasksMax": Probe("many_processes", needs="pids"),
    "UMask": Probe("umask"),
    "UnsetEnvironment": Probe(
        "secrets_in_the_environment",
        base="Environment=DATABRICKS_TOKEN=x DATABRICKS_CLIENT_SECRET=x",
    ),
}
SPECIAL = {"RemoveIPC"}  # tests of their own


def assignments(text):
    """The lines NAME=VALUE of a [Service] section, by name, in order."""
    found = {}
    inside = False
    for line in text.splitlines():
        if line.startswith("["):
            inside = line == "[Service]"
        elif inside and "=" in line and not line.startswith("#"):
            found.setdefault(line.split("=", 1)[0], []).append(line)
    return found


def source(name):
    """The text of the unit or of a drop-in as it is in the tree."""
    if name in DROP_INS:
        return (PACKAGING / f"drop-ins/{name}.conf.in").read_text()
    text = (PACKAGING / f"system/{name}.in").read_text()
    for part in ("service", "hardening"):
        text = text.replace(f"@{part}@", (PACKAGING / f"{part}.conf").read_text())
    return text


OPTIONS = [
    (name, option)
    for name in ["sparkbridge.service", *DROP_INS]
    for option in assignments(source(name))
    if option not in OTHER_PURPOSES | SPECIAL
]


def probe_of(name, option):
    if (name, option) == ("50-no-network", "RestrictAddressFamilies"):
        return Probe("internet")
    return PROBES.get(option)


def own_lines(name, option):
    """What the unit says of the option. A root of its own comes with all that is in it."""
    lines = assignments(source(name))
    chosen = lines.values() if option == "RootDirectory" else [lines[option]]
    text = "\n".join(line for each in chosen for line in each)
    return text.replace("@bindir@", "/usr/bin").replace("@sysconfdir@", "/etc")


def daemons_lines(installed, name, probe):
    """The installed unit's whole section, with the drop-in, for a probe in the daemon's place."""
    files = ["/lib/systemd/system/sparkbridge.service"]
    if name in DROP_INS:
        files.append(f"/usr/share/doc/sparkbridge/drop-ins/{name}.conf")
    lines = [
        line
        for key, each in assignments(installed.machine.run("cat", *files)).items()
        if key not in LEFT_OUT
        for line in each
    ]
    return "\n".join([*lines, probe.base, f"ExecPaths={PYTHON}", "BindReadOnlyPaths=/srv/tests"])


def unit_name(name, option, variant):
    return f"probe-{variant}-{option}-{name.split('.')[0]}.service"


def run_units(machine, units):
    """Runs units, text by name; of each how its program ended, or what systemd made of it."""
    script = ["cd /run/systemd/system"]
    for name, lines in units.items():
        probe, text = lines
        script.append(
            f"cat >{name} <<'END'\n[Service]\n{text}\nType=oneshot\nRemainAfterExit=yes\n"
            f"ExecStart={PYTHON} /srv/tests/sandbox_probes.py {probe}\nEND"
        )
    script += ["systemctl daemon-reload", f"systemctl start {' '.join(units)} || true"]
    machine.shell("\n".join(script))
    shown = machine.run(
        *("systemctl", "show", "-p", "Id", "-p", "Result", "-p", "ExecMainStatus"),
        *("-p", "ExecMainCode", *units),
    )
    outcomes = {}
    for block in shown.strip().split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines())
        outcomes[values["Id"]] = outcome(values)
    machine.shell(
        f"systemctl stop {' '.join(units)}; systemctl reset-failed 'probe-*'; "
        "rm -f /run/systemd/system/probe-*; systemctl daemon-reload",
        check=False,
    )
    return outcomes


def outcome(values):
    """By siginfo_t's codes: 1 is an end by exit(), 2 and 3 by a signal; 31 is SIGSYS."""
    code, status = int(values["ExecMainCode"]), int(values["ExecMainStatus"])
    if code == 1 and status in (COULD, COULD_NOT):
        return status
    if code in (2, 3) and status == 31:
        return COULD_NOT
    if values["Result"] == "oom-kill":
        return COULD_NOT
    return f"{values['Result']}: {code} {status}"


SETUP = """
mkdir -p /srv/probe/mnt /lib/modules
for file in /root /tmp /dev /lib/modules; do echo probe >$file/probe-file; done
[ -e /dev/kmsg ] || echo probe >/dev/kmsg
touch /srv/probe/of-alice; chown alice /srv/probe/of-alice
install -m 4755 /usr/bin/id /srv/probe/setuid-id
for node in /srv/probe/tun /dev/probe-tun; do mknod -m 666 $node c 10 200; done
python3 -c 'import ctypes; print(ctypes.CDLL(None).shmget(0x5b5b, 4096, 0o1666))'
ip address add 192.0.2.1/32 dev lo
"""


@pytest.fixture(scope="module")
def outcomes(fresh):
    """All probes of all options, three units each, in one go."""
    machine = fresh.machine
    machine.shell(SETUP)
    units = {}
    for name, option in OPTIONS:
        probe = probe_of(name, option)
        if probe is None:
            continue
        bare = f"{probe.base}\n{probe.control}"
        variants = {
            "without": bare,
            "alone": f"{bare}\n{own_lines(name, option)}",
            "whole": daemons_lines(fresh, name, probe),
        }
        for variant, text in variants.items():
            units[unit_name(name, option, variant)] = (probe.name, text)
    yield run_units(machine, units)
    machine.shell("rm -rf /srv/probe /dev/probe-tun; ip address del 192.0.2.1/32 dev lo")


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=["-".join(each) for each in OPTIONS])
def test_each_option_is_in_force(fresh, outcomes, name, option):
    """What it forbids can be done without it, and cannot with it."""
    probe = probe_of(name, option)
    assert probe is not None, f"{option}= of {name} has no probe in PROBES"
    controllers = fresh.machine.run("cat", "/sys/fs/cgroup/cgroup.controllers").split()
    if probe.needs and probe.needs not in controllers:
        pytest.skip(f"NOT TESTED: {option}= needs the controller {probe.needs} of cgroup v2")
    if probe.name == "foreign_system_call" and platform.machine() != "x86_64":
        pytest.skip(f"NOT TESTED: {option}= is probed by a call of 32-bit x86")
    found = {
        variant: outcomes[unit_name(name, option, variant)]
        for variant in ("without", "alone", "whole")
    }
    assert found == {"without": COULD, "alone": COULD_NOT, "whole": COULD_NOT}


def test_ipc_objects_are_removed(fresh):
    """RemoveIPC=: what the unit's user leaves behind goes with the unit."""
    make = "import ctypes; assert ctypes.CDLL(None).shmget(0x6c6c, 4096, 0o1600) >= 0"
    left = {}
    for option in ("no", "yes"):
        fresh.machine.run(
            *("systemd-run", "-q", "--wait", "-p", "User=bob", "-p", f"RemoveIPC={option}"),
            *(PYTHON, "-c", make),
        )
        left[option] = "0x00006c6c" in fresh.machine.run("ipcs", "-m")
    assert left == {"no": True, "yes": False}
    assert assignments(source("sparkbridge.service"))["RemoveIPC"] == ["RemoveIPC=yes"]


@pytest.mark.parametrize("option", ["LimitMEMLOCK", "LimitNOFILE"])
def test_limits_are_raised(service, option):
    """The daemon gets the memory to lock and the descriptors that its unit asks for."""
    asked = service.show(option)
    limits = service.machine.run("cat", f"/proc/{service.show('MainPID')}/limits")
    row = {"LimitMEMLOCK": "Max locked memory", "LimitNOFILE": "Max open files"}[option]
    hard = next(line for line in limits.splitlines() if line.startswith(row)).split()[-2]
    if hard != asked and int(hard) < int(asked):
        pytest.skip(f"NOT TESTED: {option}={asked}, and this machine itself may have {hard}")
    assert hard == asked


def test_the_services_are_limited_alike():
    """The template and the egress have what the service has."""
    limits = {
        name: {
            option: lines
            for option, lines in assignments(source(name)).items()
            if option not in OTHER_PURPOSES
        }
        for name in ("sparkbridge.service", "sparkbridge@.service", "sparkbridge-egress@.service")
    }
    service = limits["sparkbridge.service"]
    assert limits["sparkbridge@.service"] == service
    text = source("sparkbridge-egress@.service")
    assert "@egress_hardening@" in text
    for option, lines in limits["sparkbridge-egress@.service"].items():
        assert lines == service[option]
