"""Customers: written down, changed, found by their phone. All doors write them through here."""

import datetime
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from foundation.errors import InvalidInput
from foundation.services.records import check_record
from foundation.shop import current_shop
from orders.locks import lock_customer, lock_phone
from orders.models import Customer
from orders.phones import normalised_phone
from orders.services.loyalty import check_still_there

EARLIEST_BIRTHDAY = datetime.date(1900, 1, 1)


@transaction.atomic
def add_customer(*, values: Mapping[str, Any]) -> Customer:
    """Writes a customer down, with their contacts as the shop keeps them: see `put`. Raises InvalidInput."""
    customer = Customer()
    put(customer, values)
    customer.save(force_insert=True)
    return customer


@transaction.atomic
def change_customer(*, customer_id: int, changes: Mapping[str, Any]) -> Customer:
    """Changes these fields of a customer and no others. Raises UnknownCustomer, CustomerGone, InvalidInput."""
    customer = lock_customer(customer_id)
    check_still_there(customer)
    put(customer, changes)
    customer.save(update_fields=list(changes))
    return customer


@transaction.atomic
def find_or_add_customer(*, phone: str, name: str = "", values: Mapping[str, Any] | None = None) -> Customer:
    """The customer with this phone, however it is written; a new one if nobody has it, with `values` as well.

    Of several who share it the one that was written down first. Two tills that ask at the same moment get the same
    customer. Raises InvalidInput at `phone` for what is no number, and what `add_customer` raises.
    """
    number = normalised_phone(phone)
    if not number:
        raise InvalidInput.at("phone", _("Give the telephone number."))
    lock_phone(number)
    known = Customer.objects.current().filter(phone=number).order_by("pk").first()
    if known is not None:
        return known
    return add_customer(values={**(values or {}), "phone": number, "name": name.strip() or number})


def put(customer: Customer, values: Mapping[str, Any]) -> None:
    """Gives a customer these values: the phone in E.164, the e-mail in lower case, names without stray spaces.

    A phone that came from elsewhere and is no number may stay as it is. Raises InvalidInput with every fault at its
    field.
    """
    faults: dict[str, list[str]] = {}
    for name, value in values.items():
        if name == "phone" and value != customer.phone:
            try:
                value = normalised_phone(value)
            except InvalidInput as refusal:
                faults |= refusal.errors
        elif name == "email":
            value = value.strip().lower()
        elif name == "name":
            value = " ".join(value.split())
        elif name == "birthday" and value is not None and (fault := wrong_birthday(value)):
            faults[name] = [fault]
        setattr(customer, name, value)
    try:
        check_record(customer)
    except InvalidInput as refusal:
        faults = {**refusal.errors, **faults}
    if faults:
        raise InvalidInput(" ".join(sentence for lines in faults.values() for sentence in lines), errors=faults)


def wrong_birthday(day: datetime.date) -> str:
    """Why nobody was born on this day; "" if somebody may have been."""
    if day < EARLIEST_BIRTHDAY:
        return _("Nobody who was born before 1900 comes for tea. Check the year.")
    if day > timezone.now().astimezone(ZoneInfo(current_shop().time_zone)).date():
        return _("This day is yet to come. Check the year.")
    return ""
