"""A seller account on Wildberries, at the stand-in."""

from datetime import datetime

from django.utils import timezone

from marketplaces.choices import Marketplace
from marketplaces.clients.access import client_of
from marketplaces.clients.base import MarketplaceClient, OrderPage, RemoteOrder
from marketplaces.models import SellerAccount, SyncCursor
from marketplaces.services.mirror import store_page
from tests.marketplaces.market import seller
from tests.marketplaces.standin import Standin


def wildberries_account(standin: Standin) -> SellerAccount:
    """An account whose keys the stand-in knows, and whose quantities go to the seller's first warehouse."""
    account = seller(Marketplace.WILDBERRIES, push_warehouse_id=standin.wildberries.warehouse_id)
    account.credentials = standin.wildberries.keys
    account.save(update_fields=["credentials"])
    return account


def sync(account: SellerAccount, *, since: datetime | None = None) -> list[OrderPage]:
    """A run: every page stored, with its cursors."""
    cursors = dict(SyncCursor.objects.filter(account=account).values_list("name", "value"))
    pages = []
    for page in client_of(account).order_pages(cursors=cursors, since=since):
        store_page(account_id=account.pk, page=page, at=timezone.now())
        pages.append(page)
    return pages


def one(client: MarketplaceClient, order_id: str) -> RemoteOrder:
    """The order as it is now."""
    order = client.orders([order_id])[order_id]
    assert order is not None
    return order
