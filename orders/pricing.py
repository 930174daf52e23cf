"""What an order costs. Pure functions: the menu's values in, a breakdown out."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from foundation.decimals import round_money
from foundation.errors import InvalidInput
from foundation.money import money
from inventory.choices import chosen_options, free_options
from inventory.menu import MenuGroup, MenuOption, MenuProduct
from inventory.recipes import portion
from orders.discounts import NOTHING_OFF, AutomaticOffer, CodeOffer, Discountable, PointsOffer, TakenOff, take_off
from orders.errors import PromoCodeRefused, WrongLines

MOST_LINES = 200
LARGEST_QUANTITY = 1000
LARGEST_TOTAL = Decimal("9999999999.99")


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What somebody asks for: so many of a product, with these options."""

    product_id: int
    quantity: int
    option_ids: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[int, frozenset[int]]:
        """Lines with the same key are the same drink."""
        return self.product_id, frozenset(self.option_ids)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with its price. `portion` is what one of it takes: {ingredient id: base units}."""

    line: OrderLine
    product: MenuProduct
    options: tuple[tuple[MenuGroup, MenuOption, Decimal], ...]
    unit_price: Decimal
    portion: dict[int, Decimal]

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.line.quantity

    def options_as_sold(self) -> list[dict[str, object]]:
        """The options as the order keeps them: what each one cost in this line."""
        return [
            {"id": option.id, "group": group.name, "name": option.name, "price_delta": str(price)}
            for group, option, price in self.options
        ]


@dataclass(frozen=True, slots=True)
class Offers:
    """What may make an order cheaper: the promotions that hold, a code that may be used, points that are there."""

    promotions: tuple[AutomaticOffer, ...] = ()
    code: CodeOffer | None = None
    points: PointsOffer | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """The breakdown of an order: its lines, their sum, what is taken off step by step, what is to be paid."""

    lines: tuple[PricedLine, ...]
    subtotal: Decimal
    off: TakenOff = NOTHING_OFF

    @property
    def discount(self) -> Decimal:
        return self.off.amount

    @property
    def total(self) -> Decimal:
        return self.subtotal - self.discount


def price_order(*, menu: dict[int, MenuProduct], lines: Sequence[OrderLine], offers: Offers = Offers()) -> Price:
    """Checks the lines against the menu, prices them, and takes off what the offers allow.

    Raises WrongLines with every fault at its place: no lines or more than 200, an unknown product, a
    quantity outside 1 to 1,000, options that do not fit; and for a total that no order can hold. Raises
    PromoCodeRefused for a code whose minimum is not reached.
    """
    if not lines:
        raise WrongLines.at("items", _("Add at least one product."))
    if len(lines) > MOST_LINES:
        raise WrongLines.at(
            "items",
            _("An order takes up to %(most)d lines, not %(number)d. Split it.")
            % {"most": MOST_LINES, "number": len(lines)},
        )
    faults: dict[str, list[str]] = {}
    priced: list[PricedLine] = []
    for place, line in enumerate(lines):
        product = menu.get(line.product_id)
        if product is None:
            faults[f"items[{place}].product"] = [_("There is no product %(id)s.") % {"id": line.product_id}]
            continue
        if not 1 <= line.quantity <= LARGEST_QUANTITY:
            faults[f"items[{place}].quantity"] = [
                _("The quantity must be a whole number from 1 to %(most)d.") % {"most": LARGEST_QUANTITY}
            ]
            continue
        try:
            chosen = chosen_options(product, line.option_ids, field=f"items[{place}].options")
        except InvalidInput as refusal:
            faults |= refusal.errors
            continue
        priced.append(price_line(line, product, chosen))
    if faults:
        raise WrongLines(" ".join(sentence for field in faults.values() for sentence in field), errors=faults)
    subtotal = sum((line.total for line in priced), Decimal("0.00"))
    if subtotal > LARGEST_TOTAL:
        raise WrongLines.at("items", _("The order's total is too large. Split it."))
    return Price(lines=tuple(priced), subtotal=subtotal, off=discounted(priced, offers))


def discounted(lines: Sequence[PricedLine], offers: Offers) -> TakenOff:
    """What the offers take off these lines. Raises PromoCodeRefused for a code whose minimum is not reached, or that
    covers nothing here."""
    off = take_off(
        [
            Discountable(line.product.id, line.product.category_id, line.unit_price, line.line.quantity)
            for line in lines
        ],
        promotions=offers.promotions,
        code=offers.code,
        points=offers.points,
    )
    if offers.code is not None:
        check_reached(offers.code, off.code_base)
    return off


def check_reached(code: CodeOffer, base: Decimal) -> None:
    """Raises PromoCodeRefused unless the lines that the code covers come to its minimum."""
    if not base:
        raise PromoCodeRefused.because(_("%(code)s is for nothing in this order.") % {"code": code.code})
    if base < code.minimum_total:
        raise PromoCodeRefused.because(
            _("%(code)s needs %(minimum)s of what it is for; here it is %(base)s.")
            % {"code": code.code, "minimum": money(code.minimum_total), "base": money(base)}
        )


def price_line(line: OrderLine, product: MenuProduct, chosen: Sequence[tuple[MenuGroup, MenuOption]]) -> PricedLine:
    """The unit price of a product with its chosen options, never below 0."""
    free = free_options(chosen)
    options = tuple(
        (group, option, Decimal("0.00") if option.id in free else option.price_delta) for group, option in chosen
    )
    unit_price = round_money(max(product.price + sum(price for _group, _option, price in options), Decimal(0)))
    return PricedLine(line, product, options, unit_price, portion(product, [option for _group, option in chosen]))
