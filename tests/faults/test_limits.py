"""What clients may use: who asks for more is told the key, and nobody else has to do with it."""

import json

import pytest
from frames import (
    ANSWER,
    HEADERS,
    OK,
    PREFACE,
    REQUEST,
    RESET,
    SETTINGS,
    Link,
    credit,
    data,
    headers,
    settings,
)
from h2.errors import ErrorCodes
from scene import METHOD, SOON_S, describe

KIB = 1 << 10
PIECE = 16 * KIB


@pytest.fixture
def limited(scenes, tmp_path):
    """Makes a scene whose bridge has these limits; afterwards it works, and holds on to nothing."""
    made = []

    def make(**limits):
        config = tmp_path / "limits.yaml"
        config.write_text(json.dumps({"version": 1, "limits": limits}))
        made.append(scenes(arguments=["--config", str(config)]))
        return made[-1]

    yield make
    for scene in made:
        with scene.client() as client:
            scene.check_works(client)
        scene.check_nothing_is_left()


@pytest.fixture
def dial():
    """Connects a client made of frames to a scene; it gives no credit by itself."""
    made = []

    def make(scene):
        link = Link(scene.dial(), is_server=False)
        made.append(link)
        link.send(PREFACE, settings(initial_window_size=0))
        return link

    yield make
    for link in made:
        link.close()


@pytest.mark.parametrize("key", ["calls", "calls_per_user"])
def test_calls(limited, key):
    """Also of several connections; when one has ended the next is served."""
    scene = limited(**{key: 2})
    with scene.client() as one, scene.client() as two:
        begun = [(client, *scene.begin(client)) for client in (one, two)]
        refused = two.wait_for_end(two.start(METHOD, end=True), timeout=SOON_S)
        assert describe(refused) == "Trailers-Only 8"
        assert f" 2 at once, as many as limits.{key} allows;" in refused.message
        client, stream, request = begun.pop()
        request.answer(b"again")
        client.wait_for_end(stream, timeout=SOON_S)
        scene.check_works(two)
        for client, stream, request in begun:
            request.answer(b"again")
            assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "10 bytes, trailers 0"


def test_header_bytes(limited):
    """The client is told before it asks; whose headers are larger is refused, and works on."""
    scene = limited(header_bytes="4KiB")
    with scene.client() as client:
        client.ping()
        assert client.h2.remote_settings.max_header_list_size == 4 * KIB
        for size, status in ((3 * KIB, 0), (4 * KIB, 8)):
            stream = client.start(METHOD, metadata=[("x-large", "l" * size)], end=True)
            if status == 0:
                scene.upstream.request().answer()
            answer = client.wait_for_end(stream, timeout=SOON_S)
            assert answer.status == status
        assert "more than 4096 bytes" in answer.message and "limits.header_bytes" in answer.message


def send_result(request, size):
    request.send(*[data(request.stream, bytes(PIECE))] * (size // PIECE))
    request.link.ping()


def test_buffer_bytes(limited, dial):
    """1 MiB, and three calls: one that holds more than a quarter ends when more comes for it. Those
    that hold less, or get no more, go on; new ones are refused meanwhile."""
    scene = limited(buffer_bytes="1MiB")
    reader = dial(scene)
    with scene.client() as quick:
        quick_stream, quick_request = scene.begin(quick)
        requests = []
        for stream in (1, 3):
            reader.send(headers(stream, REQUEST, end=True))
            requests.append(scene.upstream.request())
            requests[-1].send(headers(requests[-1].stream, ANSWER))
            reader.wait(HEADERS, stream)
        large, small = requests
        window = large.link.first(SETTINGS).settings[4]
        assert window > 816 * KIB
        send_result(large, 816 * KIB)
        send_result(small, 240 * KIB)
        refused = quick.wait_for_end(quick.start(METHOD, end=True), timeout=SOON_S)
        assert describe(refused) == "Trailers-Only 8"
        assert "hold 1 MiB already" in refused.message
        assert "raise limits.buffer_bytes" in refused.message
        send_result(small, 3 * PIECE)
        assert reader.wait(RESET, 3).error_code == ErrorCodes.REFUSED_STREAM
        assert small.wait_for_reset() == ErrorCodes.CANCEL
        assert reader.all(RESET, 1) == large.link.all(RESET, large.stream) == []

        scene.check_works(quick)
        quick_request.answer(b"again")
        assert describe(quick.wait_for_end(quick_stream, timeout=SOON_S)) == "10 bytes, trailers 0"
        large.send(headers(large.stream, OK, end=True))
        reader.send(credit(0, 1 << 20), credit(1, 1 << 20))
        reader.until(lambda: len(reader.all(HEADERS, 1)) == 2)
        assert reader.data(1) == bytes(816 * KIB)
