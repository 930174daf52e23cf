"""Counting in the admin: starting, the counting page with and without its script, the review, posting; shelves."""

import json
from typing import Any

import pytest
from django.test import Client

from inventory.models import Ingredient, Location, Shelf, StockCount
from inventory.services.lines import StockLine
from inventory.services.shelves import add_shelf
from inventory.services.stock import transfer_stock
from tests.inventory.admin_pages import page, queries_of, said, signed_in, text_of, token_in
from tests.inventory.counting import everything, figures, note, posted, reviewed, start
from tests.shop import Shop, assert_levels_are_what_the_ledger_sums_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def bar() -> Shop:
    return Shop.open()


@pytest.fixture
def milk(bar: Shop) -> Ingredient:
    return bar.ingredient("Milk", "ml", stock=1000, unit_cost="0.05")


@pytest.fixture
def tea(bar: Shop) -> Ingredient:
    return bar.ingredient("Tea", stock=500, unit_cost="0.40")


def enter(client: Client, count: StockCount, ingredient: Any, text: Any, **more: Any) -> Any:
    """What the counting page's script sends for one entry."""
    body = {"ingredient": getattr(ingredient, "pk", ingredient), "text": text, **more}
    return client.post(page("stockcount_count", count.pk), json.dumps(body), content_type="application/json")


# --- starting -----------------------------------------------------------------------------------------


def test_a_barista_starts_a_count_of_everything(bar, milk, tea):
    client = signed_in("barista")
    shown = client.get(page("stockcount_start"))

    answer = client.post(page("stockcount_start"), {"scope": "all", "comment": "Sunday", "once": token_in(shown)})

    count = StockCount.objects.get()
    assert answer.headers["Location"] == page("stockcount_count", count.pk)
    assert (count.comment, count.lines.count(), count.created_by.email) == ("Sunday", 2, "barista@shop.example")
    client.post(page("stockcount_start"), {"scope": "all", "comment": "Sunday", "once": token_in(shown)})
    assert StockCount.objects.count() == 1


def test_a_shelf_or_a_list_is_counted(bar, milk, tea):
    fridge = add_shelf(location=bar.location, name="Fridge", ingredient_ids=[milk.pk])
    client = signed_in("barista")
    assert "Fridge" in text_of(client.get(page("stockcount_start")))

    client.post(page("stockcount_start"), {"scope": f"shelf-{fridge.pk}"})
    client.post(page("stockcount_start"), {"scope": "list", "ingredients": [tea.pk]})

    listed, of_shelf = StockCount.objects.all()
    assert (of_shelf.shelf, [line.ingredient for line in of_shelf.lines.all()]) == (fridge, [milk])
    assert (listed.shelf, [line.ingredient for line in listed.lines.all()]) == (None, [tea])


def test_a_count_that_can_not_begin_says_why_on_the_page(bar, milk):
    client = signed_in("barista")
    start(bar, milk)
    before = everything()
    for body, sentence in (
        ({"scope": "all"}, "Being counted already in count"),
        ({"scope": "list"}, "Name at least one ingredient."),
        ({"scope": "list", "ingredients": ["999999"]}, "There is no such ingredient."),
        ({"scope": "shelf-999999"}, "Select a valid choice"),
        ({}, "This field is required"),
    ):
        answer = client.post(page("stockcount_start"), body)
        assert answer.status_code == 200
        assert sentence in text_of(answer)
    assert everything() == before


def test_a_shop_without_an_open_location_starts_no_count(bar, milk):
    Location.objects.update(is_active=False)
    client = signed_in("manager")
    assert "The shop has no open location." in text_of(client.get(page("stockcount_start")))
    assert client.post(page("stockcount_start"), {"scope": "all"}).status_code == 200
    assert not StockCount.objects.exists()


def test_with_several_locations_the_address_says_which(bar, milk):
    harbour = Shop.open("Harbour")
    rum = harbour.ingredient("Rum", "ml", stock=5)
    client = signed_in("barista")
    client.post(f"{page('stockcount_start')}?location={harbour.location.pk}", {"scope": "all"})
    count = StockCount.objects.get()
    assert (count.location, [line.ingredient for line in count.lines.all()]) == (harbour.location, [rum])


# --- counting -----------------------------------------------------------------------------------------


def test_each_entry_is_saved_as_it_is_typed(bar, milk, tea):
    count = start(bar, milk, tea)
    client = signed_in("barista")

    answer = enter(client, count, milk, "1.5 l")

    assert answer.json() == {"text": "1500", "shown": "1,500\N{NO-BREAK SPACE}ml", "left": 1}
    assert figures(count, milk) == (1500, 1000)
    assert enter(client, count, milk, " ").json() == {"text": "", "shown": "", "left": 2}
    assert figures(count, milk) == (None, None)


def test_an_entry_that_waited_is_compared_with_what_was_there_when_it_was_typed(bar, milk):
    count = start(bar, milk)
    client = signed_in("barista")
    latte = bar.product("Latte", recipe={milk: 200})
    StockCount.objects.filter(pk=count.pk).update(created_at=count.created_at.replace(year=2020))
    bar.sell(latte)

    enter(client, count, milk, "900", age=3600)

    # An hour ago there was nothing yet: the receipt and the sale came later.
    assert figures(count, milk) == (900, 0)
    enter(client, count, milk, "910", age=0.0001)
    assert figures(count, milk) == (910, 800)
    assert enter(client, count, milk, "900", age=3600).json()["text"] == "910"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-5", "can't be below 0"),
        ("NaN", "Write a quantity"),
        ("9" * 30, "can't be above"),
        ("0.0001", "finer than a thousandth"),
        ("5 kg", "is not a unit for this ingredient"),
        ("1,000", "can be read in two ways"),
        ("much", "Write a quantity"),
        ("1" * 500, "Write a quantity"),
    ],
)
def test_what_nobody_can_have_counted_is_refused_with_a_sentence(bar, milk, text, sentence):
    count = start(bar, milk)
    before = everything()
    client = signed_in("barista")

    answer = enter(client, count, milk, text)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]

    shown = client.post(page("stockcount_count", count.pk), {f"line-{milk.pk}": text})
    assert sentence in text_of(shown)
    assert f'value="{text}"' in shown.content.decode()
    assert everything() == before


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "{",
        "null",
        "5",
        '{"ingredient": "milk", "text": "5"}',
        '{"ingredient": 5}',
        '{"ingredient": 5, "text": 5}',
        '{"ingredient": 5, "text": "5", "age": "NaN"}',
        '{"ingredient": 5, "text": "5", "age": -5}',
        '{"ingredient": 5, "text": "5", "age": []}',
        '{"ingredient": 999999, "text": "5"}',
        b"\xff",
    ],
)
def test_a_damaged_entry_is_refused(bar, milk, body):
    count = start(bar, milk)
    before = everything()
    answer = signed_in("barista").post(page("stockcount_count", count.pk), body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert everything() == before


def test_without_scripts_a_button_saves_what_has_changed(bar, milk, tea):
    count = start(bar, milk, tea)
    client = signed_in("barista")
    client.post(page("stockcount_count", count.pk), {f"line-{milk.pk}": "990", f"line-{tea.pk}": ""})
    bar.sell(bar.product("Latte", recipe={milk: 200}))

    answer = client.post(page("stockcount_count", count.pk), {f"line-{milk.pk}": "990", f"line-{tea.pk}": "0.5 kg"})

    assert answer.headers["Location"] == page("stockcount_count", count.pk)
    # What was counted before the latte is left as it was noted then.
    assert (figures(count, milk), figures(count, tea)) == ((990, 1000), (500, 500))
    client.post(page("stockcount_count", count.pk), {f"line-{milk.pk}": ""})
    assert (figures(count, milk), figures(count, tea)) == ((None, None), (500, 500))


def test_one_wrong_entry_keeps_all_of_them_on_the_page(bar, milk, tea):
    count = start(bar, milk, tea)
    before = everything()
    answer = signed_in("barista").post(
        page("stockcount_count", count.pk), {f"line-{milk.pk}": "990", f"line-{tea.pk}": "much"}
    )
    assert 'value="990"' in answer.content.decode()
    assert 'value="much"' in answer.content.decode()
    assert everything() == before


def test_nobody_counts_in_a_count_that_was_finished_or_posted_meanwhile(bar, milk):
    count = reviewed(bar, {milk: 900})
    before = everything()
    client = signed_in("barista")
    assert client.get(page("stockcount_count", count.pk)).headers["Location"] == page("stockcount_change", count.pk)
    answer = enter(client, count, milk, "5")
    assert answer.status_code == 409
    assert answer.json()["url"] == page("stockcount_change", count.pk)
    answer = client.post(page("stockcount_count", count.pk), {f"line-{milk.pk}": "5"})
    assert answer.headers["Location"] == page("stockcount_change", count.pk)
    assert "to be reviewed" in said(answer)[0]
    assert everything() == before


def test_the_counting_page_says_nothing_of_what_is_expected(bar, milk, tea):
    fridge = add_shelf(location=bar.location, name="Fridge", ingredient_ids=[milk.pk])
    assert fridge
    count = start(bar)
    note(count, {milk: 777})
    for role in ("barista", "manager"):
        text = text_of(signed_in(role).get(page("stockcount_count", count.pk)))
        assert "777 ml" in text
        assert "1 of 2 left" in text
        assert "Fridge" in text
        assert "No shelf" in text
        assert "1,000" not in text
        assert "500" not in text


# --- finishing, reviewing, posting ----------------------------------------------------------------------


def test_what_nobody_counted_is_named_before_it_is_left_out(bar, milk, tea):
    count = start(bar, milk, tea)
    note(count, {milk: 900})
    client = signed_in("barista")
    verb = page("stockcount_verb", count.pk, "submit")
    assert "Leave out what is not counted: Tea" in text_of(client.get(verb))

    answer = client.post(verb, {"submit-missing": f"{tea.pk}"})
    assert "Not counted yet: Tea." in said(answer)[0]
    answer = client.post(verb, {"submit-leave_out": "on", "submit-missing": ""})
    assert StockCount.objects.get().status == "counting"

    client.post(verb, {"submit-leave_out": "on", "submit-missing": f"{tea.pk}"})
    assert StockCount.objects.get().status == "review"


def test_who_finishes_is_told_that_everything_is_counted(bar, milk, tea):
    count = start(bar, milk, tea)
    client = signed_in("barista")
    verb = page("stockcount_verb", count.pk, "submit")
    note(count, {milk: 900})
    assert "Everything is counted" not in text_of(client.get(verb))
    note(count, {tea: 500})
    assert "Everything is counted: 2 of 2." in text_of(client.get(verb))


def test_the_review_shows_differences_to_who_may_post_and_to_nobody_else(bar, milk, tea):
    sugar = bar.ingredient("Sugar", stock=10)
    count = reviewed(bar, {milk: 950, tea: 510, sugar: 10})
    bar.sell(bar.product("Latte", recipe={milk: 200}))
    address = page("stockcount_change", count.pk)

    text = text_of(signed_in("manager").get(address))

    assert "\N{MINUS SIGN}50 ml" in text
    assert "\N{MINUS SIGN}5 %" in text
    assert "\N{MINUS SIGN}฿2.50" in text
    assert "+10 g" in text
    assert "+฿4" in text
    assert "+฿1.50" in text
    assert "sale \N{MINUS SIGN}200 ml" in text
    only = text_of(signed_in("manager").get(f"{address}?only=differences"))
    assert "Sugar" not in only
    assert only.index("Tea") < only.index("Milk")
    blind = text_of(signed_in("barista").get(f"{address}?only=differences"))
    assert "950 ml" in blind
    for secret in ("1,000", "\N{MINUS SIGN}50", "+10", "฿", "Expected", "sale \N{MINUS SIGN}"):
        assert secret not in blind


def test_a_manager_posts_once(bar, milk, tea):
    count = reviewed(bar, {milk: 950, tea: 500})
    client = signed_in("manager")
    verb = page("stockcount_verb", count.pk, "post")
    token = token_in(client.get(verb))

    first = client.post(verb, {"once": token})
    again = client.post(verb, {"once": token})
    other = client.post(verb, {"once": "f" * 32})

    assert said(first) == [f"Posted: stock count {count.pk}."]
    assert set(said(again)) == set(said(first))
    assert "is posted. This is possible only while it is to be reviewed." in said(other)[-1]
    assert bar.ledger(milk) == [("receipt", 1000), ("count", -50)]
    assert_levels_are_what_the_ledger_sums_to()
    text = text_of(client.get(page("stockcount_change", count.pk)))
    assert "\N{MINUS SIGN}฿2.50" in text
    assert "In the ledger" in text
    assert f"stock count {count.pk}" in text_of(client.get(page("stockmovement_changelist")))


def test_a_barista_does_not_post(bar, milk):
    count = reviewed(bar, {milk: 950})
    before = everything()
    assert signed_in("barista").post(page("stockcount_verb", count.pk, "post")).status_code == 403
    assert everything() == before


def test_lines_are_counted_again_one_after_the_other(bar, milk, tea):
    count = reviewed(bar, {milk: 950, tea: 510})
    client = signed_in("manager")
    verb = page("stockcount_verb", count.pk, "recount")

    client.post(verb, {"recount-ingredients": milk.pk})
    assert StockCount.objects.get().status == "counting"
    assert (figures(count, milk), figures(count, tea)) == ((None, None), (510, 500))
    client.post(verb, {"recount-ingredients": tea.pk})
    assert figures(count, tea) == (None, None)
    client.post(verb, {"recount-ingredients": 999_999})
    client.post(verb, {})
    assert StockCount.objects.get().status == "counting"


def test_what_has_to_be_counted_again_is_said_in_the_review_and_when_somebody_posts(bar, milk, tea):
    count = reviewed(bar, {milk: 100, tea: 500})
    harbour = Shop.open("Harbour")
    transfer_stock(
        source=bar.location,
        destination=harbour.location,
        lines=[StockLine(milk.pk, bar.quantity(milk) - 5)],
        created_by_id=None,
    )
    client = signed_in("manager")
    before = everything()

    text = text_of(client.get(page("stockcount_change", count.pk)))
    answer = client.post(page("stockcount_verb", count.pk, "post"))

    assert "These have to be counted again before the count can be posted: Milk" in text
    assert "less is left than is missing" in text
    assert "Count these again." in said(answer)[0]
    assert everything() == before


def test_a_count_is_given_back_and_cancelled(bar, milk):
    count = reviewed(bar, {milk: 950})
    client = signed_in("barista")
    client.post(page("stockcount_verb", count.pk, "reopen"))
    assert StockCount.objects.get().status == "counting"
    client.post(page("stockcount_verb", count.pk, "cancel"))
    assert StockCount.objects.get().status == "cancelled"
    assert bar.quantity(milk) == 1000


def test_the_list_names_counts_their_progress_and_what_they_came_to(bar, milk, tea):
    posted(bar, {milk: 950})
    count = start(bar, milk, tea)
    note(count, {milk: 5})

    text = text_of(signed_in("manager").get(page("stockcount_changelist")))
    assert "1 of 2" in text
    assert "\N{MINUS SIGN}฿2.50" in text
    assert "฿" not in text_of(signed_in("barista").get(page("stockcount_changelist")))
    only = text_of(signed_in("manager").get(f"{page('stockcount_changelist')}?status__exact=posted"))
    assert "1 of 2" not in only
    assert "1 of 1" in only


def test_pages_take_as_many_queries_for_a_hundred_lines_as_for_three(bar):
    client = signed_in("manager")
    taken = []
    for number in (3, 100):
        ingredients = [bar.ingredient(f"I {number} {n}", stock=10, unit_cost=1) for n in range(number)]
        add_shelf(location=bar.location, name=f"Shelf {number}", ingredient_ids=[one.pk for one in ingredients])
        reviewed(bar, dict.fromkeys(ingredients[: number // 2], 9))
        count = start(bar, *ingredients[number // 2 :])
        note(count, {ingredients[-1]: 9})
        taken.append(
            [
                queries_of(client, address)
                for address in (
                    page("stockcount_changelist"),
                    page("stockcount_start"),
                    page("stockcount_count", count.pk),
                    page("stockcount_change", count.pk),
                    page("stockcount_change", count.pk - 1),
                    page("shelf_changelist"),
                    page("shelf_change", Shelf.objects.latest("pk").pk),
                )
            ]
        )
    assert taken[0] == taken[1]
    assert max(taken[1]) <= 20, taken
