"""Posting a count is killed, or its connection is cut, after any of its statements: nothing of it is half done."""

from decimal import Decimal

import pytest

from inventory.models import StockCount
from inventory.services.counts import count_lines, post_count
from tests.inventory.counting import everything, reviewed, start
from tests.races.test_faults import cut_after, die_after
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db(transaction=True)

ONE = Decimal(1)
POST_STATEMENTS, COUNT_STATEMENTS = 7, 4  # as tests/inventory/test_count_queries.py counts them


@pytest.fixture
def shop() -> Shop:
    return Shop.open()


@pytest.mark.parametrize("fault", [die_after, cut_after])
@pytest.mark.parametrize("statement", range(1, POST_STATEMENTS + 1))
def test_a_posting_that_is_interrupted_has_never_been(shop, fault, statement):
    tea, milk = shop.ingredient("Tea", stock=100), shop.ingredient("Milk", "ml", stock=1000)
    rum = shop.ingredient("Rum", "ml")
    count = reviewed(shop, {tea: 90, milk: 1040, rum: 700})
    before = everything()

    fault(statement, lambda: post_count(count_id=count.pk, posted_by_id=None))

    assert everything() == before
    post_count(count_id=count.pk, posted_by_id=None)
    assert (shop.quantity(tea), shop.quantity(milk), shop.quantity(rum)) == (90, 1040, 700)
    assert StockCount.objects.get().status == "posted"
    assert_levels_are_what_the_ledger_sums_to()


@pytest.mark.parametrize("fault", [die_after, cut_after])
@pytest.mark.parametrize("statement", range(1, COUNT_STATEMENTS + 1))
def test_lines_that_are_noted_when_the_connection_is_cut_are_all_noted_or_none(shop, fault, statement):
    tea, milk = shop.ingredient("Tea", stock=100), shop.ingredient("Milk", "ml", stock=1000)
    count = start(shop, tea, milk)
    before = everything()

    fault(statement, lambda: count_lines(count_id=count.pk, counted={tea.pk: ONE, milk.pk: ONE}, counted_by_id=None))

    assert everything() == before
