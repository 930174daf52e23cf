"""What makes orders cheaper while a benchmark runs: two promotions, a promo code, and customers with points."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import cycle

from benchmarks.catalogue import Menu
from orders.models import Customer, OrderEvent
from orders.services.actor import Actor
from orders.services.customer_records import add_customer
from orders.services.loyalty_program import change_program
from orders.services.points import MOST_POINTS, adjust_points
from orders.services.promo_codes import save_promo_code
from orders.services.promotions import delete_promotion, save_promotion

CUSTOMERS = 50
POINTS_OF_AN_ORDER = 2
NOBODY = Actor(None, OrderEvent.Door.COMMAND)


@dataclass(frozen=True, slots=True)
class Offers:
    """A menu with a code, and customers whose points do not come to an end."""

    menu: Menu
    code: str
    customers: Iterator[int]


@contextmanager
def cheaper(menu: Menu) -> Iterator[Offers]:
    """Makes the offers; the promotions are gone afterwards, so that nothing else is measured with them."""
    promotions = [
        save_promotion(fields={"name": "Second at half price", "value": Decimal(50), "every": 2}),
        save_promotion(fields={"name": "Happy hour", "value": Decimal(10)}),
    ]
    change_program(changes={"is_active": True})
    code = save_promo_code(fields={"code": f"BENCH-{Customer.objects.count()}", "value": Decimal(5)})
    people = [add_customer(values={"name": f"Guest {number}"}) for number in range(CUSTOMERS)]
    for one in people:
        adjust_points(customer_id=one.pk, points=MOST_POINTS, reason="Benchmark", actor=NOBODY)
    try:
        yield Offers(menu, code.code, cycle([one.pk for one in people]))
    finally:
        for promotion in promotions:
            delete_promotion(promotion_id=promotion.pk)
