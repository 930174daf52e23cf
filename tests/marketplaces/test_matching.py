"""What is unmatched, and what it might be."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Product
from marketplaces.matching import Unmatched, suggestions, unmatched_skus, unmatched_stock
from tests.marketplaces.shelf import listed, seller
from tests.marketplaces.test_listings import order_of, stock_of
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def test_what_stock_and_orders_name_and_no_listing_matches_is_unmatched() -> None:
    shop = Shop.open()
    account, other = seller(shop), seller(shop)
    stock_of(account, "A", name="Jasmine tea", barcode="460", present=5)
    stock_of(account, "A", warehouse_id="2", present=7)
    order_of(account, "A", quantity=3)
    newest = order_of(account, "B", name="Oolong")
    stock_of(account, "C")
    order_of(other, "D")
    listed(account, shop.product("Tea"), "C")

    first, second = unmatched_skus(account_id=account.pk, most=10)

    assert (first.sku, first.name, first.barcode, first.pieces, first.sold) == ("A", "Jasmine tea", "460", 12, 3)
    assert (second.sku, second.name, second.pieces, second.sold) == ("B", "Oolong", 0, 2)
    assert second.seen_at == newest.synced_at
    assert [row.sku for row in unmatched_skus(account_id=account.pk, most=1)] == ["A"]
    assert [row.sku for row in unmatched_skus(account_id=account.pk, after="A", most=1)] == ["B"]
    assert [row.sku for row in unmatched_skus(account_id=other.pk, most=9)] == ["D"]
    assert unmatched_stock() == {account.pk: 2}


def row(sku: str, name: str = "", barcode: str = "") -> Unmatched:
    return Unmatched(sku, name, barcode, 0, 0, None)  # type: ignore[arg-type]


def test_the_same_number_is_sure_and_a_name_alike_is_a_guess() -> None:
    shop = Shop.open()
    latte, mocha, tea = shop.product("Matcha latte"), shop.product("Mocha"), shop.product("Жасминовый чай")
    Product.objects.filter(pk=latte.pk).update(sku="ML-1")
    Product.objects.filter(pk=mocha.pk).update(barcode="4601234567890")
    rows = [
        row("ml-1", "Something else"),
        row("777", "Whatever", "4601234567890"),
        row("778", "Herbata matcha 0,5 l (ML-1)"),
        row("779", "ml-1"),
        row("4601234567890"),
        row("J", "Чай жасминовый листовой, 100 г"),
        row("M", "matcha  LATTE 0.5 l"),
        row("N", "Detergent for dishwashers"),
        row("E"),
    ]
    with CaptureQueriesContext(connection) as seen:
        found = suggestions(rows)
    assert len(seen) == 2
    assert {sku: (one.product_id, one.is_sure) for sku, one in found.items()} == {
        "ml-1": (latte.pk, True),
        "778": (latte.pk, True),
        "779": (latte.pk, True),
        "777": (mocha.pk, True),
        "4601234567890": (mocha.pk, True),
        "J": (tea.pk, False),
        "M": (latte.pk, False),
    }
    assert suggestions([]) == {}
