"""Counting the shelves: a list of ingredients is counted, reviewed, and its differences go to the ledger once.

A line notes, under the lock of its level, what was counted and what the level said at that moment. The difference
of the two is what posting writes: what is sold between the count and the posting changes neither.
"""

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from inventory.count_selectors import CORRECTIONS, DOCUMENT_TYPE, difference_of, moved_since
from inventory.errors import (
    AlreadyBeingCounted,
    CountAgain,
    NotAllCounted,
    NothingCounted,
    NothingToCount,
    UnknownIngredient,
    UnknownShelf,
)
from inventory.locks import lock_count, lock_levels, lock_location
from inventory.models import Ingredient, Location, Shelf, StockCount, StockCountLine, StockLevel, StockMovement
from inventory.services.ledger import Movement, open_levels, post_movements
from inventory.services.lines import check_open, quantity_fault
from inventory.services.statuses import proceed, require_status

# More nobody counts in one go; a larger store room is counted shelf by shelf.
MOST_LINES = 900

# Writes what was counted beside what the level says, for all lines at once; the levels are locked by then. What was
# counted a while ago (`as_of`, infinity for now) is set beside what the level said then: what the ledger knows of
# later movements is taken off again.
WRITE_COUNTED = """
UPDATE inventory_stockcountline AS line
SET counted_quantity = said.quantity,
    expected_quantity = CASE WHEN said.quantity IS NOT NULL
        THEN coalesce(level.quantity, 0) - coalesce(later.delta, 0) END,
    last_movement_id = CASE WHEN said.quantity IS NOT NULL THEN coalesce(newest.id, 0) END,
    counted_by_id = CASE WHEN said.quantity IS NOT NULL THEN %(counted_by)s::bigint END,
    counted_at = CASE WHEN said.quantity IS NOT NULL THEN %(at)s::timestamptz END
FROM unnest(%(ingredients)s::bigint[], %(quantities)s::numeric[]) AS said(ingredient_id, quantity)
LEFT JOIN inventory_stocklevel AS level
       ON level.location_id = %(location)s AND level.ingredient_id = said.ingredient_id
LEFT JOIN LATERAL (
    SELECT id FROM inventory_stockmovement AS movement
    WHERE movement.ingredient_id = said.ingredient_id AND movement.location_id = %(location)s
      AND movement.created_at <= %(as_of)s::timestamptz
    ORDER BY id DESC LIMIT 1
) AS newest ON true
LEFT JOIN LATERAL (
    SELECT sum(delta) AS delta FROM inventory_stockmovement AS movement
    WHERE movement.ingredient_id = said.ingredient_id AND movement.location_id = %(location)s
      AND movement.id > coalesce(newest.id, 0)
) AS later ON true
WHERE line.count_id = %(count)s AND line.ingredient_id = said.ingredient_id
  AND coalesce(line.counted_at <= %(at)s::timestamptz, true)
"""


@transaction.atomic
def start_count(
    *,
    location: Location,
    shelf_id: int | None = None,
    ingredient_ids: Sequence[int] | None = None,
    comment: str = "",
    created_by_id: int | None,
) -> StockCount:
    """Begins a count of a shelf, of these ingredients, or of all that the location has a level of. Its list is fixed
    then: what comes to the shelf later is not on it.

    Raises ClosedLocation, UnknownShelf, UnknownIngredient, NothingToCount, InvalidInput, and AlreadyBeingCounted if
    an open count of the location has one of the ingredients.
    """
    if shelf_id is not None and ingredient_ids is not None:
        raise InvalidInput.at("shelf", _("Name a shelf or ingredients, not both."))
    # Two who start at the same moment do so one after the other, and the second sees the first one's lines.
    location = lock_location(location.pk)
    check_open(location)
    shelf = shelf_of(location, shelf_id) if shelf_id is not None else None
    wanted = listed_ingredients(ingredient_ids) if ingredient_ids is not None else ingredients_at(location, shelf)
    if not wanted:
        raise nothing_to_count(shelf, is_list=ingredient_ids is not None)
    if len(wanted) > MOST_LINES:
        raise InvalidInput.at(
            "ingredients", _("A count takes up to %(most)d ingredients. Count shelf by shelf.") % {"most": MOST_LINES}
        )
    refuse_if_being_counted(location, wanted)
    count = StockCount.objects.create(
        location=location, shelf=shelf, comment=comment, created_by_id=created_by_id, created_at=timezone.now()
    )
    StockCountLine.objects.bulk_create(
        StockCountLine(count=count, ingredient_id=pk, position=position) for position, pk in enumerate(wanted, start=1)
    )
    return count


@transaction.atomic
def count_lines(
    *,
    count_id: int,
    counted: Mapping[int, Decimal | None],
    counted_by_id: int | None,
    at: datetime.datetime | None = None,
) -> StockCount:
    """Notes what was counted: {ingredient id: quantity in its base unit}; None takes back what was noted before.

    `at` is when that was, for what had to wait for a connection; a moment before the count began or in the future
    means the nearest that makes sense. What somebody has counted after it stays. As many queries for one line as for
    hundreds.
    Raises UnknownCount, WrongStatus, UnknownIngredient, InvalidInput at `lines[n].counted`.
    """
    check_quantities(counted)
    count = lock_count(count_id)
    require_status(count, [StockCount.Status.COUNTING])
    refuse_strangers(count, counted, "lines[{place}].ingredient")
    lock_levels(location_ids=[count.location_id], ingredient_ids=counted.keys())
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE_COUNTED,
            {
                "count": count.pk,
                "location": count.location_id,
                "ingredients": list(counted),
                "quantities": list(counted.values()),
                "counted_by": counted_by_id,
                "at": now if at is None else min(max(at, count.created_at), now),
                "as_of": "infinity" if at is None or at >= now else max(at, count.created_at),
            },
        )
    return count


@transaction.atomic
def submit_count(*, count_id: int, leave_out: Collection[int] = ()) -> StockCount:
    """Hands a count over for review. Lines that nobody counted must be named in `leave_out` (ingredient ids): they
    stay what they are in the ledger.

    Raises UnknownCount, WrongStatus, NothingCounted, NotAllCounted.
    """
    count = lock_count(count_id)
    proceed(count, "submit")
    lines = count.lines.order_by("position", "id").values_list("ingredient_id", "ingredient__name", "counted_quantity")
    empty = {pk: name for pk, name, quantity in lines if quantity is None}
    if len(empty) == len(lines):
        raise NothingCounted
    forgotten = {pk: name for pk, name in empty.items() if pk not in leave_out}
    if forgotten:
        raise NotAllCounted(names=forgotten)
    count.save(update_fields=["status"])
    return count


@transaction.atomic
def reopen_count(*, count_id: int, ingredient_ids: Collection[int] = ()) -> StockCount:
    """Gives a reviewed count back to be counted on; these ingredients are to be counted again. One that has been given
    back already may get more of them.

    Raises UnknownCount, WrongStatus, UnknownIngredient.
    """
    count = lock_count(count_id)
    if not (ingredient_ids and count.status == StockCount.Status.COUNTING):
        proceed(count, "reopen")
    refuse_strangers(count, ingredient_ids, "ingredients[{place}]")
    count.lines.filter(ingredient_id__in=ingredient_ids).update(
        counted_quantity=None, expected_quantity=None, last_movement_id=None, counted_by=None, counted_at=None
    )
    count.save(update_fields=["status"])
    return count


@transaction.atomic
def cancel_count(*, count_id: int) -> StockCount:
    """Throws an open count away; the stock stays what it was. Raises UnknownCount, WrongStatus."""
    count = lock_count(count_id)
    proceed(count, "cancel")
    count.save(update_fields=["status", "closed_at"])
    return count


@transaction.atomic
def post_count(*, count_id: int, posted_by_id: int | None) -> StockCount:
    """Writes the differences of a reviewed count to the ledger, once, in one statement whatever their number.

    Raises UnknownCount, WrongStatus, ClosedLocation, and CountAgain if a level was corrected since its line was
    counted, or has less by now than is missing.
    """
    count = lock_count(count_id)
    proceed(count, "post")
    check_open(count.location)
    lines = list(
        count.lines.filter(counted_quantity__isnull=False).select_related("ingredient").order_by("position", "id")
    )
    differences = {line.ingredient_id: difference_of(line) or Decimal(0) for line in lines}
    open_levels(pairs=[(count.location_id, pk) for pk, difference in differences.items() if difference > 0])
    levels = lock_levels(location_ids=[count.location_id], ingredient_ids=differences.keys())
    refuse_if_outdated(count, lines, {level.ingredient_id: level.quantity for level in levels})
    post_movements(
        movements=[
            Movement(
                count.location_id,
                line.ingredient_id,
                differences[line.ingredient_id],
                StockMovement.Reason.COUNT,
                str(count.pk),
                line_id=str(line.position),
            )
            for line in lines
        ],
        document_type=DOCUMENT_TYPE,
        created_by_id=posted_by_id,
        comment=count.comment,
    )
    count.posted_by_id = posted_by_id
    count.save(update_fields=["status", "closed_at", "posted_by"])
    return count


# --- what a count consists of -------------------------------------------------------------------------


def shelf_of(location: Location, shelf_id: int) -> Shelf:
    """The shelf of this location. Raises UnknownShelf."""
    shelf = Shelf.objects.filter(pk=shelf_id, location=location).first()
    if shelf is None:
        raise UnknownShelf.at("shelf", _("%(place)s has no shelf %(id)s.") % {"place": location.name, "id": shelf_id})
    return shelf


def ingredients_at(location: Location, shelf: Shelf | None) -> list[int]:
    """All that the location, or its shelf, has a level of: shelf by shelf, by name, what stands nowhere last."""
    levels = StockLevel.objects.filter(location=location)
    if shelf is not None:
        levels = levels.filter(shelf=shelf)
    order = (F("shelf__position").asc(nulls_last=True), "shelf__name", "ingredient__name")
    return list(levels.order_by(*order).values_list("ingredient_id", flat=True))


def listed_ingredients(ingredient_ids: Sequence[int]) -> list[int]:
    """The ingredients of a list, each once, in its order. Raises UnknownIngredient at `ingredients[n]`."""
    known = set(Ingredient.objects.filter(pk__in=set(ingredient_ids)).values_list("pk", flat=True))
    refuse_unknown(ingredient_ids, known, "ingredients[{place}]")
    return list(dict.fromkeys(ingredient_ids))


def nothing_to_count(shelf: Shelf | None, *, is_list: bool) -> InvalidInput:
    if is_list:
        return NothingToCount.at("ingredients", _("Name at least one ingredient."))
    if shelf is not None:
        sentence = _("Nothing stands on “%(shelf)s” yet. Put ingredients on it first.") % {"shelf": shelf.name}
        return NothingToCount.at("shelf", sentence)
    return NothingToCount.at("location", _("Nothing has ever been in stock here. Receive something first."))


def refuse_if_being_counted(location: Location, ingredient_ids: Collection[int]) -> None:
    """Raises AlreadyBeingCounted if an open count of the location has one of them."""
    taken = list(
        StockCountLine.objects.filter(
            count__location=location, count__status__in=StockCount.OPEN, ingredient_id__in=ingredient_ids
        )
        .order_by("count_id", "position")
        .values_list("count_id", "ingredient_id", "ingredient__name")
    )
    if taken:
        raise AlreadyBeingCounted(
            names={pk: name for _count, pk, name in taken},
            count_ids=sorted({count_id for count_id, _pk, _name in taken}),
        )


# --- what is refused ----------------------------------------------------------------------------------


def check_quantities(counted: Mapping[int, Decimal | None]) -> None:
    """Raises InvalidInput at each quantity that nobody can have counted; 0 is one that somebody can."""
    if not counted:
        raise InvalidInput.at("lines", _("Count at least one ingredient."))
    faults = {}
    for place, quantity in enumerate(counted.values()):
        if quantity is None or quantity.is_zero():
            continue
        is_below = quantity.is_finite() and quantity < 0
        sentence = _("What is counted can't be below 0.") if is_below else quantity_fault(quantity)
        if sentence:
            faults[f"lines[{place}].counted"] = [sentence]
    if faults:
        raise InvalidInput(_("Some lines are wrong."), errors=faults)


def refuse_strangers(count: StockCount, ingredient_ids: Collection[int], field: str) -> None:
    """Raises UnknownIngredient for what does not stand on the list of the count."""
    known = count.lines.filter(ingredient_id__in=ingredient_ids).values_list("ingredient_id", flat=True)
    refuse_unknown(ingredient_ids, set(known), field)


def refuse_unknown(ingredient_ids: Iterable[int], known: Collection[int], field: str) -> None:
    """Raises UnknownIngredient at `field`, in which {place} is the place in the list."""
    unknown = {
        field.format(place=place): [_("There is no ingredient %(id)s here.") % {"id": pk}]
        for place, pk in enumerate(ingredient_ids)
        if pk not in known
    }
    if unknown:
        raise UnknownIngredient(_("Some ingredients are not on the list."), errors=unknown)


def refuse_if_outdated(count: StockCount, lines: Sequence[StockCountLine], levels: Mapping[int, Decimal]) -> None:
    """Raises CountAgain for lines whose level was settled by somebody else meanwhile, or has too little by now."""
    moved = moved_since(count)
    corrected, short = {}, {}
    for line in lines:
        if moved.get(line.ingredient_id, {}).keys() & CORRECTIONS:
            corrected[line.ingredient_id] = line.ingredient.name
        elif levels.get(line.ingredient_id, Decimal(0)) + (difference_of(line) or 0) < 0:
            short[line.ingredient_id] = line.ingredient.name
    if corrected or short:
        raise CountAgain(corrected=corrected, short=short)
