"""A client made of frames, for what a well-behaved gRPC library would not let a test do."""

import socket
import time
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
from hyperframe.frame import Frame, GoAwayFrame

SERVICE = "/spark.connect.SparkConnectService/"
MAX_WINDOW = (1 << 31) - 1


@dataclass
class Answer:
    """What has come on one stream so far."""

    headers: list = None  # the first header list
    data: bytearray = field(default_factory=bytearray)
    trailers: list = None  # a second header list
    ended: bool = False
    reset: int = None  # the error code of RST_STREAM
    chunks: list = field(default_factory=list)  # the sizes of DATA frames, in order

    @property
    def done(self):
        return self.ended or self.reset is not None

    @property
    def trailers_only(self):
        return self.ended and self.trailers is None and not self.chunks

    def value(self, name):
        """A header's or trailer's value; None where it is absent."""
        fields = (self.headers or []) + (self.trailers or [])
        return next((value for key, value in fields if key == name), None)

    @property
    def status(self):
        """The gRPC status, as a number."""
        text = self.value("grpc-status")
        return None if text is None else int(text)

    @property
    def message(self):
        return self.value("grpc-message") or ""


class RawClient:
    """One HTTP/2 connection in clear text. It reads only inside its wait_* methods."""

    def __init__(self, address, *, window=MAX_WINDOW, settings=None):
        """`address` is a port of 127.0.0.1, the path of a Unix socket, or a socket that is
        connected already."""
        if isinstance(address, socket.socket):
            self.socket = address
            self.socket.settimeout(10)
        elif isinstance(address, int):
            self.socket = socket.create_connection(("127.0.0.1", address), timeout=10)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(10)
            self.socket.connect(address)
        # Nothing is validated or mended on the way out: some tests send what is wrong.
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(
                client_side=True,
                header_encoding="utf-8",
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
                validate_inbound_headers=True,
            )
        )
        self.h2.local_settings = h2.settings.Settings(
            client=True,
            initial_values={
                h2.settings.SettingCodes.ENABLE_PUSH: 0,
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window,
                **(settings or {}),
            },
        )
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(MAX_WINDOW - 65535)
        self.goaway = None  # the GOAWAY frame
        self.closed = False  # the bridge closed the connection
        self.pongs = []
        self._answers = {}
        self._unread = bytearray()
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, method, body=b"", *, metadata=(), timeout=10, path=None, extra=()):
        """A whole call; its Answer."""
        stream = self.start(method, metadata=metadata, path=path, extra=extra)
        self.send(stream, body, end=True)
        return self.wait_for_end(stream, timeout=timeout)

    def start(self, method, *, metadata=(), path=None, extra=(), end=False, authority="localhost"):
        """Sends a request's headers; the stream's number. `extra` goes before the metadata."""
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path or SERVICE + method),
            (":authority", authority),
            *extra,
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", "raw-client/1"),
            *metadata,
        ]
        return self.start_with(headers, end=end)

    def start_with(self, headers, *, end=False):
        """Sends exactly these headers."""
        stream = self.h2.get_next_available_stream_id()
        self._answers[stream] = Answer()
        self.h2.send_headers(stream, headers, end_stream=end)
        self.flush()
        return stream

    def send(self, stream, data=b"", *, end=False, timeout=30):
        """Sends a request's data as the windows permit."""
        deadline = time.monotonic() + timeout
        view = memoryview(data)
        while view:
            self._wait_until(lambda: self._room(stream) > 0, deadline, "a window to send in")
            room = self._room(stream)
            part, view = view[:room], view[room:]
            self.h2.send_data(stream, part)
            self.flush()
        if end:
            self.h2.send_data(stream, b"", end_stream=True)
            self.flush()

    def send_what_fits(self, stream, data):
        """Sends until the windows are used up; how many bytes went out. Does not read."""
        sent = 0
        while sent < len(data) and (room := self._room(stream)) > 0:
            self.h2.send_data(stream, data[sent : sent + room])
            self.flush()
            sent += min(room, len(data) - sent)
        return sent

    def cancel(self, stream, code=h2.errors.ErrorCodes.CANCEL):
        self.h2.reset_stream(stream, code)
        self.flush()

    def ping(self, timeout=10):
        """A PING that must be answered."""
        payload = len(self.pongs).to_bytes(8, "big")
        self.h2.ping(payload)
        self.flush()
        deadline = time.monotonic() + timeout
        self._wait_until(lambda: payload in self.pongs, deadline, "the answer to a PING")

    def answer(self, stream):
        return self._answers[stream]

    def wait_for_end(self, stream, *, timeout=10):
        return self.wait_for(stream, lambda answer: answer.done, timeout=timeout)

    def wait_for(self, stream, matches, *, timeout=10):
        """The stream's Answer, once `matches(answer)`."""
        answer = self._answers[stream]
        self._wait_until(lambda: matches(answer), time.monotonic() + timeout, f"{answer}")
        return answer

    def wait_for_goaway(self, *, timeout=10):
        self._wait_until(lambda: self.goaway, time.monotonic() + timeout, "GOAWAY")
        return self.goaway

    def wait_for_close(self, *, timeout=10):
        """Until the bridge has closed the connection."""
        self._wait_until(lambda: self.closed, time.monotonic() + timeout, "the end")

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def close(self):
        self.socket.close()

    def _room(self, stream):
        if self._answers[stream].done:
            raise ConnectionError(f"the stream ended: {self._answers[stream]}")
        window = self.h2.local_flow_control_window(stream)
        return min(window, self.h2.max_outbound_frame_size)

    def _wait_until(self, condition, deadline, what):
        while not condition():
            if self.closed:
                raise ConnectionError(f"the bridge closed the connection before {what}")
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError(f"no {what}")
            self.socket.settimeout(remaining)
            try:
                data = self.socket.recv(1 << 18)
            except TimeoutError:
                continue
            except ConnectionResetError:
                data = b""
            if not data:
                self.closed = True
                continue
            self._unread += data
            self._read_frames()
            self.socket.settimeout(10)
            self.flush()

    def _read_frames(self):
        while len(self._unread) >= 9:
            frame, length = Frame.parse_frame_header(memoryview(bytes(self._unread[:9])))
            if len(self._unread) < 9 + length:
                return
            data = bytes(self._unread[: 9 + length])
            del self._unread[: 9 + length]
            if isinstance(frame, GoAwayFrame):
                # The library would take nothing more, but calls may go on after a GOAWAY.
                frame.parse_body(memoryview(data[9:]))
                self.goaway = frame
                continue
            for event in self.h2.receive_data(data):
                self._on_event(event)

    def _on_event(self, event):
        answer = self._answers.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ResponseReceived):
            answer.headers = list(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            answer.data += event.data
            answer.chunks.append(len(event.data))
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            answer.trailers = list(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            answer.ended = True
        elif isinstance(event, h2.events.StreamReset):
            answer.reset = int(event.error_code)
        elif isinstance(event, h2.events.PingAckReceived):
            self.pongs.append(event.ping_data)
