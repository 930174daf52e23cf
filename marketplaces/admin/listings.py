"""Listings in the admin: what stands on the marketplaces, what of the shop it is, and whether it shows that."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.pages import OwnPages
from foundation.admin.refusals import RefusalsInForms
from foundation.admin.verbs import Verb, VerbButtons
from inventory.admin.shown import badge
from marketplaces.admin.quantities_page import QuantitiesPage
from marketplaces.admin.unmatched_page import UnmatchedPage
from marketplaces.models import Listing
from marketplaces.services.listings import Match, add_listing, change_listing, delete_listing
from marketplaces.services.offered import attach_offers
from marketplaces.services.pushes import ask_to_push
from marketplaces.tasks import hand_over_push

SEND = "marketplaces.change_listing"


class StateFilter(DropdownFilter):
    """How far the marketplace shows what it should."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("refused", gettext("refused by the marketplace")),
            ("waiting", gettext("waits to be sent")),
            ("unknown", gettext("not known what is shown")),
            ("off", gettext("left alone")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "refused":
                return queryset.exclude(push_error="")
            case "waiting":
                return queryset.filter(push_wanted_at__isnull=False)
            case "unknown":
                return queryset.filter(offered=None)
            case "off":
                return queryset.filter(is_active=False)
        return queryset


def send_now(request: HttpRequest, listing: Listing) -> None:
    hand_over_push(ask_to_push(account_id=listing.account_id).pk, by_id=request.user.pk)


@admin.register(Listing)
class ListingAdmin(RefusalsInForms, VerbButtons, OwnPages, ShopModelAdmin):
    """Each SKU of an account with its product. What it may offer is computed, what it shows was read."""

    pages = (UnmatchedPage, QuantitiesPage)
    verbs = (
        Verb(
            name="send",
            label=_("Send now"),
            icon="cloud_upload",
            permission=SEND,
            run=lambda request, listing, data: send_now(request, listing),
            done=_("The quantities of this account are being sent."),
            is_shown=lambda listing: listing.is_active,
        ),
    )
    list_display = ("what", "product_shown", "account", "portions", "kept_back", "may_offer", "shown", "state")
    list_display_links = ("what",)
    list_filter = (("account", RelatedDropdownFilter), StateFilter)
    list_select_related = ("account", "product")
    search_fields = ("sku", "name", "barcode", "product__name")
    search_help_text = _("SKU, name, barcode or product")
    ordering = ("account", "sku")
    list_per_page = 50
    # Deleting goes one by one, through the service.
    actions = None
    autocomplete_fields = ("product",)
    refusal_fields = {"product_id": "product"}
    list_before_template = "marketplaces/listing_buttons.html"
    change_form_outer_before_template = "marketplaces/listing.html"
    warn_unsaved_form = True
    fieldsets = (
        (
            None,
            {"fields": (("account", "sku"), "product", ("quantity", "buffer"), ("name", "barcode"), "is_active")},
        ),
    )

    class Media:
        css: ClassVar = {"all": ["samovar/marketplaces.css"]}

    # --- the list -------------------------------------------------------------------------------------

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        listings = list(changelist.result_list)
        attach_offers(listings, at=timezone.now())
        changelist.result_list = listings
        return changelist

    @display(description=_("SKU"), ordering="sku")
    def what(self, listing: Listing) -> SafeString:
        return format_html('<span class="mp-sku">{}<small>{}</small></span>', listing.sku, listing.name)

    @display(description=_("product"), ordering="product__name")
    def product_shown(self, listing: Listing) -> str:
        return listing.product.name

    @display(description=_("portions"), ordering="quantity")
    def portions(self, listing: Listing) -> int:
        return listing.quantity

    @display(description=_("kept back"), ordering="buffer")
    def kept_back(self, listing: Listing) -> int:
        return listing.buffer

    @display(description=_("may offer"))
    def may_offer(self, listing: Any) -> SafeString | int:
        return pieces_shown(listing)

    @display(description=_("shown there"), ordering=F("offered").asc(nulls_first=True))
    def shown(self, listing: Listing) -> str:
        return "—" if listing.offered is None else str(listing.offered)

    @display(description=_("state"))
    def state(self, listing: Any) -> SafeString:
        shown = state_badge(listing)
        return format_html('<span class="mp-state">{}<small>{}</small></span>', shown, listing.push_error)

    # --- one listing ----------------------------------------------------------------------------------

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("account", "sku") if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: Listing, form: ModelForm, change: bool) -> None:
        if change:
            changed = {name: form.cleaned_data[name] for name in form.changed_data if name in form.cleaned_data}
            if "product" in changed:
                changed["product_id"] = changed.pop("product").pk
            change_listing(listing_id=obj.pk, changes=changed)
            return
        values = form.cleaned_data
        match = Match(
            values["sku"],
            values["product"].pk,
            values["quantity"],
            values["buffer"],
            values["name"],
            values["barcode"],
            values["is_active"],
        )
        obj.pk = add_listing(account_id=values["account"].pk, match=match).pk

    def delete_model(self, request: HttpRequest, obj: Listing) -> None:
        delete_listing(listing_id=obj.pk)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        listing: Any = kwargs.get("obj")
        if listing is not None:
            attach_offers([listing], at=timezone.now())
            context |= {
                "listing": listing,
                "pieces": pieces_shown(listing),
                "state": state_badge(listing),
                "why_not": listing.offer.why_not.sentence if listing.offer.why_not else "",
                "account_url": reverse("admin:marketplaces_selleraccount_change", args=[listing.account_id]),
            }
        return super().render_change_form(request, context, **kwargs)


def pieces_shown(listing: Any) -> SafeString | int:
    """What it may offer, or why that is not known or nothing."""
    offer = listing.offer
    if offer.pieces is None:
        return badge("warn", gettext("not tracked"), offer.why_not.sentence if offer.why_not else "")
    if offer.why_not is not None:
        return badge("off", str(offer.pieces), offer.why_not.sentence)
    pieces: int = offer.pieces
    return pieces


def state_badge(listing: Any) -> SafeString:
    """Whether the marketplace shows what it should."""
    offer = listing.offer
    if not listing.is_active:
        return badge("off", gettext("left alone"), gettext("Its quantity on the marketplace is left alone."))
    if listing.push_error:
        times = ngettext("%(count)d attempt", "%(count)d attempts", listing.push_attempts) % {
            "count": listing.push_attempts
        }
        return badge("bad", gettext("refused"), f"{listing.push_error} ({times})")
    if offer.pieces is None:
        return badge("warn", gettext("not sent"))
    if listing.offered is None:
        return badge("info", gettext("not read yet"))
    return badge("good", gettext("up to date")) if listing.offered == offer.pieces else badge("info", gettext("waits"))
