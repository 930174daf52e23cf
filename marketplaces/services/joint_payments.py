"""Orders that a buyer pays together: the marketplace drops the old ones and makes a new one of their lines.

Only Allegro does it, whose lines keep their ids; elsewhere a line's id says nothing beyond its order.
Source: github.com/allegro/allegro-api, issues 8898, 10406 and 2172.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import combinations
from uuid import UUID

from marketplaces.choices import Marketplace, OrderState
from marketplaces.clients.base import RemoteOrder
from marketplaces.models import MarketplaceOrder, MarketplaceOrderLine, SellerAccount

LIVE = (OrderState.READY, OrderState.PROCESSING, OrderState.SENT, OrderState.DELIVERED)
GONE = (OrderState.SENT, OrderState.DELIVERED, OrderState.RETURNED)


def orders_with_lines_of(
    account: SellerAccount, orders: Collection[RemoteOrder], *, vanished: Collection[str]
) -> set[str]:
    """The ids of other mirrored orders that have a line of these, or of those that vanished."""
    if account.marketplace != Marketplace.ALLEGRO:
        return set()
    # Table by table, each by an index: a join of both goes through everything while PostgreSQL has no statistics of a
    # mirror that has just grown.
    line_ids = {line.external_line_id for order in orders for line in order.lines}
    if vanished:
        gone = MarketplaceOrder.objects.filter(account=account, external_id__in=vanished).order_by()
        lines = MarketplaceOrderLine.objects.filter(order_id__in=list(gone.values_list("pk", flat=True)))
        line_ids |= set(lines.order_by().values_list("external_line_id", flat=True))
    if not line_ids:
        return set()
    sharing = MarketplaceOrderLine.objects.filter(external_line_id__in=line_ids).order_by()
    order_ids = set(sharing.values_list("order_id", flat=True))
    found = MarketplaceOrder.objects.filter(pk__in=order_ids, account=account).order_by()
    return set(found.values_list("external_id", flat=True))


def joined_orders(orders: Iterable[MarketplaceOrder]) -> list[MarketplaceOrder]:
    """Of these locked orders, notes in those that were paid together with others as which order they go on, and
    returns them."""
    by_id = {order.pk: order for order in orders}
    lines: dict[UUID, set[str]] = defaultdict(set)
    holders: dict[str, list[UUID]] = defaultdict(list)
    rows = MarketplaceOrderLine.objects.filter(order__in=by_id).order_by("order_id")
    for order_id, line_id in rows.values_list("order_id", "external_line_id"):
        lines[order_id].add(line_id)
        holders[line_id].append(order_id)
    pairs = {pair for sharing in holders.values() for pair in combinations(sharing, 2)}
    joined = []
    for one, other in sorted(pairs):
        old, new = older_first(by_id[one], by_id[other])
        if old.merged_into_id is None and goes_on_as(old, new, has_all=lines[old.pk] <= lines[new.pk]):
            old.merged_into = new
            joined.append(old)
    MarketplaceOrder.objects.bulk_update(joined, ["merged_into"])
    return joined


def older_first(one: MarketplaceOrder, other: MarketplaceOrder) -> tuple[MarketplaceOrder, MarketplaceOrder]:
    """The two as they came to be: what vanished is the older one, else what was seen first."""

    def age(order: MarketplaceOrder) -> tuple[bool, float, UUID]:
        return order.vanished_at is None, order.first_seen_at.timestamp(), order.pk

    first, second = sorted((one, other), key=age)
    return first, second


def goes_on_as(old: MarketplaceOrder, new: MarketplaceOrder, *, has_all: bool) -> bool:
    """Whether the old order is now this new one. Of one that is still there only if the new one, which is paid, has
    all its lines: a line can be sold once only."""
    if old.state in GONE or new.vanished_at is not None or new.merged_into_id == old.pk:
        return False
    return old.vanished_at is not None or (has_all and new.state in LIVE)
