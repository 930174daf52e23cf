"""Options: the answers of the option groups. What they do to a recipe has a file of its own."""

from collections.abc import Sequence

from django.db.models import QuerySet

from inventory.exchange.columns import Column, NameCell, Names, NumberCell, TextCell, WholeCell, YesNoCell
from inventory.exchange.products import unknown_group
from inventory.exchange.resource import ExchangeMeta, GatheringResource, by_name
from inventory.models import Option, OptionGroup
from inventory.services.option_groups import COLUMNS, OptionEntry, change_option_group


class OptionResource(GatheringResource):
    """The options of a group that the file does not name stay in it."""

    group = Column("group", NameCell(Names(lambda: by_name(OptionGroup.objects.all()), unknown_group)), is_needed=True)
    name = Column("name", TextCell(), is_needed=True)
    price_delta = Column("price_delta", NumberCell(decimals=2, is_padded=True))
    is_default = Column("is_default", YesNoCell())
    is_available = Column("is_available", YesNoCell())
    position = Column("position", WholeCell())

    key = ("group", "name")
    owner = "group"

    class Meta(ExchangeMeta):
        model = Option
        fields = ("group", "name", "price_delta", "is_default", "is_available", "position")
        import_id_fields = ("group", "name")

    def get_queryset(self) -> QuerySet[Option]:
        return Option.objects.select_related("group").order_by("group__position", "group__name", "position", "id")

    def write_together(self, owner_id: int, instances: Sequence[Option], *, has_changes: bool) -> None:
        if not has_changes:
            return
        named = {option.pk for option in instances if option.pk}
        staying = [one for one in self.present.values() if one.group_id == owner_id and one.pk not in named]
        change_option_group(
            group_id=owner_id,
            fields={},
            options=[self.entry(option) for option in (*instances, *staying)],
        )

    def entry(self, option: Option) -> OptionEntry:
        fields = {name: getattr(option, name) for name in COLUMNS if name != "name"}
        return OptionEntry(option.name, fields, id=option.pk)
