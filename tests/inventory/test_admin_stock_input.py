"""Input that makes no sense on the pages that move stock: said where it is, and nothing has moved."""

from typing import Any

import pytest

from inventory.models import StockDocument, StockMovement
from tests.inventory.admin_pages import lines, page, signed_in, text_of
from tests.shop import Shop

pytestmark = pytest.mark.django_db
RECEIVE, WRITE_OFF = "stocklevel_receive", "stocklevel_write_off"


def nothing_moved() -> bool:
    return not StockDocument.objects.exists() and not StockMovement.objects.exists()


@pytest.mark.parametrize(
    ("quantity", "sentence"),
    [
        ("", "This field is required."),
        ("0", "The quantity must be more than 0."),
        ("-5", "The quantity must be more than 0."),
        ("1e9", "The quantity can't be above 99999999."),
        ("1" * 400, "The quantity can't be above 99999999."),
        ("1e999999", "The quantity can't be above 99999999."),
        ("0.0001", "A quantity has at most three decimals."),
        ("NaN", "Enter a number."),
        ("Infinity", "Enter a number."),
        ("two", "Enter a number."),
        ("1,000", "“1,000” can be read in two ways. Write 1000 for a thousand, and 1.5 for one and a half."),
    ],
)
@pytest.mark.parametrize(("name", "form"), [(RECEIVE, {}), (WRITE_OFF, {"reason": "spoilage"})])
def test_a_quantity_that_makes_no_sense_is_refused_at_its_line(
    name: str, form: dict[str, Any], quantity: str, sentence: str
) -> None:
    shop = Shop.open()
    milk, lid = shop.ingredient("Milk", "ml"), shop.ingredient("Lid", "pc")

    response = signed_in("manager").post(page(name), lines([(lid, "1"), (milk, quantity)], **form))

    assert response.status_code == 200
    assert [form.errors for form in response.context["formset"]] == [{}, {"quantity": [sentence]}]
    assert nothing_moved()


@pytest.mark.parametrize("ingredient", ["999999", "9" * 30, "-1", "milk", "1.5"])
def test_an_ingredient_that_does_not_exist_is_refused_at_its_line(ingredient: str) -> None:
    Shop.open().ingredient("Milk", "ml")

    response = signed_in("manager").post(page(RECEIVE), lines([(ingredient, "5")]))

    assert response.context["formset"].forms[0].errors == {
        "ingredient": ["There is no such ingredient. Choose one from the list."]
    }
    assert nothing_moved()


def test_an_ingredient_twice_is_refused_at_the_second_line() -> None:
    milk = Shop.open().ingredient("Milk", "ml")

    response = signed_in("manager").post(
        page(RECEIVE), lines([(milk, "5"), {"ingredient": "", "quantity": ""}, (milk, "6")])
    )

    assert [form.errors for form in response.context["formset"]] == [
        {},
        {},
        {"ingredient": ["This ingredient stands in the list already. Add the quantities up."]},
    ]
    assert nothing_moved()


def test_a_cost_that_makes_no_sense_is_refused_at_its_line() -> None:
    milk = Shop.open().ingredient("Milk", "ml")
    for field, cost in (("unit_cost", "-1"), ("unit_cost", "1e9"), ("paid", "-1"), ("paid", "1e20")):
        response = signed_in("manager").post(
            page(RECEIVE), lines([{"ingredient": milk.pk, "quantity": "5", field: cost}])
        )
        assert list(response.context["formset"].forms[0].errors) == [field]
    assert nothing_moved()


def test_no_lines_are_refused() -> None:
    Shop.open().ingredient("Milk", "ml")

    response = signed_in("manager").post(page(RECEIVE), lines([{"ingredient": "", "quantity": ""}]))

    assert "Add at least one line." in text_of(response)
    assert nothing_moved()


def test_more_lines_than_the_page_takes_are_refused() -> None:
    milk = Shop.open().ingredient("Milk", "ml")

    response = signed_in("manager").post(page(RECEIVE), lines([(milk, "1")] * 201))

    assert response.context["formset"].non_form_errors() == ["Please submit at most 200 forms."]
    assert nothing_moved()


def test_five_thousand_lines_change_nothing() -> None:
    milk = Shop.open().ingredient("Milk", "ml")

    response = signed_in("manager").post(page(RECEIVE), lines([(milk, "1")] * 5000))

    assert response.status_code == 400
    assert nothing_moved()


def test_a_comment_of_a_million_characters_is_refused_at_its_field() -> None:
    milk = Shop.open().ingredient("Milk", "ml")

    response = signed_in("manager").post(page(RECEIVE), lines([(milk, "1")], comment="x" * 1_000_000))

    assert list(response.context["form"].errors) == ["comment"]
    assert nothing_moved()


def test_a_form_without_its_lines_is_refused() -> None:
    Shop.open().ingredient("Milk", "ml")

    response = signed_in("manager").post(page(RECEIVE), {"comment": "no lines at all"})

    assert response.status_code == 200
    assert nothing_moved()
