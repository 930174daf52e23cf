"""What the admin asks before money changes hands: payments, refunds, and the cash of a shift."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminRadioSelectWidget

from foundation.admin.forms import ThemedForm, dress
from foundation.admin.numbers import PlainDecimalField
from foundation.admin.verbs import VerbForm
from foundation.money import money
from inventory.models import Location
from orders.admin.verbs import WASTE, WayBackField
from orders.models import Order, Payment, Shift
from orders.services.shifts import USUAL_TILL
from orders.shift_selectors import expected_cash, open_shifts

Method = Payment.Method
SCRIPT = forms.Script("samovar/money.js", defer=True)
# In the language of whoever reads them, not of whoever started the server.
lazy_capfirst = lazy(capfirst, str)
LINES, ALL, GOODWILL = "lines", "all", "amount"


class MoneyField(PlainDecimalField):
    """An amount of the shop's currency; whether it can be one is for the service to say."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"max_digits": 12, "decimal_places": 2, **more})


class ReasonField(forms.CharField):
    def __init__(self, **more: Any) -> None:
        super().__init__(**{"label": gettext_lazy("Reason"), "max_length": 300, **more})


def with_till(form: VerbForm, shifts: Sequence[Shift]) -> None:
    """Asks which till, where several are open."""
    if len(shifts) < 2:
        return
    choices = [
        ("", _("Where the cash is")),
        *((shift.pk, _("Till %(till)s") % {"till": shift.till}) for shift in shifts),
    ]
    form.fields["shift"] = forms.TypedChoiceField(
        label=_("Till"), choices=choices, coerce=int, empty_value=None, required=False
    )


class PaymentForm(VerbForm):
    """How much, how, and what was handed over; the script shows the change at once."""

    method = forms.ChoiceField(
        label=gettext_lazy("Paid by"),
        choices=[(value, lazy_capfirst(label)) for value, label in Method.choices],
        initial=Method.CASH,
        widget=UnfoldAdminRadioSelectWidget(attrs={"data-chooses": ""}),
    )
    amount = MoneyField(label=gettext_lazy("Amount"))
    tip = MoneyField(label=gettext_lazy("Tip"), required=False)
    tendered = MoneyField(
        label=gettext_lazy("Cash handed over"), required=False, help_text=gettext_lazy("Empty: exactly so much.")
    )
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("The number on the slip of the card terminal, or of the transfer."),
    )

    class Media:
        js = (SCRIPT,)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shifts = list(open_shifts(location=self.obj.location)) if isinstance(self.obj, Order) else []
        with_till(self, self.shifts)
        self.order_fields(["method", "shift", "amount", "tip", "tendered", "reference"])
        self.fields["amount"].initial = self.obj.due
        shown_for = {"tendered": Method.CASH, "reference": f"{Method.CARD} {Method.TRANSFER} {Method.ONLINE}"}
        for name, choices in shown_for.items():
            self.fields[name].widget.attrs["data-shown-for"] = str(choices)
        for name in ("amount", "tip", "tendered"):
            self.fields[name].widget.attrs[f"data-{name}"] = ""
        self.fields["tendered"].widget.attrs["data-change-is"] = _("Change: %(amount)s")
        if not self.shifts:
            self.fields["method"].initial = Method.CARD
        dress(self.fields)

    def about(self) -> str:
        sentence = (
            _("%(due)s is to be paid.")
            if self.shifts
            else _("%(due)s is to be paid. No till is open: cash can't be taken now.")
        )
        return sentence % {"due": money(self.obj.due)}


class RefundForm(VerbForm):
    """What goes back: some of the lines, everything, or an amount out of goodwill."""

    what = forms.ChoiceField(
        label=gettext_lazy("What goes back"),
        choices=[
            (LINES, gettext_lazy("Some of the lines")),
            (ALL, gettext_lazy("Everything that is left")),
            (GOODWILL, gettext_lazy("An amount out of goodwill")),
        ],
        initial=LINES,
        widget=UnfoldAdminRadioSelectWidget(attrs={"data-chooses": ""}),
    )
    amount = MoneyField(label=gettext_lazy("Amount"), required=False)
    restock = WayBackField()
    reason = ReasonField()

    class Media:
        js = (SCRIPT,)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines: dict[str, int] = {}
        if not isinstance(self.obj, Order):
            return
        for item in self.obj.items.all():
            if item.remaining:
                name = f"line_{item.pk}"
                self.lines[name] = item.pk
                self.fields[name] = forms.IntegerField(
                    label=f"{item.name} · {money(item.net)}",
                    required=False,
                    initial=0,
                    min_value=0,
                    max_value=item.remaining,
                    help_text=_("of %(number)d") % {"number": item.remaining},
                )
        with_till(self, list(open_shifts(location=self.obj.location)))
        self.order_fields(["what", *self.lines, "amount", "shift", "restock", "reason"])
        shown_for = {**dict.fromkeys(self.lines, LINES), "amount": GOODWILL, "restock": f"{LINES} {ALL}"}
        for name, choices in shown_for.items():
            self.fields[name].widget.attrs["data-shown-for"] = choices
        if self.obj.status != Order.Status.PENDING:
            self.fields["restock"].initial = WASTE
        dress(self.fields)

    def about(self) -> str:
        most = self.obj.paid - self.obj.withheld
        return _("%(amount)s can be paid back, the way it came.") % {"amount": money(most)}

    def clean(self) -> dict[str, Any]:
        """What is asked for is filled in, and nothing else counts."""
        data: dict[str, Any] = super().clean() or {}
        what = data.get("what")
        if what == LINES and (gone := self.names_of_gone_lines()):
            # The page was shown before somebody else was quicker.
            self.add_error("what", _("%(names)s: taken back already.") % {"names": ", ".join(gone)})
            return data
        chosen = {self.lines[name]: data[name] for name in self.lines if data.get(name)}
        if what == LINES and not chosen and not self.errors:
            self.add_error("what", _("Say how many of which line go back."))
        if what == GOODWILL and data.get("amount") is None and "amount" not in self.errors:
            self.add_error("amount", _("Say how much goes back."))
        data["items"] = chosen if what == LINES else None
        if what != GOODWILL:
            data["amount"] = None
        return data

    def names_of_gone_lines(self) -> list[str]:
        """Of what lines something is asked back of which nothing is left."""
        return [
            item.name
            for item in self.obj.items.all()
            if not item.remaining and self.data.get(self.add_prefix(f"line_{item.pk}"), "0") not in ("", "0")
        ]


class CashForm(VerbForm):
    """Cash in or out of a till, and what for."""

    IN, OUT = "in", "out"

    way = forms.ChoiceField(
        label=gettext_lazy("Which way"),
        choices=[(OUT, gettext_lazy("Out of the till")), (IN, gettext_lazy("Into the till"))],
        initial=OUT,
        widget=UnfoldAdminRadioSelectWidget,
    )
    amount = MoneyField(label=gettext_lazy("Amount"), min_value=Decimal("0.01"))
    reason = ReasonField()

    def clean(self) -> dict[str, Any]:
        """`signed` is the amount as the service takes it: below 0 for what goes out."""
        data: dict[str, Any] = super().clean() or {}
        if "amount" in data and "way" in data:
            data["signed"] = data["amount"] if data["way"] == self.IN else -data["amount"]
        return data


class CloseForm(VerbForm):
    """What was counted."""

    counted = MoneyField(label=gettext_lazy("Counted cash"), min_value=Decimal(0))
    comment = forms.CharField(label=gettext_lazy("Comment"), max_length=300, required=False)

    def about(self) -> str:
        return _("%(expected)s should be in the till.") % {"expected": money(expected_cash(self.obj))}


class CorrectForm(VerbForm):
    """What a closed shift's cash really came to."""

    counted = MoneyField(label=gettext_lazy("Counted cash"), min_value=Decimal(0))
    reason = ReasonField()

    def about(self) -> str:
        return _("%(expected)s should have been in the till. What was counted when it was closed stays on record.") % {
            "expected": money(self.obj.expected or Decimal(0))
        }


class OpenShiftForm(ThemedForm):
    """Which till, and what is in it. While there is a single open location, the form does not ask for it."""

    location = forms.TypedChoiceField(label=gettext_lazy("Location"), coerce=int, choices=())
    till = forms.CharField(label=gettext_lazy("Till"), max_length=40, initial=USUAL_TILL)
    opening_float = MoneyField(label=gettext_lazy("Opening float"), min_value=Decimal(0))

    def __init__(self, *args: Any, places: Sequence[Location], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {place.pk: place for place in places}
        if len(self.places) == 1:
            del self.fields["location"]
        else:
            field: Any = self.fields["location"]
            field.choices = [("", _("Choose a location")), *((place.pk, place.name) for place in places)]

    def place(self) -> Location:
        """The location that a valid form means."""
        if "location" not in self.fields:
            return next(iter(self.places.values()))
        return self.places[self.cleaned_data["location"]]
