"""Plain forms that look like the admin's own. Only this file knows which widget of the theme is which."""

from collections.abc import Mapping
from typing import Any

from django import forms
from unfold import widgets

from foundation.admin.numbers import PlainDecimalInput

# The first that fits is taken.
THEME = (
    (forms.DateTimeField, widgets.UnfoldAdminSplitDateTimeWidget),
    (forms.DateField, widgets.UnfoldAdminSingleDateWidget),
    (forms.TimeField, widgets.UnfoldAdminSingleTimeWidget),
    (forms.BooleanField, widgets.UnfoldBooleanSwitchWidget),
    (forms.DecimalField, PlainDecimalInput),
    (forms.IntegerField, widgets.UnfoldAdminIntegerFieldWidget),
    (forms.EmailField, widgets.UnfoldAdminEmailInputWidget),
    (forms.FileField, widgets.UnfoldAdminFileFieldWidget),
    (forms.ModelMultipleChoiceField, widgets.UnfoldAdminSelectMultipleWidget),
    (forms.MultipleChoiceField, widgets.UnfoldAdminSelectMultipleWidget),
    (forms.ChoiceField, widgets.UnfoldAdminSelectWidget),
    (forms.ModelChoiceField, widgets.UnfoldAdminSelectWidget),
    (forms.CharField, widgets.UnfoldAdminTextInputWidget),
)


class ThemedForm(forms.Form):
    """A form in the admin's look. A field whose widget was chosen by hand (anything but Django's default for
    its kind) keeps it; a `Textarea` becomes the theme's."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self.fields)


def dress(fields: Mapping[str, forms.Field]) -> None:
    """Gives fields that have Django's default widgets those of the theme, with the same attributes."""
    for field in fields.values():
        theirs = type(field.widget)
        if theirs is forms.Textarea:
            widget: forms.Widget = widgets.UnfoldAdminTextareaWidget({**field.widget.attrs, "rows": 3})
        elif theirs in (field.__class__.widget, forms.NumberInput):
            ours = next((widget for kind, widget in THEME if isinstance(field, kind)), None)
            if ours is None:
                continue
            widget = ours(attrs=dict(field.widget.attrs))
        else:
            continue
        widget.is_required = field.required
        widget.is_localized = field.localize
        if hasattr(field, "choices"):
            widget.choices = field.choices  # type: ignore[attr-defined]
        field.widget = widget
