"""What orders are called in the ledger of the store room."""

from collections.abc import Collection, Mapping

from django.utils.translation import gettext_lazy as _

from inventory.documents import DocumentKind, register_document_kind
from orders.models import EveryOrder
from orders.services.deduction import DOCUMENT_TYPE


def register() -> None:
    """Tells the ledger's pages what an order is. Called once, when the apps are ready."""
    register_document_kind(
        DocumentKind(DOCUMENT_TYPE, title=_("order"), url_name="admin:orders_order_change", names=names_of_orders)
    )


def names_of_orders(order_ids: Collection[str]) -> Mapping[str, str]:
    """{order id: its number}, as both stand in the ledger; ids of no order are left out."""
    ids = [int(pk) for pk in order_ids if pk.isascii() and pk.isdigit() and len(pk) < 19]
    return {
        str(pk): f"#{number}"
        for pk, number in EveryOrder.objects.filter(pk__in=ids).order_by().values_list("pk", "number")
    }
