"""Categories: name, position."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from foundation.services.records import add_record, change_record
from inventory.exchange.columns import Column, TextCell, WholeCell
from inventory.exchange.resource import ExchangeMeta, ExchangeResource
from inventory.models import Category


class CategoryResource(ExchangeResource):
    name = Column("name", TextCell(), is_needed=True)
    position = Column("position", WholeCell())

    class Meta(ExchangeMeta):
        model = Category
        fields = ("name", "position")
        import_id_fields = ("name",)

    def write(self, instance: Category, changes: Mapping[str, Any]) -> Model:
        if self.is_new:
            return add_record(record=instance)
        return change_record(model=Category, record_id=instance.pk, changes=changes)
