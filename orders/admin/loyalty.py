"""The loyalty programme and its tiers."""

from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin
from foundation.admin.refusals import RefusalsInForms
from foundation.decimals import plain
from foundation.money import money
from orders.models import LoyaltyProgram, LoyaltyTier
from orders.services.loyalty import program
from orders.services.loyalty_program import change_program


@admin.register(LoyaltyProgram)
class LoyaltyProgramAdmin(RefusalsInForms, ShopModelAdmin):
    """There is one programme: its list is its page."""

    actions = None
    fields = ("is_active", "point_value", "points_days", "adjustment_limit")
    change_form_outer_after_template = "orders_admin/program_tiers.html"

    class Media:
        css: ClassVar = {"all": ["samovar/orders.css"]}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return redirect("admin:orders_loyaltyprogram_change", LoyaltyProgram.ID)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> LoyaltyProgram | None:
        """The programme, also while nobody has set it up: then the form shows what it would start from."""
        return program() if object_id == str(LoyaltyProgram.ID) else None

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        told = {
            "points_days": _("0: never. Points that were given keep their day."),
            "adjustment_limit": _("Of one customer's points within 24 hours, in one piece or in several."),
        }
        return super().get_form(request, *args, **kwargs, help_texts=told)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        context["tiers"] = LoyaltyTier.objects.order_by("spending_from")
        return super().render_change_form(request, context, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LoyaltyProgram | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: LoyaltyProgram, form: Any, change: bool) -> None:
        change_program(changes=form.cleaned_data)


@admin.register(LoyaltyTier)
class LoyaltyTierAdmin(ShopModelAdmin):
    list_display = ("name", "spending_shown", "points_shown")
    ordering = ("spending_from",)

    @display(description=_("spending from"), ordering="spending_from")
    def spending_shown(self, tier: LoyaltyTier) -> str:
        return money(tier.spending_from)

    @display(description=_("points per hundred"), ordering="points_per_hundred")
    def points_shown(self, tier: LoyaltyTier) -> str:
        return plain(tier.points_per_hundred)
