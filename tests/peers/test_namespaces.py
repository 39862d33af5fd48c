"""Clients of other network and user namespaces, a daemon in one, and the descriptor that lets it see
out of it."""

import subprocess
import sys
from pathlib import Path

import pytest
from daemons import addresses_of
from notes import call_as
from people import ALICE, MALLORY, ROOT, Dialer

HEALTH = "/grpc.health.v1.Health/Check"
SOCK_DIAG = "sock_diag"  # what a dialer opens in place of a connection
LISTEN_FDS = Path(__file__).parent / "listen_fds.py"
IN_USER_NAMESPACE = ["unshare", "--user", "--map-root-user"]  # of which root alone has an id in it


@pytest.fixture(scope="module", autouse=True)
def namespaces():
    words = ["unshare", "--net", *IN_USER_NAMESPACE, "true"]
    if subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let us make namespaces")


def outcome(dialer, address, caller="somebody"):
    """The status of a call of the user's, and what is said about it."""
    with dialer.client(address) as client:
        answer = call_as(client, caller)
        return answer.status, answer.message


# ---- clients in namespaces --------------------------------------------------------------------


@pytest.mark.parametrize("inside", ["unmapped", "root"])
def test_client_in_a_user_namespace(inside, daemons, workspace):
    """Whoever he is inside, outside he is who he was: Mallory is no root."""
    bridge = daemons.start(peer_users=["self", "alice"])
    with (
        Dialer(ALICE, user_namespace=inside) as alice,
        Dialer(MALLORY, user_namespace=inside) as mallory,
    ):
        for address in addresses_of(bridge):
            assert outcome(alice, address, "alice")[0] == 0
            status, message = outcome(mallory, address, "mallory")
            assert status == 7 and f"the user with uid {MALLORY.uid} may not use" in message
    assert workspace.of("alice") == {"own"} and workspace.of("mallory") == set()


def test_unix_socket_from_another_network_namespace(daemons, workspace):
    """A path leads into every network namespace, and users are the same in all of them."""
    bridge = daemons.start(peer_users=["alice"])
    unix = addresses_of(bridge)[0]
    with Dialer(ALICE, network="new") as alice, Dialer(MALLORY, network="new") as mallory:
        assert outcome(alice, unix, "alice")[0] == 0
        assert outcome(mallory, unix, "mallory")[0] == 7
    assert workspace.of("mallory") == set()


def ip(dialer, text):
    """Commands of ip(8) and sh(1) in the network namespace of that process."""
    words = ["nsenter", f"--net=/proc/{dialer.child.pid}/ns/net", "sh", "-ec", text]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def connect_loopbacks(inside, outside):
    """A cable between two network namespaces, by which one reaches 127.0.0.1 of the other, as on a
    machine with route_localnet (CVE-2020-8558)."""
    localnet = "echo 1 > /proc/sys/net/ipv4/conf/{}/route_localnet"
    ip(
        inside,
        f"ip link set lo up; ip link add cable0 type veth peer cable1 netns {outside.child.pid};"
        f"ip address add 10.9.0.1/24 dev cable0; ip link set cable0 up; {localnet.format('cable0')}",
    )
    ip(
        outside,
        f"ip address add 10.9.0.2/24 dev cable1; ip link set cable1 up; {localnet.format('cable1')};"
        "ip route add 127.0.0.1/32 via 10.9.0.1",
    )


def test_tcp_from_another_network_namespace(daemons):
    """A neighbour who gets to 127.0.0.1 over a cable has no socket here, whatever his uid."""
    with Dialer(ROOT, network="new") as inside, Dialer(ALICE, network="new") as outside:
        connect_loopbacks(inside, outside)
        prefix = ["nsenter", f"--net=/proc/{inside.child.pid}/ns/net"]
        bridge = daemons.start(prefix=prefix, peer_users=["self", "alice"])
        _, v4, _ = addresses_of(bridge)
        with outside.client(v4) as client:
            assert client.socket.getsockname()[0] == "10.9.0.2"
            answer = client.call("", path=HEALTH, body=bytes(5))
            assert answer.status == 7
            assert "in another network namespace" in answer.message
        with Dialer(ALICE, network=inside.child.pid) as alice, alice.client(v4) as client:
            assert client.call("", path=HEALTH, body=bytes(5)).status == 0


# ---- a daemon in a namespace ------------------------------------------------------------------


def passing(diag, *command, name="inet-diag"):
    """How `command` is run so that it inherits the socket by that name."""
    fd = diag.fileno()
    return {"prefix": [sys.executable, LISTEN_FDS, str(fd), name, *command], "pass_fds": [fd]}


def test_daemon_in_a_user_namespace(daemons, dialers, workspace):
    """Who has no id there is nobody in particular, and is refused."""
    bridge = daemons.start(prefix=IN_USER_NAMESPACE, peer_users=["self", "#21001", "#65534"])
    for address in addresses_of(bridge):
        assert outcome(dialers[ROOT], address, "root")[0] == 0
        for user in (ALICE, MALLORY):
            status, message = outcome(dialers[user], address)
            assert status == 7
            assert "the user has no id in this user namespace" in message
    assert workspace.of("somebody") == set()


def test_inherited_descriptor_sees_out(daemons, dialers, workspace):
    """One that was opened outside tells the ids there, so that TCP clients have one."""
    with dialers[ROOT].dial(SOCK_DIAG) as diag:
        options = passing(diag, *IN_USER_NAMESPACE)
        bridge = daemons.start(**options, peer_users=["self", "#21001"])
    for address in addresses_of(bridge)[1:]:
        assert outcome(dialers[ALICE], address, "alice")[0] == 0
        status, message = outcome(dialers[MALLORY], address, "mallory")
        assert status == 7 and f"the user with uid {MALLORY.uid} may not" in message
    assert workspace.of("alice") == {"own"} and workspace.of("mallory") == set()


@pytest.mark.parametrize(("name", "status"), [("inet-diag", 7), ("other", 0)])
def test_inherited_descriptor_is_used(name, status, daemons, dialers):
    """By its name, in place of one of the daemon's own: this one looks into another network
    namespace, where there is no such socket."""
    with Dialer(ROOT, network="new") as elsewhere, elsewhere.dial(SOCK_DIAG) as diag:
        bridge = daemons.start(**passing(diag, name=name), peer_users=["alice"])
    unix, *tcp = addresses_of(bridge)
    assert outcome(dialers[ALICE], unix)[0] == 0
    for address in tcp:
        assert outcome(dialers[ALICE], address)[0] == status
