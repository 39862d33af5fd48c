"""A client made of HTTP/2 frames: connections that do nothing, calls that wait, readers that stall.

It understands no header blocks: an answer without DATA is a refusal.
"""

import select
import socket
import struct
import time

from load import SERVICE

LARGEST_WINDOW = (1 << 31) - 1
_FIRST_WINDOW = 65535
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
_ACK = _END_STREAM = 1
_END_HEADERS = 4
_CANCEL = 8


class Unanswered(RuntimeError):
    """The peer closed the connection, reset the call, or was silent for too long."""


def _frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _header(name, value):
    """A literal that is never indexed, without Huffman's code: RFC 7541, 6.2.3."""
    return b"".join(
        (b"\x10", bytes([len(name)]), name.encode(), bytes([len(value)]), value.encode())
    )


def _request(method, authority):
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": SERVICE + method,
        ":authority": authority,
        "content-type": "application/grpc",
        "te": "trailers",
    }
    return b"".join(_header(name, value) for name, value in fields.items())


class Connection:
    """It reads only inside `shake_hands` and `wait_for`."""

    def __init__(self, port, receive_buffer=None):
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(10)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._authority = f"localhost:{port}"
        self._next, self._bytes = 1, b""
        self._answered, self._ended = set(), set()  # streams
        self._is_ready = False
        window = _frame(_WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGEST_WINDOW - _FIRST_WINDOW))
        settings = struct.pack(">HI", 4, LARGEST_WINDOW)  # SETTINGS_INITIAL_WINDOW_SIZE
        self._socket.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, settings) + window)

    def shake_hands(self, timeout=10):
        """Until both sides' SETTINGS are acknowledged."""
        self._read_until(lambda: self._is_ready, timeout)
        return self

    def call(self, method, message):
        """Sends a whole request; its stream."""
        stream, self._next = self._next, self._next + 2
        headers = _frame(_HEADERS, _END_HEADERS, stream, _request(method, self._authority))
        self._socket.sendall(headers + _frame(_DATA, _END_STREAM, stream, message))
        return stream

    def cancel(self, streams):
        reset = struct.pack(">I", _CANCEL)
        self._socket.sendall(b"".join(_frame(_RESET, 0, stream, reset) for stream in streams))

    def wait_for(self, stream, timeout):
        self._read_until(lambda: stream in self._ended, timeout)
        if stream not in self._answered:
            raise Unanswered("the call was refused")

    def close(self):
        self._socket.close()

    def _read_until(self, is_done, timeout):
        deadline = time.monotonic() + timeout
        while not is_done():
            left = deadline - time.monotonic()
            poll = select.poll()  # select() takes no descriptor above 1023
            poll.register(self._socket, select.POLLIN)
            if left <= 0 or not poll.poll(left * 1000):
                raise Unanswered(f"nothing for {timeout} s")
            try:
                received = self._socket.recv(1 << 18)
            except ConnectionError as error:
                raise Unanswered(str(error)) from error
            if not received:
                raise Unanswered("the connection was closed")
            self._bytes += received
            self._take_frames()

    def _take_frames(self):
        at = 0
        while len(self._bytes) - at >= 9:
            length = int.from_bytes(self._bytes[at : at + 3], "big")
            if len(self._bytes) - at < 9 + length:
                break
            kind, flags, stream = struct.unpack_from(">BBI", self._bytes, at + 3)
            self._on_frame(kind, flags, stream, self._bytes[at + 9 : at + 9 + length])
            at += 9 + length
        self._bytes = self._bytes[at:]

    def _on_frame(self, kind, flags, stream, payload):
        if kind == _SETTINGS and flags & _ACK:
            self._is_ready = True
        elif kind == _SETTINGS:
            self._socket.sendall(_frame(_SETTINGS, _ACK, 0))
        elif kind == _PING and not flags & _ACK:
            self._socket.sendall(_frame(_PING, _ACK, 0, payload))
        elif kind == _RESET:
            raise Unanswered(f"stream {stream} was reset with {int.from_bytes(payload, 'big')}")
        if kind == _DATA:
            self._answered.add(stream)
        if kind in (_DATA, _HEADERS) and flags & _END_STREAM:
            self._ended.add(stream)
