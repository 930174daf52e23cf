"""Changing what the store room counts."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.locks import lock_record
from foundation.services.records import change_record
from inventory.locks import lock_ledger, lock_quantities
from inventory.models import Ingredient
from inventory.selectors import ingredient_has_moved, named_in_its_unit
from inventory.services.expiry_tracking import begin_lots, end_lots


@transaction.atomic
def change_ingredient(*, ingredient_id: int, changes: Mapping[str, Any]) -> Ingredient:
    """Changes the fields that `changes` names. The unit is fixed once the ledger knows the ingredient, or a recipe,
    a pack or an order names so much of it: 500 g never become 500 pc.

    With `tracks_expiry` switched on, what is there now becomes the undated lot at every location; switched off, its
    lots are emptied, and the levels stay. Raises Missing, InvalidInput.
    """
    # A row's lock would not do: who receives the ingredient checks its key only when they commit.
    if "unit" in changes:
        lock_quantities()
    elif "tracks_expiry" in changes:
        lock_ledger()
    ingredient = lock_record(Ingredient, ingredient_id)
    had_lots = ingredient.tracks_expiry
    if changes.get("unit", ingredient.unit) != ingredient.unit:
        check_unit_is_free(ingredient)
    changed = change_record(model=Ingredient, record_id=ingredient_id, changes=changes)
    if changed.tracks_expiry and not had_lots:
        begin_lots(ingredient_id=ingredient_id)
    if had_lots and not changed.tracks_expiry:
        end_lots(ingredient_id=ingredient_id)
    return changed


def check_unit_is_free(ingredient: Ingredient) -> None:
    """Raises InvalidInput at the unit if quantities of the ingredient are written down anywhere."""
    values = {"name": ingredient.name, "unit": ingredient.get_unit_display()}
    if ingredient_has_moved(ingredient):
        raise InvalidInput.at(
            "unit",
            _("%(name)s has moved in the stock already: its unit stays %(unit)s. Make a new ingredient instead.")
            % values,
        )
    if users := named_in_its_unit(ingredient):
        raise InvalidInput.at(
            "unit",
            _(
                "%(name)s is named by %(users)s: its unit stays %(unit)s. Take it out there first, or make a new "
                "ingredient."
            )
            % {**values, "users": ", ".join(users)},
        )
