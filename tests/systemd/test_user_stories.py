"""The stories of sparkbridge(8) and the README, with the very commands that they print."""

import re
import sys
from pathlib import Path

import pytest
from installed import CONFIG, PROFILE_FILE, PROFILES, section
from machine import wait_for

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
ESCAPES = {"\\-": "-", "\\e": "\\", "\\(aq": "'"}
LAPTOP = "One user on a laptop"
SHARED = "A shared machine with a profile for each user"
SERVICE = "Service accounts with a daemon for each profile"


def unescape(text):
    text = re.sub(r"\\(?:\(..|.)", lambda found: ESCAPES[found[0]], text)
    return re.sub(r"\\\n +", "\\\n", text)


@pytest.fixture(scope="module")
def told(fresh):
    """The examples of a story in the installed page, each as a script."""
    page = fresh.machine.run("zcat", "/usr/share/man/man8/sparkbridge.8.gz")
    stories = dict(re.findall(r"^\.SS (.*)\n([^§]*?)(?=^\.S[SH] )", page, re.M))

    def blocks(story):
        return [
            unescape(block)
            for block in re.findall(r"^\.EX\n(.*?)^\.EE$", stories[story], re.M | re.S)
        ]

    return blocks


@pytest.fixture
def desk(fresh, workspace):
    """Where the administrator has the files that the stories begin with."""
    one, two = workspace.tenants
    fresh.machine.run("mkdir", "-p", "/root/desk")
    fresh.put("/root/desk/alice.databrickscfg", section("DEFAULT", two))
    fresh.put("/root/desk/prod.databrickscfg", section("prod", one))
    fresh.machine.shell(f"cp -a {CONFIG} /root/config; id etl 2>/dev/null || useradd -m etl")
    yield "/root/desk"
    fresh.machine.shell(
        "systemctl disable --now sparkbridge.socket sparkbridge@prod.socket; "
        "systemctl stop sparkbridge.service sparkbridge@prod.service 'sparkbridge-diag*.socket'; "
        f"cp -a /root/config {CONFIG}; rm -rf /etc/sparkbridge/users/* /etc/sparkbridge/profiles/* "
        "/etc/systemd/system/sparkbridge*.d /root/desk; systemctl daemon-reload",
        check=False,
    )


def follow(installed, blocks, directory, user=None):
    """Runs the examples as one reads them, one after the other."""
    for block in blocks:
        installed.machine.shell(f"cd {directory}\n{block}", user=user)


def count(installed, user, address):
    """PySpark of that user, with the README's own line."""
    [line] = [line for line in README.splitlines() if line.startswith("spark = ")]
    line = line.replace("sc://localhost:15002", address)
    script = f"from pyspark.sql import SparkSession\n{line}\nprint(spark.range(1000).count())"
    return installed.machine.run(sys.executable, "-c", script, user=user).strip()


def test_the_readme_tells_the_same(told):
    """Each command there is one of the page's stories."""
    part = README.split("### As a service")[1].split("\n### ")[0]
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", part, re.S) for line in block.splitlines()
    ]
    told_commands = [
        line
        for story in (LAPTOP, SHARED, SERVICE)
        for block in told(story)
        for line in block.split("\n")
    ]
    assert len(commands) >= 9
    assert [line for line in commands if line not in told_commands] == []


def test_one_user_on_a_laptop(fresh, told, workspace):
    """bob's own systemd, profile file and port; and a second profile at a socket of its own."""
    one, two = workspace.tenants
    fresh.machine.run("loginctl", "enable-linger", "bob")
    wait_for(
        lambda: "bus" in fresh.machine.shell("ls /run/user/$(id -u bob)", check=False), "the bus"
    )
    fresh.machine.shell("install -m 600 -o bob /dev/null /home/bob/.databrickscfg")
    fresh.put("/home/bob/.databrickscfg", section("DEFAULT", one) + "\n" + section("staging", two))
    try:
        follow(fresh, told(LAPTOP), "/home/bob", user="bob")
        assert count(fresh, "bob", "sc://localhost:15002") == "1000"
        assert workspace.gate.requests()[-1]["server"] == one.host
        assert fresh.ask("localhost:15002", user="alice").startswith("PERMISSION_DENIED")
        uid = fresh.machine.run("id", "-u", "bob").strip()
        staging = f"unix:/run/user/{uid}/sparkbridge-staging.sock"
        assert fresh.ask(staging, user="bob") == "SERVING"
        client = fresh.spark("bob")
        try:
            assert client.run("range", staging, end=5) == [1, 2, 3, 4]
        finally:
            client.stop()
        assert workspace.gate.requests()[-1]["server"] == two.host
    finally:
        fresh.machine.shell(
            "systemctl --user disable --now sparkbridge.socket sparkbridge@staging.socket; "
            "systemctl --user stop sparkbridge.service sparkbridge@staging.service; "
            "rm ~/.databrickscfg",
            user="bob",
            check=False,
        )


def test_a_shared_machine(fresh, told, desk, workspace):
    """alice has her own workspace on the port of all; who has no file is told so."""
    follow(fresh, told(SHARED), desk)
    assert count(fresh, "alice", "sc://localhost:15002") == "1000"
    request = workspace.gate.requests()[-1]
    assert request["server"] == workspace.tenants[1].host
    assert request["authorization"] == f"Bearer {workspace.tenants[1].token}"
    assert fresh.ask("localhost:15002", user="bob").startswith("PERMISSION_DENIED")
    said = fresh.machine.run(
        "sparkbridge", "status", "--control", "unix:/run/sparkbridge/daemon/control.sock"
    )
    assert workspace.tenants[1].host in said


def test_service_accounts(fresh, told, desk, workspace):
    """etl by the profile's own socket and by the port that the page adds; nobody else."""
    follow(fresh, told(SERVICE), desk)
    assert fresh.ask("unix:/run/sparkbridge-prod.sock", user="etl") == "SERVING"
    assert count(fresh, "etl", "sc://localhost:15010") == "1000"
    assert workspace.gate.requests()[-1]["server"] == workspace.tenants[0].host
    assert fresh.show("ActiveState", "sparkbridge-diag@prod.socket") == "active"
    assert fresh.ask("localhost:15010", user="bob").startswith("PERMISSION_DENIED")
    assert fresh.show("User", "sparkbridge@prod.service") != "root"


def test_an_encrypted_credential(fresh, told, workspace, tmp_path):
    """The page's own command, with the machine's own key; only the daemon sees what it says."""
    page = fresh.machine.run("zcat", "/usr/share/man/man8/sparkbridge.8.gz")
    credentials = page.split(".SH CREDENTIALS")[1].split(".SH ")[0]
    [command] = [
        unescape(block) for block in re.findall(r"^\.EX\n(.*?)^\.EE$", credentials, re.M | re.S)
    ]
    tenant = workspace.tenants[0]
    fresh.put("/root/plain", section("DEFAULT", tenant))
    fresh.machine.shell(f"systemd-creds setup; {command.strip()} </root/plain; rm /root/plain")
    sealed = fresh.machine.run("cat", "/etc/sparkbridge/databrickscfg.cred")
    assert tenant.token not in sealed
    fresh.put(PROFILE_FILE, "")
    fresh.drop_in(
        "[Service]\nLoadCredential=\n"
        "LoadCredentialEncrypted=databrickscfg:/etc/sparkbridge/databrickscfg.cred\n"
    )
    try:
        fresh.start()
        assert count(fresh, "alice", "sc://localhost:15002") == "1000"
        assert workspace.gate.requests()[-1]["authorization"] == f"Bearer {tenant.token}"
    finally:
        fresh.stop()
        fresh.without_drop_ins()
        fresh.put(PROFILE_FILE, PROFILES)
        fresh.machine.run("rm", "-f", "/etc/sparkbridge/databrickscfg.cred")
