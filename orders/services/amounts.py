"""What amounts of money, and the words that go with them, must look like before anybody hands money over."""

from decimal import Decimal

from django.db.models import Model
from django.utils.translation import gettext as _

from foundation.decimals import round_money
from foundation.errors import InvalidInput
from foundation.money import money
from orders.errors import WrongAmount

ZERO = Decimal("0.00")
# More than any till holds: what is typed beyond it is a mistake, and the sums of a shift stay within their columns.
LARGEST_AMOUNT = Decimal("99999999.99")


def check_amount(field: str, amount: Decimal, *, may_be_zero: bool = False) -> Decimal:
    """The amount with the column's two decimals. Raises WrongAmount at `field` for one that is below 0, larger than
    any till, or finer than the currency's smallest coin."""
    if not amount.is_finite() or amount < 0 or (not amount and not may_be_zero):
        sentence = _("The amount can't be below 0.") if may_be_zero else _("The amount must be above 0.")
        raise WrongAmount.at(field, sentence)
    if amount > LARGEST_AMOUNT:
        raise WrongAmount.at(field, _("The amount can't be above %(most)s.") % {"most": money(LARGEST_AMOUNT)})
    rounded = round_money(amount)
    if rounded != amount:
        raise WrongAmount.at(
            field, _("There is no such amount: the nearest one is %(nearest)s.") % {"nearest": money(rounded)}
        )
    return rounded


def short_text(field: str, text: str, model: type[Model]) -> str:
    """The text without blanks around it. Raises InvalidInput at `field` for one that the model's column can't hold."""
    text = text.strip()
    longest = getattr(model._meta.get_field(field), "max_length", None) or 0
    if len(text) > longest:
        raise InvalidInput.at(field, _("At most %(most)d characters.") % {"most": longest})
    return text


def reason_given(reason: str, model: type[Model]) -> str:
    """The reason without blanks around it. Raises InvalidInput if there is none, or if the column can't hold it."""
    reason = short_text("reason", reason, model)
    if not reason:
        raise InvalidInput.at("reason", _("Say why."))
    return reason
