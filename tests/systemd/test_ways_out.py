"""A daemon without network, whose calls go out by sparkbridge-egress@.socket."""

import pytest
from installed import CONFIG

SOCKET = "unix:/run/sparkbridge.sock"


@pytest.fixture
def without_network(forwarding, workspace):
    host = workspace.tenants[0].host
    egress = f"sparkbridge-egress@{host}"
    config = forwarding.machine.run("cat", CONFIG)
    way = f'upstream: {{ via: "unix:/run/sparkbridge-egress/{host}.sock" }}'
    forwarding.put(CONFIG, f"{config}{way}", "644")
    forwarding.drop_in("50-no-network")
    forwarding.machine.run("systemctl", "start", f"{egress}.socket")
    forwarding.start()
    yield egress
    forwarding.machine.run("systemctl", "stop", f"{egress}.socket", f"{egress}.service")
    forwarding.without_drop_ins()
    forwarding.put(CONFIG, config.rstrip("\n"), "644")
    forwarding.start()


def test_queries_without_network(forwarding, without_network, workspace):
    """The daemon has an empty loopback of its own; the egress has the way and no secret."""
    machine = forwarding.machine
    inside = ("nsenter", "-t", forwarding.show("MainPID"), "-n")
    assert len(machine.run(*inside, "ip", "-o", "link").splitlines()) == 1, "more than a loopback"
    assert forwarding.ask("localhost:15002") == "SERVING"
    client = forwarding.spark("alice")
    try:
        assert client.run("range", SOCKET, end=1000) == list(range(1, 1000))
    finally:
        client.stop()
    request = workspace.gate.requests()[-1]
    assert request["authorization"] == f"Bearer {workspace.tenants[0].token}"
    assert forwarding.show("ActiveState", f"{without_network}.service") == "active"
    assert forwarding.show("User", f"{without_network}.service") == "sparkbridge-out"
    egress = forwarding.show("MainPID", f"{without_network}.service")
    said = machine.run("cat", f"/proc/{egress}/status")
    assert "NoNewPrivs:\t1" in said
    assert "CapEff:\t0000000000000000" in said


def test_the_way_out_is_the_daemons(forwarding, without_network, workspace):
    """Other users have no access to it."""
    path = f"/run/sparkbridge-egress/{workspace.tenants[0].host}.sock"
    said = forwarding.machine.run("stat", "-c", "%U:%G %a", path).strip()
    assert said == "root:sparkbridge-egress 660"
    said = forwarding.machine.shell(f"test -w {path} && echo open || echo closed", user="alice")
    assert said.strip() == "closed"
