"""What is refused about employees, their pay and their PINs."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundation.errors import Conflict, InvalidInput, Missing, Refusal


class UnknownEmployee(Missing):
    """There is no such employee."""

    def __init__(self, employee_id: object) -> None:
        super().__init__(_("There is no employee with the id %(id)s.") % {"id": employee_id})


class HasLeft(Conflict):
    """Somebody who has left does nothing here any more."""

    code = "has_left"

    def __init__(self, employee: object) -> None:
        super().__init__(_("%(name)s does not work here any more.") % {"name": employee})


class NoPin(Conflict):
    """Nobody has given them a PIN yet."""

    code = "no_pin"

    def __init__(self, employee: object) -> None:
        super().__init__(_("%(name)s has no PIN yet. A manager sets one on their page.") % {"name": employee})


class WrongPin(InvalidInput):
    """It is not their PIN."""

    def __init__(self) -> None:
        sentence = _("This PIN is wrong. Try again.")
        super().__init__(sentence, errors={"pin": [sentence]})


class TooManyPins(Refusal):
    """Too many wrong PINs in a row. `retry_after` seconds from now one is looked at again."""

    code = "throttled"

    def __init__(self, *, retry_after: int) -> None:
        sentence = ngettext(
            "Too many wrong PINs. Try again in %(seconds)d second.",
            "Too many wrong PINs. Try again in %(seconds)d seconds.",
            retry_after,
        ) % {"seconds": retry_after}
        super().__init__(sentence)
        self.retry_after = retry_after


class UnknownPayroll(Missing):
    """There is no such payroll."""

    def __init__(self, payroll_id: object) -> None:
        super().__init__(_("There is no payroll %(id)s.") % {"id": payroll_id})
