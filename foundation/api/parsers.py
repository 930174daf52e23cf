"""Reading JSON so that nothing comes in which the database would refuse later."""

import math
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from foundation.errors import InvalidInput

LARGEST_INTEGER = 2**63 - 1


class StrictJSONParser(JSONParser):
    """JSON of a bounded size and depth, without NaN, integers beyond bigint, NUL and half surrogates.

    DRF hands the open stream to its parser, so that Django's DATA_UPLOAD_MAX_MEMORY_SIZE does not count there:
    it is kept here. Raises RequestDataTooBig, ParseError for what is no JSON, and InvalidInput at the value.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        content = stream.read(limit + 1)
        if len(content) > limit:
            raise RequestDataTooBig
        try:
            data = super().parse(BytesIO(content), media_type, parser_context)
            errors = dict(faults(data, ""))
        except RecursionError:
            raise ParseError(_("The JSON is nested too deeply.")) from None
        if errors:
            sentences = list(errors.values())
            raise InvalidInput(
                sentences[0] if len(sentences) == 1 else _("Some values can't be stored."),
                errors={path or "non_field_errors": [sentence] for path, sentence in errors.items()},
            )
        return data


def faults(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """The values that no column can hold: where, and what is wrong."""
    match value:
        case str():
            if sentence := fault_of_text(value):
                yield path, sentence
        case int() if abs(value) > LARGEST_INTEGER:
            yield path, _("This number is too large.")
        case float() if not math.isfinite(value):
            yield path, _("This number is too large.")
        case dict():
            for name, inner in value.items():
                if sentence := fault_of_text(name):
                    yield path, sentence
                else:
                    yield from faults(inner, f"{path}.{name}" if path else name)
        case list():
            for index, inner in enumerate(value):
                yield from faults(inner, f"{path}[{index}]")


def fault_of_text(text: str) -> str | None:
    if "\0" in text:
        return _("A text must not contain the character NUL.")
    # "\ud800" in JSON is half of a character: no encoding can write it.
    return None if is_whole(text) else _("A text must not contain half of a character (a lone surrogate).")


def is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
