"""The form of the shop's own settings, on the page in the admin and on the first-run page."""

import zoneinfo
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundation.admin.forms import ThemedForm
from foundation.currencies import CURRENCIES
from foundation.models import Shop
from foundation.money import LEADING_SIGNS, TRAILING_SIGNS
from foundation.phone_regions import PHONE_REGIONS, calling_code
from foundation.shop import CurrentShop

SIGNS = LEADING_SIGNS | TRAILING_SIGNS


def currency_choices() -> list[tuple[str, str]]:
    """Currencies by code; those with a sign show it."""
    return [(code, f"{code} {SIGNS[code]}" if code in SIGNS else code) for code in CURRENCIES]


def time_zone_choices() -> list[tuple[str, str]]:
    """Time zones by name, continent first; without the names that name no place, but for UTC."""
    names = {name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC"}
    return [(name, name.replace("_", " ")) for name in sorted(names) if not name.startswith(("Etc/", "SystemV/"))]


def phone_region_choices() -> list[tuple[str, str]]:
    """Countries by their two letters, with the code before their numbers."""
    return [(region, f"{region} {calling_code(region)}") for region in PHONE_REGIONS]


def words_of(field: str) -> dict[str, Any]:
    """The model's own label and help."""
    own: Any = Shop._meta.get_field(field)
    return {"label": own.verbose_name.capitalize(), "help_text": own.help_text}


def searchable() -> forms.Select:
    """A choice among hundreds, which is typed to be found."""
    return forms.Select(attrs={"data-searchable": ""})


class ShopForm(ThemedForm):
    """Name, currency, time zone, whose phone numbers. What a choice does not offer, the service refuses too."""

    class Media:
        js = ("samovar/search_select.js",)

    name = forms.CharField(label=gettext_lazy("Name of the shop"), max_length=100)
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=currency_choices, widget=searchable())
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=time_zone_choices, widget=searchable())
    phone_region = forms.ChoiceField(
        label=gettext_lazy("Phone numbers of"), choices=phone_region_choices, widget=searchable()
    )

    def __init__(self, *args: Any, shop: CurrentShop, currency_is_fixed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shop = shop
        for name, field in self.fields.items():
            field.initial = getattr(shop, name)
            field.help_text = words_of(name)["help_text"]
        if shop.time_zone not in zoneinfo.available_timezones():
            self.fields["time_zone"].initial = "UTC"
        if currency_is_fixed:
            # Browsers do not send what can't be chosen: nothing said leaves it as it is. The service refuses another.
            self.fields["currency"].required = False
            self.fields["currency"].widget.attrs["disabled"] = True
            self.fields["currency"].help_text = _("Something was sold already: the currency stays.")

    def clean_currency(self) -> str:
        return self.cleaned_data["currency"] or self.shop.currency
