"""Making what a marketplace tells fit to be kept.

PostgreSQL takes neither NUL characters nor half a surrogate pair, and JSON no infinite number; a column has its length.
What can be put right without losing an order is; what can't makes an order that is left out and listed.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db.models import CharField
from django.utils.translation import gettext as _

from marketplaces.clients.base import RemoteLine, RemoteOrder
from marketplaces.models import MarketplaceOrder, MarketplaceOrderLine

LARGEST_PAYLOAD = 2_000_000
DEEPEST = 100
LARGEST_QUANTITY = 1_000_000
LARGEST_AMOUNT = Decimal("9999999999.99")
# What no text of PostgreSQL may hold.
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"


class Unkeepable(Exception):
    """This order can't be kept; the text says why, for a person."""


def keepable(order: RemoteOrder) -> RemoteOrder:
    """The order as it can be kept: texts cut to their columns, signs that no database takes replaced.

    Raises Unkeepable for what would lose its meaning: ids that are too long, quantities and amounts out of all
    proportion, two lines of one id.
    """
    external_id = identity(order.external_id, MarketplaceOrder, "external_id")
    lines = tuple(keepable_line(line) for line in order.lines)
    if len({line.external_line_id for line in lines}) < len(lines):
        raise Unkeepable(_("Two of its lines have the same id."))
    payload = keepable_value(order.payload)
    if len(canonical(payload)) > LARGEST_PAYLOAD:
        raise Unkeepable(_("It is too large: more than %(limit)s characters.") % {"limit": LARGEST_PAYLOAD})
    return replace(
        order,
        external_id=external_id,
        lines=lines,
        payload=payload,
        total=amount(order.total),
        status=cut(order.status, MarketplaceOrder, "status"),
        fulfilment_status=cut(order.fulfilment_status, MarketplaceOrder, "fulfilment_status"),
        number=cut(order.number, MarketplaceOrder, "number"),
        currency=cut(order.currency, MarketplaceOrder, "currency"),
        revision=cut(order.revision, MarketplaceOrder, "revision"),
    )


def keepable_line(line: RemoteLine) -> RemoteLine:
    if not 0 < line.quantity <= LARGEST_QUANTITY:
        raise Unkeepable(_("The quantity %(quantity)s can't be.") % {"quantity": line.quantity})
    return replace(
        line,
        external_line_id=identity(line.external_line_id, MarketplaceOrderLine, "external_line_id"),
        sku=identity(line.sku, MarketplaceOrderLine, "sku"),
        name=cut(line.name, MarketplaceOrderLine, "name"),
        barcode=cut(line.barcode, MarketplaceOrderLine, "barcode"),
        price=amount(line.price),
    )


def identity(text: str, model: type[MarketplaceOrder | MarketplaceOrderLine], column: str) -> str:
    """A text that tells one thing from another: whole, or not at all."""
    if not text or UNKEEPABLE.search(text) or len(text) > length_of(model, column):
        raise Unkeepable(_("Its %(name)s is missing or too long.") % {"name": column})
    return text


def cut(text: str, model: type[MarketplaceOrder | MarketplaceOrderLine], column: str) -> str:
    return UNKEEPABLE.sub(REPLACEMENT, text)[: length_of(model, column)]


def length_of(model: type[MarketplaceOrder | MarketplaceOrderLine], column: str) -> int:
    field = model._meta.get_field(column)
    assert isinstance(field, CharField) and field.max_length  # noqa: S101, PT018 - the columns are named above
    return field.max_length


def amount(value: Decimal | None) -> Decimal | None:
    if value is None:
        return None
    if not value.is_finite() or abs(value) > LARGEST_AMOUNT:
        raise Unkeepable(_("The amount %(amount)s can't be.") % {"amount": value})
    return value.quantize(Decimal("0.01"))


def keepable_value(value: Any, depth: int = 0) -> Any:
    """The same JSON, without what PostgreSQL would refuse. Raises Unkeepable where it is nested too deep."""
    if depth > DEEPEST:
        raise Unkeepable(_("It is nested too deep."))
    if isinstance(value, str):
        return UNKEEPABLE.sub(REPLACEMENT, value)
    if isinstance(value, Mapping):
        return {keepable_value(str(name)): keepable_value(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [keepable_value(inner, depth + 1) for inner in value]
    is_plain = value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    # Exact numbers and moments that a client has read already, and infinite ones.
    return value if is_plain else str(value)


def canonical(payload: Any) -> str:
    """The one way to write this JSON, whatever the order in which its names came."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(payload: Any) -> str:
    """What tells one version of a payload from another."""
    return hashlib.sha256(canonical(payload).encode()).hexdigest()
