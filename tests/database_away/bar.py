"""A shop for these tests, whose writes are committed: each has its own."""

from typing import Any

from orders.models import Order
from tests.rest import Rest
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to, user_of
from users.models import User


class Bar:
    """A shop that sells one thing, and a barista's till."""

    number = 0

    def __init__(self) -> None:
        Bar.number += 1
        self.shop = Shop.open(f"Bar {self.number}")
        self.milk = self.shop.ingredient(f"Milk {self.number}", "ml", stock=10_000)
        self.latte = self.shop.product(f"Latte {self.number}", "70.00", {self.milk: 200})
        self.till = Rest(person("barista"))
        self.till.client.raise_request_exception = False
        self.keys = 0

    @property
    def body(self) -> dict[str, Any]:
        return {"location": self.shop.location.pk, "items": [{"product": self.latte.pk, "quantity": 1}]}

    def order(self, *, key: str = "", comment: str = "") -> Any:
        """The answer to an order under that key, or one of its own; `key="-"`: without any."""
        self.keys += 1
        headers = {} if key == "-" else {"Idempotency-Key": key or f"{self.number}-{self.keys}"}
        return self.till.call("post", "orders/", {**self.body, "comment": comment}, **headers)

    def sold(self) -> int:
        count = Order.objects.filter(location=self.shop.location).count()
        assert self.shop.quantity(self.milk) == 10_000 - 200 * count
        assert_levels_are_what_the_ledger_sums_to()
        return count


def person(role: str) -> User:
    """One for the tests of this file: what they write is committed."""
    return User.objects.filter(email=f"{role}@shop.example").first() or user_of(role)
