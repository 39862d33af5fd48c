"""A user database that does not answer: who waits for it, and who does not."""

import os
import select
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from daemons import addresses_of
from notes import call_as
from people import ALICE, BOB, BRIDGE, CAROL, ROOT

SOON_S = 5  # what is immediate, on a machine that is busy with something else
MAX_THREADS = 8  # USER_MAX_THREADS


def start(daemons, **options):
    """A bridge for which the user database hangs where it is asked about Carol."""
    return daemons.start(
        environment={"USERS_HANGING": str(CAROL.uid)},
        peer_users=["self", "@analysts"],
        **options,
    )


def wait_until_asked(bridge, times=1):
    seen = iter(range(times))
    asked = f"user database: asked about uid {CAROL.uid}"
    bridge.child.wait_for_line(
        lambda line: line == asked and next(seen) == times - 1, timeout=SOON_S
    )


def threads_of(bridge):
    return len(list(Path(f"/proc/{bridge.child.pid}/task").iterdir()))


def wait_for_threads(bridge, count):
    deadline = time.monotonic() + SOON_S
    while (found := threads_of(bridge)) != count:
        assert time.monotonic() < deadline, f"{found} threads"
        select.select([], [], [], 0.005)  # nothing tells of a thread's end


@pytest.mark.parametrize("build", ["sanitized", "release"])
def test_stopping_at_the_second_request(build, request, dialers):
    daemons = request.getfixturevalue("daemons" if build == "sanitized" else "release_daemons")
    bridge = start(daemons, expect_exit=os.EX_TEMPFAIL)
    with dialers[CAROL].dial(addresses_of(bridge)[0]):
        wait_until_asked(bridge)
        bridge.child.send_signal(signal.SIGTERM)
        bridge.wait_for_log(lambda fields: "draining" in fields.get("msg", ""))
        bridge.child.send_signal(signal.SIGTERM)
        assert bridge.child.wait(SOON_S) == os.EX_TEMPFAIL


def test_stopping_when_the_time_to_drain_is_over(daemons, dialers):
    bridge = start(daemons, arguments=["--drain-timeout", "100ms"], expect_exit=os.EX_TEMPFAIL)
    with dialers[CAROL].dial(addresses_of(bridge)[0]):
        wait_until_asked(bridge)
        bridge.child.send_signal(signal.SIGTERM)
        assert bridge.child.wait(SOON_S) == os.EX_TEMPFAIL


def test_one_user_holds_up_no_other(daemons, dialers, workspace):
    """Who hangs is served when the answer comes."""
    bridge = start(daemons)
    address = addresses_of(bridge)[0]
    with dialers[CAROL].client(address) as carol:
        wait_until_asked(bridge)
        with dialers[BOB].client(address) as bob, dialers[ALICE].client(address) as alice:
            assert call_as(bob, "bob").status == 0
            assert call_as(alice, "alice").status == 7
        with daemons.user_database_answers():
            assert call_as(carol, "carol").status == 0
    assert workspace.of("carol") == {"own"}


def test_names_are_looked_up_all_the_same(daemons, dialers):
    """Also where every thread hangs that asks the user database, and more are waiting for one."""
    bridge = start(daemons)
    address = addresses_of(bridge)[0]
    with ExitStack() as stack:
        waiting = [
            stack.enter_context(dialers[CAROL].client(address)) for _ in range(MAX_THREADS + 1)
        ]
        wait_until_asked(bridge, MAX_THREADS)
        with dialers[ROOT].client(address) as root:
            assert call_as(root, "root").status == 0
        wait_for_threads(bridge, 1 + MAX_THREADS)
        with daemons.user_database_answers():
            for client in waiting:
                assert call_as(client, "carol").status == 0


def test_threads_end(release_daemons, dialers):
    """Those that asked about users and looked names up; there are no others but the loop's."""
    bridge = release_daemons.start(peer_users=["@analysts"])
    for user in (BOB, CAROL):
        with dialers[user].client(addresses_of(bridge)[0]) as client:
            assert call_as(client, user.name).status == 0
    wait_for_threads(bridge, 1)


def test_no_thread_can_be_had(release_daemons, dialers):
    """Who cannot be asked about is sent away with the reason, and not for being a stranger."""
    bridge = release_daemons.start(BRIDGE, prefix=["prlimit", "--nproc=1"], peer_users=["@analysts"])
    address = addresses_of(bridge)[0]
    with dialers[BOB].client(address) as bob:
        answer = call_as(bob, "bob")
        assert answer.status == 8 and "no thread could be started" in answer.message
        assert "TasksMax=" in answer.message
        bob.wait_for_close()
    bridge.wait_for_log(lambda fields: "no thread could be started" in fields.get("msg", ""))
