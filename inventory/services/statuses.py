"""Moving the documents of the store room along their statuses."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from foundation.statuses import labels_of, make_transition
from inventory.errors import WrongStatus
from inventory.models import PurchaseOrder, StockCount

Document = PurchaseOrder | StockCount


def proceed(document: Document, verb: str, **arguments: Any) -> None:
    """Makes the transition `verb`, which takes the `arguments`, on a locked document in memory. Raises WrongStatus."""
    make_transition(document, verb, refuse=lambda allowed: wrong_status(document, allowed), arguments=arguments)


def require_status(document: Document, allowed: Sequence[str]) -> None:
    """Raises WrongStatus unless the locked document's status is one of `allowed`."""
    if document.status not in allowed:
        raise wrong_status(document, allowed)


def wrong_status(document: Document, allowed: Sequence[str]) -> WrongStatus:
    is_count = isinstance(document, StockCount)
    return WrongStatus(
        document=_("Stock count %(number)s") % {"number": document.pk} if is_count else document,
        status=document.status,
        status_label=document.get_status_display(),
        allowed=labels_of(document, allowed),
    )
