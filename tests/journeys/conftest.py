"""A real browser before a real server with a real database.

Chromium is looked for as `tests.chromium` says; `tests/conftest.py` says what happens without one.
"""

import os
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from inventory.menu_file import read_menu_file
from inventory.models import DefaultLocation, Ingredient, Location
from inventory.services.lines import StockLine
from inventory.services.menu_import import import_menu
from inventory.services.stock import receive_stock
from tests.chromium import chromium_path
from tests.shop import user_of
from users.models import User

# Playwright's synchronous API keeps an event loop in this thread; Django would refuse the database in it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct horse battery"

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer) -> Iterator[OpenPage]:
    """Opens pages of people who have not signed in, each with cookies of their own.

    The journey fails if a script of a page fails, the server answers 500, or a page asks anything of another
    server.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def note_failure(answer: Response) -> None:
        if answer.status >= 500:
            faults.append(f"{answer.status} {answer.url}")

    def note_stranger(asked: Request) -> None:
        if not asked.url.startswith((live_server.url, "data:", "blob:")):
            faults.append(asked.url)

    def open_page(width: int = 1280, height: int = 900) -> Page:
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": width, "height": height}, locale="en"
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("response", note_failure)
        page.on("request", note_stranger)
        return page

    expect.set_options(timeout=20_000)
    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def sign_in(page: Page, user: User) -> None:
    """Signs a user in through the admin's own form."""
    page.goto("/admin/")
    page.get_by_label("E-mail").fill(user.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").first.click()
    page.wait_for_url(lambda url: urlsplit(url).path == "/admin/")


@pytest.fixture
def tea_bar(transactional_db: None) -> Location:
    """The real menu at one open location, with ten litres or kilograms or a thousand pieces of everything but
    fresh milk, of which there is nothing."""
    location = Location.objects.create(name="Siam Square", time_zone="Asia/Bangkok")
    import_menu(rows=read_menu_file(Path(settings.BASE_DIR) / "demo" / "bubble_tea_menu.csv").rows)
    receive_stock(
        location=location,
        lines=[
            StockLine(ingredient.pk, Decimal(1000 if ingredient.unit == "pc" else 10_000))
            for ingredient in Ingredient.objects.exclude(name="Fresh milk")
        ],
        created_by_id=None,
    )
    return location


@pytest.fixture
def manager(tea_bar: Location) -> User:
    user = user_of("manager")
    DefaultLocation.objects.create(user=user, location=tea_bar)
    return user


@pytest.fixture
def barista(tea_bar: Location) -> User:
    user = user_of("barista")
    DefaultLocation.objects.create(user=user, location=tea_bar)
    return user
