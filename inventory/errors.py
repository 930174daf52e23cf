"""What the store room refuses."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from foundation.decimals import plain
from foundation.errors import Conflict, InvalidInput, Missing


@dataclass(frozen=True, slots=True)
class Shortage:
    """So much of an ingredient is needed, and only so much may be used, in the ingredient's base unit.

    `expired` is what stands there besides and has expired.
    """

    ingredient_id: int
    name: str
    needed: Decimal
    available: Decimal
    unit: str
    expired: Decimal = Decimal("0.000")

    @property
    def shown_unit(self) -> str:
        """The unit in the reader's language; its words are those of Ingredient.Unit."""
        return _(self.unit)

    def as_json(self) -> dict[str, object]:
        return {
            "ingredient": self.ingredient_id,
            "name": self.name,
            "needed": str(self.needed),
            "available": str(self.available),
            "unit": self.unit,
            "expired": str(self.expired),
        }

    def __str__(self) -> str:
        sentence = (
            _("%(name)s: %(needed)s %(unit)s needed, %(available)s there, %(expired)s expired")
            if self.expired
            else _("%(name)s: %(needed)s %(unit)s needed, %(available)s there")
        )
        return sentence % {
            "name": self.name,
            "needed": plain(self.needed),
            "available": plain(self.available),
            "expired": plain(self.expired),
            "unit": self.shown_unit,
        }


class InsufficientStock(Conflict):
    """The stock does not cover what is asked. `shortages` names every ingredient that is missing."""

    code = "insufficient_stock"

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        self.shortages = list(shortages)
        super().__init__(
            _("Not enough in stock. %(list)s.") % {"list": "; ".join(str(shortage) for shortage in shortages)},
            extra={"shortages": [shortage.as_json() for shortage in shortages]},
        )


class Unavailable(Conflict):
    """A product is off the menu, or an ingredient of its recipe is below its minimum or one portion."""

    code = "unavailable"

    def __init__(
        self,
        *,
        products: Sequence[tuple[int, str]] = (),
        options: Sequence[tuple[int, str]] = (),
        shortages: Sequence[Shortage] = (),
    ) -> None:
        names = ", ".join(name for _id, name in (*products, *options))
        sentence = _("Not available now: %(names)s. Choose something else, or receive stock first.") % {"names": names}
        if shortages:
            sentence = f"{sentence} {'; '.join(str(shortage) for shortage in shortages)}."
        super().__init__(
            sentence,
            extra={
                "products": [{"id": pk, "name": name} for pk, name in products],
                "options": [{"id": pk, "name": name} for pk, name in options],
                "shortages": [shortage.as_json() for shortage in shortages],
            },
        )


class ClosedLocation(Conflict):
    """A closed location takes no orders and no stock."""

    code = "closed_location"

    def __init__(self, name: str) -> None:
        super().__init__(_("%(name)s is closed. Choose an open location.") % {"name": name})


class UnknownLocation(InvalidInput):
    """The request names no location, or one that does not exist."""


class UnknownIngredient(InvalidInput):
    """A line names an ingredient that does not exist."""


class WrongUnit(InvalidInput):
    """A quantity is written in a unit that its ingredient is not counted in."""

    def __init__(self, word: str, *, expected: Sequence[str]) -> None:
        sentence = _("“%(word)s” is not a unit for this ingredient. Use one of: %(units)s.") % {
            "word": word,
            "units": ", ".join(expected),
        }
        super().__init__(sentence, errors={"quantity": [sentence]})


class UnknownLevel(Missing):
    """There is no such stock level."""

    def __init__(self, level_id: object) -> None:
        super().__init__(_("There is no stock level %(id)s.") % {"id": level_id})


class WrongChoice(InvalidInput):
    """The options chosen for a product do not fit its option groups."""


class WrongMenuFile(InvalidInput):
    """A menu file can't be read: its encoding, header or a line is wrong."""


class UnitDiffers(Conflict):
    """An ingredient of the house's recipes is counted in another unit here."""

    code = "unit_differs"

    def __init__(self, *, name: str, unit: str, expected: str) -> None:
        super().__init__(
            _(
                "“%(name)s” is counted in %(unit)s here, but the recipes of this menu need it in %(expected)s. "
                "Give that ingredient another name, then import the menu again."
            )
            % {"name": name, "unit": unit, "expected": expected}
        )
