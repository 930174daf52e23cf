"""HTTP/1.1 by hand over asyncio: one thread, one order of events, and several thousand answers a second."""

import asyncio
import urllib.parse
from collections.abc import Callable

from marketplaces.standin.messages import Answer, Request

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024

Handler = Callable[[Request], Answer]


class BadRequest(Exception):
    """What came in is not HTTP, or too long."""


class Connection(asyncio.Protocol):
    """One connection: requests in, answers out in the same order; a delayed one holds up those behind it."""

    def __init__(self, handler: Handler, open_connections: "set[Connection]") -> None:
        self.handler, self.open_connections = handler, open_connections
        self.buffer = bytearray()
        self.is_waiting = False
        self.transport: asyncio.Transport | None = None
        self.peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a TCP server hands over
        self.transport = transport
        self.peer = str((transport.get_extra_info("peername") or [""])[0])
        self.open_connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self.transport = None
        self.open_connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.work()

    def work(self) -> None:
        """Answers what lies in the buffer complete."""
        while self.transport and not self.is_waiting:
            try:
                request = self.take()
            except BadRequest:
                self.transport.write(
                    Answer(400, "Bad Request", media="text/plain").on_the_wire(packed=False, keep_alive=False)
                )
                self.transport.close()
                return
            if request is None:
                return
            answer = self.handler(request)
            if answer.delay > 0:
                self.is_waiting = True
                asyncio.get_running_loop().call_later(answer.delay, self.send_late, request, answer)
            else:
                self.send(request, answer)

    def take(self) -> Request | None:
        """Takes one complete request out of the buffer.

        Raises:
            BadRequest: it is none.
        """
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > MAX_HEAD:
                raise BadRequest
            return None
        lines = self.buffer[:end].decode("latin-1").split("\r\n")
        parts = lines[0].split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise BadRequest
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise BadRequest
            headers[name.lower()] = value.strip()
        start = end + 4
        if "chunked" in headers.get("transfer-encoding", ""):
            taken = unchunked(self.buffer, start)
            if taken is None:
                return None
            body, after = taken
        else:
            length = headers.get("content-length", "0")
            if not length.isdigit() or int(length) > MAX_BODY:
                raise BadRequest
            after = start + int(length)
            if len(self.buffer) < after:
                return None
            body = bytes(self.buffer[start:after])
        del self.buffer[:after]
        path, _, query = parts[1].partition("?")
        return Request(
            method=parts[0],
            path=urllib.parse.unquote(path),
            query=urllib.parse.parse_qs(query, keep_blank_values=True) if query else {},
            headers=headers,
            body=body,
            peer=self.peer,
        )

    def send_late(self, request: Request, answer: Answer) -> None:
        self.is_waiting = False
        self.send(request, answer)
        self.work()

    def send(self, request: Request, answer: Answer) -> None:
        if not self.transport:
            return
        if answer.cut == "before":
            self.transport.abort()
            return
        keep_alive = request.headers.get("connection", "").lower() != "close"
        packed = "gzip" in request.headers.get("accept-encoding", "") and not answer.cut
        wire = answer.on_the_wire(packed=packed, keep_alive=keep_alive)
        if answer.cut:
            head = wire.index(b"\r\n\r\n") + 4
            self.transport.write(wire[: head + (len(wire) - head) // 2])
            self.transport.close()
            return
        self.transport.write(wire)
        if not keep_alive:
            self.transport.close()


def unchunked(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    """Returns the body that came in chunks and where it ends, or None while some of it is missing.

    Raises:
        BadRequest: a chunk has no length.
    """
    body = bytearray()
    while True:
        end = buffer.find(b"\r\n", start)
        if end < 0:
            return None
        try:
            length = int(bytes(buffer[start:end]).split(b";")[0], 16)
        except ValueError:
            raise BadRequest from None
        after = end + 2 + length + 2
        if len(buffer) < after:
            return None
        if not length:
            return bytes(body), after
        body += buffer[end + 2 : end + 2 + length]
        start = after


async def listen(handler: Handler, *, host: str, port: int, open_connections: set[Connection]) -> asyncio.Server:
    """Opens the door; port 0 takes a free one.

    Raises:
        OSError: the port is taken, or not ours to take.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(handler, open_connections), host, port, backlog=512)
