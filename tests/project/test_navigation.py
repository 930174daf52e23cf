"""The admin's menu: what each role sees, and which line is marked."""

import pytest
from django.test import RequestFactory

from project.navigation import SECTIONS, address_of, navigation
from tests.shop import Shop, user_of

pytestmark = pytest.mark.django_db


def menu(role: str, path: str = "/admin/") -> dict[str, list[str]]:
    request = RequestFactory().get(path)
    request.user = user_of(role, f"{role}-{path.strip('/').replace('/', '-')}@shop.example")
    return {str(one["title"]): [str(item["title"]) for item in one["items"]] for one in navigation(request)}


def marked(path: str) -> list[str]:
    request = RequestFactory().get(path)
    request.user = user_of("admin", f"admin-{path.strip('/').replace('/', '-')}@shop.example")
    return [str(item["title"]) for one in navigation(request) for item in one["items"] if item["active"]]


def test_every_line_leads_somewhere_and_asks_for_a_permission() -> None:
    for section in SECTIONS:
        for item in section.items:
            assert address_of(item.url_name)
            assert "." in item.permission


def test_a_barista_sees_what_a_barista_does() -> None:
    seen = menu("barista")
    assert seen["Money"] == ["Shifts", "Payments"]
    assert seen["Menu"] == ["Products", "Promotions", "Promo codes"]
    assert seen["Stock"] == [
        "Stock",
        "Low stock",
        "Expiring",
        "Receive",
        "Prepare",
        "Write off",
        "Counts",
        "Ingredients",
        "Preparations",
    ]
    assert seen["Stock records"] == ["Ledger", "Documents", "Write-offs"]
    assert seen["Settings"] == ["API tokens"]


def test_a_manager_sees_the_menu_and_the_locations_an_admin_the_accounts() -> None:
    seen = menu("manager")
    assert seen["Money"] == ["Shifts", "Payments", "Refunds", "Daily reports"]
    assert seen["Menu"] == [
        "Products",
        "Categories",
        "Option groups",
        "Promotions",
        "Promo codes",
        "Loyalty programme",
    ]
    assert "Locations" in seen["Settings"]
    assert seen["Stock records"] == [
        "Ledger",
        "Documents",
        "Write-offs",
        "Valuation",
        "Preparation recipes",
        "Shelves",
    ]
    assert "Accounts" not in seen.get("People", [])
    assert "Accounts" in menu("admin")["People"]


def test_a_customer_sees_no_menu_of_the_store_room() -> None:
    assert "Stock" not in menu("customer")


def test_a_transfer_is_offered_once_there_are_two_locations() -> None:
    Shop.open("Main Street")
    assert "Transfer" not in menu("barista", "/admin/a/")["Stock"]
    Shop.open("Riverside")
    assert "Transfer" in menu("barista", "/admin/b/")["Stock"]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/admin/inventory/stocklevel/", ["Stock"]),
        ("/admin/inventory/stocklevel/receive/", ["Receive"]),
        ("/admin/inventory/stocklevel/low/", ["Low stock"]),
        ("/admin/inventory/preparation/prepare/", ["Prepare"]),
        ("/admin/inventory/preparation/5/change/", ["Preparations"]),
        ("/admin/inventory/stocklot/5/change/", ["Expiring"]),
        ("/admin/inventory/stockdocument/write-offs/", ["Write-offs"]),
        ("/admin/inventory/product/5/change/", ["Products"]),
        ("/admin/inventory/option/5/change/", ["Option groups"]),
        ("/admin/inventory/optiongroup/", ["Option groups"]),
        ("/admin/nowhere/", []),
    ],
)
def test_the_line_of_the_page_is_marked(path: str, line: list[str]) -> None:
    assert marked(path) == line


def test_the_number_of_low_ingredients_stands_beside_its_line() -> None:
    shop = Shop.open()
    shop.ingredient("Milk", "ml", stock=1, minimum=5)
    request = RequestFactory().get("/admin/")
    request.user = user_of("barista")
    lines = {str(item["title"]): item.get("badge") for one in navigation(request) for item in one["items"]}
    assert lines["Low stock"] == 1
    assert lines["Stock"] is None


def test_a_barista_finds_the_deliveries_and_a_manager_all_of_purchasing() -> None:
    assert menu("barista")["Purchasing"] == ["Purchase orders"]
    assert menu("manager")["Purchasing"] == ["Purchase orders", "What to order", "Suppliers"]
