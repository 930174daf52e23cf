"""Filters of lists that refuse what they do not understand, instead of answering with the whole list."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import IntegerField
from django.forms.utils import ErrorDict
from django.utils.translation import gettext as _
from django_filters import Filter
from django_filters.filterset import BaseFilterSet
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from django_filters.widgets import SuffixedMultiWidget
from drf_spectacular.utils import extend_schema_field
from rest_framework.filters import SearchFilter
from rest_framework.request import Request
from rest_framework.views import APIView

from foundation.api.ids import LARGEST_ID
from foundation.errors import InvalidInput

PARAMETERS_OF_EVERY_LIST = {"cursor", "page_size", "format"}


@extend_schema_field({"type": "integer", "minimum": 1})
class IdFilter(Filter):
    """Rows that point to the record with this id; none if there is no such record."""

    field_class = IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=LARGEST_ID, **kwargs)


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter, where an unknown parameter or a value that makes no sense is InvalidInput at that parameter.

    Known are the fields of the view's filter set, `cursor`, `page_size`, `format`, `search` if the view declares
    `search_fields` (it is then applied here), and what the view names in `query_parameters` because it reads them
    itself.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        filterset = self.get_filterset(request, queryset, view)
        searches = bool(getattr(view, "search_fields", None))
        known = {*PARAMETERS_OF_EVERY_LIST, *getattr(view, "query_parameters", ()), *parameters_of(filterset)}
        if searches:
            known.add("search")
        refuse_unknown(request, known)
        refuse_nul(request)
        if filterset is not None:
            if not filterset.is_valid():
                raise translate_validation(errors_by_parameter(filterset))
            refuse_ignored(filterset)
            queryset = filterset.qs
        if searches and not any(issubclass(backend, SearchFilter) for backend in getattr(view, "filter_backends", ())):
            queryset = SearchFilter().filter_queryset(request, queryset, view)
        return queryset


def parameters_of(filterset: BaseFilterSet | None) -> Iterable[str]:
    """The query parameters of a filter set; a range has two: placed_after and placed_before."""
    if filterset is None:
        return
    for name, field in filterset.form.fields.items():
        if isinstance(field.widget, SuffixedMultiWidget):
            yield from (field.widget.suffixed(name, suffix) for suffix in field.widget.suffixes)
        else:
            yield name


def errors_by_parameter(filterset: BaseFilterSet) -> ErrorDict:
    """The form's errors; those of a range at the end that is wrong: placed_after or placed_before."""
    errors = ErrorDict()
    for name, sentences in filterset.form.errors.items():
        field = filterset.form.fields.get(name)
        if field is None or not isinstance(field.widget, SuffixedMultiWidget):
            errors[name] = sentences
            continue
        for suffix, end in zip(field.widget.suffixes, field.fields, strict=True):
            parameter = field.widget.suffixed(name, suffix)
            try:
                end.clean(filterset.data.get(parameter))
            except ValidationError as error:
                errors[parameter] = filterset.form.error_class(error.error_list)
    return errors


def refuse_unknown(request: Request, known: set[str]) -> None:
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        sentence = _("This list has no such parameter. Known are: %(names)s.") % {"names": ", ".join(sorted(known))}
        raise InvalidInput(sentence, errors={name: [sentence] for name in unknown})


def refuse_nul(request: Request) -> None:
    """PostgreSQL's texts can't hold the character NUL."""
    for name, values in request.query_params.lists():
        if any("\0" in value for value in values):
            raise InvalidInput.at(name, _("A text must not contain the character NUL."))


def refuse_ignored(filterset: BaseFilterSet) -> None:
    """Refuses values that django-filter reads as "not given", such as `active=maybe`."""
    for name, value in filterset.form.cleaned_data.items():
        if value is None and filterset.data.get(name):
            raise InvalidInput.at(name, _("This value is not understood."))
