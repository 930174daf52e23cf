"""How many queries counting takes: as many for 500 lines as for one."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.count_selectors import review
from inventory.models import Ingredient, StockCount
from inventory.services.counts import count_lines, post_count, reopen_count, start_count, submit_count
from inventory.services.shelves import add_shelf, change_shelf
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db


def queries(call: Callable[..., Any], **arguments: Any) -> tuple[int, Any]:
    """The number of statements of a service, the savepoint of the test's own transaction not counted."""
    with CaptureQueriesContext(connection) as captured:
        answer = call(**arguments)
    return sum(not one["sql"].startswith(("SAVEPOINT", "RELEASE")) for one in captured), answer


def stocked(shop: Shop, number: int) -> list[int]:
    """So many new ingredients that lie there, every tenth of them in lots."""
    ingredients = Ingredient.objects.bulk_create(
        Ingredient(
            name=f"Ingredient {number} {place:03}", unit="g", tracks_expiry=place % 10 in (4, 5), shelf_life_hours=48
        )
        for place in range(number)
    )
    shop.receive(dict.fromkeys(ingredients, 100), unit_cost="0.5")
    return [one.pk for one in ingredients]


def steps(shop: Shop, number: int) -> dict[str, int]:
    """The queries of each step of a count of so many lines, all of which differ, half in each direction."""
    ids = stocked(shop, number)
    taken: dict[str, int] = {}
    taken["shelf"], shelf = queries(add_shelf, location=shop.location, name=f"Shelf {number}", ingredient_ids=ids)
    taken["start"], count = queries(start_count, location=shop.location, shelf_id=shelf.pk, created_by_id=None)
    counted = {pk: Decimal(90 if place % 2 == 0 else 110) for place, pk in enumerate(ids)}
    taken["count"], _ = queries(count_lines, count_id=count.pk, counted=counted, counted_by_id=None)
    taken["submit"], _ = queries(submit_count, count_id=count.pk)
    taken["reopen"], _ = queries(reopen_count, count_id=count.pk, ingredient_ids=ids[:1])
    count_lines(count_id=count.pk, counted={ids[0]: Decimal(90)}, counted_by_id=None)
    submit_count(count_id=count.pk)
    taken["review"], _ = queries(review, count=count)
    taken["post"], _ = queries(post_count, count_id=count.pk, posted_by_id=None)
    taken["posted"], lines = queries(review, count=StockCount.objects.get(pk=count.pk))
    assert [one.difference for one in lines] == [Decimal(-10 if place % 2 == 0 else 10) for place in range(number)]
    taken["empty the shelf"], _ = queries(change_shelf, shelf_id=shelf.pk, ingredient_ids=[])
    return taken


def test_a_count_of_500_lines_takes_as_many_queries_as_one_of_twenty():
    shop = Shop.open()

    few, many = steps(shop, 20), steps(shop, 500)

    assert many == few
    assert many == {
        "shelf": 10,
        "start": 6,
        "count": 4,
        "submit": 3,
        "reopen": 4,
        "review": 3,
        "post": 9,
        "posted": 2,
        "empty the shelf": 6,
    }
    assert_levels_are_what_the_ledger_sums_to()


def test_a_count_of_one_line_takes_no_more_queries():
    shop = Shop.open()
    taken = steps(shop, 1)
    assert (taken["count"], taken["post"]) == (4, 7)
