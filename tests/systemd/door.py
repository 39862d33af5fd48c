"""A way out of a machine without network: a port of its loopback leads to one of the host's."""

import asyncio
import contextlib


class Door:
    """Connections to `port` inside of the machine end at 127.0.0.1:`target` here."""

    def __init__(self, loop, machine, port, target):
        self._loop = loop
        self._target = target
        self._writers = set()
        self._server = loop.run(asyncio.start_server(self._serve, sock=machine.listen(port)))

    def stop(self):
        async def close():
            self._server.close()
            for writer in self._writers:
                writer.transport.abort()

        self._loop.run(close())

    async def _serve(self, reader, writer):
        out_reader, out_writer = await asyncio.open_connection("127.0.0.1", self._target)
        writers = {writer, out_writer}
        self._writers |= writers
        try:
            await asyncio.gather(_copy(reader, out_writer), _copy(out_reader, writer))
        finally:
            self._writers -= writers
            for each in writers:
                each.close()


async def _copy(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
