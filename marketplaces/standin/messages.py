"""A request as it came in, and the answer that goes out."""

import gzip
import json
import urllib.parse
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

JSON = "application/json"
# An answer shorter than this is not worth packing.
WORTH_PACKING = 1400


class NotAnObject(Exception):
    """The body of a request is no JSON object."""


@dataclass(slots=True)
class Request:
    """`headers` have lower-case names; `query` keeps every value of a name."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""
    peer: str = "127.0.0.1"

    @property
    def base_url(self) -> str:
        """How the caller calls this server: the beginning of addresses that it is given."""
        return f"http://{self.headers.get('host', '127.0.0.1')}"

    def first(self, name: str, otherwise: str = "") -> str:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else otherwise

    def all(self, name: str) -> list[str]:
        return self.query.get(name, [])

    def json(self) -> dict[str, Any]:
        """Returns the body, {} where there is none.

        Raises:
            NotAnObject: it is something else.
        """
        if not self.body.strip():
            return {}
        try:
            data = json.loads(self.body)
        except ValueError:
            raise NotAnObject from None
        if not isinstance(data, dict):
            raise NotAnObject
        return data

    def form(self) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(slots=True)
class Answer:
    """`data` is sent as JSON unless it is bytes or a str. `delay` is in seconds; `cut` ends the connection before
    ("before") or in the middle of ("middle") the answer."""

    status: int = 200
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    media: str = JSON
    delay: float = 0.0
    cut: str = ""

    def body(self) -> bytes:
        if self.data is None:
            return b""
        if isinstance(self.data, bytes):
            return self.data
        if isinstance(self.data, str):
            return self.data.encode()
        return json.dumps(self.data, ensure_ascii=False, separators=(",", ":")).encode()

    def on_the_wire(self, *, packed: bool, keep_alive: bool) -> bytes:
        """Returns head and body, packed with gzip if the caller takes it and it is long."""
        body = self.body()
        lines = [f"HTTP/1.1 {self.status} {reason(self.status)}"]
        if body:
            lines.append(f"Content-Type: {self.media}")
        if packed and len(body) > WORTH_PACKING:
            body = gzip.compress(body, compresslevel=1)
            lines.append("Content-Encoding: gzip")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(body)}")
        if not keep_alive:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
