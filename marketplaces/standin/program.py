"""The stand-in as a running thing: in a thread of a test, or a program of its own."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

from marketplaces.standin.app import App
from marketplaces.standin.arrivals import Arrivals
from marketplaces.standin.server import Connection, listen
from marketplaces.standin.state import SECONDS_BETWEEN_WRITES
from marketplaces.standin.world import World

T = TypeVar("T")
SECONDS_BETWEEN_MEMORIES = 3600.0


class Running:
    """Serves `app` until `stop`. All of the world happens in the loop's one thread: `ask` does something in it."""

    def __init__(self, world: World, app: App) -> None:
        self.world, self.app = world, app
        self.loop: asyncio.AbstractEventLoop | None = None
        self.port = 0
        self.connections: set[Connection] = set()
        self._stopped: asyncio.Event | None = None

    async def serve(self, host: str, port: int, when_open: Callable[[], None]) -> None:
        """Opens the door, says so, and stays until stopped.

        Raises:
            OSError: the port is taken.
        """
        self.loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        server = await listen(self.app.answer, host=host, port=port, open_connections=self.connections)
        self.port = int(server.sockets[0].getsockname()[1])
        housekeeping = asyncio.create_task(self._keep_house())
        when_open()
        try:
            await self._stopped.wait()
        finally:
            server.close()
            for connection in list(self.connections):
                if connection.transport:
                    connection.transport.abort()
            housekeeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await housekeeping
            self.world.state.close()

    async def _keep_house(self) -> None:
        """Orders come, the state is written, what is too old is forgotten."""
        arrivals = Arrivals(self.world)
        remembered = self.world.clock.now()
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_WRITES)
            arrivals.tick()
            self.world.state.write()
            if self.world.clock.now() - remembered > SECONDS_BETWEEN_MEMORIES:
                remembered = self.world.clock.now()
                self.world.forget()

    def stop(self) -> None:
        """May be called from any thread."""
        if self.loop and self._stopped:
            self.loop.call_soon_threadsafe(self._stopped.set)

    def ask(self, do: Callable[[], T]) -> T:
        """Does something in the loop's thread and returns what it returned."""
        assert self.loop is not None  # noqa: S101 - it serves

        async def done() -> T:
            return do()

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(timeout=60)
