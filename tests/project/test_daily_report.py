"""The daily report of a whole shop: exact figures, a fixed number of queries, the page, and who sees what of it."""

import datetime
import zoneinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inventory.daily_report import locations_with_report
from inventory.models import Location, StockDocument
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock, write_off_stock
from marketplaces.models import StockOperation
from monitoring.models import DailyReport
from monitoring.report.words import text_of
from monitoring.services.reports import make_report
from orders.models import Order
from orders.services.transitions import complete_order
from tests.inventory import admin_pages
from tests.inventory.admin_pages import queries_of, signed_in
from tests.marketplaces.shelf import seller
from tests.project.market_operations import an_operation
from tests.shop import NOBODY, Shop, user_of

pytestmark = pytest.mark.django_db
ZONE = zoneinfo.ZoneInfo("Asia/Bangkok")
# A Saturday; the report comes at half past ten in the evening.
DAY = datetime.date(2026, 3, 14)
WEEK = datetime.timedelta(days=7)
REASON = StockDocument.WriteOffReason.SPOILAGE


def at(hour: int, minute: int = 0, day: datetime.date = DAY) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(hour, minute), tzinfo=ZONE)


@pytest.fixture(autouse=True)
def no_backups(settings: Any, tmp_path: Path) -> None:
    """The folder of the tests holds what others left there."""
    settings.BACKUP_DIR = tmp_path / "backups"


@pytest.fixture
def bar() -> Shop:
    return Shop.open(time_zone="Asia/Bangkok", report_at=datetime.time(22, 30))


def sold(shop: Shop, when: datetime.datetime, price: str, quantity: int = 1, *, recipe: Any = None) -> Order:
    product = shop.category.products.filter(name=f"Tea for {price}").first()
    product = product or shop.product(f"Tea for {price}", price, recipe)
    order = shop.sell(product, quantity, at=when)
    complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True, at=when)
    return order


def stocked(shop: Shop, name: str, quantity: str, minimum: str, when: datetime.datetime, cost: str = "0.1") -> Any:
    ingredient = shop.ingredient(name, "ml", minimum=minimum)
    line = StockLine(ingredient.pk, Decimal(quantity), Decimal(cost))
    receive_stock(location=shop.location, lines=[line], created_by_id=None, at=when)
    return ingredient


def report_of(day: datetime.date = DAY, moment: datetime.datetime | None = None) -> DailyReport:
    [place] = locations_with_report()
    report = make_report(place=place, day=day, at=moment or at(22, 30, day))
    assert report is not None
    return report


def figures(report: DailyReport, name: str) -> Any:
    return next((one.get("figures") for one in report.data["sections"] if one["name"] == name), None)


def test_sales_stand_beside_those_of_the_same_weekday_by_this_time(bar: Shop) -> None:
    sold(bar, at(9), "90.00", 2)
    sold(bar, at(9, 59), "60.00")
    bar.cancel(bar.sell(bar.product("Milk tea", "70.00"), at=at(12)))
    sold(bar, at(10, day=DAY - WEEK), "100.00")
    sold(bar, at(22, 40, day=DAY - WEEK), "40.00")
    sold(bar, at(10, day=DAY - datetime.timedelta(days=1)), "1000.00")

    sales = figures(report_of(), "sales")

    assert (sales["now"]["revenue"], sales["now"]["orders"], sales["now"]["average"]) == ("240.00", 3, "120.00")
    assert (sales["then"]["revenue"], sales["whole"]["revenue"], sales["is_whole"]) == ("100.00", "140.00", False)
    assert sales["best"] == [["Tea for 90.00", 2, "180.00"], ["Tea for 60.00", 1, "60.00"]]
    assert [hour for hour in sales["hours"] if hour[1:] != ["0.00", "0.00"]] == [
        ["09", "240.00", "0.00"],
        ["10", "0.00", "100.00"],
        ["22", "0.00", "40.00"],
    ]
    assert len(sales["hours"]) == 24


def test_a_report_of_the_morning_after_compares_whole_days() -> None:
    shop = Shop.open(time_zone="Asia/Bangkok", report_at=datetime.time(8))
    sold(shop, at(23, 50), "90.00")
    sold(shop, at(23, 50, day=DAY - WEEK), "60.00")

    sales = figures(report_of(moment=at(8, day=DAY + datetime.timedelta(days=1))), "sales")

    assert (sales["now"]["revenue"], sales["then"]["revenue"], sales["is_whole"]) == ("90.00", "60.00", True)


def test_a_day_of_25_hours_has_25_and_each_stands_beside_its_own(bar: Shop) -> None:
    """On 25 October 2026 the hour from two to three comes twice in Warsaw."""
    Location.objects.update(time_zone="Europe/Warsaw")
    warsaw, day = zoneinfo.ZoneInfo("Europe/Warsaw"), datetime.date(2026, 10, 25)
    bar.location.refresh_from_db()
    for hour, fold in ((2, 0), (2, 1), (3, 0)):
        moment = datetime.datetime(2026, 10, 25, hour, 30, tzinfo=warsaw, fold=fold)
        sold(bar, moment, f"{hour + fold}0.00")
    sold(bar, datetime.datetime(2026, 10, 18, 3, 30, tzinfo=warsaw), "70.00")

    sales = figures(report_of(day, datetime.datetime(2026, 10, 25, 22, 30, tzinfo=warsaw)), "sales")

    assert len(sales["hours"]) == 25
    assert sales["hours"][2:5] == [["02", "20.00", "0.00"], ["02", "30.00", "0.00"], ["03", "30.00", "70.00"]]


def test_low_stock_says_how_long_it_lasts_at_the_pace_of_the_shop(bar: Shop) -> None:
    before = at(22, 30) - datetime.timedelta(days=10)
    milk = stocked(bar, "Milk", "1000", "900", before)
    stocked(bar, "Honey", "50", "100", before)
    stocked(bar, "Sugar", "500", "100", before)
    # 750 in ten days: 250 last for three more.
    sold(bar, at(9), "50.00", 3, recipe={milk: 250})

    report = report_of()

    low = figures(report, "low_stock")
    assert [(one["name"], one["quantity"], one["days"]) for one in low["low"]] == [
        ("Milk", "250.000", 3),
        ("Honey", "50.000", None),
    ]
    assert "Low: Milk (3 days), Honey (not used lately)" in text_of(report)


def test_write_offs_and_failed_operations_of_the_day_are_told(bar: Shop) -> None:
    milk = stocked(bar, "Milk", "1000", "0", at(7))
    for quantity, when in (("200", at(9)), ("100", at(9, day=DAY - datetime.timedelta(days=1)))):
        line = StockLine(milk.pk, Decimal(quantity))
        write_off_stock(location=bar.location, lines=[line], reason=REASON, created_by_id=None, at=when)
    account = seller(bar)
    elsewhere = seller(Shop.open("Station"), name="Other")
    failed = StockOperation.Status.FAILED
    refused = an_operation(account, "A-1", status=failed, finished_at=at(10), last_error="Refused.")
    an_operation(account, "A-2", status=failed, finished_at=at(10, day=DAY - datetime.timedelta(days=1)))
    an_operation(elsewhere, "B-1", status=failed, finished_at=at(10))
    first = an_operation(account, "A-3", status=failed, finished_at=at(11))
    StockOperation.objects.create(account=account, order=first.order, retry_of=first)

    report = report_of()

    assert figures(report, "write_offs") == {
        "value": "20.000000",
        "number": 1,
        "rows": [
            {"name": "Milk", "reason": "spoilage", "unit": "ml", "quantity": "200.000", "value": "20.000000"},
        ],
    }
    market = figures(report, "marketplaces")
    assert (market["failed"], market["stuck"]) == (1, 0)
    assert market["rows"] == [{"order": str(refused.order), "account": account.name, "reason": "Refused."}]
    assert text_of(report).splitlines() == [
        "Revenue ฿0",
        "0 orders",
        "Written off: ฿20",
        "Marketplaces: 1 operation failed",
        "Backups: there is none yet.",
        "All is well.",
    ]


def test_a_location_that_sells_on_no_marketplace_has_no_such_section(bar: Shop) -> None:
    assert "marketplaces" not in [one["name"] for one in report_of().data["sections"]]


def test_locations_without_an_hour_and_closed_ones_get_no_report(bar: Shop) -> None:
    Shop.open("Station")
    Shop.open("Closed", is_active=False, report_at=datetime.time(22))

    assert [place.name for place in locations_with_report()] == ["Main Street"]


def queries_for_a_report(moment: datetime.datetime) -> int:
    [place] = locations_with_report()
    DailyReport.objects.all().delete()
    with CaptureQueriesContext(connection) as captured:
        make_report(place=place, day=DAY, at=moment)
    return len([one for one in captured if "SAVEPOINT" not in one["sql"]])


def test_a_report_takes_the_same_queries_however_busy_the_day_was(bar: Shop) -> None:
    account = seller(bar)
    milk = stocked(bar, "Milk", "100000", "10", at(7))
    sold(bar, at(9), "50.00", recipe={milk: 250})
    stocked(bar, "Honey", "10", "50", at(8))
    few = queries_for_a_report(at(22, 30))
    for number in range(8):
        sold(bar, at(10 + number), f"{number + 1}0.00", recipe={milk: 250})
        stocked(bar, f"Syrup {number}", "10", "50", at(8))
        line = StockLine(milk.pk, Decimal(10))
        write_off_stock(location=bar.location, lines=[line], reason=REASON, created_by_id=None, at=at(12))
        an_operation(account, f"A-{number}", status=StockOperation.Status.FAILED, finished_at=at(13))

    assert queries_for_a_report(at(22, 30)) == few
    assert few <= 20


def test_the_page_shows_the_day(bar: Shop) -> None:
    milk = stocked(bar, "Milk", "300", "200", at(7))
    sold(bar, at(9), "90.00", recipe={milk: 150})
    sold(bar, at(9, day=DAY - WEEK), "60.00")
    report = report_of()

    text = admin_pages.text_of(signed_in("manager").get(page_of(report)))

    assert "Saturday, 14 March 2026" in text
    assert "figures until 22:30" in text
    assert "Revenue ฿90 ↑ 50 % ฿60 a week before by this time, ฿60 that whole day" in text
    assert "Orders 1 1 completed, 0 cancelled · 1 a week before Average check ฿90 ฿60 a week before" in text
    assert "Best sellers More Tea for 90.00 1 ฿90" in text
    assert "Low stock More Milk" in text
    assert "Main Street ·" not in text, "there is one place"


def test_a_list_of_days_and_a_page_take_the_same_queries_for_any_number_of_them(bar: Shop) -> None:
    client = signed_in("manager")
    report = report_of()
    counts = (queries_of(client, LIST), queries_of(client, page_of(report)))
    for number in range(1, 12):
        DailyReport.objects.create(
            place="1",
            place_name="Main Street",
            time_zone="UTC",
            day=DAY - number * WEEK,
            until=at(22),
            data=report.data,
        )

    assert (queries_of(client, LIST), queries_of(client, page_of(report))) == counts
    assert max(counts) <= 20


LIST = "/admin/monitoring/dailyreport/"


def page_of(report: DailyReport) -> str:
    return f"{LIST}{report.pk}/change/"


def test_costs_and_backups_are_for_who_may_see_them(bar: Shop) -> None:
    report = report_of()
    person = user_of("barista")
    client = Client()
    client.force_login(person)
    assert client.get(page_of(report)).status_code == 403

    person.user_permissions.add(Permission.objects.get(codename="view_dailyreport"))
    text = admin_pages.text_of(client.get(page_of(report)))

    assert "Revenue" in text
    assert "Low stock More" in text
    assert "Write-offs More" not in text
    assert "There is no backup yet." not in text
    assert "There is no backup yet." in admin_pages.text_of(signed_in("admin").get(page_of(report)))


def test_figures_that_a_section_does_not_know_any_more_spoil_no_page(bar: Shop) -> None:
    report = report_of()
    report.data["sections"][0]["figures"] = {"of": "an older version"}
    report.data["sections"].append({"name": "of an app that is gone", "figures": {}})
    report.save()

    text = admin_pages.text_of(signed_in("manager").get(page_of(report)))

    assert "could not be read" in text
    assert "Sales: could not be read." in admin_pages.text_of(signed_in("manager").get(LIST))
