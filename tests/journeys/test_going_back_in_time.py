"""An admin goes back to just before a mistake, before a real server with its agent, and comes back from there."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from backups.errors import ServerGone
from project.embedded.postgres import free_port
from tests.backups import real_shop
from tests.backups.cluster import running_cluster, wait_until
from tests.backups.real_shop import ROOT
from tests.backups.shops import open_connection
from tests.backups.terminal import Terminal

pytestmark = [pytest.mark.journey, pytest.mark.slow]

EMAIL, PASSWORD = "ada@shop.example", "correct horse battery 7"
WORK = 120_000


class Site:
    """A shop with three orders, its web server and its backup agent, all programs of their own."""

    def __init__(self, terminal: Terminal, url: str) -> None:
        self.terminal, self.cluster, self.url = terminal, terminal.cluster, url

    def numbers(self) -> list[int]:
        return [number for (number,) in self.cluster.sql("SELECT number FROM orders_order ORDER BY number")]

    def comes_to_hold(self, *numbers: int) -> None:
        """Waits until these are its orders. While databases change places it lets nobody in."""

        def holds() -> bool:
            with suppress(ServerGone):
                return self.numbers() == list(numbers)
            return False

        wait_until(holds, seconds=60)

    def sell(self) -> None:
        real_shop.run("sell", self.cluster.server)

    def delete(self, number: int) -> None:
        """By a statement in the database, as people do who regret it."""
        for table, key in (("orders_orderevent", "order_id"), ("orders_orderitem", "order_id"), ("orders_order", "id")):
            self.cluster.sql(
                f"DELETE FROM {table} WHERE {key} = (SELECT id FROM orders_order WHERE number = %s)", number
            )

    @contextmanager
    def somebody_in_a_long_transaction(self) -> Iterator[None]:
        """A swap waits for it, and the shop rests meanwhile."""
        with closing(open_connection(self.cluster.server)) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM orders_order")
            yield


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    port = free_port()
    with running_cluster(tmp_path) as cluster:
        terminal = Terminal(
            cluster,
            tmp_path,
            HTTPS="0",
            ALLOWED_HOSTS="127.0.0.1",
            STATICFILES_STORAGE="django.contrib.staticfiles.storage.StaticFilesStorage",
            WHITENOISE_USE_FINDERS="1",
            SAMOVAR_ADMIN_PASSWORD=PASSWORD,
        )
        terminal.run("migrate", "--verbosity", "0")
        real_shop.run("make", cluster.server)
        terminal.run("create_admin", "--email", EMAIL, "--name", "Ada")
        web = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "project.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4"],
            cwd=ROOT,
            env=terminal.environment,
        )
        agent = terminal.start("backup_agent")
        try:
            made = Site(terminal, f"http://127.0.0.1:{port}")
            wait_until(lambda: answers(made.url), seconds=60)
            yield made
        finally:
            for program in (agent, web):
                program.terminate()
            for program in (agent, web):
                program.wait(60)


def answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{url}/health/live"):
        return True
    return False


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900}, locale="en")
    context.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    page = context.new_page()
    page.goto("/admin/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").first.click()
    page.wait_for_url("**/admin/")
    yield page
    context.close()


def press(page: Page, name: str, reason: str = "") -> None:
    """A button above an object; it asks for a reason if there is one to give."""
    with page.expect_navigation():
        if not reason:
            page.get_by_role("button", name=name).click()
            return
        page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).first.click()
        dialog = page.locator("dialog[open]")
        dialog.locator("input[name$=reason]").fill(reason)
        dialog.locator("button[type=submit]").click()


def title_of(page: Page, words: str) -> None:
    """Waits until the work on the page, which shows itself again and again, is so far."""
    expect(page.locator(".sv-card-head").first).to_contain_text(words, timeout=WORK)


def test_an_admin_goes_back_to_just_before_a_mistake_and_returns(site: Site, page: Page) -> None:
    first, second, third = site.numbers()

    # The agent has begun with a physical backup; a logical one is asked for, made, and verified.
    page.goto("/admin/backups/backup/new/")
    page.locator("[value=logical]").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Back up now").click()
    rows = page.locator("#result_list tbody tr")
    expect(rows.filter(has_text="logical").filter(has_text="done")).to_have_count(1, timeout=WORK)
    expect(rows.filter(has_text="physical").filter(has_text="done")).to_have_count(1, timeout=WORK)
    with page.expect_navigation():
        rows.filter(has_text="logical").get_by_role("link").click()
    press(page, "Verify its files")

    site.delete(second)
    site.sell()
    fourth = site.numbers()[-1]
    page.goto("/admin/backups/restorerun/recover/")
    page.locator("[value=order]").check()
    expect(page.locator("[name=time]")).to_be_hidden()
    page.locator("[name=order]").fill(str(second))
    page.locator("[name=reason]").fill("order deleted by mistake")
    with page.expect_navigation():
        page.get_by_role("button", name="Recover beside the shop").click()
    run = page.url
    title_of(page, "done")
    expect(page.get_by_text(f"just before order {second} was deleted")).to_be_visible()
    expect(page.get_by_text("1 order was placed after the moment")).to_be_visible()
    expect(page.locator("td[data-label=Order]")).to_have_text([str(fourth)])
    assert site.numbers() == [first, third, fourth]

    # The shop sells while somebody looks at it.
    site.sell()
    fifth = site.numbers()[-1]
    page.reload()
    expect(page.get_by_text("1 more order came in after this comparison")).to_be_visible()
    expect(page.locator("td[data-label=Order]")).to_have_text([str(fifth), str(fourth)])

    # The price list alone would do? It is taken over by itself, and nothing else changes.
    site.cluster.sql("UPDATE inventory_product SET name = 'spoiled'")
    page.get_by_role("link", name="Take over chosen tables").click()
    # It was the same on both sides when they were compared.
    page.locator("summary").click()
    page.get_by_role("checkbox", name="inventory_product", exact=True).check()
    page.locator("[name=reason]").fill("names were spoiled too")
    with page.expect_navigation():
        page.get_by_role("button", name="Take these tables over").click()
    title_of(page, "done")
    expect(page.get_by_role("cell", name="public.inventory_product")).to_be_visible()
    assert site.cluster.value("SELECT name FROM inventory_product") == "Латте с тапиокой 🧋"
    assert site.numbers() == [first, third, fourth, fifth]

    # No: everything. Whoever comes meanwhile is told to wait.
    page.goto(run)
    with site.somebody_in_a_long_transaction():
        press(page, "Take everything over", reason="the order is back there")
        guest = page.context.browser.new_page(base_url=site.url)  # type: ignore[union-attr]
        wait_until(lambda: guest.goto("/").status == 503, seconds=60)  # type: ignore[union-attr]
        expect(guest.get_by_text("The shop is being restored.")).to_be_visible()
    wait_until(lambda: guest.goto("/").status != 503, seconds=60)  # type: ignore[union-attr]
    guest.close()
    site.comes_to_hold(first, second, third)
    page.goto("/admin/backups/restorerun/?kind__exact=take_over")
    with page.expect_navigation():
        page.locator("#result_list a").first.click()
    title_of(page, "done")
    expect(page.get_by_text("The seller account Самовар only reads")).to_be_visible()
    expect(page.get_by_text("The database from before is kept until")).to_be_visible()

    # And back.
    press(page, "Swap back", reason="the new orders matter more")
    site.comes_to_hold(first, third, fourth, fifth)
