"""Takes the pictures of the README from a running demo shop.

    make run                                    # in another terminal
    .venv/bin/python docs/take_screenshots.py http://127.0.0.1:8000

Needs the packages of requirements-dev.txt and a Chromium (see tests/chromium.py).
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.chromium import chromium_path  # noqa: E402  (the project's folder is on the path only now)

PAGES = {
    "home": "/admin/",
    "new-order": "/admin/orders/order/add/",
    "ledger": "/admin/inventory/stockmovement/",
    "product": "/admin/inventory/product/12/change/",
}


def main(address: str) -> None:
    """Signs in as the demo's manager and saves docs/screenshots/*.png, 1280 × 900, and one of a phone."""
    accounts = json.loads((ROOT / "var" / "demo-accounts.json").read_text())
    manager = next(account for account in accounts if account["role"] == "manager")
    pictures = ROOT / "docs" / "screenshots"
    pictures.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        page = browser.new_page(base_url=address, viewport={"width": 1280, "height": 900})
        page.goto("/admin/")
        page.fill("[name=username]", manager["email"])
        page.fill("[name=password]", manager["password"])
        page.click("button[type=submit]")
        page.wait_for_url("**/admin/")
        for name, path in PAGES.items():
            page.goto(path, wait_until="networkidle")
            page.screenshot(path=pictures / f"{name}.png")
        page.goto("/admin/orders/order/?active=yes", wait_until="networkidle")
        page.locator("#result_list tbody a").first.click()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=pictures / "order.png")
        page.set_viewport_size({"width": 360, "height": 760})
        page.emulate_media(color_scheme="dark")
        page.goto("/admin/", wait_until="networkidle")
        page.screenshot(path=pictures / "phone.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
