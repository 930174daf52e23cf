"""An Allegro account of the shop, connected to a seller of the stand-in."""

import datetime
from typing import Any

from django.utils import timezone

from marketplaces.choices import Marketplace
from marketplaces.clients.access import client_of
from marketplaces.clients.allegro import AllegroClient
from marketplaces.models import SellerAccount
from marketplaces.standin.tokens import ACCESS_SECONDS
from tests.marketplaces.standin import Keeper
from tests.shop import Shop


def allegro_account(shop: Shop, keeper: Keeper, *, age: datetime.timedelta = datetime.timedelta(0)) -> SellerAccount:
    """An account that was connected `age` ago."""
    issued_at = timezone.now() - age
    return SellerAccount.objects.create(
        marketplace=Marketplace.ALLEGRO,
        external_user_id="tea-house",
        name="Tea House",
        location=shop.location,
        credentials=keeper.keys,
        credentials_changed_at=issued_at,
        connection=SellerAccount.Connection.CONNECTED,
        tokens={**keeper.tokens(), "issued_at": issued_at.isoformat(), "expires_in": ACCESS_SECONDS},
        access_expires_at=issued_at + datetime.timedelta(seconds=ACCESS_SECONDS),
        refresh_expires_at=issued_at + datetime.timedelta(days=90),
    )


def client(account: SellerAccount) -> AllegroClient:
    found = client_of(account)
    assert isinstance(found, AllegroClient)
    return found


def sync(account: SellerAccount, cursors: dict[str, Any], **since: Any) -> list[Any]:
    """All pages that a run reads; moves the cursors as the mirror does, page by page."""
    pages = []
    for page in client(account).order_pages(cursors=dict(cursors), since=since.get("since")):
        cursors |= page.cursors
        pages.append(page)
    return pages


def orders_of(pages: list[Any]) -> list[Any]:
    return [order for page in pages for order in page.orders]
