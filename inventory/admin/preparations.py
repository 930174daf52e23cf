"""What was made: the list, and the page of each with what went in and what came out."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.admin.moments import moment_at
from foundation.admin.numbers import number as number_shown
from foundation.admin.numbers import unit_cost, with_unit
from foundation.admin.pages import OwnPages
from foundation.admin.verbs import Verb, VerbButtons
from foundation.money import money
from inventory.admin.cost_places import sees_costs
from inventory.admin.filters import IngredientFilter, LocationFilter, PeriodFilter
from inventory.admin.ledger_rows import change_shown
from inventory.admin.lot_shown import keeps_until, lot_name
from inventory.admin.places import shows_places
from inventory.admin.preparation_pages import PreparePage
from inventory.admin.shown import badge, quantity_shown, when_shown
from inventory.models import Preparation
from inventory.selectors import ledger_of_document
from inventory.services.preparations import DOCUMENT_TYPE, cancel_preparation


class CancelledFilter(DropdownFilter):
    """What was really made, or what was taken back."""

    title = _("cancelled")
    parameter_name = "cancelled"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("made")), ("yes", _("cancelled"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(cancelled_at__isnull=self.value() == "no") if self.value() in ("yes", "no") else queryset


def cancel(request: HttpRequest, preparation: Preparation, data: dict[str, Any]) -> None:
    cancel_preparation(preparation_id=preparation.pk, cancelled_by_id=request.user.pk)


@admin.register(Preparation)
class PreparationAdmin(VerbButtons, OwnPages, WrittenOutAdmin, ShopModelAdmin):
    """Preparations are made on the page Prepare, and never changed; one that was a mistake is taken back whole."""

    pages = (PreparePage,)
    list_display = ("number", "what", "waste_shown", "where", "until", "by", "comment_shown", "when")
    list_display_links = ("number", "what")
    list_filter = (LocationFilter, IngredientFilter, PeriodFilter, CancelledFilter)
    list_select_related = ("ingredient", "location", "created_by")
    search_fields = ("=id", "ingredient__name", "comment")
    search_help_text = _("Number, ingredient or comment")
    ordering = ("-id",)
    actions = None
    fieldsets = ()
    list_before_template = "inventory/preparation_buttons.html"
    change_form_outer_before_template = "inventory/preparation.html"
    verbs = (
        Verb(
            name="cancel",
            label=_("Cancel the preparation"),
            icon="undo",
            permission="inventory.change_preparation",
            run=cancel,
            done=_("%(object)s is cancelled."),
            warning=_("What went in comes back, and the yield leaves the stock. It must all be there still."),
            is_shown=lambda preparation: preparation.cancelled_at is None,
            variant="danger",
        ),
    )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in self.list_display if name != "where" or shows_places(request)]

    @display(description=_("number"), ordering="id")
    def number(self, preparation: Preparation) -> SafeString:
        state = badge("off", _gettext("cancelled")) if preparation.cancelled_at else ""
        return format_html("{} {}", preparation.pk, state)

    @display(description=_("what"), ordering="ingredient__name")
    def what(self, preparation: Preparation) -> str:
        return f"{preparation.ingredient.name}, {quantity_shown(preparation.quantity, preparation.ingredient)}"

    @display(description=_("lost in making"))
    def waste_shown(self, preparation: Preparation) -> str:
        return quantity_shown(preparation.waste, preparation.ingredient) if preparation.waste else "—"

    @display(description=_("where"), ordering="location__name")
    def where(self, preparation: Preparation) -> str:
        return preparation.location.name

    @display(description=_("keeps until"), ordering="expires_at")
    def until(self, preparation: Preparation) -> str:
        return keeps_until(preparation.expires_at, preparation.location)

    @display(description=_("by"))
    def by(self, preparation: Preparation) -> str | None:
        return str(preparation.created_by) if preparation.created_by else None

    @display(description=_("when"), ordering="created_at")
    def when(self, preparation: Preparation) -> SafeString:
        return when_shown(preparation.created_at, preparation.location)

    @display(description=_("comment"))
    def comment_shown(self, preparation: Preparation) -> SafeString:
        return format_html('<span class="sv-clip" title="{0}">{0}</span>', preparation.comment)

    # --- one preparation ------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        preparation: Preparation | None = kwargs.get("obj")
        if preparation is not None:
            context.update(written_out(preparation, with_costs=sees_costs(request)))
        return super().render_change_form(request, context, **kwargs)


def written_out(preparation: Preparation, *, with_costs: bool) -> dict[str, Any]:
    """The page of a preparation: what went in, what came out, and what was taken back."""
    place, unit = preparation.location, preparation.ingredient.get_unit_display()
    movements = list(ledger_of_document(document_type=DOCUMENT_TYPE, document_id=preparation.pk).select_related("lot"))
    # Cancelling wrote the same lines turned round, after these.
    made = movements[: len(movements) // 2] if preparation.cancelled_at else movements
    worth = sum((line.value for line in made if line.delta > 0), preparation.quantity * 0)
    return {
        "preparation": preparation,
        "made_at": moment_at(preparation.created_at, place.time_zone),
        "cancelled_at": moment_at(preparation.cancelled_at, place.time_zone) if preparation.cancelled_at else "",
        "until": keeps_until(preparation.expires_at, place),
        "has_expired": bool(preparation.expires_at and preparation.expires_at <= timezone.now()),
        "batches": number_shown(preparation.batches),
        "quantity": with_unit(preparation.quantity, unit),
        "expected": with_unit(preparation.expected_quantity, unit),
        "waste": with_unit(preparation.waste, unit) if preparation.waste else "",
        "worth": money(worth) if with_costs else "",
        "each": unit_cost((worth / preparation.quantity).quantize(worth), unit) if with_costs and worth else "",
        "with_costs": with_costs,
        "lines": [
            {
                "ingredient": line.ingredient,
                "change": change_shown(line),
                "lot": lot_name(line.lot, place),
                "value": money(line.value),
            }
            for line in movements
        ],
    }
