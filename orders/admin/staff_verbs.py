"""The buttons on an employee's page: a salary, a PIN, the last day."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget

from foundation.admin.days import DayInput
from foundation.admin.numbers import PlainDecimalField
from foundation.admin.verbs import Verb, VerbForm
from orders.models import Employee, Salary
from orders.services.employees import keep, let_go
from orders.services.pins import clear_pin, has_pin, set_pin
from orders.services.salaries import give_salary


class SalaryForm(VerbForm):
    """How much from when on."""

    amount = PlainDecimalField(label=gettext_lazy("Amount"), max_digits=12, decimal_places=2)
    per = forms.ChoiceField(label=pgettext_lazy("a salary", "Per"), choices=Salary.Per.choices)
    valid_from = forms.DateField(label=gettext_lazy("First day"), widget=DayInput())
    valid_to = forms.DateField(
        label=gettext_lazy("Last day"),
        widget=DayInput(),
        required=False,
        help_text=gettext_lazy("Empty until further notice: the running salary then ends the day before."),
    )
    note = forms.CharField(label=gettext_lazy("Note"), max_length=500, required=False)


class LastDayForm(VerbForm):
    """The last day that somebody works here."""

    left_on = forms.DateField(label=gettext_lazy("Last day"), widget=DayInput())


class PinForm(VerbForm):
    """A PIN, twice: nobody sees what they type."""

    secret_fields = frozenset({"pin", "again"})

    pin = forms.CharField(
        label=gettext_lazy("PIN"),
        max_length=6,
        help_text=gettext_lazy("4 to 6 digits. It is not shown again."),
        widget=UnfoldAdminPasswordWidget(attrs={"inputmode": "numeric", "autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("Once more"),
        max_length=6,
        widget=UnfoldAdminPasswordWidget(attrs={"inputmode": "numeric", "autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("pin") and data.get("again") and data["pin"] != data["again"]:
            self.add_error("again", _("The two do not agree. Type both anew."))
        return data


def give_pin(request: HttpRequest, employee: Employee, data: dict[str, Any]) -> str | None:
    """Sets the PIN, and warns of one that is easily guessed."""
    if not set_pin(employee_id=employee.pk, pin=data["pin"], set_by_id=request.user.pk):
        return None
    return _("%(name)s has a new PIN, but one that is easily guessed: better choose another.") % {"name": employee}


VERBS = (
    Verb(
        name="raise",
        label=gettext_lazy("New salary"),
        icon="trending_up",
        permission="orders.add_salary",
        run=lambda request, employee, data: give_salary(employee_id=employee.pk, created_by_id=request.user.pk, **data),
        done=gettext_lazy("The new salary of %(object)s is written down."),
        form=SalaryForm,
    ),
    Verb(
        name="set_pin",
        label=gettext_lazy("Set PIN"),
        icon="pin",
        permission="orders.change_employee",
        run=give_pin,
        done=gettext_lazy("%(object)s has a new PIN for the counter."),
        form=PinForm,
        is_shown=lambda employee: employee.left_on is None,
    ),
    Verb(
        name="clear_pin",
        label=gettext_lazy("Take the PIN away"),
        icon="no_encryption",
        permission="orders.change_employee",
        run=lambda request, employee, data: clear_pin(employee_id=employee.pk),
        done=gettext_lazy("%(object)s has no PIN any more."),
        is_shown=lambda employee: has_pin(employee.pk),
        warning=gettext_lazy("At the counter they can't say any more that it is them."),
    ),
    Verb(
        name="let_go",
        label=gettext_lazy("Last day"),
        icon="logout",
        permission="orders.change_employee",
        run=lambda request, employee, data: let_go(employee_id=employee.pk, **data),
        done=gettext_lazy("The last day of %(object)s is written down."),
        form=LastDayForm,
        is_shown=lambda employee: employee.left_on is None,
        warning=gettext_lazy("Their PIN stops working after it. Orders and payrolls keep their name."),
    ),
    Verb(
        name="keep",
        label=gettext_lazy("Has not left"),
        icon="undo",
        permission="orders.change_employee",
        run=lambda request, employee, data: keep(employee_id=employee.pk),
        done=gettext_lazy("%(object)s works here on."),
        is_shown=lambda employee: employee.left_on is not None,
        warning=gettext_lazy("Only for a last day that was a mistake. Hire somebody who comes back anew."),
    ),
)
