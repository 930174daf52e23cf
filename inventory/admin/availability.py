"""Whether products can be sold now, and if not, why: as badges for lists and pages."""

from collections.abc import Collection, Mapping, Sequence

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from foundation.admin.numbers import with_unit
from inventory.admin.shown import badge
from inventory.models import Ingredient, Location, Product
from inventory.selectors import Lack, lacks_of_products

# {location id: {product id: what it lacks there}}
Lacking = Mapping[int, Mapping[int, Sequence[Lack]]]


def lacking_at(places: Collection[Location], product_ids: Collection[int]) -> Lacking:
    """What these products lack at these locations, in two queries however many they are."""
    return lacks_of_products(product_ids=product_ids, locations=places)


def reason(lack: Lack) -> str:
    """Milk: 120 ml there, 200 ml needed, minimum 500 ml."""
    unit = Ingredient.Unit(lack.unit).label
    parts = [
        _("%(quantity)s there") % {"quantity": with_unit(lack.quantity, unit)},
        _("%(quantity)s needed") % {"quantity": with_unit(lack.needed, unit)},
    ]
    if lack.minimum:
        parts.append(_("minimum %(quantity)s") % {"quantity": with_unit(lack.minimum, unit)})
    return f"{lack.name}: {', '.join(parts)}"


def availability_badge(product: Product, place: Location, lacks: Sequence[Lack], *, is_tracked: bool) -> SafeString:
    """Available, or the first thing that keeps it from being so; the whole reason in the tooltip."""
    if not product.is_listed:
        return badge("off", _("off the menu"), _("Put it on the menu to sell it."))
    if not place.is_active:
        return badge("off", _("closed"), _("This location is closed."))
    if lacks:
        return badge(
            "bad",
            _("lacks %(name)s") % {"name": lacks[0].name} + (f" +{len(lacks) - 1}" if len(lacks) > 1 else ""),
            "\n".join(reason(lack) for lack in lacks),
        )
    if not is_tracked:
        return badge("plain", _("untracked"), _("It has no recipe: selling it takes nothing from the stock."))
    return badge("good", _("available"), "")
