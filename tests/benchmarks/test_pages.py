"""What the benchmark of a large shop measures are that shop's pages, and the SQL beside them is theirs."""

import pytest
from django.conf import LazySettings
from django.test import Client

from benchmarks import catalogue, counter, documents, history, pages
from foundation.api.pagination import DEFAULT_PAGE_SIZE
from inventory.models import StockCount, StockMovement
from orders.models import ArchivedOrder, EveryOrder
from tests.benchmarks.test_replay import plain_connection
from tests.shop import assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def on_this_machine(settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1"]


def test_every_page_answers_and_its_statements_can_be_sent_again() -> None:
    menu = catalogue.open_shop()
    history.fill(menu, orders=600)
    visitor, plain = pages.manager(), plain_connection()
    busy = counter.open_counter(menu, waiting=3)
    plain.autocommit = True
    try:
        for page in pages.pages(busy):
            sent = pages.statements_of(visitor, page.path)
            assert 3 < len(sent) <= 25, (page.title, len(sent))
            pages.play(plain, sent)
    finally:
        plain.close()


def test_the_page_far_back_is_the_one_that_its_number_says() -> None:
    history.fill(catalogue.open_shop(), orders=600)
    number, address = pages.page_far_back()
    completed = list(EveryOrder.objects.filter(status="completed").order_by("-pk").values_list("pk", flat=True))

    assert number == len(completed) // DEFAULT_PAGE_SIZE > 5
    browser = Client(headers=pages.manager().headers)
    answer = browser.get(address, headers={"Host": "127.0.0.1"}).json()
    start = DEFAULT_PAGE_SIZE * (number - 1)
    assert [one["id"] for one in answer["results"]] == completed[start : start + DEFAULT_PAGE_SIZE]


def test_documents_of_five_hundred_lines_are_written_whole() -> None:
    menu = catalogue.open_shop()
    history.fill(menu, orders=600)
    before = StockMovement.objects.count()

    rows = documents.measure(menu)

    assert [title for title, *_rest in rows] == [
        "receive 500 lines",
        "post a count of 500 lines",
        "archive a thousand orders",
        "restore them",
    ]
    assert StockMovement.objects.count() - before == 2 * documents.LINES
    assert StockCount.objects.get().status == "posted"
    assert not ArchivedOrder.objects.exists()
    assert_levels_are_what_the_ledger_sums_to()
    assert all(int(queries.split()[0]) < 25 for *_rest, queries in rows), rows
