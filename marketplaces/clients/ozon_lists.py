"""Lists that Ozon gives page by page."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.clients.answers import need, optional
from marketplaces.clients.http import ApiSession
from marketplaces.clients.ozon_values import name_of
from marketplaces.errors import BadAnswer


def read_page(session: ApiSession, path: str, *, rows: str, request: Mapping[str, Any]) -> tuple[list[Any], str]:
    """One page: its rows, and the cursor of the next page, "" after the last.

    Raises BadAnswer for an answer without its list, or one that would go round in circles.
    """
    data = session.call("POST", path, json=request, is_safe=True).data
    found = need(data, rows, list)
    cursor, has_next = name_of(data, "cursor"), optional(data, "has_next", bool)
    is_new = bool(cursor) and cursor != request.get("cursor", "")
    if has_next and not is_new:
        raise BadAnswer(_("The list goes on, but names no next page."))
    # Where Ozon does not say whether it goes on, an empty page or no new cursor is the end.
    goes_on = has_next if has_next is not None else is_new and bool(found)
    return found, cursor if goes_on else ""


def all_pages(session: ApiSession, path: str, *, rows: str, request: Mapping[str, Any]) -> Iterator[list[Any]]:
    """All pages of a list, one at a time."""
    cursor = ""
    while True:
        asked = {**request, "cursor": cursor} if cursor else request
        found, cursor = read_page(session, path, rows=rows, request=asked)
        yield found
        if not cursor:
            return
