"""What loading and removing the demo refuse."""

from django.utils.translation import gettext as _

from foundation.errors import Conflict


class ShopNotEmpty(Conflict):
    """The demo fills an empty shop only."""

    code = "not_empty"

    def __init__(self) -> None:
        super().__init__(
            _("This shop has locations or products already. The demo fills an empty shop only: use another database.")
        )


class NoDemo(Conflict):
    """Only a demo can be removed: a shop of somebody's own is never emptied."""

    code = "no_demo"

    def __init__(self) -> None:
        super().__init__(_("This shop is not a demo, or the demo has been removed already. Nothing was changed."))


class SomebodyIsWorking(Conflict):
    """Something is being written, and went on longer than was waited for."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__(_("Somebody is working in the shop just now. Nothing was changed: try again in a moment."))
