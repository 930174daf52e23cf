"""The valuation of the stock in the admin and over REST: what is shown, what is refused and with which sentence."""

import csv
import datetime
import io
import zoneinfo
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from inventory.models import DefaultLocation, Ingredient
from inventory.services.lines import StockLine
from inventory.services.stock import receive_stock, write_off_stock
from tests.inventory.admin_pages import page, queries_of, signed_in, text_of
from tests.rest import Rest
from tests.shop import Shop
from users.models import User

pytestmark = pytest.mark.django_db

BANGKOK = zoneinfo.ZoneInfo("Asia/Bangkok")
GAP = "\N{NO-BREAK SPACE}"
ADDRESS, USE = "stocklevel_valuation", "stocklevel_use"


def at(hour: int, day: int = 10) -> datetime.datetime:
    """A moment of May 2024 in Bangkok."""
    return datetime.datetime(2024, 5, day, hour, tzinfo=BANGKOK)


def receive(shop: Shop, ingredient: Ingredient, quantity: str, cost: str, moment: datetime.datetime) -> None:
    line = StockLine(ingredient.pk, Decimal(quantity), Decimal(cost))
    receive_stock(location=shop.location, lines=[line], created_by_id=None, at=moment)


@pytest.fixture
def siam() -> Shop:
    """Ten grams of tea for 20 baht from nine o'clock on, five left from eleven on; milk since ten."""
    shop = Shop.open("Siam", time_zone="Asia/Bangkok")
    tea, milk = shop.ingredient("Tea"), shop.ingredient("=Milk", "ml")
    receive(shop, tea, "10", "2", at(9))
    receive(shop, milk, "1000", "0.033333", at(10))
    write_off_stock(
        location=shop.location,
        lines=[StockLine(tea.pk, Decimal(5))],
        reason="spoilage",
        created_by_id=None,
        at=at(11),
    )
    return shop


def rows(response: Any) -> list[tuple[str, str, str, str]]:
    return [(row["name"], row["quantity"], row["average_cost"], row["value"]) for row in response.context["rows"]]


# --- the page -----------------------------------------------------------------------------------------------


def test_the_page_shows_what_the_stock_is_worth_now(siam: Shop) -> None:
    response = signed_in("manager").get(page(ADDRESS))

    assert rows(response) == [
        ("=Milk", f"1,000{GAP}ml", f"฿0.033333{GAP}/{GAP}ml", "฿33.33"),
        ("Tea", f"5{GAP}g", f"฿2{GAP}/{GAP}g", "฿10"),
    ]
    assert response.context["total"] == "฿43.33"
    assert "All locations" not in text_of(response)


def test_the_page_shows_a_moment_by_the_clocks_of_the_location(siam: Shop) -> None:
    client = signed_in("manager")
    totals = {
        "2024-05-10T08:59": "฿0",
        "2024-05-10T09:00": "฿20",
        "2024-05-10T10:30": "฿53.33",
        "2024-05-10 11:00": "฿43.33",
        "2024-05-10": "฿0",
    }
    for moment, total in totals.items():
        assert client.get(page(ADDRESS), {"at": moment}).context["total"] == total, moment
    response = client.get(page(ADDRESS), {"at": "2024-05-10T09:00"})
    assert "10 May 2024, 09:00" in text_of(response)
    assert "There was nothing." in text_of(client.get(page(ADDRESS), {"at": "2024-05-09T09:00"}))


def test_locations_are_shown_by_themselves_or_together(siam: Shop) -> None:
    harbour = Shop.open("Harbour", time_zone="Europe/Warsaw")
    receive(harbour, Ingredient.objects.get(name="Tea"), "1", "7", at(12))
    client = signed_in("manager")

    def total(**asked: Any) -> str:
        return str(client.get(page(ADDRESS), asked).context["total"])

    assert total() == "฿43.33"
    assert total(location=harbour.location.pk) == "฿7"
    assert total(location="") == "฿50.33"
    # Noon in Bangkok is seven in the morning in Warsaw.
    assert total(location=harbour.location.pk, at="2024-05-10T06:59") == "฿0"
    assert total(location=harbour.location.pk, at="2024-05-10T07:00") == "฿7"
    DefaultLocation.objects.create(user=User.objects.get(), location=harbour.location)
    assert total() == "฿7"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"at": "tomorrow"}, "at"),
        ({"at": "2024-13-45T09:00"}, "at"),
        ({"at": "2024-05-10T25:00"}, "at"),
        ({"at": "9999-12-31T23:59"}, "at"),
        ({"at": "99999-01-01T00:00"}, "at"),
        ({"at": "2024-03-31T02:30"}, "at"),  # the clocks of Warsaw skip it
        ({"at": "\x00"}, "at"),
        ({"location": "999999"}, "location"),
        ({"location": "x"}, "location"),
    ],
)
@pytest.mark.parametrize("more", [{}, {"format": "csv"}])
def test_what_makes_no_sense_is_refused_with_a_sentence(
    siam: Shop, asked: dict[str, str], field: str, more: dict[str, str]
) -> None:
    harbour = Shop.open("Harbour", time_zone="Europe/Warsaw")

    response = signed_in("manager").get(page(ADDRESS), {"location": harbour.location.pk, **asked, **more})

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert response.context["valuation"] is None
    assert response.context["form"].errors[field][0] in text_of(response)


def test_a_moment_still_to_come_is_refused_the_very_first_one_is_not(siam: Shop) -> None:
    client = signed_in("manager")
    soon = (timezone.now() + datetime.timedelta(hours=2)).astimezone(BANGKOK)
    response = client.get(page(ADDRESS), {"at": f"{soon:%Y-%m-%dT%H:%M}"})
    assert "This moment is still to come. Choose one that has passed." in text_of(response)
    for early in ("0001-01-01T00:00", "0001-01-02T12:00", "1900-01-01T00:00"):
        response = client.get(page(ADDRESS), {"at": early})
        assert (response.status_code, response.context["rows"]) == (200, [])


def test_the_table_comes_as_a_file_without_formulas(siam: Shop) -> None:
    response = signed_in("manager").get(page(ADDRESS), {"at": "2024-05-10T10:30", "format": "csv"})

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="valuation-2024-05-10-1030.csv"'
    assert list(csv.reader(io.StringIO(response.content.decode("utf-8-sig")))) == [
        ["ingredient", "unit", "quantity", "average_cost", "value"],
        ["'=Milk", "ml", "1000.000", "0.033333", "33.333000"],
        ["Tea", "g", "10.000", "2.000000", "20.000000"],
    ]


def test_a_shop_without_a_location_has_nothing() -> None:
    client = signed_in("manager")
    assert client.get(page(ADDRESS)).context["total"] == "฿0"
    assert client.get(page(USE)).context["rows"] == []


@pytest.mark.parametrize("name", [ADDRESS, USE])
def test_the_pages_are_for_who_may_see_costs(siam: Shop, name: str) -> None:
    assert signed_in("barista").get(page(name)).status_code == 403
    assert "Valuation" not in text_of(signed_in("barista").get(page("stocklevel_low")))
    assert "Valuation" in text_of(signed_in("manager").get(page("stocklevel_low")))


def test_the_pages_take_as_many_queries_for_much_as_for_little(siam: Shop) -> None:
    client = signed_in("manager")
    few = [queries_of(client, page(name)) for name in (ADDRESS, USE)]
    for number in range(20):
        receive(siam, siam.ingredient(f"Tea {number}"), "1", "1", at(9))
        Shop.open(f"Shop {number}")
    assert [queries_of(client, page(name)) for name in (ADDRESS, USE)] == few
    assert max(few) <= 12


# --- use and waste ------------------------------------------------------------------------------------------


def test_the_page_tells_for_what_reasons_value_came_and_went(siam: Shop) -> None:
    asked = {"since": "2024-05-10T09:00", "at": "2024-05-10T12:00"}

    response = signed_in("manager").get(page(USE), asked)

    told = [(row["reason"], row["movements"], row["value"]) for row in response.context["rows"]]
    assert told == [("write-off: spoilage", "1", "−฿10"), ("receipt", "1", "+฿33.33")]
    assert (response.context["wasted"], response.context["change"]) == ("฿10", "+฿23.33")
    assert "10 May 2024, 09:00 – 10 May 2024, 12:00" in text_of(response)
    # Of this month there is nothing.
    assert "Nothing moved." in text_of(signed_in("manager").get(page(USE)))


def test_a_drink_that_was_poured_away_is_told_as_waste_of_orders(siam: Shop) -> None:
    latte = siam.product("Tea", "70", {Ingredient.objects.get(name="Tea"): 1})
    siam.cancel(siam.sell(latte), restock=False)

    response = signed_in("manager").get(page(USE))

    assert ("write-off: order", "1", "−฿2") in [
        (row["reason"], row["movements"], row["value"]) for row in response.context["rows"]
    ]
    assert response.context["wasted"] == "฿2"


@pytest.mark.parametrize(
    "asked", [{"since": "2024-05-10T09:00", "at": "2024-05-10T08:00"}, {"since": "9000-01-01T00:00"}, {"since": "x"}]
)
def test_a_period_that_makes_no_sense_is_refused_with_a_sentence(siam: Shop, asked: dict[str, str]) -> None:
    response = signed_in("manager").get(page(USE), asked)
    assert list(response.context["form"].errors) == ["since"]
    assert response.context["form"].errors["since"][0] in text_of(response)


# --- REST ---------------------------------------------------------------------------------------------------


def test_the_valuation_over_rest_is_exact(siam: Shop) -> None:
    manager = Rest.of("manager")
    tea = Ingredient.objects.get(name="Tea")

    answer = manager.get("stock/valuation/", location=siam.location.pk, at="2024-05-10T09:30:00+07:00")

    assert answer == {
        "location": siam.location.pk,
        "at": "2024-05-10T02:30:00Z",
        "total": "20.000000",
        "rows": [
            {
                "ingredient": tea.pk,
                "ingredient_name": "Tea",
                "unit": "g",
                "quantity": "10.000",
                "average_cost": "2.000000",
                "value": "20.000000",
            }
        ],
    }
    assert manager.get("/api/v1/stock/valuation/?at=2024-05-10T09:30:00+07:00")["total"] == "20.000000"
    assert manager.get("stock/valuation/", at="2024-05-10T03:30:00Z")["total"] == "53.333000"
    now = manager.get("stock/valuation/")
    assert (now["location"], now["total"]) == (None, "43.333000")


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ("at", "2024-05-10T09:30:00"),
        ("at", "yesterday"),
        ("at", "2024-02-30T09:30:00Z"),
        ("at", "9998-01-01T00:00:00Z"),
        ("location", "999999"),
        ("location", "x"),
        ("when", "2024"),
    ],
)
def test_rest_refuses_what_makes_no_sense_at_its_parameter(siam: Shop, parameter: str, text: str) -> None:
    Rest.of("manager").refused("get", f"stock/valuation/?{parameter}={text}", status=400, kind="invalid", at=parameter)


def test_the_valuation_over_rest_is_for_who_may_see_costs(siam: Shop) -> None:
    Rest.of("barista").refused("get", "stock/valuation/", status=403, kind="permission_denied")
