"""Lots and preparations for tests, each in a line.

shop = Shop.open()
milk = dated(shop, "Milk", "ml", {2: 500, 48: 1000})
pearls = makes(shop, "Cooked pearls", 1500, {raw: 1000})
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from inventory.lot_selectors import lots_that_differ_from_their_level
from inventory.models import Ingredient, Preparation, StockLevel, StockLot, StockMovement
from inventory.services.expiry import change_lot
from inventory.services.ingredients import change_ingredient
from inventory.services.lines import StockLine
from inventory.services.preparation_recipes import PreparationEntry, add_preparation_recipe
from inventory.services.preparations import prepare
from inventory.services.stock import receive_stock
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to


def in_hours(hours: float) -> datetime:
    return timezone.now() + timedelta(hours=hours)


def tracked(ingredient: Ingredient, *, shelf_life_hours: int | None = None) -> Ingredient:
    """The ingredient, from now on with expiry dates."""
    return change_ingredient(
        ingredient_id=ingredient.pk, changes={"tracks_expiry": True, "shelf_life_hours": shelf_life_hours}
    )


def dated(
    shop: Shop, name: str, unit: str = "g", lots: Mapping[float, Any] | None = None, unit_cost: Any = None
) -> Ingredient:
    """An ingredient with lots that expire in so many hours; negative ones have expired."""
    ingredient = tracked(shop.ingredient(name, unit))
    for hours, quantity in (lots or {}).items():
        # Received with a date that is still to come, which is then put right.
        receive_stock(
            location=shop.location,
            lines=[
                StockLine(
                    ingredient.pk,
                    Decimal(quantity),
                    None if unit_cost is None else Decimal(unit_cost),
                    expires_on=in_hours(1000).date(),
                    lot_code="new",
                )
            ],
            created_by_id=None,
        )
        lot = StockLot.objects.get(ingredient=ingredient, location=shop.location, code="new", quantity__gt=0)
        change_lot(lot_id=lot.pk, changes={"expires_at": in_hours(hours), "code": ""})
    return ingredient


def lot_of(shop: Shop, ingredient: Ingredient) -> StockLot:
    """The only lot with something in it."""
    return StockLot.objects.get(location=shop.location, ingredient=ingredient, quantity__gt=0)


def quantities(shop: Shop, ingredient: Ingredient) -> list[Decimal]:
    """What the lots hold, the first to expire first."""
    lots = StockLot.objects.filter(location=shop.location, ingredient=ingredient, quantity__gt=0)
    return list(lots.order_by("expires_at", "id").values_list("quantity", flat=True))


def makes(shop: Shop, ingredient: Ingredient, yield_quantity: Any, takes: Mapping[Ingredient, Any]) -> Ingredient:
    """Writes down what a batch of the ingredient takes and yields."""
    add_preparation_recipe(
        ingredient_id=ingredient.pk,
        yield_quantity=Decimal(yield_quantity),
        lines=[PreparationEntry(one.pk, Decimal(quantity)) for one, quantity in takes.items()],
    )
    return ingredient


def cook(shop: Shop, ingredient: Ingredient, batches: Any = 1, **more: Any) -> Preparation:
    return prepare(
        location=shop.location, ingredient_id=ingredient.pk, batches=Decimal(batches), created_by_id=None, **more
    )


def value_of(shop: Shop, ingredient: Ingredient) -> Decimal:
    level = StockLevel.objects.filter(location=shop.location, ingredient=ingredient).first()
    return level.value if level else Decimal(0)


def state() -> list[Any]:
    """All that a refusal must leave as it was."""
    return [
        list(StockLevel.objects.order_by("pk").values_list("pk", "quantity", "value", "average_cost")),
        list(
            StockLot.objects.filter(quantity__gt=0).order_by("pk").values_list("pk", "quantity", "expires_at", "code")
        ),
        StockMovement.objects.count(),
        list(Preparation.objects.order_by("pk").values_list("pk", "cancelled_at")),
    ]


def assert_in_order() -> None:
    assert_levels_are_what_the_ledger_sums_to()
    assert lots_that_differ_from_their_level() == []
