"""Stock counts and shelves over REST."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Ingredient, Location, Shelf, StockCount
from inventory.services.shelves import add_shelf
from tests.inventory.counting import everything, note, reviewed, start
from tests.rest import Rest
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


@pytest.fixture
def barista() -> Rest:
    return Rest.of("barista")


@pytest.fixture
def manager() -> Rest:
    return Rest.of("manager")


def lines(*counted: tuple[Ingredient, Any]) -> dict[str, Any]:
    return {"lines": [{"ingredient": one.pk, "counted": quantity} for one, quantity in counted]}


# --- a count from its start to its end -----------------------------------------------------------------


def test_a_barista_counts_and_a_manager_posts(bar, milk, tea, barista, manager):
    count = barista.post("stock-counts/", {"comment": "Sunday"})
    address = f"stock-counts/{count['id']}/"
    assert {name: count[name] for name in ("location", "shelf", "status", "comment", "line_number", "created_by")} == {
        "location": bar.location.pk,
        "shelf": None,
        "status": "counting",
        "comment": "Sunday",
        "line_number": 2,
        "created_by": barista.user.pk,
    }
    assert [one["ingredient_name"] for one in count["lines"]] == ["Milk", "Tea"]

    noted = barista.patch(address, lines((milk, "950.5"), (tea, 500)))
    assert (noted["counted_number"], [one["counted"] for one in noted["lines"]]) == (2, ["950.500", "500.000"])
    assert noted["lines"][0]["counted_by"] == barista.user.pk
    assert barista.post(f"{address}submit/", status=200)["status"] == "review"
    barista.refused("post", f"{address}post/", status=403, kind="permission_denied")
    assert bar.quantity(milk) == 1000

    posted = manager.post(f"{address}post/", status=200)

    assert (posted["status"], posted["posted_by"]) == ("posted", manager.user.pk)
    assert posted["closed_at"]
    assert str(bar.quantity(milk)) == "950.500"
    ledger = barista.get("stock-movements/", document_type="count", document_id=str(count["id"]))["results"]
    assert [(one["ingredient"], one["delta"], one["reason"]) for one in ledger] == [(milk.pk, "-49.500", "count")]
    assert_levels_are_what_the_ledger_sums_to()


def test_who_counts_does_not_see_what_is_expected_and_who_posts_does(bar, milk, tea, barista, manager):
    count = reviewed(bar, {milk: 950, tea: 510})
    bar.sell(bar.product("Latte", recipe={milk: 200}))
    address = f"stock-counts/{count.pk}/"

    [blind, _tea] = barista.get(address)["lines"]
    seen = manager.get(address)

    assert set(blind) == {"ingredient", "ingredient_name", "unit", "counted", "counted_by", "counted_at"}
    assert "summary" not in barista.get(address)
    first, second = seen["lines"]
    assert {name: first[name] for name in first if name not in blind} == {
        "expected": "1000.000",
        "difference": "-50.000",
        "percent": "-5.0",
        "moved_since": {"sale": "-200.000"},
        "count_again": False,
        "value": "-2.50",
    }
    assert (second["difference"], second["moved_since"], second["value"]) == ("10.000", {}, "4.00")
    assert seen["summary"] == {"gains": "4.00", "losses": "-2.50", "net": "1.50"}


def test_what_nobody_counted_must_be_named(milk, tea, barista):
    count = barista.post("stock-counts/", {"ingredients": [tea.pk, milk.pk]})
    address = f"stock-counts/{count['id']}/"
    assert [one["ingredient"] for one in count["lines"]] == [tea.pk, milk.pk]
    barista.refused("post", f"{address}submit/", {"leave_out": [milk.pk, tea.pk]}, status=409, kind="nothing_counted")
    barista.patch(address, lines((milk, "1")))
    answer = barista.refused("post", f"{address}submit/", status=409, kind="not_all_counted")
    assert answer["ingredients"] == [{"ingredient": tea.pk, "name": "Tea"}]
    assert barista.post(f"{address}submit/", {"leave_out": [tea.pk]}, status=200)["status"] == "review"


def test_a_count_is_given_back_with_what_is_to_be_counted_again(bar, milk, tea, barista):
    address = f"stock-counts/{reviewed(bar, {milk: 950, tea: 510}).pk}/"
    answer = barista.post(f"{address}reopen/", {"ingredients": [tea.pk]}, status=200)
    assert (answer["status"], [one["counted"] for one in answer["lines"]]) == ("counting", ["950.000", None])
    assert barista.post(f"{address}cancel/", status=200)["status"] == "cancelled"


def test_a_shelf_is_counted(bar, milk, tea, barista):
    fridge = add_shelf(location=bar.location, name="Fridge", ingredient_ids=[milk.pk])
    count = barista.post("stock-counts/", {"shelf": fridge.pk})
    assert (count["shelf"], [one["ingredient"] for one in count["lines"]]) == (fridge.pk, [milk.pk])
    [listed] = barista.get("stock-counts/", shelf=fridge.pk, status="counting")["results"]
    assert (listed["id"], listed["line_number"], listed["counted_number"]) == (count["id"], 1, 0)
    assert barista.get("stock-counts/", status="posted")["results"] == []


def test_a_repeat_with_the_same_key_starts_and_posts_nothing_twice(bar, milk, manager):
    body = {"ingredients": [milk.pk]}
    first = manager.post("stock-counts/", body, **{"Idempotency-Key": "a"})
    assert manager.post("stock-counts/", body, **{"Idempotency-Key": "a"})["id"] == first["id"]
    assert StockCount.objects.count() == 1


# --- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counted", "field"),
    [
        ("-1", "counted"),
        ("NaN", "counted"),
        ("Infinity", "counted"),
        ("1e30", "counted"),
        ("100000000", "counted"),
        ("0.0001", "counted"),
        ("much", "counted"),
        ("", "counted"),
        ([], "counted"),
        (True, "counted"),
    ],
)
def test_what_nobody_can_have_counted_is_refused_and_nothing_is_noted(bar, milk, tea, barista, counted, field):
    count = start(bar, milk, tea)
    before = everything()
    barista.refused(
        "patch",
        f"stock-counts/{count.pk}/",
        lines((milk, "5"), (tea, counted)),
        status=400,
        kind="invalid",
        at=f"lines[1].{field}",
    )
    assert everything() == before


def test_wrong_lines_are_refused_at_their_places(bar, milk, tea, barista):
    count = start(bar, milk)
    address = f"stock-counts/{count.pk}/"
    before = everything()
    for body, at in (
        (lines((milk, "5"), (tea, "5")), "lines[1].ingredient"),
        (lines((milk, "5"), (milk, "6")), "lines[1].ingredient"),
        ({"lines": [{"ingredient": milk.pk}]}, "lines[0].counted"),
        ({"lines": [{"ingredient": milk.pk, "counted": "1", "expected": "5"}]}, "lines[0].expected"),
        ({"lines": []}, "lines"),
        ({}, "lines"),
        ({"lines": "milk"}, "lines"),
    ):
        barista.refused("patch", address, body, status=400, kind="invalid", at=at)
    assert everything() == before


def test_a_count_that_can_not_begin_is_refused(bar, milk, barista):
    shelf = add_shelf(location=bar.location, name="Empty")
    before = everything()
    for body, at in (
        ({"ingredients": []}, "ingredients"),
        ({"ingredients": [milk.pk, 999_999]}, "ingredients[1]"),
        ({"ingredients": ["milk"]}, "ingredients[0]"),
        ({"shelf": shelf.pk}, "shelf"),
        ({"shelf": 999_999}, "shelf"),
        ({"shelf": shelf.pk, "ingredients": [milk.pk]}, "shelf"),
        ({"location": 999_999}, "location"),
    ):
        barista.refused("post", "stock-counts/", body, status=400, kind="invalid", at=at)
    assert everything() == before
    first = start(bar, milk)
    answer = barista.refused("post", "stock-counts/", {}, status=409, kind="already_being_counted")
    assert answer["counts"] == [first.pk]
    Location.objects.update(is_active=False)
    barista.refused("post", "stock-counts/", {"location": bar.location.pk}, status=409, kind="closed_location")


def test_a_count_in_another_status_is_left_alone(bar, milk, manager):
    count = start(bar, milk)
    address = f"stock-counts/{count.pk}/"
    note(count, {milk: 5})
    for verb in ("post", "reopen"):
        assert manager.refused("post", f"{address}{verb}/", status=409, kind="wrong_status")["status"] == "counting"
    manager.post(f"{address}submit/", status=200)
    manager.refused("patch", address, lines((milk, "6")), status=409, kind="wrong_status")
    manager.post(f"{address}post/", status=200)
    before = everything()
    for verb in ("submit", "post", "reopen", "cancel"):
        assert manager.refused("post", f"{address}{verb}/", status=409, kind="wrong_status")["status"] == "posted"
    manager.refused("patch", address, lines((milk, "6")), status=409, kind="wrong_status")
    manager.refused("get", "stock-counts/999999/", status=404, kind="not_found")
    manager.refused("post", "stock-counts/999999/post/", status=404, kind="not_found")
    assert everything() == before


def test_a_count_whose_ingredient_was_counted_meanwhile_is_not_posted(bar, milk, manager):
    """Two open counts can't have it by the front door; so the first one stands elsewhere while the second begins."""
    first = reviewed(bar, {milk: 900})
    StockCount.objects.filter(pk=first.pk).update(location=Shop.open("Nowhere").location)
    second = reviewed(bar, {milk: 900})
    StockCount.objects.filter(pk=first.pk).update(location=bar.location)
    manager.post(f"stock-counts/{second.pk}/post/", status=200)
    before = everything()

    assert manager.get(f"stock-counts/{first.pk}/")["lines"][0]["count_again"] is True
    answer = manager.refused("post", f"stock-counts/{first.pk}/post/", status=409, kind="count_again")

    assert answer["ingredients"] == [{"ingredient": milk.pk, "name": "Milk", "why": "corrected"}]
    assert everything() == before


def test_a_count_takes_as_many_queries_for_fifty_lines_as_for_one(bar, manager):
    taken = []
    for number in (1, 50):
        ids = [bar.ingredient(f"I {number} {n}", stock=5).pk for n in range(number)]
        count = manager.post("stock-counts/", {"ingredients": ids})
        body = {"lines": [{"ingredient": pk, "counted": "4"} for pk in ids]}
        with CaptureQueriesContext(connection) as captured:
            manager.patch(f"stock-counts/{count['id']}/", body)
            manager.post(f"stock-counts/{count['id']}/submit/", status=200)
            manager.post(f"stock-counts/{count['id']}/post/", status=200)
            manager.get("stock-counts/")
        taken.append(len(captured))
    assert taken[0] == taken[1]


# --- shelves ------------------------------------------------------------------------------------------


def test_shelves_are_put_up_filled_ordered_and_taken_down(bar, milk, tea, manager, barista):
    upper = manager.post("shelves/", {"name": "Upper", "ingredients": [tea.pk]})
    fridge = manager.post("shelves/", {"location": bar.location.pk, "name": "Fridge", "ingredients": [milk.pk, tea.pk]})
    assert fridge == {
        "id": fridge["id"],
        "location": bar.location.pk,
        "name": "Fridge",
        "position": 1,
        "ingredients": [milk.pk, tea.pk],
    }
    assert [one["ingredients"] for one in barista.get("shelves/")["results"]] == [[], [milk.pk, tea.pk]]
    assert manager.patch(f"shelves/{fridge['id']}/", {"name": "Cold"})["ingredients"] == [milk.pk, tea.pk]
    assert manager.patch(f"shelves/{upper['id']}/", {"ingredients": [milk.pk]})["ingredients"] == [milk.pk]
    assert barista.get(f"shelves/{fridge['id']}/")["ingredients"] == [tea.pk]
    ordered = manager.post("shelves/order/", {"shelves": [fridge["id"], upper["id"]]}, status=200)
    assert [one["name"] for one in ordered] == ["Cold", "Upper"]
    manager.delete(f"shelves/{fridge['id']}/")
    assert [one["name"] for one in barista.get("shelves/", search="upp")["results"]] == ["Upper"]


def test_wrong_shelves_are_refused(bar, milk, manager):
    shelf = manager.post("shelves/", {"name": "Fridge"})
    before = everything()
    address = f"shelves/{shelf['id']}/"
    for method, path, body, at in (
        ("post", "shelves/", {"name": "Fridge"}, "non_field_errors"),
        ("post", "shelves/", {"name": ""}, "name"),
        ("post", "shelves/", {}, "name"),
        ("post", "shelves/", {"name": "Upper", "ingredients": [999_999]}, "ingredients[0]"),
        ("patch", address, {"location": 5}, "location"),
        ("patch", address, {"name": "x" * 101}, "name"),
        ("post", "shelves/order/", {"shelves": []}, "shelves"),
        ("post", "shelves/order/", {"shelves": [999_999]}, "shelves"),
    ):
        manager.refused(method, path, body, status=400, kind="invalid", at=at)
    manager.refused("patch", "shelves/999999/", {"name": "A"}, status=404, kind="not_found")
    manager.refused("delete", "shelves/999999/", status=404, kind="not_found")
    assert everything() == before
    assert Shelf.objects.count() == 1
