"""A TCP relay that holds every byte for a while, each way: distance where there is no netem.

    delay_relay.py MILLISECONDS TARGET_PORT

It listens on a free port of 127.0.0.1, which it prints. A process of its own, so that it is not
held up by what is measured over it; `DelayRelay` runs it.
"""

import asyncio
import socket
import sys
from collections import deque

# More than any bandwidth times delay that is measured here; past it the sender waits.
HELD_BYTES = 64 << 20


class _End(asyncio.Protocol):
    """One of the two sockets of a connection; what it reads leaves by the other."""

    def __init__(self, delay_s, on_connected=lambda end: None):
        self._delay_s = delay_s
        self._on_connected = on_connected
        self._loop = asyncio.get_running_loop()
        self._held = deque()  # (when due, bytes); empty bytes are the end
        self._held_bytes = 0
        self._timer = None
        self._full = False  # the other socket takes nothing now
        self.other = None

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(0)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._on_connected(self)

    def data_received(self, data):
        self._held.append((self._loop.time() + self._delay_s, data))
        self._held_bytes += len(data)
        if self._held_bytes > HELD_BYTES:
            self.transport.pause_reading()
        if self._timer is None and not self._full:
            self._arm()

    def eof_received(self):
        self.data_received(b"")
        return True

    def connection_lost(self, error):
        if self.other is not None:
            self.other.transport.abort()

    def pause_writing(self):
        self.other._full = True

    def resume_writing(self):
        self.other._full = False
        self.other._pass_on()

    def _arm(self):
        self._timer = self._loop.call_at(self._held[0][0], self._pass_on)

    def _pass_on(self):
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._loop.time() + 0.0005
        while self._held and self._held[0][0] <= now and not self._full:
            _, data = self._held.popleft()
            if data:
                self._held_bytes -= len(data)
                self.other.transport.write(data)
            else:
                self.other.transport.write_eof()
        if self._held_bytes <= HELD_BYTES // 2:
            self.transport.resume_reading()
        if self._held and not self._full:
            self._arm()


async def _serve(delay_s, target_port):
    loop = asyncio.get_running_loop()
    connecting = set()

    def on_connected(near):
        near.transport.pause_reading()
        task = loop.create_task(connect(near))
        connecting.add(task)
        task.add_done_callback(connecting.discard)

    async def connect(near):
        try:
            _, far = await loop.create_connection(lambda: _End(delay_s), "127.0.0.1", target_port)
        except OSError:
            near.transport.abort()
            return
        near.other, far.other = far, near
        near.transport.resume_reading()

    server = await loop.create_server(lambda: _End(delay_s, on_connected), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class DelayRelay:
    """The relay as a child process; a context manager."""

    def __init__(self, delay_ms, target_port):
        from workspace.processes import Child

        argv = [sys.executable, __file__, delay_ms, target_port]
        self._child = Child("the delay relay", argv)
        self.port = int(self._child.wait_for_line(str.strip, timeout=30))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.stop()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]) / 1000, int(sys.argv[2])))
