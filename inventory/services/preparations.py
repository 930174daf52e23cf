"""Making an ingredient from others in batches, and taking that back."""

import datetime
from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal, localcontext

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.decimals import QUANTITY_STEP, plain, round_quantity
from foundation.errors import InvalidInput
from inventory.errors import AlreadyCancelled, UnknownIngredient, YieldUsed
from inventory.expiry import expiry_of
from inventory.locks import lock_levels, lock_preparation
from inventory.models import (
    Ingredient,
    Location,
    Preparation,
    PreparationRecipe,
    StockLevel,
    StockLot,
    StockMovement,
)
from inventory.models.recipe import LONGEST_SHELF_LIFE_HOURS
from inventory.services.ledger import Movement, open_levels, post_movements
from inventory.services.lines import LARGEST_COST, LARGEST_QUANTITY, check_open, quantity_fault
from inventory.services.lots import LotKey, open_lots

DOCUMENT_TYPE = "preparation"
Reason = StockMovement.Reason
MOST_BATCHES = Decimal(1000)
VALUE_STEP = Decimal("0.000001")
# The largest value of a level times the largest quantity.
DIGITS = 60


@transaction.atomic
def prepare(
    *,
    location: Location,
    ingredient_id: int,
    batches: Decimal,
    quantity: Decimal | None = None,
    expires_at: datetime.datetime | None = None,
    comment: str = "",
    created_by_id: int | None,
    at: datetime.datetime | None = None,
) -> Preparation:
    """Makes so many batches of an ingredient by its recipe: what it takes leaves the stock, the yield comes in.

    `quantity` is what it really yielded, in the base unit; without it, what the recipe promises. The whole value of
    what went in stands in the yield, so that what was lost in making makes the rest dearer, and no cost is created
    or lost. Only what has not expired is taken, the first to expire first. The yield expires at `expires_at`, or
    when the ingredient's shelf life is over; one without an expiry date takes no `expires_at`.

    Raises InsufficientStock, ClosedLocation, UnknownIngredient, InvalidInput.
    """
    made_at = at or timezone.now()
    check_open(location)
    recipe = recipe_of(ingredient_id)
    needed = what_it_takes(recipe, batches)
    expected = expected_yield(recipe, batches)
    quantity = expected if quantity is None else quantity
    if fault := quantity_fault(quantity):
        raise InvalidInput.at("quantity", fault)
    check_expiry(recipe.ingredient, expires_at, made_at)
    # The document's lines name it: it is written first.
    preparation = Preparation.objects.create(
        location=location,
        ingredient=recipe.ingredient,
        batches=batches,
        expected_quantity=expected,
        quantity=quantity,
        expires_at=expires_at or expiry_of(recipe.ingredient, location=location, since=made_at),
        comment=comment,
        created_by_id=created_by_id,
        created_at=made_at,
    )
    open_levels(pairs=[(location.pk, ingredient_id)])
    # All at once and in the documented order: the two calls below lock in parts.
    lock_levels(location_ids=[location.pk], ingredient_ids=[ingredient_id, *needed])
    taken = post_movements(
        movements=[
            Movement(location.pk, input_id, -amount, Reason.PREPARATION, str(preparation.pk), line_id=str(place))
            for place, (input_id, amount) in enumerate(needed.items(), start=1)
        ],
        document_type=DOCUMENT_TYPE,
        created_by_id=created_by_id,
        comment=comment,
        fresh_at=made_at,
        at=made_at,
    )
    value = -sum((change.value for change in taken), Decimal(0))
    check_cost(value, quantity, recipe.ingredient)
    key = LotKey(location.pk, ingredient_id, preparation.expires_at)
    post_movements(
        movements=[
            Movement(
                location.pk,
                ingredient_id,
                quantity,
                Reason.PREPARATION,
                str(preparation.pk),
                value=value,
                lot_id=open_lots(wanted=[key]).get(key),
            )
        ],
        document_type=DOCUMENT_TYPE,
        created_by_id=created_by_id,
        comment=comment,
        at=made_at,
    )
    return preparation


@transaction.atomic
def cancel_preparation(
    *, preparation_id: int, cancelled_by_id: int | None, at: datetime.datetime | None = None
) -> Preparation:
    """Takes back what was prepared by mistake: its ledger lines, turned round, into the lots that they came from.

    All of the yield must still be there, in its lot. It leaves at the average cost that its level has now, and just
    that value goes back to what went in, shared as it was taken. So the ingredients get back exactly their value as
    long as nothing else came to the yield's level; where the average has moved meanwhile, they get more or less than
    they gave, and the rest stays with what is left of the yield: no cost is created or lost.

    Raises UnknownPreparation, AlreadyCancelled, YieldUsed with how much is left, ClosedLocation.
    """
    preparation = lock_preparation(preparation_id)
    if preparation.cancelled_at is not None:
        raise AlreadyCancelled(preparation.pk)
    check_open(preparation.location)
    cancelled_at = at or timezone.now()
    lines = list(
        StockMovement.objects.filter(document_type=DOCUMENT_TYPE, document_id=str(preparation.pk)).order_by("id")
    )
    levels = lock_levels(location_ids=[preparation.location_id], ingredient_ids={line.ingredient_id for line in lines})
    yielded = [line for line in lines if line.delta > 0]
    check_yield_is_there(preparation, yielded, levels)
    gone = post_movements(
        movements=[turned_round(line) for line in yielded],
        document_type=DOCUMENT_TYPE,
        created_by_id=cancelled_by_id,
        comment=preparation.comment,
        at=cancelled_at,
    )
    taken = [line for line in lines if line.delta < 0]
    values = shares(-sum((change.value for change in gone), Decimal(0)), taken)
    post_movements(
        movements=[turned_round(line, value=value) for line, value in zip(taken, values, strict=True)],
        document_type=DOCUMENT_TYPE,
        created_by_id=cancelled_by_id,
        comment=preparation.comment,
        at=cancelled_at,
    )
    preparation.cancelled_at = cancelled_at
    preparation.cancelled_by_id = cancelled_by_id
    preparation.save(update_fields=["cancelled_at", "cancelled_by"])
    return preparation


# --- what it takes and yields ---------------------------------------------------------------------


def recipe_of(ingredient_id: int) -> PreparationRecipe:
    """The recipe of an ingredient that the shop makes, with its lines. Raises UnknownIngredient, InvalidInput."""
    recipe = (
        PreparationRecipe.objects.filter(ingredient_id=ingredient_id)
        .select_related("ingredient")
        .prefetch_related("lines__ingredient")
        .first()
    )
    if recipe is not None:
        return recipe
    ingredient = Ingredient.objects.filter(pk=ingredient_id).first()
    if ingredient is None:
        raise UnknownIngredient.at("ingredient", _("There is no ingredient %(id)s.") % {"id": ingredient_id})
    raise InvalidInput.at(
        "ingredient",
        _("There is no recipe for %(name)s. Write down what it is made from first.") % {"name": ingredient},
    )


def what_it_takes(recipe: PreparationRecipe, batches: Decimal) -> dict[int, Decimal]:
    """{ingredient id: quantity in its base unit} of so many batches. Raises InvalidInput at "batches".

    A part of a batch is rounded half up to a thousandth of the base unit, and never down to nothing.
    """
    if not batches.is_finite() or batches <= 0:
        raise InvalidInput.at("batches", _("Say how many batches: more than 0."))
    if batches > MOST_BATCHES:
        raise InvalidInput.at("batches", _("At most %(most)s batches at once.") % {"most": MOST_BATCHES})
    if batches != batches.quantize(QUANTITY_STEP):
        raise InvalidInput.at("batches", _("Batches have at most three decimals."))
    needed = {}
    for line in recipe.lines.all():
        quantity = round_quantity(line.quantity * batches)
        if not quantity:
            raise InvalidInput.at(
                "batches", _("So small a part of a batch takes nothing of %(name)s.") % {"name": line.ingredient}
            )
        if quantity > LARGEST_QUANTITY:
            raise InvalidInput.at(
                "batches",
                _("That takes more than %(most)s of %(name)s.") % {"most": LARGEST_QUANTITY, "name": line.ingredient},
            )
        needed[line.ingredient_id] = quantity
    if not needed:
        raise InvalidInput.at(
            "ingredient",
            _("The recipe of %(name)s has no lines. Write down what it is made from first.") % {"name": recipe},
        )
    return needed


def expected_yield(recipe: PreparationRecipe, batches: Decimal) -> Decimal:
    """What so many batches yield by the recipe, in the base unit. Raises InvalidInput at "batches"."""
    expected = round_quantity(recipe.yield_quantity * batches)
    if quantity_fault(expected):
        raise InvalidInput.at(
            "batches",
            _("So many batches would yield %(quantity)s %(unit)s.")
            % {"quantity": plain(expected), "unit": recipe.ingredient.get_unit_display()},
        )
    return expected


def check_expiry(ingredient: Ingredient, expires_at: datetime.datetime | None, made_at: datetime.datetime) -> None:
    """Raises InvalidInput at "expires_at"."""
    sentence = ""
    if expires_at is None:
        if ingredient.tracks_expiry and ingredient.shelf_life_hours is None:
            sentence = _("Say until when %(name)s keeps, or write its shelf life down at the ingredient.")
    elif not ingredient.tracks_expiry:
        sentence = _("%(name)s has no expiry date. Leave it empty, or switch the dates on at the ingredient.")
    elif expires_at <= made_at:
        sentence = _("This moment is over. What is made now expires later.")
    elif expires_at > made_at + datetime.timedelta(hours=LONGEST_SHELF_LIFE_HOURS):
        sentence = _("Nothing keeps for more than ten years. Check the date.")
    if sentence:
        raise InvalidInput.at("expires_at", sentence % {"name": ingredient.name})


def check_cost(value: Decimal, quantity: Decimal, ingredient: Ingredient) -> None:
    """Refuses a yield that is so small that one unit of it would cost more than the ledger can hold."""
    if value > LARGEST_COST * quantity:
        raise InvalidInput.at(
            "quantity",
            _("1 %(unit)s would cost more than %(most)s. Check the yield.")
            % {"unit": ingredient.get_unit_display(), "most": LARGEST_COST},
        )


# --- taking it back -------------------------------------------------------------------------------


def turned_round(line: StockMovement, *, value: Decimal | None = None) -> Movement:
    """The movement that takes a ledger line back; the ledger ignores the lot of what no longer has lots."""
    return Movement(
        line.location_id,
        line.ingredient_id,
        -line.delta,
        line.reason,
        line.document_id,
        line_id=line.line_id,
        value=value,
        lot_id=line.lot_id,
    )


def check_yield_is_there(
    preparation: Preparation, yielded: Sequence[StockMovement], levels: Sequence[StockLevel]
) -> None:
    """Raises YieldUsed if something of it was used meanwhile. The levels are locked, and their lots with them."""
    ingredient = preparation.ingredient
    left = next(level.quantity for level in levels if level.ingredient_id == ingredient.pk)
    lot_ids = [line.lot_id for line in yielded if line.lot_id is not None]
    if ingredient.tracks_expiry and lot_ids:
        left = StockLot.objects.get(pk__in=lot_ids).quantity
    if left < preparation.quantity:
        raise YieldUsed(name=ingredient.name, unit=ingredient.unit, made=preparation.quantity, left=left)


def shares(value: Decimal, taken: Sequence[StockMovement]) -> list[Decimal]:
    """Shares a value among the lines as their own values stood to each other, exactly; what nobody ever named a cost
    of shares by quantity. The last one takes what rounding leaves."""
    with localcontext(prec=DIGITS):
        weights = [-line.value for line in taken]
        if not any(weights):
            weights = [-line.delta for line in taken]
        whole = sum(weights)
        parts = [(value * weight / whole).quantize(VALUE_STEP, rounding=ROUND_DOWN) for weight in weights[:-1]]
        return [*parts, value - sum(parts, Decimal(0))]
