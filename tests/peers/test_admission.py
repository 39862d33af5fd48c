"""Who may connect: each user's real processes, by each kind of address, to daemons of root's and of
an unprivileged user's."""

import json
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from daemons import addresses_of
from notes import call_as
from people import ALICE, BOB, BRIDGE, CAROL, MALLORY, NAMELESS, PEOPLE, ROOT
from workspace.bridge import parse_logfmt

OWNERS = [pytest.param(ROOT, id="of-root"), pytest.param(BRIDGE, id="unprivileged")]
SELF = "self"  # stands for whoever runs the daemon
RULES = {
    "left out": (None, {SELF}),
    "names": (["alice", "bob"], {ALICE, BOB}),
    "numbers": (["#21001", "#21005"], {ALICE, NAMELESS}),
    "a group": (["@analysts"], {BOB, CAROL}),
    "several": (["self", "@analysts", "alice"], {SELF, ALICE, BOB, CAROL}),
    "any": (["any"], set(PEOPLE)),
}
GRPC_CLIENT = Path(__file__).parent / "grpc_client.py"


def listener_of(users):
    return {} if users is None else {"peer_users": users}


def check_served(client, user, workspace):
    answer = call_as(client, f"uid {user.uid}")
    assert (answer.status, bytes(answer.data[5:])) == (0, f"uid {user.uid}".encode())
    assert workspace.of(f"uid {user.uid}") == {"own"}


def check_refused(client, user, workspace):
    """By a status with a sentence, after which the connection ends; nothing is forwarded."""
    answer = call_as(client, f"uid {user.uid}")
    assert answer.status == 7 and answer.trailers_only
    assert re.search(rf"uid {user.uid}\)? may not use this port, which is for", answer.message)
    assert "add you to peer_users" in answer.message
    assert client.wait_for_goaway().last_stream_id == 1
    client.wait_for_close()
    assert workspace.of(f"uid {user.uid}") == set()


@pytest.mark.parametrize("owner", OWNERS)
@pytest.mark.parametrize("rule", RULES)
def test_peer_users(rule, owner, daemons, dialers, workspace):
    users, named = RULES[rule]
    bridge = daemons.start(owner, **listener_of(users))
    allowed = {owner if user == SELF else user for user in named}
    addresses = addresses_of(bridge)
    assert len(addresses) == 3
    for user, dialer in dialers.items():
        check = check_served if user in allowed else check_refused
        for address in addresses:
            with dialer.client(address) as client:
                check(client, user, workspace)


def test_a_grpc_client(daemons, workspace):
    """What the program of a user's own shows him, by a gRPC library."""
    bridge = daemons.start(peer_users=["alice"])

    def run(user):
        words = [sys.executable, GRPC_CLIENT, json.dumps([user.uid, user.gid, bridge.port])]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
        return json.loads(done.stdout)

    assert run(ALICE) == ["OK", "from uid 21001"]
    assert workspace.of("from uid 21001") == {"own"}
    for user in (BOB, ROOT):
        code, details = run(user)
        assert code == "PERMISSION_DENIED"
        assert f"the user with uid {user.uid} may not use this port, which is for alice" in details
    assert len(workspace.notes) == 1


def test_log_of_a_refused_program(daemons, dialers):
    """By a Unix socket it is known which process connects, by TCP only whose it is."""
    bridge = daemons.start()
    unix, v4, _ = addresses_of(bridge)
    with dialers[ALICE].dial(unix), dialers[MALLORY].dial(v4):
        fields = wait_for_refusal(bridge, ALICE)
        assert fields["level"] == "warn" and fields["listener"] == "people"
        assert fields["pid"] == str(dialers[ALICE].child.pid)
        assert fields["program"] == dialers[ALICE].program
        fields = wait_for_refusal(bridge, MALLORY)
        assert "pid" not in fields and "program" not in fields


def wait_for_refusal(bridge, user):
    return bridge.wait_for_log(
        lambda fields: fields.get("msg") == "connection refused" and fields["uid"] == str(user.uid)
    )


def test_log_is_not_flooded(daemons, dialers):
    """Each user has one line in a while, however often he tries."""
    bridge = daemons.start(peer_users=["alice"])
    unix = addresses_of(bridge)[0]
    with ExitStack() as stack:
        for user in (BOB, MALLORY) * 20:
            stack.enter_context(dialers[user].dial(unix))
        with dialers[ALICE].client(unix) as client:
            assert call_as(client, "alice").status == 0  # whoever came before has been judged
        lines = [parse_logfmt(line) for line in bridge.child.stderr]
    refused = [fields["uid"] for fields in lines if fields.get("msg") == "connection refused"]
    assert refused == [str(BOB.uid), str(MALLORY.uid)]


def test_any_is_warned_about(daemons):
    bridge = daemons.start(peer_users=["any"])
    fields = bridge.wait_for_log(lambda fields: "`any`" in fields.get("msg", ""))
    assert fields["level"] == "warn"
    assert "every user and process of this machine" in fields["msg"]


def test_group_of_an_unknown_name(daemons):
    """A group that does not exist is found at the start, and not taken for an empty one."""
    bridge = daemons.begin(peer_users=["@nobody-has-this"], expect_exit=78)
    assert bridge.child.wait(30) == 78
    assert "nobody-has-this" in bridge.child.output()


def test_reload_changes_who_may(daemons, dialers, workspace):
    """Also of those who are connected: they are asked to connect again, and until they do their
    calls are judged by the new list."""
    listen = ["localhost:0"]
    bridge = daemons.start(peer_users=["alice", "bob"], listen=listen)
    address = addresses_of(bridge)[0]
    with dialers[ALICE].client(address) as alice, dialers[BOB].client(address) as bob:
        assert (call_as(alice, "alice").status, call_as(bob, "bob").status) == (0, 0)
        daemons.reload(bridge, peer_users=["bob"], listen=listen)
        refused = call_as(alice, "alice again")
        assert refused.status == 7 and "may not use this port" in refused.message
        assert call_as(bob, "bob again").status == 0
        assert alice.goaway and bob.goaway
    assert workspace.of("alice again") == set()


def test_reload_brings_groups(daemons, dialers, workspace):
    """Whose groups were not asked for when he came has to come again."""
    listen = ["localhost:0"]
    bridge = daemons.start(peer_users=["carol", "alice"], listen=listen)
    address = addresses_of(bridge)[0]
    with dialers[CAROL].client(address) as carol, dialers[ALICE].client(address) as alice:
        assert (call_as(carol, "carol").status, call_as(alice, "alice").status) == (0, 0)
        daemons.reload(bridge, peer_users=["@analysts"], listen=listen)
        for client in (carol, alice):
            answer = call_as(client, "too early")
            assert answer.status == 14 and "connect again" in answer.message
    with dialers[CAROL].client(address) as carol, dialers[ALICE].client(address) as alice:
        assert call_as(carol, "carol again").status == 0
        assert call_as(alice, "too early").status == 7
    assert workspace.of("carol again") == {"own"} and workspace.of("too early") == set()
