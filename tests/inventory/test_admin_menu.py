"""Categories, products and options in the admin."""

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from inventory.models import Category, Option, OptionEffect, OptionGroup, Product, RecipeLine
from tests.inventory.admin_pages import formset, page, said, signed_in, text_of
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    """Pictures of a test are kept apart."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def picture(kind: str = "PNG", name: str = "latte.png") -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", (8, 8), "brown").save(content, kind)
    return SimpleUploadedFile(name, content.getvalue())


def product_form(
    shop: Shop,
    *,
    recipe: list[dict[str, Any]] | None = None,
    groups: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """What the page of a new product sends."""
    return {
        "name": "Latte",
        "category": shop.category.pk,
        "price": "70",
        "position": "0",
        "description": "",
        "is_listed": "on",
        **fields,
        **formset("recipe_lines", recipe or []),
        **formset("group_links", groups or []),
    }


def inline_errors(response: Any, prefix: str) -> list[dict[str, list[str]]]:
    [found] = [one.formset for one in response.context["inline_admin_formsets"] if one.formset.prefix == prefix]
    return [dict(form.errors) for form in found.initial_forms + found.extra_forms]


# --- products -----------------------------------------------------------------------------------------------


def test_a_product_is_made_with_its_recipe_its_options_and_its_picture(media: Path) -> None:
    shop = Shop.open()
    milk, cup = shop.ingredient("Milk", "ml"), shop.ingredient("Cup", "pc")
    size = shop.group("Size")

    response = signed_in("manager").post(
        page("product_add"),
        product_form(
            shop,
            price="70,50",
            recipe=[
                {"ingredient": milk.pk, "quantity": "200", "scales": "on"},
                {"ingredient": cup.pk, "quantity": "1"},
            ],
            groups=[{"group": size.pk, "position": "0"}],
            image=picture(),
        ),
    )

    assert response.status_code == 302
    product = Product.objects.get()
    assert (product.price, product.is_listed) == (Decimal("70.50"), True)
    assert list(product.recipe_lines.values_list("ingredient__name", "quantity", "scales")) == [
        ("Milk", 200, True),
        ("Cup", 1, False),
    ]
    assert list(product.option_groups.all()) == [size]
    assert product.image.name.startswith("products/")
    assert len(list(media.rglob("*.png"))) == 1


def test_a_new_picture_takes_the_place_of_the_old_one(media: Path, django_capture_on_commit_callbacks: Any) -> None:
    shop = Shop.open()
    client = signed_in("manager")
    client.post(page("product_add"), product_form(shop, image=picture()))
    product = Product.objects.get()

    with django_capture_on_commit_callbacks(execute=True):
        client.post(page("product_change", product.pk), product_form(shop, image=picture("JPEG", "new.jpg")))

    product.refresh_from_db()
    assert [path.suffix for path in media.rglob("*.*")] == [".jpg"]
    assert (media / product.image.name).exists()


def test_deleting_a_product_deletes_its_picture(media: Path, django_capture_on_commit_callbacks: Any) -> None:
    shop = Shop.open()
    client = signed_in("manager")
    client.post(page("product_add"), product_form(shop, image=picture()))

    with django_capture_on_commit_callbacks(execute=True):
        client.post(page("product_delete", Product.objects.get().pk), {"post": "yes"})

    assert not Product.objects.exists()
    assert list(media.rglob("*.png")) == []


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("latte.png", b"this is no picture", "This file is not a picture. Choose a JPEG, PNG or WebP file."),
        ("latte.png", b"", "The submitted file is empty."),
        ("latte.svg", b"<svg onload='alert(1)'/>", "This file is not a picture. Choose a JPEG, PNG or WebP file."),
    ],
)
def test_a_picture_that_is_none_is_refused_at_its_field(name: str, content: bytes, sentence: str, media: Path) -> None:
    shop = Shop.open()

    response = signed_in("manager").post(
        page("product_add"), product_form(shop, image=SimpleUploadedFile(name, content))
    )

    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == ["image"]
    assert sentence in text_of(response) or "not a picture" in text_of(response) or "not an image" in text_of(response)
    assert not Product.objects.exists()
    assert list(media.iterdir()) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 151),
        ("price", "-1"),
        ("price", "1e20"),
        ("price", "free"),
        ("price", "0.001"),
        ("category", "999"),
        ("description", "x" * 2001),
    ],
)
def test_a_product_that_makes_no_sense_is_refused_at_its_field(field: str, value: str) -> None:
    shop = Shop.open()

    response = signed_in("manager").post(page("product_add"), product_form(shop, **{field: value}))

    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]
    assert not Product.objects.exists()


@pytest.mark.parametrize("quantity", ["0", "-1", "1e20", "0.0001", "", "much"])
def test_a_recipe_line_that_makes_no_sense_is_refused_at_its_line(quantity: str) -> None:
    shop = Shop.open()
    milk, cup = shop.ingredient("Milk", "ml"), shop.ingredient("Cup", "pc")

    response = signed_in("manager").post(
        page("product_add"),
        product_form(
            shop,
            recipe=[{"ingredient": cup.pk, "quantity": "1"}, {"ingredient": milk.pk, "quantity": quantity}],
        ),
    )

    errors = inline_errors(response, "recipe_lines")
    assert errors[0] == {}
    assert list(errors[1]) == ["quantity"]
    assert not Product.objects.exists()


def test_an_unknown_ingredient_in_a_recipe_is_refused_at_its_line() -> None:
    shop = Shop.open()
    for pk in ("999999", "9" * 30, "milk"):
        response = signed_in("manager").post(
            page("product_add"), product_form(shop, recipe=[{"ingredient": pk, "quantity": "1"}])
        )
        assert list(inline_errors(response, "recipe_lines")[0]) == ["ingredient"]
    assert not Product.objects.exists()


def test_an_ingredient_twice_in_a_recipe_is_refused() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")

    response = signed_in("manager").post(
        page("product_add"), product_form(shop, recipe=[{"ingredient": milk.pk, "quantity": "1"}] * 2)
    )

    assert response.status_code == 200
    assert "duplicate" in text_of(response)
    assert not Product.objects.exists()


def test_the_list_says_where_a_product_is_available_and_why_not() -> None:
    here, there = Shop.open("Main Street"), Shop.open("Riverside")
    milk = here.ingredient("Milk", "ml", stock=100, minimum=500)
    tea = here.ingredient("Tea", "g", stock=100)
    there.receive({milk: 1000, tea: 100})
    here.product("Latte", "70", {milk: 200, tea: 5})
    here.product("Water", "20")
    here.product("Old tea", "20", {tea: 5}, is_listed=False)

    response = signed_in("manager").get(page("product_changelist"))

    shown = text_of(response)
    assert "lacks Milk" in shown
    assert "Milk: 100 ml there, 200 ml needed, minimum 500 ml" in response.content.decode().replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert shown.count("available") >= 1
    assert "untracked" in shown
    assert "off the menu" in shown


def test_the_filter_finds_what_is_available_at_a_location() -> None:
    here, there = Shop.open("Main Street"), Shop.open("Riverside")
    milk = here.ingredient("Milk", "ml", stock=100)
    here.product("Latte", "70", {milk: 50})
    client = signed_in("manager")

    def found(value: str) -> list[str]:
        changelist = client.get(page("product_changelist"), {"available": value}).context["cl"]
        return [product.name for product in changelist.result_list]

    assert found(f"{here.location.pk}:yes") == ["Latte"]
    assert found(f"{there.location.pk}:yes") == []
    assert found(f"{there.location.pk}:no") == ["Latte"]
    for nonsense in ("", "yes", "999:yes", f"{'9' * 30}:yes", f"{here.location.pk}:maybe", "::"):
        assert found(nonsense) == ["Latte"], nonsense


def test_the_page_says_what_one_portion_takes_and_costs() -> None:
    shop = Shop.open()
    milk, cup = shop.ingredient("Milk", "ml", stock=1000, unit_cost="0.05"), shop.ingredient("Cup", "pc")
    size, oat = shop.group("Size"), shop.ingredient("Oat milk", "ml")
    shop.scales(shop.option(size, "Large", 15), "1.4")
    shop.replaces(shop.option(size, "Vegan"), milk, oat)
    latte = shop.product("Latte", "70", {milk: 200, cup: 1}, groups=[size])

    portion = signed_in("barista").get(page("product_change", latte.pk)).context["portion"]

    assert [(line.name, line.amount, line.cost) for line in portion.lines] == [
        ("Milk", "200\N{NO-BREAK SPACE}ml", "฿10"),
        ("Cup", "1\N{NO-BREAK SPACE}pc", ""),
    ]
    assert (portion.cost, portion.margin) == ("฿10", "86 %")
    assert portion.groups[0].options == [("Large", "฿15", "×1.4 of what scales"), ("Vegan", "", "Milk → Oat milk")]


def test_deleting_a_product_that_was_sold_is_refused() -> None:
    shop = Shop.open()
    water = shop.product("Water", "20")
    shop.sell(water)

    response = signed_in("manager").post(page("product_delete", water.pk), {"post": "yes"})

    assert said(response) == ["“Water” can't be deleted: in use by 1 order item. Take it off the menu instead."]
    assert Product.objects.exists()


def test_several_products_are_taken_off_the_menu_and_put_on_again() -> None:
    shop = Shop.open()
    products = [shop.product(name) for name in ("Latte", "Water", "Tea")]
    client = signed_in("manager")
    chosen = [product.pk for product in products[:2]]

    response = client.post(page("product_changelist"), {"action": "unlist_them", "_selected_action": chosen})
    assert said(response) == ["2 products are off the menu."]
    assert list(Product.objects.filter(is_listed=True).values_list("name", flat=True)) == ["Tea"]

    client.post(page("product_changelist"), {"action": "list_them", "_selected_action": chosen})
    assert Product.objects.filter(is_listed=True).count() == 3


def test_a_barista_can_not_take_products_off_by_a_hand_made_post() -> None:
    shop = Shop.open()
    water = shop.product("Water")

    signed_in("barista").post(page("product_changelist"), {"action": "unlist_them", "_selected_action": [water.pk]})

    assert Product.objects.get().is_listed


# --- options ------------------------------------------------------------------------------------------------


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


# --- categories ---------------------------------------------------------------------------------------------


def test_categories_are_put_in_order_in_the_list() -> None:
    Category.objects.create(name="Tea", position=1)
    Category.objects.create(name="Coffee", position=2)
    first, second = Category.objects.order_by("position")

    signed_in("manager").post(
        page("category_changelist"),
        {
            **formset("form", [{"id": first.pk, "position": "2"}, {"id": second.pk, "position": "1"}], initial=2),
            "_save": "Save",
        },
    )

    assert list(Category.objects.values_list("name", flat=True)) == ["Coffee", "Tea"]


def test_deleting_a_category_with_products_is_refused() -> None:
    shop = Shop.open()
    shop.product("Latte")

    response = signed_in("manager").post(page("category_delete", shop.category.pk), {"post": "yes"})

    assert said(response) == [
        "“Tea” can't be deleted: in use by 1 product. Move its products to another category first."
    ]


def test_a_name_that_is_taken_is_refused_at_its_field() -> None:
    Shop.open()

    response = signed_in("manager").post(page("category_add"), {"name": "Tea", "position": "0"})

    assert response.context["adminform"].form.errors == {"name": ["Category with this Name already exists."]}


def test_a_barista_looks_at_the_menu_and_changes_nothing() -> None:
    shop = Shop.open()
    milk = shop.ingredient("Milk", "ml")
    latte = shop.product("Latte", "70", {milk: 200})
    client = signed_in("barista")

    assert client.get(page("product_change", latte.pk)).status_code == 200
    assert client.post(page("product_change", latte.pk), product_form(shop, name="Free")).status_code == 403
    assert client.post(page("product_add"), product_form(shop, name="Free")).status_code == 403
    assert client.post(page("category_add"), {"name": "New", "position": "0"}).status_code == 403
    assert (Product.objects.get().name, RecipeLine.objects.count(), Category.objects.count()) == ("Latte", 1, 1)
