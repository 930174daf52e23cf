"""Ingredients: what they are, never how much there is of them."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from foundation.services.records import add_record
from inventory.exchange.columns import ChoiceCell, Column, TextCell, WholeCell, YesNoCell
from inventory.exchange.resource import ExchangeMeta, ExchangeResource
from inventory.locks import lock_ledger, lock_quantities
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
        # Before any row: the service would take these locks in the middle.
        if self.changes("unit"):
            lock_quantities()
        elif self.changes("tracks_expiry"):
            lock_ledger()
        super().lock()

    def changes(self, column: str) -> bool:
        """Whether the file says something else in this column of an ingredient that is there."""
        there = {one.name: one for one in Ingredient.objects.only("name", column)}
        return any(
            self.differs(there[line.cells["name"]], column, line.cells[column])
            for line in self.table.lines
            if column in line.cells and line.cells["name"] in there
        )

    def differs(self, ingredient: Ingredient, column: str, text: str) -> bool:
        """Whether the cell says something else; what makes no sense will be refused at its line."""
        try:
            said = self.fields[column].widget.clean(text)
        except ValueError:
            return False
        return bool(said != getattr(ingredient, column))

    def write(self, instance: Ingredient, changes: Mapping[str, Any]) -> Model:
        if self.is_new:
            return add_record(record=instance)
        return change_ingredient(ingredient_id=instance.pk, changes=changes)
