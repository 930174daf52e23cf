"""Cursor pages: a list is read on from the last row that was seen, and never counted."""

import hashlib
from collections.abc import Sequence
from typing import Any

from django.core import signing
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.core.exceptions import ValidationError as FieldError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from foundation.errors import InvalidInput

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
AFTER, BEFORE = "after", "before"


class KeysetPagination(BasePagination):
    """Answers {next, previous, results}.

    The order is the view's `ordering` (a name or a sequence of names, each with or without "-"; of columns
    that are never NULL), else the newest first; the primary key makes it total. A cursor holds the position of
    a row and is signed for its list (address, filters and order): any other cursor is InvalidInput at `cursor`.
    """

    cursor_parameter = "cursor"
    page_size_parameter = "page_size"

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        self.url = request.build_absolute_uri()
        self.ordering = total_ordering(queryset, getattr(view, "ordering", None))
        self.size = self.asked_size(request)
        self.signer = signing.Signer(salt=self.list_identity(request))
        where, position = self.asked_position(queryset, request)

        ordering = reverse(self.ordering) if where == BEFORE else self.ordering
        rows = queryset.order_by(*ordering)
        if position is not None:
            rows = rows.filter(beyond(ordering, position))
        found = self.first_rows(rows, ordering, self.size + 1)
        page = found[: self.size]
        more = len(found) > self.size
        if where == BEFORE:
            page.reverse()
        self.page = page
        self.has_next = more if where == AFTER else True
        self.has_previous = more if where == BEFORE else position is not None
        return page

    def first_rows(self, rows: QuerySet[Any], ordering: Sequence[str], number: int) -> list[Any]:
        """The first so many of the ordered rows. Another way to find them may be faster."""
        return list(rows[:number])

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next_url(), "previous": self.previous_url(), "results": data})

    def next_url(self) -> str | None:
        if not self.has_next:
            return None
        # Nothing is left before the cursor: what follows is the list from its start.
        return self.url_of(AFTER, self.page[-1]) if self.page else remove_query_param(self.url, self.cursor_parameter)

    def previous_url(self) -> str | None:
        return self.url_of(BEFORE, self.page[0]) if self.has_previous and self.page else None

    def url_of(self, where: str, row: Any) -> str:
        cursor = self.signer.sign_object([where, *(position_in(row, name) for name in bare(self.ordering))])
        return replace_query_param(self.url, self.cursor_parameter, cursor)

    def asked_size(self, request: Request) -> int:
        asked = request.query_params.get(self.page_size_parameter)
        if asked is None:
            return DEFAULT_PAGE_SIZE
        if not (asked.isascii() and asked.isdigit() and len(asked) <= 3 and 1 <= int(asked) <= MAX_PAGE_SIZE):
            raise InvalidInput.at(
                self.page_size_parameter, _("Ask for 1 to %(limit)s rows a page.") % {"limit": MAX_PAGE_SIZE}
            )
        return int(asked)

    def asked_position(self, queryset: QuerySet[Any], request: Request) -> tuple[str, list[Any] | None]:
        cursor = request.query_params.get(self.cursor_parameter)
        if cursor is None:
            return AFTER, None
        try:
            where, *texts = self.signer.unsign_object(cursor)
            return where, [
                value_of(queryset, name, text) for name, text in zip(bare(self.ordering), texts, strict=True)
            ]
        except (signing.BadSignature, ValueError, TypeError, FieldError):
            raise InvalidInput.at(
                self.cursor_parameter,
                _("This cursor does not belong to this list. Start again without one."),
            ) from None

    def list_identity(self, request: Request) -> str:
        """The list that a cursor belongs to: the same address, filters and order."""
        own = {self.cursor_parameter, self.page_size_parameter, "format"}
        filters = sorted((name, values) for name, values in request.query_params.lists() if name not in own)
        return hashlib.sha256(repr((request.path, filters, self.ordering)).encode()).hexdigest()

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            {
                "name": self.cursor_parameter,
                "in": "query",
                "required": False,
                "description": "Take it from `next` or `previous`; it belongs to one list with its filters.",
                "schema": {"type": "string", "minLength": 1},
            },
            {
                "name": self.page_size_parameter,
                "in": "query",
                "required": False,
                "description": "Rows in a page.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_PAGE_SIZE,
                    "default": DEFAULT_PAGE_SIZE,
                },
            },
        ]


def total_ordering(queryset: QuerySet[Any], asked: str | Sequence[str] | None) -> tuple[str, ...]:
    """The order with the primary key at its end. Raises ImproperlyConfigured for a column that may be NULL."""
    ordering = ("-id",) if not asked else (asked,) if isinstance(asked, str) else tuple(asked)
    key = queryset.model._meta.pk.name
    names = {"id": key, "pk": key}
    ordering = tuple(("-" if name.startswith("-") else "") + names.get(*[name.lstrip("-")] * 2) for name in ordering)
    for name in bare(ordering):
        if getattr(field_of(queryset, name), "null", False):
            raise ImproperlyConfigured(
                f"A list can't be paged by {name}: it may be NULL, which has no place in an order."
            )
    if key in bare(ordering):
        return ordering
    return (*ordering, f"-{key}" if ordering[-1].startswith("-") else key)


def bare(ordering: Sequence[str]) -> list[str]:
    return [name.lstrip("-") for name in ordering]


def reverse(ordering: Sequence[str]) -> tuple[str, ...]:
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in ordering)


def beyond(ordering: Sequence[str], position: Sequence[Any]) -> Q:
    """The rows after `position`: a later first column, or the same and a later second one, and so on."""
    condition = Q()
    same: dict[str, Any] = {}
    for index, (name, value) in enumerate(zip(ordering, position, strict=True)):
        column, comparison = (name[1:], "lt") if name.startswith("-") else (name, "gt")
        condition |= Q(**same, **{f"{column}__{comparison}": value})
        same[column] = value
        if index == 0:
            # Says nothing new, but an index on the first column can start from it.
            first = Q(**{f"{column}__{comparison}e": value})
    return first & condition


def field_of(queryset: QuerySet[Any], name: str) -> Any:
    """The model's field, or None for an annotation."""
    try:
        return queryset.model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def position_in(row: Any, name: str) -> Any:
    value = row[name] if isinstance(row, dict) else getattr(row, name)
    return value if isinstance(value, int | str) else str(value)


def value_of(queryset: QuerySet[Any], name: str, text: Any) -> Any:
    field = field_of(queryset, name)
    return field.to_python(text) if field else text
