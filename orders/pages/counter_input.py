"""What the counter's scripts send: read from JSON, every fault at its place, before a service sees it."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from foundation.admin.ids import is_whole
from foundation.errors import InvalidInput
from orders.admin.cart import Cart, read_cart, read_id, read_object
from orders.models import Payment
from orders.services.counter_sale import Tender

METHODS = (Payment.Method.CASH, Payment.Method.CARD, Payment.Method.TRANSFER)
MOST_TENDERS = 10
LONGEST_TEXT = 300
AMOUNT = re.compile(r"\d{1,10}(\.\d{1,2})?", re.ASCII)
MOST_POINTS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CounterCart:
    """An order as somebody is putting it together at the counter, and how it is paid."""

    cart: Cart
    promo_code: str
    redeem_points: int
    expected_total: Decimal | None
    shift_id: int | None
    tenders: tuple[Tender, ...]


def read_sale(request: HttpRequest) -> CounterCart:
    """The sale in the request's body. Raises InvalidInput for what is no sale at all."""
    cart, data = read_cart(request), read_object(request)
    return CounterCart(
        cart=cart,
        promo_code=read_text(data, "promo_code"),
        redeem_points=read_points(data),
        expected_total=read_amount(data, "total") if data.get("total") is not None else None,
        shift_id=read_one_id(data, "shift"),
        tenders=read_tenders(data),
    )


def read_tenders(data: dict[str, Any]) -> tuple[Tender, ...]:
    """How it is paid: [{method, amount, tendered?, tip?}]; nothing of it now if there is none."""
    given = data.get("tenders", [])
    if not isinstance(given, list) or len(given) > MOST_TENDERS or not all(isinstance(one, dict) for one in given):
        raise InvalidInput.at("tenders", _("Up to %(most)d payments can be taken at once.") % {"most": MOST_TENDERS})
    tenders = []
    for one in given:
        if one.get("method") not in METHODS:
            raise InvalidInput.at("tenders", _("Say how it is paid."))
        tenders.append(
            Tender(
                method=str(one["method"]),
                amount=read_amount(one, "amount"),
                tendered=read_amount(one, "tendered") if one.get("tendered") is not None else None,
                tip=read_amount(one, "tip") if one.get("tip") is not None else Decimal(0),
            )
        )
    return tuple(tenders)


def read_amount(data: dict[str, Any], name: str) -> Decimal:
    """An amount of money, which is sent as text: "60.50". Raises InvalidInput for anything else."""
    value = data.get(name)
    if not isinstance(value, str) or not AMOUNT.fullmatch(value):
        raise InvalidInput.at(name, _("Give an amount, such as 60 or 60.50."))
    return Decimal(value).quantize(Decimal("0.01"))


def read_points(data: dict[str, Any]) -> int:
    points: Any = data.get("redeem_points", 0)
    if not is_whole(points) or not 0 <= points <= MOST_POINTS:
        raise InvalidInput.at("redeem_points", _("Points are a whole number."))
    return int(points)


def read_text(data: dict[str, Any], name: str) -> str:
    """A short text; nothing for none."""
    value = data.get(name) or ""
    if not isinstance(value, str) or "\x00" in value or len(value) > LONGEST_TEXT:
        raise InvalidInput.at(name, _("This must be a text of up to %(most)d characters.") % {"most": LONGEST_TEXT})
    return value.strip()


def read_one_id(data: dict[str, Any], name: str) -> int | None:
    """The number of something, None for nothing. Raises InvalidInput for what is none."""
    faults: dict[str, list[str]] = {}
    value = read_id(data, name, faults)
    if faults:
        raise InvalidInput.at(name, faults[name][0])
    return value
