"""The client of Allegro's REST API."""

import datetime
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext as _

from marketplaces.choices import OrderState
from marketplaces.clients import allegro_fulfilment, allegro_journal, allegro_offers, allegro_quantities
from marketplaces.clients.addresses import Api, address_of
from marketplaces.clients.allegro_auth import client_of_application
from marketplaces.clients.allegro_journal import FORMS, MOST_FORMS
from marketplaces.clients.allegro_orders import READY, read_order, read_orders
from marketplaces.clients.answers import need, optional
from marketplaces.clients.base import (
    MarketplaceClient,
    OrderPage,
    Problem,
    PushResult,
    QuantityChange,
    RemoteOrder,
    StockPage,
)
from marketplaces.clients.gate import Gate, digest_of
from marketplaces.clients.http import ApiSession
from marketplaces.clients.parallel import in_parallel
from marketplaces.errors import BadAnswer, MarketplaceError, NotFound
from marketplaces.models import SellerAccount
from marketplaces.services.tokens import access_token

MEDIA_TYPE = allegro_quantities.MEDIA_TYPE
# 9,000 calls a minute for a client id, over all its users; a little less in any minute.
CALLS_PER_SECOND, CALLS_AT_ONCE = 145.0, 100
# 250,000 changed offers an hour for a user (and 9,000 a minute).
OFFERS_PER_SECOND, OFFERS_AT_ONCE = 69.0, 1000
# From so many orders on it is worth to look into the list first.
WORTH_A_LIST = 5


def open_allegro(account: SellerAccount, *, read_timeout: float) -> MarketplaceClient:
    """The client of an Allegro account, with a session of its own. Raises NotConnected without keys."""
    client_id, _secret = client_of_application(account)
    session = ApiSession(
        base_url=address_of(Api.ALLEGRO, account=account),
        gate=Gate(key=f"allegro:{digest_of(client_id)}", rate=CALLS_PER_SECOND, burst=CALLS_AT_ONCE),
        headers=Bearer(account.pk).headers,
        marketplace=account.marketplace,
        account=str(account.pk),
        read_timeout=read_timeout,
    )
    offers_gate = Gate(key=f"allegro-offers:{account.pk}", rate=OFFERS_PER_SECOND, burst=OFFERS_AT_ONCE)
    return AllegroClient(session, offers_gate=offers_gate)


class Bearer:
    """The headers of an account's calls, with the access token kept for a minute, so that not every call asks for it.

    The token is asked for, and refreshed if need be, in the thread that has the database.
    """

    KEPT_SECONDS = 60.0
    # Calls that were made together are refused together: one new token is enough for all of them.
    FRESH_SECONDS = 5.0

    def __init__(self, account_id: Any) -> None:
        self.account_id = account_id
        self.word = ""
        self.asked_at = self.renewed_at = -self.KEPT_SECONDS

    def headers(self, is_forced: bool) -> Mapping[str, str]:
        """`is_forced`: Allegro has rejected the token that was given last."""
        now = time.monotonic()
        if is_forced and now - self.renewed_at > self.FRESH_SECONDS:
            self.word = access_token(account_id=self.account_id, rejected=self.word)
            self.asked_at = self.renewed_at = time.monotonic()
        elif not self.word or now - self.asked_at > self.KEPT_SECONDS:
            self.word = access_token(account_id=self.account_id)
            self.asked_at = now
        return {
            "Authorization": f"Bearer {self.word}",
            "Accept": MEDIA_TYPE,
            "User-Agent": settings.MARKETPLACE_USER_AGENT,
        }


class AllegroClient(MarketplaceClient):
    """See MarketplaceClient. An order is a checkout form, a SKU the id of an offer."""

    def __init__(self, session: ApiSession, *, offers_gate: Gate) -> None:
        self.session = session
        self.offers_gate = offers_gate

    def test(self) -> str:
        data = self.session.call("GET", "/me", is_safe=True).data
        return optional(data, "login", str) or need(data, "id", str)

    # --- orders -----------------------------------------------------------------------------------------

    def order_pages(self, *, cursors: Mapping[str, Any], since: datetime.datetime | None) -> Iterator[OrderPage]:
        return allegro_journal.order_pages(self.session, self.read_forms, cursors=cursors, since=since)

    def read_forms(self, ids: Sequence[str]) -> tuple[dict[str, RemoteOrder | None], list[Problem]]:
        """These orders as they are now, and what of them can't be read. Raises what keeps the others from being
        read."""
        found: dict[str, RemoteOrder | None] = {}
        forms: list[Any] = []
        for form_id, answer in zip(ids, in_parallel([partial(self.form, form_id) for form_id in ids]), strict=True):
            if isinstance(answer, NotFound):
                found[form_id] = None
            elif isinstance(answer, MarketplaceError):
                raise answer
            else:
                forms.append(answer)
        orders, problems = read_orders(forms)
        return found | {order.external_id: order for order in orders}, problems

    def form(self, form_id: str) -> Any:
        return self.session.call("GET", f"{FORMS}/{quote(form_id, safe='')}", is_safe=True).data

    def orders(self, external_ids: Sequence[str]) -> dict[str, RemoteOrder | None]:
        """Many are looked for in the list of what is new first: it shows a hundred with one call, and who asks for
        many asks for what is to be processed. The rest is read singly."""
        wanted = list(dict.fromkeys(external_ids))
        listed = self.new_orders() if len(wanted) >= WORTH_A_LIST else {}
        found: dict[str, RemoteOrder | None] = {pk: listed[pk] for pk in wanted if pk in listed}
        rest = [pk for pk in wanted if pk not in found]
        for form_id, answer in zip(rest, in_parallel([partial(self.form, pk) for pk in rest]), strict=True):
            if isinstance(answer, NotFound):
                found[form_id] = None
            elif isinstance(answer, MarketplaceError):
                raise answer
            else:
                found[form_id] = self.same(read_order(answer), form_id)
        return found

    def new_orders(self) -> dict[str, RemoteOrder]:
        """The oldest of the orders that are ready and that nobody has taken up."""
        params = {
            "status": READY,
            "fulfillment.status": "NEW",
            "sort": "updatedAt",
            "limit": MOST_FORMS,
        }
        data = self.session.call("GET", FORMS, params=params, is_safe=True).data
        orders, _problems = read_orders(need(data, "checkoutForms", list))
        return {order.external_id: order for order in orders if order.state == OrderState.READY}

    def read_one(self, external_id: str) -> RemoteOrder | None:
        try:
            return self.same(read_order(self.form(external_id)), external_id)
        except NotFound:
            return None

    @staticmethod
    def same(order: RemoteOrder, external_id: str) -> RemoteOrder:
        if order.external_id != external_id:
            raise BadAnswer(_("Asked for the order %(id)s, Allegro answered with another one.") % {"id": external_id})
        return order

    def accept(self, orders: Sequence[RemoteOrder]) -> dict[str, MarketplaceError | None]:
        jobs = [partial(allegro_fulfilment.accept, self.session, order, read_order=self.read_one) for order in orders]
        return {order.external_id: answer for order, answer in zip(orders, in_parallel(jobs), strict=True)}

    def roll_back(self, order: RemoteOrder, *, reason: str) -> None:
        """Allegro has no place for the reason."""
        allegro_fulfilment.roll_back(self.session, order, read_order=self.read_one)

    # --- stock ------------------------------------------------------------------------------------------

    def stock_pages(self) -> Iterator[StockPage]:
        return allegro_offers.stock_pages(self.session)

    def set_quantities(self, changes: Sequence[QuantityChange]) -> list[PushResult]:
        return allegro_quantities.set_quantities(self.session, changes, gate=self.offers_gate)

    def quantities(self, changes: Sequence[QuantityChange]) -> dict[str, int | None]:
        """What buyers can buy: an offer that has ended shows 0, whatever stands in it."""
        offers, unreadable = allegro_offers.offers_by_id(self.session, [change.sku for change in changes])
        return {sku: offer.on_sale for sku, offer in offers.items()} | dict.fromkeys(unreadable)
