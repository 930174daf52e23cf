"""Fields of a request's body that take only what they say, and answer in sentences."""

import datetime
import re
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from foundation.api.ids import LARGEST_ID

# More wrong entries of a list than these are not named one by one.
MOST_FAULTS = 20
CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$", re.ASCII)


class WholeNumberField(serializers.IntegerField):
    """An integer of JSON: "2", 2.0 and true are none."""

    default_error_messages = {"invalid": _("Give a whole number, without quotes and decimals.")}

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class IdField(WholeNumberField):
    """The id of a record; whether there is one is for the service to say."""

    default_error_messages = {
        "invalid": _("Give an id: a whole number, without quotes."),
        "min_value": _("Give an id: a whole number above 0."),
        "max_value": _("There is no record with such an id."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_ID, **kwargs})


class AmountField(serializers.DecimalField):
    """A quantity, a price or nothing: null, never an empty text.

    DRF's own field would take "" for null, and a form that was left empty for "all of it" or "as before".
    """

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        if isinstance(data, str) and not data.strip():
            self.fail("invalid")
        return super().validate_empty_values(data)


class IdListField(serializers.ListField):
    """A list of ids, checked at once: it may be 100,000 long."""

    child = IdField()
    default_error_messages = {
        "not_a_list": _("Give a list of ids."),
        "not_an_id": _("Give an id: a whole number above 0, without quotes."),
    }

    def to_internal_value(self, data: Any) -> list[int]:
        if not isinstance(data, list):
            self.fail("not_a_list")
        wrong = [index for index, pk in enumerate(data) if type(pk) is not int or not 1 <= pk <= LARGEST_ID]
        if wrong:
            sentence = self.error_messages["not_an_id"]
            errors: dict[Any, Any] = {index: [sentence] for index in wrong[:MOST_FAULTS]}
            raise serializers.ValidationError(errors)
        return data


@extend_schema_field({"type": "integer", "minimum": 1})
class RecordField(serializers.PrimaryKeyRelatedField):
    """Another record by its id."""

    default_error_messages = {
        "does_not_exist": _("There is no record with the id {pk_value}."),
        "incorrect_type": _("Give an id: a whole number, without quotes."),
    }

    def to_internal_value(self, data: Any) -> Any:
        if type(data) is not int:
            self.fail("incorrect_type")
        return super().to_internal_value(data)


class WordField(serializers.ChoiceField):
    """One word of a fixed list, spelled as the list spells it."""

    default_error_messages = {"unknown_word": _("Give one of these words: {words}.")}

    def to_internal_value(self, data: Any) -> str:
        if data == "" and self.allow_blank:
            return ""
        if not isinstance(data, str) or data not in self.choices:
            self.fail("unknown_word", words=", ".join(str(word) for word in self.choices))
        return data


@extend_schema_field({"type": "string", "pattern": CLOCK.pattern, "example": "04:00:00"})
class ClockField(serializers.TimeField):
    """A time of the day by the clock on the wall: "04:00". One with an offset, "04:00Z", is refused.

    DRF's own field would drop the offset silently.
    """

    def to_internal_value(self, value: Any) -> datetime.time:
        if isinstance(value, str) and not CLOCK.fullmatch(value):
            self.fail("invalid", format="hh:mm[:ss[.uuuuuu]]")
        time: datetime.time = super().to_internal_value(value)
        return time


class MomentField(serializers.DateTimeField):
    """A moment with its offset: "2026-11-21T18:00:00+07:00". One without is refused: whose clock was meant?"""

    default_error_messages = {
        "no_offset": _("Write the moment with its offset, for example 2026-11-21T18:00:00+07:00.")
    }

    def enforce_timezone(self, value: datetime.datetime) -> datetime.datetime:
        if value.tzinfo is None:
            self.fail("no_offset")
        moment: datetime.datetime = super().enforce_timezone(value)
        return moment
