"""What is taken off: the best promotion of each line, then the code, then points; shared out to the last coin."""

import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.discounts import (
    AutomaticOffer,
    CodeOffer,
    Discountable,
    PointsOffer,
    Scope,
    StepKind,
    best_promotions,
    few_enough,
    share_out,
    take_off,
)

TEA, COFFEE, CAKES = 1, 2, 3
EVERYTHING = Scope()
CENT = Decimal("0.01")


def line(price: str, quantity: int = 1, *, product: int = 1, category: int = TEA) -> Discountable:
    return Discountable(
        product_id=product, category_id=category, unit_price=Decimal(price).quantize(CENT), quantity=quantity
    )


def percent(value: str, *, every: int = 1, scope: Scope = EVERYTHING, number: int = 1) -> AutomaticOffer:
    return AutomaticOffer(
        id=number, name=f"−{value} %", is_percent=True, value=Decimal(value), every=every, scope=scope
    )


def amount(value: str, *, every: int = 1, scope: Scope = EVERYTHING, number: int = 2) -> AutomaticOffer:
    return AutomaticOffer(
        id=number, name=f"−{value}", is_percent=False, value=Decimal(value).quantize(CENT), every=every, scope=scope
    )


def code(value: str, *, is_percent: bool = True, minimum: str = "0", scope: Scope = EVERYTHING) -> CodeOffer:
    return CodeOffer("TEN", is_percent=is_percent, value=Decimal(value), minimum_total=Decimal(minimum), scope=scope)


def off(lines: list[Discountable], *promotions: AutomaticOffer) -> list[str]:
    """What promotions take off each line."""
    return [str(share) for _offer, share in best_promotions(lines, promotions)]


# --- one promotion for a line -------------------------------------------------------------------------


def test_a_percentage_is_taken_off_each_portion_and_rounded_half_up() -> None:
    # 15 % of 33.30 is 4.995.
    assert off([line("33.30", 2)], percent("15")) == ["10.00"]


def test_an_amount_takes_no_more_than_a_portion_costs() -> None:
    assert off([line("60", 2), line("5", 3), line("0")], amount("10")) == ["20.00", "15.00", "0.00"]


def test_of_two_promotions_each_line_gets_the_one_that_takes_more() -> None:
    cup, pot = line("40"), line("200")
    assert off([cup, pot], percent("10"), amount("10")) == ["10.00", "20.00"]


def test_a_promotion_covers_its_products_and_categories_and_nothing_else() -> None:
    lines = [line("100", product=1), line("100", product=2), line("100", product=3, category=COFFEE)]
    assert off(lines, percent("10", scope=Scope(frozenset({2}), frozenset({COFFEE})))) == ["0.00", "10.00", "10.00"]


@pytest.mark.parametrize(
    ("quantity", "taken"), [(1, "0.00"), (2, "30.00"), (3, "30.00"), (4, "60.00"), (5, "60.00"), (1000, "15000.00")]
)
def test_every_second_drink_is_half_price(quantity: int, taken: str) -> None:
    assert off([line("60", quantity)], percent("50", every=2)) == [taken]


def test_of_each_two_drinks_the_cheaper_is_the_second() -> None:
    # 80 60 | 50 40 | 30: the second of each pair is 60 and 40.
    lines = [line("30"), line("80"), line("40"), line("60"), line("50")]
    assert off(lines, percent("50", every=2)) == ["0.00", "0.00", "20.00", "30.00", "0.00"]


def test_portions_of_several_lines_stand_in_one_queue() -> None:
    # 80 80 | 80 60 | 60: one of the three at 80 and one of the two at 60.
    assert off([line("60", 2), line("80", 3)], percent("50", every=2)) == ["30.00", "40.00"]


def test_every_third_drink_is_free() -> None:
    assert off([line("60", 7)], percent("100", every=3)) == ["120.00"]


def test_a_line_in_the_queue_may_make_another_one_cheaper_while_it_costs_its_own_price() -> None:
    """The dear drink takes nothing off itself, and without it the cake would have no pair."""
    lines = [line("100"), line("90", category=CAKES, product=2)]
    assert off(lines, percent("50", every=2), percent("5", number=3)) == ["0.00", "45.00"]


def test_a_line_that_is_better_off_alone_leaves_the_queue() -> None:
    # Both in the queue: 25 off. Alone at 30 % each: 30 + 15.
    lines = [line("100"), line("50", product=2)]
    assert off(lines, percent("50", every=2), percent("30", number=3)) == ["30.00", "15.00"]


prices = st.integers(0, 30).map(lambda number: Decimal(number) * 5)
scopes = st.sampled_from([Scope(), Scope(frozenset({1})), Scope(frozenset(), frozenset({COFFEE}))])
lines_drawn = st.lists(
    st.builds(
        Discountable,
        product_id=st.integers(1, 3),
        category_id=st.sampled_from([TEA, COFFEE]),
        unit_price=prices,
        quantity=st.integers(1, 4),
    ),
    min_size=1,
    max_size=4,
)
offers_drawn = st.lists(
    st.builds(
        AutomaticOffer,
        id=st.just(0),
        name=st.just("offer"),
        is_percent=st.booleans(),
        value=st.integers(1, 100).map(Decimal),
        every=st.integers(1, 3),
        scope=scopes,
    ),
    max_size=3,
)


def by_hand(
    lines: list[Discountable], promotions: list[AutomaticOffer], chosen: tuple[AutomaticOffer | None, ...]
) -> Decimal:
    """What this choice of a promotion for each line takes off, portion by portion."""
    saved = Decimal(0)
    for offer in promotions:
        portions = sorted(
            (
                one.unit_price
                for one, its in zip(lines, chosen, strict=True)
                if its is offer
                for _portion in range(one.quantity)
            ),
            reverse=True,
        )
        saved += sum((offer.off_one(price) for price in portions[offer.every - 1 :: offer.every]), Decimal(0))
    return saved


@settings(max_examples=150)
@given(lines=lines_drawn, promotions=offers_drawn)
def test_no_other_choice_of_promotions_would_take_off_more(
    lines: list[Discountable], promotions: list[AutomaticOffer]
) -> None:
    choices = [[None, *(offer for offer in promotions if offer.scope.covers(one))] for one in lines]
    best = max(by_hand(lines, promotions, chosen) for chosen in itertools.product(*choices))

    found = best_promotions(lines, promotions)

    assert sum(share for _offer, share in found) == best
    for (offer, share), one in zip(found, lines, strict=True):
        assert 0 <= share <= one.total
        assert offer is None or offer.scope.covers(one)


def test_two_hundred_lines_and_three_promotions_round_each_price_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rounded: list[Decimal] = []
    real = AutomaticOffer.off_one
    monkeypatch.setattr(AutomaticOffer, "off_one", lambda offer, price: rounded.append(price) or real(offer, price))
    lines = [line("100", product=number) for number in range(200)]
    offers = [percent("50", every=every, number=every) for every in (2, 3, 5)]

    found = best_promotions(lines, offers)

    # All of them in the queue of "every second": the best of the three.
    assert sum(share for _offer, share in found) == Decimal("5000.00")
    assert len(rounded) == 3 * 200


def test_promotions_that_together_are_too_many_to_weigh_give_way_to_the_first_ones() -> None:
    every = [percent("50", every=10, number=number) for number in range(4)]
    assert few_enough(every) == every[:3]


# --- code and points ----------------------------------------------------------------------------------


def steps(lines: list[Discountable], **offers: object) -> list[tuple[str, list[str]]]:
    """(kind, the share of each line) of each step."""
    taken = take_off(lines, **offers)  # type: ignore[arg-type]
    return [(step.kind.value, [str(share) for share in step.shares]) for step in taken.steps]


def test_a_code_takes_its_share_of_what_promotions_leave_and_points_of_what_the_code_leaves() -> None:
    lines = [line("100"), line("60", 2)]

    taken = take_off(lines, promotions=[percent("20")], code=code("10"), points=PointsOffer(50, Decimal(1)))

    assert [(step.kind, step.amount) for step in taken.steps] == [
        (StepKind.PROMOTION, Decimal("44.00")),
        (StepKind.CODE, Decimal("17.60")),
        (StepKind.POINTS, Decimal("50.00")),
    ]
    assert taken.steps[1].shares == (Decimal("8.00"), Decimal("9.60"))
    assert taken.amount == Decimal("111.60")
    assert taken.of_line(0) + taken.of_line(1) == Decimal("111.60")


def test_what_rounding_leaves_goes_coin_by_coin_to_who_lost_most() -> None:
    # 10 % of 100.05 is 10.005, paid as 10.01; a third of it each would be 3.33666…
    assert steps([line("33.35"), line("33.35"), line("33.35")], code=code("10")) == [("code", ["3.34", "3.34", "3.33"])]


def test_a_code_is_for_what_it_names_and_its_minimum_too() -> None:
    lines = [line("100"), line("100", category=CAKES)]
    cakes = Scope(frozenset(), frozenset({CAKES}))

    assert steps(lines, code=code("10", scope=cakes)) == [("code", ["0.00", "10.00"])]
    assert steps(lines, code=code("10", scope=cakes, minimum="100")) == [("code", ["0.00", "10.00"])]
    missed = take_off(lines, code=code("10", scope=cakes, minimum="100.01"))
    assert (missed.steps, missed.code_base) == ((), Decimal("100.00"))


def test_the_minimum_of_a_code_is_reached_after_promotions() -> None:
    lines = [line("100")]
    assert steps(lines, code=code("10", minimum="100")) == [("code", ["10.00"])]
    assert steps(lines, promotions=[percent("5")], code=code("10", minimum="100")) == [("promotion", ["5.00"])]


def test_an_amount_and_points_stop_at_nothing_left_to_pay() -> None:
    lines = [line("30"), line("15.50")]
    assert steps(lines, code=code("100", is_percent=False)) == [("code", ["30.00", "15.50"])]
    taken = take_off(lines, points=PointsOffer(100, Decimal(1)))
    # Half a point can't be used: half a baht is left to pay.
    assert (taken.points, taken.amount) == (45, Decimal("45.00"))
    assert take_off([line("0")], code=code("10"), points=PointsOffer(5, Decimal(1))).steps == ()


def test_a_point_may_pay_for_less_than_the_currency_and_for_more() -> None:
    assert take_off([line("45.50")], points=PointsOffer(500, Decimal("0.10"))).points == 455
    worth = take_off([line("45.50")], points=PointsOffer(5, Decimal("12.50")))
    assert (worth.points, worth.amount) == (3, Decimal("37.50"))


def test_where_the_currency_has_no_cents_everything_is_whole(settings: Any) -> None:
    settings.CURRENCY = "JPY"
    lines = [line("450"), line("450"), line("455")]

    taken = take_off(lines, promotions=[percent("15")], code=code("7.5"), points=PointsOffer(3, Decimal("1.50")))

    # 67.5 → 68 and 68.25 → 68 off; 7.5 % of 1151 is 86.325 → 86; 4.5 → 5 for three points.
    assert [str(step.amount) for step in taken.steps] == ["204.00", "86.00", "5.00"]
    assert all(share == share.to_integral_value() for step in taken.steps for share in step.shares)


@settings(max_examples=150)
@given(
    lines=lines_drawn,
    promotions=offers_drawn,
    is_percent=st.booleans(),
    value=st.integers(1, 100).map(Decimal),
    points=st.integers(0, 300),
    point_value=st.sampled_from([Decimal("0.10"), Decimal("0.33"), Decimal(1), Decimal("2.50")]),
)
def test_shares_add_up_and_no_line_pays_less_than_nothing(
    lines: list[Discountable],
    promotions: list[AutomaticOffer],
    is_percent: bool,
    value: Decimal,
    points: int,
    point_value: Decimal,
) -> None:
    taken = take_off(
        lines,
        promotions=promotions,
        code=CodeOffer("TEN", is_percent=is_percent, value=value),
        points=PointsOffer(points, point_value),
    )

    assert taken.points <= points
    assert sum(taken.of_line(place) for place in range(len(lines))) == taken.amount
    for place, one in enumerate(lines):
        assert 0 <= taken.points_of_line(place) <= taken.of_line(place) <= one.total
    for step in taken.steps:
        assert all(share >= 0 and share == share.quantize(Decimal("0.01")) for share in step.shares)
    kinds = [step.kind for step in taken.steps]
    assert kinds == sorted(kinds, key=[StepKind.PROMOTION, StepKind.CODE, StepKind.POINTS].index)


@settings(max_examples=150)
@given(weights=st.lists(st.integers(0, 10_000), min_size=1, max_size=6), part=st.integers(0, 100))
def test_what_is_shared_out_is_all_of_it_and_nobody_gets_more_than_they_weigh(weights: list[int], part: int) -> None:
    coins = [Decimal(weight) / 100 for weight in weights]
    whole = Decimal(sum(weights) * part // 100) / 100

    shares = share_out(whole, coins)

    assert sum(shares) == whole
    assert all(0 <= share <= coin for share, coin in zip(shares, coins, strict=True))
    if whole:
        exact = [whole * coin / sum(coins) for coin in coins]
        assert all(abs(share - its) < Decimal("0.01") for share, its in zip(shares, exact, strict=True))
