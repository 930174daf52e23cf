"""What the shop itself still knows, for a marketplace that can't be asked for it: Wildberries gives out an order's
body only in lists by time, and the stock of SKUs that somebody names."""

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from marketplaces.choices import OrderState
from marketplaces.models import Listing, MarketplaceOrder, MarketplaceOrderLine, MarketplaceStock

# A buyer may take an order back for so long.
ASKED_AFTER_VANISHING = datetime.timedelta(days=30)


class Remembered:
    """What is remembered of one account. Reads rows, and is never asked inside a transaction."""

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id

    def orders(self, external_ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        """The newest answer of these orders, as it was stored; unknown ones are left out."""
        rows = MarketplaceOrder.objects.filter(account_id=self.account_id, external_id__in=external_ids)
        return dict(rows.values_list("external_id", "payload"))

    def open_orders(self, states: Collection[OrderState]) -> list[str]:
        """The ids of the orders that were in one of these states when they were read last, oldest first. Those that
        vanished lately are among them: an answer that left them out by mistake must not end what is heard of them."""
        is_there = Q(vanished_at=None) | Q(vanished_at__gt=timezone.now() - ASKED_AFTER_VANISHING)
        rows = MarketplaceOrder.objects.filter(is_there, account_id=self.account_id, state__in=states)
        return list(rows.order_by("pk").values_list("external_id", flat=True))

    def skus(self) -> Iterable[str]:
        """Every SKU that was ever seen at this account: matched, sold or in stock."""
        of_account: Sequence[Any] = (
            Listing.objects.filter(account_id=self.account_id),
            MarketplaceStock.objects.filter(account_id=self.account_id),
            MarketplaceOrderLine.objects.filter(order__account_id=self.account_id),
        )
        first, *others = (rows.order_by().values_list("sku", flat=True) for rows in of_account)
        return first.union(*others)
