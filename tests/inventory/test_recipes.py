"""What one portion takes once options have changed the recipe: pure values, no database."""

from decimal import Decimal
from itertools import permutations

import pytest

from inventory.menu import MenuEffect, MenuOption, MenuProduct, MenuRecipeLine
from inventory.recipes import portion

TEA, MILK, OAT_MILK, SYRUP, PEARLS, CUP, LARGE_CUP = range(1, 8)


def drink(*lines: tuple[int, str, bool]) -> MenuProduct:
    recipe = tuple(MenuRecipeLine(ingredient, Decimal(quantity), scales) for ingredient, quantity, scales in lines)
    return MenuProduct(1, "Drink", Decimal(60), True, recipe, ())


def option(*effects: MenuEffect, pk: int = 1) -> MenuOption:
    return MenuOption(pk, "Option", Decimal(0), False, True, effects)


def replace(ingredient: int, replacement: int) -> MenuEffect:
    return MenuEffect("replace", ingredient, replacement, None, None)


def scale(factor: str, ingredient: int | None = None) -> MenuEffect:
    return MenuEffect("scale", ingredient, None, Decimal(factor), None)


def add(ingredient: int, quantity: str) -> MenuEffect:
    return MenuEffect("add", ingredient, None, None, Decimal(quantity))


MILK_TEA = drink((TEA, "200", True), (MILK, "100", True), (SYRUP, "20", False), (CUP, "1", False))


def test_without_options_a_portion_is_the_recipe_as_written():
    assert portion(MILK_TEA) == {TEA: 200, MILK: 100, SYRUP: 20, CUP: 1}


def test_a_product_without_a_recipe_takes_nothing():
    assert portion(drink()) == {}


def test_a_replacement_takes_the_place_of_an_ingredient():
    assert portion(MILK_TEA, [option(replace(MILK, OAT_MILK))]) == {TEA: 200, OAT_MILK: 100, SYRUP: 20, CUP: 1}


def test_a_replacement_of_what_the_recipe_lacks_changes_nothing():
    assert portion(MILK_TEA, [option(replace(PEARLS, OAT_MILK))]) == portion(MILK_TEA)


def test_a_replacement_by_what_is_there_already_adds_up():
    recipe = drink((MILK, "100", True), (OAT_MILK, "50.5", True))
    assert portion(recipe, [option(replace(MILK, OAT_MILK))]) == {OAT_MILK: Decimal("150.5")}


def test_a_size_scales_only_the_lines_that_scale():
    assert portion(MILK_TEA, [option(scale("1.5"))]) == {TEA: 300, MILK: 150, SYRUP: 20, CUP: 1}


def test_a_factor_for_one_ingredient_scales_it_even_if_its_line_does_not_scale():
    assert portion(MILK_TEA, [option(scale("0.25", SYRUP))])[SYRUP] == 5


def test_a_factor_of_zero_leaves_the_ingredient_out():
    assert SYRUP not in portion(MILK_TEA, [option(scale("0", SYRUP))])


def test_a_factor_meets_what_replaced_its_ingredient():
    options = [option(replace(MILK, OAT_MILK)), option(scale("0.5", MILK))]
    assert portion(MILK_TEA, options)[OAT_MILK] == 50


def test_a_factor_for_the_replacement_meets_it_too_and_only_once():
    options = [option(replace(MILK, OAT_MILK)), option(scale("0.5", OAT_MILK))]
    assert portion(MILK_TEA, options)[OAT_MILK] == 50


def test_two_factors_multiply():
    assert portion(MILK_TEA, [option(scale("1.5")), option(scale("0.5", MILK))])[MILK] == 75


def test_what_is_added_is_never_scaled_nor_replaced():
    options = [option(add(MILK, "30")), option(scale("2")), option(replace(MILK, OAT_MILK))]
    assert portion(MILK_TEA, options) == {TEA: 400, OAT_MILK: 200, MILK: 30, SYRUP: 20, CUP: 1}


def test_an_addition_of_what_the_recipe_has_adds_up():
    assert portion(MILK_TEA, [option(add(SYRUP, "10")), option(add(SYRUP, "5"))])[SYRUP] == 35


def test_one_option_may_have_several_effects():
    large = option(scale("1.5"), replace(CUP, LARGE_CUP))
    assert portion(MILK_TEA, [large]) == {TEA: 300, MILK: 150, SYRUP: 20, LARGE_CUP: 1}


def test_the_order_in_which_kinds_of_options_are_chosen_does_not_matter():
    options = [
        option(scale("1.5"), replace(CUP, LARGE_CUP), pk=1),
        option(replace(MILK, OAT_MILK), pk=2),
        option(scale("0.25", SYRUP), pk=3),
        option(add(PEARLS, "40"), pk=4),
        option(add(MILK, "10"), pk=5),
    ]
    portions = [portion(MILK_TEA, chosen) for chosen in permutations(options)]
    assert portions[0] == {TEA: 300, OAT_MILK: 150, SYRUP: 5, LARGE_CUP: 1, PEARLS: 40, MILK: 10}
    assert all(one == portions[0] for one in portions)


@pytest.mark.parametrize(
    ("quantity", "factor", "expected"),
    [
        ("1", "0.0005", "0.001"),
        ("1", "0.0004", None),
        ("0.005", "0.5", "0.003"),
        ("33.333", "0.3333", "11.110"),
        ("10", "0.3333", "3.333"),
        ("0.001", "1.5", "0.002"),
        ("0.001", "2.5", "0.003"),
    ],
)
def test_a_portion_is_rounded_half_up_to_a_thousandth(quantity, factor, expected):
    taken = portion(drink((TEA, quantity, True)), [option(scale(factor))])
    assert taken == ({} if expected is None else {TEA: Decimal(expected)})


def test_a_portion_is_rounded_once_for_each_ingredient():
    """Two halves of a thousandth are one thousandth, not two."""
    recipe = drink((MILK, "0.001", True), (OAT_MILK, "0.001", True))
    assert portion(recipe, [option(replace(MILK, OAT_MILK), scale("0.5"))]) == {OAT_MILK: Decimal("0.001")}
