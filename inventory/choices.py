"""Checking which options were chosen for a product, and which of them cost nothing."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from inventory.errors import WrongChoice
from inventory.menu import MenuGroup, MenuOption, MenuProduct


def chosen_options(
    product: MenuProduct, option_ids: Sequence[int], *, field: str
) -> list[tuple[MenuGroup, MenuOption]]:
    """Returns the chosen options with their groups, in the menu's order.

    Raises WrongChoice at `field` for an option of another product, an option twice, or too few or too many
    of a group. Whether an option is available now is not checked here.
    """
    faults: list[str] = []
    if len(set(option_ids)) != len(option_ids):
        faults.append(_("An option stands in the list twice. Name each one once."))
    offered = {option_id for group in product.groups for option_id in group.options}
    strangers = sorted(set(option_ids) - offered)
    if strangers:
        faults.append(
            _("%(product)s has no option %(ids)s.")
            % {"product": product.name, "ids": ", ".join(str(pk) for pk in strangers)}
        )
    wanted = set(option_ids)
    chosen: list[tuple[MenuGroup, MenuOption]] = []
    for group in product.groups:
        picked = [option for option in group.options.values() if option.id in wanted]
        if len(picked) < group.min_choices:
            faults.append(
                _("%(group)s: choose at least %(least)d, not %(number)d.")
                % {"group": group.name, "least": group.min_choices, "number": len(picked)}
            )
        if len(picked) > group.max_choices:
            faults.append(
                _("%(group)s: choose at most %(most)d, not %(number)d.")
                % {"group": group.name, "most": group.max_choices, "number": len(picked)}
            )
        chosen += [(group, option) for option in picked]
    if faults:
        raise WrongChoice(f"{product.name}: {' '.join(faults)}", errors={field: faults})
    return chosen


def free_options(chosen: Sequence[tuple[MenuGroup, MenuOption]]) -> set[int]:
    """Of each group, the cheapest `free_choices` of the chosen options cost nothing."""
    by_group: dict[int, list[MenuOption]] = {}
    allowance: dict[int, int] = {}
    for group, option in chosen:
        by_group.setdefault(group.id, []).append(option)
        allowance[group.id] = group.free_choices
    free: set[int] = set()
    for group_id, options in by_group.items():
        costly = sorted((option for option in options if option.price_delta > 0), key=lambda option: option.price_delta)
        free |= {option.id for option in costly[: allowance[group_id]]}
    return free
