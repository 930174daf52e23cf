"""How far Ozon's lists of postings have been read, so that a run that was killed goes on in the middle of a list.

Stored between runs is {"changed_from"}, in the middle of one also {"changed_to", "placed_from", "cursor"}. A list
covers at most a year of orders by the time they were placed; a longer stretch is read in several.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from marketplaces.clients.answers import read_as
from marketplaces.clients.http import ApiSession
from marketplaces.clients.ozon_lists import read_page
from marketplaces.clients.ozon_values import iso

PAGE = 100
# The longest period that one list may cover, less a day for differences of clocks.
YEAR = datetime.timedelta(days=364)
# What changed shortly before the last run is read once more: Ozon may show it late.
OVERLAP = datetime.timedelta(minutes=10)
# Not the buyer's legal data: nothing here needs them.
WITH = {"analytics_data": True, "barcodes": True, "financial_data": True, "legal_info": False}


@dataclass(frozen=True, slots=True)
class Walk:
    """What changed from `changed_from` to `changed_to`, among the orders placed from `placed_from` on, is being read;
    `cursor` is Ozon's word for the next page ("" for the first)."""

    changed_from: datetime.datetime
    changed_to: datetime.datetime
    placed_from: datetime.datetime
    cursor: str = ""

    @classmethod
    def stored(cls, stored: Mapping[str, Any]) -> Self | None:
        """The walk in whose middle a run ended, or None."""
        moments = [stored_moment(stored, name) for name in ("changed_from", "changed_to", "placed_from")]
        changed_from, changed_to, placed_from = moments
        if changed_from is None or changed_to is None or placed_from is None:
            return None
        return cls(changed_from, changed_to, placed_from, read_as(stored.get("cursor"), str) or "")

    @property
    def placed_to(self) -> datetime.datetime:
        return min(self.placed_from + YEAR, self.changed_to)

    def after(self, cursor: str) -> Self | None:
        """The walk behind a page that named this cursor ("": it was the last of its list), or None at the end."""
        if cursor:
            return replace(self, cursor=cursor)
        if self.placed_to < self.changed_to:
            return replace(self, placed_from=self.placed_to, cursor="")
        return None

    def to_store(self) -> dict[str, str]:
        moments = {"changed_from": self.changed_from, "changed_to": self.changed_to, "placed_from": self.placed_from}
        return {name: iso(at) for name, at in moments.items()} | {"cursor": self.cursor}

    def placed(self) -> dict[str, str]:
        """The part of the filter that every list has."""
        return {"since": iso(self.placed_from), "to": iso(self.placed_to)}


def stored_moment(stored: Mapping[str, Any], name: str) -> datetime.datetime | None:
    """A moment of a stored cursor; None where there is none or it is damaged: then more is read than needed."""
    found: datetime.datetime | None = read_as(stored.get(name), datetime.datetime)
    return found


def read_list(session: ApiSession, path: str, *, filters: Mapping[str, Any], cursor: str) -> tuple[list[Any], str]:
    """One page of a list of postings, and the cursor of the next ("" after the last). Raises BadAnswer."""
    request = {"cursor": cursor, "limit": PAGE, "sort_dir": "ASC", "filter": filters, "with": WITH}
    return read_page(session, path, rows="postings", request=request)
