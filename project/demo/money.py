"""The money of the demo's week: how guests pay, what they say and redeem, and the tills of both shops.

It is drawn apart from what guests order, from the same seed: what they drink does not depend on how they pay.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from random import Random

from orders.models import Customer, Order, OrderEvent, OrderItem, Payment
from orders.services.actor import Actor
from orders.services.payments import take_payment
from orders.services.refunds import refund_order
from orders.services.shifts import close_shift, move_cash, open_shift
from orders.shift_selectors import expected_cash
from project.demo.crew import Crew
from project.demo.guests import UNPAID_BECAUSE, Visit, pick
from project.demo.offers import WELCOME
from project.demo.timeline import Moment, Story

Method = Payment.Method
AT_THE_COUNTER = {Method.CASH: 52, Method.CARD: 36, Method.TRANSFER: 12}
NOTES = (20, 50, 100, 500, 1000)
FLOAT = Decimal(2000)
# What is taken to the bank leaves about as much as was there in the morning.
ROUND_SUM = Decimal(500)
TIPS = {0: 88, 10: 7, 20: 5}
COUNTED_WRONG = {0: 88, -20: 6, 10: 6}
MOST_POINTS = 60
FEWEST_POINTS = 10


@dataclass(frozen=True, slots=True)
class Wish:
    """What a guest says when they order."""

    promo_code: str = ""
    redeem_points: int = 0


def wish(visit: Visit, guest: Customer | None, random: Random) -> Wish:
    """Some of those whom the shop knows say the code for newcomers, and some use their points."""
    chance = random.random()
    if guest is None or chance > 0.4:
        return Wish()
    if chance < 0.15:
        return Wish(promo_code=WELCOME)
    points = Customer.objects.values_list("points", flat=True).get(pk=guest.pk)
    return Wish(redeem_points=min(points, MOST_POINTS)) if points >= FEWEST_POINTS else Wish()


def is_paid(visit: Visit) -> bool:
    """Whether the guest pays when they order: who has just come has not yet, and some never manage to."""
    return bool(visit.steps) and all(step.reason != UNPAID_BECAUSE for step in visit.steps)


def pay(order: Order, visit: Visit, *, actor: Actor, at: Moment, random: Random) -> None:
    """Pays the order: at the counter in cash, by card or by transfer, elsewhere online."""
    if not order.due:
        return
    method = pick(AT_THE_COUNTER, random) if visit.channel == Order.Channel.COUNTER else Method.ONLINE
    tip = Decimal(pick(TIPS, random)) if method in (Method.CASH, Method.CARD) else Decimal(0)
    wanted = order.due + tip
    note = Decimal(random.choice(NOTES))
    take_payment(
        order_id=order.pk,
        method=method,
        amount=order.due,
        tip=tip,
        tendered=rounded(wanted, note, ROUND_CEILING) if method == Method.CASH else None,
        actor=actor,
        at=at,
    )


def rounded(amount: Decimal, to: Decimal, rounding: str) -> Decimal:
    return (amount / to).to_integral_value(rounding=rounding) * to


def shift_story(opens: Moment, closes: Moment | None, *, crew: Crew, random: Random) -> Story:
    """A till's day: opened, emptied into the bank's bag in the evening, counted and closed. The last one stays open."""
    yield opens
    actor = Actor(crew.user_id, OrderEvent.Door.ADMIN)
    shift = open_shift(location=crew.location, opening_float=FLOAT, actor=actor, at=opens)
    if closes is None:
        return
    yield closes - datetime.timedelta(minutes=15)
    surplus = rounded(expected_cash(shift) - FLOAT, ROUND_SUM, ROUND_FLOOR)
    if surplus > 0:
        move_cash(
            shift_id=shift.pk,
            amount=-surplus,
            reason="To the bank",
            actor=actor,
            at=closes - datetime.timedelta(minutes=15),
        )
    yield closes
    wrong = Decimal(pick(COUNTED_WRONG, random))
    close_shift(shift_id=shift.pk, counted=expected_cash(shift) + wrong, actor=actor, at=closes)


def complaint(at: Moment, *, crew: Crew, manager_id: int, reason: str, goodwill: int = 0) -> Story:
    """A guest comes back: a cup is paid back, or a part of the price."""
    yield at
    order = (
        Order.objects.filter(location=crew.location, status=Order.Status.COMPLETED, paid__gte=100)
        .filter(placed_at__gt=at - datetime.timedelta(hours=4), channel=Order.Channel.COUNTER)
        .order_by("-pk")
        .first()
    )
    if order is None:
        return
    actor = Actor(manager_id, OrderEvent.Door.ADMIN)
    if goodwill:
        refund_order(order_id=order.pk, actor=actor, reason=reason, amount=Decimal(goodwill), at=at)
        return
    item = OrderItem.objects.filter(order=order, total__gt=0).order_by("position")[0]
    refund_order(order_id=order.pk, actor=actor, reason=reason, items={item.pk: 1}, restock=False, at=at)


def first_moment(visits: Iterable[Visit], usual: Moment) -> Moment:
    """When the till is opened: as usual, or a little before whoever comes earlier."""
    return min([usual, *(visit.placed_at - datetime.timedelta(minutes=5) for visit in visits)])
