"""Counting for people: exactly up to 10,000, and "more" or about how many beyond, so that no list reads a whole
table."""

from typing import Any, cast

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model, QuerySet
from django.utils.formats import number_format
from django.utils.functional import cached_property

COUNTED_UP_TO = 10_000


class AtLeast(int):
    """A number of rows that is shown as "10,000+"."""

    def __str__(self) -> str:
        return f"{number_format(int(self), force_grouping=True)}+"


class About(int):
    """The limit of the counting, which is shown as how many there are in about: "≈ 1,000,000"."""

    def __new__(cls, counted: int, estimate: int) -> "About":
        made = super().__new__(cls, counted)
        made.estimate = estimate
        return made

    estimate: int

    def __str__(self) -> str:
        return f"≈\xa0{number_format(self.estimate, force_grouping=True)}"


def capped(found: int) -> int:
    """What was counted to the limit and one more: the number, or AtLeast(10,000)."""
    return found if found <= COUNTED_UP_TO else AtLeast(COUNTED_UP_TO)


def count_up_to_limit(rows: QuerySet[Any]) -> int:
    """The number of rows, or AtLeast(10,000) if there are more. Reads at most 10,001 of them."""
    return capped(rows.order_by()[: COUNTED_UP_TO + 1].count())


def estimated_rows(model: type[Model]) -> int:
    """How many rows the database's statistics know of in the whole table, to two figures; 0 if they know none.

    They are as old as the last ANALYZE, which the server makes by itself when a tenth of a table has changed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        (known,) = cursor.fetchone()
    step = 10 ** max(len(str(known)) - 2, 0)
    return max(round(known / step) * step, 0)


class CappedPaginator(Paginator):
    """For ModelAdmin.paginator: offers pages for the first 10,000 rows; a filter finds the others."""

    # The theme looks for it here.
    template_name = "foundation/pagination.html"

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        found = count_up_to_limit(rows)
        if isinstance(found, AtLeast) and not rows.query.has_filters():
            # Nothing is left out: the table's own statistics say more than "more".
            estimate = estimated_rows(rows.model)
            return About(found, estimate) if estimate > found else found
        return found
