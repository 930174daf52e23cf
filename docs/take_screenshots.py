"""Takes the pictures of the README and of docs/ from a running demo shop.

    make run                                    # in another terminal
    .venv/bin/python docs/take_screenshots.py http://127.0.0.1:8000
    .venv/bin/python docs/take_screenshots.py http://127.0.0.1:8000 --only count costs

Needs the packages of requirements-dev.txt and a Chromium (see tests/chromium.py).
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.chromium import chromium_path  # noqa: E402  (the project's folder is on the path only now)

PICTURES = ROOT / "docs" / "screenshots"
DESK = ViewportSize(width=1280, height=900)
TALL = ViewportSize(width=1280, height=1240)
TABLET = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=360, height=760)
PAGES = {
    "home": "/admin/",
    "new-order": "/admin/orders/order/add/",
    "ledger": "/admin/inventory/stockmovement/",
    "marketplace-accounts": "/admin/marketplaces/selleraccount/",
    "marketplace-monitor": "/admin/marketplaces/selleraccount/monitor/",
}
# What somebody found on the first shelves; the rest of the list is still to be counted.
COUNTED = ("1.5 kg", "800 g", "2 kg")
PRODUCT = "Honey Milk Tea"


def main(address: str, *, accounts_path: Path, only: Sequence[str] = ()) -> None:
    """Signs in as the demo's manager and saves docs/screenshots/*.png; `only` names the ones to take, else all."""
    accounts = json.loads(accounts_path.read_text())
    manager = next(account for account in accounts if account["role"] == "manager")
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        page = browser.new_page(base_url=address)
        page.goto("/admin/")
        page.fill("[name=username]", manager["email"])
        page.fill("[name=password]", manager["password"])
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/")
        for name in only or TAKEN:
            page.set_viewport_size(DESK)
            page.emulate_media(color_scheme="light")
            TAKEN[name](page, PICTURES / f"{name}.png")
        browser.close()


def take_page(page: Page, picture: Path) -> None:
    """A page as it opens."""
    page.goto(PAGES[picture.stem], wait_until="networkidle")
    page.screenshot(path=picture)


def open_product(page: Page) -> None:
    """By its name: its number depends on how often the demo was loaded."""
    page.goto(f"/admin/inventory/product/?q={PRODUCT}")
    page.locator("#result_list a", has_text=PRODUCT).first.click()
    page.wait_for_url("**/change/**")
    page.wait_for_load_state("networkidle")


def take_product(page: Page, picture: Path) -> None:
    """A product with its recipe."""
    open_product(page)
    page.screenshot(path=picture)


def take_order(page: Page, picture: Path) -> None:
    """The first order that is being made."""
    page.goto("/admin/orders/order/?active=yes", wait_until="networkidle")
    page.locator("#result_list tbody a").first.click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=picture)


def take_operation(page: Page, picture: Path) -> None:
    """How the stock of a marketplace's order was taken; the demo's first one comes within a minute."""
    page.set_viewport_size(TALL)
    page.goto("/admin/marketplaces/stockoperation/?status__exact=completed", wait_until="networkidle")
    page.locator("#result_list tbody a").first.click()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=picture)


def take_phone(page: Page, picture: Path) -> None:
    """The home page on a phone at night."""
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    page.goto("/admin/", wait_until="networkidle")
    page.screenshot(path=picture)


def take_costs(page: Page, picture: Path) -> None:
    """What a portion of a product costs, below its recipe."""
    open_product(page)
    page.locator("#product-costs").screenshot(path=picture)


def take_count(page: Page, picture: Path) -> None:
    """A count on a phone, begun for the picture and cancelled after it: the stock stays what it is."""
    page.set_viewport_size(PHONE)
    page.goto("/admin/inventory/stockcount/start/")
    page.get_by_role("button", name="Start counting").click()
    page.wait_for_url("**/count/")
    for field, quantity in zip(page.locator("[data-line] input").all(), COUNTED, strict=False):
        with page.expect_response(lambda response: response.request.method == "POST"):
            field.fill(quantity)
            field.blur()
    page.goto(page.url, wait_until="networkidle")
    page.screenshot(path=picture)
    page.goto(page.url.replace("/count/", "/verb/cancel/"))
    page.get_by_role("button", name="Cancel the count").click()
    page.wait_for_url("**/change/")


def open_counter(page: Page) -> None:
    """As it is after somebody has said who they are, or need not."""
    page.set_viewport_size(TABLET)
    page.goto("/counter/")
    page.wait_for_load_state("load")
    page.keyboard.press("Escape")


def take_counter(page: Page, picture: Path) -> None:
    """The counter's queue on a tablet."""
    open_counter(page)
    page.locator(".card").first.wait_for()
    page.screenshot(path=picture)


def take_counter_sale(page: Page, picture: Path) -> None:
    """A sale at the counter before it is paid; nothing is sold."""
    open_counter(page)
    page.locator("[data-shows=sell]").click()
    page.locator(".category").nth(2).click()
    for place in (0, 1, 1):
        with page.expect_response("**/counter/quote/"):
            page.locator(".tile:not(.out)").nth(place).click()
    page.locator(".sums .total:not(.guess)").first.wait_for()
    page.screenshot(path=picture)
    page.locator("#cart-clear").click()


def take_menu(page: Page, picture: Path) -> None:
    """The menu as a stranger sees it."""
    address = page.url
    stranger = page.context.browser.new_page(viewport=DESK)  # type: ignore[union-attr]
    stranger.goto(urljoin(address, "/"), wait_until="networkidle")
    stranger.screenshot(path=picture)
    stranger.close()


def take_menu_phone(page: Page, picture: Path) -> None:
    """A drink of the menu on a phone at night, before it goes into the cart."""
    address = page.url
    stranger = page.context.browser.new_page(viewport=PHONE, color_scheme="dark")  # type: ignore[union-attr]
    stranger.goto(urljoin(address, f"/?q={PRODUCT}"), wait_until="networkidle")
    stranger.get_by_role("link", name=PRODUCT).first.click()
    stranger.wait_for_load_state("networkidle")
    stranger.screenshot(path=picture)
    stranger.close()


TAKEN: dict[str, Callable[[Page, Path], None]] = {
    **dict.fromkeys(PAGES, take_page),
    "product": take_product,
    "order": take_order,
    "marketplace-operation": take_operation,
    "phone": take_phone,
    "costs": take_costs,
    "counter": take_counter,
    "counter-sale": take_counter_sale,
    "menu": take_menu,
    "menu-phone": take_menu_phone,
    "count": take_count,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Takes the pictures of the README and of docs/.")
    parser.add_argument("address", help="where the demo shop runs")
    parser.add_argument(
        "--accounts", type=Path, default=ROOT / "var" / "demo-accounts.json", help="its demo-accounts.json"
    )
    parser.add_argument("--only", nargs="+", choices=TAKEN, default=(), metavar="NAME", help=", ".join(TAKEN))
    asked = parser.parse_args()
    main(asked.address, accounts_path=asked.accounts, only=asked.only)
