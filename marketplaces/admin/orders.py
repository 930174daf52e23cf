"""The mirrored orders in the admin: what the marketplaces told, and what they told before."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import NUL, ShopModelAdmin, WrittenOutAdmin
from foundation.admin.verbs import Verb, VerbButtons, VerbForm
from inventory.admin.shown import when_shown
from marketplaces.admin.filters import PlacedFilter
from marketplaces.admin.shown import NOTHING, marketplace_total, state_badge
from marketplaces.models import MarketplaceOrder, MarketplaceOrderRevision
from marketplaces.payload_diff import differences
from marketplaces.services.erasing import erase_buyer
from orders.models import OrderEvent
from orders.services.actor import Actor

# The newest ones; one more is read, to say what the oldest of them changed.
SHOWN_REVISIONS = 20


class EraseForm(VerbForm):
    """Why the buyer is forgotten."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        help_text=_("It stays. Do not name the person: “asked for it by letter”."),
    )


def erase(request: HttpRequest, order: MarketplaceOrder, data: dict[str, Any]) -> None:
    actor = Actor(request.user.pk, OrderEvent.Door.ADMIN)
    erase_buyer(order_id=order.pk, reason=data["reason"], actor=actor)


@admin.register(MarketplaceOrder)
class MarketplaceOrderAdmin(VerbButtons, WrittenOutAdmin, ShopModelAdmin):
    """What the marketplaces told of their orders, the last seen first. Nobody changes it here."""

    list_display = ("label", "account", "state_shown", "words", "total_shown", "placed")
    list_display_links = ("label",)
    list_filter = (("account", RelatedDropdownFilter), ("state", ChoicesDropdownFilter), PlacedFilter)
    list_select_related = ("account", "account__location")
    # Looked for by the beginning, which an index finds; see `get_search_results`.
    search_fields = ("number", "external_id")
    search_help_text = _("The beginning of a number, or of the marketplace's id")
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 50
    actions = None
    fieldsets = ()
    change_form_outer_before_template = "marketplaces/order.html"
    verbs = (
        Verb(
            name="erase",
            label=_("Erase the buyer's data"),
            permission="orders.erase_customer",
            run=erase,
            done=_("The buyer of %(object)s is forgotten."),
            form=EraseForm,
            warning=_(
                "Name, address and contacts go for ever, from the order and all its versions. What was bought stays. "
                "This can't be undone."
            ),
            is_shown=lambda order: order.erased_at is None,
            variant="danger",
            icon="person_off",
        ),
    )

    class Media:
        css: ClassVar = {"all": ["samovar/marketplaces.css"]}

    # --- the list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[MarketplaceOrder]:
        orders = super().get_queryset(request).defer("account__credentials", "account__tokens")
        is_page = request.resolver_match and "object_id" in request.resolver_match.kwargs
        return orders if is_page else orders.defer("account__credentials", "account__tokens", "payload")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.replace(NUL, "").strip()
        if not term:
            return queryset, False
        return queryset.filter(Q(number__startswith=term) | Q(external_id__startswith=term)), False

    @display(description=_("order"))
    def label(self, order: MarketplaceOrder) -> SafeString:
        return format_html('<span class="mp-id">{}</span>', order)

    @display(description=_("state"))
    def state_shown(self, order: MarketplaceOrder) -> SafeString:
        return state_badge(order)

    @display(description=_("there"))
    def words(self, order: MarketplaceOrder) -> str:
        return " · ".join(filter(None, (order.status, order.fulfilment_status)))

    @display(description=_("total"))
    def total_shown(self, order: MarketplaceOrder) -> str:
        return marketplace_total(order)

    @display(description=_("placed"))
    def placed(self, order: MarketplaceOrder) -> SafeString | str:
        return when_shown(order.placed_at, order.account.location) if order.placed_at else NOTHING

    # --- one order ------------------------------------------------------------------------------------

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        order: MarketplaceOrder | None = kwargs.get("obj")
        if order is not None:
            context |= self.written_out(order)
        return super().render_change_form(request, context, **kwargs)

    def written_out(self, order: MarketplaceOrder) -> Mapping[str, Any]:
        """All that the order's page says."""
        newest = list(order.revisions.order_by("-number")[: SHOWN_REVISIONS + 1])
        return {
            "order": order,
            "zone": order.account.location.time_zone,
            "state": state_badge(order),
            "total": marketplace_total(order),
            "lines": list(order.lines.order_by("id")),
            "raw": readable(order.payload),
            "revisions": revision_rows(newest),
            "operations": list(order.operations.order_by("pk")),
            "merged": list(order.merged.only("id", "number", "external_id").order_by("pk")),
        }


def revision_rows(newest: list[MarketplaceOrderRevision]) -> list[dict[str, Any]]:
    """The revisions, the newest first, each with what differs from the one before it."""
    before: list[MarketplaceOrderRevision | None] = [*newest[1:], None]
    return [
        {
            "revision": revision,
            "differences": [] if earlier is None else differences(earlier.payload, revision.payload),
            "is_first": revision.number == 1,
        }
        for revision, earlier in zip(newest, before, strict=False)
    ][:SHOWN_REVISIONS]


def readable(payload: Any) -> str:
    """JSON as people read it."""
    return json.dumps(payload, indent=2, ensure_ascii=False)
