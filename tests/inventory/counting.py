"""Counting in tests: a count from its start to its posting, and everything that a refusal must leave as it is."""

from decimal import Decimal
from typing import Any

from inventory.models import Ingredient, Shelf, StockCount, StockCountLine, StockLevel, StockLot, StockMovement
from inventory.services.counts import count_lines, post_count, start_count, submit_count
from tests.shop import Shop

TABLES = (StockCount, StockCountLine, Shelf, StockLevel, StockLot, StockMovement)


def start(shop: Shop, *ingredients: Ingredient, **more: Any) -> StockCount:
    """A count of these ingredients, of all that the location has if none is named."""
    ids = [one.pk for one in ingredients] if ingredients else None
    return start_count(location=shop.location, ingredient_ids=ids, created_by_id=None, **more)


def note(count: StockCount, counted: dict[Ingredient, Any], **more: Any) -> None:
    count_lines(
        count_id=count.pk,
        counted={one.pk: None if quantity is None else Decimal(quantity) for one, quantity in counted.items()},
        **{"counted_by_id": None, **more},
    )


def reviewed(shop: Shop, counted: dict[Ingredient, Any]) -> StockCount:
    """A count of these ingredients that waits to be posted."""
    count = start(shop, *counted)
    note(count, counted)
    return submit_count(count_id=count.pk)


def posted(shop: Shop, counted: dict[Ingredient, Any]) -> StockCount:
    return post_count(count_id=reviewed(shop, counted).pk, posted_by_id=None)


def line_of(count: StockCount, ingredient: Ingredient) -> StockCountLine:
    return StockCountLine.objects.get(count=count, ingredient=ingredient)


def figures(count: StockCount, ingredient: Ingredient) -> tuple[Decimal | None, Decimal | None]:
    """What was counted, and what the level said."""
    line = line_of(count, ingredient)
    return line.counted_quantity, line.expected_quantity


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row that counting may write."""
    return {model.__name__: list(model.objects.order_by("pk").values_list()) for model in TABLES}
