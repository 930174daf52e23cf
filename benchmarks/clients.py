"""Eight clients at once: over HTTP against the web server, and the same SQL through eight plain connections."""

import http.client
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.replay import Recording, connect

CLIENTS = 8
PATIENCE = 60


@contextmanager
def web_server(workers: int = 2, threads: int = 4) -> Iterator[int]:
    """gunicorn as `manage.py up` starts it, with the environment of this process. Yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [
        *[sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{port}"],
        *["--workers", str(workers), "--threads", str(threads), "--no-control-socket"],
    ]
    environment = os.environ | {"DEBUG": "0", "HTTPS": "0", "ALLOWED_HOSTS": "127.0.0.1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until_live(port, server)
            yield port
        finally:
            server.terminate()
            server.wait(PATIENCE)


def wait_until_live(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if Client(port, "").get("/health/live")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the web server does not answer")


class Client:
    """One client that keeps its connection."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.headers = {"Content-Type": "application/json"} | ({"Authorization": f"Token {token}"} if token else {})

    def get(self, path: str) -> tuple[int, bytes]:
        return self.send("GET", path, None)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        return self.send("POST", path, body)

    def send(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        self.connection.request(method, path, body, self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def rate_over_http(port: int, token: str, bodies: Sequence[bytes], seconds: float) -> float:
    """Orders per second that eight clients place, each after its last one has been answered."""

    def orders(place: int) -> Iterator[None]:
        client = Client(port, token)
        number = place
        while True:
            status, answer = client.post("/api/v1/orders/", bodies[number % len(bodies)])
            if status != 201:
                raise RuntimeError(f"{status}: {answer[:500]!r}")
            number += CLIENTS
            yield

    return together([lambda place=place: orders(place) for place in range(CLIENTS)], seconds)


def together(work: Sequence[Callable[[], Iterator[None]]], seconds: float) -> float:
    """What threads do per second, for about so many seconds, all starting at the same moment."""
    counts, faults = [0] * len(work), []
    start, stop = threading.Barrier(len(work) + 1), threading.Event()

    def run(place: int) -> None:
        try:
            steps = work[place]()
            start.wait(PATIENCE)
            for _step in steps:
                counts[place] += 1
                if stop.is_set():
                    return
        except Exception as error:
            faults.append(error)
            stop.set()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(work))]
    for thread in threads:
        thread.start()
    start.wait(PATIENCE)
    started = time.perf_counter()
    stop.wait(seconds)
    stop.set()
    for thread in threads:
        thread.join(PATIENCE)
    if faults:
        raise faults[0]
    return sum(counts) / (time.perf_counter() - started)


def rate_of_plain_sql(url: str, recorded: Sequence[Recording], seconds: float) -> float:
    """Orders per second that the same SQL places through eight processes with a plain connection each."""

    def player() -> Callable[[Any], object]:
        plain = connect(url)
        return lambda one: one.play(plain)

    return rate_of_processes(player, recorded, seconds)


def rate_of_service(sell: Callable[[Any], object], carts: Sequence[Any], seconds: float) -> float:
    """Orders per second that eight processes place through the service."""
    return rate_of_processes(lambda: sell, carts, seconds)


def rate_of_processes(
    prepare: Callable[[], Callable[[Any], object]], arguments: Sequence[Any], seconds: float
) -> float:
    """What eight processes do per second together. Each prepares itself first; the caller has no connection open."""
    context = multiprocessing.get_context("fork")
    rates: Any = context.Queue()
    start = context.Barrier(CLIENTS)

    def run(place: int) -> None:
        call = prepare()
        call(arguments[place])
        start.wait(PATIENCE)
        number, started = place, time.perf_counter()
        while (elapsed := time.perf_counter() - started) < seconds:
            call(arguments[number % len(arguments)])
            number += 1
        rates.put((number - place) / elapsed)

    processes = [context.Process(target=run, args=(place,), daemon=True) for place in range(CLIENTS)]
    for process in processes:
        process.start()
    total = float(sum(rates.get(timeout=seconds + PATIENCE) for _process in processes))
    for process in processes:
        process.join(PATIENCE)
    return total


def bodies_of(carts: Sequence[Sequence[Any]], location: int) -> list[bytes]:
    """Orders as JSON."""
    return [
        json.dumps(
            {
                "location": location,
                "items": [
                    {"product": line.product_id, "quantity": line.quantity, "options": list(line.option_ids)}
                    for line in cart
                ],
            }
        ).encode()
        for cart in carts
    ]


def latencies(port: int, token: str, path: str, *, number: int) -> tuple[float, float]:
    """The median and the 95th percentile, in milliseconds, of one client's requests one after the other."""
    client = Client(port, token)
    times = []
    for turn in range(number + 10):
        started = time.perf_counter()
        status, answer = client.get(path)
        if status != 200:
            raise RuntimeError(f"{status}: {answer[:500]!r}")
        if turn >= 10:
            times.append((time.perf_counter() - started) * 1000)
    times.sort()
    return times[len(times) // 2], times[int(len(times) * 0.95)]
