"""The customer that somebody is who has an account."""

from collections.abc import Sequence

from django.db import transaction

from inventory.models import Location
from orders.models import Customer, Order
from orders.pricing import OrderLine
from orders.services.actor import Actor
from orders.services.place import place_order
from users.models import User


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
