"""Sellers for the tests of doors: accounts with everything that is kept of them, and tokens that are bound to one."""

import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from inventory.models import Category, Location, Product
from marketplaces.models import (
    Listing,
    MarketplaceOrder,
    MarketplaceOrderLine,
    MarketplaceOrderRevision,
    MarketplaceStock,
    MarketplaceStockSnapshot,
    SellerAccount,
    StockOperation,
    SyncRun,
    SyncState,
)
from tests.rest import Rest
from tests.shop import user_of
from users.models import User
from users.services.tokens import issue_token


def account_of(seller: str, name: str = "Main", *, marketplace: str = "ozon", **fields: Any) -> SellerAccount:
    """A connected account of this seller."""
    location = fields.pop("location", None) or Location.objects.first() or Location.objects.create(name="Main Street")
    defaults = {
        "credentials": {"client_id": "1001", "api_key": "key-1"},
        "credentials_changed_at": timezone.now(),
        "connection": SellerAccount.Connection.CONNECTED,
    }
    return SellerAccount.objects.create(
        marketplace=marketplace, external_user_id=seller, name=name, location=location, **{**defaults, **fields}
    )


def order_of(account: SellerAccount, external_id: str, **fields: Any) -> MarketplaceOrder:
    """A mirrored order with a line and two revisions."""
    payload = {"id": external_id, "status": "awaiting_packaging"}
    defaults = {
        "number": f"N-{external_id}",
        "status": "awaiting_packaging",
        "state": "ready",
        "currency": "RUB",
        "total": Decimal("249.50"),
        "placed_at": timezone.now(),
    }
    order = MarketplaceOrder.objects.create(
        account=account, external_id=external_id, payload=payload, payload_digest="x", **{**defaults, **fields}
    )
    MarketplaceOrderLine.objects.create(
        order=order, external_line_id=f"{external_id}/1", sku="TEA-1", name="Tea", quantity=2, price=Decimal("124.75")
    )
    for number, status in enumerate(("created", "awaiting_packaging"), start=1):
        MarketplaceOrderRevision.objects.create(
            order=order, number=number, status=status, payload={**payload, "status": status}, source="list"
        )
    return order


def everything_of(seller: str, **fields: Any) -> dict[str, Any]:
    """A seller with an account, an order with its operation, stock and a run."""
    account = account_of(seller, **fields)
    order = order_of(account, f"{seller}-1")
    stock = MarketplaceStock.objects.create(
        account=account, sku="TEA-1", source="fbs", stock_type="FBS", present=5, snapshot_date=datetime.date(2026, 1, 2)
    )
    MarketplaceStockSnapshot.objects.create(
        stock=stock,
        snapshot_date=datetime.date(2026, 1, 1),
        present=4,
        reserved=0,
        in_way_to_client=0,
        in_way_from_client=0,
    )
    SyncState.objects.create(account=account, what=SyncRun.What.ORDERS, last_success_at=timezone.now())
    return {
        "account": account,
        "order": order,
        "operation": StockOperation.objects.create(account=account, order=order, account_name=account.name),
        "stock": stock,
        "listing": Listing.objects.create(account=account, sku="TEA-1", product=product()),
        "run": SyncRun.objects.create(account=account, what="orders", source="Ozon", status="success", processed=1),
    }


def product() -> Product:
    category, _is_new = Category.objects.get_or_create(name="Tea")
    return Product.objects.get_or_create(name="Tea", defaults={"category": category, "price": Decimal(100)})[0]


class BoundRest(Rest):
    """The API as a program sees it whose token is bound to a seller."""

    def __init__(self, seller: str, role: str = "admin", user: User | None = None) -> None:
        super().__init__()
        self.user = user or user_of(role, f"{role}-{seller}@shop.example")
        issued = issue_token(user=self.user, name="program", external_user_id=seller)
        self.client = APIClient()
        self.client.credentials(HTTP_AUTHORIZATION=f"Token {issued.secret}")
