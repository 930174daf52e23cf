"""The fields in which somebody types a marketplace's keys. What was typed is never shown again, not even to them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from foundation.admin.never_shown import NeverShownInput
from marketplaces.choices import Marketplace
from marketplaces.keys import KEY_NAMES, LONGEST_KEY

LABELS = {
    "client_id": _("Client ID"),
    "client_secret": _("Client secret"),
    "api_key": _("API key"),
    "token": _("Token"),
}
HINTS = {
    (Marketplace.ALLEGRO, "client_id"): _("From apps.developer.allegro.pl, an application of the type “device”."),
    (Marketplace.OZON, "client_id"): _("From seller.ozon.ru, Settings, Seller API."),
    (Marketplace.OZON, "api_key"): _("With the role “Admin”, or those for products, stock and postings."),
    (Marketplace.WILDBERRIES, "token"): _("With the categories Marketplace and Analytics, for reading and writing."),
}
SECRET_FIELDS = frozenset(LABELS)
# Where a service says what is wrong with a key, and the form's field for it.
REFUSAL_FIELDS = {f"credentials.{name}": name for name in LABELS}


def key_fields(marketplace: str) -> dict[str, forms.CharField]:
    """The fields of this marketplace's keys, by name."""
    fields = {}
    for name in KEY_NAMES[marketplace]:
        widget = NeverShownInput if name == "client_id" else UnfoldAdminPasswordWidget
        fields[name] = forms.CharField(
            label=LABELS[name],
            help_text=HINTS.get((Marketplace(marketplace), name), ""),
            max_length=LONGEST_KEY,
            widget=widget(attrs={"autocomplete": "off" if name == "client_id" else "new-password"}),
        )
    return fields


def keys_in(data: dict[str, Any]) -> dict[str, str]:
    """The keys among what a form has cleaned."""
    return {name: data[name] for name in LABELS if name in data}
