"""Reading certain postings as they are now."""

import datetime
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

from marketplaces.choices import Scheme
from marketplaces.clients.answers import need
from marketplaces.clients.base import RemoteOrder
from marketplaces.clients.http import ApiSession
from marketplaces.clients.ozon_order_lists import PAGE, YEAR, read_list
from marketplaces.clients.ozon_order_pages import FBS_LIST
from marketplaces.clients.ozon_postings import read_posting
from marketplaces.clients.ozon_values import iso, name_of
from marketplaces.clients.parallel import in_parallel
from marketplaces.errors import BadAnswer, MarketplaceError, NotAuthorised, NotFound

T = TypeVar("T")

FBS_GET = "/v3/posting/fbs/get"
FBO_GET = "/v2/posting/fbo/get"


def read_orders(
    session: ApiSession, numbers: Sequence[str], *, now: datetime.datetime
) -> dict[str, RemoteOrder | None]:
    """These postings; None for one that Ozon does not have.

    A hundred at a time from the list, by the numbers of their orders: the answer looks the same there as when the
    order was found, so that reading it again is no new revision. What the list does not show (an order of more than a
    year, one of Ozon's warehouse) is asked for singly; only that answer may say that a posting is gone. Raises
    BadAnswer, with the number, for one that can't be read.
    """
    order_numbers = sorted({order_number(number) for number in numbers})
    chunks = [order_numbers[start : start + PAGE] for start in range(0, len(order_numbers), PAGE)]
    found: dict[str, Any] = {}
    for listed in results(partial(listed_postings, session, chunk, now=now) for chunk in chunks):
        found |= {name_of(posting, "posting_number"): posting for posting in listed}
    orders: dict[str, RemoteOrder | None] = {
        number: readable(found[number], number) for number in numbers if number in found
    }
    missing = [number for number in dict.fromkeys(numbers) if number not in orders]
    orders |= zip(missing, results(partial(read_order, session, number) for number in missing), strict=True)
    return orders


def results(jobs: Iterable[Callable[[], T]]) -> list[T]:
    """Runs the jobs, a few at a time. Raises the first MarketplaceError."""
    ended = in_parallel(list(jobs))
    for result in ended:
        if isinstance(result, MarketplaceError):
            raise result
    return cast(list[T], ended)


def listed_postings(session: ApiSession, order_numbers: Sequence[str], *, now: datetime.datetime) -> list[Any]:
    filters = {"since": iso(now - YEAR), "to": iso(now), "order_numbers": list(order_numbers)}
    listed, cursor = read_list(session, FBS_LIST, filters=filters, cursor="")
    while cursor:
        postings, cursor = read_list(session, FBS_LIST, filters=filters, cursor=cursor)
        listed += postings
    return listed


def order_number(posting_number: str) -> str:
    """The order that a posting is part of: 0208245774-0029 of 0208245774-0029-1."""
    return posting_number.rpartition("-")[0] or posting_number


def read_order(session: ApiSession, number: str) -> RemoteOrder | None:
    """One posting, wherever it is sent from; None if Ozon does not have it."""
    try:
        return readable(need(get(session, FBS_GET, number), "result", dict), number)
    except NotFound as absence:
        if not is_about_the_posting(absence):
            raise
    try:
        return readable(need(get(session, FBO_GET, number), "result", dict), number, scheme=Scheme.FBO)
    except NotFound as absence:
        if not is_about_the_posting(absence):
            raise
        return None
    except NotAuthorised as refusal:
        # A key that may not read the orders which Ozon sends has never found one.
        if refusal.status == 401:
            raise
        return None


def get(session: ApiSession, path: str, number: str) -> Any:
    wanted = {"analytics_data": True, "financial_data": True}
    return session.call("POST", path, json={"posting_number": number, "with": wanted}, is_safe=True).data


def is_about_the_posting(absence: NotFound) -> bool:
    """Whether it is the posting that is not there (POSTING_NOT_FOUND), and not the operation: those are switched off
    now and then, and that must not look as if all orders had vanished."""
    words = str(absence)
    for path in (FBS_GET, FBO_GET):
        words = words.replace(path, "")
    return "POSTING" in words.upper()


def readable(posting: Any, number: str, *, scheme: Scheme | None = None) -> RemoteOrder:
    """Raises BadAnswer, with the number."""
    try:
        return read_posting(posting, scheme=scheme)
    except BadAnswer as wrong:
        raise BadAnswer(f"{number}: {wrong}") from None
