"""The client of Wildberries."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.clients.addresses import Api, address_of
from marketplaces.clients.answers import optional
from marketplaces.clients.base import (
    MarketplaceClient,
    OrderPage,
    PushResult,
    QuantityChange,
    RemoteOrder,
    StockPage,
)
from marketplaces.clients.gate import Gate, digest_of
from marketplaces.clients.http import ApiSession
from marketplaces.clients.wildberries_orders import OrderReader
from marketplaces.clients.wildberries_stock import StockReader
from marketplaces.clients.wildberries_supplies import SupplyDesk
from marketplaces.errors import MarketplaceError
from marketplaces.models import SellerAccount
from marketplaces.services.remembered import Remembered

# 300 calls a minute, one each 200 ms, 20 at once; a call that was answered with 4xx counts as ten. A little less is
# asked here and below, because calls do not arrive as evenly as they are sent: the first one opens a connection.
CALLS_A_SECOND, BURST, PRICE_OF_REFUSED = 4.9, 15, 10
# 100 a minute, 20 at once.
CANCELLATIONS_A_SECOND = 98 / 60
# The report of stock: three a minute, one each 20 seconds.
REPORTS_A_SECOND = 2.9 / 60


class WildberriesClient(MarketplaceClient):
    """One seller account on Wildberries. Needs credentials {"token"}, of the categories Marketplace and Analytics."""

    def __init__(self, account: SellerAccount, *, read_timeout: float) -> None:
        token: str = (account.credentials or {}).get("token", "")
        name = digest_of(token)
        self.token = token
        remembered = Remembered(account.pk)

        def session(api: Api, gate: Gate, penalty: int) -> ApiSession:
            return ApiSession(
                base_url=address_of(api, account=account),
                gate=gate,
                headers=lambda renew: {"Authorization": token},
                marketplace=account.marketplace,
                account=str(account.pk),
                read_timeout=read_timeout,
                penalty=penalty,
            )

        marketplace = session(Api.WILDBERRIES, Gate(f"wildberries:{name}", CALLS_A_SECOND, BURST), PRICE_OF_REFUSED - 1)
        analytics = session(Api.WILDBERRIES_ANALYTICS, Gate(f"wildberries-report:{name}", REPORTS_A_SECOND), 0)
        self.reader = OrderReader(marketplace, remembered)
        self.desk = SupplyDesk(
            marketplace, self.reader, Gate(f"wildberries-cancel:{name}", CANCELLATIONS_A_SECOND, BURST)
        )
        self.stock = StockReader(
            marketplace=marketplace,
            analytics=analytics,
            known_skus=remembered.skus,
            usual_warehouse=account.push_warehouse_id,
        )

    def test(self) -> str:
        """The names of the seller's warehouses: Wildberries tells the seller's own name at another address only."""
        names = [optional(warehouse, "name", str) or "" for warehouse in self.stock.warehouses()]
        return ", ".join(name for name in names if name) or _("connected, without a warehouse of one's own")

    def key_expires_at(self) -> datetime | None:
        """A token of Wildberries is a JSON web token, which says itself when it ends."""
        try:
            claims = json.loads(base64.urlsafe_b64decode(self.token.split(".")[1] + "=="))
            return datetime.fromtimestamp(claims["exp"], UTC)
        except (IndexError, KeyError, TypeError, ValueError, OverflowError, binascii.Error):
            return None

    def order_pages(self, *, cursors: Mapping[str, Any], since: datetime | None) -> Iterator[OrderPage]:
        return self.reader.pages(cursors, since)

    def orders(self, external_ids: Sequence[str]) -> dict[str, RemoteOrder | None]:
        return self.reader.orders(external_ids)

    def stock_pages(self) -> Iterator[StockPage]:
        return self.stock.pages()

    def accept(self, orders: Sequence[RemoteOrder]) -> dict[str, MarketplaceError | None]:
        return self.desk.accept(orders)

    def roll_back(self, order: RemoteOrder, *, reason: str) -> None:
        self.desk.roll_back(order)

    def set_quantities(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        return self.stock.set_quantities(changes)

    def quantities(self, changes: Sequence[QuantityChange]) -> dict[str, int]:
        return self.stock.quantities(changes)


def open_wildberries(account: SellerAccount, *, read_timeout: float) -> WildberriesClient:
    """The client of this account. Raises Unreachable for a demo account without a stand-in."""
    return WildberriesClient(account, read_timeout=read_timeout)
