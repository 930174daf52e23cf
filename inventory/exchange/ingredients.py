"""Ingredients: what they are, never how much there is of them."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from foundation.services.records import add_record
from inventory.exchange.columns import ChoiceCell, Column, TextCell, WholeCell, YesNoCell
from inventory.exchange.resource import ExchangeMeta, ExchangeResource
from inventory.locks import lock_ledger
from inventory.models import Ingredient
from inventory.services.ingredients import change_ingredient


class IngredientResource(ExchangeResource):
    name = Column("name", TextCell(), is_needed=True)
    unit = Column("unit", ChoiceCell(Ingredient.Unit.values), is_needed=True)
    tracks_expiry = Column("tracks_expiry", YesNoCell())
    shelf_life_hours = Column("shelf_life_hours", WholeCell(), may_be_empty=True)

    class Meta(ExchangeMeta):
        model = Ingredient
        fields = ("name", "unit", "tracks_expiry", "shelf_life_hours")
        import_id_fields = ("name",)

    def lock(self) -> None:
        if self.changes_what_the_ledger_fixes():
            # Before any row: the service would take it in the middle.
            lock_ledger()
        super().lock()

    def changes_what_the_ledger_fixes(self) -> bool:
        """Whether the file says of an ingredient that is there another unit, or another way to keep it."""
        there = {
            one.name: (one.unit, "yes" if one.tracks_expiry else "no")
            for one in Ingredient.objects.only("name", "unit", "tracks_expiry")
        }
        for line in self.table.lines:
            unit, tracks = there.get(line.cells["name"], ("", ""))
            if unit and (line.cells.get("unit", unit) != unit or line.cells.get("tracks_expiry", tracks) != tracks):
                return True
        return False

    def write(self, instance: Ingredient, changes: Mapping[str, Any]) -> Model:
        if self.is_new:
            return add_record(record=instance)
        return change_ingredient(ingredient_id=instance.pk, changes=changes)
