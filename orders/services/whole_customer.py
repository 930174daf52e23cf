"""Holding a customer still, with all their orders: what merging and erasing begin with.

Orders are locked before customers, so an order may come between the two. Then the work begins anew.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TypeVar

from django.db import transaction

from foundation.errors import Refusal
from orders.locks import lock_archived_orders, lock_customers, lock_orders
from orders.models import Customer, EveryOrder

T = TypeVar("T")
TRIES = 5


class Overtaken(Exception):
    """Something came for the customer before they were locked; nothing has been changed."""


def unless_overtaken(attempt: Callable[[], T], *, otherwise: Refusal) -> T:
    """Does the attempt in a transaction, and once more for each time that it was overtaken; after five of them raises
    `otherwise`."""
    for _number in range(TRIES):
        with suppress(Overtaken), transaction.atomic():
            return attempt()
    raise otherwise


def lock_whole(customer_id: int, *, also: Collection[int] = ()) -> dict[int, Customer]:
    """Locks the customer, whoever was merged into them, and every order of theirs, archived ones too; and the customers
    `also`. Unknown ones are left out. Raises Overtaken."""
    family = family_of(customer_id)
    order_ids = orders_of(family)
    locked = {order.pk for order in lock_orders(order_ids)} | set(lock_archived_orders(order_ids))
    customers = lock_customers({*family, *also})
    # Whoever orders for a customer locks them first: nothing comes from here on.
    if family_of(customer_id) != family or orders_of(family) - locked:
        raise Overtaken
    return customers


def family_of(customer_id: int) -> set[int]:
    """The customer and those who were merged into them. There are no chains: a pointer always leads to who goes on."""
    return {customer_id, *Customer.objects.filter(merged_into=customer_id).values_list("pk", flat=True)}


def orders_of(customer_ids: Collection[int]) -> set[int]:
    return set(EveryOrder.objects.filter(customer_id__in=customer_ids).order_by().values_list("pk", flat=True))
