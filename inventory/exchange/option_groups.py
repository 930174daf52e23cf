"""Option groups: the questions. Their answers have a file of their own."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from inventory.exchange.columns import Column, TextCell, WholeCell
from inventory.exchange.resource import ExchangeMeta, ExchangeResource
from inventory.models import OptionGroup
from inventory.services.option_groups import add_option_group, change_option_group


class OptionGroupResource(ExchangeResource):
    name = Column("name", TextCell(), is_needed=True)
    min_choices = Column("min_choices", WholeCell())
    max_choices = Column("max_choices", WholeCell())
    free_choices = Column("free_choices", WholeCell())
    position = Column("position", WholeCell())

    class Meta(ExchangeMeta):
        model = OptionGroup
        fields = ("name", "min_choices", "max_choices", "free_choices", "position")
        import_id_fields = ("name",)

    def write(self, instance: OptionGroup, changes: Mapping[str, Any]) -> Model:
        if self.is_new:
            return add_option_group(fields=changes)
        return change_option_group(group_id=instance.pk, fields=changes)
