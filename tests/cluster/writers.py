"""Writers that count: each row is committed on its own, and the number is noted once the server has said so."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg2

from tests.cluster.nodes import Nodes

WRITERS = 4


@dataclass
class Written:
    """The numbers that the server has acknowledged."""

    numbers: list[int] = field(default_factory=list)
    next: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> int:
        with self.lock:
            self.next += 1
            return self.next


@contextmanager
def writing(nodes: Nodes) -> Iterator[Written]:
    """Several writers at work beside the test. One that is disconnected goes on with whoever leads then, and its next
    number: what was not acknowledged is not repeated."""
    nodes.sql("CREATE TABLE IF NOT EXISTS written (number int PRIMARY KEY)")
    nodes.sql("TRUNCATE written")
    written, is_over = Written(), threading.Event()

    def write() -> None:
        while not is_over.is_set():
            try:
                connection = nodes.cluster.connect()
                connection.autocommit = True
                with connection.cursor() as cursor:
                    while not is_over.is_set():
                        number = written.take()
                        cursor.execute("INSERT INTO written VALUES (%s)", [number])
                        written.numbers.append(number)
                connection.close()
            except psycopg2.Error:
                is_over.wait(0.1)

    threads = [threading.Thread(target=write, daemon=True) for _place in range(WRITERS)]
    for thread in threads:
        thread.start()
    try:
        yield written
    finally:
        is_over.set()
        for thread in threads:
            thread.join(90)
    assert not any(thread.is_alive() for thread in threads)


def lost(nodes: Nodes, written: Written) -> list[int]:
    """What was acknowledged and is not there."""
    there = {number for (number,) in nodes.sql("SELECT number FROM written")}
    return sorted(set(written.numbers) - there)
