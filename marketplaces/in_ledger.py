"""What stock operations are called in the ledger of the store room."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from inventory.documents import DocumentKind, register_document_kind
from marketplaces.models import StockOperation
from marketplaces.services.corrections import DOCUMENT_TYPE


def register() -> None:
    """Tells the ledger's pages what a stock operation is. Called once, when the apps are ready."""
    register_document_kind(
        DocumentKind(
            DOCUMENT_TYPE,
            title=_("marketplace order"),
            url_name="admin:marketplaces_stockoperation_change",
            names=names_of_operations,
        )
    )


def names_of_operations(operation_ids: Collection[str]) -> Mapping[str, str]:
    """{operation id: marketplace and order}, as the ledger has the ids; ids of no operation are left out."""
    ids = []
    for one in operation_ids:
        with suppress(ValueError):
            ids.append(UUID(one))
    rows = StockOperation.objects.filter(pk__in=ids).select_related("account", "order").order_by()
    rows = rows.only("account__marketplace", "order__number", "order__external_id")
    return {str(one.pk): f"{one.account.get_marketplace_display()} {one.order}" for one in rows}
