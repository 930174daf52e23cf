"""Promo codes: what each does, how often it was used, and by whom."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext_lazy
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from foundation.admin.deleting import ExplainsDeleting
from foundation.admin.verbs import Verb
from foundation.counting import capped, count_up_to_limit
from foundation.moments import day_and_time
from foundation.money import money
from foundation.shop import current_shop
from inventory.admin.shown import badge
from orders.admin.promo_code_pages import ExportPage, GeneratePage
from orders.admin.promotion_form import OfferForm
from orders.admin.promotions import OfferAdmin
from orders.admin.shop_moments import ShopMomentField
from orders.models import PromoCode, PromoRedemption
from orders.promo_code_states import PromoCodeState, in_state, state_of
from orders.promotion_words import code_in_words, names_of, period_in_words
from orders.services.promo_codes import delete_promo_code, save_promo_code, switch_promo_codes

USES_SHOWN = 50
KINDS = {
    PromoCodeState.ACTIVE: "good",
    PromoCodeState.NOT_YET: "info",
    PromoCodeState.USED_UP: "warn",
    PromoCodeState.EXPIRED: "off",
    PromoCodeState.OFF: "off",
}


class PromoCodeForm(OfferForm):
    starts_at = ShopMomentField(label=pgettext_lazy("a moment", "From"))
    ends_at = ShopMomentField(
        label=pgettext_lazy("a moment", "Until"), help_text=gettext_lazy("The first moment at which it is over.")
    )

    class Meta:
        model = PromoCode
        fields = ("code",)  # The admin names the others.
        help_texts = {
            "code": gettext_lazy("Letters, digits, - and _. Kept in capitals, understood in small letters too."),
            "usage_limit": gettext_lazy("Empty: without a limit."),
            "per_customer_limit": gettext_lazy("With a limit here the counter has to know the customer."),
            "minimum_total": gettext_lazy("What it is for must come to this after promotions."),
            "products": gettext_lazy("Nothing here and no categories: the whole menu."),
        }

    def clean_minimum_total(self) -> Any:
        return self.cleaned_data["minimum_total"] or 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "minimum_total" in self.fields:
            self.fields["minimum_total"].required = False


class StateFilter(DropdownFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(PromoCodeState.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[PromoCode]) -> QuerySet[PromoCode]:
        return queryset.filter(in_state(self.value(), at=timezone.now())) if self.value() else queryset


def switch(code: PromoCode, is_active: bool) -> None:
    switch_promo_codes(ids=[code.pk], is_active=is_active)


@admin.register(PromoCode)
class PromoCodeAdmin(ExplainsDeleting, OfferAdmin):
    """Codes that customers say or type. One that an order has carried is switched off, not deleted."""

    form = PromoCodeForm
    pages = (GeneratePage, ExportPage)
    list_display = ("code_shown", "words", "state_shown", "used", "period")
    list_filter = (StateFilter,)
    search_fields = ("code",)
    search_help_text = gettext_lazy("A part of the code")
    autocomplete_fields = ("products", "categories")
    actions = ("switch_on", "switch_off")
    list_before_template = "orders_admin/promo_code_buttons.html"
    change_form_before_template = "orders_admin/promo_code_words.html"
    change_form_outer_after_template = "orders_admin/promo_code_uses.html"
    instead_of_deleting = gettext_lazy("Switch it off instead.")
    verbs = (
        Verb(
            name="switch_on",
            label=gettext_lazy("Switch on"),
            icon="toggle_on",
            permission="orders.change_promocode",
            run=lambda request, code, data: switch(code, True),
            done=gettext_lazy("The code %(object)s is switched on."),
            is_shown=lambda code: not code.is_active,
            variant="primary",
        ),
        Verb(
            name="switch_off",
            label=gettext_lazy("Switch off"),
            icon="toggle_off",
            permission="orders.change_promocode",
            run=lambda request, code, data: switch(code, False),
            done=gettext_lazy("The code %(object)s is switched off."),
            is_shown=lambda code: code.is_active,
        ),
    )

    class Media:
        css: ClassVar = {"all": ["samovar/promotions.css"]}

    # --- the list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[PromoCode]:
        return super().get_queryset(request).prefetch_related("products", "categories")

    def changelist_view(self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None) -> HttpResponse:
        asked = request.GET.urlencode()
        shown = {"export_query": f"?{asked}" if asked else "", "shows_made": "created_at" in request.GET}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    @display(description=gettext_lazy("code"), ordering="code")
    def code_shown(self, code: PromoCode) -> SafeString:
        return format_html('<span class="promo-code">{}</span>', code.code)

    @display(description=gettext_lazy("what it does"))
    def words(self, code: PromoCode) -> str:
        return code_in_words(code, names_of(code))

    @display(description=gettext_lazy("state"))
    def state_shown(self, code: PromoCode) -> SafeString:
        state = state_of(code, at=timezone.now())
        return badge(KINDS[state], state.label)

    @display(description=gettext_lazy("used"), ordering="used_count")
    def used(self, code: PromoCode) -> str:
        return f"{code.used_count} / {'∞' if code.usage_limit is None else code.usage_limit}"

    @display(description=gettext_lazy("period"), ordering="ends_at")
    def period(self, code: PromoCode) -> str:
        return period_in_words(code) or "—"

    @admin.action(description=gettext_lazy("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[PromoCode]) -> None:
        self.switch_all(request, queryset, True)

    @admin.action(description=gettext_lazy("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[PromoCode]) -> None:
        self.switch_all(request, queryset, False)

    def switch_all(self, request: HttpRequest, queryset: QuerySet[PromoCode], is_active: bool) -> None:
        """Switches all that are ticked."""
        codes = list(queryset.prefetch_related(None))
        number = switch_promo_codes(ids=[code.pk for code in codes], is_active=is_active)
        done = gettext("Switched on") if is_active else gettext("Switched off")
        LogEntry.objects.log_actions(request.user.pk or 0, codes, CHANGE, change_message=done)
        sentence = (
            ngettext("%(count)d code is switched on.", "%(count)d codes are switched on.", number)
            if is_active
            else ngettext("%(count)d code is switched off.", "%(count)d codes are switched off.", number)
        )
        self.message_user(request, sentence % {"count": number})

    # --- one code -------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: PromoCode | None = None) -> Any:
        first: list[Any] = ["code", ("kind", "value", "minimum_total"), ("usage_limit", "per_customer_limit")]
        return (
            (None, {"fields": first if obj else [*first, "is_active"]}),
            (gettext_lazy("When"), {"fields": [("starts_at", "ends_at")]}),
            (gettext_lazy("For what"), {"fields": ["products", "categories"]}),
        )

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        code = kwargs.get("obj")
        if code is not None:
            context["code_words"] = code_in_words(code, names_of(code))
            context["code_state"] = self.state_shown(code)
            if request.user.has_perm("orders.view_order"):
                context |= uses_of(code)
        return super().render_change_form(request, context, **kwargs)

    def save_offer(self, fields: Mapping[str, Any], record_id: int | None) -> PromoCode:
        return save_promo_code(fields=fields, promo_code_id=record_id)

    def delete_model(self, request: HttpRequest, obj: PromoCode) -> None:
        delete_promo_code(promo_code_id=obj.pk)


def uses_of(code: PromoCode) -> dict[str, Any]:
    """The last orders that carried the code, as the page shows them."""
    uses = PromoRedemption.objects.filter(promo_code=code)
    latest = uses.select_related("order", "customer")[:USES_SHOWN]
    zone = current_shop().time_zone
    return {
        "uses": [
            {
                "order": use.order,
                "customer": use.customer,
                "amount": money(use.amount),
                "when": day_and_time(use.created_at, zone),
                "given_back": day_and_time(use.released_at, zone) if use.released_at else "",
            }
            for use in latest
        ],
        "uses_number": capped(count_up_to_limit(uses)),
    }
