"""Scenes for the cases: a bridge and an upstream each, kept for a whole module."""

import pytest
from frames import HELLO, PREFACE, Link, Upstream, settings
from scene import Scene
from workspace.bridge_factory import BridgeFactory
from workspace.place import Place


@pytest.fixture(scope="session")
def place():
    with Place("faults") as made:
        yield made


@pytest.fixture(scope="module")
def bridges(binary, place, tmp_path_factory):
    """The BridgeFactory of a module. Its bridges end, and check their invariants, with it."""
    secrets = [tenant.token for tenant in place.tenants]
    factory = BridgeFactory(binary, place, tmp_path_factory.mktemp("bridge"), secrets)
    yield factory
    factory.finish()


@pytest.fixture(scope="module")
def scenes(bridges, place):
    """Makes scenes; options go to the bridge."""
    made = []

    def make(upstream=None, **options):
        upstream = upstream or Upstream(place.certificate.server_context())
        made.append(upstream)
        return Scene(bridges(port=upstream.port, **options), upstream)

    yield make
    for upstream in made:
        upstream.stop()


@pytest.fixture(scope="module")
def module_scene(scenes):
    """The scene that a module's cases share; it has carried a call before the first of them."""
    scene = scenes()
    with scene.client() as client:
        scene.check_works(client)
    scene.check_nothing_is_left()
    return scene


@pytest.fixture
def scene(module_scene):
    """The module's scene. After the case it must work as before, and hold on to nothing."""
    yield module_scene
    module_scene.upstream.hello = HELLO
    with module_scene.client() as client:
        module_scene.check_works(client)
    module_scene.check_nothing_is_left()


@pytest.fixture
def upstream(scene):
    return scene.upstream


@pytest.fixture
def frame_client(scene):
    """Makes clients of frames, with these SETTINGS."""
    made = []

    def make(*, acknowledges=True, **values):
        link = Link(scene.dial(), is_server=False)
        made.append(link)
        link.acknowledges = acknowledges
        link.send(PREFACE, settings(**values))
        return link

    yield make
    for link in made:
        link.close()


@pytest.fixture
def client(scene):
    """A well-behaved client, whose connection must outlive the case."""
    with scene.client() as made:
        yield made
        if not made.closed:
            scene.check_works(made)
