"""Making many promo codes at once, and the list of codes as a file."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from foundation.admin.forms import ThemedForm
from foundation.admin.numbers import PlainDecimalField
from foundation.admin.once import Done
from foundation.admin.pages import AdminPage, FormPage
from inventory.exchange.csv_file import write_csv
from inventory.models import Category, Product
from orders.admin.shop_moments import ShopMomentField
from orders.models import PromoCode
from orders.promo_code_states import state_of
from orders.services.promo_codes import LONGEST_PREFIX, generate_promo_codes

LIST = "admin:orders_promocode_changelist"
COLUMNS = (
    "code",
    "kind",
    "value",
    "minimum_total",
    "starts_at",
    "ends_at",
    "usage_limit",
    "per_customer_limit",
    "used_count",
)


def searching(name: str) -> AutocompleteSelectMultiple:
    """The widget of a field of codes that looks its records up while somebody types."""
    return AutocompleteSelectMultiple(PromoCode._meta.get_field(name), admin.site)


class GenerateForm(ThemedForm):
    """What all of the codes have in common."""

    begins_with = forms.CharField(
        label=gettext_lazy("They begin with"),
        max_length=LONGEST_PREFIX,
        required=False,
        help_text=gettext_lazy("SPRING makes codes such as SPRING-7KQ2M9XA, without signs that are easily misread."),
    )
    number = forms.IntegerField(label=gettext_lazy("How many codes"), initial=100)
    kind = forms.ChoiceField(label=gettext_lazy("Percent or amount"), choices=PromoCode.Kind.choices)
    value = PlainDecimalField(label=gettext_lazy("How much"), max_digits=12, decimal_places=2)
    minimum_total = PlainDecimalField(
        label=gettext_lazy("From an order of"), max_digits=12, decimal_places=2, required=False
    )
    usage_limit = forms.IntegerField(
        label=gettext_lazy("How often each in all"),
        initial=1,
        required=False,
        help_text=gettext_lazy("Empty: without a limit."),
    )
    per_customer_limit = forms.IntegerField(label=gettext_lazy("How often each per customer"), required=False)
    starts_at = ShopMomentField(label=pgettext_lazy("a moment", "From"))
    ends_at = ShopMomentField(label=pgettext_lazy("a moment", "Until"))
    products = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Products"),
        queryset=Product.objects.all(),
        required=False,
        help_text=gettext_lazy("Nothing here and no categories: the whole menu."),
    )
    categories = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Categories"), queryset=Category.objects.all(), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("products", "categories"):
            # The admin's site knows its lists only now.
            field: Any = self.fields[name]
            field.widget = searching(name)
            field.widget.choices = field.choices

    def asked(self) -> dict[str, Any]:
        """The fields as the service takes them; a minimum that is left empty is none."""
        data = {**self.cleaned_data, "minimum_total": self.cleaned_data["minimum_total"] or 0}
        return {
            name: [one.pk for one in data[name]] if name in ("products", "categories") else data[name] for name in data
        }


class GeneratePage(FormPage):
    """Up to 1,000 codes that nobody can guess; afterwards the list shows them, to be taken away as a file."""

    path, name = "generate/", "generate"
    title = gettext_lazy("Make many codes")
    permission = "orders.add_promocode"
    template_name = "orders_admin/generate_codes.html"
    form_class = GenerateForm
    submit_label = gettext_lazy("Make the codes")
    submit_icon = "confirmation_number"
    refusal_fields: Mapping[str, str] = {"prefix": "begins_with"}

    def act(self, form: Any, lines: list[Any]) -> Done:
        fields = form.asked()
        made = generate_promo_codes(prefix=fields.pop("begins_with"), number=fields.pop("number"), fields=fields)
        asked = urlencode({"created_at": made[0].created_at.isoformat()})
        sentence = ngettext("%(count)d code is made.", "%(count)d codes are made.", len(made))
        return Done(sentence % {"count": len(made)}, f"{reverse(LIST)}?{asked}")


class ExportPage(AdminPage):
    """The codes of the list, as it is searched and filtered, in a CSV file."""

    path, name = "export/", "export"
    title = gettext_lazy("Codes as a file")
    permission = "orders.add_promocode"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        changelist = self.model_admin.get_changelist_instance(request)
        codes = changelist.get_queryset(request).order_by("-pk")
        file = write_csv([*COLUMNS, "state"], rows(codes))
        return HttpResponse(
            file,
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="promo-codes.csv"'},
        )


def rows(codes: Any) -> Iterator[list[Any]]:
    now = timezone.now()
    for code in codes.iterator(chunk_size=2000):
        values = [getattr(code, name) for name in COLUMNS]
        yield [*("" if value is None else value for value in values), state_of(code, at=now).value]
