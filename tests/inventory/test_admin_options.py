"""Option groups and options in the admin."""

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import Option, OptionEffect, OptionGroup
from tests.inventory.admin_pages import formset, inline_errors, page, said, signed_in, text_of
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def option_form(option: Option, effects: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    return {
        "name": option.name,
        "price_delta": str(option.price_delta),
        "is_available": "on",
        **fields,
        **formset("effects", effects),
    }


def test_a_group_is_made_with_its_options() -> None:
    response = signed_in("manager").post(
        page("optiongroup_add"),
        {
            "name": "Ice",
            "min_choices": "1",
            "max_choices": "1",
            "free_choices": "0",
            "position": "0",
            **formset(
                "options",
                [
                    {"name": "Normal", "price_delta": "0", "is_default": "on", "is_available": "on", "position": "0"},
                    {"name": "None", "price_delta": "-5", "is_available": "on", "position": "1"},
                ],
            ),
        },
    )

    assert response.status_code == 302
    assert list(Option.objects.values_list("name", "price_delta", "is_default")) == [
        ("Normal", 0, True),
        ("None", -5, False),
    ]


def test_a_new_option_comes_after_those_that_are_there() -> None:
    shop = Shop.open()
    group = shop.group("Ice")
    for place, name in enumerate(("Normal", "Less")):
        shop.option(group, name, position=place)
    normal, less = group.options.all()
    rows: list[dict[str, Any]] = [
        # The two have changed places, by dragging.
        {"id": normal.pk, "name": "Normal", "price_delta": "0", "position": "1"},
        {"id": less.pk, "name": "Less", "price_delta": "0", "position": "0"},
        {"name": "None", "price_delta": "0", "position": "0"},
        {"name": "Hot", "price_delta": "0", "position": "0"},
    ]

    signed_in("manager").post(
        page("optiongroup_change", group.pk),
        {
            "name": "Ice",
            "min_choices": "0",
            "max_choices": "1",
            "free_choices": "0",
            "position": "0",
            **formset("options", rows, initial=2),
        },
    )

    assert list(group.options.values_list("name", flat=True)) == ["Less", "Normal", "None", "Hot"]


def test_the_group_says_in_words_what_each_option_does() -> None:
    shop = Shop.open()
    group = shop.group("Extras", most=9)
    milk, oat, pearls = shop.ingredient("Milk", "ml"), shop.ingredient("Oat milk", "ml"), shop.ingredient("Pearls", "g")
    shop.adds(shop.option(group, "Pearls"), pearls, 50)
    shop.scales(shop.option(group, "Large"), "1.4")
    shop.scales(shop.option(group, "Half"), "0.5", milk)
    shop.scales(shop.option(group, "Black"), 0, milk)
    shop.replaces(shop.option(group, "Oat"), milk, oat)
    shop.option(group, "Plain")

    shown = text_of(signed_in("manager").get(page("optiongroup_change", group.pk)))

    for words in ("adds 50 g Pearls", "×1.4 of what scales", "Milk ×0.5", "no Milk", "Milk → Oat milk", "—"):
        assert words in shown


def test_choices_that_nobody_could_make_are_refused() -> None:
    group = Shop.open().group("Size")
    client = signed_in("manager")
    sent = {"name": "Size", "free_choices": "0", "position": "0"}

    crossed = client.post(
        page("optiongroup_change", group.pk), {**sent, "min_choices": "3", "max_choices": "2", **formset("options", [])}
    )
    assert "“At most” must be 1 or more, and not below “at least”." in text_of(crossed)

    one = {"name": "M", "price_delta": "0", "position": "0"}
    too_few = client.post(
        page("optiongroup_change", group.pk),
        {**sent, "min_choices": "2", "max_choices": "2", **formset("options", [one])},
    )
    assert "At least 2 must be chosen, but the group has only 1 options." in text_of(too_few)

    defaults = [{**one, "is_default": "on"}, {**one, "name": "L", "is_default": "on"}]
    too_many = client.post(
        page("optiongroup_change", group.pk),
        {**sent, "min_choices": "0", "max_choices": "1", **formset("options", defaults)},
    )
    assert "2 options are marked as default, but at most 1 may be chosen." in text_of(too_many)
    group.refresh_from_db()
    assert (group.min_choices, group.max_choices, group.options.count()) == (0, 1, 0)


def test_an_options_effects_are_edited_on_its_own_page() -> None:
    shop = Shop.open()
    group = shop.group("Milk")
    milk, oat = shop.ingredient("Milk", "ml"), shop.ingredient("Oat milk", "ml")
    option = shop.option(group, "Oat", 15)

    response = signed_in("manager").post(
        page("option_change", option.pk),
        option_form(
            option,
            [
                # What another kind left in its fields does not count.
                {"kind": "replace", "ingredient": milk.pk, "replacement": oat.pk, "factor": "2", "quantity": "x"},
                {"kind": "scale", "ingredient": "", "factor": "1,4"},
                {"kind": "add", "ingredient": milk.pk, "quantity": "12.5"},
            ],
        ),
    )

    assert response["Location"] == page("optiongroup_change", group.pk)
    assert list(
        OptionEffect.objects.values_list("kind", "ingredient__name", "replacement__name", "factor", "quantity")
    ) == [
        ("replace", "Milk", "Oat milk", None, None),
        ("scale", None, None, Decimal("1.4"), None),
        ("add", "Milk", None, None, Decimal("12.5")),
    ]


@pytest.mark.parametrize(
    ("effect", "field", "sentence"),
    [
        ({"kind": "replace", "ingredient": "milk"}, "replacement", "Choose what comes in its place."),
        ({"kind": "replace", "replacement": "milk"}, "ingredient", "Choose the ingredient."),
        (
            {"kind": "replace", "ingredient": "milk", "replacement": "milk"},
            "replacement",
            "Choose another ingredient: this one is what it replaces.",
        ),
        ({"kind": "scale"}, "factor", "Write by how much: 1.4, or 0 for none."),
        ({"kind": "scale", "factor": "-1"}, "factor", "The factor must be from 0 to 1000."),
        ({"kind": "scale", "factor": "1001"}, "factor", "The factor must be from 0 to 1000."),
        ({"kind": "add", "ingredient": "milk"}, "quantity", "Write how much of it."),
        ({"kind": "add", "ingredient": "milk", "quantity": "0"}, "quantity", "The quantity must be more than 0."),
        ({"kind": "add", "quantity": "5"}, "ingredient", "Choose the ingredient."),
        ({"kind": "", "quantity": "5"}, "kind", "This field is required."),
    ],
)
def test_an_effect_that_is_not_whole_is_refused_at_its_field(effect: dict[str, str], field: str, sentence: str) -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")
    option = shop.option(shop.group("Milk"), "Oat")
    sent = {name: milk.pk if value == "milk" else value for name, value in effect.items()}

    response = signed_in("manager").post(page("option_change", option.pk), option_form(option, [sent]))

    assert inline_errors(response, "effects") == [{field: [sentence]}]
    assert not OptionEffect.objects.exists()


def test_options_have_no_list_of_their_own() -> None:
    response = signed_in("manager").get(page("option_changelist"))
    assert response["Location"] == page("optiongroup_changelist")


def test_deleting_a_group_that_products_ask_about_is_refused() -> None:
    shop = Shop.open()
    group = shop.group("Size")
    shop.option(group, "Large")
    shop.product("Latte", groups=[group])

    response = signed_in("manager").post(page("optiongroup_delete", group.pk), {"post": "yes"})

    assert said(response) == [
        "“Size” can't be deleted: in use by 1 option group of a product. Take it off those products first."
    ]
    assert OptionGroup.objects.exists()
