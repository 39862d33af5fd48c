"""TLS records and TCP segments of every size, TLS that ends, stalls, changes keys or certificates."""

import ctypes
import ssl

import _ssl
import pytest
from frames import ANSWER, OK, data, goaway, headers, message, serialize
from scene import METHOD, SOON_S, describe
from workspace.certificates import Authority

FIRST = message(b"a" * 100)
SCRIPT = [headers(1, ANSWER), data(1, FIRST), headers(1, OK, end=True)]
BYTES = serialize(SCRIPT)
WHOLE = "105 bytes, trailers 0"
TIMEOUT_S = 1  # --connect-timeout in the cases of those that never speak


def one_at_a_time(payload):
    return [payload[at : at + 1] for at in range(len(payload))]


def in_segments(link, ciphertext, size):
    for at in range(0, len(ciphertext), size):
        link.socket.sendall(ciphertext[at : at + size])


# ---- records and segments ------------------------------------------------------------------------


def test_a_record_for_each_byte(scene, client):
    stream, request = scene.begin(client)
    for piece in one_at_a_time(BYTES):
        request.link.send_bytes(piece)
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 16, 100])
def test_segments_of_so_many_bytes(scene, client, size):
    """The whole answer in one record, which arrives in pieces."""
    stream, request = scene.begin(client)
    request.link.tls.write(BYTES)
    in_segments(request.link, request.link.outgoing.read(), size)
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE


def test_the_handshake_byte_by_byte(scene, client):
    """And our SETTINGS with it."""
    stream = client.start(METHOD, end=True)
    link = scene.upstream.accept()
    link.hello, link.acknowledges = scene.upstream.hello, True
    flush = link.flush
    link.flush = lambda: in_segments(link, link.outgoing.read(), 1)
    link.shake_hands()
    link.flush = flush
    scene.upstream.request().answer(b"again")
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "10 bytes, trailers 0"


def test_two_records_split_at_every_byte(scene, client):
    """One call for each place where a record may end within the answer."""
    for at in range(1, len(BYTES)):
        stream, request = scene.begin(client)
        answer = [headers(request.stream, ANSWER), data(request.stream, FIRST)]
        answer = serialize([*answer, headers(request.stream, OK, end=True)])
        for part in (answer[:at], answer[at:]):
            request.link.send_bytes(part)
        assert (at, describe(client.wait_for_end(stream, timeout=SOON_S))) == (at, WHOLE)


def test_a_frame_over_several_records(scene, client):
    """A frame of 16 KiB and its header do not fit into one record."""
    stream, request = scene.begin(client)
    payload = message(bytes(16384 * 3 - 5))
    frames = [data(1, payload[at : at + 16384]) for at in range(0, len(payload), 16384)]
    request.send(headers(1, ANSWER), *frames, headers(1, OK, end=True))
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "49152 bytes, trailers 0"


# ---- its end -------------------------------------------------------------------------------------


def close_notify(link):
    with pytest.raises(ssl.SSLWantReadError):  # for the other side's
        link.tls.unwrap()
    link.flush()


def broken_record(link):
    """A record whose authentication fails."""
    link.tls.write(b"whatever")
    ciphertext = bytearray(link.outgoing.read())
    ciphertext[-1] ^= 1
    link.socket.sendall(ciphertext)


def fatal_alert(link):
    """OpenSSL's own, because it was told that the other side sent a broken record."""
    link.incoming.write(b"\x17\x03\x03\x00\x20" + bytes(32))
    with pytest.raises(ssl.SSLError):
        link.tls.read()
    link.flush()


def plain_text(link):
    link.socket.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")


ENDS = {
    "close_notify": close_notify,
    "a broken record": broken_record,
    "a fatal alert": fatal_alert,
    "plain text": plain_text,
}
STAGES = {
    "before the answer": ([], 0, "Trailers-Only 14"),
    "after headers": (SCRIPT[:1], 0, "0 bytes, trailers 14"),
    "at a message boundary": (SCRIPT[:2], 105, "105 bytes, trailers 14"),
    "inside a message": ([*SCRIPT[:1], data(1, FIRST[:50])], 50, "50 bytes, RST REFUSED_STREAM"),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("end", ENDS)
def test_tls_ends_in_mid_call(scene, client, end, stage):
    """It is a lost connection like any other."""
    frames, size, outcome = STAGES[stage]
    stream, request = scene.begin(client)
    request.send(*frames)
    if frames:
        client.wait_for(stream, lambda answer: answer.headers and len(answer.data) == size)
    ENDS[end](request.link)
    answer = client.wait_for_end(stream, timeout=SOON_S)
    assert describe(answer) == outcome
    request.link.wait_for_end(SOON_S)


# ---- new keys ------------------------------------------------------------------------------------


def update_keys(link, *, both):
    """TLS 1.3's KeyUpdate, which Python's ssl cannot send: by OpenSSL, whose SSL is the second
    pointer behind the object's head. `both`: the other side shall change its own, too."""
    head = object.__basicsize__
    where = id(link.tls._sslobj) + head + ctypes.sizeof(ctypes.c_void_p)
    pointer = ctypes.c_void_p.from_address(where)
    library = ctypes.CDLL(_ssl.__file__)  # its OpenSSL, not another one of the machine
    assert link.tls.version() == "TLSv1.3"
    assert library.SSL_key_update(pointer, int(both)) == 1


@pytest.mark.parametrize("both", [False, True], ids=["the upstream's", "both sides'"])
def test_new_keys_in_mid_stream(scene, client, both):
    stream, request = scene.begin(client, message(b"x"), end=False)
    request.send(headers(1, ANSWER))
    for count in range(1, 21):
        update_keys(request.link, both=both)
        request.send(data(1, FIRST))
        client.wait_for(stream, lambda answer: len(answer.data) == count * 105)
        client.send(stream, message(b"x"))
        request.wait_for_body(6 * (count + 1))
    request.send(headers(1, OK, end=True))
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "2100 bytes, trailers 0"


def test_tls_1_2(scene, client, place):
    """The oldest version that is spoken, in pieces, too."""
    context = place.certificate.server_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    scene.upstream.context, usual = context, scene.upstream.context
    stream, request = scene.begin(client)
    scene.upstream.context = usual
    assert request.link.tls.version() == "TLSv1.2"
    request.link.tls.write(BYTES)
    in_segments(request.link, request.link.outgoing.read(), 1)
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE


# ---- those that never speak ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def hasty(scenes):
    """A bridge that gives a connection one second, and has never had one."""
    return scenes(arguments=["--connect-timeout", f"{TIMEOUT_S}s"])


def tcp_only(upstream):
    upstream.accept()


def half_a_handshake(upstream):
    link = upstream.accept()
    link.flush = lambda: link.socket.sendall(link.outgoing.read()[:200])
    link.read()


def no_settings(upstream):
    upstream.accept().shake_hands()


@pytest.mark.parametrize("how", [tcp_only, half_a_handshake, no_settings], ids=lambda f: f.__name__)
def test_upstream_never_speaks(hasty, how):
    """The call ends with 9 and the reason when the time for a connection is over."""
    with hasty.client() as client:
        stream = client.start(METHOD, end=True)
        how(hasty.upstream)
        answer = client.wait_for_end(stream, timeout=TIMEOUT_S + SOON_S)
    assert describe(answer) == "Trailers-Only 9"
    assert "no answer within 1000 ms" in answer.message
    hasty.check_nothing_is_left()


NO_VERSION = """
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = system
[system]
MaxProtocol = TLSv1.1
"""


def test_tls_cannot_begin(scenes, tmp_path):
    """The system's own settings leave no version that is good enough: said at once, as it is."""
    settings = tmp_path / "openssl.cnf"
    settings.write_text(NO_VERSION)
    scene = scenes(environment={"OPENSSL_CONF": str(settings)})
    with scene.client() as client:
        answer = client.wait_for_end(client.start(METHOD, end=True), timeout=SOON_S)
    assert describe(answer) == "Trailers-Only 9"
    assert "no protocols available" in answer.message
    scene.check_nothing_is_left()


# ---- another certificate -------------------------------------------------------------------------


def trusted(place):
    return place.authority.issue("workspace.test")


def of_another_authority(place):
    return Authority(place.directory, "other").issue("workspace.test")


def of_another_name(place):
    return place.authority.issue("elsewhere.test")


@pytest.mark.parametrize(
    ("issue", "outcome", "words"),
    [
        (trusted, "10 bytes, trailers 0", ""),
        (of_another_authority, "Trailers-Only 9", "is not trusted"),
        (of_another_name, "Trailers-Only 9", "is not trusted"),
    ],
    ids=["renewed", "of another authority", "of another name"],
)
def test_the_certificate_is_swapped(scene, client, place, issue, outcome, words):
    """The old connection goes on with its call; a new one is trusted anew, or refused at once."""
    stream, request = scene.begin(client)
    scene.upstream.context, usual = issue(place).server_context(), scene.upstream.context
    request.send(SCRIPT[0], goaway(1))
    client.wait_for(stream, lambda answer: answer.headers)
    other = client.start(METHOD, end=True)
    if "trailers 0" in outcome:
        scene.upstream.request().answer(b"again")
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            scene.upstream.open()
    scene.upstream.context = usual
    answer = client.wait_for_end(other, timeout=SOON_S)
    assert describe(answer) == outcome
    assert words in answer.message
    request.send(*SCRIPT[1:])
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == WHOLE
