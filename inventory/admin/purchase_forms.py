"""The forms of purchasing: what is ordered, what came, what is suggested."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.days import DayInput
from foundation.admin.forms import ThemedForm
from foundation.admin.numbers import PlainDecimalField
from inventory.admin.pack_choice import PackOptions, PackSelect
from inventory.admin.stock_forms import LocationForm, lines_of
from inventory.models import PurchaseOrderLine, SupplierPack
from inventory.services.purchasing import OrderedLine
from inventory.services.receiving import LONGEST_CODE, LONGEST_NOTE, ReceivedLine
from inventory.units import UNITS, nicest, units_of

# A browser may send 1,000 fields: so many lines of eight fields fit.
MOST_LINES = 120
IN_PACKS = "packs"


class PurchaseOrderForm(LocationForm):
    """Where to, and until when."""

    expected_on = forms.DateField(label=gettext_lazy("Expected on"), required=False, widget=DayInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["location", "expected_on", "comment"])


class OrderedLineForm(ThemedForm):
    """So many packs from the supplier's list."""

    pack = forms.TypedChoiceField(
        label=gettext_lazy("Pack"),
        coerce=int,
        choices=(),
        error_messages={"invalid_choice": gettext_lazy("There is no such pack. Choose one from the list.")},
    )
    packs = PlainDecimalField(label=gettext_lazy("How many"))
    price = PlainDecimalField(label=gettext_lazy("Price of one"), required=False)

    def __init__(self, *args: Any, offered: PackOptions, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["pack"]
        field.widget = PackSelect(offered)
        field.choices = offered.choices
        self.fields["packs"].widget.attrs["data-packs"] = ""
        self.fields["price"].widget.attrs["data-price-field"] = ""

    def ordered_line(self) -> OrderedLine:
        """What a valid line says."""
        data = self.cleaned_data
        return OrderedLine(data["pack"], data["packs"], data["price"])


class FilledLines(forms.BaseFormSet):
    """Lines that a page may fill in beforehand, one for each of `filled`."""

    def __init__(self, *args: Any, filled: Sequence[Mapping[str, Any]] = (), **kwargs: Any) -> None:
        self.filled = list(filled)
        self.extra = max(len(self.filled), self.least)
        self.line_kwargs = {name: kwargs.pop(name) for name in self.own_arguments if name in kwargs}
        super().__init__(*args, **kwargs)
        self.form_kwargs = self.line_kwargs

    own_arguments: Sequence[str] = ("offered",)
    # How many lines wait when nothing is filled in.
    least = 1

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        kwargs = super().get_form_kwargs(index)
        if index is not None and index < len(self.filled):
            # Not as the formset's `initial`: what stays as it was filled in must be sent all the same.
            kwargs["initial"] = dict(self.filled[index])
        return kwargs


OrderedLines = lines_of(OrderedLineForm, formset=FilledLines, most=MOST_LINES)


class DeliveryForm(ThemedForm):
    """What stands on the delivery note, and whether more will come."""

    delivery_note = forms.CharField(label=gettext_lazy("Delivery note"), max_length=LONGEST_NOTE, required=False)
    comment = forms.CharField(label=gettext_lazy("Comment"), max_length=500, required=False)
    is_final = forms.BooleanField(label=gettext_lazy("Nothing more will come"), required=False)
    expected_receipts = forms.IntegerField(widget=forms.HiddenInput(), required=False)


class ReceivedLineForm(ThemedForm):
    """What came of one line of the order, or of something else that the supplier sells.

    `what` is "line:5" or "pack:7". An empty amount, or 0, means that nothing came: such a line does not count.
    """

    what = forms.ChoiceField(label=gettext_lazy("What"), choices=())
    amount = PlainDecimalField(label=gettext_lazy("Came"), required=False, min_value=None)
    unit = forms.ChoiceField(label=gettext_lazy("In"), choices=())
    price = PlainDecimalField(label=gettext_lazy("Price of a pack"), required=False)
    expires_on = forms.DateField(label=gettext_lazy("Keeps until"), required=False, widget=DayInput())
    lot_code = forms.CharField(label=gettext_lazy("Lot code"), max_length=LONGEST_CODE, required=False)

    def __init__(
        self,
        *args: Any,
        ordered: Mapping[int, PurchaseOrderLine],
        offered: Sequence[SupplierPack],
        shows_prices: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.line = ordered.get(line_id(self["what"].value()) or 0)
        what: Any = self.fields["what"]
        what.choices = [
            ("", ""),
            *((f"line:{one.pk}", f"{one.ingredient.name}: {one.pack_name}") for one in ordered.values()),
            *((f"pack:{pack.pk}", f"{pack.ingredient.name}: {pack.name}") for pack in offered),
        ]
        unit: Any = self.fields["unit"]
        units = units_of(self.line.ingredient.unit) if self.line else UNITS
        unit.choices = [(IN_PACKS, _("packs")), *((one.code, one.label) for one in units)]
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label
        if not shows_prices:
            del self.fields["price"]
        known = [one.ingredient for one in ordered.values()] + [pack.ingredient for pack in offered]
        asked = [self.line.ingredient] if self.line else known
        if not any(ingredient.tracks_expiry for ingredient in asked):
            del self.fields["expires_on"], self.fields["lot_code"]

    @property
    def is_ordered(self) -> bool:
        """Whether the line was filled in by the page: then what it is about is not chosen."""
        return self.line is not None

    def has_changed(self) -> bool:
        """Nothing came with it unless there is an amount."""
        amount = self["amount"].value()
        if amount in (None, ""):
            return False
        try:
            return self.fields["amount"].to_python(amount) != 0
        except forms.ValidationError:
            return True

    def received_line(self) -> ReceivedLine:
        """What a valid line says."""
        data = self.cleaned_data
        kind, _colon, key = data["what"].partition(":")
        in_packs = data["unit"] == IN_PACKS
        price = data.get("price")
        if self.line is not None and price == self.line.price:
            # As it was filled in: nobody said that the price is another one.
            price = None
        return ReceivedLine(
            line_id=int(key) if kind == "line" else None,
            pack_id=int(key) if kind == "pack" else None,
            packs=data["amount"] if in_packs else None,
            quantity=None if in_packs else data["amount"],
            unit="" if in_packs else data["unit"],
            price=price,
            expires_on=data.get("expires_on"),
            lot_code=data.get("lot_code", ""),
        )


def line_id(what: Any) -> int | None:
    """5 of "line:5"."""
    kind, _colon, key = str(what or "").partition(":")
    return int(key) if kind == "line" and key.isdigit() and len(key) < 19 else None


def outstanding_shown(line: PurchaseOrderLine) -> dict[str, Any]:
    """How the page fills in what has not come yet: in packs where that is exact, else in the nicest unit."""
    packs = line.outstanding / line.pack_quantity
    step = Decimal("0.001")
    if packs == packs.quantize(step):
        return {"amount": packs.quantize(step), "unit": IN_PACKS}
    amount = nicest(line.outstanding, line.ingredient.unit)
    return {"amount": amount.quantity, "unit": amount.unit.code}


class ReceivedLines(FilledLines):
    own_arguments = ("ordered", "offered", "shows_prices")
    least = 0


DeliveryLines = lines_of(ReceivedLineForm, formset=ReceivedLines, most=MOST_LINES)


class SuggestedLineForm(ThemedForm):
    """So many packs of what is low; none leaves it out."""

    ingredient = forms.IntegerField(widget=forms.HiddenInput())
    pack = forms.TypedChoiceField(
        label=gettext_lazy("Pack"),
        coerce=int,
        choices=(),
        error_messages={"invalid_choice": gettext_lazy("There is no such pack. Choose one from the list.")},
    )
    packs = PlainDecimalField(label=gettext_lazy("How many"), required=False)

    def __init__(self, *args: Any, packs: Mapping[int, Sequence[SupplierPack]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = str(self["ingredient"].value() or "")
        offered = packs.get(int(asked), ()) if asked.isdigit() and len(asked) < 19 else ()
        options = PackOptions(offered, names_suppliers=True)
        field: Any = self.fields["pack"]
        field.widget = PackSelect(options, {"aria-label": _("Pack")}, is_searched=False)
        field.choices = options.choices
        self.fields["packs"].widget.attrs |= {"data-packs": "", "aria-label": _("How many")}
        self.about = offered[0].ingredient if offered else None

    def has_changed(self) -> bool:
        """Nothing is ordered of it unless there is a number."""
        return self["packs"].value() not in (None, "", "0")

    def ordered_line(self) -> OrderedLine:
        """What a valid line says."""
        return OrderedLine(self.cleaned_data["pack"], self.cleaned_data["packs"])


class SuggestedLines(FilledLines):
    own_arguments = ("packs",)
    least = 0


SuggestionLines = lines_of(SuggestedLineForm, formset=SuggestedLines, most=MOST_LINES)
