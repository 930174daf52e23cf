"""A tiny HTTP server in a thread that answers exactly what a test has laid ready, however broken."""

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

# How long a hanging answer hangs, unless the server is stopped before.
PATIENCE = 30


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `body` is sent as it is (bytes, text) or as JSON. `cut`: the connection breaks after so many bytes
    of the body; `hang`: nothing is sent at all, or nothing more after `cut` bytes."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_packed: bool = False
    cut: int | None = None
    hang: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class FaultyServer(ThreadingHTTPServer):
    """Answers with the replies in their order; the last one again and again. `received` are the requests so far."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.replies: list[Reply] = []
        self.by_path: dict[tuple[str, str], list[Reply]] = {}
        self.received: list[Received] = []
        self.guard = threading.Lock()
        self.stopped = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, *replies: Reply) -> None:
        """What comes next, whatever is asked."""
        self.replies = list(replies)

    def answer_at(self, method: str, path: str, *replies: Reply) -> None:
        """What comes next at one path."""
        self.by_path[method, path] = list(replies)

    def calls(self, method: str, path: str) -> list[Received]:
        return [request for request in self.received if (request.method, request.path) == (method, path)]

    def has_received(self, number: int) -> bool:
        """Whether so many requests came and no more; who hangs up early may be ahead of us."""
        end = time.monotonic() + PATIENCE
        while len(self.received) < number and time.monotonic() < end:
            time.sleep(0.01)
        return len(self.received) == number

    def next_reply(self, request: Received) -> Reply:
        with self.guard:
            self.received.append(request)
            waiting = self.by_path.get((request.method, request.path), self.replies)
            if not waiting:
                return Reply(599, {"message": f"the test has nothing for {request.method} {request.path}"})
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is what these tests are about."""


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Received(self.command, parts.path, parse_qs(parts.query), dict(self.headers.items()), body)
        reply = self.server.next_reply(request)
        if reply.hang and reply.cut is None:
            self.server.stopped.wait(PATIENCE)
            self.break_off()
            return
        content = bytes_of(reply)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.is_packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: reply.cut])
        self.wfile.flush()
        if reply.hang:
            self.server.stopped.wait(PATIENCE)
        if reply.cut is not None:
            self.break_off()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def break_off(self) -> None:
        # With a reset, not with a polite end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


def bytes_of(reply: Reply) -> bytes:
    body = reply.body
    if not isinstance(body, bytes):
        body = (body if isinstance(body, str) else json.dumps(body)).encode()
    return gzip.compress(body) if reply.is_packed else body


@contextmanager
def faulty_server() -> Iterator[FaultyServer]:
    """A server on a free port while the block runs."""
    server = FaultyServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
