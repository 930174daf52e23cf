"""Tills that sell over HTTP without a pause, each order under a key of its own, repeated until it is answered."""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

TILLS = 4
# What is answered where it can't be said yet whether the order was taken: the same key is sent again.
UNSURE = {503}


@dataclass
class Sold:
    """What the tills were answered. Orders by their key, with the number that was acknowledged; when each was; and
    answers that nobody should ever get."""

    orders: dict[str, int | str] = field(default_factory=dict)
    moments: list[float] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    repeats: int = 0

    def since(self, moment: float) -> int:
        """How many were acknowledged after this moment of the monotonic clock."""
        return sum(one > moment for one in self.moments)

    def end_of_longest_pause(self, since: float) -> float:
        """When the longest time without an order after this moment was over."""
        moments = [since, *sorted(one for one in self.moments if one > since)]
        return max(itertools.pairwise(moments), key=lambda pair: pair[1] - pair[0])[1]


class Till:
    """One till with its connection."""

    def __init__(self, port: int, menu: dict[str, Any], sold: Sold, is_over: threading.Event) -> None:
        self.port, self.sold, self.is_over = port, sold, is_over
        self.body = json.dumps(
            {"location": menu["location"], "items": [{"product": menu["product"], "quantity": 1}]}
        ).encode()
        self.headers = {"Content-Type": "application/json", "Authorization": f"Token {menu['token']}"}
        self.connection = self.connect()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)

    def run(self) -> None:
        """Sells until it is over; the last order is seen through to its answer."""
        while not self.is_over.is_set():
            self.sell(str(uuid4()))

    def sell(self, key: str) -> None:
        while True:
            status, answer = self.send(key)
            if status == 201:
                self.sold.moments.append(time.monotonic())
                self.sold.orders[key] = json.loads(answer)["number"]
                return
            if status and status not in UNSURE:
                self.sold.refusals.append(f"{status}: {answer[:300].decode('utf-8', 'replace')}")
            self.sold.repeats += 1
            time.sleep(0.05)

    def send(self, key: str) -> tuple[int, bytes]:
        """The answer; 0 where the web server did not give any."""
        try:
            self.connection.request("POST", "/api/v1/orders/", self.body, {**self.headers, "Idempotency-Key": key})
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = self.connect()
            return 0, b""


@contextmanager
def selling(port: int, menu: dict[str, Any]) -> Iterator[Sold]:
    """Several tills at work beside the test; at the end each has the answer to its last order."""
    sold, is_over = Sold(), threading.Event()
    threads = [threading.Thread(target=Till(port, menu, sold, is_over).run, daemon=True) for _place in range(TILLS)]
    for thread in threads:
        thread.start()
    try:
        yield sold
    finally:
        is_over.set()
        for thread in threads:
            thread.join(180)
    assert not any(thread.is_alive() for thread in threads)
