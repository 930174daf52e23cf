"""A counter in tests: somebody who is signed in there, and what its page sends."""

import itertools
from typing import Any

from django.test import Client

from inventory.models import Product
from orders.models import Shift
from tests.shop import Shop, user_of
from users.models import User

_tokens = itertools.count(1)


class Counter:
    """The page of one browser, as its scripts use it."""

    def __init__(self, shop: Shop, user: User) -> None:
        self.shop, self.user = shop, user
        self.browser = Client()
        self.browser.force_login(user)

    @classmethod
    def of(cls, shop: Shop, role: str = "barista") -> "Counter":
        return cls(shop, user_of(role))

    def send(self, path: str, body: dict[str, Any], *, once: str = "") -> Any:
        """POSTs JSON to an address below /counter/; each has a token of its own unless one is given."""
        body = {"once": once or f"token-{next(_tokens)}", **body}
        return self.browser.post(f"/counter/{path}", body, content_type="application/json")

    def sale(self, product: Product, quantity: int = 1, **more: Any) -> dict[str, Any]:
        items = [{"product": product.pk, "quantity": quantity, "options": more.pop("options", [])}]
        return {"location": self.shop.location.pk, "items": items, **more}

    def sell(self, product: Product, quantity: int = 1, *, once: str = "", **more: Any) -> Any:
        return self.send("sell/", self.sale(product, quantity, **more), once=once)

    def queue(self, version: str = "") -> Any:
        headers = {"If-None-Match": version} if version else {}
        return self.browser.get(f"/counter/queue/?location={self.shop.location.pk}", headers=headers)


def cash(amount: str, tendered: str | None = None, **more: str) -> dict[str, str]:
    return {"method": "cash", "amount": amount, **({"tendered": tendered} if tendered else {}), **more}


def card(amount: str, **more: str) -> dict[str, str]:
    return {"method": "card", "amount": amount, **more}


def figures(shop: Shop) -> tuple[int, ...]:
    """What a refused sale must leave as it was: orders, payments, points, movements, kept answers."""
    from foundation.models import IdempotencyKey  # noqa: PLC0415
    from inventory.models import StockMovement  # noqa: PLC0415
    from orders.models import LoyaltyEntry, Order, OrderEvent, Payment  # noqa: PLC0415

    models: tuple[Any, ...] = (Order, OrderEvent, Payment, LoyaltyEntry, StockMovement, IdempotencyKey)
    return tuple(model.objects.count() for model in models)


def shift_id(shift: Shift | None) -> int | None:
    return shift.pk if shift else None
