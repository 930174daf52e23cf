"""customers/ and loyalty/ over REST."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Customer, ErasedPerson, LoyaltyEntry, LoyaltyProgram, LoyaltyTier, Order
from orders.services.points import adjust_points
from orders.services.transitions import complete_order
from tests.rest import Rest
from tests.shop import NOBODY, Shop, user_of

pytestmark = pytest.mark.django_db
ANN = {"name": " Ann   Lee ", "phone": "+44 (0)7700 900-123", "email": "Ann@Tea.example", "birthday": "1990-05-01"}


def ids(answer: Any) -> list[int]:
    return [row["id"] for row in answer["results"]]


def customer(name: str = "Ann", points: int = 0, **fields: Any) -> Customer:
    made = Customer.objects.create(name=name, **fields)
    if points:
        adjust_points(customer_id=made.pk, points=points, reason="a start", actor=NOBODY)
    return made


def test_a_customer_is_written_down_with_contacts_as_the_shop_keeps_them() -> None:
    barista = Rest.of("barista")

    ann = barista.post("customers/", ANN)

    shown = {name: ann[name] for name in ("name", "phone", "email", "points", "tier", "merged_into")}
    assert shown == {
        "name": "Ann Lee",
        "phone": "+447700900123",
        "email": "ann@tea.example",
        "points": 0,
        "tier": None,
        "merged_into": None,
    }
    for spelling in ("0044 7700 900123", "tel:+447700900123", "+44\N{NO-BREAK SPACE}7700 900123"):
        assert ids(barista.get("customers/", phone=spelling)) == [ann["id"]]
    assert ids(barista.get("customers/", search="7700 900", email="ANN@tea.example")) == [ann["id"]]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"phone": "900123"}, "phone"),
        ({"phone": "+44 7700 900123 ext. 5"}, "phone"),
        ({"birthday": "1899-12-31"}, "birthday"),
        ({"birthday": str(timezone.localdate() + datetime.timedelta(days=2))}, "birthday"),
        ({"email": "nonsense"}, "email"),
        ({"name": "  "}, "name"),
        ({"points": 5}, "points"),
        ({"merged_into": 1}, "merged_into"),
        ({"tier": "Gold"}, "tier"),
    ],
)
def test_bad_contacts_are_refused_at_their_field(wrong: dict[str, Any], field: str) -> None:
    barista, ann = Rest.of("barista"), customer()

    barista.refused("post", "customers/", {**ANN, **wrong}, status=400, kind="invalid", at=field)
    barista.refused("patch", f"customers/{ann.pk}/", wrong, status=400, kind="invalid", at=field)

    assert list(Customer.objects.values_list("name", "phone")) == [("Ann", "")]


def test_a_phone_that_came_from_elsewhere_and_is_none_stays_while_other_fields_change() -> None:
    barista, ann = Rest.of("barista"), customer(phone="ask Bob")

    assert barista.patch(f"customers/{ann.pk}/", {"notes": "soy milk"})["phone"] == "ask Bob"


def test_lists_show_points_and_tiers_with_the_same_queries_for_3_and_for_40() -> None:
    LoyaltyTier.objects.create(name="Guest", spending_from=0, points_per_hundred=5)
    barista = Rest.of("barista")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert {row["tier"] for row in barista.get("customers/")["results"]} == {"Guest"}
        return len(captured)

    for _number in range(3):
        customer(points=1)
    few = queries()
    for _number in range(37):
        customer(points=1)
    assert queries() == few


def test_points_are_adjusted_with_a_reason_and_listed() -> None:
    LoyaltyProgram.objects.create(adjustment_limit=20)
    barista, ann = Rest.of("barista"), customer()

    entry = barista.post(f"customers/{ann.pk}/loyalty/", {"points": 20, "reason": "a spilt cup"})
    assert (entry["kind"], entry["points"], entry["order"], entry["reason"]) == ("adjusted", 20, None, "a spilt cup")
    refused = ("post", f"customers/{ann.pk}/loyalty/")
    barista.refused(*refused, {"points": 1, "reason": "more"}, status=400, kind="invalid", at="points")
    Rest.of("manager").post(f"customers/{ann.pk}/loyalty/", {"points": 500, "reason": "ten years"})
    other = Rest(user_of("barista", "other@shop.example"))
    other.refused(*refused, {"points": 2.5, "reason": "x"}, status=400, kind="invalid", at="points")
    other.refused(*refused, {"points": 2}, status=400, kind="invalid", at="reason")
    other.refused(*refused, {"points": 0, "reason": "x"}, status=400, kind="invalid", at="points")

    assert [row["points"] for row in barista.get(f"customers/{ann.pk}/loyalty/")["results"]] == [500, 20]
    assert barista.get(f"customers/{ann.pk}/")["points"] == 520
    barista.refused("get", "customers/999999/loyalty/", status=404, kind="not_found")


def test_an_adjustment_under_one_key_is_made_once() -> None:
    manager, ann = Rest.of("manager"), customer()

    for _time in range(2):
        manager.post(f"customers/{ann.pk}/loyalty/", {"points": 5, "reason": "once"}, **{"Idempotency-Key": "once"})

    assert LoyaltyEntry.objects.count() == 1


def test_a_duplicate_is_found_merged_and_answers_with_who_goes_on() -> None:
    manager = Rest.of("manager")
    ann, anna = customer(phone="+447700900123"), customer("Anna", points=7, phone="+447700900123", email="a@b.example")
    customer("Bob", phone="+447700900124")
    assert ids(manager.get("customers/", duplicates="true")) == [anna.pk, ann.pk]

    merged = manager.post(f"customers/{ann.pk}/merge/", {"duplicate": anna.pk}, status=200)

    assert (merged["id"], merged["points"], merged["email"]) == (ann.pk, 7, "a@b.example")
    assert manager.get(f"customers/{anna.pk}/")["merged_into"] == ann.pk
    assert anna.pk not in ids(manager.get("customers/"))
    assert ids(manager.get("customers/", duplicates="true")) == []
    for path, body in [
        (f"customers/{ann.pk}/merge/", {"duplicate": anna.pk}),
        (f"customers/{anna.pk}/erase/", {"reason": "x"}),
    ]:
        answer = manager.refused("post", path, body, status=409, kind="customer_gone")
        assert answer["merged_into"] == ann.pk
    manager.refused("post", f"customers/{ann.pk}/merge/", {"duplicate": ann.pk}, status=409, kind="cannot_merge")
    manager.refused("post", f"customers/{ann.pk}/merge/", {"duplicate": 999999}, status=404, kind="not_found")
    manager.refused("patch", f"customers/{anna.pk}/", {"name": "x"}, status=409, kind="customer_gone")


def test_a_person_is_exported_and_erased() -> None:
    bar, manager = Shop.open(), Rest.of("manager")
    ann = customer("Ann Lee", points=7, phone="+447700900123")
    order = bar.sell(bar.product("Tea"), 2, customer_id=ann.pk, comment="less ice")
    path = f"customers/{ann.pk}/erase/"
    manager.refused("post", path, {"reason": "asked"}, status=409, kind="cannot_erase")
    complete_order(order_id=order.pk, actor=NOBODY, allow_unpaid=True)

    data = manager.get(f"customers/{ann.pk}/export/")
    assert data["customer"]["phone"] == "+447700900123"
    assert [(one["comment"], one["total"], one["items"][0]["name"]) for one in data["orders"]] == [
        ("less ice", "120.00", "Tea")
    ]
    assert [(one["kind"], one["points"]) for one in data["points"]] == [("adjusted", 7)]

    manager.refused("post", path, {"reason": "Ann Lee asked"}, status=400, kind="invalid", at="reason")
    erased = manager.post(path, {"reason": "asked"}, status=200)
    assert (erased["name"], erased["phone"], erased["points"]) == ("erased person", "", 0)
    assert erased["erased_at"]
    assert manager.post(path, {"reason": "asked"}, status=200) == erased
    assert ErasedPerson.objects.count() == 1
    assert ids(manager.get("customers/")) == []
    assert Order.objects.get().comment == ""


def test_an_export_takes_the_same_queries_for_1_order_and_for_10() -> None:
    bar, manager = Shop.open(), Rest.of("manager")
    tea, few, many = bar.product("Tea"), customer(), customer()
    for whom, orders in ((few, 1), (many, 10)):
        for _number in range(orders):
            bar.sell(tea, customer_id=whom.pk)

    def queries(whom: Customer) -> int:
        with CaptureQueriesContext(connection) as captured:
            manager.get(f"customers/{whom.pk}/export/")
        return len(captured)

    assert queries(few) == queries(many)


def test_a_customer_reads_their_own_record_and_points_and_nobody_elses() -> None:
    LoyaltyTier.objects.create(name="Guest", spending_from=0, points_per_hundred=5)
    account = user_of("customer")
    rest = Rest(account)
    before = rest.get("customers/me/")
    assert (before["id"], before["email"], before["points"]) == (None, "customer@shop.example", 0)
    assert rest.get("customers/me/loyalty/")["results"] == []
    assert not Customer.objects.exists()
    customer("Bob", points=9)
    ann = customer(points=5, user=account, notes="tips badly")

    me = rest.get("customers/me/")
    assert (me["id"], me["points"], me["tier"]) == (ann.pk, 5, "Guest")
    assert "notes" not in me
    assert [row["points"] for row in rest.get("customers/me/loyalty/")["results"]] == [5]
    rest.refused("get", f"customers/{ann.pk}/", status=403, kind="permission_denied")
    rest.refused("get", f"customers/{ann.pk}/loyalty/", status=403, kind="permission_denied")


def test_the_programme_and_its_tiers_are_set_up() -> None:
    manager = Rest.of("manager")
    assert manager.get("loyalty/program/") == {
        "is_active": False,
        "point_value": "1.00",
        "points_days": 365,
        "adjustment_limit": 50,
    }

    changed = manager.patch("loyalty/program/", {"is_active": True, "point_value": "0.50"})
    assert (changed["is_active"], changed["point_value"], changed["points_days"]) == (True, "0.50", 365)
    refused = ("patch", "loyalty/program/")
    manager.refused(*refused, {"point_value": "0.00"}, status=400, kind="invalid")
    manager.refused(*refused, {"points_days": 10**6}, status=400, kind="invalid", at="points_days")
    manager.refused(*refused, {"points_day": 1}, status=400, kind="invalid", at="points_day")

    gold = manager.post("loyalty/tiers/", {"name": "Gold", "spending_from": "5000.00", "points_per_hundred": "10.00"})
    manager.post("loyalty/tiers/", {"name": "Guest", "spending_from": "0.00", "points_per_hundred": "5.00"})
    assert [tier["name"] for tier in manager.get("loyalty/tiers/")["results"]] == ["Guest", "Gold"]
    body = {"name": "Silver", "spending_from": "5000.00", "points_per_hundred": "7.00"}
    manager.refused("post", "loyalty/tiers/", body, status=400, kind="invalid", at="spending_from")
    manager.refused("post", "loyalty/tiers/", {**body, "spending_from": "-1.00"}, status=400, kind="invalid")
    manager.delete(f"loyalty/tiers/{gold['id']}/")
