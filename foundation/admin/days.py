"""A day in a form: the browser's own field, which every phone shows as it shows dates."""

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
