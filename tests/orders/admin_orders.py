"""What the tests of the orders' admin share: addresses, and what the new-order page's script sends."""

import json
import uuid
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from inventory.models import Option, Product
from orders.models import Order


def page(name: str, *args: Any) -> str:
    """The address of a page of orders: page("order_change", 5)."""
    return reverse(f"admin:orders_{name}", args=args)


def verb(order: Order, name: str) -> str:
    return page("order_verb", order.pk, name)


def line(product: Product | int, quantity: Any = 1, *options: Option) -> dict[str, Any]:
    pk = product.pk if isinstance(product, Product) else product
    return {"product": pk, "quantity": quantity, "options": [option.pk for option in options]}


def cart(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The cart with a token of its own, as the page sends it."""
    return {"items": list(lines), "once": uuid.uuid4().hex, **more}


def send(client: Client, address: str, data: Any) -> HttpResponse:
    """Posts JSON, or the bytes as they are."""
    body = data if isinstance(data, bytes | str) else json.dumps(data)
    return client.post(address, body, content_type="application/json")
