"""Daemons of different users, people who connect to them, and a workspace that takes notes."""

import os
import shutil

import pytest
from daemons import Daemons
from notes import Notes
from people import PEOPLE, Dialer
from workspace.bridge_factory import BridgeFactory
from workspace.place import Place


@pytest.fixture(scope="session", autouse=True)
def root():
    """What is shown here needs processes of several users."""
    if os.geteuid() != 0:
        pytest.skip("only root can be several users")


@pytest.fixture(scope="session")
def place(root):
    with Place("peers") as made:
        made.directory.chmod(0o755)  # for all users
        yield made


def _public(binary, place, name):
    """The daemon where every user can run it: the checkout may be in somebody's home."""
    copy = place.directory / name
    shutil.copy(binary, copy)
    return copy


@pytest.fixture(scope="session")
def public_binary(binary, place):
    return _public(binary, place, "sparkbridge")


@pytest.fixture(scope="session")
def public_release_binary(release_binary, place):
    return _public(release_binary, place, "sparkbridge-release")


def _preloaded(release_binary, place, name):
    """A library of this directory where every user can load it."""
    copy = place.directory / name
    shutil.copy(release_binary.parents[1] / "tests/peers" / name, copy)
    return copy


@pytest.fixture(scope="session")
def user_database(release_binary, place):
    """The library of user_database.c and the one that it stands in front of, for LD_PRELOAD."""
    return f"{_preloaded(release_binary, place, 'libuser_database.so')}:libnss_wrapper.so"


@pytest.fixture(scope="session")
def intruder(release_binary, place, user_database):
    """The library of intruder.c, for LD_PRELOAD."""
    return f"{user_database}:{_preloaded(release_binary, place, 'libintruder.so')}"


@pytest.fixture(scope="session")
def dialers(root):
    """A process of each user's."""
    made = {user: Dialer(user) for user in PEOPLE}
    yield made
    for dialer in made.values():
        dialer.stop()


@pytest.fixture
def workspace(place):
    with Notes(place) as running:
        yield running


def _daemons(binary, place, workspace, preload, directory):
    secrets = [place.tenants[0].token]
    factory = BridgeFactory(binary, place, directory, secrets)
    yield Daemons(factory, place, workspace, preload)
    secrets += workspace.tokens.values()
    factory.finish()


@pytest.fixture
def daemons(public_binary, place, workspace, user_database, tmp_path):
    """Starts daemons; see Daemons."""
    yield from _daemons(public_binary, place, workspace, user_database, tmp_path)


@pytest.fixture
def release_daemons(public_release_binary, place, workspace, user_database, tmp_path):
    """The same as users have them: the sanitizers need what seccomp takes, and copy memory."""
    yield from _daemons(public_release_binary, place, workspace, user_database, tmp_path)
