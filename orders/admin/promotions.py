"""Automatic promotions: what they do, where they hold now."""

import datetime
import zoneinfo
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.pages import OwnPages
from foundation.admin.refusals import RefusalsInForms
from foundation.admin.verbs import Verb, VerbButtons
from foundation.moments import clock
from inventory.admin.places import open_places, shows_places
from inventory.admin.shown import badge
from inventory.models import Location
from orders.admin.promotion_form import PreviewPage, PromotionForm
from orders.models import Promotion
from orders.promotion_selectors import holds_at
from orders.promotion_words import names_of, promotion_in_words
from orders.services.promotions import delete_promotion, save_promotion, switch_promotion

NAMED = ("products", "categories", "locations")


class OfferAdmin(RefusalsInForms, VerbButtons, OwnPages, ShopModelAdmin):
    """What promotions and promo codes have in common: the service writes all of it in one call."""

    warn_unsaved_form = True
    list_per_page = 50

    def save_offer(self, fields: Mapping[str, Any], record_id: int | None) -> Any:
        """The service behind the form."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """What was not touched is left as it is: an offer whose products are gone stays one for nothing."""
        names = form.changed_data if change else form.fields
        fields = {name: written(name, form.cleaned_data[name]) for name in names if name in form.cleaned_data}
        saved = self.save_offer(fields, obj.pk if change else None)
        obj.pk, obj._state.adding, obj._state.db = saved.pk, False, saved._state.db

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Written by `save_model` already."""

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for offer in queryset.order_by("pk"):
            self.delete_model(request, offer)


def written(name: str, value: Any) -> Any:
    """What the form understood, as the service takes it: records by their ids."""
    return [one.pk for one in value] if name in NAMED else value


@admin.register(Promotion)
class PromotionAdmin(OfferAdmin):
    """Promotions take something off by themselves. Of those that hold, each line gets the best one."""

    form = PromotionForm
    pages = (PreviewPage,)
    list_display = ("name", "words", "now_shown")
    list_filter = (("is_active", BooleanRadioFilter),)
    search_fields = ("name",)
    autocomplete_fields = NAMED
    change_form_before_template = "orders_admin/promotion_preview.html"
    verbs = (
        Verb(
            name="switch_on",
            label=gettext_lazy("Switch on"),
            icon="toggle_on",
            permission="orders.change_promotion",
            run=lambda request, promotion, data: switch_promotion(promotion_id=promotion.pk, is_active=True) and None,
            done=gettext_lazy("“%(object)s” is switched on."),
            is_shown=lambda promotion: not promotion.is_active,
            variant="primary",
        ),
        Verb(
            name="switch_off",
            label=gettext_lazy("Switch off"),
            icon="toggle_off",
            permission="orders.change_promotion",
            run=lambda request, promotion, data: switch_promotion(promotion_id=promotion.pk, is_active=False) and None,
            done=gettext_lazy("“%(object)s” is switched off."),
            is_shown=lambda promotion: promotion.is_active,
        ),
    )

    class Media:
        css: ClassVar = {"all": ["samovar/promotions.css"]}
        js: ClassVar = ["samovar/promotion_preview.js"]

    # --- the list -------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Promotion]:
        return super().get_queryset(request).prefetch_related(*NAMED)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        promotions = list(changelist.result_list)
        for promotion in promotions:
            promotion.badge = now_badge(promotion, open_places(request), timezone.now())
        changelist.result_list = promotions
        return changelist

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        switch = ["switch"] if self.has_change_permission(request) else []
        return [*self.list_display, *switch]

    @display(description=gettext_lazy("what it does"))
    def words(self, promotion: Promotion) -> str:
        return promotion_in_words(promotion, names_of(promotion))

    @display(description=gettext_lazy("now"))
    def now_shown(self, promotion: Any) -> SafeString:
        shown: SafeString = promotion.badge
        return shown

    @display(description=gettext_lazy("on"), ordering="is_active")
    def switch(self, promotion: Promotion) -> SafeString:
        return self.verb_in_list(
            promotion,
            "switch_off" if promotion.is_active else "switch_on",
            label="",
            title=_("Switched on. Press to switch it off.")
            if promotion.is_active
            else _("Switched off. Press to switch it on."),
            css_class=f"sv-switch{' sv-switch-on' if promotion.is_active else ''}",
        )

    # --- one promotion --------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Promotion | None = None) -> Any:
        first: list[Any] = ["name", ("kind", "value", "every")]
        goods: list[Any] = ["products", "categories"]
        return (
            (None, {"fields": first if obj else [*first, "is_active"]}),
            (
                gettext_lazy("When"),
                {"fields": ["weekdays", ("starts_time", "ends_time"), ("starts_on", "ends_on")]},
            ),
            (
                gettext_lazy("For what"),
                {"fields": [*goods, "locations"] if shows_places(request) else goods},
            ),
        )

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        promotion = kwargs.get("obj")
        context["preview_url"] = reverse("admin:orders_promotion_preview")
        context["preview_words"] = promotion_in_words(promotion, names_of(promotion)) if promotion else ""
        return super().render_change_form(request, context, **kwargs)

    def save_offer(self, fields: Mapping[str, Any], record_id: int | None) -> Promotion:
        return save_promotion(fields=fields, promotion_id=record_id)

    def delete_model(self, request: HttpRequest, obj: Promotion) -> None:
        delete_promotion(promotion_id=obj.pk)


def now_badge(promotion: Promotion, places: Sequence[Location], at: datetime.datetime) -> SafeString:
    """Whether the promotion holds at this moment, by the clock of each location."""
    if not promotion.is_active:
        return badge("off", _("switched off"))
    chosen = {place.pk for place in promotion.locations.all()}
    where = [place for place in places if promotion.is_everywhere or place.pk in chosen]
    clocks = ", ".join(f"{place.name} {clock(at, place.time_zone)}" for place in where)
    now = [place for place in where if holds_at(promotion, at.astimezone(zoneinfo.ZoneInfo(place.time_zone)))]
    if not now:
        today = min((place.today(at) for place in where), default=at.date())
        over = promotion.ends_on is not None and promotion.ends_on < today
        return badge("off", _("over") if over else _("not now"), clocks)
    if len(now) == len(where):
        return badge("good", _("now"), clocks)
    return badge("good", _("now at %(places)s") % {"places": ", ".join(place.name for place in now)}, clocks)
