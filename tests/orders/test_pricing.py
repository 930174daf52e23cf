"""What an order costs: pure values, no database."""

from decimal import Decimal

import pytest

from inventory.menu import MenuEffect, MenuGroup, MenuOption, MenuProduct, MenuRecipeLine
from orders.errors import WrongLines
from orders.pricing import OrderLine, Price, PricedLine, price_order


def option(pk: int, price: str = "0", *effects: MenuEffect) -> MenuOption:
    return MenuOption(pk, f"Option {pk}", Decimal(price), False, True, effects)


def group(pk: int, *options: MenuOption, least: int = 0, most: int = 9, free: int = 0) -> MenuGroup:
    return MenuGroup(pk, f"Group {pk}", least, most, free, {one.id: one for one in options})


def product(pk: int, price: str, *groups: MenuGroup) -> MenuProduct:
    return MenuProduct(pk, f"Product {pk}", Decimal(price), True, (MenuRecipeLine(1, Decimal(10), True),), groups)


def price(products: list[MenuProduct], *lines: OrderLine) -> Price:
    return price_order(menu={one.id: one for one in products}, lines=lines)


def one_line(product: MenuProduct, *option_ids: int, quantity: int = 1) -> PricedLine:
    return price([product], OrderLine(product.id, quantity, option_ids)).lines[0]


def faults(products: list[MenuProduct], *lines: OrderLine) -> dict[str, list[str]]:
    with pytest.raises(WrongLines) as refused:
        price(products, *lines)
    return refused.value.errors


# --- sums ---------------------------------------------------------------------------------------------


def test_an_order_is_the_sum_of_its_lines():
    whole = price([product(1, "59.90"), product(2, "45.05")], OrderLine(1, 2), OrderLine(2, 3), OrderLine(1, 1))
    assert [line.total for line in whole.lines] == [Decimal("119.80"), Decimal("135.15"), Decimal("59.90")]
    assert (whole.subtotal, whole.discount, whole.total) == (Decimal("314.85"), Decimal("0.00"), Decimal("314.85"))


def test_options_change_the_unit_price():
    tea = product(1, "50.00", group(1, option(11, "15.50")), group(2, option(21, "10"), option(22, "-5.25")))
    assert one_line(tea).unit_price == Decimal("50.00")
    assert one_line(tea, 11).unit_price == Decimal("65.50")
    assert one_line(tea, 11, 21, 22, quantity=3).total == Decimal("210.75")


def test_an_order_keeps_what_each_option_cost_in_it():
    tea = product(1, "50.00", group(1, option(11, "15.50"), option(12, "20.00"), free=1))
    assert one_line(tea, 12, 11).options_as_sold() == [
        {"id": 11, "group": "Group 1", "name": "Option 11", "price_delta": "0.00"},
        {"id": 12, "group": "Group 1", "name": "Option 12", "price_delta": "20.00"},
    ]


def test_a_price_is_never_below_zero():
    tea = product(1, "10.00", group(1, option(11, "-10.01"), option(12, "-10")))
    assert one_line(tea, 11).unit_price == 0
    assert one_line(tea, 12).unit_price == 0
    assert one_line(tea, 11, 12, quantity=5).total == 0


def test_a_free_product_is_free():
    assert price([product(1, "0")], OrderLine(1, 1000)).total == 0


@pytest.mark.parametrize(("currency", "unit_price"), [("THB", Decimal("50.50")), ("JPY", Decimal("51.00"))])
def test_a_price_is_rounded_half_up_as_the_currency_is(settings, currency, unit_price):
    settings.CURRENCY = currency
    line = one_line(product(1, "50.00", group(1, option(11, "0.50"))), 11, quantity=3)
    assert (line.unit_price, line.total) == (unit_price, 3 * unit_price)


# --- free choices -------------------------------------------------------------------------------------

TOPPINGS = (option(11, "15"), option(12, "10"), option(13, "20"), option(14, "0"), option(15, "-5"))


@pytest.mark.parametrize(
    ("free", "chosen", "extra"),
    [
        (0, (11, 12), "25"),
        (1, (11,), "0"),
        (1, (11, 12), "15"),
        (1, (13, 12, 11), "35"),
        (2, (13, 12, 11), "20"),
        (9, (11, 12, 13), "0"),
        (1, (14, 11), "0"),
        (1, (15, 11), "-5"),
        (2, (15, 14, 11, 12, 13), "15"),
    ],
)
def test_the_cheapest_chosen_options_are_free_and_what_costs_nothing_uses_none_of_it_up(free, chosen, extra):
    tea = product(1, "50", group(1, *TOPPINGS, free=free))
    assert one_line(tea, *chosen).unit_price == 50 + Decimal(extra)


def test_each_group_has_its_own_free_choices():
    tea = product(1, "50", group(1, option(11, "10"), free=1), group(2, option(21, "20"), option(22, "30"), free=1))
    assert one_line(tea, 11, 21, 22).unit_price == 80


def test_of_two_options_at_the_same_price_one_is_free():
    tea = product(1, "50", group(1, option(11, "10"), option(12, "10"), free=1))
    assert one_line(tea, 11, 12).unit_price == one_line(tea, 12, 11).unit_price == 60


def test_the_order_of_choosing_changes_neither_price_nor_portion():
    pearls = MenuEffect("add", 2, None, None, Decimal(40))
    tea = product(1, "50", group(1, option(11, "15", pearls), option(12, "10"), free=1))
    first, second = one_line(tea, 11, 12), one_line(tea, 12, 11)
    assert (first.unit_price, first.portion, first.options) == (second.unit_price, second.portion, second.options)
    assert first.line.key == second.line.key


# --- refusals -----------------------------------------------------------------------------------------

TEA = product(1, "50", group(1, option(11), least=1, most=1))


def test_an_order_without_lines_is_refused():
    assert faults([TEA]) == {"items": ["Add at least one product."]}


def test_200_lines_are_taken_and_201_are_not():
    water = product(2, "1.25")
    assert price([water], *[OrderLine(2, 1)] * 200).total == 250
    assert faults([water], *[OrderLine(2, 1)] * 201) == {
        "items": ["An order takes up to 200 lines, not 201. Split it."]
    }
    assert faults([water], *[OrderLine(2, 1)] * 5000) == {
        "items": ["An order takes up to 200 lines, not 5000. Split it."]
    }


@pytest.mark.parametrize("quantity", [0, -1, 1001, 10**9])
def test_a_quantity_outside_1_to_1000_is_refused_at_its_line(quantity):
    assert faults([TEA], OrderLine(1, 1, (11,)), OrderLine(1, quantity, (11,))) == {
        "items[1].quantity": ["The quantity must be a whole number from 1 to 1000."]
    }


def test_every_fault_stands_at_its_place():
    assert faults([TEA], OrderLine(9, 1), OrderLine(1, 0), OrderLine(1, 1, (99,)), OrderLine(1, 1, (11,))) == {
        "items[0].product": ["There is no product 9."],
        "items[1].quantity": ["The quantity must be a whole number from 1 to 1000."],
        "items[2].options": ["Product 1 has no option 99.", "Group 1: choose at least 1, not 0."],
    }


def test_a_total_that_no_order_can_hold_is_refused():
    dear = product(1, "9999999.99")
    assert price([dear], OrderLine(1, 1000)).total == Decimal("9999999990.00")
    assert faults([dear], OrderLine(1, 1000), OrderLine(1, 1)) == {
        "items": ["The order's total is too large. Split it."]
    }
