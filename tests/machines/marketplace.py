"""What happens around a marketplace, at random: buyers order, pay together, cancel all or a part, and vanish; the stock
runs out and comes; calls fail before and after they act; workers die at any statement and in any call; people cancel
and try again.

After every step the ledger holds exactly what the operations say that they hold.
"""

import datetime
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from foundation.errors import Refusal
from inventory.models import StockMovement
from inventory.selectors import levels_that_differ_from_the_ledger
from marketplaces.choices import OrderState
from marketplaces.errors import (
    BadAnswer,
    NotAuthorised,
    RateLimited,
    Refused,
    ServerError,
    Timeout,
    Unreachable,
)
from marketplaces.models import MarketplaceOrder, StockOperation
from marketplaces.services.cancelling import request_cancellation
from marketplaces.services.pipeline import LEASE, advance_operations
from marketplaces.services.retrying import retry_operation
from marketplaces.services.switch import start_pushes, stop_pushes
from tests.marketplaces.selling import Market, market_of, nothing
from tests.marketplaces.shelf import listed, seller
from tests.shop import Shop

Kind, Status = StockOperation.Kind, StockOperation.Status
PORTION, FIRST = Decimal(250), Decimal(2000)
SKUS = ("COFFEE", "PAIR", "NEW")
CALLS = ("orders", "accept", "roll_back")
BEFORE_IT_IS_SENT = (OrderState.WAITING, OrderState.READY, OrderState.PROCESSING)
ERRORS: Sequence[Callable[[], Exception]] = (
    lambda: Timeout("No answer in time."),
    lambda: Unreachable("Cut off."),
    lambda: ServerError("500", status=500),
    lambda: RateLimited("Slower.", retry_after=5),
    lambda: BadAnswer("No JSON."),
    lambda: NotAuthorised("The key is refused.", status=401),
    lambda: Refused("Not allowed.", status=422),
    lambda: KeyError("a fault of the client"),
)


class WorkerDied(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


class MarketplaceMachine(RuleBasedStateMachine):
    """One account of Allegro, one ingredient: a coffee takes 250 g, a pair of them 500."""

    @initialize()
    def open(self) -> None:
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.shop = Shop.open()
        self.beans = self.shop.ingredient("Beans", stock=FIRST)
        self.coffee = self.shop.product("Coffee", recipe={self.beans: PORTION})
        self.account = seller(self.shop, "allegro")
        listed(self.account, self.coffee, "COFFEE")
        listed(self.account, self.coffee, "PAIR", quantity=2)
        self.market: Market = market_of(self.account)
        self.beside = FIRST  # what the stock would be without the marketplace
        self.now = timezone.now()
        self.ordered = 0
        self.once_sent: set[str] = set()

    def teardown(self) -> None:
        if not hasattr(self, "savepoint"):
            return
        try:
            self.settle()
        finally:
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    # --- buyers ---------------------------------------------------------------------------------------

    @rule(
        lines=st.dictionaries(st.sampled_from(SKUS), st.integers(1, 3), min_size=1, max_size=2),
        state=st.sampled_from([OrderState.READY, OrderState.READY, OrderState.READY, OrderState.WAITING]),
    )
    def order(self, lines: dict[str, int], state: OrderState) -> None:
        self.ordered += 1
        self.market.order(f"O{self.ordered}", lines, state=state)

    @rule(pick=st.integers(0, 50), state=st.sampled_from([*OrderState]))
    def change(self, pick: int, state: OrderState) -> None:
        """Its state becomes anything at all; what was cancelled stays so."""
        name = self.chosen(pick)
        if name and self.market.found[name].state != OrderState.CANCELLED:
            self.market.set_state(name, state)
            if state in (OrderState.SENT, OrderState.DELIVERED, OrderState.RETURNED):
                self.once_sent.add(name)

    @rule(pick=st.integers(0, 50), line=st.integers(0, 1), is_told=st.booleans())
    def cancel_a_part(self, pick: int, line: int, is_told: bool) -> None:
        """A piece of a line is cancelled; the last one takes the line with it, but not the last line."""
        name = self.chosen(pick)
        order = self.market.found[name] if name else None
        if name and order and order.state in BEFORE_IT_IS_SENT and sum(one.quantity for one in order.lines) > 1:
            lines = {one.sku: one.quantity for one in order.lines}
            lines[order.lines[line % len(order.lines)].sku] -= 1
            left = [one for one in order.lines if lines[one.sku]]
            self.market.order(
                name,
                {one.sku: lines[one.sku] for one in left},
                state=order.state,
                line_ids=[one.external_line_id for one in left],
            )
            if is_told:
                self.market.sync(name, at=self.now)

    @rule(pick=st.integers(0, 50))
    def vanish(self, pick: int) -> None:
        if name := self.chosen(pick):
            self.market.vanish(name)
            self.market.sync(vanished=[name], at=self.now)

    @rule(first=st.integers(0, 50), second=st.integers(0, 50), is_told_late=st.booleans())
    def pay_together(self, first: int, second: int, is_told_late: bool) -> None:
        """Two orders become one with the lines of both; the shop hears of the new one before or after the old ones are
        gone."""
        old = {name for name in (self.chosen(first), self.chosen(second)) if name}
        live = {name for name in old if self.market.found[name].state in (OrderState.READY, OrderState.PROCESSING)}
        lines = [line for name in sorted(live) for line in self.market.found[name].lines]
        if not lines or len({line.sku for line in lines}) < len(lines):
            return
        self.ordered += 1
        new = f"O{self.ordered}"
        self.market.order(
            new,
            {line.sku: line.quantity for line in lines},
            line_ids=[line.external_line_id for line in lines],
        )
        for name in live:
            self.market.vanish(name)
        if is_told_late:
            self.market.sync(new, at=self.now)
        self.market.sync(new, vanished=sorted(live), at=self.now)

    @rule(times=st.integers(1, 2))
    def sync(self, times: int) -> None:
        for _time in range(times):
            self.market.sync(at=self.now)

    # --- the shop -------------------------------------------------------------------------------------

    @rule(portions=st.integers(1, 8))
    def receive(self, portions: int) -> None:
        self.shop.receive({self.beans: PORTION * portions})
        self.beside += PORTION * portions

    @rule()
    def sell_at_the_counter(self) -> None:
        try:
            with transaction.atomic():
                self.shop.sell(self.coffee)
        except Refusal:
            return
        self.beside -= PORTION

    @rule()
    def match(self) -> None:
        if not self.account.listings.filter(sku="NEW").exists():
            listed(self.account, self.coffee, "NEW")

    @rule(pick=st.integers(0, 50))
    def cancel(self, pick: int) -> None:
        if operation := self.chosen_operation(pick):
            self.ask(lambda: request_cancellation(operation_id=operation.pk, reason="no", user_id=None, at=self.now))

    @rule(pick=st.integers(0, 50))
    def retry(self, pick: int) -> None:
        if operation := self.chosen_operation(pick, status=Status.FAILED):
            self.ask(lambda: retry_operation(operation_id=operation.pk, user_id=None, at=self.now))

    @rule(is_stopped=st.booleans())
    def switch(self, is_stopped: bool) -> None:
        if is_stopped:
            stop_pushes(reason="stock-taking", by_id=None, at=self.now)
        else:
            start_pushes()

    # --- workers --------------------------------------------------------------------------------------

    @rule()
    def work(self) -> None:
        self.advance()

    @rule(call=st.sampled_from(CALLS), error=st.sampled_from(ERRORS), times=st.integers(1, 9), is_late=st.booleans())
    def work_badly(self, call: str, error: Callable[[], Exception], times: int, is_late: bool) -> None:
        """The call fails so often in a row."""
        self.market.fail(call, error=error(), times=times, late=is_late)
        for _time in range(times):
            self.advance()
            self.now += datetime.timedelta(hours=2)
        self.market.before = self.market.after = nothing

    @rule(is_known=st.booleans())
    def fail_with_the_stock_deducted(self, is_known: bool) -> None:
        """An order that the marketplace takes from us and then does not let us accept; perhaps it is tried again."""
        self.order({"COFFEE": 1}, OrderState.READY)
        self.market.sync(at=self.now)
        self.market.fail("accept", error=Refused("Not allowed.", status=422))
        self.advance()
        self.market.before = nothing
        if is_known:
            self.retry(self.ordered)

    @rule(statement=st.integers(1, 70))
    def die_at_a_statement(self, statement: int) -> None:
        with dying_after(statement):
            self.advance()
        self.now += LEASE

    @rule(call=st.sampled_from(CALLS), is_late=st.booleans())
    def die_in_a_call(self, call: str, is_late: bool) -> None:
        self.market.fail(call, error=WorkerDied(), late=is_late)
        with suppress(WorkerDied):
            self.advance()
        self.market.before = self.market.after = nothing
        self.now += LEASE

    @precondition(lambda self: self.ordered)
    @rule(pick=st.integers(0, 50))
    def cancel_in_the_middle(self, pick: int) -> None:
        """Somebody cancels an operation while the marketplace is called for it."""
        operation = self.chosen_operation(pick)

        def meddle(_call: str, _orders: Any) -> None:
            if operation is not None:
                self.ask(
                    lambda: request_cancellation(operation_id=operation.pk, reason="no", user_id=None, at=self.now)
                )

        self.market.after = meddle
        self.advance()
        self.market.after = nothing

    @rule()
    def time_passes(self) -> None:
        self.now += datetime.timedelta(hours=2)

    # --- what always holds ----------------------------------------------------------------------------

    @invariant()
    def the_ledger_holds_what_the_operations_hold(self) -> None:
        if not hasattr(self, "savepoint"):
            return
        held = self.in_the_ledger()
        expected: dict[str, Decimal] = {}
        sales = list(StockOperation.objects.filter(kind=Kind.SALE).order_by("pk").prefetch_related("lines"))
        followed = {operation.retry_of_id for operation in sales}
        by_id = {operation.pk: operation for operation in sales}
        for operation in sales:
            if operation.deduction_id is None or operation.pk in followed or operation.status == Status.CANCELLED:
                continue
            portions = sum(
                (line.portions or 0) * (line.quantity - line.cancelled_quantity) // line.quantity
                for line in by_id[operation.deduction_id].lines.all()
            )
            expected[str(operation.deduction_id)] = PORTION * portions
        assert {pk: quantity for pk, quantity in held.items() if quantity} == expected
        assert self.shop.quantity(self.beans) == self.beside - sum(expected.values(), Decimal(0))
        assert levels_that_differ_from_the_ledger() == []

    @invariant()
    def an_order_has_one_sale_that_goes_on(self) -> None:
        if not hasattr(self, "savepoint"):
            return
        going_on = StockOperation.objects.filter(kind=Kind.SALE, status__in=StockOperation.UNFINISHED)
        orders = list(going_on.values_list("order_id", flat=True))
        assert len(orders) == len(set(orders))
        # What was deducted was deducted once: no deduction has two rows of the same line and reason.
        rows = StockMovement.objects.filter(document_type="stock_operation", reason="marketplace_sale")
        lines = list(rows.values_list("document_id", "line_id"))
        assert len(lines) == len(set(lines))

    # --- the end --------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Nothing fails any more and there is enough of everything: whatever can end does."""
        self.market.before = self.market.after = nothing
        start_pushes()
        self.match()
        self.shop.receive({self.beans: 100_000})
        self.beside += 100_000
        self.market.sync(at=self.now)
        for _time in range(14):
            self.now += datetime.timedelta(hours=2)
            self.advance()
        self.the_ledger_holds_what_the_operations_hold()
        for operation in StockOperation.objects.filter(kind=Kind.SALE).select_related("order"):
            order = operation.order
            if operation.status in StockOperation.UNFINISHED:
                assert order.state == OrderState.WAITING, (order, operation.status, operation.last_error)
            if order.state == OrderState.CANCELLED and operation.status == Status.COMPLETED:
                # Only what had been sent before it was cancelled.
                assert not operation.is_cancelled_there
            if operation.status == Status.COMPLETED and order.external_id not in self.once_sent:
                self.holds_what_is_left_of(operation)
        merged = MarketplaceOrder.objects.filter(merged_into__isnull=False).values("pk")
        assert not StockOperation.objects.filter(order__in=merged, kind=Kind.SALE, status=Status.COMPLETED).exists()

    def holds_what_is_left_of(self, operation: StockOperation) -> None:
        """What was cancelled of its order has come back."""
        deducted = StockOperation.objects.get(pk=operation.deduction_id).lines.all()
        held = {line.sku: line.quantity - line.cancelled_quantity for line in deducted}
        left = {line.sku: line.quantity for line in operation.order.lines.all()}
        assert {sku: pieces for sku, pieces in held.items() if pieces} == left

    # --- helpers --------------------------------------------------------------------------------------

    def advance(self) -> None:
        advance_operations(clock=lambda: self.now)

    def ask(self, question: Callable[[], object]) -> None:
        """What somebody asks for, which may be refused."""
        with suppress(Refusal):
            question()

    def chosen(self, pick: int) -> str | None:
        names = sorted(self.market.found)
        return names[pick % len(names)] if names else None

    def chosen_operation(self, pick: int, **conditions: Any) -> StockOperation | None:
        operations = list(StockOperation.objects.filter(kind=Kind.SALE, **conditions).order_by("pk"))
        return operations[pick % len(operations)] if operations else None

    def in_the_ledger(self) -> dict[str, Decimal]:
        """{deduction: what the ledger holds of it}."""
        rows = StockMovement.objects.filter(document_type="stock_operation").order_by().values("document_id")
        return {row["document_id"]: -row["held"] for row in rows.annotate(held=Sum("delta"))}


@contextmanager
def dying_after(statement: int) -> Iterator[None]:
    """The worker dies after so many statements; it may have been done before."""
    left = [statement]

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        result = execute(*arguments)
        left[0] -= 1
        if left[0] == 0:
            raise WorkerDied
        return result

    try:
        with connection.execute_wrapper(count):
            yield
    except WorkerDied:
        pass
