"""What makes the demo's drinks cheaper: promotions, promo codes, and points for those who come back."""

import datetime
from decimal import Decimal

from foundation.services.records import add_record
from inventory.models import Category
from orders.models import LoyaltyTier
from orders.services.loyalty_program import change_program
from orders.services.promo_codes import save_promo_code
from orders.services.promotions import save_promotion
from project.demo.places import moment_of

MONDAY_TO_FRIDAY, WEEKEND = [1, 2, 3, 4, 5], [6, 7]
MIDNIGHT = datetime.time(0)
WELCOME, LAST_SUMMER = "WELCOME10", "SUMMER"
# (name, from what spending in a year, points for a hundred baht)
TIERS = (("Guest", 0, 3), ("Regular", 600, 5), ("Tea master", 1500, 8))


def make_offers(now: datetime.datetime) -> None:
    """Writes a happy hour, second drinks at half price, a code for newcomers and one that has expired, and the loyalty
    programme; before anybody comes."""
    categories = dict(Category.objects.values_list("name", "pk"))
    save_promotion(
        fields={
            "name": "Happy hour",
            "value": Decimal(20),
            "weekdays": MONDAY_TO_FRIDAY,
            "starts_time": datetime.time(14),
            "ends_time": datetime.time(16),
            "categories": [categories["Flavored Tea"]],
        }
    )
    save_promotion(
        fields={
            "name": "Second milk tea at half price",
            "value": Decimal(50),
            "every": 2,
            "weekdays": WEEKEND,
            "categories": [categories["Milk Tea"]],
        }
    )
    save_promo_code(
        fields={"code": WELCOME, "value": Decimal(10), "per_customer_limit": 1, "minimum_total": Decimal(100)}
    )
    save_promo_code(
        fields={
            "code": LAST_SUMMER,
            "value": Decimal(15),
            "starts_at": moment_of(now.date() - datetime.timedelta(days=150), MIDNIGHT),
            "ends_at": moment_of(now.date() - datetime.timedelta(days=60), MIDNIGHT),
        }
    )
    change_program(changes={"is_active": True})
    for name, spending, points in TIERS:
        add_record(record=LoyaltyTier(name=name, spending_from=Decimal(spending), points_per_hundred=Decimal(points)))
