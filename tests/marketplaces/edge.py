"""The edge of the network: something happens right before, or right after, a call of a marketplace."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from marketplaces.clients import http

# (which call it is, counted from 1; its method; its address)
Happening = Callable[[int, str, str], None]


def nothing(_number: int, _method: str, _url: str) -> None:
    """What usually happens."""


class Edge:
    """Counts the calls that leave the shop. `hurry` is how long an address (a part of it) has to answer, in seconds."""

    def __init__(self) -> None:
        self.before: Happening = nothing
        self.after: Happening = nothing
        self.hurry: dict[str, float] = {}
        self.calls: list[tuple[str, str]] = []
        self.guard = threading.Lock()

    def forget(self) -> None:
        """Counts from 1 again, and nothing happens any more."""
        self.before = self.after = nothing
        self.hurry.clear()
        self.calls.clear()

    def strike(self, when: str, number: int, do: Callable[[], object]) -> None:
        """Counts from 1 again, and does this "before" or "after" the call of this number."""

        def happening(which: int, _method: str, _url: str) -> None:
            if which == number:
                do()

        self.forget()
        setattr(self, when, happening)

    @classmethod
    def around(cls, monkeypatch: pytest.MonkeyPatch) -> "Edge":
        """Nobody waits there, either: pauses between two attempts take no time."""
        edge, request = cls(), requests.Session.request

        def watched(session: requests.Session, method: str, url: str, **parts: Any) -> requests.Response:
            with edge.guard:
                edge.calls.append((method, url))
                number = len(edge.calls)
            for part, seconds in edge.hurry.items():
                if part in url:
                    parts["timeout"] = (5.0, seconds)
            edge.before(number, method, url)
            response = request(session, method, url, **parts)
            edge.after(number, method, url)
            return response

        monkeypatch.setattr(requests.Session, "request", watched)
        monkeypatch.setattr(http, "pause", lambda _seconds: None)
        return edge
