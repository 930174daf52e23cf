"""The cart of somebody who looks at the menu: what they want, kept in their session. Prices are never kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from foundation.errors import Conflict, Missing
from orders.pricing import LARGEST_QUANTITY, MOST_LINES, OrderLine

CART = "cart"
# What a session may hold of one line: more options than any product asks about.
MOST_OPTIONS = 100


class CartIsFull(Conflict):
    """The cart has as many lines as an order can take."""

    code = "cart_is_full"


class NotInCart(Missing):
    """The line was taken out already, often in another tab."""


@dataclass(frozen=True, slots=True)
class CartLine:
    """So many of a product with these options. The ids stand in order: the same drink is always the same line."""

    product_id: int
    quantity: int
    option_ids: tuple[int, ...]

    @property
    def key(self) -> str:
        """What a form calls the line: 12 or 12-4-7."""
        return "-".join(str(pk) for pk in (self.product_id, *self.option_ids))

    def as_order_line(self) -> OrderLine:
        return OrderLine(self.product_id, self.quantity, self.option_ids)


class Cart:
    """The lines in the order in which they were put in. A change is written to the session at once.

    `session` is Django's: what stands in it may be older than this code, so a line that makes no sense is left out.
    Its contents outlive the sign-in, which gives the session a new key and keeps what is in it.
    """

    def __init__(self, session: Any) -> None:
        self.session = session
        kept = session.get(CART, [])
        lines = [line for entry in kept if (line := read_line(entry))] if isinstance(kept, list) else []
        self._lines: dict[str, CartLine] = {line.key: line for line in lines}

    @property
    def lines(self) -> list[CartLine]:
        return list(self._lines.values())

    @property
    def count(self) -> int:
        """How many drinks there are in all."""
        return sum(line.quantity for line in self._lines.values())

    def add(self, *, product_id: int, quantity: int, option_ids: Iterable[int]) -> CartLine:
        """Puts so many in; the same drink with the same options becomes more of it, up to 1,000.

        Raises CartIsFull above 200 lines.
        """
        line = CartLine(product_id, quantity, tuple(sorted(set(option_ids))))
        known = self._lines.get(line.key)
        if known is None and len(self._lines) >= MOST_LINES:
            raise CartIsFull(
                _("An order takes up to %(most)d lines. Order these first, or take something out.")
                % {"most": MOST_LINES}
            )
        total = min(quantity + (known.quantity if known else 0), LARGEST_QUANTITY)
        self._lines[line.key] = CartLine(line.product_id, total, line.option_ids)
        self._write()
        return self._lines[line.key]

    def change(self, quantities: Mapping[str, int]) -> None:
        """Sets the quantities of these lines; 0 takes a line out. Raises NotInCart for a line that is not there."""
        for key in quantities:
            if key not in self._lines:
                raise NotInCart(_("This line is not in your cart any more."))
        for key, quantity in quantities.items():
            line = self._lines[key]
            if quantity < 1:
                del self._lines[key]
            else:
                self._lines[key] = CartLine(line.product_id, min(quantity, LARGEST_QUANTITY), line.option_ids)
        self._write()

    def remove(self, keys: Iterable[str]) -> None:
        """Takes these lines out; one that is gone already is no matter."""
        for key in keys:
            self._lines.pop(key, None)
        self._write()

    def clear(self) -> None:
        self._lines.clear()
        self._write()

    def _write(self) -> None:
        if self._lines:
            self.session[CART] = [
                [line.product_id, line.quantity, list(line.option_ids)] for line in self._lines.values()
            ]
        else:
            self.session.pop(CART, None)


def read_line(entry: Any) -> CartLine | None:
    """A line as the session keeps it, [product, quantity, [options]], or None for anything else."""
    match entry:
        case [int() as product_id, int() as quantity, [*options]] if (
            1 <= quantity <= LARGEST_QUANTITY
            and len(options) <= MOST_OPTIONS
            and all(isinstance(option, int) for option in options)
        ):
            return CartLine(product_id, quantity, tuple(sorted(set(options))))
    return None
