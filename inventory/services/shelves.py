"""Arranging the shelves of a location: what stands where, so that it can be counted shelf by shelf."""

from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.locks import lock_record
from foundation.services.records import check_record
from inventory.errors import UnknownIngredient, UnknownShelf
from inventory.locks import lock_levels, lock_location
from inventory.models import Ingredient, Location, Shelf, StockCount, StockLevel
from inventory.services.ledger import open_levels


@transaction.atomic
def add_shelf(*, location: Location, name: str, ingredient_ids: Collection[int] = ()) -> Shelf:
    """Puts up a shelf, after those that are there, with these ingredients on it. Raises InvalidInput,
    UnknownIngredient."""
    lock_location(location.pk)
    last = Shelf.objects.filter(location=location).order_by("-position").values_list("position", flat=True).first()
    shelf = Shelf(location=location, name=name, position=0 if last is None else last + 1)
    check_record(shelf)
    shelf.save(force_insert=True)
    if ingredient_ids:
        stand_on(shelf, ingredient_ids)
    return shelf


@transaction.atomic
def change_shelf(
    *,
    shelf_id: int,
    name: str | None = None,
    position: int | None = None,
    ingredient_ids: Collection[int] | None = None,
) -> Shelf:
    """Renames a shelf, gives it another place among the others, and says what stands on it: these ingredients and no
    others. None leaves each as it is.

    An ingredient that stood on another shelf moves here; one that is taken off stands nowhere then. Raises Missing,
    InvalidInput, UnknownIngredient.
    """
    shelf = lock_record(Shelf, shelf_id)
    changes = {field: value for field, value in (("name", name), ("position", position)) if value is not None}
    for field, value in changes.items():
        setattr(shelf, field, value)
    if changes:
        check_record(shelf)
        shelf.save(update_fields=list(changes))
    if ingredient_ids is not None:
        stand_on(shelf, ingredient_ids)
    return shelf


@transaction.atomic
def order_shelves(*, location: Location, shelf_ids: Sequence[int]) -> None:
    """Puts the shelves of a location in this order, which is the order of counting. Raises UnknownShelf unless all
    of them, and no others, are named once."""
    lock_location(location.pk)
    places = {pk: place for place, pk in enumerate(shelf_ids)}
    shelves = list(Shelf.objects.filter(location=location))
    if len(places) != len(shelf_ids) or places.keys() != {shelf.pk for shelf in shelves}:
        raise UnknownShelf.at("shelves", _("Name every shelf of %(place)s once.") % {"place": location.name})
    for shelf in shelves:
        shelf.position = places[shelf.pk]
    Shelf.objects.bulk_update(shelves, ["position"])


@transaction.atomic
def delete_shelf(*, shelf_id: int) -> Shelf:
    """Takes a shelf down; what stood on it stands nowhere then, and its counts keep what they counted. Raises
    Missing."""
    for location_id in Shelf.objects.filter(pk=shelf_id).values_list("location_id", flat=True):
        # Nobody begins a count of it meanwhile.
        lock_location(location_id)
    shelf = lock_record(Shelf, shelf_id)
    # Counts before levels, as everybody takes them.
    StockCount.objects.filter(shelf=shelf).update(shelf=None)
    stand_on(shelf, ())
    Shelf.objects.filter(pk=shelf.pk).delete()
    return shelf


def stand_on(shelf: Shelf, ingredient_ids: Collection[int]) -> None:
    """Makes the locked shelf hold these ingredients and no others. Raises UnknownIngredient.

    The levels are locked in the order of all locks first: an UPDATE of many rows takes them as they come, and would
    meet a sale half-way.
    """
    wanted = set(ingredient_ids)
    known = set(Ingredient.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    unknown = {
        f"ingredients[{place}]": [_("There is no ingredient %(id)s.") % {"id": pk}]
        for place, pk in enumerate(ingredient_ids)
        if pk not in known
    }
    if unknown:
        raise UnknownIngredient(_("Some ingredients do not exist."), errors=unknown)
    standing = set(StockLevel.objects.filter(shelf=shelf).values_list("ingredient_id", flat=True))
    if standing == wanted:
        return
    open_levels(pairs=[(shelf.location_id, pk) for pk in wanted])
    lock_levels(location_ids=[shelf.location_id], ingredient_ids=wanted | standing)
    levels = StockLevel.objects.filter(location_id=shelf.location_id)
    # Unless somebody has put it on another shelf while we waited for its level.
    levels.filter(ingredient_id__in=standing - wanted, shelf=shelf).update(shelf=None)
    levels.filter(ingredient_id__in=wanted).exclude(shelf=shelf).update(shelf=shelf)
