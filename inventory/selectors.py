"""Questions about the catalogue and the stock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import connection, models
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.decimals import QUANTITY_STEP
from inventory.errors import Shortage, UnknownLocation
from inventory.lot_selectors import expired_lots, fresh_quantity
from inventory.models import (
    DefaultLocation,
    Ingredient,
    Location,
    Option,
    OptionEffect,
    PreparationRecipe,
    PreparationRecipeLine,
    Product,
    PurchaseOrderLine,
    RecipeLine,
    StockCountLine,
    StockLevel,
    StockMovement,
    SupplierPack,
)
from users.models import User

# Where quantities of an ingredient are written down beside the ledger, and in which field it stands.
QUANTITIES: tuple[tuple[type[models.Model], str], ...] = (
    (RecipeLine, "ingredient"),
    (OptionEffect, "ingredient"),
    (OptionEffect, "replacement"),
    (PreparationRecipe, "ingredient"),
    (PreparationRecipeLine, "ingredient"),
    (SupplierPack, "ingredient"),
    (PurchaseOrderLine, "ingredient"),
    (StockCountLine, "ingredient"),
)


def location_for(*, user: User | AnonymousUser, location_id: int | None) -> Location:
    """The location that a request means: the one it names, the user's default, or the only open one.

    Raises UnknownLocation at "location" if it names none that exists, or none where there are several.
    """
    if location_id is not None:
        location = Location.objects.filter(pk=location_id).first()
        if location is None:
            raise UnknownLocation.at("location", _("There is no location %(id)s.") % {"id": location_id})
        return location
    default = DefaultLocation.objects.filter(user_id=user.pk).select_related("location").first() if user.pk else None
    if default is not None:
        return default.location
    several = list(Location.objects.filter(is_active=True).order_by("id")[:2])
    if len(several) == 1:
        return several[0]
    if not several:
        raise UnknownLocation.at("location", _("The shop has no open location yet. Add one first."))
    raise UnknownLocation.at("location", _("The shop has several locations. Name one of them."))


def location_to_show(*, user: User | AnonymousUser, location_id: int | None, locations: Sequence[Location]) -> Location:
    """Of these locations (at least one), the one that a page shows: the one asked for, the user's default, the first.

    What a page shows is never refused: an unknown one that is asked for counts as none.
    """
    by_id = {location.pk: location for location in locations}
    if location_id is not None and location_id in by_id:
        return by_id[location_id]
    default = DefaultLocation.objects.filter(user_id=user.pk or 0).values_list("location_id", flat=True).first()
    return by_id.get(default or 0, locations[0])


def has_several_locations() -> bool:
    """Whether the interface has to show locations at all."""
    return Location.objects.order_by()[1:2].exists()


def fresh_levels(location: Location) -> QuerySet[StockLevel]:
    """The levels at the location with `fresh`, what of them has not expired now: no more of them can be sold."""
    return StockLevel.objects.filter(location=location).alias(fresh=fresh_quantity(at=timezone.now()))


def enough(location: Location, needed: Any) -> Q:
    """A condition for levels at the location: what has not expired is at or above the minimum and covers `needed`."""
    # Most ingredients have nothing expired: those that have are found once for all lines, and only theirs is summed.
    expired = expired_lots(location=location, at=timezone.now()).order_by().values("ingredient_id")
    return Q(quantity__gte=Greatest(F("minimum"), needed)) & (
        ~Q(ingredient_id__in=expired) | Q(fresh__gte=Greatest(F("minimum"), needed))
    )


def sufficient_levels(location: Location, *, ingredient: str, quantity: str) -> Exists:
    """A condition for lines that need `quantity` of `ingredient` (names of the line's columns): what has not expired
    of the level at `location` is at or above its minimum and covers it. A missing level is 0 and does not."""
    return Exists(
        fresh_levels(location).filter(enough(location, OuterRef(quantity)), ingredient_id=OuterRef(ingredient))
    )


def is_available_at(location: Location) -> models.ExpressionWrapper | models.Value:
    """A condition for products: listed, the location is open, and every ingredient of the recipe is at or above
    its minimum and covers one portion, without what has expired. A product without a recipe is untracked: only
    listed."""
    if not location.is_active:
        return models.Value(False)
    lacking = RecipeLine.objects.filter(product_id=OuterRef("pk")).exclude(
        sufficient_levels(location, ingredient="ingredient_id", quantity="quantity")
    )
    return models.ExpressionWrapper(Q(is_listed=True) & ~Exists(lacking), models.BooleanField())


def with_availability(products: QuerySet[Product], *, location: Location) -> QuerySet[Product]:
    """Adds `is_available`; see `is_available_at`."""
    return products.annotate(is_available=is_available_at(location))


def available_products(*, location: Location) -> QuerySet[Product]:
    """The products that can be sold at the location now."""
    return Product.objects.filter(is_available_at(location))


def lacking_ingredients(*, location: Location) -> dict[int, list[str]]:
    """{product id: names of what its recipe needs and the location has not enough of}, in one query."""
    lacking: dict[int, list[str]] = {}
    for product_id, name in (
        RecipeLine.objects.exclude(sufficient_levels(location, ingredient="ingredient_id", quantity="quantity"))
        .order_by("product_id", "ingredient__name")
        .values_list("product_id", "ingredient__name")
    ):
        lacking.setdefault(product_id, []).append(name)
    return lacking


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a product is not available at a location: this ingredient is below its minimum or one portion, as far as it
    has not expired."""

    ingredient_id: int
    name: str
    unit: str
    needed: Decimal
    quantity: Decimal
    minimum: Decimal


def lacks_of_products(
    *, product_ids: Collection[int], locations: Collection[Location]
) -> dict[int, dict[int, list[Lack]]]:
    """What keeps these products from being available at these locations: {location id: {product id: lacks}};
    products that lack nothing are left out. The same rule as `with_availability`, in two queries."""
    lines = list(
        RecipeLine.objects.filter(product_id__in=product_ids)
        .order_by("id")
        .values_list("product_id", "ingredient_id", "ingredient__name", "ingredient__unit", "quantity")
    )
    levels = (
        StockLevel.objects.filter(location__in=locations, ingredient_id__in={line[1] for line in lines})
        .order_by()
        .annotate(usable=fresh_quantity(at=timezone.now()))
    )
    there = {
        (location, ingredient): (usable, minimum)
        for location, ingredient, usable, minimum in levels.values_list(
            "location_id", "ingredient_id", "usable", "minimum"
        )
    }
    lacks: dict[int, dict[int, list[Lack]]] = {location.pk: {} for location in locations}
    for location_id, of_products in lacks.items():
        for product_id, ingredient_id, name, unit, needed in lines:
            usable, minimum = there.get((location_id, ingredient_id), (Decimal(0), Decimal(0)))
            if usable < max(minimum, needed):
                lack = Lack(ingredient_id, name, unit, needed, usable, minimum)
                of_products.setdefault(product_id, []).append(lack)
    return lacks


def options_in_stock(*, location: Location) -> QuerySet[Option]:
    """The options that can be chosen at the location now: switched on, and what they add or put in place of
    something else is there."""
    lacking = OptionEffect.objects.filter(option_id=OuterRef("pk")).filter(
        Q(kind=OptionEffect.Kind.ADD) & ~sufficient_levels(location, ingredient="ingredient_id", quantity="quantity")
        | Q(kind=OptionEffect.Kind.REPLACE)
        & ~Exists(
            fresh_levels(location).filter(
                enough(location, Value(QUANTITY_STEP)), ingredient_id=OuterRef("replacement_id")
            )
        )
    )
    return Option.objects.filter(is_available=True).exclude(Exists(lacking))


def low_stock(*, location: Location | None = None) -> QuerySet[StockLevel]:
    """The levels below their minimum, the emptiest first, at one location or at all open ones."""
    levels = StockLevel.objects.filter(quantity__lt=F("minimum"), location__is_active=True)
    if location is not None:
        levels = levels.filter(location=location)
    return levels.select_related("ingredient", "location").order_by(F("quantity") / F("minimum"), "ingredient__name")


def levels_of(*, location: Location, ingredient_ids: Collection[int]) -> dict[int, tuple[Decimal, Decimal]]:
    """{ingredient id: (what can be sold, minimum)} at the location, in base units: what has expired does not count, and
    what has no level is left out."""
    rows = fresh_levels(location).filter(ingredient_id__in=ingredient_ids).order_by()
    return {
        ingredient: (quantity, minimum)
        for ingredient, quantity, minimum in rows.annotate(usable=F("fresh")).values_list(
            "ingredient_id", "usable", "minimum"
        )
    }


def ledger_of_document(*, document_type: str, document_id: str | int) -> QuerySet[StockMovement]:
    """The movements that one document caused, oldest first."""
    return (
        StockMovement.objects.filter(document_type=document_type, document_id=str(document_id))
        .select_related("ingredient", "location", "created_by", "lot")
        .order_by("id")
    )


def levels_that_differ_from_the_ledger() -> list[tuple[int, int, Decimal, Decimal]]:
    """Where a level is not what its ledger sums to: (location id, ingredient id, level, sum). Should be empty.

    One statement, so that it sees one moment of a shop that goes on selling. It reads the whole ledger.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT location_id, ingredient_id, coalesce(level.quantity, 0), coalesce(ledger.total, 0)
            FROM inventory_stocklevel AS level
            FULL JOIN (
                SELECT location_id, ingredient_id, sum(delta) AS total
                FROM inventory_stockmovement GROUP BY location_id, ingredient_id
            ) AS ledger USING (location_id, ingredient_id)
            WHERE coalesce(level.quantity, 0) <> coalesce(ledger.total, 0)
            ORDER BY location_id, ingredient_id
            """
        )
        return cursor.fetchall()


def ingredient_has_moved(ingredient: Ingredient) -> bool:
    """Whether the ledger knows the ingredient: then its unit is fixed."""
    return StockMovement.objects.filter(ingredient=ingredient).exists()


def named_in_its_unit(ingredient: Ingredient) -> list[str]:
    """The kinds of records, by their names, that hold a quantity of the ingredient: then its unit is fixed too. One
    query. A minimum is none of them: it is set anew beside the unit."""
    asked = Ingredient.objects.filter(pk=ingredient.pk).values_list(
        *(Exists(model._default_manager.filter(**{field: OuterRef("pk")})) for model, field in QUANTITIES)
    )
    found = next(iter(asked), (False,) * len(QUANTITIES))
    named = [model for (model, _field), is_named in zip(QUANTITIES, found, strict=True) if is_named]
    return list(dict.fromkeys(str(model._meta.verbose_name_plural) for model in named))


def describe_shortages(
    missing: Mapping[int, tuple[Decimal, Decimal]], *, expired: Mapping[int, Decimal] | None = None
) -> list[Shortage]:
    """Names what is missing: {ingredient id: (needed, available)} in base units, in the order of names. `expired`
    tells what stands there of it and may not be used any more."""
    gone = expired or {}
    ingredients = Ingredient.objects.filter(pk__in=missing).order_by("name")
    return [
        Shortage(one.pk, one.name, *missing[one.pk], one.unit, expired=gone.get(one.pk, Decimal("0.000")))
        for one in ingredients
    ]
