"""What options do to a recipe. An option that the file names does what it says there, and nothing else."""

from collections import Counter
from collections.abc import Hashable, Mapping, MutableMapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from inventory.exchange.columns import ChoiceCell, Column, NameCell, Names, NumberCell
from inventory.exchange.products import unknown_group
from inventory.exchange.raw import tidied
from inventory.exchange.recipes import ingredients_by_name, unknown_ingredient
from inventory.exchange.resource import ExchangeMeta, OrderedLines, by_name
from inventory.exchange.table import NO_TABLE, Table, shorten
from inventory.models import Option, OptionEffect, OptionGroup
from inventory.services.effects import EffectEntry, fault_of
from inventory.services.option_groups import OptionEntry, change_option_group

# An option may do the same twice; the second such line of the file is the second such effect of the option.
WHICH = "which of several"


class GroupColumn(Column):
    """The group that the option is of."""

    def get_value(self, instance: OptionEffect) -> OptionGroup | None:
        return instance.option.group if instance.option_id else None

    def save(self, instance: Any, row: Mapping[str, str], is_m2m: bool = False, **kwargs: Any) -> None:
        instance.chosen_group = self.clean(row, **kwargs)


class OptionColumn(Column):
    """The option, by its name in the group."""

    def save(self, instance: Any, row: Mapping[str, str], is_m2m: bool = False, **kwargs: Any) -> None:
        group = getattr(instance, "chosen_group", None)
        if group is None:
            return
        options: dict[str, Option] = group.options_by_name
        option = options.get(row["option"])
        if option is None:
            raise ValueError(
                _("The group “%(group)s” has no option “%(name)s”. Add it first.")
                % {"group": group.name, "name": shorten(row["option"])}
            )
        instance.option = option


def groups_with_options() -> Mapping[str, Any]:
    """The groups by their names, each with its options by theirs."""
    groups = by_name(OptionGroup.objects.prefetch_related("options"))
    for group in groups.values():
        group.options_by_name = {}
        for option in group.options.all():
            option.group = group
            group.options_by_name[tidied(option.name)] = option
    return groups


class OptionEffectResource(OrderedLines):
    group = GroupColumn("group", NameCell(Names(groups_with_options, unknown_group)), is_needed=True)
    option = OptionColumn("option", NameCell(Names(dict, unknown_group)), is_needed=True)
    kind = Column("kind", ChoiceCell(OptionEffect.Kind.values), is_needed=True)
    ingredient = Column(
        "ingredient", NameCell(Names(ingredients_by_name, unknown_ingredient)), is_needed=True, may_be_empty=True
    )
    replacement = Column("replacement", NameCell(Names(ingredients_by_name, unknown_ingredient)), may_be_empty=True)
    factor = Column("factor", NumberCell(decimals=4), may_be_empty=True)
    quantity = Column("quantity", NumberCell(decimals=3), may_be_empty=True)

    key = ("group", "option", "kind", "ingredient")
    owner = "option"
    has_unique_key = False

    class Meta(ExchangeMeta):
        model = OptionEffect
        fields = ("group", "option", "kind", "ingredient", "replacement", "factor", "quantity")
        import_id_fields = ("group", "option")
        # `faults_of` says in sentences what the model's constraint says of all kinds at once.
        clean_model_instances = False

    def __init__(self, table: Table = NO_TABLE) -> None:
        super().__init__(table)
        self.seen: Counter[Hashable] = Counter()
        self.there: Counter[Hashable] = Counter()

    def get_queryset(self) -> QuerySet[OptionEffect]:
        return OptionEffect.objects.select_related("option__group", "ingredient", "replacement").order_by(
            "option__group__position", "option__group__name", "option__position", "option_id", "id"
        )

    def key_of(self, record: Any) -> Hashable:
        key = super().key_of(record)
        self.there[key] += 1
        return key, self.there[key]

    def before_import_row(self, row: MutableMapping[str, str], **kwargs: Any) -> None:  # type: ignore[override]
        row["kind"] = row["kind"].casefold()
        key = super().key_in(row)
        self.seen[key] += 1
        row[WHICH] = str(self.seen[key])
        super().before_import_row(row, **kwargs)

    def key_in(self, row: Mapping[str, str]) -> Hashable:
        return super().key_in(row), int(row[WHICH])

    def faults_of(self, instance: OptionEffect, row: Mapping[str, str]) -> dict[str, list[str]]:
        fault = fault_of(entry(instance))
        return {"": [fault]} if fault else {}

    def replace(self, owner_id: int, instances: Sequence[OptionEffect]) -> None:
        group = instances[0].option.group
        change_option_group(
            group_id=group.pk,
            fields={},
            options=[
                OptionEntry(
                    option.name,
                    {"position": option.position},
                    effects=[entry(effect) for effect in instances] if option.pk == owner_id else None,
                    id=option.pk,
                )
                for option in Option.objects.filter(group=group)
            ],
        )


def entry(effect: OptionEffect) -> EffectEntry:
    return EffectEntry(effect.kind, effect.ingredient_id, effect.replacement_id, effect.factor, effect.quantity)
