"""RST_STREAM with every code, at every stage of a call, from either side.

What clients do with the end of a call decides: CANCEL is the server's decision and passes; any
other reset within an answer is a lost stream, from which clients re-attach.
"""

import pytest
from frames import ANSWER, OK, data, headers, message, reset
from h2.errors import ErrorCodes
from scene import METHOD, SOON_S, code_name, describe

FIRST, SECOND = message(b"a" * 100), message(b"b" * 200)
CODES = [*ErrorCodes, 0x99]

# Of a client's codes none means anything else than the others.
CLIENT_CODES = [ErrorCodes.NO_ERROR, ErrorCodes.INTERNAL_ERROR, ErrorCodes.CANCEL, 0x99]

# gRPC's own mapping of HTTP/2's codes (PROTOCOL-HTTP2.md); the others are 13.
BEFORE_AN_ANSWER = {
    ErrorCodes.ENHANCE_YOUR_CALM: 8,
    ErrorCodes.INADEQUATE_SECURITY: 7,
}

# stage: what came before the reset, what the client has of it, how the call ends for it
STAGES = {
    "after headers": ([headers(1, ANSWER)], 0, "trailers 14"),
    "at a message boundary": ([headers(1, ANSWER), data(1, FIRST)], 105, "trailers 14"),
    "inside a message": (
        [headers(1, ANSWER), data(1, FIRST), data(1, SECOND[:50])],
        155,
        "RST REFUSED_STREAM",
    ),
    "inside a message's prefix": (
        [headers(1, ANSWER), data(1, FIRST + SECOND[:3])],
        108,
        "RST REFUSED_STREAM",
    ),
}


@pytest.mark.parametrize("code", CODES, ids=code_name)
def test_upstream_resets_before_its_answer(scene, client, code):
    stream, request = scene.begin(client)
    request.send(reset(1, code))
    if code == ErrorCodes.REFUSED_STREAM:  # it did not run, so it is sent again
        scene.upstream.request().answer()
        assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "5 bytes, trailers 0"
        return
    answer = client.wait_for_end(stream, timeout=SOON_S)
    if code == ErrorCodes.CANCEL:  # what it means for a deadline the client's clock tells
        assert describe(answer) == "0 bytes, RST CANCEL"
        return
    assert describe(answer) == f"Trailers-Only {BEFORE_AN_ANSWER.get(code, 13)}"
    assert "workspace.test" in answer.message


@pytest.mark.parametrize("code", CODES, ids=code_name)
@pytest.mark.parametrize("stage", STAGES)
def test_upstream_resets_within_its_answer(scene, client, stage, code):
    frames, size, end = STAGES[stage]
    stream, request = scene.begin(client)
    request.send(*frames)
    client.wait_for(stream, lambda answer: answer.headers and len(answer.data) == size)
    request.send(reset(1, code))
    if code == ErrorCodes.CANCEL:
        end = "RST CANCEL"
    answer = client.wait_for_end(stream, timeout=SOON_S)
    assert describe(answer) == f"{size} bytes, {end}"


@pytest.mark.parametrize("code", [ErrorCodes.NO_ERROR, ErrorCodes.CANCEL], ids=code_name)
def test_upstream_resets_after_a_complete_early_answer(scene, client, code):
    """RFC 9113, 8.1: it wants no more of the request. The answer stands, and the client is told."""
    stream, request = scene.begin(client, message(b"the first of many"), end=False)
    request.send(headers(1, ANSWER), data(1, FIRST), headers(1, OK, end=True), reset(1, code))
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "105 bytes, trailers 0"
    client.wait_for(stream, lambda answer: answer.reset == ErrorCodes.NO_ERROR)


def test_upstream_answers_early_and_leaves_the_request_open(scene, client):
    """The bridge resets a request that nobody reads, NO_ERROR to the client, CANCEL upstream."""
    stream, request = scene.begin(client, message(b"the first of many"), end=False)
    request.send(headers(1, ANSWER), data(1, FIRST), headers(1, OK, end=True))
    assert describe(client.wait_for_end(stream, timeout=SOON_S)) == "105 bytes, trailers 0"
    client.wait_for(stream, lambda answer: answer.reset == ErrorCodes.NO_ERROR)
    assert request.wait_for_reset(SOON_S) == ErrorCodes.CANCEL


@pytest.mark.parametrize("code", CLIENT_CODES, ids=code_name)
@pytest.mark.parametrize("stage", ["before the answer", *STAGES])
def test_client_resets(scene, client, stage, code):
    """Whatever the code, the workspace sees CANCEL: the call is not wanted any more."""
    frames, size, _ = STAGES.get(stage, ([], 0, None))
    stream, request = scene.begin(client, message(b"x"), end=False)
    request.send(*frames)
    if frames:
        client.wait_for(stream, lambda answer: answer.headers and len(answer.data) == size)
    client.cancel(stream, code)
    assert request.wait_for_reset(SOON_S) == ErrorCodes.CANCEL


def test_client_resets_before_the_call_is_sent(scene, client):
    """The connection is not open yet: the workspace never sees the call."""
    stream = client.start(METHOD, end=True)
    link = scene.upstream.accept()
    client.cancel(stream)
    client.ping()
    link.hello, link.acknowledges = scene.upstream.hello, True
    link.shake_hands()
    link.ping()
    assert link.calls == []


def test_client_resets_while_the_answer_waits_for_credit(scene):
    """What was queued for it is dropped, and its connection credit given back."""
    with scene.client(window=10) as client:
        stream, request = scene.begin(client)
        request.send(headers(1, ANSWER), data(1, message(b"x" * 10_000)))
        client.wait_for(stream, lambda answer: len(answer.data) == 10)
        client.cancel(stream)
        assert request.wait_for_reset(SOON_S) == ErrorCodes.CANCEL
