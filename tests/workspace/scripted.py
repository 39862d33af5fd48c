"""An HTTP/2 server that does what a test tells it, frame by frame if need be.

A handler is `async def handler(stream)`, registered for a path. The rest of the protocol (flow
control, SETTINGS, PING) is the h2 library's.
"""

import asyncio
import socket
import ssl
import struct
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from hyperframe.frame import GoAwayFrame

GRPC_HEADERS = [(":status", "200"), ("content-type", "application/grpc")]


def message(payload):
    """A gRPC message: the five-byte prefix and the payload."""
    return struct.pack(">BI", 0, len(payload)) + payload


class Reset(Exception):
    """The other side reset the stream or left."""


class Stream:
    """One request at the server. Handlers run on the loop thread."""

    def __init__(self, connection, number, headers):
        self.headers = headers
        self.number = number
        self._connection = connection
        self._chunks = asyncio.Queue()
        self._credit = asyncio.Event()
        self.gone = asyncio.Event()  # reset by the peer, or the connection ended
        self.reset_code = None  # of the peer's RST_STREAM
        self.sent_bytes = 0  # of DATA

    @property
    def path(self):
        return self.value(":path")

    def value(self, name):
        return next((value for key, value in self.headers if key == name), None)

    async def chunks(self):
        """The request's body in the pieces it came in."""
        while (chunk := await self._chunks.get()) is not None:
            yield chunk

    async def body(self):
        return b"".join([chunk async for chunk in self.chunks()])

    def send_headers(self, headers, end=False):
        self._connection.h2.send_headers(self.number, headers, end_stream=end)
        self._connection.flush()

    async def send_data(self, data, end=False):
        """Sends as the peer's windows permit; Reset when the peer does not want it."""
        view = memoryview(data)
        while view:
            room = self._connection.room(self.number)
            if room == 0:
                await self._wait_for_credit()
                continue
            part, view = view[:room], view[room:]
            self._connection.h2.send_data(self.number, part, end_stream=end and not view)
            self.sent_bytes += len(part)
            await self._connection.drain()

    def trailers(self, status=0, text=None, extra=()):
        """Ends the stream with gRPC trailers."""
        trailers = [("grpc-status", str(status)), *extra]
        if text is not None:
            trailers.append(("grpc-message", text))
        self.send_headers(trailers, end=True)

    def reset(self, code=h2.errors.ErrorCodes.CANCEL):
        self._connection.h2.reset_stream(self.number, code)
        self._connection.flush()

    def goaway(self):
        """Says that no new streams are welcome on this connection; those there go on."""
        self._connection.goaway(self.number)

    def close_connection(self):
        """Says good-bye in order, in the middle of everything."""
        self._connection.goaway(self.number)
        self._connection.close()

    def abort_connection(self):
        """A TCP reset, as from a machine that went away."""
        self._connection.abort()

    async def _wait_for_credit(self):
        self._credit.clear()
        gone = asyncio.ensure_future(self.gone.wait())
        credit = asyncio.ensure_future(self._credit.wait())
        try:
            await asyncio.wait((gone, credit), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            credit.cancel()
        if self.gone.is_set():
            raise Reset()


class _Server:
    """Listens on 127.0.0.1:`port`; a context manager."""

    def __init__(self, loop, context=None):
        self._loop = loop
        self._writers = set()
        self._stopped = False
        self._server = loop.listen(self._accept, context)
        self.port = self._server.sockets[0].getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        async def close():
            self._stopped = True
            self._server.close()
            for writer in self._writers:
                writer.transport.abort()

        self._loop.run(close())

    async def _accept(self, reader, writer):
        if self._stopped:  # its handshake was under way
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            await self._serve(reader, writer)
        finally:
            self._writers.discard(writer)

    async def _serve(self, reader, writer):
        raise NotImplementedError


class ScriptedServer(_Server):
    """On 127.0.0.1:`port`, with TLS where `certificate` is given.

    `tls` holds what Python knows of each connection's TLS, in the order they came, and
    `requests` holds the streams in the order they came; `wait_for_request` waits for the next.
    """

    def __init__(self, loop, certificate=None, *, window=1 << 20, settings=None, **tls):
        """`tls` goes to the certificate's server_context()."""
        self._handlers = {}
        self._changed = threading.Condition()
        self.requests = []
        self.connections = 0
        self.tls = []
        self.window = window
        self.settings = settings or {}
        super().__init__(loop, certificate.server_context(**tls) if certificate else None)

    def on(self, path, handler):
        """Registers a handler; the path "*" is for requests that no other one takes."""
        self._handlers[path] = handler

    def wait_for_request(self, path, *, count=1, timeout=10):
        """The stream of the `count`th request for a path, once it has come."""
        with self._changed:
            found = self._changed.wait_for(
                lambda: [stream for stream in self.requests if stream.path == path][count - 1 :],
                timeout,
            )
            if not found:
                raise TimeoutError(f"no request {count} for {path}: {self.requests}")
            return found[0]

    def wait_for_connection(self, *, count=1, timeout=10):
        """Until `count` connections have been accepted in all."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.connections >= count, timeout):
                raise TimeoutError(f"{self.connections} connections, not {count}")

    def call(self, function, *arguments):
        """Runs `function` on the loop thread, where streams may be touched."""

        async def run():
            return function(*arguments)

        return self._loop.run(run())

    def run(self, coroutine, timeout=30):
        return self._loop.run(coroutine, timeout)

    async def _serve(self, reader, writer):
        with self._changed:
            self.connections += 1
            self.tls.append(writer.get_extra_info("ssl_object"))
            self._changed.notify_all()
        await _Connection(self, reader, writer).run()

    def handler_of(self, stream):
        with self._changed:
            self.requests.append(stream)
            self._changed.notify_all()
        return self._handlers.get(stream.path) or self._handlers.get("*") or _unimplemented


class ResettingServer(_Server):
    """Accepts TCP connections and resets them at once."""

    async def _serve(self, _reader, writer):
        _reset(writer)


class SilentServer(_Server):
    """Accepts TCP connections and never says a word."""

    async def _serve(self, reader, _writer):
        await reader.read()


class Http1Server(_Server):
    """A TLS server without HTTP/2: to anything it says 400 in HTML, over HTTP/1.1."""

    def __init__(self, loop, certificate, alpn=("http/1.1",)):
        super().__init__(loop, certificate.server_context(alpn))

    async def _serve(self, reader, writer):
        try:
            await reader.read(1 << 16)
            page = b"<html><body>Bad Request</body></html>"
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n")
            writer.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(page), page))
            await writer.drain()
        except (OSError, ssl.SSLError):
            pass


class _Connection:
    def __init__(self, server, reader, writer):
        config = h2.config.H2Configuration(
            client_side=False,
            header_encoding="utf-8",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.h2 = h2.connection.H2Connection(config)
        self._server = server
        self._reader = reader
        self._writer = writer
        self._streams = {}
        self._tasks = set()

    async def run(self):
        # As initial values: update_settings() would be followed by the defaults and undone.
        self.h2.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: self._server.window,
                **self._server.settings,
            },
        )
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window((1 << 31) - 1 - 65535)
        try:
            self.flush()
            while data := await self._reader.read(1 << 18):
                for event in self.h2.receive_data(data):
                    self._on_event(event)
                self.flush()
        except (OSError, ssl.SSLError, h2.exceptions.ProtocolError):
            self.flush()
        finally:
            for stream in self._streams.values():
                self._end(stream)
            for task in list(self._tasks):
                task.cancel()

    def room(self, number):
        """How much DATA may be sent now; 0 where the stream is gone, too."""
        try:
            window = self.h2.local_flow_control_window(number)
        except h2.exceptions.StreamClosedError as error:
            raise Reset() from error
        return max(0, min(window, self.h2.max_outbound_frame_size))

    def flush(self):
        data = self.h2.data_to_send()
        if data and not self._writer.is_closing():
            self._writer.write(data)

    async def drain(self):
        self.flush()
        await self._writer.drain()

    def goaway(self, last):
        # Not by the library, which would then take nothing more on this connection.
        frame = GoAwayFrame(0, last_stream_id=last)
        self._writer.write(self.h2.data_to_send() + frame.serialize())

    def close(self):
        self._writer.close()

    def abort(self):
        _reset(self._writer)

    def _on_event(self, event):
        number = getattr(event, "stream_id", 0)
        stream = self._streams.get(number)
        if isinstance(event, h2.events.RequestReceived):
            stream = Stream(self, number, event.headers)
            self._streams[number] = stream
            self._start(self._server.handler_of(stream), stream)
        elif isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, number)
            stream._chunks.put_nowait(event.data)
        elif isinstance(event, h2.events.StreamEnded):
            stream._chunks.put_nowait(None)
        elif isinstance(event, h2.events.StreamReset) and stream:
            stream.reset_code = event.error_code
            self._end(stream)
        elif isinstance(event, (h2.events.WindowUpdated, h2.events.RemoteSettingsChanged)):
            for waiting in [stream] if stream else self._streams.values():
                waiting._credit.set()

    def _start(self, handler, stream):
        async def run():
            try:
                await handler(stream)
            except (Reset, OSError, ssl.SSLError, h2.exceptions.ProtocolError):
                pass

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    def _end(stream):
        stream.gone.set()
        stream._chunks.put_nowait(None)


def _reset(writer):
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _unimplemented(stream):
    stream.send_headers([*GRPC_HEADERS, ("grpc-status", "12")], end=True)
