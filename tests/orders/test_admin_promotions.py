"""Promotions and promo codes in the admin: what they do in words, whether they hold, who used them, many at once."""

import csv
import datetime
import io
import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inventory.models import Product
from orders.models import Customer, PromoCode, Promotion
from orders.promo_code_states import PromoCodeState, in_state, state_of
from orders.services.promo_codes import CLEAR_SIGNS, generate_promo_codes, save_promo_code
from orders.services.promotions import save_promotion
from tests.inventory.admin_pages import queries_of, said, signed_in, text_of
from tests.orders.admin_orders import page
from tests.shop import Shop

pytestmark = pytest.mark.django_db

Time = datetime.time
FORM = {"name": "Happy hour", "kind": "percent", "value": "20", "every": "1"}
CODE_FORM = {"code": "spring", "kind": "percent", "value": "10"}


@pytest.fixture
def bar() -> Shop:
    return Shop.open(time_zone="Asia/Bangkok")


@pytest.fixture
def latte(bar: Shop) -> Product:
    return bar.product("Latte")


@pytest.fixture
def manager(bar: Shop) -> Client:
    return signed_in("manager")


def promote(name: str, **fields: Any) -> Promotion:
    return save_promotion(fields={"name": name, "value": Decimal(20), **fields})


def make_code(code: str, **fields: Any) -> PromoCode:
    return save_promo_code(fields={"code": code, "value": Decimal(10), **fields})


def test_the_list_says_in_words_what_each_promotion_does(bar: Shop, latte: Product, manager: Client) -> None:
    harbour = Shop.open("Harbour")
    promote("A", weekdays=[2, 3, 4, 5], starts_time=Time(14), ends_time=Time(17), categories=[bar.category.pk])
    promote("B", value=Decimal("12.5"), every=2, weekdays=[6, 7], products=[latte.pk])
    promote("C", kind="amount", value=Decimal(15), every=3, weekdays=[1, 3, 5], locations=[harbour.location.pk])
    promote("D", weekdays=[7], starts_on=datetime.date(2027, 1, 1), ends_on=datetime.date(2027, 1, 31))
    gone = bar.product("Gone")
    promote("E", ends_on=datetime.date(2027, 1, 31), products=[gone.pk])
    gone.delete()

    text = text_of(manager.get(page("promotion_changelist")))

    for words in (
        "Tue–Fri 14:00–17:00: −20 % on Tea",
        "Sat, Sun: −12.5 % on every second portion of Latte",
        "Mon, Wed, Fri: −฿15 on one of every 3 portions of the whole menu, at Harbour",
        "Sunday: −20 % on the whole menu, 1 Jan 2027 – 31 Jan 2027",
        "Every day: −20 % on nothing any more, until 31 Jan 2027",
    ):
        assert words in text


def test_a_promotion_says_where_it_holds_now_by_the_clock_of_each_location(
    bar: Shop, manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    Shop.open("Harbour", time_zone="Europe/Moscow")
    now = datetime.datetime(2026, 11, 20, 8, 30, tzinfo=datetime.UTC)  # 15:30 in Bangkok, 11:30 in Moscow
    monkeypatch.setattr("orders.admin.promotions.timezone.now", lambda: now)
    promote("Afternoon", starts_time=Time(15), ends_time=Time(16))
    promote("All day")
    promote("Evening", starts_time=Time(20), ends_time=Time(22))
    promote("Summer", ends_on=datetime.date(2026, 8, 31))
    promote("Off", is_active=False)

    content = manager.get(page("promotion_changelist")).content.decode()

    rows = [text_of_row(row) for row in content.split("<tr")[1:] if "action-checkbox" in row]
    states = {row.split()[0]: row for row in rows}
    assert "now at Main Street" in states["Afternoon"]
    assert " now " in f"{states['All']} "
    assert "not now" in states["Evening"]
    assert "over" in states["Summer"]
    assert "switched off" in states["Off"]
    assert 'title="Main Street 15:30, Harbour 11:30"' in content


def text_of_row(row: str) -> str:
    """What a row of a list says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", row.partition(">")[2])).strip()


def test_a_manager_writes_a_promotion_with_ticked_days_and_hours_past_midnight(
    bar: Shop, latte: Product, manager: Client
) -> None:
    body = {
        **FORM,
        "weekdays": ["5", "6"],
        "starts_time": "22:00",
        "ends_time": "02:00",
        "products": [latte.pk],
        "is_active": "on",
    }

    answer = manager.post(page("promotion_add"), body)

    assert answer.status_code == 302
    promotion = Promotion.objects.get()
    assert (promotion.weekdays, promotion.starts_time, promotion.ends_time) == ([5, 6], Time(22), Time(2))
    assert (promotion.covers_menu, promotion.is_everywhere, promotion.is_active) == (False, True, True)
    assert list(promotion.products.all()) == [latte]


def test_a_change_of_the_name_leaves_a_promotion_without_goods_one_for_nothing(latte: Product, manager: Client) -> None:
    promotion = promote("Old", products=[latte.pk])
    latte.delete()

    manager.post(page("promotion_change", promotion.pk), {**FORM, "name": "New"})

    promotion.refresh_from_db()
    assert (promotion.name, promotion.covers_menu) == ("New", False)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"value": "120"}, "At most 100 percent can be taken off."),
        ({"every": "11"}, "Give a whole number from 1, each portion, to 10."),
        ({"starts_time": "14:00"}, "Say until when too, or leave both empty for the whole day."),
        ({"starts_on": "2026-12-02", "ends_on": "2026-12-01"}, "The last day lies before the first."),
        ({"name": "Taken"}, "Promotion with this Name already exists."),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field_and_nothing_is_written(
    bar: Shop, manager: Client, wrong: dict[str, str], sentence: str
) -> None:
    promote("Taken")
    answer = manager.post(page("promotion_add"), {**FORM, **wrong})
    assert answer.status_code == 200
    assert sentence in text_of(answer)
    assert Promotion.objects.count() == 1


def test_the_preview_says_what_the_fields_would_do_and_writes_nothing(latte: Product, manager: Client) -> None:
    address = reverse("admin:orders_promotion_preview")
    whole = {**FORM, "weekdays": ["6", "7"], "every": "2", "value": "50", "products": [latte.pk]}

    assert manager.post(address, whole).json() == {"words": "Sat, Sun: −50\u00a0% on every second portion of Latte"}
    assert manager.post(address, {**whole, "value": ""}).json() == {"words": "Say how much is taken off."}
    assert manager.post(address, {"value": "x" * 5000, "products": ["0", "milk"]}).status_code == 200
    assert not Promotion.objects.exists()


def test_a_barista_sees_what_a_code_does_and_changes_nothing(bar: Shop) -> None:
    code = make_code("WELCOME10", per_customer_limit=1, minimum_total=Decimal(200))
    barista = signed_in("barista")

    text = text_of(barista.get(page("promocode_change", code.pk)))

    assert "−10 % on the whole menu, from ฿200, once per customer" in text
    assert barista.post(page("promocode_change", code.pk), {**CODE_FORM, "value": "90"}).status_code == 403
    assert "Make many codes" not in text_of(barista.get(page("promocode_changelist")))


def test_the_state_of_a_code_and_the_filter_say_the_same(manager: Client) -> None:
    now = timezone.now()
    day = datetime.timedelta(days=1)
    make_code("ACTIVE")
    make_code("LATER", starts_at=now + day)
    make_code("OVER", ends_at=now - day)
    make_code("OFF", is_active=False, ends_at=now - day)
    PromoCode.objects.create(code="UP", value=10, usage_limit=2, used_count=2)
    expected = {
        "ACTIVE": PromoCodeState.ACTIVE,
        "LATER": PromoCodeState.NOT_YET,
        "OVER": PromoCodeState.EXPIRED,
        "OFF": PromoCodeState.OFF,
        "UP": PromoCodeState.USED_UP,
    }

    for name, state in expected.items():
        code = PromoCode.objects.get(code=name)
        assert state_of(code, at=now) == state
        assert list(PromoCode.objects.filter(in_state(state, at=now))) == [code]
        listed = text_of(manager.get(page("promocode_changelist"), {"state": state.value}))
        assert [other for other in expected if other in listed] == [name]
    assert not PromoCode.objects.filter(in_state("nonsense", at=now)).exists()


def test_the_page_of_a_code_lists_the_orders_that_carried_it(bar: Shop, latte: Product, manager: Client) -> None:
    code = make_code("WELCOME10")
    ann = Customer.objects.create(name="Ann Lee")
    kept = bar.sell(latte, promo_code="WELCOME10", customer_id=ann.pk)
    cancelled = bar.sell(latte, promo_code="WELCOME10")
    bar.cancel(cancelled)

    answer = manager.get(page("promocode_change", code.pk))

    text, content = text_of(answer), answer.content.decode()
    for order in (kept, cancelled):
        assert page("order_change", order.pk) in content
    assert "Ann Lee" in text
    assert "฿6" in text
    assert content.count("given back") == 1
    assert "1 / ∞" in text_of(manager.get(page("promocode_changelist")))


def test_a_used_code_is_not_deleted_but_switched_off_from_the_list(bar: Shop, latte: Product, manager: Client) -> None:
    code, other = make_code("USED"), make_code("OTHER")
    bar.sell(latte, promo_code="USED")

    answer = manager.post(page("promocode_delete", code.pk), {"post": "yes"})

    assert "Switch it off instead." in " ".join(said(answer))
    answer = manager.post(
        page("promocode_changelist"), {"action": "switch_off", "_selected_action": [code.pk, other.pk]}
    )
    assert said(answer)[-1] == "2 codes are switched off."
    assert not PromoCode.objects.filter(is_active=True).exists()


def test_moments_of_a_code_are_the_shops_clock(manager: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Bangkok"
    body = {**CODE_FORM, "starts_at": "2026-12-01T00:00", "ends_at": "2026-12-31T23:59"}

    manager.post(page("promocode_add"), body)

    code = PromoCode.objects.get()
    assert code.starts_at == datetime.datetime(2026, 11, 30, 17, tzinfo=datetime.UTC)
    content = manager.get(page("promocode_change", code.pk)).content.decode()
    assert 'value="2026-12-01T00:00"' in content
    assert 'value="2026-12-31T23:59"' in content


def test_a_thousand_codes_are_made_at_once_each_another_and_downloaded(
    bar: Shop, latte: Product, manager: Client
) -> None:
    make_code("OTHER")
    body = {
        "begins_with": " spring ",
        "number": "1000",
        "kind": "amount",
        "value": "30",
        "usage_limit": "1",
        "products": [latte.pk],
    }

    answer = manager.post(page("promocode_generate"), body)

    assert said(answer) == ["1000 codes are made."]
    made = PromoCode.objects.exclude(code="OTHER")
    words = set(made.values_list("code", flat=True))
    assert len(words) == 1000
    assert all(word.startswith("SPRING-") and set(word[7:]) <= set(CLEAR_SIGNS) for word in words)
    assert made.filter(value=30, usage_limit=1, covers_menu=False, products=latte).count() == 1000

    exported = manager.get(page("promocode_export") + "?" + answer.headers["Location"].partition("?")[2])
    rows = list(csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig"))))
    assert {row["code"] for row in rows} == words
    assert (rows[0]["kind"], rows[0]["value"], rows[0]["usage_limit"], rows[0]["state"]) == (
        "amount",
        "30.00",
        "1",
        "active",
    )
    everything = manager.get(page("promocode_export"))
    assert everything.content.decode().count("\r\n") == 1002


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"number": "0"}, "Make from 1 to 1000 codes at once."),
        ({"number": "1001"}, "Make from 1 to 1000 codes at once."),
        ({"begins_with": "50 % OFF"}, "A code is made of letters, digits, - and _, without spaces."),
        ({"value": "101"}, "At most 100 percent can be taken off."),
        ({"usage_limit": "0"}, "Give a number above 0, or nothing for no limit."),
    ],
)
def test_many_codes_that_make_no_sense_are_refused_and_none_is_made(
    manager: Client, wrong: dict[str, str], sentence: str
) -> None:
    answer = manager.post(page("promocode_generate"), {"number": "5", "kind": "percent", "value": "10", **wrong})
    assert answer.status_code == 200
    assert sentence in text_of(answer)
    assert not PromoCode.objects.exists()


def test_the_lists_take_the_same_queries_for_3_and_for_30(bar: Shop, latte: Product, manager: Client) -> None:
    for name in ("promotion_changelist", "promocode_changelist"):
        PromoCode.objects.all().delete()
        counted = []
        for number in (3, 27):
            generate_promo_codes(prefix="X", number=number, fields={"value": Decimal(5), "products": [latte.pk]})
            for place in range(number):
                promote(f"{name} {number} {place}", products=[latte.pk], locations=[bar.location.pk])
            counted.append(queries_of(manager, page(name)))
        assert counted[0] == counted[1] <= 25
