"""The forms of the pages that move stock: lines of ingredients, and where they lie."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from foundation.admin.days import DayInput
from foundation.admin.forms import ThemedForm
from foundation.admin.numbers import PlainDecimalField
from inventory.admin.ingredient_choice import IngredientChoice, IngredientSelect
from inventory.models import Location, StockDocument
from inventory.services.lines import LARGEST_QUANTITY, StockLine

# More lines than a person types; a browser may send 1,000 fields.
MOST_LINES = 200
LARGEST_PAID = Decimal("9999999999")


class StockForm(ThemedForm):
    """Where, and a comment. While there is a single open location, the form does not ask for it."""

    comment = forms.CharField(label=gettext_lazy("Comment"), max_length=500, required=False)
    # The fields that name a location.
    place_fields: Sequence[str] = ("location",)

    def __init__(self, *args: Any, places: Sequence[Location], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = {place.pk: place for place in places}
        for name in self.place_fields:
            if name in self.fields:
                field: Any = self.fields[name]
                field.choices = [("", _("Choose a location")), *((place.pk, place.name) for place in places)]
        self.order_fields([*self.place_fields, "reason", "comment"])

    def place(self, name: str) -> Location:
        """The location that a valid form means by the field `name`."""
        return self.places[self.cleaned_data[name]]


class LocationForm(StockForm):
    """One location; where the shop has only one open, that one, unasked."""

    location = forms.TypedChoiceField(label=gettext_lazy("Location"), coerce=int, choices=())

    def __init__(self, *args: Any, places: Sequence[Location], **kwargs: Any) -> None:
        super().__init__(*args, places=places, **kwargs)
        if len(places) == 1:
            del self.fields["location"]

    def place(self, name: str = "location") -> Location:
        if name not in self.fields:
            return next(iter(self.places.values()))
        return super().place(name)


class ReceiptForm(LocationForm):
    """What came, and where to."""


class WriteOffForm(LocationForm):
    """What is thrown away, where, and why."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        choices=[("", gettext_lazy("Say why")), *StockDocument.WriteOffReason.choices],
    )


class TransferForm(StockForm):
    """From where to where."""

    source = forms.TypedChoiceField(label=pgettext_lazy("a location", "From"), coerce=int, choices=())
    destination = forms.TypedChoiceField(label=pgettext_lazy("a location", "To"), coerce=int, choices=())
    place_fields = ("source", "destination")


class StockLineForm(ThemedForm):
    """So much of an ingredient, in its base unit."""

    ingredient = forms.TypedChoiceField(
        label=gettext_lazy("Ingredient"),
        coerce=int,
        choices=(),
        error_messages={"invalid_choice": gettext_lazy("There is no such ingredient. Choose one from the list.")},
    )
    quantity = PlainDecimalField(label=gettext_lazy("Quantity"))

    def __init__(self, *args: Any, offered: Sequence[IngredientChoice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["ingredient"]
        field.widget = IngredientSelect(offered)
        field.choices = [("", ""), *((one.id, f"{one.name}, {one.unit}") for one in offered)]
        self.fields["quantity"].widget.attrs["data-quantity"] = ""

    def stock_line(self) -> StockLine:
        """What a valid line says."""
        data = self.cleaned_data
        return StockLine(
            data["ingredient"],
            data["quantity"],
            data.get("unit_cost"),
            value=data.get("paid"),
            expires_on=data.get("expires_on"),
            lot_code=data.get("lot_code", ""),
        )


class ReceiptLineForm(StockLineForm):
    """With what it costs, if that is known: one base unit, or the whole line as it stands on the delivery note; and
    until when it keeps, for an ingredient that asks for it."""

    unit_cost = PlainDecimalField(label=gettext_lazy("Cost of one"), required=False)
    paid = PlainDecimalField(label=gettext_lazy("or paid in all"), required=False)
    expires_on = forms.DateField(label=gettext_lazy("Keeps until"), required=False, widget=DayInput())
    lot_code = forms.CharField(label=gettext_lazy("Lot code"), max_length=60, required=False)

    def __init__(self, *args: Any, offered: Sequence[IngredientChoice], **kwargs: Any) -> None:
        super().__init__(*args, offered=offered, **kwargs)
        self.fields["unit_cost"].widget.attrs["data-unit-cost"] = ""
        self.fields["paid"].widget.attrs["data-paid"] = ""
        if not any(one.dates for one in offered):
            del self.fields["expires_on"], self.fields["lot_code"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        paid, quantity = data.get("paid"), data.get("quantity")
        if paid is None:
            return data
        if data.get("unit_cost") is not None:
            self.add_error("paid", _("Write the cost of one or of all, not both."))
        elif quantity is None or not (0 < quantity <= LARGEST_QUANTITY and 0 <= paid <= LARGEST_PAID):
            self.add_error("paid", _("This can't be what was paid for that quantity."))
        return data


class Lines(forms.BaseFormSet):
    """The lines of a page. `chosen` are the ingredients that the page was opened for: a line waits for each."""

    def __init__(
        self, *args: Any, offered: Sequence[IngredientChoice], chosen: Sequence[int] = (), **kwargs: Any
    ) -> None:
        self.chosen = list(chosen)
        self.extra = max(len(self.chosen), 1)
        super().__init__(*args, **kwargs)
        self.form_kwargs = {"offered": offered}

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        kwargs = super().get_form_kwargs(index)
        if index is not None and index < len(self.chosen):
            # Not as the formset's `initial`, which makes such lines required.
            kwargs["initial"] = {"ingredient": self.chosen[index]}
        return kwargs


def lines_of(form: type[forms.Form], *, formset: type[forms.BaseFormSet] = Lines, most: int = MOST_LINES) -> Any:
    """The formset class for up to `most` lines of this form."""
    return forms.formset_factory(
        form,
        formset=formset,
        extra=1,
        can_delete=True,
        max_num=most,
        # One more, so that a page can tell that there are too many.
        absolute_max=most + 1,
        validate_max=True,
    )


ReceiptLines = lines_of(ReceiptLineForm)
StockLines = lines_of(StockLineForm)
