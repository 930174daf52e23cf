"""What an order would cost, and what stands in its way: asked before it is placed or edited. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.utils import timezone

from inventory.errors import Shortage
from inventory.lot_selectors import expired_of, expired_quantities
from inventory.menu import load_menu
from inventory.models import Location
from inventory.selectors import describe_shortages, levels_of
from inventory.services.returns import deductions_of
from orders.discounts import with_goodwill
from orders.errors import UnknownCustomer
from orders.models import Customer, Order
from orders.pricing import Offers, OrderLine, Price, PricedLine, discounted, price_order
from orders.promotion_selectors import code_offer, promotions_at
from orders.services.code_uses import normal_code, usable_code
from orders.services.deduction import DOCUMENT_TYPE, sale_movements
from orders.services.edit import compare, key_of
from orders.services.loyalty import check_still_there, points_offer
from orders.services.shares import goodwill_of


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order would cost, and what stands in its way: nothing has been placed.

    `corrections` is what selling anyway would correct in the stock.
    """

    price: Price
    shortages: list[Shortage]
    unavailable_products: list[tuple[int, str]]
    unavailable_options: list[tuple[int, str]]
    corrections: list[Shortage] = field(default_factory=list)

    @property
    def unavailable(self) -> list[tuple[int, str]]:
        """The products and options that can't be sold now, (id, name), products first."""
        return [*self.unavailable_products, *self.unavailable_options]

    @property
    def is_available(self) -> bool:
        return not self.shortages and not self.unavailable


def quote_order(
    *,
    location: Location,
    lines: Sequence[OrderLine],
    customer_id: int | None = None,
    promo_code: str = "",
    redeem_points: int = 0,
    allow_below_minimum: bool = False,
    sell_anyway: bool = False,
) -> Quote:
    """Prices the lines, with everything that is taken off step by step, and compares what they take with the stock of
    the location. Nothing is locked: it may be different a moment later.

    With `allow_below_minimum` a minimum stands in nobody's way, with `sell_anyway` no shortage, as in `place_order`.
    Raises WrongLines, PromoCodeRefused, NotEnoughPoints, PointsNotUsable, UnknownCustomer, CustomerGone.
    """
    now = timezone.now()
    code = usable_code(promo_code, customer_id=customer_id, at=now) if promo_code else None
    offers = Offers(
        promotions=promotions_at(location=location, at=now),
        code=code_offer(code) if code else None,
        points=points_offer(asking_customer(customer_id), redeem_points),
    )
    price = price_order(menu=load_menu({line.product_id for line in lines}), lines=lines, offers=offers)
    needed: dict[int, Decimal] = {}
    for line in price.lines:
        for ingredient_id, quantity in line.portion.items():
            needed[ingredient_id] = needed.get(ingredient_id, Decimal(0)) + quantity * line.line.quantity
    return _quote(
        price,
        location,
        needed,
        returned={},
        sold=price.lines,
        check_minimum=not allow_below_minimum,
        sell_anyway=sell_anyway,
    )


def asking_customer(customer_id: int | None) -> Customer | None:
    """The customer somebody asks for. Raises UnknownCustomer, CustomerGone."""
    if customer_id is None:
        return None
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        raise UnknownCustomer(customer_id)
    check_still_there(customer)
    return customer


def quote_edit(
    *,
    order: Order,
    lines: Sequence[OrderLine],
    promo_code: str | None = None,
    redeem_points: int | None = None,
    allow_below_minimum: bool = False,
    sell_anyway: bool = False,
) -> Quote:
    """What `edit_order` would make of the order: what stays is sold at its old price and needs no stock.

    Raises WrongLines, PromoCodeRefused, NotEnoughPoints, PointsNotUsable.
    """
    price = price_order(menu=load_menu({line.product_id for line in lines}), lines=lines)
    items = list(order.items.all())
    old_prices: dict[tuple[int, frozenset[int]], list[Decimal]] = {}
    for item in items:
        if item.remaining:
            old_prices.setdefault(key_of(item), []).append(item.unit_price)
    priced = tuple(
        replace(line, unit_price=sold_at.pop(0)) if (sold_at := old_prices.get(line.line.key)) else line
        for line in price.lines
    )
    edit = compare(order, items, price.lines, deductions_of(document_type=DOCUMENT_TYPE, document_ids=[order.pk]))
    needed: dict[int, Decimal] = {}
    returned: dict[int, Decimal] = {}
    sales = [
        move for item, line in edit.added for move in sale_movements(order, line, line_id=0, quantity=item.quantity)
    ]
    expired = expired_of({movement.lot_id for movement in edit.movements}, at=timezone.now())
    for movement in [*edit.movements, *sales]:
        if movement.lot_id in expired:
            continue  # It goes back to a lot that may not be sold from any more.
        ingredient_id, delta = movement.ingredient_id, movement.delta
        needed[ingredient_id] = needed.get(ingredient_id, Decimal(0)) - delta
        returned[ingredient_id] = returned.get(ingredient_id, Decimal(0)) + max(delta, Decimal(0))
    subtotal = sum((line.total for line in priced), Decimal("0.00"))
    offers = offers_of_edit(order, promo_code=promo_code, redeem_points=redeem_points)
    off = with_goodwill(discounted(priced, offers), [line.total for line in priced], goodwill_of(order))
    return _quote(
        Price(lines=priced, subtotal=subtotal, off=off),
        order.location,
        needed,
        returned=returned,
        sold=edit.sold,
        check_minimum=not allow_below_minimum,
        sell_anyway=sell_anyway,
    )


def offers_of_edit(order: Order, *, promo_code: str | None, redeem_points: int | None) -> Offers:
    """What would take something off the edited order, as `orders.services.edit.lock_offers` finds it out."""
    code = order.promo_code
    if promo_code is not None and (code is None or normal_code(promo_code) != code.code):
        code = usable_code(promo_code, customer_id=order.customer_id, at=timezone.now()) if promo_code.strip() else None
    points = order.points_redeemed if redeem_points is None else redeem_points
    customer = order.customer if points else None
    return Offers(
        promotions=promotions_at(location=order.location, at=order.placed_at),
        code=code_offer(code) if code else None,
        points=points_offer(customer, points, held=order.points_redeemed),
    )


def _quote(
    price: Price,
    location: Location,
    needed: dict[int, Decimal],
    *,
    returned: Mapping[int, Decimal],
    sold: Sequence[PricedLine],
    check_minimum: bool,
    sell_anyway: bool,
) -> Quote:
    """Compares what is needed of each ingredient, and what the sold products' recipes name, with the stock and
    with what the edited order gives back to it."""
    recipe_ids = {recipe.ingredient_id for line in sold for recipe in line.product.recipe}
    levels = levels_of(location=location, ingredient_ids=needed.keys() | recipe_ids)
    nothing = (Decimal(0), Decimal(0))
    missing = {
        ingredient_id: (quantity, levels.get(ingredient_id, nothing)[0])
        for ingredient_id, quantity in needed.items()
        if levels.get(ingredient_id, nothing)[0] < quantity
    }
    products: dict[int, str] = {}
    options: dict[int, str] = {}
    for line in sold:
        below = (
            not sell_anyway
            and check_minimum
            and any(
                quantity + returned.get(recipe.ingredient_id, 0) < max(minimum, recipe.quantity)
                for recipe in line.product.recipe
                for quantity, minimum in [levels.get(recipe.ingredient_id, nothing)]
            )
        )
        if below or not line.product.is_listed or not location.is_active:
            products[line.product.id] = line.product.name
        for _group, option, _price in line.options:
            if not option.is_available:
                options[option.id] = option.name
    shortages = []
    if missing:
        expired = expired_quantities(location=location, ingredient_ids=missing, at=timezone.now())
        shortages = describe_shortages(missing, expired=expired)
    unavailable = (list(products.items()), list(options.items()))
    if sell_anyway:
        return Quote(price, [], *unavailable, corrections=shortages)
    return Quote(price, shortages, *unavailable)
