"""A day or a moment in a form: the browser's own field, which every phone shows as it shows dates."""

import datetime
from typing import Any

from unfold import widgets


class DayInput(widgets.UnfoldAdminTextInputWidget):
    """The field of a day. Browsers send and read ISO dates, whatever they show."""

    input_type = "date"

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, datetime.date):
            return value.isoformat()
        formatted = super().format_value(value)
        return None if formatted is None else str(formatted)


class MomentInput(widgets.UnfoldAdminTextInputWidget):
    """The field of a day and a time; by whose clocks, the page says. With `has_seconds` to the second."""

    input_type = "datetime-local"

    def __init__(self, *, has_seconds: bool = False) -> None:
        super().__init__({"max": "9999-12-31T23:59", **({"step": "1"} if has_seconds else {})})
