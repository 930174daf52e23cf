"""Which options may be chosen for a product: pure values, no database."""

from decimal import Decimal

import pytest

from inventory.choices import chosen_options
from inventory.errors import WrongChoice
from inventory.menu import MenuGroup, MenuOption, MenuProduct


def group(pk: int, name: str, least: int, most: int, *option_ids: int) -> MenuGroup:
    options = {one: MenuOption(one, f"Option {one}", Decimal(0), False, True, ()) for one in option_ids}
    return MenuGroup(pk, name, least, most, 0, options)


LATTE = MenuProduct(
    1, "Latte", Decimal(60), True, (), (group(1, "Size", 1, 1, 11, 12), group(2, "Toppings", 0, 2, 21, 22, 23))
)


def names(option_ids: list[int]) -> list[tuple[str, int]]:
    return [(group.name, option.id) for group, option in chosen_options(LATTE, option_ids, field="options")]


def faults(option_ids: list[int], product: MenuProduct = LATTE) -> list[str]:
    with pytest.raises(WrongChoice) as refused:
        chosen_options(product, option_ids, field="items[3].options")
    assert list(refused.value.errors) == ["items[3].options"]
    return refused.value.errors["items[3].options"]


def test_choices_come_back_in_the_menus_order_whatever_the_order_of_choosing():
    assert names([23, 11, 21]) == names([21, 23, 11]) == [("Size", 11), ("Toppings", 21), ("Toppings", 23)]


def test_a_group_that_must_not_be_answered_may_be_left_out():
    assert names([12]) == [("Size", 12)]


def test_a_group_that_must_be_answered_may_not():
    assert faults([]) == ["Size: choose at least 1, not 0."]


def test_more_than_a_group_allows_is_refused():
    assert faults([11, 12]) == ["Size: choose at most 1, not 2."]
    assert faults([11, 21, 22, 23]) == ["Toppings: choose at most 2, not 3."]


def test_an_option_of_another_product_is_refused_by_its_number():
    assert faults([11, 99, 98]) == ["Latte has no option 98, 99."]


def test_an_option_twice_is_refused():
    assert faults([11, 11]) == ["An option stands in the list twice. Name each one once."]


def test_every_fault_is_named_at_once():
    assert faults([21, 21, 99]) == [
        "An option stands in the list twice. Name each one once.",
        "Latte has no option 99.",
        "Size: choose at least 1, not 0.",
    ]


def test_a_product_without_groups_takes_no_options():
    water = MenuProduct(2, "Water", Decimal(10), True, (), ())
    assert chosen_options(water, [], field="options") == []
    assert faults([11], water) == ["Water has no option 11."]
