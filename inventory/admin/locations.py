"""Shops and warehouses, and who works where."""

import zoneinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from foundation.admin.deleting import ExplainsDeleting
from foundation.admin.model_admin import ShopModelAdmin, ShopTabularInline
from foundation.shop import current_shop
from inventory.admin.shown import badge
from inventory.models import DefaultLocation, Location


class LocationForm(forms.ModelForm):
    """The time zone is chosen from the list of those that exist."""

    class Media:
        js = ("samovar/search_select.js",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "time_zone" in self.fields:
            names = {name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC"}
            shown = {name for name in names if not name.startswith(("Etc/", "SystemV/"))}
            # One that a program has set, and that is not offered: the browser would choose the first of the list.
            shown.add(self.instance.time_zone)
            self.fields["time_zone"] = forms.ChoiceField(
                label=self.fields["time_zone"].label,
                choices=[(name, name.replace("_", " ")) for name in sorted(shown)],
                widget=UnfoldAdminSelectWidget({"data-searchable": ""}),
                help_text=_("Times and days of this location are shown by it."),
            )


class StaffInline(ShopTabularInline):
    """Who works here: what they do without naming a location happens at this one."""

    model = DefaultLocation
    fields = ("user",)
    verbose_name = _("person")
    verbose_name_plural = _("works here")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["error_messages"] = {"unique": _("Works at another location already. Take them off there first.")}
            kwargs["queryset"] = get_user_model()._default_manager.filter(is_staff=True, is_active=True)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "user" and field is not None:
            # Read once for the page, not once for each row.
            field.choices = list(field.choices)
        return field


@admin.register(Location)
class LocationAdmin(ExplainsDeleting, ShopModelAdmin):
    """While there is a single location, no other page mentions it."""

    form = LocationForm
    fields = ("name", "address", ("time_zone", "day_starts_at"), "report_at", "tells_ready", "is_active")
    inlines = (StaffInline,)
    list_display = ("name", "address", "time_zone", "day_starts_at", "open_shown", "low_shown", "staff_number")
    search_fields = ("name", "address")
    ordering = ("name", "pk")
    warn_unsaved_form = True
    instead_of_deleting = _("Close it instead: a closed location takes no orders and no stock.")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"time_zone": current_shop().time_zone, **super().get_changeform_initial_data(request)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Location]:
        low = Count("stock_levels", filter=Q(stock_levels__quantity__lt=F("stock_levels__minimum")), distinct=True)
        return super().get_queryset(request).annotate(low=low, staff=Count("default_for", distinct=True))

    @display(description=_("open"), ordering="is_active")
    def open_shown(self, location: Location) -> SafeString:
        return badge("good", _("open")) if location.is_active else badge("off", _("closed"))

    @display(description=_("low stock"), ordering="low")
    def low_shown(self, location: Any) -> SafeString | str:
        if not location.low:
            return "—"
        return format_html(
            '<a class="sv-link" href="{}?location={}&low=yes">{}</a>',
            reverse("admin:inventory_stocklevel_changelist"),
            location.pk,
            location.low,
        )

    @display(description=_("people"), ordering="staff")
    def staff_number(self, location: Any) -> int:
        return int(location.staff)
