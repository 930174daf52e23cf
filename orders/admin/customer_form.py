"""The form of a customer: what people write, before the service makes of it what the shop keeps."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from orders.models import Customer
from orders.phones import shown_phone


class PhoneInput(UnfoldAdminTextInputWidget):
    """Shows a number as people read it: +44 7700 900123."""

    input_type = "tel"

    def format_value(self, value: Any) -> str | None:
        text = super().format_value(value)
        return shown_phone(text) if text else text


class PhoneField(forms.CharField):
    """A number however it is written; it has changed if it is another number, not if it looks different."""

    widget = PhoneInput

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(shown_phone(initial or ""), data) and super().has_changed(initial, data)


class CustomerForm(forms.ModelForm):
    phone = PhoneField(label=_("Phone"), max_length=60, required=False)

    class Meta:
        model = Customer
        fields = "__all__"  # noqa: DJ007 (the admin chooses them)

    def _post_clean(self) -> None:
        """The record is checked by the service, with what it makes of these values."""
