"""Questions about lots: what has expired, what will, and whether lots and levels agree."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import DecimalField, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce

from inventory.models import Location, StockLevel, StockLot

QUANTITY = DecimalField(max_digits=14, decimal_places=3)


def fresh_quantity(*, at: datetime.datetime) -> CombinedExpression:
    """For levels: how much of the level has not expired at the moment `at`, in the base unit. What is in no lot, or in
    one without a date, has not."""
    expired = (
        StockLot.objects.filter(
            location_id=OuterRef("location_id"),
            ingredient_id=OuterRef("ingredient_id"),
            expires_at__lte=at,
            quantity__gt=0,
        )
        .order_by()
        .values("ingredient_id")
        .annotate(total=Sum("quantity"))
        .values("total")
    )
    return F("quantity") - Coalesce(Subquery(expired, output_field=QUANTITY), Value(Decimal(0)), output_field=QUANTITY)


def expired_quantities(
    *, location: Location, ingredient_ids: Collection[int], at: datetime.datetime
) -> dict[int, Decimal]:
    """{ingredient id: how much of it at the location has expired at the moment `at`}; nothing is left out."""
    return dict(
        expired_lots(location=location, at=at)
        .filter(ingredient_id__in=ingredient_ids)
        .order_by()
        .values_list("ingredient_id")
        .annotate(total=Sum("quantity"))
    )


def lots_in_stock(*, location: Location | None = None, ingredient_id: int | None = None) -> QuerySet[StockLot]:
    """The lots that hold something, at one location or at all open ones, in the order in which they are used."""
    lots = StockLot.objects.filter(quantity__gt=0)
    lots = lots.filter(location=location) if location is not None else lots.filter(location__is_active=True)
    if ingredient_id is not None:
        lots = lots.filter(ingredient_id=ingredient_id)
    return lots.select_related("ingredient", "location").order_by(F("expires_at").asc(nulls_first=True), "id")


def lots_that_expire_before(moment: datetime.datetime, *, location: Location | None = None) -> QuerySet[StockLot]:
    """The lots with something in them that have expired by `moment`, the first to expire first."""
    return lots_in_stock(location=location).filter(expires_at__lte=moment)


def expired_lots(*, location: Location | None = None, at: datetime.datetime) -> QuerySet[StockLot]:
    """The lots with something in them that may not be sold any more at the moment `at`."""
    return lots_that_expire_before(at, location=location)


def expired_of(lot_ids: Collection[int | None], *, at: datetime.datetime) -> set[int]:
    """Those of the lots whose stock may not be sold any more at the moment `at`. One query, if any lot is named.

    Where the ingredient has no expiry dates any more, its former lots say nothing.
    """
    named = {lot_id for lot_id in lot_ids if lot_id is not None}
    if not named:
        return set()
    lots = StockLot.objects.filter(pk__in=named, expires_at__lte=at, ingredient__tracks_expiry=True)
    return set(lots.order_by().values_list("pk", flat=True))


def with_worth(lots: QuerySet[StockLot]) -> QuerySet[StockLot]:
    """Adds `average_cost`, money per base unit, of the lot's level: a lot is worth quantity × average cost."""
    level = StockLevel.objects.filter(location_id=OuterRef("location_id"), ingredient_id=OuterRef("ingredient_id"))
    return lots.annotate(average_cost=Subquery(level.values("average_cost")))


@dataclass(frozen=True, slots=True)
class LotDifference:
    """A level whose lots do not add up to it; an ingredient without expiry dates has nothing in lots."""

    location_id: int
    ingredient_id: int
    level: Decimal
    in_lots: Decimal


def lots_that_differ_from_their_level() -> list[LotDifference]:
    """Where the lots are not what the level holds. Should be empty.

    One statement, so that it sees one moment of a shop that goes on selling. It reads all levels and lots.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT location_id, ingredient_id,
                   CASE WHEN ingredient.tracks_expiry THEN coalesce(level.quantity, 0) ELSE 0 END,
                   coalesce(lots.total, 0)
            FROM inventory_stocklevel AS level
            FULL JOIN (
                SELECT location_id, ingredient_id, sum(quantity) AS total
                FROM inventory_stocklot GROUP BY location_id, ingredient_id
            ) AS lots USING (location_id, ingredient_id)
            JOIN inventory_ingredient AS ingredient ON ingredient.id = ingredient_id
            WHERE coalesce(lots.total, 0)
                  <> CASE WHEN ingredient.tracks_expiry THEN coalesce(level.quantity, 0) ELSE 0 END
            ORDER BY location_id, ingredient_id
            """
        )
        return [LotDifference(*row) for row in cursor.fetchall()]
