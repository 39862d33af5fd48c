"""The package in a real systemd: what its units promise, seen from outside."""

import json
import re
import signal
import time

import pytest
from installed import CONFIG, DROP_INS
from machine import wait_for

SOCKETS = ["unix:/run/sparkbridge.sock", "127.0.0.1:15002", "localhost:15002"]
UNITS = "/lib/systemd/system"
EXECUTE = "/spark.connect.SparkConnectService/ExecutePlan"


@pytest.fixture
def config(service):
    """The text of the configuration; it is put back afterwards."""
    text = service.machine.run("cat", CONFIG)
    yield text
    service.put(CONFIG, text.rstrip("\n"), "644")


def test_nothing_is_enabled_by_the_installation(fresh):
    """The package brings its files and starts nothing."""
    units = ["sparkbridge.service", "sparkbridge.socket", "sparkbridge-diag.socket"]
    said = fresh.machine.run("systemctl", "is-enabled", *units, check=False)
    assert said.split() == ["disabled"] * 3
    assert fresh.show("ActiveState") == "inactive"


def test_units_are_understood(fresh):
    """systemd-analyze finds no fault in any unit; its exit code alone would not say so."""
    said = fresh.machine.shell(
        f"systemd-analyze verify {UNITS}/sparkbridge* 2>&1; "
        "systemd-analyze --user verify /usr/lib/systemd/user/sparkbridge* 2>&1",
        check=False,
    )
    ours = [line for line in said.splitlines() if "sparkbridge" in line]
    assert ours == []


@pytest.mark.parametrize("unit", ["sparkbridge.service", "sparkbridge@.service"])
@pytest.mark.parametrize(
    ("drop_in", "most"),
    [
        (None, 1.1),
        ("30-fixed-upstream", 1.0),
        ("40-private-root", 1.0),
        ("50-no-network", 0.2),
    ],
)
def test_exposure(fresh, unit, drop_in, most):
    """How much each variant leaves open, by systemd's own scale of ten."""
    more = f"{DROP_INS}/{drop_in}.conf" if drop_in else ""
    said = fresh.machine.shell(
        f"mkdir -p /tmp/exposure; cat {UNITS}/{unit} {more} >/tmp/exposure/{unit}; "
        f"systemd-analyze security --offline=true --no-pager /tmp/exposure/{unit}",
        check=False,
    )
    level = re.search(r"exposure level for \S+ (\d+\.\d)", said)
    assert level, said
    assert float(level[1]) <= most


def test_first_connection_starts_it(fresh):
    """Only the sockets are there until somebody connects."""
    fresh.machine.run("systemctl", "stop", "sparkbridge.service")
    fresh.machine.run("systemctl", "start", "sparkbridge.socket", "sparkbridge-diag.socket")
    assert fresh.show("ActiveState") == "inactive"
    assert fresh.ask(SOCKETS[0]) == "SERVING"
    assert fresh.show("ActiveState") == "active"
    assert fresh.show("StatusText") == "1 listener, 1 profile ready"


@pytest.mark.parametrize("address", SOCKETS)
def test_members_of_the_group_are_served(service, address):
    """Peer identity works inside the user namespace of the unit, on either socket."""
    assert service.ask(address) == "SERVING"


@pytest.mark.parametrize("address", SOCKETS[1:])
def test_others_are_refused(service, address):
    """A port has no file mode: the daemon asks the kernel who connects."""
    assert service.ask(address, user="bob").startswith("PERMISSION_DENIED")


def test_the_socket_file_is_closed_to_others(service):
    """The Unix socket has a group and a mode."""
    assert service.machine.run("stat", "-c", "%U:%G %a", "/run/sparkbridge.sock").strip() == (
        "root:sparkbridge-clients 660"
    )


def test_the_daemon_has_a_user_of_its_own(service):
    """DynamicUser=, and the credential that only root can read is what it uses."""
    pid = service.show("MainPID")
    status = service.machine.run("cat", f"/proc/{pid}/status")
    uid = int(re.search(r"^Uid:\s+(\d+)", status, re.M)[1])
    assert 61184 <= uid <= 65519  # systemd's range of dynamic users
    assert re.search(r"^CapBnd:\s+0+$", status, re.M)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)
    log = service.machine.run("journalctl", "-u", "sparkbridge", "-o", "json")
    assert "/run/credentials/sparkbridge.service/databrickscfg" in log
    assert "dapi-of" not in log


def test_own_sandbox_inside_the_unit(service):
    """Landlock and seccomp of the daemon itself are in force too."""
    said = service.machine.run(
        "sparkbridge", "status", "--control", "unix:/run/sparkbridge/daemon/control.sock"
    )
    assert re.search(r"landlock +on", said)
    assert re.search(r"seccomp +on", said)


def test_journal_fields_and_catalog(service):
    """Entries have fields of their own, and the catalog says what to do about a refusal."""
    service.ask(SOCKETS[1], user="bob")
    entries = [
        json.loads(line)
        for line in service.machine.run(
            "journalctl", "-u", "sparkbridge", "-o", "json", "SPARKBRIDGE_LISTENER=default"
        ).splitlines()
    ]
    refused = [entry for entry in entries if entry["MESSAGE"].startswith("connection refused")]
    assert refused
    assert refused[-1]["SPARKBRIDGE_UID"] == service.machine.run("id", "-u", "bob").strip()
    assert refused[-1]["PRIORITY"] == "4"
    said = service.machine.run("journalctl", "-x", f"MESSAGE_ID={refused[-1]['MESSAGE_ID']}")
    assert "usermod -a -G sparkbridge-clients" in said


@pytest.fixture
def watched(fresh):
    """A watchdog that is quicker than the unit's."""
    fresh.drop_in("[Service]\nWatchdogSec=2\n")
    yield
    fresh.without_drop_ins()


def test_watchdog(watched, service):
    """A daemon that hangs is started anew."""
    pid = service.show("MainPID")
    service.machine.run("kill", f"-{signal.SIGSTOP.value}", pid)
    wait_for(lambda: service.show("MainPID") not in ("0", pid), "another process")
    wait_for(lambda: service.show("ActiveState") == "active", "it serves again")
    assert service.ask(SOCKETS[0]) == "SERVING"
    assert int(service.show("NRestarts")) >= 1


def test_a_reload_with_a_fault_changes_nothing(service, config):
    """The old configuration serves on, and the unit's status says what is wrong."""
    pid = service.show("MainPID")
    service.put(CONFIG, config.replace("idle_exit: 10m", "idle_exit: soon"), "644")
    service.machine.run("systemctl", "reload", "sparkbridge.service")
    said = wait_for(
        lambda: "not reloaded" in service.show("StatusText") and service.show("StatusText"),
        "the status says why",
    )
    assert "timeouts.idle_exit" in said
    assert service.show("MainPID") == pid
    assert service.ask(SOCKETS[0]) == "SERVING"
    service.put(CONFIG, config.rstrip("\n"), "644")
    service.machine.run("systemctl", "reload", "sparkbridge.service")
    wait_for(lambda: service.show("StatusText") == "1 listener, 1 profile ready", "it is good")


def test_a_wrong_configuration_is_not_tried_again(service, config):
    """RestartPreventExitStatus=: it fails once, with 78, and stays so."""
    service.put(CONFIG, "version: 1\nlisteners: 7", "644")
    said = service.machine.run("systemctl", "restart", "sparkbridge.service", check=False)
    assert "failed" in said
    assert service.show("ActiveState") == "failed"
    assert service.show("ExecMainStatus") == "78"
    assert service.show("NRestarts") == "0"


def test_no_connection_is_refused_during_restarts(service):
    """systemd keeps the sockets: whoever connects meanwhile waits and is served."""
    asked = [service.machine.start("systemctl", "restart", "sparkbridge.service")]
    answers = [service.ask(SOCKETS[0]) for _ in range(3)]
    asked.append(service.machine.start("systemctl", "restart", "sparkbridge.service"))
    answers += [service.ask(SOCKETS[1]) for _ in range(3)]
    assert [process.wait(60) for process in asked] == [0, 0]
    assert answers == ["SERVING"] * 6


def test_an_unused_daemon_ends(service, config):
    """It exits with 0 after idle_exit, and the next connection starts another."""
    service.put(CONFIG, config.replace("idle_exit: 10m", "idle_exit: 500ms"), "644")
    service.machine.run("systemctl", "restart", "sparkbridge.service")
    wait_for(lambda: service.show("ActiveState") == "inactive", "it has ended")
    assert service.show("Result") == "success"
    assert service.ask(SOCKETS[0]) == "SERVING"


def test_stopping_takes_no_time_when_idle(service):
    """Without a call there is nothing to drain."""
    begin = time.monotonic()
    service.machine.run("systemctl", "stop", "sparkbridge.service")
    assert time.monotonic() - begin < 20
    assert service.show("Result") == "success"


@pytest.mark.parametrize("drop_in", ["30-fixed-upstream", "40-private-root", "50-no-network"])
def test_it_works_inside_each_variant(service, drop_in):
    """The drop-ins leave it what it needs: clients, their identity, and its log."""
    directory = "/run/systemd/system/sparkbridge.service.d"
    service.machine.shell(
        f"mkdir -p {directory}; cp {DROP_INS}/{drop_in}.conf {directory}; systemctl daemon-reload"
    )
    try:
        service.start()
        assert service.ask(SOCKETS[0]) == "SERVING"
        if drop_in != "50-no-network":
            assert service.ask(SOCKETS[1]) == "SERVING"
            assert service.ask(SOCKETS[1], user="bob").startswith("PERMISSION_DENIED")
    finally:
        service.machine.shell(f"rm -r {directory}; systemctl daemon-reload")


def test_a_daemon_for_one_profile(fresh):
    """The template has a socket and a credential for each instance."""
    fresh.machine.shell(
        "install -m 600 /etc/sparkbridge/databrickscfg /etc/sparkbridge/profiles/prod.databrickscfg"
    )
    fresh.machine.run("systemctl", "enable", "--now", "sparkbridge@prod.socket")
    assert fresh.ask("unix:/run/sparkbridge-prod.sock") == "SERVING"
    fresh.machine.shell(
        "sed s/prod/more/ /etc/sparkbridge/profiles/prod.databrickscfg "
        ">/etc/sparkbridge/profiles/more.databrickscfg; "
        "chmod 600 /etc/sparkbridge/profiles/more.databrickscfg; "
        "systemctl start sparkbridge@more.service"
    )
    users = {
        fresh.machine.shell(
            f"ps -o uid= -p {fresh.show('MainPID', f'sparkbridge@{profile}.service')}"
        ).strip()
        for profile in ("prod", "more")
    }
    assert len(users) == 2, "instances share a user"
    fresh.machine.run("systemctl", "stop", "sparkbridge@more.socket", "sparkbridge@more.service")
    log = fresh.machine.run("journalctl", "-u", "sparkbridge@prod", "-o", "cat")
    assert "host=prod.example.com" in log
    fresh.machine.run("systemctl", "disable", "--now", "sparkbridge@prod.socket")
    fresh.machine.run("systemctl", "stop", "sparkbridge@prod.service")


def test_a_profile_for_each_user(service, config):
    """One daemon, files that stay root's, as sparkbridge(8) says it."""
    service.put(
        "/etc/sparkbridge/users/alice.databrickscfg",
        "[DEFAULT]\nhost = https://alice.example.com\ntoken = t\ncluster_id = 0-0-a",
    )
    directory = "/run/systemd/system/sparkbridge.service.d"
    service.machine.shell(
        f"mkdir -p {directory}; "
        f"printf '[Service]\\nLoadCredential=users:/etc/sparkbridge/users\\n' >{directory}/a.conf; "
        "systemctl daemon-reload"
    )
    rows = (
        "listeners:\n  - name: spark\n    profile_by_peer:\n      default:\n"
        '        config_file: "${CREDENTIALS_DIRECTORY}/users_%u.databrickscfg"\n'
    )
    service.put(CONFIG, config + rows, "644")
    try:
        service.start()
        assert "alice.example.com" in service.ask(SOCKETS[0], method=EXECUTE)
    finally:
        service.machine.shell(f"rm -r {directory}; systemctl daemon-reload")


def test_token_and_client_secret_by_credentials(service):
    """Both are found without configuration, as systemd hands them over."""
    directory = "/run/systemd/system/sparkbridge.service.d"
    service.put("/root/token", "dapi-of-a-credential")
    service.put("/root/client-secret", "at-least-16-characters")
    service.machine.shell(
        f"mkdir -p {directory}; cat >{directory}/a.conf <<'END'\n[Service]\n"
        "LoadCredential=token:/root/token\nLoadCredential=client-secret:/root/client-secret\n"
        "ExecStart=\nExecStart=/usr/bin/sparkbridge run --listen systemd:spark --peer-users any "
        "--host https://two.example.com --cluster-id 0-0-a\nEND\nsystemctl daemon-reload"
    )
    try:
        service.start()
        log = service.machine.run("journalctl", "-u", "sparkbridge", "-o", "json")
        assert "credential /run/credentials/sparkbridge.service/token" in log
        assert "secret" in service.ask(SOCKETS[0], method=EXECUTE)
    finally:
        service.machine.shell(f"rm -r {directory}; systemctl daemon-reload")
