"""HTTP/2 made of frames, for peers that break its rules; either side, with TLS or without.

All of it runs in the test's own thread: a peer reads only while the test waits for something, and
sends exactly what it is told. Only SETTINGS and PING are answered by themselves, unless a test
says otherwise.
"""

import select
import socket
import ssl
import struct
import time

import hpack
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SERVICE = "/spark.connect.SparkConnectService/"
HEADER_BYTES = 9
RESET, DATA, HEADERS, PING = RstStreamFrame, DataFrame, HeadersFrame, PingFrame
GOAWAY, SETTINGS, WINDOW_UPDATE = GoAwayFrame, SettingsFrame, WindowUpdateFrame

ANSWER = [(":status", "200"), ("content-type", "application/grpc")]
OK = [("grpc-status", "0")]
REQUEST = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", SERVICE + "Config"),
    (":authority", "localhost"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
]


# ---- frames to send ------------------------------------------------------------------------------


def message(payload):
    """A gRPC message: the five-byte prefix and the payload."""
    return struct.pack(">BI", 0, len(payload)) + payload


def block(fields):
    """A header block that needs nothing of the connection's earlier ones."""
    return hpack.Encoder().encode(fields)


def headers(stream, fields, *, end=False, **options):
    """A whole header list in one HEADERS frame."""
    flags = ["END_HEADERS", *(["END_STREAM"] if end else []), *options.pop("flags", [])]
    return HeadersFrame(stream, data=block(fields), flags=flags, **options)


def split_headers(stream, fields, parts, *, end=False):
    """The same list in HEADERS and `parts` - 1 CONTINUATION frames."""
    data = block(fields)
    step = -(-len(data) // parts)
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    pieces += [b""] * (parts - len(pieces))
    frames = [HeadersFrame(stream, data=pieces[0], flags=["END_STREAM"] if end else [])]
    frames += [ContinuationFrame(stream, data=piece) for piece in pieces[1:]]
    frames[-1].flags.add("END_HEADERS")
    return frames


def data(stream, payload, *, end=False, pad=None):
    flags = [*(["END_STREAM"] if end else []), *(["PADDED"] if pad is not None else [])]
    return DataFrame(stream, data=payload, flags=flags, pad_length=pad or 0)


def reset(stream, code):
    return RstStreamFrame(stream, error_code=code)


def goaway(last, code=0, text=b""):
    return GoAwayFrame(0, last_stream_id=last, error_code=code, additional_data=text)


def settings(**values):
    """SETTINGS by name: settings(initial_window_size=0); x_42=7 is the setting 42."""
    return SettingsFrame(0, settings={_setting(name): value for name, value in values.items()})


def settings_ack():
    return SettingsFrame(0, flags=["ACK"])


def credit(stream, increment):
    return WindowUpdateFrame(stream, window_increment=increment)


def raw(kind, flags, stream, payload, length=None):
    """Any frame as bytes, also a wrong one; `length` where the header shall not tell the truth."""
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def serialize(frames):
    """The bytes of frames, of which some may be bytes already."""
    return b"".join(f if isinstance(f, bytes) else f.serialize() for f in _flatten(frames))


def _flatten(frames):
    for frame in frames:
        if isinstance(frame, (list, tuple)):
            yield from _flatten(frame)
        else:
            yield frame


def _setting(name):
    if name.startswith("x_"):
        return int(name[2:])
    return getattr(SettingsFrame, name.upper())


HELLO = (settings(),)  # what an upstream's connection begins with


# ---- a connection --------------------------------------------------------------------------------


class Link:
    """One end of a connection. `tls` is the ssl.SSLContext of a server, or None.

    `frames` holds what has come, whole header lists as `fields` of their HEADERS frame; `end` says
    how the other side closed: "close_notify", "FIN", "RST", or a reason of OpenSSL's.
    """

    def __init__(self, sock, tls=None, *, is_server):
        self.socket = sock
        self.frames = []
        self.end = None
        self.open = True  # on our side
        self.hello = ()  # what a server sends when TLS is up
        self.acknowledges = not tls  # SETTINGS; a server when it has sent its own
        self.answers_pings = True
        self.decoder = hpack.Decoder(max_header_list_size=1 << 20)
        self.begun = False  # TLS is up
        self._buffer = bytearray()
        self._skip = len(PREFACE) if is_server else 0
        self._block = None  # the HEADERS frame whose CONTINUATION is awaited
        self.calls = []  # HEADERS of requests that nobody has taken yet
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = None
        if tls:
            self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = tls.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def send(self, *frames):
        self.send_bytes(serialize(frames))

    def send_bytes(self, payload):
        """In one TLS record where that is possible, and in one write."""
        if not self.tls:
            self.socket.sendall(payload)
            return
        if payload:
            self.tls.write(payload)
        self.flush()

    def flush(self):
        """Sends the ciphertext that TLS has made."""
        if pending := self.outgoing.read():
            self.socket.sendall(pending)

    def first(self, kind, stream=None, **attributes):
        """The first frame of that kind that has come; None where there is none."""
        return next(iter(self.all(kind, stream, **attributes)), None)

    def all(self, kind, stream=None, **attributes):
        return [
            frame
            for frame in self.frames
            if isinstance(frame, kind)
            and stream in (None, frame.stream_id)
            and all(getattr(frame, name) == value for name, value in attributes.items())
        ]

    def wait(self, kind, stream=None, *, timeout=5, **attributes):
        """The first frame of that kind, with these attributes, once it has come."""
        return self.until(lambda: self.first(kind, stream, **attributes), timeout=timeout)

    def wait_for_end(self, timeout=5):
        return self.until(lambda: self.end, timeout=timeout)

    def data(self, stream):
        """The DATA that has come on a stream."""
        return b"".join(frame.data for frame in self.all(DataFrame, stream))

    def ping(self, payload=b"are you?", timeout=5):
        """A round trip: what was sent before has been read, what it caused has come."""
        count = len(self.all(PingFrame, opaque_data=payload))
        self.send(PingFrame(0, opaque_data=payload))
        self.until(lambda: len(self.all(PingFrame, opaque_data=payload)) > count, timeout=timeout)

    def until(self, condition, *, timeout=5):
        """What `condition` returns, once that is something true."""
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            left = deadline - time.monotonic()
            if self.end or left <= 0:
                raise TimeoutError(f"it did not come; the end: {self.end}; seen: {self.frames}")
            if select.select([self.socket], [], [], left)[0]:
                self.read()
        return found

    def read(self):
        """Takes what the socket has; it must be readable."""
        try:
            received = self.socket.recv(1 << 18)
        except ConnectionResetError:
            self.end = "RST"
            return
        if not received:
            self.end = self.end or "FIN"
            return
        if self.tls:
            self.incoming.write(received)
            self._read_tls()
        else:
            self._feed(received)

    def shake_hands(self, timeout=5):
        """The TLS handshake, as the server."""
        deadline = time.monotonic() + timeout
        while not self.begun:
            if not select.select([self.socket], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("the TLS handshake did not get on")
            self.read()
            if self.end:
                raise ConnectionError(f"the TLS handshake ended with {self.end}")

    def close(self):
        """FIN, without a word."""
        if self.open:
            self.open = False
            self.socket.shutdown(socket.SHUT_RDWR) if not self.end else None
            self.socket.close()

    def abort(self):
        """A TCP reset."""
        if self.open:
            self.open = False
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()

    def _read_tls(self):
        try:
            if not self.begun:
                self.tls.do_handshake()
                self.begun = True
                self.send(*self.hello)
            while received := self.tls.read(1 << 16):
                self._feed(received)
            self.end = "close_notify"
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.end = "close_notify"
        except ssl.SSLError as error:
            if not self.begun:
                raise
            self.end = error.reason
        finally:
            self.flush()

    def _feed(self, received):
        skipped = min(self._skip, len(received))
        self._skip -= skipped
        self._buffer += received[skipped:]
        while len(self._buffer) >= HEADER_BYTES:
            frame, length = Frame.parse_frame_header(memoryview(bytes(self._buffer[:HEADER_BYTES])))
            if len(self._buffer) < HEADER_BYTES + length:
                return
            frame.parse_body(memoryview(bytes(self._buffer[HEADER_BYTES : HEADER_BYTES + length])))
            del self._buffer[: HEADER_BYTES + length]
            self._on_frame(frame)

    def _on_frame(self, frame):
        if isinstance(frame, (HeadersFrame, ContinuationFrame)):
            first = self._block or frame
            self._block = first
            if first is not frame:
                first.data += frame.data
            if "END_HEADERS" not in frame.flags:
                return
            first.fields = self.decoder.decode(first.data)
            frame, self._block = first, None
            if first.fields[0][0] == ":method":
                self.calls.append(first)
        if "ACK" not in frame.flags and self.open:
            if isinstance(frame, SettingsFrame) and self.acknowledges:
                self.send(settings_ack())
            if isinstance(frame, PingFrame) and self.answers_pings:
                self.send(PingFrame(0, opaque_data=frame.opaque_data, flags=["ACK"]))
        self.frames.append(frame)


# ---- the workspace's side ------------------------------------------------------------------------


class Request:
    """A call as the upstream sees it."""

    def __init__(self, link, frame):
        self.link = link
        self.stream = frame.stream_id
        self.fields = frame.fields

    def send(self, *makers):
        """Sends frames, made by functions of the stream's number."""
        self.link.send(*frames_of(makers, self.stream))

    def answer(self, payload=b"", status=0):
        """A whole answer."""
        self.link.send(
            headers(self.stream, ANSWER),
            data(self.stream, message(payload)),
            headers(self.stream, [("grpc-status", str(status))], end=True),
        )

    def wait_for_reset(self, timeout=5):
        """The code of the RST_STREAM that the bridge sends."""
        return self.link.wait(RstStreamFrame, self.stream, timeout=timeout).error_code

    def wait_for_body(self, size, timeout=5):
        self.link.until(lambda: len(self.body) >= size, timeout=timeout)
        return self.body

    @property
    def body(self):
        return self.link.data(self.stream)

    @property
    def ended(self):
        frames = [*self.link.all(DataFrame, self.stream), *self.link.all(HeadersFrame, self.stream)]
        return any("END_STREAM" in frame.flags for frame in frames)


def frames_of(makers, stream):
    """Frames for a stream from functions of its number; what is no function is taken as it is."""
    return [maker(stream) if callable(maker) else maker for maker in makers]


class Upstream:
    """The workspace's place: a port of 127.0.0.1 whose connections the test drives as Links.

    Each connection begins with `hello`; `context` is the TLS context of the next.
    """

    def __init__(self, context, address="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family, backlog=512)
        self.port = self.listener.getsockname()[1]
        self.context = context
        self.hello = HELLO
        self.links = []
        self.accepted = 0

    def accept(self, timeout=5):
        """The next connection as it comes from TCP."""
        self.listener.settimeout(timeout)
        sock, _ = self.listener.accept()
        return self.adopt(sock)

    def adopt(self, sock):
        """Takes a socket that was accepted elsewhere for one of ours."""
        sock.setblocking(True)
        link = Link(sock, self.context, is_server=True)
        self.links.append(link)
        self.accepted += 1
        return link

    def open(self, timeout=5):
        """The next connection, with TLS and our hello sent."""
        link = self.accept(timeout)
        link.hello, link.acknowledges = self.hello, True
        link.shake_hands(timeout)
        return link

    def request(self, timeout=5):
        """The next call, on whatever connection it comes."""
        deadline = time.monotonic() + timeout
        while not (found := self._new_request()):
            left = deadline - time.monotonic()
            live = {link.socket: link for link in self.links if link.open and not link.end}
            ready = select.select([self.listener, *live], [], [], max(0, left))[0]
            if not ready:
                raise TimeoutError("no call came")
            for sock in ready:
                if sock is self.listener:
                    self.open(left)
                else:
                    live[sock].read()
        return found

    def requests(self, count, timeout=5):
        return [self.request(timeout) for _ in range(count)]

    def close_links(self):
        for link in self.links:
            link.close()
        self.links.clear()

    def stop(self):
        self.close_links()
        self.listener.close()

    def _new_request(self):
        for link in self.links:
            if link.open and link.calls:
                return Request(link, link.calls.pop(0))
        return None
