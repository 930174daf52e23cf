"""Importing sales: completed orders without prices that move no stock, each once, however often it is tried."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory.models import Location, Product, StockLevel, StockMovement
from orders import sales_survey, tasks
from orders.errors import SalesImportBegun, UnknownSalesImport, WrongLinesOfSales, WrongSalesFile
from orders.models import Customer, Order, OrderEvent, OrderItem, SalesImport, SalesImportPart
from orders.sales_file import open_sales
from orders.sales_selectors import known_import_keys
from orders.sales_survey import SalesSurvey, survey_sales
from orders.selectors import best_sellers, customer_figures, day_figures
from orders.services.actor import Actor
from orders.services.archive import archive_orders
from orders.services.sales_import import (
    discard_import,
    import_next_part,
    import_sales,
    keep_survey,
    start_import,
)
from tests.inventory.admin_pages import signed_in
from tests.orders.sales_files import BAKERY, survey_of
from tests.shop import NOBODY, Shop, assert_levels_are_what_the_ledger_sums_to, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def bakery() -> Location:
    return Location.objects.create(name="Bakery", time_zone="Europe/London")


@pytest.fixture
def parts_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales_survey, "PART", 2)


def shipped(location: Location) -> SalesImport:
    with open_sales(BAKERY) as file:
        return import_sales(survey=survey_sales(file=file, location=location), file_name=BAKERY.name, actor=NOBODY)


def imported(location: Location, *lines: str, **more: Any) -> SalesImport:
    return import_sales(survey=survey_of(location, *lines), file_name="till.csv", actor=NOBODY, **more)


def kept(survey: SalesSurvey, actor: Actor = NOBODY) -> SalesImport:
    return keep_survey(survey=survey, file_name="till.csv", actor=actor)


def run_to_its_end(sales_import: SalesImport) -> int:
    """Does what the task does; how many calls it took."""
    calls = 1
    while import_next_part(import_id=sales_import.pk):
        calls += 1
    sales_import.refresh_from_db()
    return calls


# --- the shipped file ---


def test_the_shipped_file_becomes_9465_orders_and_a_second_run_imports_nothing(bakery: Location) -> None:
    first = shipped(bakery)

    assert (first.line_count, first.none_count, first.wrong_count, first.left_out_count) == (21_293, 786, 0, 0)
    assert (first.order_count, first.imported_count, first.already_there_count) == (9_465, 9_465, 0)
    assert (first.item_count, len(first.new_products), first.status) == (20_507, 94, "finished")
    assert Order.objects.count() == OrderEvent.objects.count() == 9_465
    assert OrderItem.objects.count() == 18_887
    assert OrderItem.objects.aggregate(Sum("quantity"))["quantity__sum"] == 20_507
    assert set(Order.objects.values_list("status", "channel", "total")) == {("completed", "import", Decimal("0.00"))}
    assert set(Product.objects.values_list("category__name", "is_listed", "price")) == {
        ("Imported", False, Decimal("0.00"))
    }
    assert Product.objects.count() == 94
    assert not StockMovement.objects.exists()
    assert not StockLevel.objects.exists()

    second = shipped(bakery)

    assert (second.order_count, second.imported_count, second.already_there_count) == (9_465, 0, 9_465)
    assert (second.known_count, second.new_products) == (9_465, [])
    assert Order.objects.count() == 9_465
    assert Product.objects.count() == 94


def test_an_imported_order_says_when_it_was_sold_and_where_it_comes_from(bakery: Location) -> None:
    actor = Actor(user_of("manager").pk, OrderEvent.Door.TASK)
    survey = survey_of(bakery, "2017-05-01,09:58:11,17,Tea", "2017-05-01,09:58:11,17,Tea", till="2")
    import_sales(survey=survey, file_name="/somewhere/may.csv", actor=actor)

    order = Order.objects.get()
    sold_at = datetime.datetime(2017, 5, 1, 8, 58, 11, tzinfo=datetime.UTC)
    assert (order.placed_at, order.closed_at, order.location) == (sold_at, sold_at, bakery)
    assert (order.customer, order.employee, order.created_by_id) == (None, None, actor.user_id)
    item = order.items.get()
    assert (item.name, item.quantity, item.unit_price, item.total, item.options) == ("Tea", 2, 0, 0, [])
    event = order.events.get()
    assert (event.kind, event.from_status, event.to_status, event.door) == ("imported", "", "completed", "task")
    assert event.details == {"file": "may.csv", "till": "2", "transaction": "17", "line": 2}
    assert event.created_at > timezone.now() - datetime.timedelta(minutes=1), "when it was imported"


def test_names_are_matched_to_products_and_the_others_become_unlisted_ones() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", stock=1000)
    tea = shop.product("Tea", recipe={milk: 100})
    lines = ["2017-05-01,10:00,1,TEA", "2017-05-01,10:00,1,Scone", "2017-05-01,10:05,2,scone", "2017-05-01,10:05,2,tea"]
    survey = survey_of(shop.location, *lines)
    assert survey.new_products == ["Scone"]

    import_sales(survey=survey, file_name="till.csv", actor=NOBODY)

    scone = Product.objects.get(name="Scone")
    assert (scone.is_listed, scone.price, scone.category.name, scone.recipe_lines.count()) == (False, 0, "Imported", 0)
    assert list(OrderItem.objects.order_by("order_id", "position").values_list("product_id", "name")) == [
        (tea.pk, "Tea"),
        (scone.pk, "Scone"),
        (scone.pk, "Scone"),
        (tea.pk, "Tea"),
    ]
    assert shop.quantity(milk) == 1000
    assert shop.ledger(milk) == [("receipt", Decimal(1000))], "an imported sale takes nothing"
    assert_levels_are_what_the_ledger_sums_to()


def test_a_product_that_was_renamed_or_added_between_the_look_and_the_import_is_found(bakery: Location) -> None:
    survey = survey_of(bakery, "2017-05-01,10:00,1,Scone")
    assert survey.new_products == ["Scone"]
    scone = Shop.open().product("SCONE")

    import_sales(survey=survey, file_name="till.csv", actor=NOBODY)

    assert OrderItem.objects.get().product == scone
    assert Product.objects.count() == 1


def test_imported_sales_are_no_revenue_anywhere(bakery: Location) -> None:
    shop = Shop(bakery, Shop.open().category)
    customer = Customer.objects.create(name="Ann")
    today = bakery.today()
    shop.sell(shop.product("Latte", "70.00"), customer_id=customer.pk)
    before = day_figures(location=bakery, day=today), customer_figures(customer)

    now = timezone.localtime(timezone=datetime.UTC) - datetime.timedelta(minutes=90)
    imported(bakery, f"{now:%Y-%m-%d},{now:%H:%M},1,Cake")
    start, end = bakery.day_bounds(today - datetime.timedelta(days=2))[0], bakery.day_bounds(today)[1]

    assert Order.objects.count() == 2
    assert (day_figures(location=bakery, day=today), customer_figures(customer)) == before
    assert [name for name, _sold, _revenue in best_sellers(location=bakery, start=start, end=end)] == ["Latte"]
    assert not Order.objects.filter(channel="import").active().exists()


# --- each order once ---


def test_what_is_missing_is_added_and_nothing_is_doubled(bakery: Location) -> None:
    lines = [f"2017-05-01,10:{number:02},{number},Tea" for number in range(5)]
    imported(bakery, *lines[:2], lines[4])

    survey = survey_of(bakery, *lines)
    assert (survey.findings.orders, survey.known) == (5, 3)
    done = import_sales(survey=survey, file_name="till.csv", actor=NOBODY)

    assert (done.imported_count, done.already_there_count) == (2, 3)
    assert sorted(OrderEvent.objects.values_list("details__transaction", flat=True)) == ["0", "1", "2", "3", "4"]


def test_another_location_and_another_till_have_transactions_of_their_own(bakery: Location) -> None:
    line = "2017-05-01,10:00,1,Tea"
    imported(bakery, line)
    imported(Location.objects.create(name="Riverside"), line)
    survey = survey_of(bakery, line, till="garden")

    assert import_sales(survey=survey, file_name="till.csv", actor=NOBODY).imported_count == 1
    assert Order.objects.count() == 3


def test_a_time_zone_that_is_corrected_later_doubles_nothing(bakery: Location) -> None:
    imported(bakery, "2017-05-01,10:00,1,Tea")
    bakery.time_zone = "Asia/Bangkok"
    bakery.save()

    assert imported(bakery, "2017-05-01,10:00,1,Tea").imported_count == 0


def test_orders_that_were_archived_are_there_too(bakery: Location) -> None:
    lines = ["2017-05-01,10:00,1,Tea", "2017-05-01,10:05,2,Tea"]
    imported(bakery, *lines)
    assert archive_orders(before=timezone.now() - datetime.timedelta(days=365)) == 2
    assert not Order.objects.exists()

    survey = survey_of(bakery, *lines, "2017-05-01,10:10,3,Tea")

    assert survey.known == 2
    done = import_sales(survey=survey, file_name="till.csv", actor=NOBODY)
    assert (done.imported_count, done.already_there_count) == (1, 2)


def test_the_database_itself_refuses_a_second_order_with_the_same_key(bakery: Location) -> None:
    imported(bakery, "2017-05-01,10:00,1,Tea")
    key = Order.objects.get().import_key

    for channel in ("import", "counter"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Order.objects.create(location=bakery, channel=channel, import_key=key + channel[7:])
    assert known_import_keys([key, "another"]) == {key}


# --- wrong lines ---


WRONG = ("2017-05-01,10:00,1,Tea", "2017-05-01,10:05,2,Tea", "2017-05-01,10:05,2", "2017-05-01,10:10,3,Tea")


def test_a_file_with_wrong_lines_changes_nothing_until_somebody_leaves_them_out(bakery: Location) -> None:
    with pytest.raises(WrongLinesOfSales, match="1 line is wrong"):
        imported(bakery, *WRONG)
    assert not Order.objects.exists()
    assert not SalesImport.objects.exists()
    assert not Product.objects.exists()

    done = imported(bakery, *WRONG, leave_out_wrong=True)

    assert (done.imported_count, done.wrong_count, done.left_out_count) == (2, 1, 1)
    assert done.errors == [{"line": 4, "detail": "3 cells instead of 4. A name with a comma needs quotation marks."}]


def test_a_corrected_file_brings_in_what_was_left_out(bakery: Location) -> None:
    imported(bakery, *WRONG, leave_out_wrong=True)

    done = imported(bakery, *(line if line.count(",") == 3 else f"{line},Cake" for line in WRONG))

    assert (done.imported_count, done.already_there_count) == (1, 2)
    order = Order.objects.get(events__details__transaction="2")
    assert [item.name for item in order.items.all()] == ["Tea", "Cake"]


def test_a_till_with_a_long_name_is_refused(bakery: Location) -> None:
    with pytest.raises(WrongSalesFile) as caught:
        survey_of(bakery, "2017-05-01,10:00,1,Tea", till="t" * 41)
    assert list(caught.value.errors) == ["till"]


# --- in the background ---


def test_a_kept_file_waits_and_changes_nothing_until_it_is_started(bakery: Location, parts_of_two: None) -> None:
    survey = survey_of(bakery, *(f"2017-05-01,10:{number:02},{number},Tea" for number in range(5)))
    sales_import = kept(survey, Actor(user_of("manager").pk, OrderEvent.Door.ADMIN))

    assert (sales_import.status, sales_import.order_count, sales_import.parts.count()) == ("checked", 5, 3)
    assert not Order.objects.exists()
    assert import_next_part(import_id=sales_import.pk) is False, "nobody has started it"
    assert not Order.objects.exists()

    start_import(import_id=sales_import.pk)
    assert import_next_part(import_id=sales_import.pk) is True
    sales_import.refresh_from_db()
    assert (sales_import.status, sales_import.done_count, Order.objects.count()) == ("running", 2, 2)
    assert run_to_its_end(sales_import) == 2

    assert (sales_import.status, sales_import.imported_count, Order.objects.count()) == ("finished", 5, 5)
    assert not SalesImportPart.objects.exists(), "nothing of the file is left"
    assert set(OrderEvent.objects.values_list("door", "created_by__email")) == {("task", "manager@shop.example")}
    assert import_next_part(import_id=sales_import.pk) is False
    assert Order.objects.count() == 5


def test_of_two_who_start_it_one_is_told_and_so_is_who_discards_it_then(bakery: Location) -> None:
    sales_import = kept(survey_of(bakery, "2017-05-01,10:00,1,Tea"))
    start_import(import_id=sales_import.pk)

    for verb in (start_import, discard_import):
        with pytest.raises(SalesImportBegun, match=r"till\.csv is not waiting any more\. Its status: running"):
            verb(import_id=sales_import.pk)
    assert SalesImportPart.objects.count() == 1
    with pytest.raises(UnknownSalesImport):
        start_import(import_id="00000000-0000-0000-0000-000000000000")


def test_wrong_lines_stop_the_start_until_they_are_left_out(bakery: Location) -> None:
    sales_import = kept(survey_of(bakery, *WRONG))

    with pytest.raises(WrongLinesOfSales):
        start_import(import_id=sales_import.pk)
    start_import(import_id=sales_import.pk, leave_out_wrong=True)
    run_to_its_end(sales_import)

    assert (sales_import.imported_count, Order.objects.count()) == (2, 2)


def test_a_discarded_import_leaves_nothing_but_its_record(bakery: Location) -> None:
    sales_import = kept(survey_of(bakery, "2017-05-01,10:00,1,Tea"))

    discard_import(import_id=sales_import.pk)

    sales_import.refresh_from_db()
    assert sales_import.status == "discarded"
    assert not SalesImportPart.objects.exists()
    assert import_next_part(import_id=sales_import.pk) is False
    assert not Order.objects.exists()


def test_an_import_without_orders_ends_at_once(bakery: Location) -> None:
    sales_import = kept(survey_of(bakery, "2017-05-01,10:00,1,NONE"))
    start_import(import_id=sales_import.pk)

    assert run_to_its_end(sales_import) == 1
    assert (sales_import.status, sales_import.none_count) == ("finished", 1)


def calls_of(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    called: list[str] = []
    monkeypatch.setattr(tasks.run_sales_import, "delay", called.append)
    return called


def long_ago(sales_import: SalesImport, **ago: int) -> None:
    when = timezone.now() - datetime.timedelta(**ago)
    SalesImport.objects.filter(pk=sales_import.pk).update(updated_at=when)


def test_the_task_does_a_part_and_calls_itself_for_the_next(
    bakery: Location, parts_of_two: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = calls_of(monkeypatch)
    sales_import = kept(survey_of(bakery, *(f"2017-05-01,10:{number:02},{number},Tea" for number in range(3))))
    start_import(import_id=sales_import.pk)

    tasks.run_sales_import(str(sales_import.pk))
    assert (called, Order.objects.count()) == ([str(sales_import.pk)], 2)
    tasks.run_sales_import(str(sales_import.pk))
    assert (called, Order.objects.count()) == ([str(sales_import.pk)], 3)


def test_an_import_whose_message_was_lost_is_carried_on(bakery: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    called = calls_of(monkeypatch)
    lost, fresh, waiting = (
        kept(survey_of(bakery, f"2017-05-01,10:00,{number},Tea"), Actor(None, OrderEvent.Door.ADMIN))
        for number in range(3)
    )
    for one in (lost, fresh):
        start_import(import_id=one.pk)
    for one in (lost, waiting):
        long_ago(one, minutes=3)

    tasks.carry_on_stalled_sales_imports()

    assert called == [str(lost.pk)]


def test_an_import_of_the_command_line_that_was_killed_is_marked(
    bakery: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = calls_of(monkeypatch)
    killed = imported(bakery, "2017-05-01,10:00,1,Tea")
    SalesImport.objects.update(status="running", finished_at=None)
    long_ago(killed, minutes=3)

    tasks.carry_on_stalled_sales_imports()

    killed.refresh_from_db()
    assert (called, killed.status) == ([], "stopped")
    assert killed.finished_at is not None


def test_what_nobody_has_started_for_a_day_is_discarded(bakery: Location) -> None:
    old, fresh = (kept(survey_of(bakery, f"2017-05-01,10:00,{number},Tea")) for number in range(2))
    long_ago(old, hours=25)
    long_ago(fresh, hours=23)

    tasks.discard_forgotten_sales_imports()

    assert dict(SalesImport.objects.values_list("pk", "status")) == {old.pk: "discarded", fresh.pk: "checked"}
    assert [part.sales_import_id for part in SalesImportPart.objects.all()] == [fresh.pk]


def test_an_import_that_breaks_off_says_so_and_the_next_goes_on(bakery: Location, parts_of_two: None) -> None:
    lines = [f"2017-05-01,10:{number:02},{number},Tea" for number in range(5)]

    def stop(done: SalesImport) -> None:
        if done.done_count == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imported(bakery, *lines, tell=stop)

    assert (SalesImport.objects.get().status, Order.objects.count()) == ("stopped", 4)
    assert imported(bakery, *lines).imported_count == 1


# --- what it takes ---


def statements(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


def test_a_part_takes_the_same_queries_for_2_orders_and_for_200(bakery: Location) -> None:
    def part_of(number: int, hour: int) -> int:
        lines = [
            f"2017-05-01,{hour}:{place % 60:02},{place},{item}" for place in range(number) for item in ("Tea", "Cake")
        ]
        sales_import = kept(survey_of(bakery, *lines))
        start_import(import_id=sales_import.pk)
        return statements(lambda: import_next_part(import_id=sales_import.pk))

    part_of(1, 9)  # makes the products
    assert part_of(2, 10) == part_of(200, 11) == 15


def test_the_home_page_and_the_list_of_orders_stay_what_they_are(bakery: Location) -> None:
    manager = signed_in("manager")
    shop = Shop(bakery, Shop.open().category)
    order = shop.sell(shop.product("Latte", "70.00"))
    imported(bakery, *(f"2016-10-30,10:{number:02},{number},Cake" for number in range(60)))

    shown = manager.get("/admin/orders/order/").content.decode()
    assert f"#{order.number}<" in shown, "what was placed last stands first, whatever was imported since"
    home = manager.get(f"/admin/?location={bakery.pk}")
    today = home.context["home"]["today"].now
    assert (today.orders, today.active, today.revenue) == (1, 1, Decimal("0.00"))
