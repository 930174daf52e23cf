"""What the documents that stand in the ledger are called, and where they are shown.

The ledger names its documents by type and id, so that documents of every floor above can stand there. An app
above tells of its own when it is ready:

    register_document_kind(
        DocumentKind("order", title=_("order"), url_name="admin:orders_order_change", names=names_of_orders)
    )
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inventory.models import StockDocument, StockMovement

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A type of document. `names` answers {document id: what people call it} for many ids in one query; without
    it a document is called by its title and id. `url_name` takes the id."""

    document_type: str
    title: str | Promise
    url_name: str
    names: Callable[[Collection[str]], Names] | None = None


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """A document as a page shows it; `url` is empty if it has no page."""

    name: str
    url: str


_kinds: dict[str, DocumentKind] = {
    kind.value: DocumentKind(kind.value, kind.label, "admin:inventory_stockdocument_change")
    for kind in StockDocument.Kind
}

_kinds["count"] = DocumentKind("count", _("stock count"), "admin:inventory_stockcount_change")
_kinds["preparation"] = DocumentKind("preparation", _("preparation"), "admin:inventory_preparation_change")


def register_document_kind(kind: DocumentKind) -> None:
    """Tells the ledger's pages of a type of document. Called once, when the app is ready."""
    _kinds[kind.document_type] = kind


def document_kinds() -> list[DocumentKind]:
    """All known types, in the order of their registration."""
    return list(_kinds.values())


def name_documents(movements: Iterable[StockMovement]) -> dict[tuple[str, str], NamedDocument]:
    """{(document type, document id): name and address} of what caused these movements; one query for each type."""
    ids: dict[str, set[str]] = {}
    for movement in movements:
        ids.setdefault(movement.document_type, set()).add(movement.document_id)
    named: dict[tuple[str, str], NamedDocument] = {}
    for document_type, document_ids in ids.items():
        kind = _kinds.get(document_type)
        names = kind.names(document_ids) if kind and kind.names else {}
        for document_id in document_ids:
            title = f"{kind.title if kind else document_type} {document_id}"
            named[document_type, document_id] = NamedDocument(
                name=names.get(document_id, title), url=_url(kind, document_id) if kind else ""
            )
    return named


def _url(kind: DocumentKind, document_id: str) -> str:
    try:
        return reverse(kind.url_name, args=[document_id])
    except NoReverseMatch:
        return ""
