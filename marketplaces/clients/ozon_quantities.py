"""Writing quantities to one of the seller's warehouses on Ozon, and reading them back.

A written quantity does not include what buyers have reserved; so that is what is read back, too: what is free. A pair
of offer and warehouse may be written once in 30 seconds; Ozon says so within an answer that is otherwise in order.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.clients.answers import need, read_as
from marketplaces.clients.base import PushResult, QuantityChange
from marketplaces.clients.gate import Gate
from marketplaces.clients.http import ApiSession
from marketplaces.clients.ozon_lists import all_pages
from marketplaces.clients.ozon_stock import OWN_STOCK
from marketplaces.clients.ozon_values import name_of, needed_name, pieces
from marketplaces.clients.ozon_warehouses import the_only_one, warehouse_number, warehouses
from marketplaces.errors import BadAnswer, MarketplaceError, NotAuthorised, NotFound, RateLimited

WRITE = "/v2/products/stocks"
READ = "/v2/product/info/stocks-by-warehouse/fbs"
PAIRS_AT_ONCE = 100
# An offer has a row for each warehouse: so many offers stay within a few pages.
OFFERS_AT_ONCE = 200
PAGE = 1000
PAIR_REST = 30.0
LONGEST_REASON = 300
TOO_OFTEN = ("TOO_MANY_REQUESTS", "Stock is updated too frequently")


Pair = tuple[str, QuantityChange]


def set_quantities(
    session: ApiSession, changes: Sequence[QuantityChange], *, warehouse_id: str, gate: Gate
) -> list[PushResult]:
    """Writes the changes, to `warehouse_id` where they name no other, and without that to the only warehouse.

    Raises MarketplaceError only as long as nothing has been written: after that, the results say what was not.
    """
    pairs = with_warehouses(session, changes, warehouse_id)
    reason = _("The seller has several warehouses on Ozon, or none: choose one in the account.")
    results = [
        PushResult(sku=change.sku, is_taken=False, reason=reason) for warehouse, change in pairs if not warehouse
    ]
    pairs = [pair for pair in pairs if pair[0]]
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        chunk = pairs[start : start + PAIRS_AT_ONCE]
        try:
            results += write(session, chunk, gate=gate)
        except MarketplaceError as error:
            if start == 0:
                raise
            return results + [not_written(change, error) for _warehouse, change in pairs[start:]]
    return results


def with_warehouses(session: ApiSession, changes: Sequence[QuantityChange], warehouse_id: str) -> list[Pair]:
    """Each change with the warehouse that is meant, "" where none is."""
    if not warehouse_id and any(not change.warehouse_id for change in changes):
        only = the_only_one(warehouses(session))
        warehouse_id = only.id if only is not None else ""
    return [(change.warehouse_id or warehouse_id, change) for change in changes]


def write(session: ApiSession, pairs: Sequence[Pair], *, gate: Gate) -> list[PushResult]:
    # Only the seller's SKU: with a product_id beside it Ozon might mean two different things.
    stocks = [
        {"offer_id": change.sku, "stock": change.quantity, "warehouse_id": warehouse_number(warehouse)}
        for warehouse, change in pairs
    ]
    data = session.call("POST", WRITE, json={"stocks": stocks}, is_safe=False, gates=[gate]).data
    said = {(name_of(row, "warehouse_id"), name_of(row, "offer_id")): row for row in need(data, "result", list)}
    return [result_of(change, said.get((warehouse, change.sku))) for warehouse, change in pairs]


def result_of(change: QuantityChange, row: Any) -> PushResult:
    """What Ozon said of one pair, None if it said nothing."""
    if row is None:
        return PushResult(sku=change.sku, is_taken=False, reason=_("Ozon did not say what became of it."))
    errors = read_as(row.get("errors"), list) or []
    if not errors and row.get("updated") is True:
        return PushResult(sku=change.sku, is_taken=True)
    words = [name_of(error, field) for error in errors for field in ("code", "message")]
    reason = ": ".join(dict.fromkeys(word for word in words if word)) or _(
        "Ozon did not take it, and does not say why."
    )
    is_too_often = any(sign in word for word in words for sign in TOO_OFTEN)
    return PushResult(
        sku=change.sku, is_taken=False, reason=reason[:LONGEST_REASON], retry_after=PAIR_REST if is_too_often else None
    )


def not_written(change: QuantityChange, error: MarketplaceError) -> PushResult:
    """What became of a change whose call failed, or was not made any more."""
    retry_after = error.retry_after if isinstance(error, RateLimited) else None
    return PushResult(
        sku=change.sku,
        is_taken=False,
        reason=str(error)[:LONGEST_REASON],
        retry_after=retry_after if error.is_final else retry_after or PAIR_REST,
    )


def quantities(session: ApiSession, changes: Sequence[QuantityChange], *, warehouse_id: str) -> dict[str, int | None]:
    """What is free of each offer in the warehouse that would be written; 0 for an offer that lies in others only, None
    where it can't be read. What Ozon does not know is left out."""
    pairs = [pair for pair in with_warehouses(session, changes, warehouse_id) if pair[0]]
    found: dict[str, int | None] = {}
    for start in range(0, len(pairs), OFFERS_AT_ONCE):
        found |= read(session, pairs[start : start + OFFERS_AT_ONCE])
    return found


def read(session: ApiSession, pairs: Sequence[Pair]) -> dict[str, int | None]:
    meant = {change.sku: warehouse for warehouse, change in pairs}
    found: dict[str, int | None] = {}
    unreadable: set[str] = set()
    for row in rows_of(session, meant):
        sku = name_of(row, "offer_id")
        if sku not in meant:
            continue
        try:
            free = max(0, pieces(row, "present") - pieces(row, "reserved"))
            is_meant = needed_name(row, "warehouse_id") == meant[sku]
        except BadAnswer:
            unreadable.add(sku)
            continue
        if is_meant:
            found[sku] = free
        else:
            found.setdefault(sku, 0)
    return found | dict.fromkeys(unreadable)


def rows_of(session: ApiSession, meant: Mapping[str, str]) -> Iterator[Any]:
    """The rows of these offers; from the lists of whole warehouses where the key may not ask for offers."""
    try:
        for page in all_pages(session, READ, rows="products", request={"offer_id": list(meant), "limit": PAGE}):
            yield from page
        return
    except (NotAuthorised, NotFound) as refusal:
        if refusal.status == 401:
            raise
    for warehouse in sorted(set(meant.values())):
        request = {"warehouse_id": warehouse_number(warehouse), "limit": PAGE}
        for page in all_pages(session, OWN_STOCK, rows="stocks", request=request):
            yield from page
