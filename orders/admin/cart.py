"""What the new-order page sends: read from JSON, every fault at its place, before a service sees it."""

import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _

from foundation.admin.ids import is_id, is_whole
from foundation.api.parsers import is_whole as is_whole_text
from foundation.errors import InvalidInput
from orders.models import Customer, Employee, Order, PromoCode
from orders.pricing import LARGEST_QUANTITY, OrderLine

LONGEST_COMMENT = Order._meta.get_field("comment").max_length or 0
LONGEST_CODE = PromoCode._meta.get_field("code").max_length or 0
MOST_POINTS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Cart:
    """An order as somebody is putting it together."""

    lines: tuple[OrderLine, ...]
    location_id: int | None = None
    customer_id: int | None = None
    employee_id: int | None = None
    comment: str = ""
    # None: not said. An edit then leaves them as they are.
    promo_code: str | None = None
    redeem_points: int | None = None
    sells_below_minimum: bool = False
    sells_anyway: bool = False
    # Of an order that is edited: its newest event when the page was shown.
    seen_event_id: int | None = None


def read_cart(request: HttpRequest) -> Cart:
    """The cart in the request's body. Raises InvalidInput for what is no cart at all.

    How many lines, how much of each, which options: that is for `orders.pricing` to judge.
    """
    data = read_object(request)
    faults: dict[str, list[str]] = {}
    cart = Cart(
        lines=read_lines(data.get("items"), faults),
        location_id=read_id(data, "location", faults),
        customer_id=read_id(data, "customer", faults),
        employee_id=read_id(data, "employee", faults),
        comment=read_comment(data.get("comment"), faults),
        promo_code=read_code(data.get("promo_code"), faults),
        redeem_points=read_points(data.get("redeem_points"), faults),
        sells_below_minimum=data.get("sells_below_minimum") is True,
        sells_anyway=data.get("sells_anyway") is True,
        seen_event_id=read_id(data, "seen_event", faults),
    )
    if cart.customer_id and not Customer.objects.filter(pk=cart.customer_id).exists():
        faults["customer"] = [_("There is no such customer. Choose another one.")]
    if cart.employee_id and not Employee.objects.filter(pk=cart.employee_id).exists():
        faults["employee"] = [_("There is no such employee. Choose another one.")]
    if faults:
        raise InvalidInput(" ".join(sentence for field in faults.values() for sentence in field[:1]), errors=faults)
    return cart


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The request's body as a JSON object. Raises InvalidInput for anything else."""
    try:
        data = json.loads(request.body)
    except RequestDataTooBig as error:
        raise InvalidInput(_("That is too much at once. Shorten the comment or split the order.")) from error
    except (ValueError, RecursionError, UnreadablePostError) as error:
        raise InvalidInput(_("This is not JSON. Reload the page and try again.")) from error
    if not isinstance(data, dict):
        raise InvalidInput(_("A JSON object is expected. Reload the page and try again."))
    if not is_whole_text(json.dumps(data, ensure_ascii=False)):
        raise InvalidInput(_("A text must not contain half of a character (a lone surrogate)."))
    return data


def read_lines(items: Any, faults: dict[str, list[str]]) -> tuple[OrderLine, ...]:
    if not isinstance(items, list):
        faults["items"] = [_("Add at least one product.")]
        return ()
    lines = []
    for place, item in enumerate(items):
        item = item if isinstance(item, dict) else {}
        product: Any = item.get("product")
        quantity: Any = item.get("quantity")
        options: Any = item.get("options", [])
        if not is_id(product):
            faults[f"items[{place}].product"] = [_("There is no product %(id)s.") % {"id": str(product)[:40]}]
        elif not is_whole(quantity):
            faults[f"items[{place}].quantity"] = [
                _("The quantity must be a whole number from 1 to %(most)d.") % {"most": LARGEST_QUANTITY}
            ]
        elif not (isinstance(options, list) and all(is_id(option) for option in options)):
            faults[f"items[{place}].options"] = [_("Options are given by their numbers.")]
        else:
            lines.append(OrderLine(product, quantity, tuple(options)))
    return tuple(lines)


def read_id(data: dict[str, Any], name: str, faults: dict[str, list[str]]) -> int | None:
    value = data.get(name)
    if value is None:
        return None
    if not is_id(value):
        faults[name] = [_("“%(value)s” is not the number of anything here.") % {"value": str(value)[:40]}]
        return None
    return int(value)


def read_comment(value: Any, faults: dict[str, list[str]]) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or "\x00" in value:
        faults["comment"] = [_("The comment must be text.")]
        return ""
    comment = value.strip()
    if len(comment) > LONGEST_COMMENT:
        faults["comment"] = [_("The comment takes up to %(most)d characters.") % {"most": LONGEST_COMMENT}]
        return ""
    return comment


def read_code(value: Any, faults: dict[str, list[str]]) -> str | None:
    """A promo code as somebody typed it; whether there is such a one is for the service to say."""
    if value is None:
        return None
    if not isinstance(value, str) or "\x00" in value or len(value) > LONGEST_CODE:
        faults["promo_code"] = [_("A promo code is a word of up to %(most)d characters.") % {"most": LONGEST_CODE}]
        return None
    return value.strip()


def read_points(value: Any, faults: dict[str, list[str]]) -> int | None:
    if value is None:
        return None
    if not is_whole(value) or not 0 <= value <= MOST_POINTS:
        faults["redeem_points"] = [_("Points are a whole number from 0 on.")]
        return None
    return int(value)
