"""The cart as its page shows it: prices and availability as they are now, and what stands in the way of ordering."""

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput, Refusal
from inventory.choices import chosen_options
from inventory.menu import MenuProduct, load_menu
from inventory.models import Location, Product
from orders.errors import NotEnoughPoints, PointsNotUsable, PromoCodeNeedsCustomer, PromoCodeRefused
from orders.models import Customer, LoyaltyProgram, Order
from orders.pages.answers import as_id
from orders.pages.session_cart import Cart, CartLine
from orders.pages.shelves import Card
from orders.pricing import PricedLine
from orders.quote_selectors import Quote, quote_order
from orders.services.loyalty import program

LONGEST_COMMENT = Order._meta.get_field("comment").max_length or 0
LONGEST_CODE = 40
MOST_POINTS = 10**9


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody says of the order beside its lines; `faults` at what makes no sense."""

    comment: str = ""
    promo_code: str = ""
    redeem_points: int = 0
    faults: dict[str, str] = field(default_factory=dict)


def read_wishes(request: HttpRequest) -> Wishes:
    """The fields of the form below the cart."""
    faults: dict[str, str] = {}
    comment = request.POST.get("comment", "").replace("\0", "").strip()
    if len(comment) > LONGEST_COMMENT:
        faults["comment"] = _("The comment takes up to %(most)d characters.") % {"most": LONGEST_COMMENT}
    asked = request.POST.get("redeem_points", "").strip()
    points = as_id(asked) if asked else 0
    if points is None or points > MOST_POINTS:
        faults["redeem_points"] = _("Say how many points in digits, for example 50.")
    code = request.POST.get("promo_code", "").replace("\0", "").strip()[:LONGEST_CODE]
    return Wishes(comment[:LONGEST_COMMENT], code, 0 if "redeem_points" in faults else points or 0, faults)


@dataclass(slots=True)
class ShownLine:
    """A line of the cart. `fault` says why it can't be ordered; `is_gone` that only taking it out helps."""

    line: CartLine
    name: str
    card: Card | None
    options: list[str] = field(default_factory=list)
    unit_price: Decimal | None = None
    total: Decimal | None = None
    fault: str = ""
    is_gone: bool = False


@dataclass(slots=True)
class Contents:
    """All that the page of the cart shows."""

    lines: list[ShownLine]
    fingerprint: str
    wishes: Wishes
    quote: Quote | None = None
    faults: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    customer: Customer | None = None
    program: LoyaltyProgram | None = None

    @property
    def has_gone(self) -> bool:
        return any(shown.is_gone for shown in self.lines)

    @property
    def can_be_ordered(self) -> bool:
        return self.quote is not None and self.quote.is_available and not any(shown.fault for shown in self.lines)


def fingerprint_of(cart: Cart, location: Location | None) -> str:
    """Stands for what the page showed: what is ordered is what somebody has seen."""
    text = repr((location.pk if location else None, [(line.key, line.quantity) for line in cart.lines]))
    return hashlib.sha256(text.encode()).hexdigest()


def contents_of(
    cart: Cart, *, location: Location | None, wishes: Wishes = Wishes(), customer: Customer | None = None
) -> Contents:
    """Looks everything up anew: the same few queries whatever the lines."""
    menu = load_menu({line.product_id for line in cart.lines})
    products: dict[int, Any] = {
        product.pk: product for product in Product.objects.filter(pk__in=menu).select_related("category")
    }
    lines = [shown_line(line, menu.get(line.product_id), products.get(line.product_id)) for line in cart.lines]
    contents = Contents(
        lines, fingerprint_of(cart, location), wishes, faults=dict(wishes.faults), customer=customer, program=program()
    )
    sound = [shown for shown in lines if not shown.fault]
    if location is None:
        contents.refusal = _("The shop takes no orders now. Your cart waits here.") if lines else ""
    elif sound:
        ask_price(contents, location, sound)
    return contents


def shown_line(line: CartLine, product: MenuProduct | None, record: Any) -> ShownLine:
    """The line, or why it can't be ordered whatever is in stock."""
    if product is None or not product.is_listed:
        name = product.name if product else _("A product that is gone")
        return ShownLine(
            line, name, Card.of(record) if record else None, fault=_("This is not on the menu any more."), is_gone=True
        )
    shown = ShownLine(line, product.name, Card.of(record) if record else None)
    try:
        chosen_options(product, line.option_ids, field="options")
    except InvalidInput:
        shown.fault = _("Its options have changed. Take it out and choose anew.")
        shown.is_gone = True
    return shown


def ask_price(contents: Contents, location: Location, sound: list[ShownLine]) -> None:
    """Prices the lines, with the code and the points as far as they can be used, and says what stands in the way."""
    wishes, customer = contents.wishes, contents.customer
    code, points = wishes.promo_code, wishes.redeem_points
    if points and (customer is None or points > customer.points):
        contents.faults["redeem_points"] = _("You have %(balance)d points.") % {
            "balance": customer.points if customer else 0
        }
        points = 0
    lines = [shown.line.as_order_line() for shown in sound]
    for _attempt in range(3):
        try:
            contents.quote = quote_order(
                location=location,
                lines=lines,
                customer_id=customer.pk if customer else None,
                promo_code=code,
                redeem_points=points,
            )
            break
        except PromoCodeNeedsCustomer:
            contents.faults["promo_code"], code = _("Sign in to use this code."), ""
        except PromoCodeRefused as refusal:
            contents.faults["promo_code"], code = refusal.detail, ""
        except (NotEnoughPoints, PointsNotUsable) as refusal:
            contents.faults["redeem_points"], points = refusal.detail, 0
        except Refusal as refusal:
            contents.refusal = refusal.detail
            return
    if contents.quote is not None:
        for shown, priced in zip(sound, contents.quote.price.lines, strict=True):
            show_price(shown, priced, contents.quote)


def show_price(shown: ShownLine, priced: PricedLine, quote: Quote) -> None:
    """The price of a line, and what of it is not there now."""
    shown.options = [option.name for _group, option, _price in priced.options]
    shown.unit_price, shown.total = priced.unit_price, priced.total
    gone_options = {pk for pk, _name in quote.unavailable_options}
    missing = [option.name for _group, option, _price in priced.options if option.id in gone_options]
    if priced.product.id in {pk for pk, _name in quote.unavailable_products}:
        shown.fault, shown.is_gone = _("Sold out now."), True
    elif missing:
        shown.fault = _("Sold out: %(names)s. Take it out and choose something else.") % {"names": ", ".join(missing)}
        shown.is_gone = True
    elif priced.portion.keys() & {shortage.ingredient_id for shortage in quote.shortages}:
        shown.fault = _("There is not enough left for so many. Take fewer.")
