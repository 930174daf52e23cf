"""What promotions and promo codes have in common: how much they take off, and what they name."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from foundation.decimals import round_money
from foundation.errors import InvalidInput
from foundation.services.records import check_record
from foundation.shop import current_shop
from inventory.models import Category, Location, Product
from orders.models import PromoCode, Promotion

MODELS: dict[str, type[Model]] = {"products": Product, "categories": Category, "locations": Location}
MOST_NAMED = 1000
HUNDRED = Decimal(100)

Offer = Promotion | PromoCode
# The ids of products, categories and locations, by the field that names them.
Named = dict[str, list[int]]


def value_fault(kind: str, value: Decimal | None) -> str:
    """Why so much can't be taken off, as a sentence; empty if it can."""
    if value is None or not Decimal(value).is_finite():
        return ""
    if value <= 0:
        return _("Give a number above 0.")
    if kind == Promotion.Kind.PERCENT:
        return _("At most 100 percent can be taken off.") if value > HUNDRED else ""
    return coin_fault(value)


def coin_fault(amount: Decimal) -> str:
    """Why nobody can pay such an amount in the shop's currency; empty if they can."""
    if abs(amount) < Decimal(10) ** 10 and round_money(Decimal(amount)) != amount:
        return _("%(currency)s has no such small coins. Round the amount.") % {"currency": current_shop().currency}
    return ""


def named_records(fields: Mapping[str, Any], names: Collection[str]) -> tuple[Named, dict[str, str]]:
    """The ids that `fields` name, and a sentence for each field with one that does not exist."""
    named: Named = {}
    faults: dict[str, str] = {}
    for name in names:
        if name not in fields:
            continue
        ids = list(dict.fromkeys(fields[name]))
        model = MODELS[name]
        known = set(model._default_manager.filter(pk__in=ids).values_list("pk", flat=True))
        unknown = [str(pk) for pk in ids if pk not in known]
        if len(ids) > MOST_NAMED:
            faults[name] = _("Name up to %(most)d.") % {"most": MOST_NAMED}
        elif unknown:
            faults[name] = _("There is no %(kind)s with the id %(id)s.") % {
                "kind": model._meta.verbose_name,
                "id": ", ".join(unknown[:5]),
            }
        named[name] = ids
    return named, faults


def unnamed_columns(fields: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Those of the fields that are columns of the offer itself."""
    return {name: value for name, value in fields.items() if name not in names}


def check_offer(offer: Offer, faults: Mapping[str, str]) -> None:
    """Raises InvalidInput with these faults and all that the model finds by itself."""
    errors: dict[str, list[str]] = {}
    try:
        check_record(offer)
    except InvalidInput as refusal:
        if not faults:
            raise
        # The constraints of the database say the same in other words.
        errors = {field: lines for field, lines in refusal.errors.items() if field != "non_field_errors"}
    if faults:
        errors |= {field: [sentence] for field, sentence in faults.items()}
        raise InvalidInput(" ".join(line for lines in errors.values() for line in lines), errors=errors)


def write_named(offer: Offer, named: Named) -> None:
    """Makes the saved offer name these products, categories and locations.

    Whether it is for everything is kept apart from the names: when the one product that an offer names is deleted,
    it is for nothing, and not suddenly for the whole menu.
    """
    for name, ids in named.items():
        getattr(offer, name).set(ids)
    changed = []
    if "products" in named or "categories" in named:
        offer.covers_menu = not (offer.products.exists() or offer.categories.exists())
        changed.append("covers_menu")
    if "locations" in named and isinstance(offer, Promotion):
        offer.is_everywhere = not named["locations"]
        changed.append("is_everywhere")
    if changed:
        offer.save(update_fields=changed)
