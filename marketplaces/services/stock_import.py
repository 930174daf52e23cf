"""Importing what lies where according to a marketplace."""

from uuid import UUID

from marketplaces.models import SyncRun


def import_stock(*, account_id: UUID, requested_by_id: int | None = None, run_id: UUID | None = None) -> SyncRun:
    """Imports all stock that the marketplace tells of, page by page. As `order_sync.sync_orders` otherwise."""
    raise NotImplementedError
