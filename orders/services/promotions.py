"""Writing automatic promotions."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from foundation.locks import lock_record
from foundation.services.records import delete_record
from orders.models import Promotion
from orders.services.offers import check_offer, named_records, unnamed_columns, value_fault, write_named

NAMED = ("products", "categories", "locations")
MOST_OFTEN = 10


@transaction.atomic
def save_promotion(*, fields: Mapping[str, Any], promotion_id: int | None = None) -> Promotion:
    """Makes a promotion, or changes the named `fields` of one; `products`, `categories` and `locations` are lists of
    ids, and those that are given replace what was named before.

    Orders that were placed keep what was taken off. Raises Missing, InvalidInput at the fields.
    """
    promotion = Promotion() if promotion_id is None else lock_record(Promotion, promotion_id)
    for name, value in unnamed_columns(fields, NAMED).items():
        setattr(promotion, name, value)
    promotion.weekdays = sorted(set(promotion.weekdays or ()))
    named, faults = named_records(fields, NAMED)
    check_offer(promotion, {**faults, **faults_of(promotion)})
    promotion.save()
    write_named(promotion, named)
    return promotion


def delete_promotion(*, promotion_id: int) -> Promotion:
    """Deletes a promotion: orders remember its name by themselves. Raises Missing."""
    return delete_record(model=Promotion, record_id=promotion_id)


@transaction.atomic
def switch_promotion(*, promotion_id: int, is_active: bool) -> Promotion:
    """Switches a promotion on or off. Raises Missing."""
    promotion = lock_record(Promotion, promotion_id)
    promotion.is_active = is_active
    promotion.save(update_fields=["is_active"])
    return promotion


def faults_of(promotion: Promotion) -> dict[str, str]:
    """What is wrong with the promotion's own columns: {field: sentence}."""
    faults: dict[str, str] = {}
    if sentence := value_fault(promotion.kind, promotion.value):
        faults["value"] = sentence
    if promotion.every is not None and not 1 <= promotion.every <= MOST_OFTEN:
        faults["every"] = _("Give a whole number from 1, each portion, to %(most)d.") % {"most": MOST_OFTEN}
    if any(day not in range(1, 8) for day in promotion.weekdays):
        faults["weekdays"] = _("Weekdays are the numbers from 1, Monday, to 7, Sunday.")
    if promotion.starts_time is None and promotion.ends_time is not None:
        faults["starts_time"] = _("Say from when too, or leave both empty for the whole day.")
    elif promotion.starts_time is not None and promotion.ends_time is None:
        faults["ends_time"] = _("Say until when too, or leave both empty for the whole day.")
    elif promotion.starts_time is not None and promotion.starts_time == promotion.ends_time:
        faults["ends_time"] = _("It would end when it begins. Leave both empty for the whole day.")
    if promotion.starts_on and promotion.ends_on and promotion.ends_on < promotion.starts_on:
        faults["ends_on"] = _("The last day lies before the first.")
    return faults
