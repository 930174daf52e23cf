"""What is taken off an order, in words: the same on pages, receipts and in answers to scripts."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.discounts import StepKind, TakenOff
from orders.models.records import OrderRecord


def words_of_step(kind: str, name: str, points: int = 0) -> str:
    """A step of `Order.discounts` or of a quote, in the reader's language."""
    if kind == StepKind.CODE:
        return _("Code %(code)s") % {"code": name}
    if kind == StepKind.POINTS:
        return ngettext("%(number)d point", "%(number)d points", points) % {"number": points}
    if kind == StepKind.GOODWILL:
        return _("Goodwill")
    return name


def steps_of_order(order: OrderRecord) -> list[tuple[str, Decimal]]:
    """What is taken off the order: (words, amount) of each step."""
    return [(words_of_kept(step), Decimal(step["amount"])) for step in order.discounts]


def words_of_kept(step: Mapping[str, Any]) -> str:
    return words_of_step(step["kind"], step["name"], step.get("points", 0))


def steps_of_quote(off: TakenOff) -> Iterable[tuple[str, Decimal]]:
    """The same of what only has been asked about."""
    return [(words_of_step(step.kind, step.name, step.points), step.amount) for step in off.steps]
