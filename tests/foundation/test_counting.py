"""The admin counts to a limit and says "more"."""

import pytest
from django.contrib.auth.models import Group
from django.core.paginator import Paginator
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from foundation.counting import About, AtLeast, CappedPaginator, count_up_to_limit, estimated_rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def five_rows_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foundation.counting.COUNTED_UP_TO", 5)


def make(number: int) -> None:
    Group.objects.all().delete()
    Group.objects.bulk_create(Group(name=str(index)) for index in range(number))


@pytest.mark.parametrize(("rows", "count", "shown"), [(0, 0, "0"), (5, 5, "5"), (6, 5, "5+"), (50, 5, "5+")])
def test_it_counts_exactly_up_to_the_limit(rows: int, count: int, shown: str) -> None:
    make(rows)

    found = count_up_to_limit(Group.objects.order_by("name"))

    assert (int(found), str(found)) == (count, shown)


def test_the_database_reads_no_more_than_the_limit_and_one() -> None:
    make(50)

    with CaptureQueriesContext(connection) as queries:
        count_up_to_limit(Group.objects.order_by("name"))

    (query,) = queries
    assert "LIMIT 6" in query["sql"]
    assert "ORDER BY" not in query["sql"]


def test_pages_are_offered_for_the_rows_that_were_counted() -> None:
    make(50)
    paginator = CappedPaginator(Group.objects.order_by("pk"), 2)

    assert isinstance(paginator, Paginator)
    assert paginator.num_pages == 3
    assert len(paginator.page(3).object_list) == 1
    assert not paginator.page(3).has_next()


@pytest.mark.parametrize(("language", "text"), [("en", "10,000+ orders"), ("ru", "10\xa0000+ orders")])
def test_a_template_shows_that_there_are_more(language: str, text: str) -> None:
    with translation.override(language):
        assert Template("{{ count }} orders").render(Context({"count": AtLeast(10_000)})) == text
        sentence = (
            "{% load i18n %}"
            "{% blocktranslate count n=count %}{{ n }} order{% plural %}{{ n }} orders{% endblocktranslate %}"
        )
        assert Template(sentence).render(Context({"count": AtLeast(10_000)})) == text


def test_a_list_that_leaves_nothing_out_says_about_how_many_there_are() -> None:
    make(123)
    rows = Group.objects.order_by("pk")
    assert str(CappedPaginator(rows, 2).count) == "5+", "nobody has counted for the statistics yet"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE auth_group")

    assert estimated_rows(Group) == 120
    assert str(CappedPaginator(rows, 2).count) == "≈\xa0120"
    assert str(CappedPaginator(rows.filter(name__gte="1"), 2).count) == "5+", "of a part the statistics know nothing"
    assert (CappedPaginator(rows, 2).num_pages, CappedPaginator(rows, 2).count > 5) == (3, False)


def test_an_estimate_is_written_with_its_thousands() -> None:
    assert str(About(5, 1_000_000)) == "≈\xa01,000,000"
