"""Ids in an address: of the record in its path, of another one in its query."""

from django.utils.translation import gettext as _
from rest_framework.request import Request

from foundation.errors import InvalidInput, Missing

LARGEST_ID = 2**63 - 1
LONGEST_ID = len(str(LARGEST_ID))


def id_in_path(text: str) -> int:
    """The id that the path names. Raises Missing for what can't be one."""
    number = number_of(text)
    if number is None:
        raise Missing(_("There is nothing with the id %(id)s.") % {"id": text[: LONGEST_ID * 2]})
    return number


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
