"""Relays in front of the workspace, which pass bytes on as they are.

One writes down every header list, since nginx shows one value of a header that came twice. The
other cuts its connections in the middle of what they carry.
"""

import asyncio
import socket
import ssl
import struct
import threading
from dataclasses import dataclass

from hpack import Decoder
from hyperframe.frame import ContinuationFrame, Frame, HeadersFrame

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_FRAME_HEADER_BYTES = 9


@dataclass(frozen=True)
class SeenRequest:
    connection: int
    stream: int
    headers: tuple  # of (name, value) in the order of the wire

    def values(self, name):
        """All values of a header, whatever the case or separators of its name."""
        wanted = _plain(name)
        return [value for key, value in self.headers if _plain(key) == wanted]


class RecordingRelay:
    """Listens with TLS on 127.0.0.1:`port`; each connection goes on to `target` in clear text."""

    def __init__(self, loop, certificate, target):
        self._loop = loop
        self._target = target
        self._changed = threading.Condition()
        self._seen = []
        self._connections = 0
        self._server = loop.listen(self._serve, certificate.server_context(), limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]

    def seen(self):
        with self._changed:
            return list(self._seen)

    def wait_for(self, matches, *, timeout=10):
        """The first recorded request for which `matches(request)` is true."""
        with self._changed:
            found = self._changed.wait_for(
                lambda: next((seen for seen in self._seen if matches(seen)), None), timeout
            )
            if not found:
                raise TimeoutError(f"no such request among {[s.headers for s in self._seen]}")
            return found

    def stop(self):
        async def close():
            self._server.close()

        self._loop.run(close())

    async def _serve(self, reader, writer):
        self._connections += 1
        recorder = _HeaderRecorder(self._connections, self._record)
        try:
            back_reader, back_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        forth = asyncio.create_task(_copy(reader, back_writer, recorder.feed))
        back = asyncio.create_task(_copy(back_reader, writer, lambda data: None))
        try:
            await asyncio.wait((forth, back), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (forth, back):
                task.cancel()
            await asyncio.gather(forth, back, return_exceptions=True)
            for end in (writer, back_writer):
                end.transport.abort()

    def _record(self, request):
        with self._changed:
            self._seen.append(request)
            self._changed.notify_all()


class CuttingRelay:
    """Listens on 127.0.0.1:`port` and pairs each connection with one to `target`.

    With a certificate it ends TLS, and goes on in clear text. It keeps a few hundred kilobytes at
    most: what is under way is bounded by the windows of the two that speak HTTP/2 through it.
    """

    def __init__(self, loop, target, certificate=None):
        self._loop = loop
        self._target = target
        self._pairs = set()
        self._left = None  # bytes until the cut, or None
        self._reset = False
        self.cuts = 0
        context = certificate.server_context() if certificate else None
        self._server = loop.listen(self._serve, context, limit=1 << 17)
        self.port = self._server.sockets[0].getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        async def close():
            self._server.close()
            self._cut()

        self._loop.run(close())

    def cut_after(self, count, *, reset):
        """Cuts every connection once the target has sent `count` more bytes: RST, or FIN."""

        async def arm():
            self._left, self._reset = count, reset

        self._loop.run(arm())

    async def _serve(self, reader, writer):
        try:
            back_reader, back_writer = await asyncio.open_connection(*self._target, limit=1 << 17)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, back_writer)
        self._pairs.add(pair)
        forth = asyncio.create_task(_copy(reader, back_writer, lambda data: None))
        back = asyncio.create_task(_copy(back_reader, writer, self._count))
        try:
            await asyncio.wait((forth, back), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._pairs.discard(pair)
            for task in (forth, back):
                task.cancel()
            await asyncio.gather(forth, back, return_exceptions=True)
            for end in pair:
                end.transport.abort()

    def _count(self, data):
        if self._left is None:
            return
        self._left -= len(data)
        if self._left <= 0:
            self._left = None
            self.cuts += 1
            self._cut()

    def _cut(self):
        for pair in self._pairs:
            for end in pair:
                if self._reset:
                    reset_on_close(end)
                end.transport.abort()


def reset_on_close(writer):
    """Makes the end of this connection a TCP reset."""
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _HeaderRecorder:
    """Follows the client's half of one connection."""

    def __init__(self, connection, record):
        self._connection = connection
        self._record = record
        self._buffer = bytearray()
        self._preface_left = len(_PREFACE)
        self._block = b""
        self._decoder = Decoder(max_header_list_size=1 << 20)
        self._decoder.max_allowed_table_size = 1 << 16

    def feed(self, data):
        skipped = min(self._preface_left, len(data))
        self._preface_left -= skipped
        self._buffer += data[skipped:]
        while len(self._buffer) >= _FRAME_HEADER_BYTES:
            frame, length = Frame.parse_frame_header(memoryview(self._buffer)[:9].tobytes())
            end = _FRAME_HEADER_BYTES + length
            if len(self._buffer) < end:
                return
            if isinstance(frame, (HeadersFrame, ContinuationFrame)):
                frame.parse_body(memoryview(bytes(self._buffer[_FRAME_HEADER_BYTES:end])))
                self._on_block(frame)
            del self._buffer[:end]

    def _on_block(self, frame):
        self._block += frame.data
        if "END_HEADERS" not in frame.flags:
            return
        headers = self._decoder.decode(self._block, raw=True)
        self._block = b""
        pairs = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
        self._record(SeenRequest(self._connection, frame.stream_id, pairs))


async def _copy(reader, writer, watch):
    try:
        while data := await reader.read(1 << 18):
            watch(data)
            writer.write(data)
            await writer.drain()
    except (OSError, ssl.SSLError):
        pass


def _plain(name):
    return name.lower().replace("_", "-")
