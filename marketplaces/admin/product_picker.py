"""Choosing a product among thousands: a field that finds as one types, in each of many rows."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.utils.translation import gettext_lazy as _

from inventory.models import Product


class ProductPicker(AutocompleteSelect):
    """Django's field that asks the server while one types. The names of what is chosen already are given to it: it
    would ask for each row by itself otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names: Mapping[int, str] = {}

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        chosen = [text for text in value if text]
        options = [self.create_option(name, "", "", False, 0)]
        options += [
            self.create_option(name, text, self.names.get(int(text), text), True, place)
            for place, text in enumerate(chosen, start=1)
            if text.isascii() and text.isdigit()
        ]
        return [(None, options, 0)]


class ProductField(forms.IntegerField):
    """The id of a product; whether there is one is for the service to say."""

    default_error_messages = {"invalid": _("Choose a product.")}

    def know(self, names: Mapping[int, str]) -> None:
        """The names of products that rows have chosen."""
        self.widget.names = names


def names_of(product_ids: Any) -> dict[int, str]:
    """{id: name} in one query."""
    return dict(Product.objects.filter(pk__in=product_ids).values_list("pk", "name"))
