"""Rows of a list without what the theme works out anew for each of them: the headers, and a checkbox like all others.

Both go through templates, and are the same in every row: a third of the time that a list of fifty rows takes.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from unfold.admin import checkbox
from unfold.templatetags import unfold_list

# Stands in the checkbox where the key of a row goes: no key is written so.
KEY = "key-of-the-row"


@functools.cache
def checkbox_in(language: str | None) -> str:
    """The checkbox of a row as the theme draws it, with KEY for the row's; its label is in the language."""
    return str(checkbox.render(ACTION_CHECKBOX_NAME, KEY))


def row_checkbox(key: object) -> SafeString:
    """The checkbox of the row with this key."""
    return mark_safe(checkbox_in(get_language()).replace(KEY, escape(str(key))))  # noqa: S308 (the theme's own HTML)


def once_for_a_list(headers: Callable[[Any], Iterator[dict[str, Any]]]) -> Callable[[Any], list[dict[str, Any]]]:
    """The headers of a list (`cl`), made when they are asked for first."""

    def made_once(cl: Any) -> list[dict[str, Any]]:
        if not hasattr(cl, "headers_made"):
            # Each cell names its column, for phones: not translated anew in each of them.
            cl.headers_made = [{**header, "text": str(header["text"])} for header in headers(cl)]
        return cl.headers_made

    return made_once


def install() -> None:
    """Puts it into the theme, once."""
    if not hasattr(unfold_list.result_headers, "__wrapped__"):
        unfold_list.result_headers = functools.wraps(unfold_list.result_headers)(
            once_for_a_list(unfold_list.result_headers)
        )
