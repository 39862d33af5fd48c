"""A connection that TCP keeps up while nobody is at its other end any more."""

import time

from scene import SOON_S, describe

FOUND_OUT_S = 20  # a PING after ten seconds of silence, and ten to answer it


def test_the_upstream_falls_silent(scenes):
    """The call ends as lost, which clients take up again, and the next one goes elsewhere."""
    scene = scenes()
    with scene.client() as client:
        scene.check_works(client)
        stream, _ = scene.begin(client)
        began = time.monotonic()
        answer = client.wait_for_end(stream, timeout=FOUND_OUT_S + SOON_S)
        assert describe(answer) == "Trailers-Only 14"
        assert time.monotonic() - began > FOUND_OUT_S / 2
        scene.check_works(client)
    scene.check_nothing_is_left()
