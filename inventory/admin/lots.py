"""What keeps until when: the lots, and what a person does about one."""

import datetime
import zoneinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from foundation.admin.model_admin import ShopModelAdmin, WrittenOutAdmin
from foundation.admin.numbers import PlainDecimalField
from foundation.admin.pages import OwnPages
from foundation.admin.verbs import Verb, VerbButtons, VerbForm
from foundation.money import money
from inventory.admin.cost_places import sees_costs
from inventory.admin.expiry_pages import ExpiringPage
from inventory.admin.filters import IngredientFilter, LocationFilter
from inventory.admin.ledger_rows import ledger_rows
from inventory.admin.lot_shown import expiry_badge, keeps_until, local_field_value, lot_name
from inventory.admin.places import shows_places
from inventory.admin.shown import quantity_shown
from inventory.admin.valuation_pages import MomentField
from inventory.lot_selectors import with_worth
from inventory.models import StockDocument, StockLot, StockMovement
from inventory.services.expiry import change_lot, write_off_lot

SHOWN_MOVEMENTS = 50


class ExpiryFilter(DropdownFilter):
    """What has expired, or does so within some days."""

    title = _("expires")
    parameter_name = "expires"
    days = {"expired": 0, "1": 1, "3": 3, "7": 7}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("expired", _("has expired")),
            ("1", _("within a day")),
            ("3", _("within 3 days")),
            ("7", _("within 7 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StockLot]) -> QuerySet[StockLot]:
        days = self.days.get(self.value() or "")
        if days is None:
            return queryset
        return queryset.filter(expires_at__lte=timezone.now() + datetime.timedelta(days=days))


class LotWriteOffForm(VerbForm):
    """How much of the lot, and why."""

    quantity = PlainDecimalField(label=_("Quantity"))
    reason = forms.ChoiceField(
        label=_("Reason"), choices=StockDocument.WriteOffReason.choices, initial=StockDocument.WriteOffReason.SPOILAGE
    )
    comment = forms.CharField(label=_("Comment"), max_length=500, required=False)

    def __init__(self, *args: Any, obj: StockLot, **kwargs: Any) -> None:
        super().__init__(*args, obj=obj, **kwargs)
        self.fields["quantity"].initial = obj.quantity
        self.fields["quantity"].help_text = obj.ingredient.get_unit_display()

    def about(self) -> str:
        """Which lot: the page lies behind a link in a long list."""
        return gettext("%(ingredient)s: %(quantity)s there. Keeps until: %(date)s.") % {
            "ingredient": self.obj.ingredient.name,
            "quantity": quantity_shown(self.obj.quantity, self.obj.ingredient),
            "date": lot_name(self.obj, self.obj.location),
        }


class LotChangeForm(VerbForm):
    """What was written down wrong; the moment is read by the clocks of the location."""

    expires_at = MomentField(
        label=_("Keeps until"), help_text=_("The first moment at which it is not sold any more. Empty: nobody knows.")
    )
    code = forms.CharField(label=_("Lot code"), max_length=60, required=False)

    def __init__(self, *args: Any, obj: StockLot, **kwargs: Any) -> None:
        super().__init__(*args, obj=obj, **kwargs)
        self.fields["expires_at"].initial = local_field_value(obj.expires_at, obj.location)
        self.fields["code"].initial = obj.code

    def full_clean(self) -> None:
        with timezone.override(zoneinfo.ZoneInfo(self.obj.location.time_zone)):
            super().full_clean()

    def changes(self) -> dict[str, Any]:
        """Only what is another: the field of the moment knows no seconds."""
        return {name: self.cleaned_data[name] for name in self.changed_data}


def write_off(request: HttpRequest, lot: StockLot, data: dict[str, Any]) -> None:
    write_off_lot(lot_id=lot.pk, created_by_id=request.user.pk, **data)


def put_right(request: HttpRequest, lot: StockLot, data: dict[str, Any]) -> None:
    # The browser's field has no seconds: a moment that shows the same is the same.
    same = local_field_value(data["expires_at"], lot.location) == local_field_value(lot.expires_at, lot.location)
    expires_at = lot.expires_at if same else data["expires_at"]
    change_lot(lot_id=lot.pk, changes={"expires_at": expires_at, "code": data["code"]})


@admin.register(StockLot)
class StockLotAdmin(VerbButtons, OwnPages, WrittenOutAdmin, ShopModelAdmin):
    """The lots with something in them. They come and go with the stock; here they are thrown away or put right."""

    pages = (ExpiringPage,)
    list_display = ("ingredient_shown", "where", "quantity_shown", "expires", "code")
    list_display_links = ("ingredient_shown",)
    list_filter = (LocationFilter, IngredientFilter, ExpiryFilter)
    list_select_related = ("ingredient", "location")
    search_fields = ("ingredient__name", "code")
    search_help_text = _("Ingredient or lot code")
    list_per_page = 100
    actions = None
    fieldsets = ()
    change_form_outer_before_template = "inventory/lot.html"
    verbs = (
        Verb(
            name="write_off",
            label=_("Write off"),
            icon="delete_sweep",
            permission="inventory.write_off_stock",
            run=write_off,
            done=_("Written off: %(object)s."),
            form=LotWriteOffForm,
            is_shown=lambda lot: lot.quantity > 0,
            variant="danger",
        ),
        Verb(
            name="change",
            label=_("Put the date right"),
            icon="edit_calendar",
            permission="inventory.change_stocklot",
            run=put_right,
            done=_("%(object)s has another date now."),
            form=LotChangeForm,
            is_shown=lambda lot: lot.quantity > 0,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockLot]:
        lots = with_worth(super().get_queryset(request))
        # The page of a lot stays when it is empty: the ledger leads there.
        return (
            lots
            if request.resolver_match and "object_id" in request.resolver_match.kwargs
            else lots.exclude(quantity=0)
        )

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        return (F("expires_at").asc(nulls_first=True), "id")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown = [name for name in self.list_display if name != "where" or shows_places(request)]
        return [*shown, "worth"] if sees_costs(request) else shown

    @display(description=_("ingredient"), ordering="ingredient__name")
    def ingredient_shown(self, lot: StockLot) -> str:
        return lot.ingredient.name

    @display(description=_("where"), ordering="location__name")
    def where(self, lot: StockLot) -> str:
        return lot.location.name

    @display(description=_("quantity"), ordering="quantity")
    def quantity_shown(self, lot: StockLot) -> str:
        return quantity_shown(lot.quantity, lot.ingredient)

    @display(description=_("keeps until"), ordering="expires_at")
    def expires(self, lot: StockLot) -> SafeString:
        return expiry_badge(lot, timezone.now())

    @display(description=_("worth"))
    def worth(self, lot: Any) -> str:
        return money(lot.quantity * lot.average_cost) if lot.average_cost else "—"

    # --- one lot --------------------------------------------------------------------------------------

    def address_after_verb(self, request: HttpRequest, obj: Any) -> str:
        """What is thrown away is no longer there to look at: on to the next."""
        if request.method == "POST":
            return reverse("admin:inventory_stocklot_expiring")
        return super().address_after_verb(request, obj)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        lot: Any = kwargs.get("obj")
        if lot is not None:
            movements = (
                StockMovement.objects.filter(lot=lot)
                .select_related("ingredient", "location", "created_by", "lot")
                .order_by("-id")[:SHOWN_MOVEMENTS]
            )
            context.update(
                lot=lot,
                quantity=quantity_shown(lot.quantity, lot.ingredient),
                until=keeps_until(lot.expires_at, lot.location),
                has_expired=lot.is_expired(timezone.now()),
                worth=money(lot.quantity * (lot.average_cost or 0)) if sees_costs(request) else "",
                ledger=ledger_rows(list(movements)),
                shows_places=False,
                hides_left=True,
            )
            context["title"] = gettext("Lot")
        return super().render_change_form(request, context, **kwargs)
