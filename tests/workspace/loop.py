"""One asyncio loop in a thread of its own, for the servers written in Python."""

import asyncio
import ssl
import threading

_CLOSE_S = 5  # then a connection is aborted


class LoopThread:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self._open = set()  # of writers
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def run(self, coroutine, timeout=30):
        """Runs `coroutine` on the loop and waits here for its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def listen(self, serve, context=None, **options):
        """An asyncio server on 127.0.0.1 and a free port; `serve(reader, writer)` has a connection
        until it returns.

        The loop alone would not do: it forgets a connection that waits for neither bytes nor room,
        which is then lost as garbage.
        """

        async def keep(reader, writer):
            self._open.add(writer)
            try:
                await serve(reader, writer)
            finally:
                await self._close(writer)

        return self.run(asyncio.start_server(keep, "127.0.0.1", 0, ssl=context, **options))

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    async def _close(self, writer):
        writer.close()
        try:
            await asyncio.wait_for(writer.wait_closed(), _CLOSE_S)
        except (OSError, ssl.SSLError, TimeoutError):
            writer.transport.abort()
        finally:
            self._open.discard(writer)

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        for writer in self._open:
            writer.transport.abort()
        leftovers = asyncio.all_tasks(self.loop)
        for task in leftovers:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*leftovers, return_exceptions=True))
