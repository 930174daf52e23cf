"""What the store room refuses."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from foundation.decimals import plain
from foundation.errors import Conflict, InvalidInput, Missing

# More names than these are not written out in a sentence.
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Shortage:
    """So much of an ingredient is needed, and only so much may be used, in the ingredient's base unit.

    `expired` is what stands there besides and has expired. With `lot_id` it is about that lot alone, which holds
    `available`.
    """

    ingredient_id: int
    name: str
    needed: Decimal
    available: Decimal
    unit: str
    expired: Decimal = Decimal("0.000")
    lot_id: int | None = None

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
            **({"lot": self.lot_id} if self.lot_id else {}),
        }

    def __str__(self) -> str:
        if self.lot_id:
            sentence = _("%(name)s: %(needed)s %(unit)s needed of a lot that holds %(available)s")
        elif self.expired:
            sentence = _("%(name)s: %(needed)s %(unit)s needed, %(available)s there, %(expired)s expired")
        else:
            sentence = _("%(name)s: %(needed)s %(unit)s needed, %(available)s there")
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


class ChangedMeanwhile(Conflict):
    """Somebody has changed a document since it was shown to who acts on it now."""

    code = "changed_meanwhile"

    def __init__(self, document: object) -> None:
        super().__init__(
            _("%(document)s has been changed by somebody else. Reload the page to see it as it is now.")
            % {"document": document}
        )


class UnknownPurchaseOrder(Missing):
    """There is no such purchase order."""

    def __init__(self, order_id: object) -> None:
        super().__init__(_("There is no purchase order %(id)s.") % {"id": order_id})


class InactiveSupplier(Conflict):
    """Nothing is ordered from a supplier who no longer delivers."""

    code = "inactive_supplier"

    def __init__(self, name: str) -> None:
        super().__init__(
            _("%(name)s does not deliver any more. Choose another supplier, or switch this one on.") % {"name": name}
        )


class AlreadyReceived(Conflict):
    """A delivery note of this order is in the ledger already."""

    code = "already_received"

    def __init__(self, *, note: str, document: object) -> None:
        super().__init__(
            _("The delivery note “%(note)s” has been received already: %(document)s.")
            % {"note": note, "document": document}
        )


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


class WrongStatus(Conflict):
    """The document's status does not allow this any more; often somebody else was quicker."""

    code = "wrong_status"

    def __init__(self, *, document: object, status: str, status_label: str, allowed: Iterable[str]) -> None:
        super().__init__(
            _("%(document)s is %(status)s. This is possible only while it is %(allowed)s.")
            % {"document": document, "status": status_label, "allowed": ", ".join(allowed)},
            extra={"status": status},
        )


class UnknownCount(Missing):
    """There is no such stock count."""

    def __init__(self, count_id: object) -> None:
        super().__init__(_("There is no stock count %(id)s.") % {"id": count_id})


class UnknownShelf(InvalidInput):
    """A request names a shelf that does not exist, or one of another location."""


class NothingToCount(InvalidInput):
    """A count without a single ingredient."""


class AlreadyBeingCounted(Conflict):
    """Another open count at the location has some of these ingredients: their differences would be posted twice."""

    code = "already_being_counted"

    def __init__(self, *, names: Mapping[int, str], count_ids: Sequence[int]) -> None:
        super().__init__(
            _("Being counted already in count %(counts)s: %(names)s. Finish or cancel that count first.")
            % {"counts": ", ".join(str(pk) for pk in count_ids), "names": listed(list(names.values()))},
            extra={"counts": list(count_ids), "ingredients": as_records(names)},
        )


class NotAllCounted(Conflict):
    """Some lines of a count are empty, and nobody said that they shall be left out."""

    code = "not_all_counted"

    def __init__(self, *, names: Mapping[int, str]) -> None:
        super().__init__(
            _("Not counted yet: %(names)s. Count them, or say that they are left out.")
            % {"names": listed(list(names.values()))},
            extra={"ingredients": as_records(names)},
        )


class NothingCounted(Conflict):
    """Every line of the count is empty."""

    code = "nothing_counted"

    def __init__(self) -> None:
        super().__init__(_("Nothing has been counted yet. Count something, or cancel the count."))


class CountAgain(Conflict):
    """What was counted can't be posted any more: the level was corrected since, or has less than is to be taken.

    `corrected` and `short` are {ingredient id: name}.
    """

    code = "count_again"

    def __init__(self, *, corrected: Mapping[int, str], short: Mapping[int, str]) -> None:
        sentences = []
        if corrected:
            sentences.append(
                _("Corrected by somebody else since they were counted: %(names)s.")
                % {"names": listed(list(corrected.values()))}
            )
        if short:
            sentences.append(
                _("Less is left than is missing by the count: %(names)s.") % {"names": listed(list(short.values()))}
            )
        super().__init__(
            " ".join([*sentences, _("Nothing was posted. Count these again.")]),
            extra={
                "ingredients": [
                    *({**record, "why": "corrected"} for record in as_records(corrected)),
                    *({**record, "why": "short"} for record in as_records(short)),
                ]
            },
        )


def listed(names: Sequence[str]) -> str:
    """Names for a sentence, the first ten of them and how many more there are."""
    shown = ", ".join(names[:MOST_NAMED])
    if len(names) <= MOST_NAMED:
        return shown
    return _("%(names)s and %(number)d more") % {"names": shown, "number": len(names) - MOST_NAMED}


def as_records(names: Mapping[int, str]) -> list[dict[str, object]]:
    """{ingredient id: name} as an answer of the API has it."""
    return [{"ingredient": pk, "name": name} for pk, name in names.items()]


class UnknownPreparation(Missing):
    """There is no such preparation."""

    def __init__(self, preparation_id: object) -> None:
        super().__init__(_("There is no preparation %(id)s.") % {"id": preparation_id})


class AlreadyCancelled(Conflict):
    """The preparation has been taken back already."""

    code = "wrong_status"

    def __init__(self, preparation_id: object) -> None:
        super().__init__(_("Preparation %(id)s has been cancelled already.") % {"id": preparation_id})


class YieldUsed(Conflict):
    """A preparation can't be taken back: something of what it yielded has left the stock since."""

    code = "yield_used"

    def __init__(self, *, name: str, unit: str, made: Decimal, left: Decimal) -> None:
        super().__init__(
            _(
                "Of the %(made)s %(unit)s %(name)s that were made, only %(left)s %(unit)s are left. "
                "Write off what is spoiled instead."
            )
            % {"name": name, "unit": _(unit), "made": plain(made), "left": plain(left)},
            extra={"made": str(made), "left": str(left), "unit": unit},
        )


class UnknownLot(Missing):
    """There is no such lot."""

    def __init__(self, lot_id: object) -> None:
        super().__init__(_("There is no lot %(id)s.") % {"id": lot_id})


class EmptyLot(Conflict):
    """Nothing is left in the lot."""

    code = "empty_lot"

    def __init__(self, name: str) -> None:
        super().__init__(_("Nothing is left of this lot of %(name)s.") % {"name": name})


class NothingExpired(Conflict):
    """There is nothing to throw away."""

    code = "nothing_expired"

    def __init__(self, name: str) -> None:
        super().__init__(_("Nothing at %(name)s has expired.") % {"name": name})
