"""An HTTP proxy that knows CONNECT."""

import asyncio
import base64


class ConnectProxy:
    """A proxy that knows CONNECT, and asks for a password where it has one."""

    def __init__(self, loop, target_port, password=None, answer=None):
        self._loop = loop
        self._target_port = target_port
        self._password = password
        self._answer = answer
        self.requests = []
        self._server = loop.listen(self._serve)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self):
        async def close():
            self._server.close()

        self._loop.run(close())

    async def _serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests.append(head)
                if status := self._refusal(head):
                    writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())
                    continue
                break
            back, forth = await asyncio.open_connection("127.0.0.1", self._target_port)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(copy(reader, forth), copy(back, writer), return_exceptions=True)
            forth.transport.abort()
        except (OSError, asyncio.IncompleteReadError):
            pass

    def _refusal(self, head):
        if self._answer:
            return self._answer
        if self._password is None:
            return None
        wanted = base64.b64encode(f"user:{self._password}".encode()).decode()
        if f"Basic {wanted}" in head:
            return None
        return '407 Who\r\nproxy-authenticate: Basic realm="corp"'


async def copy(reader, writer):
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()
