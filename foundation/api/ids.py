"""Ids in the query of an address; those in its path are read by Django's own converters."""

from django.utils.translation import gettext as _
from rest_framework.request import Request

from foundation.errors import InvalidInput

LARGEST_ID = 2**63 - 1
LONGEST_ID = len(str(LARGEST_ID))


def id_parameter(request: Request, name: str) -> int | None:
    """The id that the query parameter `name` gives, None without one. Raises InvalidInput at it."""
    text = request.query_params.get(name)
    if not text:
        return None
    number = number_of(text)
    if number is None:
        raise InvalidInput.at(name, _("Give an id: a whole number above 0."))
    return number


def number_of(text: str) -> int | None:
    """The text as an id that the database can hold, else None."""
    if not (text.isascii() and text.isdigit()) or len(text.lstrip("0")) > LONGEST_ID:
        return None
    number = int(text.lstrip("0") or "0")
    return number if 1 <= number <= LARGEST_ID else None
