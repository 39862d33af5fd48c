"""Whose profile a call gets: users by profile_by_peer, and what clients choose themselves."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from daemons import addresses_of
from notes import call_as
from people import ALICE, BOB, BRIDGE, CAROL, MALLORY, NAMELESS, ROOT

OWNERS = [pytest.param(ROOT, id="of-root"), pytest.param(BRIDGE, id="unprivileged")]
CALLS = 60  # of each user by each address
HEADER = "x-sparkbridge-profile"


def rows_of_three(daemons, owner):
    """Alice and Bob by their own rows, Carol by the default one, for which others have no file."""
    shared = daemons.profile_file(
        owner, "shared.cfg", daemons.profile("alice"), daemons.profile("bob", name="bobs")
    )
    daemons.profile_file(owner, "user-carol.cfg", daemons.profile("carol"))
    return {
        "alice": {"config_file": shared},
        "#21002": {"config_file": shared, "profile": "bobs"},
        "default": {"config_file": f"{daemons.directory(owner)}/user-%u.cfg"},
    }


@pytest.mark.parametrize("owner", OWNERS)
def test_each_user_has_his_own(owner, daemons, dialers, workspace):
    bridge = daemons.start(owner, profile_by_peer=rows_of_three(daemons, owner))
    for address in addresses_of(bridge):
        for user in (ALICE, BOB, CAROL):
            with dialers[user].client(address) as client:
                assert call_as(client, user.name).status == 0
        with dialers[MALLORY].client(address) as client:
            answer = call_as(client, "mallory")
            assert answer.status == 9 and "user-mallory.cfg: no such file: the administrator" in answer.message
        with dialers[NAMELESS].client(address) as client:
            answer = call_as(client, "nameless")
            assert answer.status == 9 and "has no name that can stand for" in answer.message
    for user in (ALICE, BOB, CAROL):
        assert workspace.of(user.name) == {user.name}
    assert len(workspace.notes) == 9


@pytest.mark.parametrize("owner", OWNERS)
def test_without_a_row(owner, daemons, dialers, workspace):
    """Refused, root too, and also where peer_users would let him in."""
    rows = rows_of_three(daemons, owner)
    del rows["default"]
    bridge = daemons.start(owner, profile_by_peer=rows, peer_users=["any"])
    for address in addresses_of(bridge):
        for user in (CAROL, ROOT, BRIDGE):
            with dialers[user].client(address) as client:
                answer = call_as(client, "somebody")
                assert answer.status == 7
                assert f"the user with uid {user.uid} has no profile here" in answer.message
                client.wait_for_close()
        with dialers[BOB].client(address) as client:
            assert call_as(client, "bob").status == 0
    assert workspace.of("somebody") == set() and workspace.of("bob") == {"bob"}


def test_rows_and_users(daemons, dialers, workspace):
    """Whoever has a row has to be among peer_users as well, where there are any."""
    bridge = daemons.start(
        profile_by_peer=rows_of_three(daemons, ROOT), peer_users=["@analysts", "#21001"]
    )
    for user, status in ((ALICE, 0), (BOB, 0), (CAROL, 0), (MALLORY, 7), (ROOT, 7)):
        with dialers[user].client(addresses_of(bridge)[1]) as client:
            assert call_as(client, user.name).status == status
    assert {note.caller for note in workspace.notes} == {"alice", "bob", "carol"}


def test_numbers_in_a_path(daemons, dialers, workspace):
    """%U is for users that have no name."""
    for user in (ALICE, NAMELESS):
        label = f"number {user.uid}".replace(" ", "-")
        daemons.profile_file(ROOT, f"{user.uid}.cfg", daemons.profile(label))
    row = {"config_file": f"{daemons.directory(ROOT)}/%U.cfg"}
    bridge = daemons.start(profile_by_peer={"default": row})
    for user in (ALICE, NAMELESS):
        with dialers[user].client(addresses_of(bridge)[2]) as client:
            assert call_as(client, f"{user.uid}").status == 0
        assert workspace.of(f"{user.uid}") == {f"number-{user.uid}"}


@pytest.mark.parametrize("owner", OWNERS)
def test_never_mixed(owner, daemons, dialers, workspace):
    """Three users at once, on three connections each, while the configuration is read anew and the
    order of its rows changes: every call comes with its caller's token, and no connection to the
    workspace carries two users' calls."""
    listen = ["localhost:0", f"unix:{daemons.directory(owner)}/people.sock"]
    rows = rows_of_three(daemons, owner)
    bridge = daemons.start(owner, profile_by_peer=rows, listen=listen)

    def call_often(user, address):
        served = 0
        while served < CALLS:
            with dialers[user].client(address) as client, suppress(ConnectionError):
                while not client.goaway and served < CALLS:
                    assert call_as(client, user.name).status == 0
                    served += 1

    with ThreadPoolExecutor(9) as pool:
        running = [
            pool.submit(call_often, user, address)
            for user in (ALICE, BOB, CAROL)
            for address in addresses_of(bridge)
        ]
        for _ in range(5):
            rows = dict(reversed(rows.items()))
            daemons.reload(bridge, owner, profile_by_peer=rows, listen=listen)
        for calls in running:
            calls.result()
    for user in (ALICE, BOB, CAROL):
        assert workspace.of(user.name) == {user.name}
    assert len(workspace.notes) >= 9 * CALLS
    callers = {}
    for note in workspace.notes:
        assert callers.setdefault(note.connection, note.caller) == note.caller
    assert set(callers.values()) == {"alice", "bob", "carol"}


def test_same_profile_of_two_users(daemons, dialers, workspace):
    """They share a token, and still no connection."""
    row = {"config_file": daemons.profile_file(ROOT, "team.cfg", daemons.profile("team"))}
    bridge = daemons.start(profile_by_peer={"alice": row, "bob": row})
    for user in (ALICE, BOB):
        with dialers[user].client(addresses_of(bridge)[0]) as client:
            assert call_as(client, user.name).status == 0
    alice, bob = workspace.notes
    assert alice.authorization == bob.authorization and alice.connection != bob.connection


def test_file_in_a_users_directory(daemons, dialers, workspace):
    """Alice owns the directory, so what she puts there is not opened, be it a link to a file that
    only the daemon may read."""
    daemons.profile_file(ROOT, "treasure.cfg", daemons.profile("treasure"))
    hers = daemons.directory(ALICE) / "alice.cfg"
    hers.unlink(missing_ok=True)
    hers.symlink_to(daemons.directory(ROOT) / "treasure.cfg")
    row = {"config_file": f"{daemons.directory(ALICE)}/%u.cfg"}
    bridge = daemons.start(profile_by_peer={"default": row})
    for address in addresses_of(bridge):
        with dialers[ALICE].client(address) as client:
            answer = call_as(client, "alice")
            assert answer.status == 9
            assert f"belongs to the user with uid {ALICE.uid}" in answer.message
    assert workspace.notes == []


def test_link_in_a_trusted_directory(daemons, dialers, workspace):
    """Not even the administrator's own links are followed."""
    daemons.profile_file(ROOT, "real.cfg", daemons.profile("real"))
    link = daemons.directory(ROOT) / "link.cfg"
    link.unlink(missing_ok=True)
    link.symlink_to("real.cfg")
    bridge = daemons.start(profile_by_peer={"alice": {"config_file": str(link)}})
    with dialers[ALICE].client(addresses_of(bridge)[0]) as client:
        answer = call_as(client, "alice")
        assert answer.status == 9 and "link.cfg: is a symbolic link" in answer.message
    assert workspace.notes == []


# ---- what clients choose ----------------------------------------------------------------------


def choosing(daemons, **more):
    """A listener of Alice's with a profile of its own and two that clients may choose."""
    labels = ("DEFAULT", "dev", "prod", "secret")
    sections = [daemons.profile(label, name=label) for label in labels]
    return {
        "peer_users": ["alice"],
        "config_file": daemons.profile_file(ROOT, "several.cfg", *sections),
        "profile_from_client": {"allow": ["dev", "prod"]},
        **more,
    }


def test_client_chooses(daemons, dialers, workspace):
    bridge = daemons.start(**choosing(daemons))
    for address in addresses_of(bridge):
        with dialers[ALICE].client(address) as client:
            for chosen in ("dev", "prod"):
                assert call_as(client, chosen, metadata=[(HEADER, chosen)]).status == 0
            assert call_as(client, "none").status == 0
    assert [workspace.of(caller) for caller in ("dev", "prod", "none")] == [
        {"dev"},
        {"prod"},
        {"DEFAULT"},
    ]
    assert all(HEADER not in note.names for note in workspace.notes)


@pytest.mark.parametrize(
    "fields",
    [
        [(HEADER, "secret")],
        [(HEADER, "DEFAULT")],
        [(HEADER, "no-such")],
        [(HEADER, "")],
        [(HEADER, "DEV")],
        [(HEADER, "dev"), (HEADER, "prod")],
        [(HEADER, "dev"), (HEADER, "dev")],
    ],
    ids=str,
)
def test_client_may_not_choose(fields, daemons, dialers, workspace):
    bridge = daemons.start(**choosing(daemons))
    with dialers[ALICE].client(addresses_of(bridge)[0]) as client:
        answer = call_as(client, "wanting", metadata=fields)
        assert answer.status == 3
        assert f"{HEADER} may be dev, prod" in answer.message
        assert "secret" not in answer.message
    assert workspace.notes == []


def test_nobody_may_choose(daemons, dialers, workspace):
    """Where the port lets no client choose, the header is not forwarded either."""
    bridge = daemons.start(peer_users=["alice"])
    with dialers[ALICE].client(addresses_of(bridge)[0]) as client:
        call_as(client, "alice", metadata=[(HEADER, "dev")])
    assert all(HEADER not in note.names for note in workspace.notes)
    assert workspace.of("alice") <= {"own"}


def test_client_chooses_in_his_row(daemons, dialers, workspace):
    """Of the profiles in the user's own file."""
    rows = {}
    for user in (ALICE, BOB):
        sections = [
            daemons.profile(f"{user.name}-{name}", name=name) for name in ("DEFAULT", "dev")
        ]
        rows[user.name] = {"config_file": daemons.profile_file(ROOT, user.name, *sections)}
    header = "x-team-profile"
    bridge = daemons.start(
        profile_by_peer=rows, profile_from_client={"allow": ["dev"], "header": header}
    )
    for user in (ALICE, BOB):
        with dialers[user].client(addresses_of(bridge)[1]) as client:
            call_as(client, f"{user.name} chose", metadata=[(header, "dev")])
            call_as(client, f"{user.name} did not")
        assert workspace.of(f"{user.name} chose") == {f"{user.name}-dev"}
        assert workspace.of(f"{user.name} did not") == {f"{user.name}-DEFAULT"}
    assert all(header not in note.names for note in workspace.notes)
