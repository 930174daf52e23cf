"""The customer that somebody is who has an account."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from inventory.models import Location
from orders.models import Customer, Order
from orders.pricing import OrderLine
from orders.services.actor import Actor
from orders.services.customer_records import change_customer
from orders.services.place import place_order
from users.models import User

# What a customer may change of their own record.
OWN = ("name", "phone", "birthday", "consent")


@transaction.atomic
def place_own_order(
    *,
    user_id: int,
    location: Location,
    lines: Sequence[OrderLine],
    actor: Actor,
    comment: str = "",
    promo_code: str = "",
    redeem_points: int = 0,
) -> Order:
    """Places an order of the web shop for the person who asks. Raises what `place_order` raises."""
    return place_order(
        location=location,
        lines=lines,
        actor=actor,
        channel=Order.Channel.WEB,
        customer_id=own_customer(user_id=user_id).pk,
        comment=comment,
        promo_code=promo_code,
        redeem_points=redeem_points,
    )


def own_customer(*, user_id: int) -> Customer:
    """The customer's record of an account; the first order makes one.

    A record with the same e-mail that somebody wrote at the counter is not taken: nobody has proved that the
    address is theirs.
    """
    known = Customer.objects.filter(user_id=user_id).first()
    if known is not None:
        return known
    user = User.objects.get(pk=user_id)
    defaults = {"name": user.name or user.email[:150], "email": user.email}
    customer, _made = Customer.objects.get_or_create(user=user, defaults=defaults)
    return customer


@transaction.atomic
def change_own_contacts(*, user_id: int, changes: Mapping[str, Any]) -> Customer:
    """Changes the contacts of the person who asks: name, phone, birthday, consent. The e-mail is their account's.

    Raises CustomerGone, InvalidInput.
    """
    customer = own_customer(user_id=user_id)
    return change_customer(customer_id=customer.pk, changes={name: changes[name] for name in OWN if name in changes})
