"""The mirror: what a marketplace tells of its orders is kept, with everything that it told before.

Pages come twice, in the wrong order, and from two workers at once; what is kept is the newest answer, and every version
that differed. A page takes a constant number of queries, however many orders it has.
"""

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from marketplaces.choices import OrderState
from marketplaces.clients.base import OrderPage, Problem, RemoteOrder
from marketplaces.locks import lock_marketplace_orders
from marketplaces.models import MarketplaceOrder, MarketplaceOrderRevision, SellerAccount, StockOperation, SyncCursor
from marketplaces.services.joint_payments import joined_orders, orders_with_lines_of
from marketplaces.services.mirror_rows import insert_orders, told_orders, write_changes
from marketplaces.services.operations import create_operations, request_cancellations, take_up_again
from marketplaces.services.runs import keep_lease
from marketplaces.services.shrinking import mark_parts_cancelled
from monitoring.services.alerts import AlertText, notify_many

Source = MarketplaceOrderRevision.Source

ORDER_UNKNOWN_STATUS = "marketplaces.order_unknown_status"
UNKNOWN_STATUS = gettext_noop(
    "%(account)s: the status %(status)s of order %(order)s is not known here. Nothing is done with such orders."
)

# From here on an order takes from the shop's stock.
TO_BE_SENT = (OrderState.READY, OrderState.PROCESSING)
GONE = (OrderState.SENT, OrderState.DELIVERED)
NOT_COUNTED_YET = (OrderState.WAITING, OrderState.UNKNOWN)


@dataclass(slots=True)
class StoredPage:
    """What came of a page: orders that are new, have changed, or are as they were; the operations that it began; how
    many operations are to be cancelled because of it; and what was left out."""

    stored: int = 0
    changed: int = 0
    unchanged: int = 0
    created_operations: list[StockOperation] = field(default_factory=list)
    cancellations: int = 0
    problems: list[Problem] = field(default_factory=list)
    orders: dict[str, MarketplaceOrder] = field(default_factory=dict)

    def add(self, other: "StoredPage") -> None:
        self.stored += other.stored
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.created_operations += other.created_operations
        self.cancellations += other.cancellations
        self.problems += other.problems
        self.orders |= other.orders


@transaction.atomic
def store_page(*, account_id: UUID, page: OrderPage, at: datetime.datetime, run_id: UUID | None = None) -> StoredPage:
    """Keeps a page of orders and moves the cursors that it covers, in one transaction.

    An order that can't be kept is left out and listed; the others are kept. With `run_id` only while that run has the
    account's lease, which is renewed: raises LeaseLost otherwise, and nothing is kept.
    """
    account = account_told_of(account_id)
    try:
        with transaction.atomic():
            stored = keep(account, page.orders, page.vanished, page.source, at)
    except (DataError, IntegrityError):
        # One that no check knew. The others are worth a few more queries.
        stored = keep_singly(account, page.orders, page.vanished, page.source, at)
    stored.problems = [*page.problems, *stored.problems]
    if run_id is not None:
        keep_lease(run_id=run_id, at=at)
    move_cursors(account_id, page.cursors, at)
    return stored


@transaction.atomic(savepoint=False)
def store_read_orders(
    *, account_id: UUID, found: Mapping[str, RemoteOrder | None], at: datetime.datetime
) -> dict[str, MarketplaceOrder]:
    """Keeps orders that were read again (None: the marketplace has it no more), as `store_page` does, in the caller's
    transaction if there is one. Returns the mirrored orders as they are now, by the marketplace's id; ones that were
    never mirrored and are not there are left out.

    Locks orders: to be called before operations are locked.
    """
    account = account_told_of(account_id)
    orders = [order for order in found.values() if order is not None]
    vanished = [external_id for external_id, order in found.items() if order is None]
    stored = keep(account, orders, vanished, Source.READ, at)
    lacking = set(found) - set(stored.orders)
    if lacking:
        stored.orders |= lock_marketplace_orders(account_id=account_id, external_ids=lacking)
    return {external_id: order for external_id, order in stored.orders.items() if external_id in found}


def account_told_of(account_id: UUID) -> SellerAccount:
    """What of the account is needed here, which is not its keys: opening those takes time."""
    return SellerAccount.objects.only("marketplace", "name", "created_at").get(pk=account_id)


def keep_singly(
    account: SellerAccount,
    orders: Iterable[RemoteOrder],
    vanished: Sequence[str],
    source: Source,
    at: datetime.datetime,
) -> StoredPage:
    """Keeps what can be kept, one order after the other; what PostgreSQL refuses is listed."""
    stored = StoredPage()
    for order in orders:
        try:
            with transaction.atomic():
                stored.add(keep(account, [order], [], source, at))
        except (DataError, IntegrityError) as error:
            stored.problems.append(
                Problem(order.external_id[:100], _("The database refused it: %(why)s") % {"why": error})
            )
    stored.add(keep(account, [], vanished, source, at))
    return stored


def keep(
    account: SellerAccount,
    orders: Iterable[RemoteOrder],
    vanished: Collection[str],
    source: Source,
    at: datetime.datetime,
) -> StoredPage:
    """Keeps these orders, in the transaction that is open."""
    told, problems = told_orders(orders)
    gone = set(vanished) - set(told)
    relatives = orders_with_lines_of(account, [one.order for one in told.values()], vanished=gone)
    known = lock_marketplace_orders(account_id=account.pk, external_ids={*told, *gone, *relatives})
    before: dict[str, str | None] = {external_id: order.state for external_id, order in known.items()}
    unknown = {external_id: one for external_id, one in told.items() if external_id not in known}
    inserted, overtaken = insert_orders(account, unknown, source, at)
    known |= overtaken
    before |= {external_id: order.state for external_id, order in overtaken.items()}
    changed, with_other_lines = write_changes(
        account, {one: told[one] for one in told if one in known}, known, source=source, at=at
    )
    mark_vanished([known[external_id] for external_id in sorted(gone) if external_id in known], at)
    everything = known | inserted
    moved = [*inserted.values(), *changed]
    merged = joined_orders(everything.values()) if relatives else []
    created = create_operations(orders=[one for one in moved if sells(one, before, account)], at=at)
    if again := [one for one in changed if is_taken_up_again(one, before)]:
        created += take_up_again(orders=again, at=at)
    cancelled = [one for one in changed if is_late_cancellation(one, before)]
    asked = (
        request_cancellations(orders=cancelled, reason=_("cancelled on the marketplace"), at=at) if cancelled else []
    )
    asked += request_cancellations(orders=merged, reason=_("paid together with another order"), at=at) if merged else []
    if shrunk := [one for one in changed if may_have_shrunk(one, before, with_other_lines)]:
        mark_parts_cancelled(orders=shrunk, at=at)
    tell_unknown(account, moved)
    return StoredPage(
        stored=len(inserted),
        changed=len(changed),
        unchanged=len(told) - len(inserted) - len(changed),
        created_operations=created,
        cancellations=len(asked),
        problems=problems,
        orders={one: order for one, order in everything.items() if one in told or one in gone},
    )


def sells(order: MarketplaceOrder, before: Mapping[str, str | None], account: SellerAccount) -> bool:
    """Whether the order is to be taken from the stock now: it is to be sent, or was sent while nobody looked.

    What had left the shop before the account was set up has been counted in another way.
    """
    if order.merged_into_id is not None or order.vanished_at is not None:
        return False
    if order.state in TO_BE_SENT:
        return True
    if order.state not in GONE:
        return False
    if order.external_id in before:
        return before[order.external_id] in NOT_COUNTED_YET
    return order.placed_at is not None and order.placed_at >= account.created_at


def is_late_cancellation(order: MarketplaceOrder, before: Mapping[str, str | None]) -> bool:
    """The order was cancelled meanwhile. What had been sent by then comes back by hand, if at all."""
    was = before.get(order.external_id)
    return order.state == OrderState.CANCELLED and was in (*NOT_COUNTED_YET, *TO_BE_SENT)


def is_taken_up_again(order: MarketplaceOrder, before: Mapping[str, str | None]) -> bool:
    """The order was cancelled, and is to be sent after all, or was: Allegro lets a seller take a cancellation back."""
    return (
        before.get(order.external_id) == OrderState.CANCELLED
        and order.state in (*TO_BE_SENT, *GONE)
        and order.merged_into_id is None
    )


def may_have_shrunk(
    order: MarketplaceOrder, before: Mapping[str, str | None], with_other_lines: Collection[MarketplaceOrder]
) -> bool:
    """Whether a part of the order may have been cancelled while the rest goes on. An order that is cancelled gives back
    everything, and what has been sent comes back by hand."""
    was = before.get(order.external_id)
    if order.state not in (*TO_BE_SENT, *GONE) or was not in (*NOT_COUNTED_YET, *TO_BE_SENT):
        return False
    # Nothing was done with it while its status was unknown.
    return order in with_other_lines or was == OrderState.UNKNOWN


def mark_vanished(orders: Sequence[MarketplaceOrder], at: datetime.datetime) -> None:
    """The marketplace has these (locked) orders no more. They stay, with the moment from which on."""
    newly = [order for order in orders if order.vanished_at is None]
    for order in newly:
        order.vanished_at = at
    if newly:
        MarketplaceOrder.objects.filter(pk__in=[order.pk for order in newly]).update(vanished_at=at)


def tell_unknown(account: SellerAccount, orders: Iterable[MarketplaceOrder]) -> None:
    """Says once of each word that the marketplace has not used before that somebody has to look."""
    unknown = {order.status: order for order in orders if order.state == OrderState.UNKNOWN}
    alerts = []
    for status, order in sorted(unknown.items()):
        details = {"account": str(account), "status": status, "order": str(order), "order_id": str(order.pk)}
        alerts.append(AlertText(f"{account.pk}:{status}", unknown_status_sentence(details), details))
    notify_many(event=ORDER_UNKNOWN_STATUS, alerts=alerts)


def unknown_status_sentence(details: Mapping[str, object]) -> str:
    """What such an alert says, in the reader's language."""
    return _(UNKNOWN_STATUS) % {name: details[name] for name in ("account", "status", "order")}


def move_cursors(account_id: UUID, cursors: Mapping[str, object], at: datetime.datetime) -> None:
    """Stores how far has been read, in the transaction of what was read."""
    SyncCursor.objects.bulk_create(
        [
            SyncCursor(account_id=account_id, name=name, value=value, moved_at=at)
            for name, value in sorted(cursors.items())
        ],
        update_conflicts=True,
        unique_fields=["account", "name"],
        update_fields=["value", "moved_at"],
    )
