"""Ozon's new and changed orders, page by page.

Three lists, each with its cursor:

- "fbs", `/v4/posting/fbs/list`: what is sent from the shop, by the time its status changed last.
- "open", `/v4/posting/fbs/unfulfilled/list`: what waits to be sent. At first, so that a newly connected shop can work
  before a year of old orders has come in, and every hour, in case a change was missed.
- "fbo", `/v3/posting/fbo/list`: what Ozon sends. It can only be asked by the time of the order; so new ones come with
  every run, and once a day those of two months come again, with what became of them. They are kept and nothing else:
  a key that may not read them does not stop the others.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marketplaces.choices import Scheme
from marketplaces.clients.base import OrderPage, Problem
from marketplaces.clients.http import ApiSession
from marketplaces.clients.ozon_order_lists import OVERLAP, YEAR, Walk, read_list, stored_moment
from marketplaces.clients.ozon_postings import read_postings
from marketplaces.clients.ozon_values import iso
from marketplaces.errors import NotAuthorised, Refused
from marketplaces.models import MarketplaceOrderRevision

Source = MarketplaceOrderRevision.Source

FBS_LIST = "/v4/posting/fbs/list"
OPEN_LIST = "/v4/posting/fbs/unfulfilled/list"
FBO_LIST = "/v3/posting/fbo/list"

OPEN_EVERY = datetime.timedelta(hours=1)
# Orders are open for days; what is to be packed within these limits is all there is.
OPEN_AROUND = datetime.timedelta(days=90)
FBO_SWEEP_EVERY = datetime.timedelta(days=1)
FBO_SWEEP = datetime.timedelta(days=60)
ASK_AGAIN_AFTER = datetime.timedelta(days=1)


def order_pages(
    session: ApiSession,
    *,
    cursors: Mapping[str, Any],
    since: datetime.datetime | None,
    now: datetime.datetime,
) -> Iterator[OrderPage]:
    """All three lists, from where the cursors stand, or from `since` if that is earlier."""
    stored = {name: stored_cursor(cursors, name) for name in ("fbs", "open", "fbo")}
    yield from open_pages(session, stored["open"], now=now)
    yield from fbs_pages(session, stored["fbs"], since=since, now=now)
    yield from fbo_pages(session, stored["fbo"], since=since, now=now)


def stored_cursor(cursors: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = cursors.get(name)
    return found if isinstance(found, Mapping) else {}


# --- the shop's orders -------------------------------------------------------------------------------


def fbs_pages(
    session: ApiSession, stored: Mapping[str, Any], *, since: datetime.datetime | None, now: datetime.datetime
) -> Iterator[OrderPage]:
    def filters(walk: Walk) -> dict[str, Any]:
        changed = {"from": iso(walk.changed_from), "to": iso(walk.changed_to)}
        # Whatever was placed in the period has also changed in it: no need to ask.
        return walk.placed() | ({"last_changed_status_date": changed} if walk.changed_from > walk.placed_from else {})

    def beginning(changed_from: datetime.datetime) -> Walk:
        return Walk(changed_from, now, placed_from=min(changed_from, now - YEAR))

    unfinished = Walk.stored(stored) if since is None else None
    if unfinished is not None:
        yield from walked(session, FBS_LIST, unfinished, name="fbs", filters=filters)
        yield from walked(session, FBS_LIST, beginning(unfinished.changed_to - OVERLAP), name="fbs", filters=filters)
        return
    walk = beginning(start_of(stored, since=since, now=now))
    yield from walked(session, FBS_LIST, walk, name="fbs", filters=filters)


def start_of(
    stored: Mapping[str, Any], *, since: datetime.datetime | None, now: datetime.datetime
) -> datetime.datetime:
    """Where to begin: a little before the last run began, or at `since` if that is earlier. A later `since` does not
    count: the cursor would jump over what lies between. At first, a year back, or farther."""
    last = stored_moment(stored, "changed_from")
    from_last = now - YEAR if last is None else last - OVERLAP
    return from_last if since is None else min(since, from_last)


def walked(
    session: ApiSession,
    path: str,
    walk: Walk,
    *,
    name: str,
    filters: Callable[[Walk], Mapping[str, Any]],
    scheme: Scheme | None = None,
    keep: Mapping[str, Any] | None = None,
) -> Iterator[OrderPage]:
    """The rest of a walk; each page carries the cursor that may be stored with it. `keep` stands in every cursor."""
    here: Walk | None = walk
    while here is not None:
        try:
            postings, cursor = read_list(session, path, filters=filters(here), cursor=here.cursor)
        except Refused:
            # A cursor that lay stored for long may be forgotten by Ozon: then this list is read from its beginning.
            if here is not walk or not here.cursor:
                raise
            walk = here = Walk(here.changed_from, here.changed_to, here.placed_from)
            continue
        following = here.after(cursor)
        where = {"changed_from": iso(here.changed_to)} if following is None else following.to_store()
        orders, problems = read_postings(postings, scheme=scheme)
        yield OrderPage(orders=orders, problems=problems, cursors={name: {**(keep or {}), **where}}, source=Source.LIST)
        here = following


# --- what waits to be sent ---------------------------------------------------------------------------


def open_pages(session: ApiSession, stored: Mapping[str, Any], *, now: datetime.datetime) -> Iterator[OrderPage]:
    last = stored_moment(stored, "swept_at")
    if last is not None and now - last < OPEN_EVERY:
        return
    done = {"open": {"swept_at": iso(now)}}
    filters = {"cutoff_from": iso(now - OPEN_AROUND), "cutoff_to": iso(now + OPEN_AROUND)}
    cursor = ""
    try:
        while True:
            postings, cursor = read_list(session, OPEN_LIST, filters=filters, cursor=cursor)
            orders, problems = read_postings(postings)
            yield OrderPage(orders=orders, problems=problems, cursors={} if cursor else done, source=Source.SWEEP)
            if not cursor:
                return
    except (Refused, NotAuthorised) as refusal:
        yield left_out("open", refusal, cursors=done, source=Source.SWEEP)


def left_out(
    name: str, refusal: Refused | NotAuthorised, *, cursors: Mapping[str, Any], source: MarketplaceOrderRevision.Source
) -> OrderPage:
    """A list that this key may not read, or that is gone, does not stop the others; it is said. Raises the refusal if
    the key as such is not taken."""
    if refusal.status == 401:
        raise refusal
    return OrderPage(orders=(), problems=[Problem(item=name, reason=str(refusal))], cursors=cursors, source=source)


# --- what Ozon sends ---------------------------------------------------------------------------------


def fbo_pages(
    session: ApiSession, stored: Mapping[str, Any], *, since: datetime.datetime | None, now: datetime.datetime
) -> Iterator[OrderPage]:
    refused = stored_moment(stored, "refused_at")
    if refused is not None and now - refused < ASK_AGAIN_AFTER and since is None:
        return
    swept = stored_moment(stored, "swept_at")
    walk = Walk.stored(stored) if since is None else None
    if walk is None:
        placed_from = start_of(stored, since=since, now=now)
        if since is not None or swept is None or now - swept >= FBO_SWEEP_EVERY:
            placed_from, swept = min(placed_from, now - FBO_SWEEP), now
        walk = Walk(placed_from, now, placed_from)
    keep = {"swept_at": iso(swept)} if swept is not None else {}
    try:
        yield from walked(session, FBO_LIST, walk, name="fbo", filters=Walk.placed, scheme=Scheme.FBO, keep=keep)
    except (Refused, NotAuthorised) as refusal:
        cursors = {"fbo": {**stored, "refused_at": iso(now)}}
        yield left_out("fbo", refusal, cursors=cursors, source=Source.LIST)
