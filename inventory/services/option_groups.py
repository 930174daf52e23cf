"""Writing option groups: the question, its answers, and what each answer does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.locks import lock_record
from foundation.services.records import add_record, change_record
from inventory.models import Option, OptionEffect, OptionGroup
from inventory.services.effects import EffectEntry, effect_faults, effect_rows, ingredients_named

MOST_OPTIONS = 100
COLUMNS = ["name", "price_delta", "is_default", "is_available", "position"]


@dataclass(frozen=True, slots=True)
class OptionEntry:
    """An option as its group is to have it: the one with this `id` or `name` if there is one, else a new one.

    `fields` are the columns to set, by name; of an option that is there already the others stay, and so do its
    effects if they are None. Without a `position` of its own it stands where it does in the list of entries.
    """

    name: str
    fields: Mapping[str, Any]
    effects: Sequence[EffectEntry] | None = None
    id: int | None = None


@transaction.atomic
def add_option_group(*, fields: Mapping[str, Any], options: Sequence[OptionEntry] = ()) -> OptionGroup:
    """Makes a group with its options, in this order. Raises InvalidInput at the fields."""
    group = add_record(record=OptionGroup(**fields))
    write_options(group, options)
    check_choices(group)
    return group


@transaction.atomic
def change_option_group(
    *, group_id: int, fields: Mapping[str, Any], options: Sequence[OptionEntry] | None = None
) -> OptionGroup:
    """Changes the group's columns, and makes it consist of `options` if they are given: others are deleted.

    Orders that were placed keep their options as they were sold. Raises Missing, InvalidInput at the fields.
    """
    group = lock_record(OptionGroup, group_id)
    if fields:
        group = change_record(model=OptionGroup, record_id=group_id, changes=fields)
    if options is not None:
        write_options(group, options)
    check_choices(group)
    return group


def write_options(group: OptionGroup, entries: Sequence[OptionEntry]) -> None:
    """Makes the group consist of these options."""
    existing = {option.pk: option for option in group.options.all()}
    check_options(entries, existing)
    owners = {option.name: option.pk for option in existing.values()}
    claimed = {entry.id for entry in entries}
    options = []
    for position, entry in enumerate(entries, start=1):
        namesake = owners.get(entry.name)
        meant = entry.id or (namesake if namesake not in claimed else None)
        option = existing[meant] if meant else Option(group=group)
        for name, value in {"position": position, **entry.fields, "name": entry.name}.items():
            setattr(option, name, value)
        options.append(option)
    kept = [option for option in options if option.pk]
    group.options.exclude(pk__in=[option.pk for option in kept]).delete()
    save_kept(kept, owners=owners)
    Option.objects.bulk_create(option for option in options if not option.pk)
    rewritten = [
        (option, entry.effects) for option, entry in zip(options, entries, strict=True) if entry.effects is not None
    ]
    OptionEffect.objects.filter(option__in=[option for option, _effects in rewritten]).delete()
    OptionEffect.objects.bulk_create(row for option, effects in rewritten for row in effect_rows(option.pk, effects))


def save_kept(kept: Sequence[Option], *, owners: Mapping[str, int]) -> None:
    """Saves the options that stay; `owners` are their ids by the names that they had.

    Two that swap their names would collide on the way: they step aside first.
    """
    wanted = {option.pk: option.name for option in kept}
    if any(owners.get(name, pk) != pk for pk, name in wanted.items()):
        for option in kept:
            option.name = f"{option.pk} "
        Option.objects.bulk_update(kept, ["name"])
        for option in kept:
            option.name = wanted[option.pk]
    Option.objects.bulk_update(kept, COLUMNS)


def check_options(entries: Sequence[OptionEntry], existing: Mapping[int, Option]) -> None:
    """Raises InvalidInput at each option that makes no sense."""
    if len(entries) > MOST_OPTIONS:
        raise InvalidInput.at("options", _("A group has at most %(most)d options.") % {"most": MOST_OPTIONS})
    known = ingredients_named([effect for entry in entries for effect in entry.effects or ()])
    errors: dict[str, list[str]] = {}
    names: set[str] = set()
    ids: set[int] = set()
    for place, entry in enumerate(entries):
        if entry.name in names:
            errors[f"options[{place}].name"] = [_("Another option of the group has this name.")]
        names.add(entry.name)
        if entry.id is not None:
            if entry.id not in existing:
                errors[f"options[{place}].id"] = [
                    _("The group has no option %(id)s. Leave the id out for a new one.") % {"id": entry.id}
                ]
            elif entry.id in ids:
                errors[f"options[{place}].id"] = [_("This option stands in the list already. Name it once.")]
            ids.add(entry.id)
        errors |= effect_faults(entry.effects or (), known=known, path=f"options[{place}].effects")
    if errors:
        raise InvalidInput(_("The options can't be written like this."), errors=errors)


def check_choices(group: OptionGroup) -> None:
    """Raises InvalidInput if nobody could choose what the group asks for. A group without options waits for them."""
    defaults = list(group.options.values_list("is_default", flat=True))
    if defaults and len(defaults) < group.min_choices:
        raise InvalidInput.at(
            "min_choices",
            _("At least %(least)d must be chosen, but the group has only %(number)d options.")
            % {"least": group.min_choices, "number": len(defaults)},
        )
    if sum(defaults) > group.max_choices:
        raise InvalidInput.at(
            "options",
            _("%(number)d options are marked as default, but at most %(most)d may be chosen.")
            % {"number": sum(defaults), "most": group.max_choices},
        )
