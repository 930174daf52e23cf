"""Receipts, write-offs and transfers that were made: to look at and to print."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.admin.moments import moment_at
from foundation.admin.numbers import unit_cost, with_unit
from foundation.admin.pages import OwnPages
from foundation.money import money
from inventory.admin.cost_places import sees_costs
from inventory.admin.expiry_pages import WriteOffsPage
from inventory.admin.filters import LocationFilter, PeriodFilter
from inventory.admin.places import shows_places
from inventory.admin.shown import badge, when_shown
from inventory.models import StockDocument, StockMovement
from inventory.selectors import ledger_of_document

Kind = StockDocument.Kind
COLOURS = {Kind.RECEIPT: "good", Kind.WRITE_OFF: "bad", Kind.TRANSFER: "info"}


@admin.register(StockDocument)
class StockDocumentAdmin(OwnPages, WrittenOutAdmin, ShopModelAdmin):
    """Documents are made on the pages receive, write off and transfer, and never changed afterwards."""

    pages = (WriteOffsPage,)
    list_display = ("number", "kind_shown", "where", "what", "by", "comment_shown", "when")
    list_display_links = ("number",)
    list_filter = (("kind", ChoicesDropdownFilter), LocationFilter, PeriodFilter)
    list_select_related = ("location", "destination", "created_by")
    search_fields = ("=id", "comment")
    search_help_text = _("Number or comment")
    ordering = ("-id",)
    actions = None
    fieldsets = ()
    change_form_outer_before_template = "inventory/stock_document.html"

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in self.list_display if name != "where" or shows_places(request)]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        documents = list(changelist.result_list)
        lines = lines_of_documents(documents)
        for document in documents:
            document.lines_shown = lines.get((document.kind, str(document.pk)), [])
        changelist.result_list = documents
        return changelist

    @display(description=_("number"), ordering="id")
    def number(self, document: StockDocument) -> str:
        return f"{document.pk}"

    @display(description=_("kind"), ordering="kind")
    def kind_shown(self, document: StockDocument) -> SafeString:
        text = document.get_kind_display()
        if document.reason:
            text = f"{text}: {document.get_reason_display()}"
        return badge(COLOURS[Kind(document.kind)], text)

    @display(description=_("where"))
    def where(self, document: StockDocument) -> str:
        return places_of(document)

    @display(description=_("what"))
    def what(self, document: Any) -> SafeString:
        text = ", ".join(document.lines_shown)
        return format_html('<span class="sv-clip" title="{0}">{0}</span>', text)

    @display(description=_("by"))
    def by(self, document: StockDocument) -> str | None:
        return str(document.created_by) if document.created_by else None

    @display(description=_("comment"))
    def comment_shown(self, document: StockDocument) -> SafeString:
        return format_html('<span class="sv-clip" title="{0}">{0}</span>', document.comment)

    @display(description=_("when"), ordering="created_at")
    def when(self, document: StockDocument) -> SafeString:
        return when_shown(document.created_at, document.location)

    # --- one document ---------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        document: StockDocument | None = kwargs.get("obj")
        if document is not None:
            context["document"] = document
            context["document_badge"] = self.kind_shown(document)
            context["document_where"] = places_of(document)
            context["document_when"] = moment_at(document.created_at, document.location.time_zone)
            context.update(written_out(document))
            context["shows_costs"] = sees_costs(request)
        return super().render_change_form(request, context, **kwargs)


def places_of(document: StockDocument) -> str:
    """Main Street, or Main Street → Riverside."""
    return f"{document.location} → {document.destination}" if document.destination else str(document.location)


def lines_of_documents(documents: Sequence[StockDocument]) -> dict[tuple[str, str], list[str]]:
    """{(kind, id): ["Milk 12,000 ml", …]} of these documents, in one query."""
    lines: dict[tuple[str, str], list[str]] = {}
    movements = (
        StockMovement.objects.filter(
            document_type__in={one.kind for one in documents}, document_id__in=[str(one.pk) for one in documents]
        )
        .select_related("ingredient")
        .order_by("id")
    )
    for movement in movements:
        if movement.document_type == Kind.TRANSFER and movement.delta < 0:
            continue
        amount = with_unit(abs(movement.delta), movement.ingredient.get_unit_display())
        lines.setdefault((movement.document_type, movement.document_id), []).append(
            f"{movement.ingredient.name} {amount}"
        )
    return lines


def written_out(document: StockDocument) -> dict[str, Any]:
    """The document's lines and what they are worth; of a transfer, each line once."""
    movements = [
        movement
        for movement in ledger_of_document(document_type=document.kind, document_id=document.pk)
        if document.kind != Kind.TRANSFER or movement.delta > 0
    ]
    return {
        "document_lines": [
            {
                "ingredient": movement.ingredient,
                "quantity": with_unit(abs(movement.delta), movement.ingredient.get_unit_display()),
                "unit_cost": unit_cost(movement.unit_cost, movement.ingredient.get_unit_display())
                if movement.unit_cost
                else "—",
                "worth": money(abs(movement.value)) if movement.value else "—",
            }
            for movement in movements
        ],
        "document_worth": money(sum(abs(movement.value) for movement in movements)),
    }
