"""Allegro's offers and what stands in them, and what lies in Allegro's own warehouse (One Fulfillment)."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.choices import Scheme
from marketplaces.clients.answers import need, optional
from marketplaces.clients.base import Problem, StockPage, StockRow
from marketplaces.clients.http import ApiSession
from marketplaces.errors import BadAnswer

OFFERS, FULFILMENT = "offers", "fulfillment"
MOST_OFFERS = 1000
# So many ids fit into one address.
IDS_IN_A_CALL = 100
# Statuses in which an offer is for sale, or about to be.
ON_SALE = ("ACTIVE", "ACTIVATING")
ENDED, DRAFT = "ENDED", "INACTIVE"
WAREHOUSE = "One Fulfillment"
LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer as the list shows it. `article` is the seller's own number of it (external.id)."""

    id: str
    name: str
    available: int
    status: str
    article: str = ""
    is_fulfilment: bool = False

    @property
    def on_sale(self) -> int:
        """So many pieces can be bought: what stands in an ended offer can't."""
        return self.available if self.status in ON_SALE else 0


def stock_pages(session: ApiSession) -> Iterator[StockPage]:
    """See MarketplaceClient.stock_pages. Sources: "fulfillment", if the seller uses it, then "offers"."""
    has_fulfilment = False
    for page in fulfilment_pages(session):
        has_fulfilment = has_fulfilment or bool(page.rows)
        yield page
    yield from offer_pages(session, leave_out_fulfilment=has_fulfilment)


# --- offers -------------------------------------------------------------------------------------------


def offer_pages(session: ApiSession, *, leave_out_fulfilment: bool) -> Iterator[StockPage]:
    """What stands in the offers. Those that Allegro sends from its warehouse are left to the source "fulfillment"
    where that is told, so that nothing is counted twice."""
    for offset in itertools.count(0, MOST_OFFERS):
        params = {"limit": MOST_OFFERS, "offset": offset}
        raw = need(session.call("GET", "/sale/offers", params=params, is_safe=True).data, "offers", list)
        offers, problems = read_offers(raw)
        is_last = len(raw) < MOST_OFFERS
        rows = [row_of(offer) for offer in offers if not (offer.is_fulfilment and leave_out_fulfilment)]
        yield StockPage(source=OFFERS, rows=rows, problems=problems, is_last=is_last)
        if is_last:
            return


def offers_by_id(session: ApiSession, ids: Iterable[str]) -> tuple[dict[str, Offer], dict[str, str]]:
    """These offers as they are now, and why others of them can't be read; those that the seller does not have are left
    out."""
    found: dict[str, Offer] = {}
    unreadable: dict[str, str] = {}
    wanted = list(dict.fromkeys(ids))
    for start in range(0, len(wanted), IDS_IN_A_CALL):
        params = {"offer.id": wanted[start : start + IDS_IN_A_CALL], "limit": MOST_OFFERS}
        raw = need(session.call("GET", "/sale/offers", params=params, is_safe=True).data, "offers", list)
        offers, problems = read_offers(raw)
        found |= {offer.id: offer for offer in offers}
        unreadable |= {problem.item: problem.reason for problem in problems}
    # Of offers nobody asked for nothing is said.
    return (
        {offer_id: found[offer_id] for offer_id in wanted if offer_id in found},
        {offer_id: unreadable[offer_id] for offer_id in wanted if offer_id in unreadable},
    )


def read_offers(raw: Sequence[Any]) -> tuple[list[Offer], list[Problem]]:
    offers: list[Offer] = []
    problems: list[Problem] = []
    for place, item in enumerate(raw):
        try:
            offers.append(read_offer(item))
        except BadAnswer as error:
            problems.append(Problem(named(item, "id", place), str(error)))
    return offers, problems


def read_offer(item: Any) -> Offer:
    return Offer(
        id=need(item, "id", str),
        name=optional(item, "name", str) or "",
        available=pieces(need(item, "stock.available", int)),
        status=need(item, "publication.status", str),
        article=optional(item, "external.id", str) or "",
        is_fulfilment=optional(item, "isFulfillment", bool) or False,
    )


def row_of(offer: Offer) -> StockRow:
    """The seller's own number of an offer is its barcode if it is one. Else it stands behind the name, where people
    and the search find it: a row of stock has no other place for it."""
    is_barcode = is_ean(offer.article)
    name = offer.name if is_barcode or not offer.article else f"{offer.name} ({offer.article})"
    return StockRow(
        sku=offer.id,
        source=OFFERS,
        stock_type=Scheme.FBO if offer.is_fulfilment else Scheme.FBS,
        present=offer.available,
        name=name[:LONGEST_NAME],
        barcode=offer.article if is_barcode else "",
    )


# --- One Fulfillment ----------------------------------------------------------------------------------


def fulfilment_pages(session: ApiSession) -> Iterator[StockPage]:
    """What lies in Allegro's warehouse; a seller without it (403, 404) is told once, as a problem."""
    for offset in itertools.count(0, MOST_OFFERS):
        answer = session.call(
            "GET",
            "/fulfillment/stock",
            params={"limit": MOST_OFFERS, "offset": offset},
            is_safe=True,
            accept=(200, 403, 404),
        )
        if answer.status != 200:
            reason = _("Allegro does not show this account One Fulfillment (%(status)d): it is left out.")
            problem = Problem(FULFILMENT, reason % {"status": answer.status})
            yield StockPage(source=FULFILMENT, rows=(), problems=[problem], is_last=True)
            return
        raw = need(answer.data, "stock", list)
        rows, problems = read_fulfilment(raw)
        is_last = len(raw) < MOST_OFFERS
        yield StockPage(source=FULFILMENT, rows=rows, problems=problems, is_last=is_last)
        if is_last:
            return


def read_fulfilment(raw: Sequence[Any]) -> tuple[list[StockRow], list[Problem]]:
    rows: list[StockRow] = []
    problems: list[Problem] = []
    for place, item in enumerate(raw):
        try:
            # A product without an offer can't be sold, and has no SKU to be known by.
            if optional(item, "offerId", str):
                rows.append(fulfilment_row(item))
        except BadAnswer as error:
            problems.append(Problem(named(item, "offerId", place), str(error)))
    return rows, problems


def fulfilment_row(item: Any) -> StockRow:
    """`present` are the sound pieces that lie there, those already sold (`reserved`) included; damaged ones (onHold)
    are nobody's stock."""
    sold = pieces(optional(item, "quantity.onOrder", int) or 0)
    gtins = [code for code in optional(item, "product.gtins", list) or [] if isinstance(code, str) and is_ean(code)]
    return StockRow(
        sku=need(item, "offerId", str),
        source=FULFILMENT,
        stock_type=Scheme.FBO,
        present=pieces(need(item, "quantity.available", int)) + sold,
        reserved=sold,
        warehouse_id=FULFILMENT,
        warehouse=WAREHOUSE,
        name=(optional(item, "product.name", str) or "")[:LONGEST_NAME],
        barcode=gtins[0] if gtins else "",
    )


# --- values -------------------------------------------------------------------------------------------


def pieces(number: int) -> int:
    if number < 0:
        raise BadAnswer(_("The answer's quantity %(number)s is no number of pieces.") % {"number": number})
    return number


def is_ean(text: str) -> bool:
    """Whether this is an EAN-8, UPC-A, EAN-13 or GTIN-14, by its check digit."""
    if len(text) not in (8, 12, 13, 14) or not (text.isascii() and text.isdecimal()):
        return False
    digits = [int(digit) for digit in reversed(text)]
    return (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0


def named(item: Any, field: str, place: int) -> str:
    """Which item a problem is about, as far as it can be told."""
    found = item.get(field) if isinstance(item, Mapping) else None
    return found if isinstance(found, str) and found else f"#{place + 1}"
