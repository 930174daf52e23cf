"""The ledger: every change of every level, newest first. Looking only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from foundation.admin.model_admin import NUL, ReadOnlyAdmin, ShopModelAdmin
from foundation.admin.numbers import unit_cost
from inventory.admin.cost_places import sees_costs
from inventory.admin.filters import DocumentTypeFilter, IngredientFilter, LocationFilter, PeriodFilter, ReasonFilter
from inventory.admin.ledger_rows import change_shown, document_link, reason_badge
from inventory.admin.lot_shown import lot_link, lot_name
from inventory.admin.places import shows_places
from inventory.admin.shown import when_shown
from inventory.documents import name_documents
from inventory.ledger_search import search_ledger
from inventory.models import StockMovement


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnlyAdmin, ShopModelAdmin):
    """Movements with what caused them; the search takes an ingredient, a comment or a document's number."""

    list_display = (
        "when",
        "ingredient_link",
        "location",
        "reason_shown",
        "change",
        "lot_shown",
        "document",
        "by",
        "comment_shown",
    )
    list_display_links = None
    list_filter = (IngredientFilter, LocationFilter, ReasonFilter, PeriodFilter, DocumentTypeFilter)
    list_select_related = ("ingredient", "location", "created_by", "lot")
    # Searching is `search_ledger`; this only makes the field appear.
    search_fields = ("comment",)
    search_help_text = _("Ingredient, comment or document number")
    ordering = ("-id",)
    list_per_page = 100
    actions = None
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "when",
                    "ingredient_link",
                    "location",
                    "reason_shown",
                    "change",
                    "lot_shown",
                    "unit_cost_shown",
                )
            },
        ),
        (_("Where it comes from"), {"fields": ("document", "line_id", "by", "comment")}),
    )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in self.list_display if name != "location" or shows_places(request)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """What a movement cost is only for who may see costs."""
        hidden = set() if sees_costs(request) else {"unit_cost_shown"}
        return [
            (title, {**options, "fields": tuple(name for name in options["fields"] if name not in hidden)})
            for title, options in self.fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        shown = ("when", "ingredient_link", "reason_shown", "change", "lot_shown", "unit_cost_shown", "document", "by")
        return [*super().get_readonly_fields(request, obj), *shown]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StockMovement], search_term: str
    ) -> tuple[QuerySet[StockMovement], bool]:
        text = search_term.replace(NUL, "").strip()[:200]
        return (search_ledger(queryset, text) if text else queryset), False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        movements = list(changelist.result_list)
        documents = name_documents(movements)
        for movement in movements:
            movement.document_named = documents[movement.document_type, movement.document_id]
        changelist.result_list = movements
        return changelist

    @display(description=_("when"), ordering="created_at")
    def when(self, movement: StockMovement) -> SafeString:
        return when_shown(movement.created_at, movement.location)

    @display(description=_("ingredient"), ordering="ingredient__name")
    def ingredient_link(self, movement: StockMovement) -> SafeString:
        return format_html(
            '<a class="sv-link" href="{}">{}</a>',
            reverse("admin:inventory_ingredient_change", args=[movement.ingredient_id]),
            movement.ingredient.name,
        )

    @display(description=_("reason"), ordering="reason")
    def reason_shown(self, movement: StockMovement) -> SafeString:
        return reason_badge(movement)

    @display(description=_("change"), ordering="delta")
    def change(self, movement: StockMovement) -> SafeString:
        return change_shown(movement)

    @display(description=_("lot"))
    def lot_shown(self, movement: StockMovement) -> SafeString | str:
        return lot_link(movement.lot, lot_name(movement.lot, movement.location)) if movement.lot else ""

    @display(description=_("unit cost"))
    def unit_cost_shown(self, movement: StockMovement) -> str:
        return unit_cost(movement.unit_cost, movement.ingredient.get_unit_display())

    @display(description=_("document"))
    def document(self, movement: Any) -> SafeString:
        named = getattr(movement, "document_named", None)
        if named is None:
            named = name_documents([movement])[movement.document_type, movement.document_id]
        return document_link(named)

    @display(description=_("by"))
    def by(self, movement: StockMovement) -> str | None:
        return str(movement.created_by) if movement.created_by else None

    @display(description=_("comment"))
    def comment_shown(self, movement: StockMovement) -> SafeString:
        return format_html('<span class="sv-clip" title="{0}">{0}</span>', movement.comment)
