"""The unit of an ingredient stays as long as a quantity of it is written down anywhere."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from foundation.errors import InvalidInput
from inventory.models import Ingredient
from inventory.selectors import named_in_its_unit
from inventory.services.counts import start_count
from inventory.services.ingredients import change_ingredient
from tests.inventory.admin_pages import page, signed_in
from tests.inventory.deliveries import Deliveries
from tests.inventory.kitchen import makes
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def in_a_recipe(shop: Shop, tea: Ingredient) -> None:
    shop.product("Iced tea", recipe={tea: 200})


def added_by_an_option(shop: Shop, tea: Ingredient) -> None:
    shop.adds(shop.option(shop.group("Extras"), "More tea"), tea, 50)


def put_in_place_of_another(shop: Shop, tea: Ingredient) -> None:
    shop.replaces(shop.option(shop.group("Base"), "Tea"), shop.ingredient("Milk", "ml"), tea)


def made_here(shop: Shop, tea: Ingredient) -> None:
    makes(shop, tea, 1000, {shop.ingredient("Leaves"): 20})


def made_from_it(shop: Shop, tea: Ingredient) -> None:
    makes(shop, shop.ingredient("Syrup", "ml"), 500, {tea: 200})


def in_a_pack(shop: Shop, tea: Ingredient) -> None:
    Deliveries(shop).pack(tea, 1000)


def ordered_in_a_pack_that_is_gone(shop: Shop, tea: Ingredient) -> None:
    dairy = Deliveries(shop)
    case = dairy.pack(tea, 1000)
    dairy.ordered((case, 2))
    case.delete()


def being_counted(shop: Shop, tea: Ingredient) -> None:
    start_count(location=shop.location, ingredient_ids=[tea.pk], created_by_id=None)


USES = [
    (in_a_recipe, "recipe lines"),
    (added_by_an_option, "effects"),
    (put_in_place_of_another, "effects"),
    (made_here, "preparation recipes"),
    (made_from_it, "preparation recipe lines"),
    (in_a_pack, "packs"),
    (ordered_in_a_pack_that_is_gone, "purchase order lines"),
    (being_counted, "count lines"),
]


@pytest.mark.parametrize(("use", "users"), USES, ids=[use.__name__ for use, _users in USES])
def test_a_unit_stays_while_quantities_are_written_in_it(use: Callable[[Shop, Ingredient], None], users: str) -> None:
    shop = Shop.open()
    tea = shop.ingredient("Tea", "ml")
    use(shop, tea)

    with pytest.raises(InvalidInput) as caught:
        change_ingredient(ingredient_id=tea.pk, changes={"unit": "g", "name": "Leaf tea"})

    sentence = f"Tea is named by {users}: its unit stays ml. Take it out there first, or make a new ingredient."
    assert caught.value.errors == {"unit": [sentence]}
    tea.refresh_from_db()
    assert (tea.name, tea.unit) == ("Tea", "ml")
    assert change_ingredient(ingredient_id=tea.pk, changes={"unit": "ml", "name": "Leaf tea"}).name == "Leaf tea"


def test_all_that_name_it_are_said_once_each() -> None:
    shop = Shop.open()
    tea = shop.ingredient("Tea", "ml")
    added_by_an_option(shop, tea)
    put_in_place_of_another(shop, tea)
    in_a_recipe(shop, tea)
    assert named_in_its_unit(tea) == ["recipe lines", "effects"]


def test_a_minimum_alone_fixes_no_unit() -> None:
    shop = Shop.open()
    tea = shop.ingredient("Tea", "ml", minimum=500)
    assert change_ingredient(ingredient_id=tea.pk, changes={"unit": "g"}).unit == "g"


def test_the_form_does_not_offer_the_unit_then_and_rest_refuses_it() -> None:
    shop = Shop.open()
    tea, free = shop.ingredient("Tea", "ml"), shop.ingredient("Cocoa", "g")
    in_a_pack(shop, tea)
    client = signed_in("manager")

    assert "unit" not in client.get(page("ingredient_change", tea.pk)).context["adminform"].form.fields
    assert "unit" in client.get(page("ingredient_change", free.pk)).context["adminform"].form.fields
    client.post(page("ingredient_change", tea.pk), {"name": "Leaf tea", "unit": "g"})
    Rest.of("admin").refused("patch", f"ingredients/{tea.pk}/", {"unit": "g"}, status=400, kind="invalid", at="unit")

    tea.refresh_from_db()
    assert (tea.name, tea.unit) == ("Leaf tea", "ml")


def test_a_delivery_of_what_was_never_there_fixes_it_by_the_ledger() -> None:
    shop = Shop.open()
    tea = shop.ingredient("Tea", "ml")
    in_a_pack(shop, tea)
    shop.receive({tea: Decimal(5)})
    with pytest.raises(InvalidInput, match="Tea has moved in the stock already"):
        change_ingredient(ingredient_id=tea.pk, changes={"unit": "g"})
