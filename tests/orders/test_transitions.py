"""The life of an order: every transition that is allowed, every one that is not."""

import datetime as dt
import functools

import pytest
from django_fsm import TransitionNotAllowed

from orders.errors import UnknownOrder, WrongStatus
from orders.models import Order, OrderEvent
from orders.services.actor import Actor
from orders.services.cancel import cancel_order
from orders.services.transitions import complete_order, prepare_order, ready_order
from tests.orders.snapshot import everything
from tests.shop import NOBODY, Shop, user_of

pytestmark = pytest.mark.django_db

SERVICES = {
    "prepare": prepare_order,
    "ready": ready_order,
    "complete": functools.partial(complete_order, allow_unpaid=True),
    "cancel": cancel_order,
}
STATUSES = ["pending", "preparing", "ready", "completed", "cancelled"]
WAYS = {
    "pending": [],
    "preparing": ["prepare"],
    "ready": ["prepare", "ready"],
    "completed": ["complete"],
    "cancelled": ["cancel"],
}
# The whole table: what is not in it is forbidden.
ALLOWED = {
    ("pending", "prepare"): "preparing",
    ("preparing", "ready"): "ready",
    ("pending", "complete"): "completed",
    ("preparing", "complete"): "completed",
    ("ready", "complete"): "completed",
    ("pending", "cancel"): "cancelled",
    ("preparing", "cancel"): "cancelled",
    ("ready", "cancel"): "cancelled",
}
FORBIDDEN = [(status, verb) for status in STATUSES for verb in SERVICES if (status, verb) not in ALLOWED]


def order_in(status: str) -> Order:
    """An order that has come to `status`."""
    shop = Shop.open()
    tea = shop.ingredient("Tea", stock=100)
    order = shop.sell(shop.product("Tea", recipe={tea: 10}))
    for verb in WAYS[status]:
        SERVICES[verb](order_id=order.pk, actor=NOBODY)
    return Order.objects.get(pk=order.pk)


@pytest.mark.parametrize(("status", "verb"), ALLOWED)
def test_an_allowed_transition_moves_the_order_and_writes_one_event(status, verb):
    order, user = order_in(status), user_of("barista")
    events = order.events.count()
    target = ALLOWED[status, verb]

    moved = SERVICES[verb](order_id=order.pk, actor=Actor(user.pk, OrderEvent.Door.ADMIN))

    order = Order.objects.get(pk=order.pk)
    assert (moved.status, order.status) == (target, target)
    assert (order.closed_at is not None) == (target in ("completed", "cancelled"))
    assert order.events.count() == events + 1
    event = order.events.last()
    assert (event.kind, event.from_status, event.to_status, event.door, event.created_by) == (
        verb,
        status,
        target,
        "admin",
        user,
    )


@pytest.mark.parametrize(("status", "verb"), FORBIDDEN)
def test_a_forbidden_transition_is_refused_and_changes_nothing(status, verb):
    order = order_in(status)
    before = everything()
    with pytest.raises(WrongStatus) as refused:
        SERVICES[verb](order_id=order.pk, actor=NOBODY)
    assert refused.value.extra == {"status": status}
    assert f"#{order.number} is {status}" in refused.value.detail
    assert everything() == before


def test_the_table_is_whole():
    assert len(ALLOWED) + len(FORBIDDEN) == len(STATUSES) * len(SERVICES)
    assert len(FORBIDDEN) == 12


@pytest.mark.parametrize(("status", "verb"), FORBIDDEN)
def test_the_model_itself_refuses_it_too(status, verb):
    order = order_in(status)
    with pytest.raises(TransitionNotAllowed):
        getattr(order, verb)()
    assert order.status == status


def test_a_status_is_not_set_by_hand():
    order = order_in("pending")
    with pytest.raises(AttributeError):
        order.status = "completed"


def test_a_transition_may_be_dated():
    order = order_in("pending")
    at = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
    complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True, at=at)
    order = Order.objects.get(pk=order.pk)
    assert (order.closed_at, order.events.last().created_at) == (at, at)


@pytest.mark.parametrize("verb", SERVICES)
def test_an_unknown_order_is_missing(verb):
    for unknown in (0, 10**18, 10**30):
        with pytest.raises(UnknownOrder):
            SERVICES[verb](order_id=unknown, actor=NOBODY)


def test_active_are_the_first_three():
    assert [status for status in STATUSES if order_is_active(status)] == ["pending", "preparing", "ready"]


def order_is_active(status: str) -> bool:
    order = Order(status=status)
    return order.is_active
