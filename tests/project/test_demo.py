"""The demo shop of the first start: what a newcomer finds in it, to the last gram."""

import datetime
import json
import re
import stat
import zoneinfo
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count, F, Sum
from django.test import override_settings
from django.utils import timezone

from inventory import house_recipes as house
from inventory.lot_selectors import lots_that_differ_from_their_level
from inventory.models import (
    DefaultLocation,
    Location,
    Option,
    PreparationRecipe,
    Product,
    PurchaseOrder,
    Shelf,
    StockDocument,
    StockLevel,
    StockLot,
    StockMovement,
    Supplier,
    SupplierPack,
)
from inventory.selectors import low_stock, options_in_stock, with_availability
from marketplaces.models import SellerAccount
from marketplaces.standin.demo_goods import DEMO_GOODS, DEMO_KEYS, DEMO_REFRESH_TOKEN
from marketplaces.standin.seeding import seed_demo, seller_id
from marketplaces.standin.world import World
from monitoring.models import Alert, AlertRule, Channel, DailyReport, Delivery
from monitoring.services.dispatch import plan_deliveries
from orders.models import (
    CancelledItem,
    Customer,
    Employee,
    LoyaltyEntry,
    LoyaltyTier,
    Order,
    OrderEvent,
    OrderItem,
    Payment,
    Payroll,
    Position,
    PromoCode,
    PromoRedemption,
    Promotion,
    Refund,
    Salary,
    Shift,
)
from orders.promo_code_states import PromoCodeState, state_of
from orders.selectors import active_orders, best_sellers, day_figures, orders_per_day
from orders.services.pins import check_pin
from orders.shift_selectors import expected_cash
from project.demo.errors import ShopNotEmpty
from project.demo.load import DemoShop, load_demo
from project.demo.places import AFTER_CLOSING, OPENS_AT
from project.demo.storekeeping import DRY_PEARLS
from project.demo.storeroom import SUPPLIES
from tests.shop import assert_levels_are_what_the_ledger_sums_to
from users.models import User

pytestmark = pytest.mark.django_db

# A Saturday, a little before six in the evening in Bangkok.
NOW = datetime.datetime(2026, 11, 21, 10, 57, 30, tzinfo=datetime.UTC)
QUICK_HASHES = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])


@pytest.fixture(scope="module")
def accounts_path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("var") / "demo-accounts.json"


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: Any, accounts_path: Path) -> Iterator[DemoShop]:
    """One demo shop for all tests of this module; each of them runs in a savepoint of its own."""
    with django_db_blocker.unblock(), QUICK_HASHES, transaction.atomic():
        loaded = load_demo(accounts_path=accounts_path, now=NOW)
        assert loaded is not None
        yield loaded
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _in_the_shop(shop: DemoShop, db: None) -> None:
    """Every test here is about the shop."""


def siam() -> Location:
    return Location.objects.get(name="Siam Square")


def chatuchak() -> Location:
    return Location.objects.get(name="Chatuchak")


def test_it_has_two_locations_a_menu_and_people(shop):
    assert shop == DemoShop(locations=2, drinks=35, guests=20, orders=359)
    assert list(Location.objects.values_list("name", "time_zone", "day_starts_at", "is_active")) == [
        ("Siam Square", "Asia/Bangkok", datetime.time(0, 0), True),
        ("Chatuchak", "Asia/Bangkok", datetime.time(4, 0), True),
    ]
    assert Product.objects.count() == 35 + len(DEMO_GOODS)
    assert Customer.objects.count() == 20
    assert Employee.objects.count() == 8
    assert Employee.objects.filter(left_on=None).count() == 7
    assert set(Position.objects.values_list("name", flat=True)) == {"Owner", "Manager", "Barista", "Shift lead"}
    assert User.objects.count() == 4


def test_it_has_a_week_of_orders_and_some_in_every_status_at_both_locations():
    assert Counter(Order.objects.values_list("location__name", "status")) == {
        ("Siam Square", "completed"): 191,
        ("Siam Square", "cancelled"): 19,
        ("Siam Square", "ready"): 1,
        ("Siam Square", "preparing"): 1,
        ("Siam Square", "pending"): 1,
        ("Chatuchak", "completed"): 139,
        ("Chatuchak", "cancelled"): 4,
        ("Chatuchak", "ready"): 1,
        ("Chatuchak", "preparing"): 1,
        ("Chatuchak", "pending"): 1,
    }
    assert Counter(Order.objects.values_list("channel", flat=True)).keys() == {"counter", "web", "api"}
    for order in Order.objects.filter(channel="counter"):
        assert order.employee_id is not None
        assert order.employee.location_id == order.location_id
        assert order.employee.left_on is None


def test_levels_are_what_the_ledger_sums_to_and_totals_add_up():
    assert_levels_are_what_the_ledger_sums_to()
    assert not StockLevel.objects.filter(quantity__lt=0).exists()
    for order in Order.objects.exclude(status="cancelled").prefetch_related("items"):
        items = list(order.items.all())
        assert (order.subtotal, order.discount) == (
            sum(item.total for item in items),
            sum(item.discount for item in items),
        )


def test_orders_are_paid_but_for_those_who_have_just_come_and_what_was_cancelled_is_paid_back():
    assert not Order.objects.filter(status__in=["preparing", "ready", "completed"]).exclude(paid=F("total")).exists()
    assert not Order.objects.filter(status="cancelled").exclude(paid=0).exists()
    assert Order.objects.filter(status="pending", paid=0).exists()
    for order in Order.objects.all():
        came = Payment.objects.filter(order_id=order.pk).aggregate(sum=Sum("amount", default=0))["sum"]
        went = Refund.objects.filter(order_id=order.pk).aggregate(sum=Sum("amount", default=0))["sum"]
        assert came - went == order.paid
    assert set(Payment.objects.values_list("method", flat=True)) == {"cash", "card", "transfer", "online"}
    assert Payment.objects.filter(tip__gt=0).exists()
    reasons = set(Refund.objects.values_list("reason", flat=True))
    assert {"Waited twenty minutes", "The pearls were hard"} <= reasons


def test_each_till_was_closed_every_evening_and_is_open_now():
    for location in (siam(), chatuchak()):
        shifts = Shift.objects.filter(location=location).order_by("opened_at")
        assert [shift.is_open for shift in shifts] == [False] * 8 + [True]
        for before, after in pairwise(shifts):
            assert before.closed_at < after.opened_at
        for shift in shifts.filter(closed_at=None):
            assert expected_cash(shift) > shift.opening_float
    assert 0 < Shift.objects.exclude(difference=0).exclude(closed_at=None).count() < 4


def test_some_drinks_were_cheaper_by_the_clock_by_a_code_and_by_points():
    steps = Counter(step["kind"] for order in Order.objects.all() for step in order.discounts)
    assert steps.keys() == {"promotion", "code", "points", "goodwill"}
    assert set(Promotion.objects.values_list("name", flat=True)) == {"Happy hour", "Second milk tea at half price"}
    welcome, summer = PromoCode.objects.get(code="WELCOME10"), PromoCode.objects.get(code="SUMMER")
    used = PromoRedemption.objects.filter(released_at=None)
    assert welcome.used_count == used.count() > 0
    assert state_of(summer, at=NOW) == PromoCodeState.EXPIRED
    assert max(Counter(used.values_list("customer_id", flat=True)).values()) == 1


def test_points_are_what_the_ledger_sums_to_and_tiers_are_told_apart():
    for customer in Customer.objects.annotate(sum=Sum("loyalty_entries__points", default=0)):
        assert customer.points == customer.sum >= 0
    assert set(LoyaltyEntry.objects.values_list("kind", flat=True)) >= {"earned", "redeemed"}
    assert LoyaltyTier.objects.count() == 3


def test_people_are_paid_raised_and_known_at_the_counter_and_last_months_payroll_is_begun():
    assert not Employee.objects.exclude(pk__in=Salary.objects.values("employee_id")).exists()
    kanya = Employee.objects.get(name="Kanya Boonmee")
    assert list(Salary.objects.filter(employee=kanya).order_by("valid_from").values_list("amount", flat=True)) == [
        Decimal(16000),
        Decimal(17500),
    ]
    assert check_pin(employee_id=kanya.pk, pin="1234", address="192.0.2.1") == kanya
    payroll = Payroll.objects.get()
    assert (payroll.month, payroll.status) == (datetime.date(2026, 10, 1), "draft")
    assert payroll.lines.count() == 8


def test_a_wholly_cancelled_order_gave_everything_back_or_wrote_it_off():
    cancelled = Order.objects.filter(status="cancelled")
    assert cancelled.count() == 23
    for order in cancelled:
        movements = StockMovement.objects.filter(document_type="order", document_id=str(order.pk))
        sold = Counter[int]()
        for movement in movements.exclude(reason="write_off"):
            sold[movement.ingredient_id] += movement.delta
        assert not any(sold.values())
        wasted = movements.filter(reason="write_off").exists()
        assert CancelledItem.objects.filter(item__order=order).exclude(is_restocked=not wasted).count() == 0
        assert order.events.get(kind="cancel").reason


def test_some_orders_are_cancelled_in_part_with_return_and_with_waste():
    in_part = CancelledItem.objects.exclude(item__order__status="cancelled")
    # One more was paid back to a guest who came back.
    assert in_part.count() - 1 == OrderEvent.objects.filter(kind="cancel_item").count() == 12
    assert set(in_part.values_list("is_restocked", flat=True)) == {True, False}
    assert not in_part.filter(reason="").exists()
    assert OrderItem.objects.filter(cancelled_quantity__gt=0, cancelled_quantity__lt=F("quantity")).exists()


def test_nothing_lies_in_the_future_or_before_the_week_and_all_is_in_the_order_of_time():
    for model, column in ((Order, "placed_at"), (OrderEvent, "created_at"), (StockMovement, "created_at")):
        moments = list(model.objects.order_by("id").values_list(column, flat=True))
        assert moments == sorted(moments)
        assert NOW - datetime.timedelta(days=9) < moments[0]
        assert moments[-1] <= NOW
    for order in Order.objects.prefetch_related("events"):
        events = sorted(order.events.all(), key=lambda event: event.pk)
        assert events[0].created_at == order.placed_at
        assert all(earlier.created_at <= later.created_at for earlier, later in pairwise(events))
        moves = [event for event in events if event.from_status != event.to_status]
        assert order.closed_at == (None if order.is_active else moves[-1].created_at)


def test_guests_come_in_opening_hours_and_most_of_them_at_lunch_and_in_the_evening():
    bangkok = zoneinfo.ZoneInfo("Asia/Bangkok")
    hours = Counter(moment.astimezone(bangkok).hour for moment in Order.objects.values_list("placed_at", flat=True))
    assert min(hours) >= OPENS_AT.hour
    assert max(hours) < AFTER_CLOSING.hour
    assert hours[12] + hours[13] > 2 * (hours[10] + hours[11])
    assert hours[17] + hours[18] > 2 * (hours[20] + hours[21])


def test_the_home_page_has_figures():
    for location in (siam(), chatuchak()):
        today = location.today(NOW)
        figures = day_figures(location=location, day=today)
        assert figures.orders > 10
        assert figures.completed > 10
        assert figures.revenue > 1000
        assert figures.active == active_orders(location=location).count() == 3
        start, end = location.day_bounds(today)
        assert len(best_sellers(location=location, start=start, end=end)) == 5
        week = [today - datetime.timedelta(days=ago) for ago in range(8)]
        assert all(one.orders > 5 and one.revenue > 500 for _day, one in orders_per_day(location=location, days=week))


def test_a_few_ingredients_are_low_and_what_needs_them_cannot_be_had():
    def unavailable(location: Location) -> set[str]:
        products = with_availability(Product.objects.all(), location=location)
        return {product.name for product in products if not product.is_available}

    def missing_options(location: Location) -> set[str]:
        there = options_in_stock(location=location).values_list("pk", flat=True)
        return set(Option.objects.exclude(pk__in=there).values_list("name", flat=True))

    assert {(level.ingredient.name, level.quantity, level.minimum) for level in low_stock(location=siam())} == {
        ("Hazelnut syrup", 60, 150),
        ("Coconut jelly", 240, 400),
    }
    assert [(level.ingredient.name, level.quantity) for level in low_stock(location=chatuchak())] == [
        ("Coffee jelly", 180)
    ]
    assert unavailable(siam()) == {"Hazelnut Milk Tea"}
    assert unavailable(chatuchak()) == {"Coffee Jelly Fresh Milk"}
    assert missing_options(siam()) == {"Coconut jelly"}
    assert missing_options(chatuchak()) == set()


def test_nothing_else_was_ever_low():
    low = Alert.objects.exclude(event="orders.shift_difference")
    assert set(low.values_list("message", "count", "resolved_at")) == {
        ("Hazelnut syrup at Siam Square is low: 60 ml left, the minimum is 150 ml.", 1, None),
        ("Coconut jelly at Siam Square is low: 240 g left, the minimum is 400 g.", 1, None),
        ("Coffee jelly at Chatuchak is low: 180 g left, the minimum is 400 g.", 1, None),
    }


def test_stock_came_in_packs_at_a_price_and_every_level_has_its_minimum():
    assert Counter(StockDocument.objects.values_list("kind", flat=True)) == {
        "receipt": 11,
        "write_off": 4,
        "transfer": 1,
    }
    of_the_drinks = {"ingredient__name__in": SUPPLIES}
    bought = StockMovement.objects.filter(reason="receipt", **of_the_drinks)
    for movement in bought.select_related("ingredient"):
        supply = SUPPLIES[movement.ingredient.name]
        assert movement.delta % supply.pack == 0
        assert movement.unit_cost == supply.unit_cost > 0
    levels = StockLevel.objects.select_related("ingredient").filter(**of_the_drinks)
    assert levels.count() == 2 * 32
    for level in levels:
        assert level.minimum == SUPPLIES[level.ingredient.name].minimum
        assert abs(level.average_cost - SUPPLIES[level.ingredient.name].unit_cost) <= Decimal("0.00001")


def test_the_store_room_has_suppliers_shelves_dates_a_recipe_and_something_on_order():
    assert Supplier.objects.count() == 6
    assert SupplierPack.objects.filter(is_preferred=True).count() == 32
    assert Shelf.objects.count() == 2 * 6
    assert StockLevel.objects.filter(shelf=None).values_list("ingredient__name", flat=True).get() == DRY_PEARLS
    assert {lot.ingredient.name for lot in StockLot.objects.select_related("ingredient")} == {"Fresh milk"}
    assert lots_that_differ_from_their_level() == []
    recipe = PreparationRecipe.objects.get()
    assert (recipe.ingredient.name, recipe.yield_quantity) == ("Tapioca pearls", 2200)
    assert sorted(PurchaseOrder.objects.values_list("status", "lines__ingredient__name")) == [
        ("draft", "Coconut jelly"),
        ("ordered", "Hazelnut syrup"),
    ]


def test_packaged_goods_are_on_the_shelves_and_offered_on_three_marketplaces():
    goods = Product.objects.filter(category__name="To take home").order_by("position")
    assert [(good.sku, good.barcode, good.name) for good in goods] == [
        (good.sku, good.barcode, good.name) for good in DEMO_GOODS
    ]
    levels = StockLevel.objects.filter(ingredient__name__in=[good.name for good in DEMO_GOODS])
    assert set(levels.values_list("location__name", "quantity", "minimum")) == {
        ("Siam Square", 5000, 20),
        ("Chatuchak", 24, 4),
    }
    accounts = SellerAccount.objects.order_by("marketplace")
    assert [(one.marketplace, one.external_user_id, one.mode, one.connection, one.is_demo) for one in accounts] == [
        (name, "demo-seller", "live", "connected", True) for name in ("allegro", "ozon", "wildberries")
    ]
    assert {(one.location.name, one.credentials_changed_at) for one in accounts} == {("Siam Square", NOW)}
    # Without a stand-in they would reach nothing.
    assert {one.is_active for one in accounts} == {False}
    standin = World()
    seed_demo(standin)
    for account in accounts:
        keys = DEMO_KEYS[account.marketplace]
        seller = standin.sellers[seller_id(account.marketplace, keys)]
        assert account.credentials == keys
        listings = {one.sku: one.product.sku for one in account.listings.select_related("product")}
        assert listings == {offer.sku: offer.article for offer in seller.offers.values()}
        assert not account.push_warehouse_id or account.push_warehouse_id in seller.warehouses
    assert accounts[0].tokens == {"access_token": "", "refresh_token": DEMO_REFRESH_TOKEN}


def test_what_is_ordered_is_dated_by_the_moment_that_the_shop_is_made_for():
    assert set(PurchaseOrder.objects.values_list("created_at", flat=True)) == {NOW}
    ordered = PurchaseOrder.objects.get(status="ordered")
    assert (ordered.ordered_at, ordered.expected_on) == (NOW, datetime.date(2026, 11, 22))


def test_each_location_has_a_report_of_each_day_of_the_week_with_the_revenue_of_that_day():
    for location in (siam(), chatuchak()):
        reports = DailyReport.objects.filter(place=str(location.pk)).order_by("day")
        week = [location.today(NOW) - datetime.timedelta(days=ago) for ago in range(8, 0, -1)]
        assert [report.day for report in reports] == week
        told = [next(one for one in report.data["sections"] if one["name"] == "sales")["figures"] for report in reports]
        revenue = [figures.revenue for _day, figures in orders_per_day(location=location, days=week)]
        assert [Decimal(sales["now"]["revenue"]) for sales in told] == revenue
        # Yesterday is compared with the first of these days.
        assert [Decimal(sales["whole"]["revenue"]) for sales in told] == [*[Decimal(0)] * 7, revenue[0]]
        assert all(len(report.data["sections"]) == 5 for report in reports)
        assert not any(report.deliveries.exists() for report in reports)


def test_packs_are_called_what_a_supplier_would_call_them():
    names = dict(SupplierPack.objects.values_list("ingredient__name", "name"))
    assert [names[one] for one in (house.COCOA, house.MATCHA, house.OAT_MILK, house.BLACK_TEA, house.LID)] == [
        "bag of 1 kg",
        "bag of 500 g",
        "bottle of 1 l",
        "barrel of 5 l",
        "sleeve of 100",
    ]


def test_the_manager_is_told_by_mail_of_what_needs_somebody():
    channel = Channel.objects.get()
    assert (channel.kind, channel.address, channel.gets_daily_report) == ("email", "manager@samovar.example", True)
    rule = AlertRule.objects.get()
    assert (rule.events, rule.severity, list(rule.channels.all())) == ([], "warning", [channel])
    told = plan_deliveries(at=timezone.now())
    assert told.alerts == Alert.objects.count()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.number) == ("waiting", Alert.objects.filter(severity="warning").count())


def test_the_accounts_are_in_a_private_file_one_for_each_role_and_open_the_shop(accounts_path):
    accounts = json.loads(accounts_path.read_text())
    assert [account["role"] for account in accounts] == ["admin", "manager", "barista", "customer"]
    assert stat.S_IMODE(accounts_path.stat().st_mode) == 0o600
    assert sorted(accounts_path.parent.iterdir()) == [accounts_path]
    assert len({account["password"] for account in accounts}) == 4
    assert {account["email"] for account in accounts} == set(User.objects.values_list("email", flat=True))
    for account in accounts:
        assert account.keys() == {"role", "email", "password"}
        user = authenticate(username=account["email"], password=account["password"])
        assert user is not None
        assert user.role == account["role"]
        assert user.is_staff == (account["role"] != "customer")
        assert not user.is_superuser


@pytest.mark.parametrize(
    ("role", "enters"), [("admin", True), ("manager", True), ("barista", True), ("customer", False)]
)
def test_staff_sign_in_to_the_admin_with_them_and_a_customer_does_not(client, accounts_path, role, enters):
    (account,) = [one for one in json.loads(accounts_path.read_text()) if one["role"] == role]
    answer = client.post(
        "/admin/login/?next=/admin/", {"username": account["email"], "password": account["password"], "next": "/admin/"}
    )
    assert (answer.status_code == 302) is enters
    assert ("_auth_user_id" in client.session) is enters


def test_manager_and_barista_work_at_siam_square_and_the_customer_is_a_customer():
    assert set(DefaultLocation.objects.values_list("user__groups__name", "location__name")) == {
        ("manager", "Siam Square"),
        ("barista", "Siam Square"),
    }
    assert set(Employee.objects.exclude(user=None).values_list("user__groups__name", "name")) == {
        ("admin", "Anong Srisai"),
        ("manager", "Napat Wongsakul"),
        ("barista", "Kanya Boonmee"),
    }
    guest = Customer.objects.exclude(user=None).get()
    assert guest.user.role == "customer"
    assert guest.user.name == guest.name
    assert Order.objects.filter(customer=guest).count() > 3


def test_every_phone_number_and_address_is_one_that_nobody_has():
    for guest in Customer.objects.all():
        assert re.fullmatch(r"\+4477009001\d\d|\+1\d{3}55501\d\d", guest.phone)
        assert not guest.email or guest.email.endswith(("@example.com", "@samovar.example"))
    assert Customer.objects.order_by().values("phone").annotate(n=Count("pk")).filter(n__gt=1).count() == 0


def test_a_shop_that_is_not_empty_is_left_alone(accounts_path):
    before = accounts_path.read_bytes()
    movements = StockMovement.objects.count()
    assert load_demo(accounts_path=accounts_path, now=NOW, if_empty=True) is None
    with pytest.raises(ShopNotEmpty):
        load_demo(accounts_path=accounts_path, now=NOW)
    assert accounts_path.read_bytes() == before
    assert StockMovement.objects.count() == movements
    assert User.objects.count() == 4


def test_the_command_says_so_too(settings, accounts_path):
    settings.VAR_DIR = accounts_path.parent
    out = StringIO()
    call_command("load_demo", if_empty=True, stdout=out)
    assert out.getvalue() == "The shop is not empty: nothing was loaded.\n"
    with pytest.raises(CommandError, match="The demo fills an empty shop only"):
        call_command("load_demo")


def test_accounts_that_were_committed_get_their_file_at_the_next_start(accounts_path):
    """Killed after the commit, before the draft took the file's place."""
    before = accounts_path.read_bytes()
    accounts_path.rename(accounts_path.with_name("demo-accounts.json.draft"))
    assert load_demo(accounts_path=accounts_path, now=NOW, if_empty=True) is None
    assert accounts_path.read_bytes() == before
    assert sorted(accounts_path.parent.iterdir()) == [accounts_path]


@pytest.mark.parametrize(
    "draft", ["", '[{"role": "admin", "ema', "{}", '[{"role": "admin", "email": "a@b.example", "password": "x"}]']
)
def test_a_draft_of_accounts_that_do_not_exist_is_dropped(accounts_path, draft):
    before = accounts_path.read_bytes()
    accounts_path.with_name("demo-accounts.json.draft").write_text(draft)
    assert load_demo(accounts_path=accounts_path, now=NOW, if_empty=True) is None
    assert accounts_path.read_bytes() == before
    assert sorted(accounts_path.parent.iterdir()) == [accounts_path]
