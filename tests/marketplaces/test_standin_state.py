"""The stand-in as a program: what it keeps, whom it lets in, and what it does by itself."""

import random
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from marketplaces.standin import seeding, trade
from marketplaces.standin.allegro_auth import refresh
from marketplaces.standin.arrivals import Arrivals
from marketplaces.standin.control import answer
from marketplaces.standin.demo_goods import DEMO_GOODS, DEMO_KEYS, DEMO_REFRESH_TOKEN
from marketplaces.standin.messages import Request
from marketplaces.standin.state import BLOCK, FileState
from marketplaces.standin.world import Options, World
from project.embedded.places import BASE_DIR

OZON = "ozon:100001"


class Program:
    """The stand-in, started as `make run` starts it."""

    def __init__(self, folder: Path) -> None:
        self.token_file = folder / "control-token"
        self.process = subprocess.Popen(
            [
                *[sys.executable, "-m", "marketplaces.standin", "--state", str(folder / "state.sqlite3")],
                *["--control-token", str(self.token_file), "--no-limits"],
            ],
            cwd=BASE_DIR,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        assert select.select([self.process.stdout], [], [], 30)[0], "the stand-in said nothing"
        self.url = re.search(r"http://\S+", self.process.stdout.readline())[0]

    def control(self, action: str, **body: Any) -> dict[str, Any]:
        headers = {"X-Control-Token": self.token_file.read_text()}
        told = requests.post(f"{self.url}/control/{action}", json=body, headers=headers, timeout=20)
        assert told.status_code == 200, told.text
        return told.json()

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Program]]:
    started: list[Program] = []

    def start_program() -> Program:
        started.append(Program(tmp_path))
        return started[-1]

    yield start_program
    for program in started:
        if program.process.poll() is None:
            program.process.kill()
        program.process.wait()
        program.process.stdout.close()


def test_a_restart_finds_everything_and_kill_9_loses_a_second_at_most(start: Callable[[], Program], tmp_path: Path):
    first = start()
    sku = DEMO_GOODS[0].sku
    kept = first.control("orders", seller=OZON, lines=[[sku, 2]])["orders"]
    before = first.control("state", seller=OZON)
    assert first.end(signal.SIGTERM) == 0

    second = start()
    assert second.control("state", seller=OZON) == before
    second.control("cancel", seller=OZON, order=kept[0])
    given = {*kept, *second.control("orders", seller=OZON, lines=[[sku, 1]], count=3)["orders"]}
    # Until it has been written: then a kill loses nothing of it.
    state = FileState(tmp_path / "state.sqlite3")
    deadline = time.monotonic() + 20
    while sum(kind == "order" for kind, _key, _record in state.load()) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    lost = second.control("orders", seller=OZON, lines=[[sku, 1]])["orders"]
    assert second.end(signal.SIGKILL) == -signal.SIGKILL

    third = start()
    told = {order["id"]: order["status"] for order in third.control("state", seller=OZON)["orders"]}
    assert given <= set(told)
    assert told[kept[0]] == "cancelled"
    again = third.control("orders", seller=OZON, lines=[[sku, 1]])["orders"]
    assert not set(again) & {*given, *lost}


def test_a_number_is_in_the_file_before_it_is_given(tmp_path: Path):
    class Watched(FileState):
        writes = 0

        def write(self) -> None:
            self.writes += bool(self.changed)
            super().write()

    state = Watched(tmp_path / "state.sqlite3")
    world = World(Options(), state)
    given = [world.numbers.next("order") for _ in range(BLOCK + 2)]
    assert state.writes == 2
    # Killed here: nothing else was written.
    again = World(Options(), FileState(tmp_path / "state.sqlite3"))
    again.load()
    assert again.numbers.next("order") > given[-1]


def test_control_is_for_this_machine_and_who_has_the_token():
    world = World()
    rightly = {"x-control-token": world.control_token}

    def asked(peer: str, headers: dict[str, str], path: str = "/control/sellers") -> int:
        return answer(world, Request("POST", path, {}, headers, b"{}", peer)).status

    assert [asked(peer, rightly) for peer in ("127.0.0.1", "::1", "192.168.1.7")] == [200, 200, 403]
    assert [asked("127.0.0.1", headers) for headers in ({}, {"x-control-token": "guess"})] == [403, 403]
    assert asked("127.0.0.1", rightly, "/control/unknown") == 404


def test_orders_come_only_for_what_is_in_stock_and_most_become_ready():
    world = World(Options(orders_every=40))
    seeding.seed_demo(world)
    arrivals = Arrivals(world)
    arrivals.random = random.Random("tea")
    for _ in range(4 * 3600):
        world.clock.advance(1)
        arrivals.tick()
    orders = [order for seller in world.sellers.values() for order in seller.orders.values()]
    statuses = [order.status for order in orders]
    assert 150 < len(orders) < 600
    ready = sum(status in ("READY_FOR_PROCESSING", "awaiting_packaging", "new") for status in statuses)
    assert ready > len(orders) * 0.8
    cancelled = sum("cancel" in f"{order.status} {order.fulfilment}".lower() for order in orders)
    assert 0 < cancelled < len(orders) * 0.2
    for seller in world.sellers.values():
        assert seller.orders
        own = seller.own_warehouses()[0].id
        for offer in seller.offers.values():
            lines = [line for order in seller.orders.values() for line in order.lines if line.sku == offer.sku]
            left = offer.stock[own].present - offer.stock[own].reserved
            assert left >= 0
            # Ozon frees what was reserved for a cancelled order, and sells it again.
            if seller.marketplace != "ozon":
                assert left + sum(line.quantity for line in lines) == seeding.PIECES_OF_THE_DEMO


def test_the_demo_shops_allegro_account_is_connected_from_birth_as_often_as_it_is_born():
    world = World()
    seeding.seed_demo(world)
    seeding.seed_demo(world)
    seller = world.sellers[seeding.seller_id("allegro", DEMO_KEYS["allegro"])]
    assert len(seller.offers) == len(DEMO_GOODS)
    assert [refresh(world, seller, DEMO_REFRESH_TOKEN).status for _ in range(2)] == [200, 200]
    world.clock.advance(86_400)
    assert refresh(world, seller, DEMO_REFRESH_TOKEN).status == 200
    assert refresh(world, seller, "").status == 400


def test_what_is_too_old_is_forgotten_as_the_marketplaces_do(tmp_path: Path):
    path = tmp_path / "state.sqlite3"
    world = World(Options(), FileState(path))
    seeding.seed_demo(world)
    seller = world.sellers[seeding.seller_id("allegro", DEMO_KEYS["allegro"])]
    trade.place(world, seller, [(DEMO_GOODS[0].allegro_offer, 1)])
    first = refresh(world, seller, DEMO_REFRESH_TOKEN)
    assert refresh(world, seller, first.data["refresh_token"]).status == 200
    assert (len(seller.orders), len(seller.events), len(world.shelf("used_token"))) == (1, 3, 1)
    world.clock.advance(91 * 86_400)
    world.forget()
    assert (len(seller.orders), len(seller.events), len(world.shelf("used_token"))) == (0, 0, 0)
    world.state.close()
    kinds = {kind for kind, _key, _record in FileState(path).load()}
    assert not {"order", "event", "used_token"} & kinds
