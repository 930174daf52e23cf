"""promotions/ and promo-codes/: what they take, what they refuse and where they say so."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import PromoCode, PromoRedemption, Promotion
from orders.services.promotions import save_promotion
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db

HAPPY_HOUR = {"name": "Happy hour", "kind": "percent", "value": "20.00"}
WELCOME = {"code": "WELCOME10", "kind": "percent", "value": "10.00"}


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def manager() -> Rest:
    return Rest.of("manager")


def used(code: PromoCode, bar: Shop, *, released: bool = False) -> PromoRedemption:
    """An order that carries the code, or did."""
    order = bar.sell(bar.product(f"Tea {PromoRedemption.objects.count()}"))
    now = datetime.datetime.now(datetime.UTC)
    code.used_count += not released
    code.save(update_fields=["used_count"])
    return PromoRedemption.objects.create(
        promo_code=code, order_id=order.pk, amount=6, released_at=now if released else None
    )


def test_a_manager_makes_a_promotion_with_hours_days_and_goods_and_it_answers_what_it_is(
    bar: Shop, manager: Rest
) -> None:
    latte = bar.product("Latte")

    answer = manager.post(
        "promotions/",
        {
            **HAPPY_HOUR,
            "every": 2,
            "weekdays": [5, 2, 5],
            "starts_time": "22:00",
            "ends_time": "02:00",
            "starts_on": "2026-12-01",
            "ends_on": "2026-12-31",
            "products": [latte.pk],
            "categories": [bar.category.pk],
            "locations": [bar.location.pk],
        },
    )

    assert answer == {
        "id": answer["id"],
        **HAPPY_HOUR,
        "every": 2,
        "weekdays": [2, 5],
        "starts_time": "22:00:00",
        "ends_time": "02:00:00",
        "starts_on": "2026-12-01",
        "ends_on": "2026-12-31",
        "products": [latte.pk],
        "categories": [bar.category.pk],
        "locations": [bar.location.pk],
        "covers_menu": False,
        "is_everywhere": False,
        "is_active": True,
    }
    assert manager.get(f"promotions/{answer['id']}/") == answer


def test_a_change_touches_what_it_names_and_nothing_else(bar: Shop, manager: Rest) -> None:
    promotion = manager.post("promotions/", {**HAPPY_HOUR, "products": [bar.product("Latte").pk]})

    off = manager.patch(f"promotions/{promotion['id']}/", {"is_active": False})
    wide = manager.patch(f"promotions/{promotion['id']}/", {"products": []})

    assert off == {**promotion, "is_active": False}
    assert wide == {**off, "products": [], "covers_menu": True}
    manager.delete(f"promotions/{promotion['id']}/")
    assert not Promotion.objects.exists()


def test_a_promotion_whose_only_product_is_deleted_covers_nothing_and_not_the_menu(bar: Shop, manager: Rest) -> None:
    latte = bar.product("Latte")
    promotion = manager.post("promotions/", {**HAPPY_HOUR, "products": [latte.pk]})

    manager.delete(f"products/{latte.pk}/")

    after = manager.get(f"promotions/{promotion['id']}/")
    assert (after["products"], after["covers_menu"]) == ([], False)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"value": "0"}, "value"),
        ({"value": "-5"}, "value"),
        ({"value": "100.01"}, "value"),
        ({"value": "NaN"}, "value"),
        ({"kind": "amount", "value": "99999999999.99"}, "value"),
        ({"kind": "gift"}, "kind"),
        ({"every": 0}, "every"),
        ({"every": 11}, "every"),
        ({"every": True}, "every"),
        ({"weekdays": [0]}, "weekdays"),
        ({"weekdays": [8]}, "weekdays"),
        ({"weekdays": [99999999]}, "weekdays"),
        ({"starts_time": "14:00"}, "ends_time"),
        ({"ends_time": "14:00"}, "starts_time"),
        ({"starts_time": "14:00", "ends_time": "14:00"}, "ends_time"),
        ({"starts_time": "14:00Z", "ends_time": "15:00"}, "starts_time"),
        ({"starts_on": "2026-12-02", "ends_on": "2026-12-01"}, "ends_on"),
        ({"products": [999]}, "products"),
        ({"categories": [999]}, "categories"),
        ({"locations": [999]}, "locations"),
        ({"covers_menu": True}, "covers_menu"),
        ({"weekday": [1]}, "weekday"),
    ],
)
def test_a_promotion_that_makes_no_sense_is_refused_at_its_field(
    manager: Rest, bar: Shop, wrong: dict[str, Any], field: str
) -> None:
    kept = manager.post("promotions/", {**HAPPY_HOUR, "name": "Morning"})

    manager.refused("post", "promotions/", {**HAPPY_HOUR, **wrong}, status=400, kind="invalid", at=field)
    manager.refused("patch", f"promotions/{kept['id']}/", wrong, status=400, kind="invalid", at=field)

    assert manager.get("promotions/")["results"] == [kept]


def test_two_promotions_do_not_have_one_name(manager: Rest) -> None:
    manager.post("promotions/", HAPPY_HOUR)
    manager.refused("post", "promotions/", HAPPY_HOUR, status=400, kind="invalid", at="name")


def test_an_amount_is_one_that_can_be_paid_in_the_currency(manager: Rest, settings: Any) -> None:
    settings.CURRENCY = "JPY"
    body = {**HAPPY_HOUR, "kind": "amount", "value": "10.50"}
    manager.refused("post", "promotions/", body, status=400, kind="invalid", at="value")
    assert manager.post("promotions/", {**HAPPY_HOUR, "value": "12.50"})["value"] == "12.50"


def test_a_code_is_kept_in_capitals_and_exists_once(manager: Rest) -> None:
    code = manager.post("promo-codes/", {**WELCOME, "code": " welcome10 "})

    assert code == {
        "id": code["id"],
        **WELCOME,
        "starts_at": None,
        "ends_at": None,
        "usage_limit": None,
        "per_customer_limit": None,
        "used_count": 0,
        "minimum_total": "0.00",
        "products": [],
        "categories": [],
        "covers_menu": True,
        "is_active": True,
    }
    refusal = manager.refused(
        "post", "promo-codes/", {**WELCOME, "code": "Welcome10"}, status=400, kind="invalid", at="code"
    )
    assert refusal["errors"]["code"] == ["There is a code WELCOME10 already."]
    assert manager.patch(f"promo-codes/{code['id']}/", {"code": "весна-26"})["code"] == "ВЕСНА-26"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": "TEN PERCENT"}, "code"),
        ({"code": "50%"}, "code"),
        ({"code": "☕"}, "code"),
        ({"code": "X" * 41}, "code"),
        ({"code": ""}, "code"),
        ({"value": "100.01"}, "value"),
        ({"value": "0"}, "value"),
        ({"usage_limit": 0}, "usage_limit"),
        ({"usage_limit": -1}, "usage_limit"),
        ({"usage_limit": 10**12}, "usage_limit"),
        ({"per_customer_limit": 0}, "per_customer_limit"),
        ({"minimum_total": "-1"}, "minimum_total"),
        ({"starts_at": "2026-12-02T00:00:00Z", "ends_at": "2026-12-02T00:00:00Z"}, "ends_at"),
        ({"starts_at": "2026-12-02T00:00:00"}, "starts_at"),
        ({"products": [999]}, "products"),
        ({"used_count": 3}, "used_count"),
        ({"locations": []}, "locations"),
    ],
)
def test_a_code_that_makes_no_sense_is_refused_at_its_field(manager: Rest, wrong: dict[str, Any], field: str) -> None:
    kept = manager.post("promo-codes/", {**WELCOME, "code": "KEPT"})

    manager.refused("post", "promo-codes/", {**WELCOME, **wrong}, status=400, kind="invalid", at=field)
    manager.refused("patch", f"promo-codes/{kept['id']}/", wrong, status=400, kind="invalid", at=field)

    assert manager.get("promo-codes/")["results"] == [kept]


def test_a_code_that_orders_carry_keeps_its_word_and_a_limit_above_its_uses(bar: Shop, manager: Rest) -> None:
    code = PromoCode.objects.create(code="WELCOME10", value=10)
    used(code, bar)
    used(code, bar)
    path = f"promo-codes/{code.pk}/"

    manager.refused("patch", path, {"code": "OTHER"}, status=400, kind="invalid", at="code")
    manager.refused("patch", path, {"usage_limit": 1}, status=400, kind="invalid", at="usage_limit")
    refusal = manager.refused("delete", path, status=409, kind="in_use")

    assert refusal["detail"] == "Orders have carried the code WELCOME10: it can't be deleted. Switch it off."
    assert manager.patch(path, {"usage_limit": 2, "is_active": False})["usage_limit"] == 2


def test_a_code_that_only_a_cancelled_order_carried_is_not_deleted_either(bar: Shop, manager: Rest) -> None:
    code = PromoCode.objects.create(code="WELCOME10", value=10)
    used(code, bar, released=True)
    manager.refused("delete", f"promo-codes/{code.pk}/", status=409, kind="in_use")


def test_codes_are_found_by_a_part_of_their_word_and_by_being_switched_on(manager: Rest) -> None:
    first = manager.post("promo-codes/", {**WELCOME, "is_active": False})
    second = manager.post("promo-codes/", {**WELCOME, "code": "SPRING"})

    assert manager.get("promo-codes/")["results"] == [second, first]
    assert manager.get("promo-codes/", search="welc")["results"] == [first]
    assert manager.get("promo-codes/", is_active="true")["results"] == [second]


@pytest.mark.parametrize("path", ["promotions/", "promo-codes/"])
def test_a_repeat_under_the_same_key_answers_as_the_first_and_makes_nothing(manager: Rest, path: str) -> None:
    body = HAPPY_HOUR if path == "promotions/" else WELCOME
    answers = [manager.post(path, body, **{"Idempotency-Key": "k-1"}) for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(manager.get(path)["results"]) == 1


def test_a_list_takes_the_same_queries_for_2_and_for_12(bar: Shop, manager: Rest) -> None:
    products = [bar.product(f"Tea {number}").pk for number in range(3)]

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            manager.get("promotions/")
        return len(captured)

    for number in range(2):
        save_promotion(fields={"name": f"Hour {number}", "value": 5, "products": products})
    few = queries()
    for number in range(2, 12):
        save_promotion(fields={"name": f"Hour {number}", "value": 5, "products": products})
    assert queries() == few
