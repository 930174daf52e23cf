"""Reading Ozon's postings: what its words for an order come to.

A posting is what leaves in one parcel, and the order of this shop's mirror. Its products have no id of their own; a
line is named by the posting and Ozon's SKU, so that no two orders share the name of a line: that would look like
orders that were paid together.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from marketplaces.choices import OrderState, Scheme
from marketplaces.clients.answers import need
from marketplaces.clients.base import Problem, RemoteLine, RemoteOrder
from marketplaces.clients.ozon_values import MOST_MONEY, moment, money, name_of, needed_name, pieces, sku_of
from marketplaces.errors import BadAnswer

# The words of the field `status`, as the operations for postings list them.
STATES = {
    "awaiting_approve": OrderState.WAITING,
    "awaiting_verification": OrderState.WAITING,
    "awaiting_packaging": OrderState.READY,
    # Packed; being announced to the courier (substatus posting_awaiting_registration).
    "awaiting_registration": OrderState.PROCESSING,
    "awaiting_deliver": OrderState.PROCESSING,
    # Out of the shop: a sorting centre is taking it in, or has not, or somebody argues about it.
    "acceptance_in_progress": OrderState.SENT,
    "not_accepted": OrderState.SENT,
    "arbitration": OrderState.SENT,
    "client_arbitration": OrderState.SENT,
    "sent_by_seller": OrderState.SENT,
    "driver_pickup": OrderState.SENT,
    "delivering": OrderState.SENT,
    "delivered": OrderState.DELIVERED,
    "cancelled": OrderState.CANCELLED,
    # The parts into which it was divided are postings of their own.
    "cancelled_from_split_pending": OrderState.CANCELLED,
}
# Who brings it to the buyer decides between FBS and realFBS.
BROUGHT_BY_THE_SELLER = {"non_integrated", "3pl_tracking", "aggregator"}
OTHER_SCHEMES = {"fbo": Scheme.FBO, "fbp": Scheme.FBP, "rfbs": Scheme.REALFBS}

# What the mirror's columns hold; the line's name leaves room for its place.
LONGEST_NAME = 300
LONGEST_STATUS = 60
LONGEST_LINE_NAME = 90


def read_postings(postings: Iterable[Any], *, scheme: Scheme | None = None) -> tuple[list[RemoteOrder], list[Problem]]:
    """The postings that can be read, and what is wrong with the others. One with an unknown status stands in both."""
    orders: list[RemoteOrder] = []
    problems: list[Problem] = []
    for posting in postings:
        try:
            order = read_posting(posting, scheme=scheme)
        except BadAnswer as wrong:
            problems.append(Problem(item=name_of(posting, "posting_number") or "?", reason=str(wrong)))
            continue
        orders.append(order)
        if order.state == OrderState.UNKNOWN:
            reason = _("Unknown status: %(status)s.") % {"status": order.status}
            problems.append(Problem(item=order.external_id, reason=reason))
    return orders, problems


def read_posting(posting: Any, *, scheme: Scheme | None = None) -> RemoteOrder:
    """One posting; `scheme` where the list in which it stands decides that. Raises BadAnswer."""
    number, status = needed_name(posting, "posting_number"), needed_name(posting, "status")
    products = need(posting, "products", list)
    if not products:
        raise BadAnswer(_("The answer has no “%(path)s”.") % {"path": "products"})
    lines: list[RemoteLine] = []
    currencies: set[str] = set()
    for product in products:
        price, currency = money(product, "price") if isinstance(product, Mapping) else (None, "")
        lines.append(
            RemoteLine(
                external_line_id=line_id(number, product, {line.external_line_id for line in lines}),
                sku=sku_of(product),
                quantity=pieces(product, "quantity", least=1),
                name=name_of(product, "name")[:LONGEST_NAME],
                price=price,
            )
        )
        currencies.add(currency or name_of(product, "currency_code"))
    return RemoteOrder(
        external_id=number,
        number=number,
        status=status[:LONGEST_STATUS],
        fulfilment_status=name_of(posting, "substatus")[:LONGEST_STATUS],
        state=STATES.get(status, OrderState.UNKNOWN),
        scheme=scheme or scheme_of(posting),
        currency=currencies.copy().pop()[:3] if len(currencies) == 1 else "",
        total=total_of(lines) if len(currencies) == 1 else None,
        lines=tuple(lines),
        payload=posting,
        placed_at=moment(posting, "in_process_at") or moment(posting, "created_at"),
    )


def total_of(lines: Sequence[RemoteLine]) -> Decimal | None:
    """What the lines come to, unless one of them has no price."""
    total = Decimal(0)
    for line in lines:
        if line.price is None:
            return None
        total += line.price * line.quantity
    return total if total <= MOST_MONEY else None


def line_id(number: str, product: Any, used: Collection[str]) -> str:
    """A name for the line that stays the same whenever the posting is read, also where a SKU stands in it twice."""
    name = f"{number}:{name_of(product, 'sku') or name_of(product, 'offer_id')}"[:LONGEST_LINE_NAME]
    unique, place = name, 1
    while unique in used:
        place += 1
        unique = f"{name}:{place}"
    return unique


def scheme_of(posting: Mapping[str, Any]) -> Scheme:
    """FBS or realFBS, unless the posting names another scheme outright."""
    named = OTHER_SCHEMES.get(name_of(posting, "delivery_schema").lower())
    if named is not None:
        return named
    flows = {name_of(posting, field) for field in ("tpl_integration_type", "integration_type_flow")}
    return Scheme.REALFBS if flows & BROUGHT_BY_THE_SELLER else Scheme.FBS
