"""The forms of the first-run page. They know how things are typed; what is right, the services decide."""

import datetime
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import UnfoldAdminPasswordToggleWidget, UnfoldAdminTextInputWidget

from foundation.admin.days import DayInput
from foundation.admin.forms import ThemedForm, dress
from foundation.admin.numbers import PlainDecimalField
from inventory.exchange.limits import LARGEST_FILE
from inventory.exchange.table import too_large
from inventory.menu_file import LARGEST_PRICE, MenuRow
from inventory.models import Category, Ingredient, Location, Product
from inventory.services.lines import LARGEST_COST, LARGEST_QUANTITY, StockLine
from project.first_run.services import STAFF_ROLES, Newcomer

LONGEST_PASSWORD = 128
MOST_PRODUCTS, MOST_PEOPLE, MOST_INGREDIENTS = 100, 30, 300


class ClockInput(UnfoldAdminTextInputWidget):
    """A time of day in the browser's own field."""

    input_type = "time"

    def format_value(self, value: Any) -> str | None:
        return value.strftime("%H:%M") if isinstance(value, datetime.time) else value


class AccountForm(ThemedForm):
    """Who runs the shop."""

    name = forms.CharField(label=_("Your name"), max_length=150, required=False)
    email = forms.EmailField(label=_("E-mail"), max_length=254, help_text=_("With it you sign in."))
    password = forms.CharField(
        label=_("Password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=UnfoldAdminPasswordToggleWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters. A few words that only you would put together are best."),
    )


class FirstAccountForm(AccountForm):
    """The same, for somebody whom nobody knows yet."""

    code = forms.CharField(
        label=_("Setup code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
        help_text=_("It stands where the shop was started. Anybody without it can't take the shop."),
    )
    field_order = ("code", "name", "email", "password")


class LocationForm(ThemedForm):
    """Where the shop is."""

    name = forms.CharField(
        label=_("Name of the location"), max_length=100, help_text=_("A street, a square: what your people call it.")
    )
    address = forms.CharField(label=_("Address"), max_length=300, required=False)
    day_starts_at = forms.TimeField(
        label=_("The day begins at"),
        initial=datetime.time(0, 0),
        widget=ClockInput,
        help_text=Location._meta.get_field("day_starts_at").help_text,
    )


class MenuFileForm(ThemedForm):
    """A spreadsheet with the menu."""

    file = forms.FileField(
        label=_("File"),
        max_length=255,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx"}),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("The file is empty. Its first line names the columns."),
        },
    )

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload.size > LARGEST_FILE:
            raise forms.ValidationError(too_large().detail)
        return upload


class ProductLine(ThemedForm):
    """A product, written by hand."""

    category = forms.CharField(label=_("Category"), max_length=Category._meta.get_field("name").max_length)
    name = forms.CharField(label=_("Product"), max_length=Product._meta.get_field("name").max_length)
    price = PlainDecimalField(
        label=_("Price"),
        max_digits=12,
        decimal_places=2,
        min_value=Decimal(0),
        max_value=LARGEST_PRICE,
        error_messages={"min_value": _("A price can't be below 0.")},
    )

    def row(self, place: int) -> MenuRow:
        """The line as a menu file would name it."""
        data = self.cleaned_data
        return MenuRow(
            line=place,
            category=" ".join(data["category"].split()),
            name=" ".join(data["name"].split()),
            price=data["price"],
            choose_sweetness=False,
            choose_toppings=False,
        )


class ProductLinesBase(forms.BaseFormSet):
    def clean(self) -> None:
        """Refuses a product that stands there twice."""
        seen: set[str] = set()
        for line in self.forms:
            name = str(line.cleaned_data.get("name", "")).casefold() if line.is_valid() else ""
            if name and name in seen and not line.cleaned_data.get("DELETE"):
                line.add_error("name", _("This product stands in the list already."))
            seen.add(name)


ProductLines = forms.formset_factory(
    ProductLine,
    formset=ProductLinesBase,
    extra=4,
    can_delete=True,
    max_num=MOST_PRODUCTS,
    validate_max=True,
    absolute_max=MOST_PRODUCTS + 1,
)


class OpeningStockForm(ThemedForm):
    """How much of each ingredient is there, and what all of it cost; what is left empty is not there."""

    def __init__(self, *args: Any, ingredients: Sequence[Ingredient], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ingredients = ingredients
        for ingredient in ingredients:
            self.fields[f"quantity-{ingredient.pk}"] = PlainDecimalField(
                label=_("Quantity"),
                required=False,
                min_value=Decimal(0),
                max_value=LARGEST_QUANTITY,
                decimal_places=3,
                error_messages={"min_value": _("There can't be less than nothing.")},
            )
            self.fields[f"cost-{ingredient.pk}"] = PlainDecimalField(
                label=_("Cost per unit"),
                required=False,
                min_value=Decimal(0),
                max_value=LARGEST_COST,
                decimal_places=6,
                error_messages={"min_value": _("A cost can't be below 0.")},
            )
        dress(self.fields)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The ingredients with their two fields, as the page shows them."""
        for ingredient in self.ingredients:
            yield {
                "ingredient": ingredient,
                "quantity": self[f"quantity-{ingredient.pk}"],
                "cost": self[f"cost-{ingredient.pk}"],
            }

    def lines(self) -> list[StockLine]:
        """What a valid form says is there."""
        return [
            StockLine(ingredient.pk, quantity, unit_cost=self.cleaned_data[f"cost-{ingredient.pk}"])
            for ingredient in self.ingredients
            if (quantity := self.cleaned_data[f"quantity-{ingredient.pk}"])
        ]


class PersonLine(ThemedForm):
    """Somebody who works here."""

    name = forms.CharField(label=pgettext_lazy("of a person", "Name"), max_length=150)
    email = forms.EmailField(label=_("E-mail"), max_length=254)
    role = forms.ChoiceField(
        label=_("Role"), choices=[(role.value, role.label) for role in STAFF_ROLES], initial=STAFF_ROLES[-1].value
    )
    position = forms.CharField(
        label=pgettext_lazy("job", "Position"), max_length=100, required=False, help_text=_("The role, if left empty.")
    )
    hired_on = forms.DateField(label=_("Hired on"), widget=DayInput, initial=timezone.localdate)

    def newcomer(self) -> Newcomer:
        data = self.cleaned_data
        return Newcomer(data["name"], data["email"], data["role"], data["position"], data["hired_on"])


PersonLines = forms.formset_factory(
    PersonLine, extra=2, can_delete=True, max_num=MOST_PEOPLE, validate_max=True, absolute_max=MOST_PEOPLE + 1
)
