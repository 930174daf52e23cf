"""Questions about the mirror of a marketplace's stock."""

import datetime
from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from marketplaces.models import MarketplaceStockSnapshot, SyncRun, SyncState


def stock_on(*, account_ids: Collection[UUID], day: datetime.date) -> QuerySet[MarketplaceStockSnapshot]:
    """What these accounts had at the end of the (location's) day: of every row the newest snapshot up to then. Rows
    that were first seen later are left out."""
    return (
        MarketplaceStockSnapshot.objects.filter(stock__account__in=account_ids, snapshot_date__lte=day)
        .select_related("stock")
        .order_by("stock_id", "-snapshot_date")
        .distinct("stock_id")
    )


def read_at(*, account_ids: Collection[UUID], what: SyncRun.What) -> dict[UUID, datetime.datetime | None]:
    """When everything of these accounts was read last: how fresh what is shown of them is. Those that were never read
    are None."""
    states = SyncState.objects.filter(account__in=account_ids, what=what).values_list("account_id", "last_success_at")
    return {**dict.fromkeys(account_ids), **dict(states)}
