"""Editing an order that nobody has begun to make."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from inventory.errors import ClosedLocation
from inventory.menu import load_menu
from inventory.services.ledger import Movement
from inventory.services.returns import Deductions, deductions_of, movements_back
from orders.discounts import StepKind, TakenOff, with_goodwill
from orders.errors import ChangedMeanwhile, PaidMore
from orders.locks import lock_order, lock_promo_codes
from orders.models import Order, OrderEvent, OrderItem, PromoCode
from orders.pricing import Offers, OrderLine, PricedLine, discounted, price_order
from orders.promotion_selectors import code_offer, promotions_at
from orders.services.actor import Actor
from orders.services.code_uses import lock_usable_code, normal_code, release_codes, use_code
from orders.services.deduction import DOCUMENT_TYPE, check_listed, deduct, sale_movements
from orders.services.events import event
from orders.services.loyalty import give_back, points_offer, redeem
from orders.services.place import buyer, new_item
from orders.services.shares import as_kept, discount_items, goodwill_of, set_totals
from orders.services.transitions import require_status


@dataclass(slots=True)
class _Edit:
    """What an edit comes to: the rows to write, the movements, and what is sold more than before."""

    kept: list[OrderItem] = field(default_factory=list)
    added: list[tuple[OrderItem, PricedLine]] = field(default_factory=list)
    dropped: list[OrderItem] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    sold: list[PricedLine] = field(default_factory=list)

    def wanted(self, lines: Sequence[PricedLine]) -> list[OrderItem]:
        """The lines of the order that these were matched with or became, in their order."""
        by_position = {item.position: item for item, _line in self.added}
        by_position |= {item.position: item for item in self.kept if item.remaining}
        return [by_position[position] for position in range(1, len(lines) + 1)]


# What an edit changes of an order.
CHANGED = ("comment", "subtotal", "discount", "total", "discounts", "promo_code", "points_redeemed")


@transaction.atomic
def edit_order(
    *,
    order_id: int,
    actor: Actor,
    lines: Sequence[OrderLine] | None = None,
    comment: str | None = None,
    promo_code: str | None = None,
    redeem_points: int | None = None,
    allow_below_minimum: bool = False,
    sell_anyway: bool = False,
    seen_event_id: int | None = None,
) -> Order:
    """Makes a pending order consist of `lines` (None: unchanged); the stock moves by the difference.

    A line with the same product and options stays the same line, at the price it was sold for; what it
    loses comes back from its own ledger rows; what it gains is deducted by today's recipe. For `allow_below_minimum`
    and `sell_anyway` see `place_order`.

    What is taken off is worked out anew, by the promotions of the moment at which it was placed; what was given out of
    goodwill stays. `promo_code` and `redeem_points` take the place of those that it has (None: unchanged, "" and 0:
    none); points that are not needed any more go back.

    `seen_event_id` is the newest event of the order as the editor saw it: what happened since must not be undone
    unseen. None: whatever happened.

    Raises UnknownOrder, WrongStatus, ChangedMeanwhile, WrongLines, ClosedLocation (a closed location sells nothing
    more), PromoCodeRefused, NotEnoughPoints, PointsNotUsable, PaidMore (it would cost less than was paid), Unavailable,
    InsufficientStock.
    """
    order = lock_order(order_id)
    require_status(order, [Order.Status.PENDING])
    if seen_event_id is not None and order.events.filter(pk__gt=seen_event_id).exists():
        raise ChangedMeanwhile(number=order.number)
    details: dict[str, object] = {}
    if comment is not None and comment != order.comment:
        details["comment"] = [order.comment, comment]
        order.comment = comment
    discount_before = str(order.discount)
    if lines is not None or promo_code is not None or redeem_points is not None:
        wanted = lines if lines is not None else lines_of(order)
        offers = lock_offers(order, promo_code=promo_code, redeem_points=redeem_points)
        words = rewrite_items(
            order,
            wanted,
            offers=offers,
            actor=actor,
            allow_below_minimum=allow_below_minimum,
            sell_anyway=sell_anyway,
        )
        if lines is not None:
            details["items"] = words
        if str(order.discount) != discount_before:
            details["discount"] = [discount_before, str(order.discount)]
        if sell_anyway:
            details["sold_anyway"] = True
    if details:
        order.save(update_fields=CHANGED)
        event(order, OrderEvent.Kind.EDITED, actor, from_status=order.status, details=details).save(force_insert=True)
    return order


@dataclass(slots=True)
class _Offers:
    """What makes the edited order cheaper, with the locked code that it is to carry."""

    offers: Offers
    code: PromoCode | None


def lines_of(order: Order) -> list[OrderLine]:
    """What the order consists of, in the words of an edit."""
    return [
        OrderLine(item.product_id, item.remaining, tuple(option["id"] for option in item.options))
        for item in order.items.all()
        if item.remaining
    ]


def lock_offers(order: Order, *, promo_code: str | None, redeem_points: int | None) -> _Offers:
    """What takes something off the locked order: its promotions as they held when it was placed, its code and points
    or those that come in their place. Locks codes, then the customer.

    Raises PromoCodeRefused, NotEnoughPoints, PointsNotUsable, CustomerGone.
    """
    held = order.promo_code
    code = held
    if promo_code is not None and (held is None or normal_code(promo_code) != held.code):
        code = None
        # Both codes are locked at once, in the order of their ids; the old one is given back first.
        found = PromoCode.objects.filter(code=normal_code(promo_code)).first() if promo_code.strip() else None
        lock_promo_codes({one.pk for one in (held, found) if one is not None})
        release_codes([order])
        if promo_code.strip():
            code = lock_usable_code(promo_code, customer_id=order.customer_id, at=timezone.now())
    points = order.points_redeemed if redeem_points is None else redeem_points
    customer = buyer(order.customer_id) if points or order.points_redeemed else None
    return _Offers(
        Offers(
            promotions=promotions_at(location=order.location, at=order.placed_at),
            code=code_offer(code) if code else None,
            points=points_offer(customer, points, held=order.points_redeemed),
        ),
        code,
    )


def rewrite_items(
    order: Order,
    lines: Sequence[OrderLine],
    *,
    offers: _Offers,
    actor: Actor,
    allow_below_minimum: bool,
    sell_anyway: bool,
) -> dict[str, list[str]]:
    """Turns the locked order's lines into `lines`; returns them in words, before and after."""
    menu = load_menu({line.product_id for line in lines})
    price = price_order(menu=menu, lines=lines)
    items = list(order.items.all())
    before = in_words(items)
    edit = compare(order, items, price.lines, deductions_of(document_type=DOCUMENT_TYPE, document_ids=[order.pk]))
    wanted = edit.wanted(price.lines)
    off = discounted(sold_at_their_prices(wanted, price.lines), offers.offers)
    off = with_goodwill(off, [item.total for item in wanted], goodwill_of(order))
    discount_items(wanted, off)
    if edit.sold and not order.location.is_active:
        raise ClosedLocation(order.location.name)
    check_listed(edit.sold)
    OrderItem.objects.bulk_update(edit.kept, ["position", "quantity", "total", "discount", "points_discount"])
    OrderItem.objects.filter(pk__in=[item.pk for item in edit.dropped]).delete()
    OrderItem.objects.bulk_create([item for item, _line in edit.added])
    take_off_anew(order, [*edit.kept, *(item for item, _line in edit.added)], off, wanted, offers.code, actor)
    sales = [
        movement
        for item, line in edit.added
        for movement in sale_movements(order, line, line_id=item.pk, quantity=item.quantity)
    ]
    deduct(
        order=order,
        movements=[*edit.movements, *sales],
        products=[line.product for line in edit.sold],
        actor=actor,
        allow_below_minimum=allow_below_minimum,
        sell_anyway=sell_anyway,
    )
    now = [*edit.kept, *(item for item, _line in edit.added)]
    return {"before": before, "after": in_words(sorted(now, key=lambda item: item.position))}


def take_off_anew(
    order: Order,
    items: Sequence[OrderItem],
    off: TakenOff,
    wanted: Sequence[OrderItem],
    code: PromoCode | None,
    actor: Actor,
) -> None:
    """Writes what is taken off the order now: its steps and totals, the use of its code, its points.

    Raises PaidMore if it would cost less than was paid.
    """
    order.discounts = as_kept(off, [item.position for item in wanted])
    set_totals(order, items)
    if order.paid > order.total + order.withheld:
        raise PaidMore(number=order.number, paid=order.paid, total=order.total)
    if code is not None and code.pk != order.promo_code_id:
        use_code(code, order, amount=off.of_kind(StepKind.CODE), at=timezone.now())
    order.promo_code = code
    more = off.points - order.points_redeemed
    if more > 0:
        redeem(order, more, user_id=actor.user_id)
    elif more < 0:
        give_back(order, -more, user_id=actor.user_id)
    order.points_redeemed = off.points


def sold_at_their_prices(wanted: Sequence[OrderItem], lines: Sequence[PricedLine]) -> list[PricedLine]:
    """The priced lines at what each is sold for: what stays keeps its price."""
    return [replace(line, unit_price=item.unit_price) for item, line in zip(wanted, lines, strict=True)]


def in_words(items: Iterable[OrderItem]) -> list[str]:
    """What is still wanted, for the order's history: ["2 × Latte (Large, Oat milk)"]."""
    lines = []
    for item in items:
        options = ", ".join(option["name"] for option in item.options)
        if item.remaining:
            lines.append(
                f"{item.remaining} × {item.name} ({options})" if options else f"{item.remaining} × {item.name}"
            )
    return lines


def compare(order: Order, items: list[OrderItem], lines: Sequence[PricedLine], deductions: Deductions) -> _Edit:
    """Matches the wanted lines with the order's, each at most once."""
    edit = _Edit()
    unmatched = {item.pk: item for item in items}
    for position, line in enumerate(lines, start=1):
        item = next((one for one in unmatched.values() if one.remaining and key_of(one) == line.line.key), None)
        if item is None:
            edit.added.append((new_item(order, line, position), line))
            edit.sold.append(line)
            continue
        del unmatched[item.pk]
        more = line.line.quantity - item.remaining
        if more > 0:
            edit.sold.append(line)
            edit.movements += sale_movements(order, line, line_id=item.pk, quantity=more)
        elif more < 0:
            edit.movements += take_back(order, item, -more, deductions)
        item.position = position
        item.quantity += more
        item.total = item.unit_price * item.remaining
        edit.kept.append(item)
    for item in unmatched.values():
        edit.movements += take_back(order, item, item.remaining, deductions)
        if item.cancelled_quantity:
            # What was cancelled of it stays on record.
            item.quantity, item.total = item.cancelled_quantity, Decimal("0.00")
            item.discount = item.points_discount = Decimal("0.00")
            edit.kept.append(item)
        else:
            edit.dropped.append(item)
    return edit


def take_back(order: Order, item: OrderItem, part: int, deductions: Deductions) -> list[Movement]:
    """What `part` of the line's remaining portions gives back to the shelf."""
    return movements_back(
        deductions, document_id=order.pk, line_id=item.pk, part=part, whole=item.remaining, restock=True
    )


def key_of(item: OrderItem) -> tuple[int, frozenset[int]]:
    """The line's product and options, to compare with `OrderLine.key`."""
    return item.product_id, frozenset(option["id"] for option in item.options)
