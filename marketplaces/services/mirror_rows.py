"""The rows of mirrored orders: new ones, the changes of known ones, their lines and versions."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from marketplaces.clients.base import Problem, RemoteLine, RemoteOrder
from marketplaces.locks import lock_marketplace_orders
from marketplaces.models import (
    ErasedBuyer,
    MarketplaceOrder,
    MarketplaceOrderLine,
    MarketplaceOrderRevision,
    SellerAccount,
)
from marketplaces.services.buyers import MOST_CONTACTS, contacts_in, without_buyer
from marketplaces.services.payloads import Unkeepable, digest, keepable

Source = MarketplaceOrderRevision.Source

# What the marketplace's answer decides, as far as the columns have its name.
TOLD_COLUMNS = ("number", "status", "fulfilment_status", "state", "scheme", "currency", "total", "revision")
WRITTEN_COLUMNS = (
    *TOLD_COLUMNS,
    "payload",
    "payload_digest",
    "buyer_contacts",
    "placed_at",
    "changed_at",
    "synced_at",
    "vanished_at",
)
LONGEST_ITEM = 100
FARTHEST_AHEAD = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """An order as the marketplace tells it, fit to be kept."""

    order: RemoteOrder
    digest: str

    @classmethod
    def of(cls, order: RemoteOrder) -> "Told":
        return cls(order, digest(order.payload))

    def without_buyer(self) -> "Told":
        return Told.of(replace(self.order, payload=without_buyer(self.order.payload)))


def told_orders(orders: Iterable[RemoteOrder]) -> tuple[dict[str, Told], list[Problem]]:
    """The orders by their ids, of one that is told twice the newer answer; and those that can't be kept."""
    told: dict[str, Told] = {}
    problems = []
    for order in orders:
        try:
            one = Told.of(keepable(order))
        except Unkeepable as why:
            problems.append(Problem(order.external_id.replace("\x00", "")[:LONGEST_ITEM], str(why)))
            continue
        other = told.get(one.order.external_id)
        if other is None or not is_older(one.order, than=other.order.changed_at):
            told[one.order.external_id] = one
    return told, problems


def is_older(order: RemoteOrder, *, than: datetime.datetime | None) -> bool:
    """Whether this answer is from before that moment. Events come out of order: then it must not win. No clock of
    theirs is a day ahead: what once came with such a time must not outlive every answer that follows."""
    if order.changed_at is None or than is None or than > timezone.now() + FARTHEST_AHEAD:
        return False
    return order.changed_at < than


def insert_orders(
    account: SellerAccount, told: Mapping[str, Told], source: Source, at: datetime.datetime
) -> tuple[dict[str, MarketplaceOrder], dict[str, MarketplaceOrder]]:
    """Writes orders that were not known when they were looked for: those that are new now, and those that another
    worker has written meanwhile, locked."""
    if not told:
        return {}, {}
    erased = {
        buyer.external_id: buyer.erased_at
        for buyer in ErasedBuyer.objects.filter(account_id=account.pk, external_id__in=told)
    }
    rows = []
    # In the order of the unique key, so that two workers with common orders wait for each other, not in a circle.
    for external_id, one in sorted(told.items()):
        row = MarketplaceOrder(
            account=account, external_id=external_id, first_seen_at=at, erased_at=erased.get(external_id)
        )
        take_over(row, one.without_buyer() if external_id in erased else one, account, at)
        rows.append(row)
    MarketplaceOrder.objects.bulk_create(rows, ignore_conflicts=True)
    ours = {row.pk for row in rows}
    there = lock_marketplace_orders(account_id=account.pk, external_ids=told)
    inserted = {external_id: order for external_id, order in there.items() if order.pk in ours}
    MarketplaceOrderLine.objects.bulk_create(
        [line_row(order.pk, line) for external_id, order in inserted.items() for line in told[external_id].order.lines]
    )
    write_revisions(list(inserted.values()), {}, source, at)
    return inserted, {external_id: order for external_id, order in there.items() if order.pk not in ours}


def write_changes(
    account: SellerAccount,
    told: Mapping[str, Told],
    known: Mapping[str, MarketplaceOrder],
    *,
    source: Source,
    at: datetime.datetime,
) -> tuple[list[MarketplaceOrder], set[MarketplaceOrder]]:
    """Writes what differs from these locked orders; returns those of which something did, and those of them whose lines
    did."""
    changed: list[MarketplaceOrder] = []
    versions: list[MarketplaceOrder] = []
    for external_id, given in told.items():
        order = known[external_id]
        if is_older(given.order, than=order.changed_at):
            continue
        one = given if order.erased_at is None else given.without_buyer()
        is_version = (one.digest, one.order.status, one.order.fulfilment_status) != (
            order.payload_digest,
            order.status,
            order.fulfilment_status,
        )
        differs = any(getattr(one.order, name) != getattr(order, name) for name in TOLD_COLUMNS)
        if is_version or differs or order.vanished_at is not None:
            take_over(order, one, account, at)
            changed.append(order)
            versions += [order] if is_version else []
    if not changed:
        return [], set()
    changed.sort(key=lambda order: order.pk)
    MarketplaceOrder.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["id"], update_fields=WRITTEN_COLUMNS
    )
    with_other_lines = replace_lines({order.pk: told[order.external_id].order.lines for order in changed})
    numbers = dict(
        MarketplaceOrderRevision.objects.filter(order__in=versions)
        .order_by()
        .values_list("order")
        .annotate(newest=Max("number"))
    )
    write_revisions(versions, numbers, source, at)
    return changed, {order for order in changed if order.pk in with_other_lines}


def take_over(order: MarketplaceOrder, told: Told, account: SellerAccount, at: datetime.datetime) -> None:
    """Gives the row what the marketplace tells."""
    for name in TOLD_COLUMNS:
        setattr(order, name, getattr(told.order, name))
    order.payload = told.order.payload
    order.payload_digest = told.digest
    if order.erased_at is None:
        # Those of earlier versions, too: these are kept.
        found = dict.fromkeys(
            [*contacts_in(told.order.payload, marketplace=account.marketplace), *order.buyer_contacts]
        )
        order.buyer_contacts = list(found)[:MOST_CONTACTS]
    order.placed_at = told.order.placed_at or order.placed_at
    order.changed_at = told.order.changed_at or order.changed_at
    order.synced_at = at
    order.vanished_at = None


def replace_lines(wanted: Mapping[UUID, Sequence[RemoteLine]]) -> set[UUID]:
    """Writes the lines of those orders whose lines differ from what is stored, and returns these orders' ids."""
    stored: dict[UUID, set[tuple[Any, ...]]] = defaultdict(set)
    for line in MarketplaceOrderLine.objects.filter(order__in=wanted):
        stored[line.order_id].add(line_key(line))
    differing = {
        order_id: lines
        for order_id, lines in wanted.items()
        if stored[order_id] != {line_key(line_row(order_id, line)) for line in lines}
    }
    if differing:
        MarketplaceOrderLine.objects.filter(order__in=differing).delete()
        MarketplaceOrderLine.objects.bulk_create(
            [line_row(order_id, line) for order_id, lines in differing.items() for line in lines]
        )
    return set(differing)


def line_row(order_id: UUID, line: RemoteLine) -> MarketplaceOrderLine:
    return MarketplaceOrderLine(
        order_id=order_id,
        external_line_id=line.external_line_id,
        sku=line.sku,
        name=line.name,
        barcode=line.barcode,
        quantity=line.quantity,
        price=line.price,
    )


def line_key(line: MarketplaceOrderLine) -> tuple[Any, ...]:
    return line.external_line_id, line.sku, line.name, line.barcode, line.quantity, line.price


def write_revisions(
    orders: Sequence[MarketplaceOrder], numbers: Mapping[UUID, int], source: Source, at: datetime.datetime
) -> None:
    """Keeps these orders' payloads as their next versions; `numbers` are those of the last ones."""
    MarketplaceOrderRevision.objects.bulk_create(
        [
            MarketplaceOrderRevision(
                order=order,
                number=numbers.get(order.pk, 0) + 1,
                status=order.status,
                fulfilment_status=order.fulfilment_status,
                payload=order.payload,
                source=source,
                seen_at=at,
            )
            for order in orders
        ]
    )
