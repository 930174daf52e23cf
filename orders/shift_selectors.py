"""Questions about shifts: what should be in the till, and what passed through it."""

import datetime
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from foundation.decimals import round_money
from inventory.models import Location
from orders.models import CashMovement, Payment, RefundPart, Shift, ShiftCorrection

ZERO = Decimal("0.00")
AMOUNT = DecimalField(max_digits=16, decimal_places=2)
Method = Payment.Method


def expected_cash(shift: Shift) -> Decimal:
    """What should be in the till of the shift now, in one query: the float, the cash that came in with its tips, less
    what was paid back, and what was put in or taken out."""
    expected: Decimal = with_expected_cash(Shift.objects.filter(pk=shift.pk)).get().cash
    return expected


def with_expected_cash(shifts: QuerySet[Shift]) -> QuerySet[Any]:
    """The shifts, each with `cash`: what should be in its till now."""
    received = Payment.objects.filter(shift=OuterRef("pk"), method=Method.CASH)
    paid_back = RefundPart.objects.filter(shift=OuterRef("pk"), payment__method=Method.CASH)
    moved = CashMovement.objects.filter(shift=OuterRef("pk"))
    return shifts.annotate(
        cash=F("opening_float")
        + total_of(received, "shift", F("amount") + F("tip"))
        - total_of(paid_back, "shift", F("amount") + F("tip"))
        + total_of(moved, "shift", F("amount"))
    )


def total_of(rows: QuerySet[Any], key: str, amount: Any) -> Coalesce:
    """The sum over the rows that belong to one of the outer query's, 0 if there are none."""
    sums = rows.order_by().values(key).annotate(sum=Sum(amount, output_field=AMOUNT)).values("sum")
    return Coalesce(Subquery(sums), Value(ZERO), output_field=AMOUNT)


def open_shifts(*, location: Location) -> QuerySet[Shift]:
    """The shifts that are open at the location, by till."""
    return Shift.objects.filter(location=location, closed_at=None).order_by("till", "pk")


@dataclass(slots=True)
class MethodTotals:
    """What came in and went back by one method; tips stand apart from what was paid for orders."""

    method: str
    payments: int = 0
    amount: Decimal = ZERO
    tips: Decimal = ZERO
    refunds: int = 0
    refunded: Decimal = ZERO
    tips_refunded: Decimal = ZERO

    @property
    def label(self) -> str:
        return str(Method(self.method).label)

    @property
    def net(self) -> Decimal:
        """What orders brought in by this method, less what was paid back."""
        return self.amount - self.refunded


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """What passed through a till in a shift. `counted` and `difference` are None while it is open; they are those of
    the newest correction if there is one."""

    shift: Shift
    at: datetime.datetime
    methods: list[MethodTotals] = field(default_factory=list)
    movements: list[CashMovement] = field(default_factory=list)
    corrections: list[ShiftCorrection] = field(default_factory=list)
    orders: int = 0

    @property
    def cash(self) -> MethodTotals:
        return next((one for one in self.methods if one.method == Method.CASH), MethodTotals(Method.CASH))

    @property
    def paid(self) -> Decimal:
        """What was paid for orders, by all methods."""
        return sum((one.amount for one in self.methods), ZERO)

    @property
    def refunded(self) -> Decimal:
        return sum((one.refunded for one in self.methods), ZERO)

    @property
    def net(self) -> Decimal:
        return self.paid - self.refunded

    @property
    def tips(self) -> Decimal:
        """The tips that stayed."""
        return sum((one.tips - one.tips_refunded for one in self.methods), ZERO)

    @property
    def cash_in(self) -> Decimal:
        return sum((one.amount for one in self.movements if one.amount > 0), ZERO)

    @property
    def cash_out(self) -> Decimal:
        """What was taken out, as a number above 0."""
        return -sum((one.amount for one in self.movements if one.amount < 0), ZERO)

    @property
    def expected(self) -> Decimal:
        """What should be in the till: fixed when the shift was closed, else what the rows come to."""
        if self.shift.expected is not None:
            return self.shift.expected
        cash = self.cash
        received = cash.amount + cash.tips - cash.refunded - cash.tips_refunded
        return self.shift.opening_float + received + self.cash_in - self.cash_out

    @property
    def counted(self) -> Decimal | None:
        return self.corrections[-1].counted if self.corrections else self.shift.counted

    @property
    def difference(self) -> Decimal | None:
        return None if self.counted is None else self.counted - self.expected

    @property
    def average(self) -> Decimal:
        """What was paid for an order on average, 0 where none was."""
        return round_money(self.paid / self.orders) if self.orders else ZERO


def shift_report(shift: Shift) -> ShiftReport:
    """The report of a shift as it stands now, in five queries however much passed through the till."""
    payments = Payment.objects.filter(shift=shift).order_by()
    parts = RefundPart.objects.filter(shift=shift).order_by()
    methods = {method: MethodTotals(method) for method in Method.values}
    for row in payments.values("method").annotate(number=Count("pk"), paid=Sum("amount"), tips=Sum("tip")):
        totals = methods[row["method"]]
        totals.payments, totals.amount, totals.tips = row["number"], row["paid"], row["tips"]
    for back in parts.values("payment__method").annotate(number=Count("pk"), paid=Sum("amount"), tips=Sum("tip")):
        totals = methods[back["payment__method"]]
        totals.refunds, totals.refunded, totals.tips_refunded = back["number"], back["paid"], back["tips"]
    return ShiftReport(
        shift=shift,
        at=timezone.now(),
        methods=[totals for totals in methods.values() if totals.payments or totals.refunds],
        movements=list(CashMovement.objects.filter(shift=shift).select_related("created_by")),
        corrections=list(ShiftCorrection.objects.filter(shift=shift).select_related("created_by")),
        orders=payments.aggregate(number=Count("order", distinct=True))["number"],
    )
