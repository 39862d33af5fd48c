"""A connection that TCP keeps up while nobody is at its other end any more."""

import time

from frames import PING
from scene import METHOD, SOON_S, describe

FOUND_OUT_S = 20  # a PING after ten seconds of silence, and ten to answer it


def test_the_upstream_falls_silent(scenes):
    """The call ends as lost, which clients take up again, and the next one goes elsewhere. The PING
    counts though the call that it was sent for is gone and another one has begun."""
    scene = scenes()
    with scene.client() as client:
        scene.check_works(client)
        first, request = scene.begin(client)
        began = time.monotonic()
        request.link.answers_pings = False
        request.link.wait(PING, timeout=FOUND_OUT_S / 2 + SOON_S)
        client.cancel(first)
        request.wait_for_reset()
        second = client.start(METHOD, end=True)
        answer = client.wait_for_end(second, timeout=FOUND_OUT_S / 2 + SOON_S)
        assert describe(answer) == "Trailers-Only 14"
        assert time.monotonic() - began > FOUND_OUT_S - SOON_S
        request.link.close()  # the second call is still to be read there
        scene.check_works(client)
    scene.check_nothing_is_left()
