"""An admin form whose saving calls a service: what the service refuses is said at the form's fields."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from foundation.errors import InvalidInput, Refusal


class RefusalsInForms:
    """For a ModelAdmin whose `save_model` calls a service.

    A form knows only so much; the service decides under its locks, when the form has been accepted already. Its
    refusal rolls everything back, and the same page is shown again with the sentences at their fields (those
    of no field above the form) and with what the person typed.
    """

    # Where the service's field has another name in the form.
    refusal_fields: Mapping[str, str] = {}

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]
        except Refusal as refusal:
            # The second pass is told of the refusal, and its form is invalid with it.
            request.refusal = refusal  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> type[forms.ModelForm]:
        form_class = super().get_form(request, *args, **kwargs)  # type: ignore[misc]
        refusal: Any = getattr(request, "refusal", None)
        if refusal is None:
            return form_class
        names = self.refusal_fields

        class RefusedForm(form_class):  # type: ignore[valid-type, misc]
            def clean(self) -> dict[str, Any] | None:
                cleaned = super().clean()
                add_refusal(self, refusal, names=names)
                return cleaned

        return RefusedForm


def add_refusal(form: forms.BaseForm, refusal: Refusal, *, names: Mapping[str, str] | None = None) -> None:
    """Says at the form's fields what a service refused; what concerns none of them stands above the form.

    `names` maps the service's names of fields to those of the form, where they differ.
    """
    for field, sentence in _sentences(refusal):
        name = (names or {}).get(field, field)
        form.add_error(name if name in form.fields else None, sentence)


def _sentences(refusal: Refusal) -> Iterator[tuple[str, str]]:
    if isinstance(refusal, InvalidInput) and refusal.errors:
        for field, sentences in refusal.errors.items():
            yield from ((field, sentence) for sentence in sentences)
    else:
        yield "", refusal.detail
