"""Fields for secrets: what was typed is never shown again, not even to who typed it."""

from typing import Any

from unfold.widgets import UnfoldAdminTextInputWidget


class NeverShownInput(UnfoldAdminTextInputWidget):
    """A text that can be read while it is typed, and comes back empty when something else has to be put right."""

    def format_value(self, value: Any) -> None:
        return None
