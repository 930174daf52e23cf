"""People who work at the shop of a test."""

import datetime
from decimal import Decimal
from typing import Any

from orders.models import Employee, Position, Salary
from tests.shop import Shop


def day(text: str) -> datetime.date:
    """2026-11-21"""
    return datetime.date.fromisoformat(text)


def employed(bar: Shop, name: str = "Kai", *, since: str = "2026-01-01", until: str = "", **fields: Any) -> Employee:
    """Somebody who works at the bar."""
    position, _ = Position.objects.get_or_create(name="Barista")
    return Employee.objects.create(
        name=name,
        position=position,
        location=bar.location,
        hired_on=day(since),
        left_on=day(until) if until else None,
        **fields,
    )


def paid(employee: Employee, amount: Any, since: str = "2026-01-01", until: str = "", per: str = "month") -> Salary:
    """A salary as it stands in the table."""
    return Salary.objects.create(
        employee=employee,
        amount=Decimal(amount),
        per=per,
        valid_from=day(since),
        valid_to=day(until) if until else None,
    )
