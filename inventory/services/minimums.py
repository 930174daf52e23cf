"""Setting the minimums of one ingredient at several locations."""

from collections.abc import Mapping
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from inventory.models import StockLevel
from inventory.services.ledger import open_levels
from inventory.services.stock import set_minimum


@transaction.atomic
def set_minimums(*, ingredient_id: int, minimums: Mapping[int, Decimal]) -> None:
    """Sets below which quantity the ingredient counts as low: {location id: minimum}, all or none.

    A location that has never held it gets a level of 0. See `set_minimum`.
    Raises InvalidInput with the sentences at "minimums[<location id>]".
    """
    open_levels(pairs=[(location_id, ingredient_id) for location_id in minimums])
    errors: dict[str, list[str]] = {}
    for level_id, location_id in (
        StockLevel.objects.filter(ingredient_id=ingredient_id, location_id__in=minimums)
        .order_by("location_id")
        .values_list("id", "location_id")
    ):
        try:
            set_minimum(level_id=level_id, minimum=minimums[location_id])
        except InvalidInput as error:
            errors[f"minimums[{location_id}]"] = [error.detail]
    if errors:
        raise InvalidInput(_("Some minimums can't be set."), errors=errors)
