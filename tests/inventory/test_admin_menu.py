"""Categories and products in the admin."""

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from inventory.models import Category, Product, RecipeLine
from tests.inventory.admin_pages import formset, inline_errors, page, said, signed_in, text_of
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


def test_a_sku_or_barcode_that_is_taken_is_refused_at_its_field_and_may_be_left_empty_twice() -> None:
    shop = Shop.open()
    manager = signed_in("manager")
    first = product_form(shop, name="Latte", sku="L-1", barcode="460")
    second = product_form(shop, name="Mocha", sku="L-1", barcode="460")

    assert manager.post(page("product_add"), first).status_code == 302
    refused = manager.post(page("product_add"), second)

    assert refused.context["adminform"].form.errors == {
        "sku": ["Another product has this SKU."],
        "barcode": ["Another product has this barcode."],
    }
    for name in ("Mocha", "Tea"):
        assert manager.post(page("product_add"), product_form(shop, name=name)).status_code == 302
    assert list(Product.objects.order_by("name").values_list("sku", "barcode")) == [("L-1", "460"), ("", ""), ("", "")]


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


def test_the_page_says_what_one_portion_takes() -> None:
    shop = Shop.open()
    milk, cup = shop.ingredient("Milk", "ml", stock=1000, unit_cost="0.05"), shop.ingredient("Cup", "pc")
    size, oat = shop.group("Size"), shop.ingredient("Oat milk", "ml")
    shop.scales(shop.option(size, "Large", 15), "1.4")
    shop.replaces(shop.option(size, "Vegan"), milk, oat)
    latte = shop.product("Latte", "70", {milk: 200, cup: 1}, groups=[size])

    portion = signed_in("barista").get(page("product_change", latte.pk)).context["portion"]

    assert [(line.name, line.amount) for line in portion.lines] == [
        ("Milk", "200\N{NO-BREAK SPACE}ml"),
        ("Cup", "1\N{NO-BREAK SPACE}pc"),
    ]
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
