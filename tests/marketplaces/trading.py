"""A shop that sells on one of the stand-in's marketplaces, from end to end: what beat would do, round by round.

    trade = Trade.begin(standin, Marketplace.OZON)
    trade.buy(3)
    trade.go_round()
    assert_nothing_is_lost_or_doubled(standin, trade.account)

Coffee is sold by the piece of 250 g; what the marketplace shows is what the shelf holds of it.
"""

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import F, Sum
from django.utils import timezone

from inventory.models import Ingredient, Product, StockMovement
from marketplaces.choices import Marketplace
from marketplaces.models import ApiGate, Listing, MarketplaceOrder, OperationLog, SellerAccount, StockOperation, SyncRun
from marketplaces.models import SyncState as State
from marketplaces.services.order_sync import sync_orders
from marketplaces.services.pipeline import Progress, advance_operations
from marketplaces.services.pushes import push_quantities
from marketplaces.standin.sellers import Order
from marketplaces.standin.trade import READY
from monitoring.models import Alert
from tests.marketplaces.standin import Keeper, Standin
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

Status, What = StockOperation.Status, SyncRun.What
SKU = "700"
GRAMS = 250
# Longer than anything waits that is tried again by itself.
LATER = datetime.timedelta(hours=2)


@dataclass
class Trade:
    """`wait` lets time pass for the shop; the marketplace's own time passes by `standin.advance`."""

    standin: Standin
    keeper: Keeper
    account: SellerAccount
    shop: Shop
    beans: Ingredient
    coffee: Product
    passed: datetime.timedelta = field(default_factory=datetime.timedelta)

    @classmethod
    def begin(cls, standin: Standin, marketplace: Marketplace, *, pieces: int = 100) -> "Trade":
        keeper: Keeper = getattr(standin, marketplace.value)
        shop = Shop.open(f"Shop on {marketplace.label}")
        beans = shop.ingredient(f"Beans for {marketplace.label}", stock=pieces * GRAMS)
        coffee = shop.product(f"Coffee on {marketplace.label}", recipe={beans: GRAMS})
        account = account_at(keeper, shop)
        trade = cls(standin, keeper, account, shop, beans, coffee)
        trade.offer(SKU, coffee, pieces=pieces)
        return trade

    def offer(self, sku: str, product: Product | None, *, pieces: int = 100) -> None:
        """The marketplace offers the SKU; the shop knows which product that is, if one is given."""
        self.keeper.offer(sku=sku, pieces=pieces)
        if product is not None:
            Listing.objects.create(account=self.account, product=product, sku=sku)

    def buy(self, count: int = 1, sku: str = SKU) -> list[str]:
        """So many people buy a piece each."""
        return self.keeper.orders(count, (sku, 1))

    # --- what beat does ---------------------------------------------------------------------------------

    @property
    def now(self) -> datetime.datetime:
        return timezone.now() + self.passed

    def sync(self) -> SyncRun:
        return sync_orders(account_id=self.account.pk)

    def advance(self) -> Progress:
        return advance_operations(clock=lambda: self.now)

    def push(self) -> SyncRun | None:
        return push_quantities(account_id=self.account.pk, at=self.now)

    def go_round(self) -> SyncRun:
        """Reads the orders, goes on with what is due, sends the quantities. Returns the run that read."""
        run = self.sync()
        self.advance()
        self.push()
        return run

    def wait(self, time: datetime.timedelta = LATER) -> None:
        """So much time passes: what was put off is due, leases of the dead are over, gates are open again."""
        self.passed += time
        State.objects.filter(what__in=[What.ORDERS, What.INVENTORY]).update(
            leased_until=F("leased_until") - time, next_due_at=F("next_due_at") - time
        )
        ApiGate.objects.update(
            open_until=F("open_until") - time, blocked_until=F("blocked_until") - time, next_at=F("next_at") - time
        )

    def recover(self) -> None:
        """The fault is over, time passes, and everything goes on: twice, for what one round only finds out."""
        self.standin.calm()
        for _round in range(2):
            self.wait()
            self.go_round()

    # --- what is there afterwards -----------------------------------------------------------------------

    def operation(self, order_id: str) -> StockOperation:
        """The newest sale operation of this order."""
        return self.operations().filter(order__external_id=order_id).order_by("-id")[0]

    def operations(self) -> Any:
        return StockOperation.objects.filter(account=self.account, kind=StockOperation.Kind.SALE)

    def statuses(self) -> Counter[str]:
        return Counter(self.operations().values_list("status", flat=True))

    def errors(self, order_id: str, action: str) -> list[str]:
        """The kind of error of each entry of this action in the log of the order's operations."""
        rows = OperationLog.objects.filter(operation__account=self.account, order_id=order_id, action=action)
        return [(entry.error_details or {}).get("kind", "") for entry in rows.order_by("id")]

    def runs(self, what: SyncRun.What = What.ORDERS) -> list[tuple[str, str]]:
        """(status, kind of error) of each run of this account, the oldest first."""
        return [(run.status, run.error_kind) for run in self.all_runs() if run.what == what]

    def all_runs(self) -> list[SyncRun]:
        return list(SyncRun.objects.filter(account_id=self.account.pk).order_by("started_at", "id"))


def account_at(keeper: Keeper, shop: Shop) -> SellerAccount:
    """A live account with the keys of this seller of the stand-in."""
    marketplace = Marketplace(keeper.seller.marketplace)
    fields: dict[str, Any] = {}
    if marketplace == Marketplace.ALLEGRO:
        now = timezone.now()
        fields = {
            "tokens": {**keeper.tokens(), "issued_at": now.isoformat(), "expires_in": 43_199},
            "access_expires_at": now + datetime.timedelta(hours=12),
        }
    return SellerAccount.objects.create(
        marketplace=marketplace,
        external_user_id="seller",
        name=f"Trade on {marketplace.label}",
        location=shop.location,
        mode=SellerAccount.Mode.LIVE,
        connection=SellerAccount.Connection.CONNECTED,
        credentials=keeper.keys,
        credentials_changed_at=timezone.now(),
        push_warehouse_id="" if marketplace == Marketplace.ALLEGRO else keeper.warehouse_id,
        **fields,
    )


# --- the one check ------------------------------------------------------------------------------------


def assert_nothing_is_lost_or_doubled(
    standin: Standin, account: SellerAccount, *, failed: Iterable[str] = (), cancelled: Iterable[str] = ()
) -> None:
    """After everything: each order of the stand-in was taken from the shelf once and told once, and what the
    marketplace shows is what the shelf holds.

    `failed` are the ids of the orders whose operation had to fail, with an alert, before anything was deducted;
    `cancelled` those that the buyer took back. All others are completed.
    """
    keeper: Keeper = getattr(standin, account.marketplace)
    expected = {order_id: Status.COMPLETED for order_id, order in keeper.seller.orders.items() if not order.is_gone}
    expected |= dict.fromkeys(failed, Status.FAILED) | dict.fromkeys(cancelled, Status.CANCELLED)
    mirrored = MarketplaceOrder.objects.filter(account=account)
    assert set(mirrored.values_list("external_id", flat=True)) >= set(expected)

    sales = StockOperation.objects.filter(account=account, kind=StockOperation.Kind.SALE, successor=None)
    found = list(sales.values_list("order__external_id", "status"))
    assert Counter(order_id for order_id, _status in found) == Counter(list(expected))
    assert dict(found) == expected

    assert_the_ledger_holds_each_order_once(account, keeper, expected)
    assert_levels_are_what_the_ledger_sums_to()
    for order_id, status in expected.items():
        assert times_told(standin, keeper, order_id) == int(status == Status.COMPLETED), order_id
    told = set(Alert.objects.filter(event="marketplaces.operation_failed").values_list("subject", flat=True))
    assert {str(pk) for pk in sales.filter(status=Status.FAILED).values_list("pk", flat=True)} <= told
    assert_the_marketplace_shows_what_there_is(account, keeper)


def assert_the_ledger_holds_each_order_once(
    account: SellerAccount, keeper: Keeper, expected: Mapping[str, str]
) -> None:
    deductions = StockOperation.objects.filter(account=account, deduction_id__isnull=False)
    order_of = {str(pk): order_id for pk, order_id in deductions.values_list("deduction_id", "order__external_id")}
    rows = StockMovement.objects.filter(document_type="stock_operation", location=account.location).order_by()
    held: dict[str, Decimal] = {}
    for document_id, delta in rows.values_list("document_id").annotate(sum=Sum("delta")):
        order_id = order_of[document_id]
        held[order_id] = held.get(order_id, Decimal(0)) + delta
    portions = {
        listing.sku: sum(line.quantity for line in listing.product.recipe_lines.all()) * listing.quantity
        for listing in Listing.objects.filter(account=account).select_related("product")
    }
    for order_id, status in expected.items():
        pieces = keeper[order_id].lines if status == Status.COMPLETED else []
        taken = sum(line.quantity * portions[line.sku] for line in pieces)
        assert held.get(order_id, Decimal(0)) == -taken, order_id


def times_told(standin: Standin, keeper: Keeper, order_id: str) -> int:
    """How often the marketplace has carried out that the shop is working on this order."""
    order: Order = keeper[order_id]
    if keeper.seller.marketplace == Marketplace.ALLEGRO:
        return order.changes
    if keeper.seller.marketplace == Marketplace.OZON:
        return int(order.status not in (READY["ozon"], "cancelled"))
    supplies = [supply["orders"] for supply in standin.world.shelf("supply").values()]
    return sum(order.serial in orders for orders in supplies)


def assert_the_marketplace_shows_what_there_is(account: SellerAccount, keeper: Keeper) -> None:
    for listing in Listing.objects.filter(account=account).select_related("product"):
        portions = []
        for line in listing.product.recipe_lines.all():
            quantity = StockMovement.objects.filter(location=account.location, ingredient=line.ingredient)
            portions.append((quantity.aggregate(sum=Sum("delta"))["sum"] or Decimal(0)) // line.quantity)
        if portions:
            shown = max(0, int(min(portions) // listing.quantity) - listing.buffer)
            assert (keeper.shown(listing.sku), listing.offered) == (shown, shown), listing.sku
