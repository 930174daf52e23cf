"""Counting for people: exactly up to 10,000, and "more" beyond, so that no list reads a whole table."""

from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.functional import cached_property

COUNTED_UP_TO = 10_000


class AtLeast(int):
    """A number of rows that is shown as "10,000+"."""

    def __str__(self) -> str:
        return f"{number_format(int(self), force_grouping=True)}+"


def count_up_to_limit(rows: QuerySet[Any]) -> int:
    """The number of rows, or AtLeast(10,000) if there are more. Reads at most 10,001 of them."""
    found = rows.order_by()[: COUNTED_UP_TO + 1].count()
    return found if found <= COUNTED_UP_TO else AtLeast(COUNTED_UP_TO)


class CappedPaginator(Paginator):
    """For ModelAdmin.paginator: offers pages for the first 10,000 rows; a filter finds the others."""

    # The theme looks for it here.
    template_name = "foundation/pagination.html"

    @cached_property
    def count(self) -> int:
        return count_up_to_limit(cast("QuerySet[Any]", self.object_list))
