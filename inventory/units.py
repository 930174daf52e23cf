"""The units that people write, and the way to an ingredient's base unit. Pure: no database.

Nothing is ever rounded: what does not fit a thousandth of the base unit is refused, so that no fraction of a gram
is lost on the way to the shelf. Money for a part of a pack is exact as far as the ledger's six decimals go.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, localcontext

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.decimals import QUANTITY_STEP, plain
from foundation.errors import InvalidInput
from inventory.errors import WrongUnit

# The most that a line of a document holds, in base units.
LARGEST_QUANTITY = Decimal("99999999")
LONGEST_TEXT = 60
VALUE_STEP = Decimal("0.000001")
# More digits than the largest quantity times the largest price has.
DIGITS = 60
# An amount is "nice" in a unit if it needs no more decimals than this: 1.25 l, but 1,234 ml.
NICE_STEP = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: `factor` base units of kind `base` (the words of Ingredient.Unit)."""

    code: str
    label: str | Promise
    base: str
    factor: Decimal
    words: tuple[str, ...]


# The first of a base is the base unit itself. The words are what people write on delivery notes, in small letters.
UNITS = (
    Unit(
        "g", gettext_lazy("g"), "g", Decimal(1), ("g", "gr", "gram", "grams", "г", "гр", "грамм", "грамма", "граммов")
    ),
    Unit("kg", gettext_lazy("kg"), "g", Decimal(1000), ("kg", "kilo", "kilogram", "kilograms", "кг", "килограмм")),
    Unit("mg", gettext_lazy("mg"), "g", Decimal("0.001"), ("mg", "milligram", "milligrams", "мг")),
    Unit("ml", gettext_lazy("ml"), "ml", Decimal(1), ("ml", "millilitre", "milliliter", "мл")),
    Unit(
        "l",
        gettext_lazy("l"),
        "ml",
        Decimal(1000),
        ("l", "lt", "litre", "litres", "liter", "liters", "л", "литр", "литра", "литров"),
    ),
    Unit("cl", gettext_lazy("cl"), "ml", Decimal(10), ("cl", "centilitre", "centiliter", "сл")),
    Unit(
        "pc",
        gettext_lazy("pc"),
        "pc",
        Decimal(1),
        ("pc", "pcs", "piece", "pieces", "шт", "штука", "штуки", "штук", "szt"),
    ),
    Unit(
        "dozen", gettext_lazy("dozen"), "pc", Decimal(12), ("dozen", "dozens", "doz", "dz", "дюжина", "дюжины", "дюжин")
    ),
)
BY_CODE: Mapping[str, Unit] = {unit.code: unit for unit in UNITS}
BY_WORD: Mapping[str, Unit] = {word: unit for unit in UNITS for word in unit.words}
# Those that amounts are shown in, the largest first. Nobody reads stock in centilitres, milligrams or dozens.
SHOWN_UNITS = tuple(BY_CODE[code] for code in ("kg", "l", "g", "ml", "pc"))

# “12 × 1 l”, with whatever people take for the sign: the letter x, the Cyrillic х, an asterisk.
QUANTITY = re.compile(
    r"(?:(?P<times>[0-9][0-9\s.,]*)\s*[x×*х]\s*)?(?P<sign>[-\N{MINUS SIGN}]?)\s*(?P<number>[0-9.,][0-9\s.,]*)"
    r"(?P<word>[^\W\d_]*)\.?",
    re.IGNORECASE,
)
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:\s[0-9]{3})+(?=[.,]|$)")
AMBIGUOUS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity in a unit that reads well: 12 l and not 12,000 ml."""

    quantity: Decimal
    unit: Unit


def units_of(base_unit: str) -> list[Unit]:
    """What an ingredient counted in `base_unit` may be written in, the base unit first."""
    return [unit for unit in UNITS if unit.base == base_unit]


def find_unit(text: str, base_unit: str) -> Unit:
    """The unit that a word means: "kg", "Кг.", "litres". Raises WrongUnit if it is none, or none of this base."""
    unit = BY_WORD.get(text.strip().rstrip(".").casefold())
    if unit is None or unit.base != base_unit:
        raise WrongUnit(text.strip()[:20], expected=[str(one.label) for one in units_of(base_unit)])
    return unit


def to_base(quantity: Decimal, unit: str, base_unit: str) -> Decimal:
    """So many `unit` ("kg") in the base unit ("g"), exactly; 0 is a quantity.

    Raises WrongUnit, and InvalidInput at "quantity" for what is no number, below 0, too much, or does not fit a
    thousandth of the base unit.
    """
    factor = find_unit(unit, base_unit).factor
    return times(quantity, factor, base_unit)


def times(count: Decimal, content: Decimal, base_unit: str) -> Decimal:
    """`count` times `content`, in the base unit: so many packs of so much. Refuses what `to_base` refuses."""
    if not (count.is_finite() and content.is_finite()):
        raise InvalidInput.at("quantity", _("Write a quantity as a number."))
    if count < 0 or content < 0:
        raise InvalidInput.at("quantity", _("The quantity can't be below 0."))
    try:
        with localcontext(Context(prec=DIGITS, traps=[Inexact, InvalidOperation])):
            product = count * content
            if product > LARGEST_QUANTITY:
                raise InvalidInput.at(
                    "quantity", _("The quantity can't be above %(most)s.") % {"most": LARGEST_QUANTITY}
                )
            return product.quantize(QUANTITY_STEP)
    except (Inexact, InvalidOperation) as fault:
        raise InvalidInput.at(
            "quantity",
            _("This is finer than a thousandth of 1 %(unit)s. Write a quantity with fewer decimals.")
            % {"unit": BY_CODE[base_unit].label},
        ) from fault


def parse_quantity(text: str, base_unit: str) -> Decimal:
    """What a person wrote, in the base unit: "1.5 kg", "1,5 кг", "250" (already in the base unit), "12 × 1 l".

    "1,000" is refused: a thousand to some, one to others. Raises what `to_base` raises.
    """
    match = QUANTITY.fullmatch(text.strip()) if len(text) <= LONGEST_TEXT else None
    if match is None:
        raise InvalidInput.at("quantity", _("Write a quantity such as %(example)s.") % {"example": example(base_unit)})
    if match["sign"]:
        raise InvalidInput.at("quantity", _("The quantity can't be below 0."))
    number = read_number(match["number"], base_unit)
    quantity = to_base(number, match["word"] or base_unit, base_unit)
    return times(read_number(match["times"], base_unit), quantity, base_unit) if match["times"] else quantity


def read_number(text: str, base_unit: str) -> Decimal:
    """A number as people type it: "1 250", "0,5". Raises InvalidInput at "quantity"."""
    text = GROUPED.sub(lambda match: re.sub(r"\s", "", match[0]), text.strip())
    if AMBIGUOUS.fullmatch(text):
        raise InvalidInput.at(
            "quantity",
            _("“%(text)s” can be read in two ways. Write 1000 for a thousand, and 1.5 for one and a half.")
            % {"text": text},
        )
    if text.count(",") == 1:
        text = text.replace(",", ".")
    if not NUMBER.fullmatch(text):
        raise InvalidInput.at("quantity", _("Write a quantity such as %(example)s.") % {"example": example(base_unit)})
    return Decimal(text)


def example(base_unit: str) -> str:
    """A quantity as it may be written: 250 ml, 1.5 l."""
    return {"g": _("250 g or 1.5 kg"), "ml": _("250 ml or 1.5 l")}.get(base_unit, _("12 pc"))


def nicest(quantity: Decimal, base_unit: str) -> Amount:
    """The amount in the unit that reads best, exactly: 12,000 ml is 12 l, 1,250 g is 1.25 kg, 1,234 g stays."""
    for unit in SHOWN_UNITS:
        if unit.base == base_unit and abs(quantity) >= unit.factor:
            with localcontext(prec=DIGITS):
                amount = quantity / unit.factor
                if amount == amount.quantize(NICE_STEP):
                    return Amount(amount, unit)
    return Amount(quantity, BY_CODE[base_unit])


def written(quantity: Decimal, base_unit: str) -> str:
    """The nicest amount as `parse_quantity` reads it back: "12 l"."""
    amount = nicest(quantity, base_unit)
    return f"{plain(amount.quantity)} {amount.unit.label}"


def value_of(quantity: Decimal, *, pack_quantity: Decimal, price: Decimal) -> Decimal:
    """What `quantity` base units cost at `price` for a pack of `pack_quantity`, half up to six decimals.

    Whole packs, and thousandths of packs, are exact: packs × price has five decimals at most.
    """
    with localcontext(prec=DIGITS):
        return (quantity * price / pack_quantity).quantize(VALUE_STEP, rounding=ROUND_HALF_UP)


def unit_cost(*, pack_quantity: Decimal, price: Decimal) -> Decimal:
    """What one base unit costs in a pack, to show it; half up to six decimals. Reckon with `value_of`."""
    return value_of(Decimal(1), pack_quantity=pack_quantity, price=price)
