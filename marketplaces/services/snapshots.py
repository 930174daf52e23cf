"""The daily snapshots of marketplace stock, as long as they are kept."""

import datetime

from django.db.models import Exists, OuterRef

from marketplaces.models import MarketplaceStockSnapshot

KEPT_DAYS = 400
PART = 5000


def forget_old_snapshots(*, now: datetime.datetime, days: int = KEPT_DAYS) -> int:
    """Deletes a part of the snapshots that are older than `days`, and says how many: less than PART when it is done.

    Of every row the newest of them stays: it says what held from then on, until the next one.
    """
    before = (now - datetime.timedelta(days=days)).date()
    newer = MarketplaceStockSnapshot.objects.filter(
        stock=OuterRef("stock"), snapshot_date__gt=OuterRef("snapshot_date"), snapshot_date__lte=before
    )
    old = MarketplaceStockSnapshot.objects.filter(Exists(newer), snapshot_date__lt=before).order_by("pk")
    deleted, _by_model = MarketplaceStockSnapshot.objects.filter(pk__in=old.values("pk")[:PART]).delete()
    return deleted
