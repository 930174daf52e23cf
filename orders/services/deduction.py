"""What an order takes from the stock."""

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.utils import timezone

from inventory.errors import InsufficientStock, Unavailable
from inventory.menu import MenuProduct
from inventory.models import StockMovement
from inventory.selectors import describe_shortages
from inventory.services.ledger import Guard, GuardFailed, Movement, open_levels, post_movements
from orders.models import Order
from orders.pricing import PricedLine
from orders.services.actor import Actor

DOCUMENT_TYPE = "order"


def check_listed(lines: Iterable[PricedLine]) -> None:
    """Raises Unavailable for products off the menu and options that are switched off."""
    products = {line.product.id: line.product.name for line in lines if not line.product.is_listed}
    options = {
        option.id: option.name for line in lines for _group, option, _price in line.options if not option.is_available
    }
    if products or options:
        raise Unavailable(products=list(products.items()), options=list(options.items()))


def sale_movements(order: Order, line: PricedLine, *, line_id: int, quantity: int) -> list[Movement]:
    """The ledger lines of `quantity` portions of an order's line."""
    return [
        Movement(
            order.location_id,
            ingredient_id,
            -need * quantity,
            StockMovement.Reason.SALE,
            str(order.pk),
            line_id=str(line_id),
        )
        for ingredient_id, need in line.portion.items()
    ]


def deduct(
    *,
    order: Order,
    movements: Sequence[Movement],
    products: Iterable[MenuProduct],
    actor: Actor,
    allow_below_minimum: bool,
    sell_anyway: bool = False,
    at: datetime.datetime | None = None,
) -> None:
    """Moves the stock of an order inside the caller's transaction, as a whole.

    Unless `allow_below_minimum`, every ingredient of the products' recipes must be at or above its minimum
    and cover one portion: else the product is not available. What has expired is not sold. With `sell_anyway`
    nothing of that is asked: see `deduct_and_correct`. Raises Unavailable, InsufficientStock.
    """
    if sell_anyway:
        deduct_and_correct(order=order, movements=movements, actor=actor, at=at)
        return
    by_id = {product.id: product for product in products}
    portions: dict[int, list[tuple[MenuProduct, Guard]]] = {}
    for product in by_id.values():
        for recipe_line in product.recipe:
            guard = Guard(order.location_id, recipe_line.ingredient_id, recipe_line.quantity)
            portions.setdefault(recipe_line.ingredient_id, []).append((product, guard))
    guards = [] if allow_below_minimum else [guard for pairs in portions.values() for _product, guard in pairs]
    try:
        post_movements(
            movements=movements,
            document_type=DOCUMENT_TYPE,
            created_by_id=actor.user_id,
            guards=guards,
            fresh_at=at or timezone.now(),
            at=at,
        )
    except GuardFailed as failed:
        blocked: dict[int, str] = {}
        needed: dict[int, tuple[Decimal, Decimal]] = {}
        for ingredient_id, (quantity, minimum) in failed.levels.items():
            for product, guard in portions[ingredient_id]:
                if quantity < minimum or quantity < guard.portion:
                    blocked[product.id] = product.name
                    least = max(minimum, guard.portion, needed.get(ingredient_id, (guard.portion, quantity))[0])
                    needed[ingredient_id] = (least, quantity)
        for ingredient_id, (total, quantity) in failed.short.items():
            needed[ingredient_id] = (max(total, needed.get(ingredient_id, (total, quantity))[0]), quantity)
        raise Unavailable(
            products=list(blocked.items()), shortages=describe_shortages(needed, expired=failed.expired)
        ) from failed


def deduct_and_correct(
    *,
    order: Order,
    movements: Sequence[Movement],
    actor: Actor,
    at: datetime.datetime | None = None,
) -> None:
    """Sells the cup that is in somebody's hand: what the ledger says is missing is corrected in the same step.

    The correction is so much as the sale lacks, no more, at the average cost, under the order's number: afterwards the
    level stands at 0, or at what has expired. Raises InsufficientStock if even that does not do.
    """
    ingredient_ids = {movement.ingredient_id for movement in movements}
    open_levels(pairs=[(order.location_id, ingredient_id) for ingredient_id in ingredient_ids])

    def post(lines: Sequence[Movement]) -> None:
        post_movements(
            movements=lines,
            document_type=DOCUMENT_TYPE,
            created_by_id=actor.user_id,
            fresh_at=at or timezone.now(),
            at=at,
        )

    try:
        post(movements)
    except InsufficientStock as refusal:
        # The levels are locked by now: what is missing stays what it is.
        post(
            [
                *(
                    Movement(
                        order.location_id,
                        shortage.ingredient_id,
                        shortage.needed - shortage.available,
                        StockMovement.Reason.CORRECTION,
                        str(order.pk),
                    )
                    for shortage in refusal.shortages
                ),
                *movements,
            ]
        )
