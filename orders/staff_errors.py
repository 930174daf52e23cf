"""What is refused about employees, their pay and their PINs."""

import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundation.errors import Conflict, InvalidInput, Missing, Refusal
from orders.models import Payroll
from orders.models.payroll import month_name


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


class UnknownSalary(Missing):
    """There is no such salary."""

    def __init__(self, salary_id: object) -> None:
        super().__init__(_("There is no salary %(id)s.") % {"id": salary_id})


class PayrollIsClosed(Conflict):
    """What is asked for would change what a closed payroll was computed from."""

    code = "payroll_closed"

    def __init__(self, month: datetime.date) -> None:
        super().__init__(
            _(
                "The payroll of %(month)s is closed, and this would change it. Choose days after it and pay the "
                "difference as an adjustment of the next month, or have that payroll reopened first."
            )
            % {"month": month_name(month)}
        )


class PayrollExists(Conflict):
    """The month has its payroll at this location already."""

    code = "exists"

    def __init__(self, payroll: Payroll) -> None:
        super().__init__(
            _("The payroll of %(month)s exists already. Open it and go on there.") % {"month": payroll},
            extra={"payroll": payroll.pk},
        )


class WrongPayrollStatus(Conflict):
    """The payroll's status does not allow this; often somebody else was quicker."""

    code = "wrong_status"

    def __init__(self, payroll: Payroll) -> None:
        sentence = (
            _("The payroll of %(month)s is closed. Reopen it first.")
            if payroll.status == Payroll.Status.CLOSED
            else _("The payroll of %(month)s is a draft still.")
        )
        super().__init__(sentence % {"month": payroll}, extra={"status": payroll.status})


class PayrollOutdated(Conflict):
    """Salaries or employees have changed since the payroll was calculated."""

    code = "changed_meanwhile"

    def __init__(self, payroll: Payroll) -> None:
        super().__init__(
            _(
                "Salaries or employees have changed since the payroll of %(month)s was calculated. "
                "Calculate it anew, look at it, and close it then."
            )
            % {"month": payroll}
        )
