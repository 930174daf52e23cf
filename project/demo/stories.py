"""The stories of the demo's week, told through the shop's own services: orders, deliveries, mishaps.

Each is a `timeline.Story`: it yields the moment of its next step.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random

from inventory.errors import InsufficientStock, Unavailable
from inventory.models import Ingredient, Location, StockDocument, StockLevel
from inventory.selectors import levels_of
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock, set_minimum, transfer_stock, write_off_stock
from orders.errors import PromoCodeRefused
from orders.models import Customer, Order, OrderEvent, OrderItem
from orders.services.actor import Actor
from orders.services.cancel import cancel_item, cancel_order
from orders.services.place import place_order
from orders.services.transitions import advance, complete_order
from project.demo.crew import Crew
from project.demo.guests import Step, Visit
from project.demo.money import Wish, is_paid, pay, wish
from project.demo.storeroom import SUPPLIES
from project.demo.timeline import Moment, Story

Verb = OrderEvent.Kind
WriteOffReason = StockDocument.WriteOffReason


def order_story(visit: Visit, *, crew: Crew, guests: Sequence[Customer], random: Random) -> Story:
    """A guest comes, orders, pays, and waits; or leaves, if what they want can't be had. `random` decides about money
    only."""
    yield visit.placed_at
    door = OrderEvent.Door.ADMIN if visit.channel == Order.Channel.COUNTER else OrderEvent.Door.API
    guest = None if visit.guest is None else guests[visit.guest]
    ordered_by = crew.user_id if visit.worker is not None or guest is None else guest.user_id

    def place(said: Wish) -> Order:
        return place_order(
            location=crew.location,
            lines=visit.lines,
            actor=Actor(ordered_by, door),
            channel=visit.channel,
            customer_id=None if guest is None else guest.pk,
            employee_id=None if visit.worker is None else crew.workers[visit.worker].pk,
            comment=visit.comment,
            promo_code=said.promo_code,
            redeem_points=said.redeem_points,
            at=visit.placed_at,
        )

    try:
        try:
            order = place(wish(visit, guest, random))
        except PromoCodeRefused:
            order = place(Wish())
    except (Unavailable, InsufficientStock):
        return
    staff = Actor(crew.user_id, OrderEvent.Door.ADMIN)
    if is_paid(visit):
        pay(order, visit, actor=staff, at=visit.placed_at, random=random)
    for step in visit.steps:
        yield step.at
        take(step, order, staff)


def take(step: Step, order: Order, actor: Actor) -> None:
    """One step in the life of an order."""
    if step.verb == Verb.CANCELLED:
        cancel_order(
            order_id=order.pk, actor=actor, reason=step.reason, restock=step.restock, may_refund=True, at=step.at
        )
    elif step.verb == Verb.ITEM_CANCELLED:
        item = OrderItem.objects.filter(order=order).order_by("-quantity", "-position")[0]
        cancel_item(
            order_id=order.pk,
            item_id=item.pk,
            quantity=1,
            actor=actor,
            reason=step.reason,
            restock=step.restock,
            may_refund=True,
            at=step.at,
        )
    elif step.verb == Verb.COMPLETED:
        complete_order(order_id=order.pk, actor=actor, at=step.at)
    else:
        advance(order.pk, step.verb, actor, at=step.at)


def deliveries(
    mornings: Sequence[Moment], *, crew: Crew, ingredients: Mapping[str, Ingredient], missing: Mapping[Moment, set[str]]
) -> Story:
    """The first morning brings everything, and every later one what is half used up, but not what the supplier
    is `missing` that morning."""
    for number, morning in enumerate(mornings):
        yield morning
        wanted = {name: SUPPLIES[name] for name in ingredients if name not in missing.get(morning, ())}
        levels = levels_of(location=crew.location, ingredient_ids=[ingredients[name].pk for name in wanted])
        lines = []
        for name, supply in wanted.items():
            ingredient = ingredients[name]
            there, _minimum = levels.get(ingredient.pk, (Decimal(0), Decimal(0)))
            full = supply.pack * supply.packs
            if there < full / 2:
                packs = int((full - there) // supply.pack)
                lines.append(StockLine(ingredient.pk, Decimal(packs * supply.pack), supply.unit_cost))
        if lines:
            receive_stock(
                location=crew.location,
                lines=lines,
                comment="Morning delivery" if number else "Opening stock",
                created_by_id=crew.user_id,
                at=morning,
            )
        if not number:
            set_minimums(crew.location)


def set_minimums(location: Location) -> None:
    for level in StockLevel.objects.filter(location=location).select_related("ingredient").order_by("ingredient_id"):
        set_minimum(level_id=level.pk, minimum=Decimal(SUPPLIES[level.ingredient.name].minimum))


def mishap(at: Moment, *, crew: Crew, ingredient: Ingredient, left: int, reason: WriteOffReason, comment: str) -> Story:
    """Something goes wrong in the store room, and only `left` base units of an ingredient are good."""
    yield at
    ((there, _minimum),) = levels_of(location=crew.location, ingredient_ids=[ingredient.pk]).values()
    write_off_stock(
        location=crew.location,
        lines=[StockLine(ingredient.pk, there - left)],
        reason=reason,
        comment=comment,
        created_by_id=crew.user_id,
        at=at,
    )


def tasting(at: Moment, *, crew: Crew, quantities: Mapping[Ingredient, int], comment: str) -> Story:
    """The staff try something."""
    yield at
    write_off_stock(
        location=crew.location,
        lines=stock_lines(quantities),
        reason=WriteOffReason.TASTING,
        comment=comment,
        created_by_id=crew.user_id,
        at=at,
    )


def loan(at: Moment, *, source: Crew, destination: Crew, quantities: Mapping[Ingredient, int], comment: str) -> Story:
    """One shop helps the other out."""
    yield at
    transfer_stock(
        source=source.location,
        destination=destination.location,
        lines=stock_lines(quantities),
        comment=comment,
        created_by_id=source.user_id,
        at=at,
    )


def stock_lines(quantities: Mapping[Ingredient, int]) -> list[StockLine]:
    return [StockLine(ingredient.pk, Decimal(quantity)) for ingredient, quantity in quantities.items()]
