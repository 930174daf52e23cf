"""What the demo shop refuses."""

from django.utils.translation import gettext as _

from foundation.errors import Conflict


class ShopNotEmpty(Conflict):
    """The demo fills an empty shop only."""

    code = "not_empty"

    def __init__(self) -> None:
        super().__init__(
            _("This shop has locations or products already. The demo fills an empty shop only: use another database.")
        )
